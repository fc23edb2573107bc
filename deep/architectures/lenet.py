"""LeNet-5: the paper's Table of layers (section II.B).

=====  =========================  ==========  ===========
layer  operation                  output      parameters
=====  =========================  ==========  ===========
C1     6 kernels 5x5              28x28x6     156
S2     pool 2x2                   14x14x6     --
C3     16 kernels 5x5             10x10x16    2,416
S4     pool 2x2                   5x5x16      --
C5     120 kernels 5x5            1x1x120     48,120
F6     84 neurons                 84          10,164
out    classes                    10          850
=====  =========================  ==========  ===========

61,706 parameters: C3 sees all maps of S2 (the paper's Table I leaves some out), the pools are
plain averages and the output is softmax, as every implementation has them since. On pictures
larger than 32 x 32 C5 remains a convolution and its map is flattened. 28 x 28 pictures (MNIST as
it is published) are padded to 32 x 32 by ``options={"padding": "same"}``, as the paper does.

References
----------
Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proc. IEEE 86(11), 1998, doi:10.1109/5.726791.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import predictions

FILTERS = {"C1": 6, "C3": 16, "C5": 120}
NEURONS = 84


def _convolution(x, name, activation, padding="valid"):
    return layers.Conv2D(FILTERS[name], 5, activation=activation, padding=padding, name=name)(x)


def _body(x, *, padding="valid", activation="tanh"):
    x = _convolution(x, "C1", activation, padding)
    x = layers.AveragePooling2D(2, name="S2")(x)
    x = _convolution(x, "C3", activation)
    x = layers.AveragePooling2D(2, name="S4")(x)
    return _convolution(x, "C5", activation)


def _head(x, classes, output, *, activation="tanh"):
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(NEURONS, activation=activation, name="F6")(x)
    return predictions(x, classes, output)


ARCHITECTURES = {
    "lenet5": Architecture(
        name="lenet5",
        body=_body,
        head=_head,
        input_shape=(32, 32, 1),
        preprocessing="tf",
        paper="LeCun et al. 1998, doi:10.1109/5.726791",
    )
}
