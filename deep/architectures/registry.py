"""What is known of a network besides its layers: the record that each module fills in."""

import dataclasses
from collections.abc import Callable

from deep.blocks import pooled_head


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network as its paper describes it.

    The keyword-only parameters of `body` and `head` are what users may set in the ``options`` of
    `deep.build`; one that both have goes to both. Settings that make a family's sizes are bound
    in front: ``functools.partial(_body, depths)``.

    Parameters
    ----------
    name : str
        Under which `deep.build` finds it; it becomes the model's name.
    body : callable
        ``body(x, *, ...)``: from the input tensor to the last feature map. A list instead of one
        tensor is for heads that look at inner maps too, the last feature map first.
    head : callable
        ``head(x, classes, activation, *, ...)``: from what the body gives to the scores. By
        default global average pooling and one dense layer named ``predictions``.
    input_shape : tuple of int
        Height, width and channels of the paper; `deep.build` takes any other that fits.
    preprocessing : str
        What pixels of 0-255 become first: ``"scale"`` 0..1, ``"tf"`` -1..1, ``"torch"`` 0..1
        less ImageNet's mean and over its deviation, ``"caffe"`` BGR less ImageNet's mean,
        ``"none"`` for a network that normalises by itself.
    paper : str
        Authors, title, year, DOI or arXiv number.
    weights : str or None
        The function of `keras.applications` with the same weights in the same order.

    Examples
    --------
    >>> from deep.architectures import find
    >>> find("lenet5").input_shape
    (32, 32, 1)
    """

    name: str
    body: Callable
    head: Callable = pooled_head
    input_shape: tuple = (224, 224, 3)
    preprocessing: str = "scale"
    paper: str = ""
    weights: str | None = None
