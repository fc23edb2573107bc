"""GoogLeNet, the first Inception network: the paper's Table 1.

======  ============  =====  ===========  =====  ===========  =====  =========
module  output        1x1    3x3 reduce   3x3    5x5 reduce   5x5    pool proj
======  ============  =====  ===========  =====  ===========  =====  =========
3a      28x28x256     64     96           128    16           32     32
3b      28x28x480     128    128          192    32           96     64
4a      14x14x512     192    96           208    16           48     64
4b      14x14x512     160    112          224    24           64     64
4c      14x14x512     128    128          256    24           64     64
4d      14x14x528     112    144          288    32           64     64
4e      14x14x832     256    160          320    32           128    128
5a      7x7x832       256    160          320    32           128    128
5b      7x7x1024      384    192          384    48           128    128
======  ============  =====  ===========  =====  ===========  =====  =========

In front 7x7 convolution of 64 with stride 2, pool, normalisation, 1x1 of 64, 3x3 of 192,
normalisation, pool; 3x3 max pools with stride 2 also after 3b and 4e; average pool, dropout of
40%, dense. The naive module (Figure 2a, ``options={"module": "naive"}``) has no 1x1 convolutions
in front of the large ones nor behind the pool.

Parameters 6,998,552; 13,378,280 with both auxiliary classifiers (``options={"auxiliary": True}``:
the model then has three outputs, ``predictions``, ``auxiliary1``, ``auxiliary2``, whose losses
the paper weighs 1, 0.3, 0.3).

References
----------
C. Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, arXiv:1409.4842.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import dropped, local_response_normalization, padded_convolution, predictions
from vision.checks import check_choice

FILTERS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLED = {"3b": "pool3", "4e": "pool4"}
# Where the auxiliary classifiers look; their sizes are in section 5 of the paper.
AUXILIARY = ("4a", "4d")


def _convolution(x, filters, size, name):
    return layers.Conv2D(
        filters,
        size,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _pool(x, name, stride=2):
    return layers.MaxPooling2D(3, strides=stride, padding="same", name=name)(x)


def _reduced(x, name, filters):
    """Figure 2b: 1x1 convolutions in front of the large ones and behind the pool."""
    one, three_reduce, three, five_reduce, five, pool = filters
    branches = [
        _convolution(x, one, 1, f"{name}_1x1"),
        _convolution(
            _convolution(x, three_reduce, 1, f"{name}_3x3_reduce"), three, 3, f"{name}_3x3"
        ),
        _convolution(_convolution(x, five_reduce, 1, f"{name}_5x5_reduce"), five, 5, f"{name}_5x5"),
        _convolution(_pool(x, f"{name}_pool", 1), pool, 1, f"{name}_pool_proj"),
    ]
    return layers.Concatenate(name=f"{name}_output")(branches)


def _naive(x, name, filters):
    """Figure 2a."""
    one, _, three, _, five, _ = filters
    branches = [
        _convolution(x, one, 1, f"{name}_1x1"),
        _convolution(x, three, 3, f"{name}_3x3"),
        _convolution(x, five, 5, f"{name}_5x5"),
        _pool(x, f"{name}_pool", 1),
    ]
    return layers.Concatenate(name=f"{name}_output")(branches)


MODULES = {"reduced": _reduced, "naive": _naive}


def _stem(x):
    x = padded_convolution(x, 64, 7, "conv1", stride=2)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = local_response_normalization(_pool(x, "pool1"))
    x = _convolution(x, 64, 1, "conv2_reduce")
    x = local_response_normalization(_convolution(x, 192, 3, "conv2"))
    return _pool(x, "pool2")


def _body(x, *, module="reduced", auxiliary=False):
    check_choice("module", module, tuple(MODULES), owner="googlenet")
    x, inner = _stem(x), []
    for name, filters in FILTERS.items():
        x = MODULES[module](x, f"inception_{name}", filters)
        if name in AUXILIARY:
            inner.append(x)
        if name in POOLED:
            x = _pool(x, POOLED[name])
    return [x, *inner] if auxiliary else x


def _auxiliary_head(x, classes, activation, name):
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)
    x = _convolution(x, 128, 1, f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    return predictions(dropped(x, 0.7, f"{name}_dropout"), classes, activation, name)


def _head(x, classes, activation, *, dropout=0.4, auxiliary=False):
    x, inner = (x[0], x[1:]) if auxiliary else (x, ())
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = [predictions(dropped(x, dropout), classes, activation)]
    for number, maps in enumerate(inner, 1):
        outputs.append(_auxiliary_head(maps, classes, activation, f"auxiliary{number}"))
    return outputs if auxiliary else outputs[0]


ARCHITECTURES = {
    "googlenet": Architecture(
        name="googlenet",
        body=_body,
        head=_head,
        preprocessing="tf",
        paper="Szegedy et al. 2015, arXiv:1409.4842, Table 1",
    )
}
