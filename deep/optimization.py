"""How a network learns: optimizers, learning rates over time, penalties on weights."""

import keras

SCHEDULES = ("constant", "cosine", "exponential", "steps", "warmup_cosine")
OPTIMIZERS = {"sgd": 0.01, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001}
_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def make_optimizer(name, learning_rate, schedule, *, momentum, steps):
    """An optimizer whose learning rate follows a schedule.

    Parameters
    ----------
    name : {"sgd", "adam", "adamw", "rmsprop"}
        "sgd" is gradient descent with Nesterov's momentum.
    learning_rate : float or None
        The highest; None takes Keras' default for the optimizer.
    schedule : str
        One of `SCHEDULES`, see `make_schedule`.
    momentum : float
        Of "sgd" and "rmsprop", from 0 to below 1.
    steps : int
        Batches of the whole training.

    Returns
    -------
    keras.optimizers.Optimizer

    Examples
    --------
    >>> make_optimizer("sgd", 0.1, "constant", momentum=0.9, steps=10).momentum
    0.9
    """
    rate = make_schedule(schedule, learning_rate or OPTIMIZERS[name], steps)
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=momentum, nesterov=momentum > 0)
    if name == "rmsprop":
        return keras.optimizers.RMSprop(rate, momentum=momentum)
    return {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}[name](rate)


def make_schedule(schedule, rate, steps):
    """The learning rate over time.

    Parameters
    ----------
    schedule : str
        "constant"; "cosine", half a wave down to 0; "exponential", down to a hundredth;
        "steps", a tenth after half of the training and a hundredth after three quarters;
        "warmup_cosine", up from 0 in the first twentieth, then as "cosine".
    rate : float
        The highest.
    steps : int
        Batches of the whole training.

    Returns
    -------
    float or keras.optimizers.schedules.LearningRateSchedule

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017,
    arXiv:1608.03983; P. Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677 (warm-up).

    Examples
    --------
    >>> rates = make_schedule("steps", 0.1, 100)
    >>> [round(float(rates(step)), 4) for step in (0, 50, 51, 75, 76)]
    [0.1, 0.1, 0.01, 0.01, 0.001]
    """
    schedules = keras.optimizers.schedules
    if schedule == "cosine":
        return schedules.CosineDecay(rate, steps)
    if schedule == "exponential":
        return schedules.ExponentialDecay(rate, steps, 0.01)
    if schedule == "steps":
        ends = [steps // 2, steps * 3 // 4]
        return schedules.PiecewiseConstantDecay(ends, [rate, rate / 10, rate / 100])
    if schedule == "warmup_cosine":
        warmup = max(1, steps // 20)
        return schedules.CosineDecay(
            0.0, max(1, steps - warmup), warmup_target=rate, warmup_steps=warmup
        )
    return rate


def penalize(model, l1, l2):
    """Add a penalty on the kernels of a model to its loss: L1, L2, or both, the elastic net.

    Biases and normalisation have none. Layers that bring a regularizer of their own keep it.

    Parameters
    ----------
    model : keras.Model
        Changed in place.
    l1, l2 : float
        What the sum of absolute values, and of squares, counts.

    Examples
    --------
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    >>> model.set_weights([np.array([[3.0], [-4.0]])])
    >>> penalize(model, 0.1, 0.01)
    >>> round(float(model.losses[0]), 4)
    0.95
    """
    if not (l1 or l2):
        return
    for variable in model.trainable_variables:
        if variable.path.split("/")[-1] in _KERNELS and variable.regularizer is None:
            variable.regularizer = keras.regularizers.L1L2(l1, l2)
