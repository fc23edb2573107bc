"""AlexNet as the paper has it, and its later form from "One weird trick".

=====  =====================  ============  ==============
layer  alexnet                output        alexnet_owt
=====  =====================  ============  ==============
input                         227x227x3     224x224x3
conv1  96, 11x11, stride 4    55x55x96      64, padding 2
pool1  3x3, stride 2          27x27x96      27x27x64
conv2  256, 5x5, padding 2    27x27x256     192
pool2  3x3, stride 2          13x13x256     13x13x192
conv3  384, 3x3, padding 1    13x13x384     384
conv4  384, 3x3, padding 1    13x13x384     256
conv5  256, 3x3, padding 1    13x13x256     256
pool5  3x3, stride 2          6x6x256       6x6x256
dense  4096, 4096, 1000
=====  =====================  ============  ==============

`alexnet` normalises the responses of conv1 and conv2 across channels; `alexnet_owt` does not.
Parameters 62,378,344 as a single tower, 60,965,224 in Krizhevsky's two groups
(``options={"groups": 2}``: conv2, conv4 and conv5 each see half of the channels),
61,100,840 for `alexnet_owt`.

References
----------
A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, doi:10.1145/3065386.
A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014,
arXiv:1404.5997.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import flat_head, local_response_normalization
from vision.checks import check_integer

# Filters and side of the kernels of conv1 to conv5; the layers after which is pooled.
SINGLE_TOWER = {"conv1": (96, 11), "conv2": (256, 5), "conv3": (384, 3), "conv4": (384, 3)}
SINGLE_TOWER |= {"conv5": (256, 3)}
ONE_WEIRD_TRICK = {"conv1": (64, 11), "conv2": (192, 5), "conv3": (384, 3), "conv4": (256, 3)}
ONE_WEIRD_TRICK |= {"conv5": (256, 3)}
POOLED = ("conv1", "conv2", "conv5")
NORMALIZED = ("conv1", "conv2")
GROUPED = ("conv2", "conv4", "conv5")


def _convolution(x, name, filters, size, *, groups=1):
    first = name == "conv1"
    return layers.Conv2D(
        filters,
        size,
        strides=4 if first else 1,
        padding="valid" if first else "same",
        groups=groups,
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _pool(x, name):
    return layers.MaxPooling2D(3, strides=2, name=name.replace("conv", "pool"))(x)


def _body(x, *, groups=1):
    check_integer("groups", groups, owner="alexnet", at_least=1)
    for name, (filters, size) in SINGLE_TOWER.items():
        x = _convolution(x, name, filters, size, groups=groups if name in GROUPED else 1)
        x = local_response_normalization(x) if name in NORMALIZED else x
        x = _pool(x, name) if name in POOLED else x
    return x


def _one_weird_trick(x):
    x = layers.ZeroPadding2D(2, name="conv1_pad")(x)
    for name, (filters, size) in ONE_WEIRD_TRICK.items():
        x = _convolution(x, name, filters, size)
        x = _pool(x, name) if name in POOLED else x
    return x


ARCHITECTURES = {
    "alexnet": Architecture(
        name="alexnet",
        body=_body,
        head=flat_head,
        input_shape=(227, 227, 3),
        preprocessing="torch",
        paper="Krizhevsky, Sutskever & Hinton 2012, doi:10.1145/3065386",
    ),
    "alexnet_owt": Architecture(
        name="alexnet_owt",
        body=_one_weird_trick,
        head=flat_head,
        preprocessing="torch",
        paper="Krizhevsky 2014, arXiv:1404.5997",
    ),
}
