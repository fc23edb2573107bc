"""The precision that layers are made in, for a while."""

import contextlib

import keras


@contextlib.contextmanager
def policy(name):
    """Within it, Keras makes layers of this policy; afterwards of the one before.

    Parameters
    ----------
    name : str
        A policy of `keras.dtype_policies`, such as ``"mixed_bfloat16"``.

    Examples
    --------
    >>> with policy("mixed_bfloat16"):
    ...     keras.layers.Dense(1).compute_dtype
    'bfloat16'
    >>> keras.layers.Dense(1).compute_dtype
    'float32'
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
