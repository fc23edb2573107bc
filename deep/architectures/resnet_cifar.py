"""The residual networks for 32 x 32 pictures: section 4.2 of the paper.

===========  ============  ============  ============
output map   32 x 32       16 x 16       8 x 8
===========  ============  ============  ============
convolutions 1 + 2n        2n            2n
filters      16            32            64
===========  ============  ============  ============

6n + 2 layers: n = 3, 5, 7, 9, 18 for 20, 32, 44, 56, 110. Where the map halves, the shortcut is
parameter-free (option A, the paper's choice here: every second pixel, new channels zero) or a
1x1 convolution (``options={"shortcut": "B"}``).

Trainable parameters, option A: 269,722 / 464,154 / 658,586 / 853,018 / 1,727,962; option B 2,752
more.

References
----------
K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
arXiv:1512.03385.
"""

import functools

from keras import layers, ops

from deep.architectures.registry import Architecture
from deep.blocks import batch_normalization, convolution, padded_convolution, relu
from vision.checks import check_choice

FILTERS = (16, 32, 64)
BLOCKS = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9, "resnet110": 18}


def _normalized(x, filters, size, name, *, stride=1):
    # Keras' "same" pads on one side where the stride is 2: half a pixel off the shortcut.
    convolve = padded_convolution if stride > 1 and size > 1 else convolution
    x = convolve(x, filters, size, f"{name}_conv", stride=stride, use_bias=False)
    return batch_normalization(x, f"{name}_bn", epsilon=1e-5, momentum=0.9)


def _zero_padded(x, filters):
    """Option A: every second pixel, and zeros for the channels that are new."""
    missing = filters - x.shape[-1]
    around = (missing // 2, missing - missing // 2)
    return ops.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), around))


def _block(x, filters, name, *, stride, option):
    shortcut = x
    if stride > 1:
        if option == "A":
            shortcut = _zero_padded(x, filters)
        else:
            shortcut = _normalized(x, filters, 1, f"{name}_0", stride=stride)
    x = relu(_normalized(x, filters, 3, f"{name}_1", stride=stride), f"{name}_1_relu")
    x = _normalized(x, filters, 3, f"{name}_2")
    return relu(layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _body(blocks, x, *, shortcut="A"):
    check_choice("shortcut", shortcut, ("A", "B"), owner="the CIFAR ResNet")
    x = relu(_normalized(x, FILTERS[0], 3, "conv1"), "conv1_relu")
    for stage, filters in enumerate(FILTERS, 2):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 2 and block == 1 else 1
            name = f"conv{stage}_block{block}"
            x = _block(x, filters, name, stride=stride, option=shortcut)
    return x


ARCHITECTURES = {
    name: Architecture(
        name=name,
        body=functools.partial(_body, blocks),
        input_shape=(32, 32, 3),
        preprocessing="torch",
        paper="He et al. 2016, arXiv:1512.03385, section 4.2",
    )
    for name, blocks in BLOCKS.items()
}
