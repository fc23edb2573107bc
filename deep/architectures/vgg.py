"""The VGG networks: the paper's Table 1, configurations A, B, D and E.

=====  ==========  =====  =====  =====  =====  =======
block  output      11     13     16     19     filters
=====  ==========  =====  =====  =====  =====  =======
1      112 x 112   1      2      2      2      64
2      56 x 56     1      2      2      2      128
3      28 x 28     2      2      3      4      256
4      14 x 14     2      2      3      4      512
5      7 x 7       2      2      3      4      512
=====  ==========  =====  =====  =====  =====  =======

The columns count 3x3 convolutions, each block ends with a 2x2 max pool; then dense layers of 4096,
4096 and 1000. Parameters 132,863,336 / 133,047,848 / 138,357,544 / 143,667,240.

References
----------
K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015, arXiv:1409.1556.
"""

import functools

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import flat_head

FILTERS = (64, 128, 256, 512, 512)
DEPTHS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
CONFIGURATIONS = {"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}
WEIGHTS = {"vgg16": "VGG16", "vgg19": "VGG19"}


def _body(depths, x):
    for block, (filters, depth) in enumerate(zip(FILTERS, depths), 1):
        for number in range(1, depth + 1):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"block{block}_conv{number}",
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


ARCHITECTURES = {
    name: Architecture(
        name=name,
        body=functools.partial(_body, depths),
        head=flat_head,
        preprocessing="caffe",
        paper=f"Simonyan & Zisserman 2015, arXiv:1409.1556, configuration {CONFIGURATIONS[name]}",
        weights=WEIGHTS.get(name),
    )
    for name, depths in DEPTHS.items()
}
