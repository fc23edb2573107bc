"""EfficientNet: depth, width and resolution of one network scaled together.

Table 1 of the paper, EfficientNet-B0 (MBConv: the inverted residual of MobileNet V2 with squeeze
and excitation of a quarter of its input channels; its number is the expansion):

=====  ====================  ==========  ========  ======
stage  operator              input size  channels  layers
=====  ====================  ==========  ========  ======
1      Conv 3x3, stride 2    224 x 224   32        1
2      MBConv1, k3x3         112 x 112   16        1
3      MBConv6, k3x3, s2     112 x 112   24        2
4      MBConv6, k5x5, s2     56 x 56     40        2
5      MBConv6, k3x3, s2     28 x 28     80        3
6      MBConv6, k5x5         14 x 14     112       3
7      MBConv6, k5x5, s2     14 x 14     192       4
8      MBConv6, k3x3         7 x 7       320       1
9      Conv 1x1, pool, FC    7 x 7       1280      1
=====  ====================  ==========  ========  ======

B1 to B7 multiply the channels (rounded to multiples of 8) and the layers (rounded up) by the
factors in `SIZES`, and enlarge the input.

The network takes pixels of 0-255 and normalises them itself. Its statistics are those of the
weights loaded; with random weights they are mean 0 and variance 1 of pixels over 255.

References
----------
M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
ICML 2019, arXiv:1905.11946.
"""

import functools
import math

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import (
    batch_normalization,
    convolution,
    depthwise_convolution,
    halving_zeros,
    pooled_head,
    round_channels,
    squeeze_excitation,
    stochastic_depth,
)
from vision.checks import check_number

# Stages 2 to 8: expansion, kernel, stride, channels, layers.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
# Width, depth, input side and dropout of the authors' code.
SIZES = {
    "efficientnet_b0": (1.0, 1.0, 224, 0.2),
    "efficientnet_b1": (1.0, 1.1, 240, 0.2),
    "efficientnet_b2": (1.1, 1.2, 260, 0.3),
    "efficientnet_b3": (1.2, 1.4, 300, 0.3),
    "efficientnet_b4": (1.4, 1.8, 380, 0.4),
    "efficientnet_b5": (1.6, 2.2, 456, 0.4),
    "efficientnet_b6": (1.8, 2.6, 528, 0.5),
    "efficientnet_b7": (2.0, 3.1, 600, 0.5),
}


def _body(width, depth, x, *, drop_connect_rate=0.2):
    check_number("drop_connect_rate", drop_connect_rate, owner="EfficientNet", at_least=0, below=1)
    x = layers.Rescaling(1 / 255, name="rescaling")(x)
    x = layers.Normalization(name="normalization")(x)
    x = halving_zeros(x, 3, "stem_conv_pad")
    x = convolution(
        x, round_channels(32 * width), 3, "stem_conv", stride=2, padding="valid", use_bias=False
    )
    x = _activated(x, "stem_bn", "stem_activation")
    blocks = list(_blocks(width, depth))
    for number, (name, block) in enumerate(blocks):
        x = _inverted_residual(x, name, *block, drop_connect_rate * number / len(blocks))
    x = convolution(x, round_channels(1280 * width), 1, "top_conv", use_bias=False)
    return _activated(x, "top_bn", "top_activation")


def _blocks(width, depth):
    """Name and (expansion, kernel, stride, channels) of each block, scaled."""
    for stage, (expansion, kernel, stride, channels, repeats) in enumerate(STAGES, 1):
        for repeat in range(math.ceil(depth * repeats)):
            name = f"block{stage}{chr(ord('a') + repeat)}_"
            step = 1 if repeat else stride
            yield name, (expansion, kernel, step, round_channels(channels * width))


def _inverted_residual(x, name, expansion, kernel, stride, channels, drop_rate):
    inputs, narrow = x, x.shape[-1]
    if expansion > 1:
        x = convolution(x, narrow * expansion, 1, f"{name}expand_conv", use_bias=False)
        x = _activated(x, f"{name}expand_bn", f"{name}expand_activation")
    if stride == 2:
        x = halving_zeros(x, kernel, f"{name}dwconv_pad")
    padding = "same" if stride == 1 else "valid"
    x = depthwise_convolution(x, kernel, f"{name}dwconv", stride=stride, padding=padding)
    x = _activated(x, f"{name}bn", f"{name}activation")
    x = squeeze_excitation(x, max(1, narrow // 4), f"{name}se", activation="swish")
    x = convolution(x, channels, 1, f"{name}project_conv", use_bias=False)
    x = batch_normalization(x, f"{name}project_bn")
    if stride == 1 and narrow == channels:
        x = stochastic_depth(x, drop_rate, f"{name}drop")
        x = layers.Add(name=f"{name}add")([x, inputs])
    return x


def _activated(x, bn, name):
    return layers.Activation("swish", name=name)(batch_normalization(x, bn))


def _architecture(name, width, depth, side, dropout):
    return Architecture(
        name=name,
        body=functools.partial(_body, width, depth),
        head=functools.partial(pooled_head, dropout=dropout),
        input_shape=(side, side, 3),
        preprocessing="none",
        paper="Tan & Le 2019, EfficientNet, arXiv:1905.11946",
        weights=name.replace("efficientnet_b", "EfficientNetB"),
    )


ARCHITECTURES = {name: _architecture(name, *size) for name, size in SIZES.items()}
