"""MobileNet V2: inverted residuals, whose shortcut joins the narrow ends, with linear projection.

Table 2 of the paper, for 224 x 224. Each line is a sequence of n layers with the same number c of
channels; the first has stride s, the others 1; t is the factor by which a layer widens its input.

==============  ===========  ====  =====  ===  ===
input           operator     t     c      n    s
==============  ===========  ====  =====  ===  ===
224 x 224 x 3   conv2d       --    32     1    2
112 x 112 x 32  bottleneck   1     16     1    1
112 x 112 x 16  bottleneck   6     24     2    2
56 x 56 x 24    bottleneck   6     32     3    2
28 x 28 x 32    bottleneck   6     64     4    2
14 x 14 x 64    bottleneck   6     96     3    1
14 x 14 x 96    bottleneck   6     160    3    2
7 x 7 x 160     bottleneck   6     320    1    1
7 x 7 x 320     conv2d 1x1   --    1280   1    1
7 x 7 x 1280    avgpool 7x7  --    --     1    --
1 x 1 x 1280    conv2d 1x1   --    k      --   --
==============  ===========  ====  =====  ===  ===

``options={"alpha": 0.5}`` multiplies the channels, rounded to multiples of 8; the last convolution
keeps its 1280 below alpha = 1.

References
----------
M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
arXiv:1801.04381.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import (
    batch_normalization,
    convolution,
    depthwise_convolution,
    halving_zeros,
    round_channels,
)
from vision.checks import check_number

# t, c, n, s of the bottlenecks.
BOTTLENECKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST = 1280


def _body(x, *, alpha=1.0):
    check_number("alpha", alpha, owner="mobilenet_v2", above=0)
    x = convolution(x, round_channels(32 * alpha), 3, "Conv1", stride=2, use_bias=False)
    x = _normalized(x, "bn_Conv1", "Conv1_relu")
    number = 0
    for expansion, channels, repeats, first_stride in BOTTLENECKS:
        for repeat in range(repeats):
            stride = 1 if repeat else first_stride
            width = round_channels(int(channels * alpha))
            x = _bottleneck(x, width, expansion, stride, number)
            number += 1
    last = round_channels(LAST * max(1.0, alpha))
    x = convolution(x, last, 1, "Conv_1", use_bias=False)
    return _normalized(x, "Conv_1_bn", "out_relu")


def _bottleneck(x, channels, expansion, stride, number):
    name = f"block_{number}" if number else "expanded_conv"
    inputs = x
    if expansion > 1:
        x = convolution(x, expansion * x.shape[-1], 1, f"{name}_expand", use_bias=False)
        x = _normalized(x, f"{name}_expand_BN", f"{name}_expand_relu")
    if stride == 2:
        x = halving_zeros(x, 3, f"{name}_pad")
    padding = "same" if stride == 1 else "valid"
    x = depthwise_convolution(x, 3, f"{name}_depthwise", stride=stride, padding=padding)
    x = _normalized(x, f"{name}_depthwise_BN", f"{name}_depthwise_relu")
    x = convolution(x, channels, 1, f"{name}_project", use_bias=False)
    x = batch_normalization(x, f"{name}_project_BN", momentum=0.999)
    if stride == 1 and inputs.shape[-1] == channels:
        x = layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _normalized(x, name, relu):
    x = batch_normalization(x, name, momentum=0.999)
    return layers.ReLU(6.0, name=relu)(x)


ARCHITECTURES = {
    "mobilenet_v2": Architecture(
        name="mobilenet_v2",
        body=_body,
        preprocessing="tf",
        paper="Sandler et al. 2018, MobileNetV2, arXiv:1801.04381",
        weights="MobileNetV2",
    )
}
