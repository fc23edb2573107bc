"""Networks without convolutions: logistic regression and the multilayer perceptron.

=====================  ======================  ==========
layer                  logistic_regression     multilayer_perceptron
=====================  ======================  ==========
flatten                H W C                   H W C
hidden, rectifier      --                      512
hidden, rectifier      --                      128
output                 classes                 classes
=====================  ======================  ==========

For 224 x 224 RGB and one output, the perceptron has 77,136,641 parameters: the course's case for
convolutions.

References
----------
D. R. Cox, "The Regression Analysis of Binary Sequences", JRSS B 20(2), 1958,
doi:10.1111/j.2517-6161.1958.tb00292.x.
D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating
errors", Nature 323, 1986, doi:10.1038/323533a0.
"""

from keras import layers

from deep.architectures.registry import Architecture
from deep.blocks import dropped, predictions

UNITS = (512, 128)


def _flat(x):
    return layers.Flatten(name="flatten")(x)


def _hidden(x, *, units=UNITS, dropout=0.0):
    x = _flat(x)
    for number, neurons in enumerate(units, 1):
        x = layers.Dense(
            neurons, activation="relu", kernel_initializer="he_normal", name=f"hidden{number}"
        )(x)
        x = dropped(x, dropout, f"dropout{number}")
    return x


ARCHITECTURES = {
    "logistic_regression": Architecture(
        name="logistic_regression",
        body=_flat,
        head=predictions,
        paper="Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x",
    ),
    "multilayer_perceptron": Architecture(
        name="multilayer_perceptron",
        body=_hidden,
        head=predictions,
        paper="Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0",
    ),
}
