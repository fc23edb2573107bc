"""How steps are put together: `chain`, the operators, and the count of edits behind the checks."""

import itertools

import numpy as np

from vision.errors import KindError


class Edits:
    """Counts every change of any step's parameters, so that a chain knows when to check again."""

    count = 0
    _following = itertools.count(1).__next__

    @classmethod
    def bump(cls):
        """Note a change."""
        cls.count = cls._following()


class Composable:
    """The operators of everything that can stand in a chain.

    ``a >> b`` chains; ``a & b``, ``a | b``, ``a ^ b`` and ``~a`` join masks, either side a step, a
    pipeline or a fixed mask. Python binds ``>>`` tighter than ``&``, ``^`` and ``|``, so a branch
    inside a longer chain stands in parentheses: ``a >> (b | c) >> d``.
    """

    __array_ufunc__ = None  # NumPy leaves `array | step` to us

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if not name.startswith("_"):
            self.__dict__.pop("_ready", None)
            Edits.bump()

    def __rshift__(self, other):
        return chain(self, other)

    def __rrshift__(self, other):
        return chain(other, self)

    def __and__(self, other):
        return _joined("And", self, other)

    def __rand__(self, other):
        return _joined("And", other, self)

    def __or__(self, other):
        return _joined("Or", self, other)

    def __ror__(self, other):
        return _joined("Or", other, self)

    def __xor__(self, other):
        return _joined("Xor", self, other)

    def __rxor__(self, other):
        return _joined("Xor", other, self)

    def __bool__(self):
        raise TypeError(
            f"{type(self).__name__} has no truth value. Masks join by &, | and ~ instead of "
            "'and', 'or' and 'not'; compare with None by 'is None'."
        )

    def __invert__(self):
        from vision.bitwise import Not

        return chain(self, Not())

    def _repr_html_(self):
        from vision.trace import describe_html

        return describe_html(self)

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def _joined(operation, left, right):
    from vision import bitwise

    joiner = getattr(bitwise, operation)
    pairs = []
    for side in (left, right):
        if isinstance(side, type) or (callable(side) and not hasattr(side, "get_params")):
            check_part(side)
        inside = side._items if type(side) is joiner else [(class_name(side), side)]
        for name, part in inside:
            pairs.append((free_name(name, part, [taken for taken, _ in pairs]), part))
    made = joiner(pairs)
    made.check_kinds()
    return made


def chain(*steps):
    """Put steps one after another, ours and scikit-learn's.

    Parameters
    ----------
    *steps : Step, Pipeline, or scikit-learn transformer or estimator
        In the order of their work. Pipelines among them are flattened; nothing is copied.

    Returns
    -------
    Pipeline

    Raises
    ------
    KindError
        If a step cannot take what the one before it gives; the message suggests a repair.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> [name for name, _ in chain(StandardScaler(), SVC()).steps]
    ['standardscaler', 'svc']
    """
    from vision.pipeline import Pipeline

    flat, names = [], []
    for step in steps:
        inside = step.steps if type(step) is Pipeline and step.memory is None else None
        for name, part in inside or [(class_name(step), step)]:
            names.append(free_name(name, part, names))
            flat.append(part)
    return Pipeline(list(zip(names, flat, strict=True)))


def class_name(step):
    """The name that a step has in a pipeline: its class in lower case.

    Examples
    --------
    >>> class_name(np.zeros((2, 2), np.uint8))
    'mask'
    """
    if isinstance(step, np.ndarray):
        return "mask"
    return step if isinstance(step, str) else type(step).__name__.lower()


def free_name(name, step, taken):
    """`name`, or the class name with the first number from 2 on that is not taken."""
    if name not in taken:
        return name
    numbered = (f"{class_name(step)}_{number}" for number in itertools.count(2))
    return next(candidate for candidate in numbered if candidate not in taken)


def check_part(part):
    """Refuse what cannot stand in a chain, and say how it could.

    Raises
    ------
    KindError
        If it is no step, estimator, None or ``"passthrough"``.
    """
    if part is None or part == "passthrough" if isinstance(part, str | None) else _works(part):
        return
    if isinstance(part, type):
        said = f"the class {part.__name__}. Write {part.__name__}(), with its parameters"
    elif isinstance(part, np.ndarray):
        said = (
            f"an array of shape {part.shape}. One image is given to the finished pipeline, "
            "pipeline(image); a fixed mask joins by &, | and ^"
        )
    elif callable(part):
        name = getattr(part, "__name__", repr(part))
        said = (
            f"the function {name}. Write a Step with {name} as its apply, or wrap it: "
            "sklearn.preprocessing.FunctionTransformer gets the list of images"
        )
    else:
        said = f"{part!r}"
    raise KindError(f"A chain is made of steps and estimators. Got {said}.")


def _works(part):
    return not isinstance(part, type) and hasattr(part, "fit") and hasattr(part, "get_params")
