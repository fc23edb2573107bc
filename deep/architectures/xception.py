"""Xception: depthwise separable convolutions with residual shortcuts throughout.

Figure 5 of the paper, for 299 x 299 (sep: 3 x 3 separable convolution; batch normalisation after
every convolution; a module's shortcut is a 1 x 1 convolution of stride 2, or the identity):

===========  ==========================================  ==============
flow         layers                                      output
===========  ==========================================  ==============
entry        conv 3 x 3, 32, stride 2, valid             149 x 149 x 32
entry        conv 3 x 3, 64, valid                       147 x 147 x 64
entry 2      sep 128, sep 128, 3 x 3 max pool / 2        74 x 74 x 128
entry 3      sep 256, sep 256, 3 x 3 max pool / 2        37 x 37 x 256
entry 4      sep 728, sep 728, 3 x 3 max pool / 2        19 x 19 x 728
middle 5-12  8 x (sep 728, sep 728, sep 728)             19 x 19 x 728
exit 13      sep 728, sep 1024, 3 x 3 max pool / 2       10 x 10 x 1024
exit 14      sep 1536, sep 2048                          10 x 10 x 2048
top          global average pool, 1000, softmax          1000
===========  ==========================================  ==============

References
----------
F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017,
arXiv:1610.02357.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import batch_normalization, convolution, relu

# Number, maps of its two convolutions and whether a rectifier comes first.
ENTRY = ((2, (128, 128), False), (3, (256, 256), True), (4, (728, 728), True))
MIDDLE = range(5, 13)


def _body(x):
    x = _convolution(x, 32, "block1_conv1", stride=2)
    x = _convolution(x, 64, "block1_conv2")
    for number, maps, first_relu in ENTRY:
        x = _halving_module(x, maps, f"block{number}", first_relu)
    for number in MIDDLE:
        x = _middle_module(x, f"block{number}")
    x = _halving_module(x, (728, 1024), "block13", True)
    x = relu(_separable(x, 1536, "block14_sepconv1"), "block14_sepconv1_act")
    return relu(_separable(x, 2048, "block14_sepconv2"), "block14_sepconv2_act")


def _convolution(x, maps, name, stride=1):
    x = convolution(x, maps, 3, name, stride=stride, padding="valid", use_bias=False)
    return relu(batch_normalization(x, f"{name}_bn"), f"{name}_act")


def _halving_module(x, maps, name, first_relu):
    shortcut = convolution(x, maps[-1], 1, f"{name}_shortcut", stride=2, use_bias=False)
    shortcut = batch_normalization(shortcut, f"{name}_shortcut_bn")
    x = relu(x, f"{name}_sepconv1_act") if first_relu else x
    x = _separable(x, maps[0], f"{name}_sepconv1")
    x = relu(x, f"{name}_sepconv2_act")
    x = _separable(x, maps[1], f"{name}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _middle_module(x, name):
    shortcut = x
    for number in (1, 2, 3):
        x = relu(x, f"{name}_sepconv{number}_act")
        x = _separable(x, 728, f"{name}_sepconv{number}")
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _separable(x, maps, name):
    x = layers.SeparableConv2D(maps, 3, padding="same", use_bias=False, name=name)(x)
    return batch_normalization(x, f"{name}_bn")


ARCHITECTURES = {
    "xception": Architecture(
        name="xception",
        body=_body,
        input_shape=(299, 299, 3),
        preprocessing="tf",
        paper="Chollet 2017, Xception, arXiv:1610.02357",
        weights="Xception",
    )
}
