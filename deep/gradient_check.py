"""Are the gradients of a network right? Analytic ones against differences of the loss."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from vision.checks import check_integer, check_number, check_random_state
from vision.errors import ParameterError


@dataclasses.dataclass(frozen=True)
class GradientCheck:
    """Gradients by backpropagation beside those by central differences.

    Parameters
    ----------
    names : list of str
        The variable of each number, with its index.
    analytic, numeric : ndarray of float64
        The two gradients.
    """

    names: list
    analytic: np.ndarray
    numeric: np.ndarray

    @property
    def errors(self):
        """The relative error of each: the difference over the sum of both sizes."""
        size = np.abs(self.analytic) + np.abs(self.numeric)
        difference = np.abs(self.analytic - self.numeric)
        return np.divide(difference, size, out=np.zeros_like(size), where=size > 1e-12)

    @property
    def worst(self):
        """The largest relative error."""
        return float(self.errors.max())

    def __repr__(self):
        place = int(self.errors.argmax())
        return (
            f"GradientCheck({len(self.names)} weights, worst relative error {self.worst:.1e} "
            f"at {self.names[place]})"
        )


def check_gradients(model, images, targets, loss, *, weights=200, step=1e-5, random_state=0):
    """Compare the gradients of a loss with differences, in double precision.

    The model is copied in float64 and works as in prediction: dropout is off, and normalisation
    takes the mean and variance that it knows. A relative error below 1e-6 is right; above 1e-3
    something is wrong, unless the loss has a kink there (ReLU at 0).

    Parameters
    ----------
    model : keras.Model
        Not changed.
    images, targets : ndarray
        A few examples, as the model and the loss take them.
    loss : callable
        ``loss(targets, outputs)``, such as a `keras.losses.Loss`.
    weights : int, default=200
        How many weights are checked, drawn at random from all that are trainable.
    step : float, default=1e-5
        Half the distance of the two losses.
    random_state : int, default=0
        Seed of the draw, 0 to 2**32 - 1.

    Returns
    -------
    GradientCheck

    Raises
    ------
    ParameterError
        If a number makes no sense, or the model has nothing to train.

    References
    ----------
    Y. Bengio, "Practical recommendations for gradient-based training of deep architectures",
    arXiv:1206.5533, section 4.2.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("lenet5", (32, 32, 1), 3, random_state=0)
    >>> images = np.random.default_rng(0).random((4, 32, 32, 1))
    >>> found = check_gradients(model, images, np.eye(3)[[0, 1, 2, 0]],
    ...                         keras.losses.CategoricalCrossentropy(), weights=20)
    >>> found.worst < 1e-6
    True
    """
    check_integer("weights", weights, owner="check_gradients", at_least=1)
    check_number("step", step, owner="check_gradients", above=0)
    check_random_state("random_state", random_state, owner="check_gradients")
    if not model.trainable_variables:
        raise ParameterError("check_gradients needs a model with trainable weights. Got none.")
    precise = _in_double(model)
    if isinstance(loss, keras.losses.Loss):
        loss = type(loss).from_config({**loss.get_config(), "dtype": "float64"})
    images, targets = np.asarray(images, np.float64), np.asarray(targets, np.float64)

    @tf.function
    def value():
        outputs = precise(images, training=False)
        return tf.reduce_mean(tf.cast(loss(targets, outputs), tf.float64))

    variables = [variable.value for variable in precise.trainable_variables]
    with tf.GradientTape() as tape:
        result = value()
    analytic = [
        np.zeros(v.shape) if gradient is None else tf.convert_to_tensor(gradient).numpy()
        for v, gradient in zip(variables, tape.gradient(result, variables))
    ]
    chosen = _drawn(variables, weights, random_state)
    numeric = [_difference(variables[at], index, value, step) for at, index in chosen]
    names = [
        f"{precise.trainable_variables[at].path}{list(map(int, index))}" for at, index in chosen
    ]
    exact = np.array([analytic[at][index] for at, index in chosen])
    return GradientCheck(names, exact, np.array(numeric))


def _in_double(model):
    """A copy of the model in float64."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        copy = type(model).from_config(_doubled(model.get_config()))
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])
    copy.set_weights([np.asarray(value, np.float64) for value in model.get_weights()])
    return copy


def _doubled(node):
    """The configuration with every policy and input of precision float64."""
    if isinstance(node, list | tuple):
        return type(node)(map(_doubled, node))
    if not isinstance(node, dict):
        return node
    if node.get("class_name") == "DTypePolicy":
        return {**node, "config": {"name": "float64"}}
    return {
        key: "float64" if key == "dtype" and isinstance(value, str) else _doubled(value)
        for key, value in node.items()
    }


def _drawn(variables, count, random_state):
    """The places of weights, drawn from all: the variable and the index in it."""
    sizes = np.array([int(np.prod(variable.shape)) for variable in variables])
    generator = np.random.default_rng(random_state)
    ends = np.cumsum(sizes)
    flat = generator.choice(ends[-1], min(count, int(ends[-1])), replace=False)
    at = np.searchsorted(ends, flat, side="right")
    return [
        (int(which), np.unravel_index(int(place - ends[which] + sizes[which]), shape))
        for which, place in zip(at, flat)
        for shape in [tuple(variables[which].shape)]
    ]


def _difference(variable, index, value, step):
    kept = variable.numpy()
    losses = []
    for sign in (1, -1):
        moved = kept.copy()
        moved[index] += sign * step
        variable.assign(moved)
        losses.append(float(value()))
    variable.assign(kept)
    return (losses[0] - losses[1]) / (2 * step)
