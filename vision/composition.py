"""How steps are put together: `chain`, the operators, and the count of edits behind the checks."""

import itertools

import numpy as np


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
    parts = []
    for side in (left, right):
        parts += [part for _, part in side.branches] if type(side) is joiner else [side]
    made = joiner(named(parts))
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


def named(parts):
    """Pairs of names and parts, as `Pipeline`, `Branches` and the mask operations take them."""
    pairs = []
    for part in parts:
        name = free_name(class_name(part), part, [taken for taken, _ in pairs])
        pairs.append((name, part))
    return pairs
