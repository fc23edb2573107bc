"""MobileNet V1: every 3 x 3 convolution split into a depthwise and a pointwise one.

Table 1 of the paper, for 224 x 224 (dw: depthwise; each line ends in batch normalisation and a
rectifier cut off at 6):

=====================  ===========================  ==============
type / stride          filter shape                 input size
=====================  ===========================  ==============
Conv / s2              3 x 3 x 3 x 32               224 x 224 x 3
Conv dw / s1           3 x 3 x 32 dw                112 x 112 x 32
Conv / s1              1 x 1 x 32 x 64              112 x 112 x 32
Conv dw / s2           3 x 3 x 64 dw                112 x 112 x 64
Conv / s1              1 x 1 x 64 x 128             56 x 56 x 64
Conv dw / s1           3 x 3 x 128 dw               56 x 56 x 128
Conv / s1              1 x 1 x 128 x 128            56 x 56 x 128
Conv dw / s2           3 x 3 x 128 dw               56 x 56 x 128
Conv / s1              1 x 1 x 128 x 256            28 x 28 x 128
Conv dw / s1           3 x 3 x 256 dw               28 x 28 x 256
Conv / s1              1 x 1 x 256 x 256            28 x 28 x 256
Conv dw / s2           3 x 3 x 256 dw               28 x 28 x 256
Conv / s1              1 x 1 x 256 x 512            14 x 14 x 256
5 x Conv dw / s1       3 x 3 x 512 dw               14 x 14 x 512
5 x Conv / s1          1 x 1 x 512 x 512            14 x 14 x 512
Conv dw / s2           3 x 3 x 512 dw               14 x 14 x 512
Conv / s1              1 x 1 x 512 x 1024           7 x 7 x 512
Conv dw / s1           3 x 3 x 1024 dw              7 x 7 x 1024
Conv / s1              1 x 1 x 1024 x 1024          7 x 7 x 1024
Avg Pool / s1          7 x 7                        7 x 7 x 1024
FC / s1                1024 x 1000                  1 x 1 x 1024
Softmax / s1           classifier                   1 x 1 x 1000
=====================  ===========================  ==============

The table prints "s2" for the last depthwise row too, but its own sizes need a stride of 1.

The width multiplier is ``options={"alpha": 0.5}``: every number of channels times alpha. The
resolution multiplier of the paper is the input size itself, ``input_shape=(160, 160, 3)`` for
rho = 160 / 224: it changes no weight.

References
----------
A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", 2017, arXiv:1704.04861.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import batch_normalization, convolution, depthwise_convolution, dropped
from vision.checks import check_number

# Channels after each depthwise and pointwise pair, and the stride of the depthwise one.
PAIRS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)


def _body(x, *, alpha=1.0):
    check_number("alpha", alpha, owner="mobilenet", above=0)
    x = convolution(x, _width(32, alpha), 3, "conv1", stride=2, use_bias=False)
    x = _normalized(x, "conv1")
    for number, (channels, stride) in enumerate(PAIRS, 1):
        x = _pair(x, _width(channels, alpha), stride, number)
    return x


def _width(channels, alpha):
    return max(1, int(channels * alpha))


def _pair(x, channels, stride, number):
    depthwise, pointwise = f"conv_dw_{number}", f"conv_pw_{number}"
    if stride == 2:  # TensorFlow's "same" at an even size, kept at odd ones for the weights' sake
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    padding = "same" if stride == 1 else "valid"
    x = depthwise_convolution(x, 3, depthwise, stride=stride, padding=padding)
    x = _normalized(x, depthwise)
    x = convolution(x, channels, 1, pointwise, use_bias=False)
    return _normalized(x, pointwise)


def _normalized(x, name):
    x = batch_normalization(x, f"{name}_bn")
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _head(x, classes, activation, *, dropout=1e-3):
    """The table's dense layer as a 1 x 1 convolution, which is how its weights are stored."""
    x = layers.GlobalAveragePooling2D(keepdims=True, name="avg_pool")(x)
    x = dropped(x, dropout)
    x = layers.Conv2D(classes, 1, name="conv_preds")(x)
    x = layers.Reshape((classes,), name="reshape")(x)
    return layers.Activation(activation, dtype="float32", name="predictions")(x)


ARCHITECTURES = {
    "mobilenet": Architecture(
        name="mobilenet",
        body=_body,
        head=_head,
        preprocessing="tf",
        paper="Howard et al. 2017, MobileNets, arXiv:1704.04861",
        weights="MobileNet",
    )
}
