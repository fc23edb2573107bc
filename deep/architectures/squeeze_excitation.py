"""SE-ResNet-50: a residual network whose blocks weigh their channels before the sum.

Table 1 of the paper, middle column, for 224 x 224; fc gives the neurons of the two dense layers of
squeeze and excitation after each block:

======  =========  =====================================================
stage   output     layers
======  =========  =====================================================
conv1   112 x 112  7 x 7, 64, stride 2
conv2   56 x 56    3 x 3 max pool, stride 2
conv2   56 x 56    3 x (1 x 1, 64; 3 x 3, 64; 1 x 1, 256; fc 16, 256)
conv3   28 x 28    4 x (1 x 1, 128; 3 x 3, 128; 1 x 1, 512; fc 32, 512)
conv4   14 x 14    6 x (1 x 1, 256; 3 x 3, 256; 1 x 1, 1024; fc 64, 1024)
conv5   7 x 7      3 x (1 x 1, 512; 3 x 3, 512; 1 x 1, 2048; fc 128, 2048)
head    1 x 1      global average pool, 1000, softmax
======  =========  =====================================================

28,088,024 trainable parameters with 1000 classes: 2,530,992 more than ResNet-50 without
convolution biases. ``options={"ratio": 8}`` sets the reduction ratio r.

References
----------
J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", CVPR 2018, arXiv:1709.01507.
"""

import functools

from deep.architectures.registry import Architecture
from deep.architectures.resnet import BOTTLENECK, bottleneck, residual_body
from deep.blocks import squeeze_excitation
from vision.checks import check_integer


def _body(x, *, ratio=16):
    check_integer("ratio", ratio, owner="se_resnet50", at_least=1)
    block = functools.partial(bottleneck, attention=functools.partial(_attention, ratio))
    return residual_body(block, BOTTLENECK["resnet50"], False, x)


def _attention(ratio, x, name):
    return squeeze_excitation(x, max(1, x.shape[-1] // ratio), name)


ARCHITECTURES = {
    "se_resnet50": Architecture(
        name="se_resnet50",
        body=_body,
        preprocessing="torch",
        paper="Hu, Shen & Sun 2018, Squeeze-and-Excitation Networks, arXiv:1709.01507",
    )
}
