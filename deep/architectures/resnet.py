"""The residual networks for ImageNet: the paper's Table 1.

======  =========  =======  =======  ============  ============  ============
stage   output     18       34       50            101           152
======  =========  =======  =======  ============  ============  ============
conv1   112 x 112  one 7x7 convolution of 64 filters, stride 2
pool1   56 x 56    3x3 max pool, stride 2
conv2   56 x 56    2 basic  3 basic  3 bottleneck  3 bottleneck  3 bottleneck
conv3   28 x 28    2        4        4             4             8
conv4   14 x 14    2        6        6             23            36
conv5   7 x 7      2        3        3             3             3
head    1 x 1      average pool, dense
======  =========  =======  =======  ============  ============  ============

A basic block is 3x3, 3x3 with 64, 128, 256, 512 filters; a bottleneck is 1x1, 3x3, 1x1 with the
same and, at its end, four times as many. A regular shortcut is the input itself; where the map or
the number of channels changes, the reduce shortcut is a 1x1 convolution (option B).

Parameters 11,699,112 / 21,814,696 without convolution biases; 25,636,712 / 44,707,176 /
60,419,944 with them, as in `keras.applications`, or 25,610,152 / 44,654,504 / 60,344,232 by
``options={"use_bias": False}``, as in the paper.

References
----------
K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
arXiv:1512.03385.
"""

import functools

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import batch_normalization, convolution, padded_convolution, relu

FILTERS = (64, 128, 256, 512)
BASIC = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
BOTTLENECK = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}
EXPANSION = 4  # of a bottleneck's last convolution
WEIGHTS = {"resnet50": "ResNet50", "resnet101": "ResNet101", "resnet152": "ResNet152"}


def _normalized(x, filters, size, name, *, stride=1, use_bias):
    # Keras' "same" would pad a strided 3x3 on one side only.
    convolve = padded_convolution if stride > 1 and size > 1 else convolution
    x = convolve(x, filters, size, f"{name}_conv", stride=stride, use_bias=use_bias)
    return batch_normalization(x, f"{name}_bn", epsilon=1.001e-5)


def _shortcut(x, filters, name, stride, use_bias):
    """The input itself, or a 1x1 convolution where its shape must change."""
    if stride == 1 and x.shape[-1] == filters:
        return x
    return _normalized(x, filters, 1, f"{name}_0", stride=stride, use_bias=use_bias)


def _basic(x, filters, name, *, stride, use_bias):
    shortcut = _shortcut(x, filters, name, stride, use_bias)
    x = _normalized(x, filters, 3, f"{name}_1", stride=stride, use_bias=use_bias)
    x = relu(x, f"{name}_1_relu")
    x = _normalized(x, filters, 3, f"{name}_2", use_bias=use_bias)
    return relu(layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def bottleneck(x, filters, name, *, stride, use_bias, attention=None):
    """The bottleneck block of Figure 5: 1x1, 3x3, 1x1 with a shortcut around them.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    filters : int
        Of the first two convolutions; the last has four times as many.
    name : str
        What the layers' names begin with.
    stride : int
        Of the first convolution and the shortcut's.
    use_bias : bool
        Whether convolutions have biases.
    attention : callable, optional
        ``attention(x, name)``, applied to the last convolution's map before the sum.

    Returns
    -------
    tensor

    Examples
    --------
    >>> import keras
    >>> x = keras.Input((32, 32, 64))
    >>> bottleneck(x, 64, "block", stride=2, use_bias=False).shape
    (None, 16, 16, 256)
    """
    shortcut = _shortcut(x, EXPANSION * filters, name, stride, use_bias)
    x = _normalized(x, filters, 1, f"{name}_1", stride=stride, use_bias=use_bias)
    x = relu(x, f"{name}_1_relu")
    x = relu(_normalized(x, filters, 3, f"{name}_2", use_bias=use_bias), f"{name}_2_relu")
    x = _normalized(x, EXPANSION * filters, 1, f"{name}_3", use_bias=use_bias)
    x = attention(x, f"{name}_attention") if attention else x
    return relu(layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def residual_body(block, depths, biased, x, *, use_bias=None):
    """The paper's stem and four stages of blocks.

    Parameters
    ----------
    block : callable
        ``block(x, filters, name, *, stride, use_bias)``, such as `bottleneck`.
    depths : tuple of int
        Blocks in each stage.
    biased : bool
        What `use_bias` is by default.
    x : tensor, (batch, height, width, channels)
    use_bias : bool, optional
        Whether convolutions have biases.

    Returns
    -------
    tensor
        At a 32nd of the height and width.

    Examples
    --------
    >>> import keras
    >>> residual_body(bottleneck, (1, 1, 1, 1), False, keras.Input((64, 64, 3))).shape
    (None, 2, 2, 2048)
    """
    use_bias = biased if use_bias is None else use_bias
    x = padded_convolution(x, 64, 7, "conv1_conv", stride=2, use_bias=use_bias)
    x = relu(batch_normalization(x, "conv1_bn", epsilon=1.001e-5), "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, (filters, depth) in enumerate(zip(FILTERS, depths), 2):
        for number in range(1, depth + 1):
            stride = 2 if stage > 2 and number == 1 else 1
            name = f"conv{stage}_block{number}"
            x = block(x, filters, name, stride=stride, use_bias=use_bias)
    return x


def _architecture(name, block, depths, *, biased, preprocessing):
    return Architecture(
        name=name,
        body=functools.partial(residual_body, block, depths, biased),
        preprocessing=preprocessing,
        paper="He et al. 2016, arXiv:1512.03385, Table 1",
        weights=WEIGHTS.get(name),
    )


ARCHITECTURES = {
    name: _architecture(name, _basic, depths, biased=False, preprocessing="torch")
    for name, depths in BASIC.items()
} | {
    name: _architecture(name, bottleneck, depths, biased=True, preprocessing="caffe")
    for name, depths in BOTTLENECK.items()
}
