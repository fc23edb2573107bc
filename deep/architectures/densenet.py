"""DenseNet: every layer of a block sees the maps of all layers before it.

Table 1 of the paper, growth rate k = 32, for 224 x 224. A dense layer is BN, rectifier, 1 x 1
convolution to 4 k maps, BN, rectifier, 3 x 3 convolution to k maps; a transition halves the number
of maps (compression 0.5) and the size.

====================  =========  ==========================================
layers                output     DenseNet-121 / 169 / 201
====================  =========  ==========================================
convolution           112 x 112  7 x 7, 64, stride 2
pooling               56 x 56    3 x 3 max pool, stride 2
dense block 1         56 x 56    6 / 6 / 6 layers
transition 1          28 x 28    1 x 1 convolution, 2 x 2 average pool
dense block 2         28 x 28    12 / 12 / 12 layers
transition 2          14 x 14    1 x 1 convolution, 2 x 2 average pool
dense block 3         14 x 14    24 / 32 / 48 layers
transition 3          7 x 7      1 x 1 convolution, 2 x 2 average pool
dense block 4         7 x 7      16 / 32 / 32 layers
classification        1 x 1      7 x 7 global average pool, 1000, softmax
====================  =========  ==========================================

References
----------
G. Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, arXiv:1608.06993.
"""

import functools

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import batch_normalization, convolution, padded_convolution, relu

DEPTHS = {
    "densenet121": (6, 12, 24, 16),
    "densenet169": (6, 12, 32, 32),
    "densenet201": (6, 12, 48, 32),
}
GROWTH = 32
EPSILON = 1.001e-5  # as the published weights were trained


def _body(depths, x):
    x = padded_convolution(x, 64, 7, "conv1_conv", stride=2, use_bias=False)
    x = _normalized(x, "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, depth in enumerate(depths, 2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for number in range(1, depth + 1):
            x = _dense_layer(x, f"conv{stage}_block{number}")
    x = batch_normalization(x, "bn", epsilon=EPSILON)
    return relu(x, "relu")


def _transition(x, name):
    half = x.shape[-1] // 2
    x = _normalized(x, name)
    x = convolution(x, half, 1, f"{name}_conv", use_bias=False)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _dense_layer(x, name):
    new = _normalized(x, f"{name}_0")
    new = convolution(new, 4 * GROWTH, 1, f"{name}_1_conv", use_bias=False)
    new = _normalized(new, f"{name}_1")
    new = convolution(new, GROWTH, 3, f"{name}_2_conv", use_bias=False)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def _normalized(x, name):
    return relu(batch_normalization(x, f"{name}_bn", epsilon=EPSILON), f"{name}_relu")


ARCHITECTURES = {
    name: Architecture(
        name=name,
        body=functools.partial(_body, depths),
        preprocessing="torch",
        paper="Huang et al. 2017, Densely Connected Convolutional Networks, arXiv:1608.06993",
        weights=name.replace("densenet", "DenseNet"),
    )
    for name, depths in DEPTHS.items()
}
