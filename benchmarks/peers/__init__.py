"""For each step of the catalogue the call that does the same elsewhere, one topic a file."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One row of ``benchmarks/steps.py``: a step beside the best call that gives the same.

    Parameters
    ----------
    step : object
        An instance with the parameters that are compared.
    call : callable or None
        ``call(image)`` gives the same result with cv2, scikit-image, SciPy or scikit-learn, one
        thread, whatever can be built once being built outside; None where nobody has it.
    name : str
        What is called, as a reader knows it: ``"cv2.GaussianBlur"``.
    takes : str
        The kind of the input: ``"rgb"``, ``"gray"``, ``"hsv"``, ``"mask"``, ``"float"``, ...
    tolerance : float
        The largest difference between the two results that is allowed, in their own units; 0 for
        bit for bit.
    prepare : callable or None
        Makes the input of both from the benchmark's RGB photograph where `takes` is not enough.
    compare : callable or None
        ``compare(ours, theirs)`` gives the measured difference, a float, where the two are not
        arrays of one shape.
    learn : callable or None
        ``learn(step)`` fits the step where it must learn first, which is not timed.
    note : str
        Where the two differ, and why.
    """

    step: object
    call: Callable | None
    name: str
    takes: str
    tolerance: float = 0.0
    prepare: Callable | None = None
    compare: Callable | None = None
    learn: Callable | None = None
    note: str = ""
