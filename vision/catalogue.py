"""The catalogue: every name that a pipeline file may use, readable without importing any of it.

Names resolve on use, so that listing them loads neither scikit-learn nor TensorFlow.
"""

import importlib
import importlib.resources

from vision.errors import UnknownNameError
from vision.nearest import did_you_mean

# Where each step and pipeline class lives; `vision steps` lists them in this order.
STEPS = {
    "Gray": "classical.colour",
    "ToRGB": "classical.colour",
    "ToHSV": "classical.colour",
    "HSVToRGB": "classical.colour",
    "ToLab": "classical.colour",
    "LabToRGB": "classical.colour",
    "ToUint8": "classical.intensity",
    "ToFloat": "classical.intensity",
    "Normalize": "classical.intensity",
    "Resize": "classical.geometry",
    "Crop": "classical.geometry",
    "Pad": "classical.geometry",
    "Rotate": "classical.geometry",
    "GaussianBlur": "classical.filters",
    "MedianBlur": "classical.filters",
    "Otsu": "classical.threshold",
    "InRange": "classical.threshold",
    "Threshold": "classical.threshold",
    "AdaptiveThreshold": "classical.threshold",
    "Erosion": "classical.morphology",
    "Dilation": "classical.morphology",
    "Opening": "classical.morphology",
    "Closing": "classical.morphology",
    "ApplyMask": "classical.bitwise",
    "Canny": "classical.edges",
    "Sobel": "classical.edges",
    "LoG": "classical.edges",
    "FindContours": "classical.contours",
    "HoughLines": "classical.lines",
    "HoughSegments": "classical.lines",
    "KMeansSegmenter": "classical.segmentation",
    "RawPixels": "classical.features",
    "ColorHistogram": "classical.features",
    "Not": "vision.bitwise",
    "And": "vision.bitwise",
    "Or": "vision.bitwise",
    "Xor": "vision.bitwise",
    "Branches": "vision.branches",
    "Pick": "vision.branches",
    "ForEach": "vision.foreach",
    "Pipeline": "vision.pipeline",
}


def names():
    """The names of all steps of the toolkit, in order of topic.

    Examples
    --------
    >>> "Canny" in names()
    True
    """
    return [name for name in STEPS if name != "Pipeline"]


def resolve(name):
    """The class behind a name: one of ours, or one of scikit-learn's public estimators.

    Parameters
    ----------
    name : str
        A class name such as ``"Canny"`` or ``"SVC"``.

    Returns
    -------
    type

    Raises
    ------
    UnknownNameError
        If the catalogue does not hold it; the message suggests the nearest name.

    Examples
    --------
    >>> resolve("SVC")
    <class 'sklearn.svm._classes.SVC'>
    >>> resolve("Cany")
    Traceback (most recent call last):
    ...
    vision.errors.UnknownNameError: There is no step named 'Cany'. Did you mean 'Canny'?
    """
    from vision.sklearn_names import SKLEARN

    module = STEPS.get(name) or SKLEARN.get(name)
    if module is None:
        hint = did_you_mean(name, [*STEPS, *SKLEARN])
        hint = hint or "'vision steps' lists the names."
        raise UnknownNameError(f"There is no step named {name!r}. {hint}")
    return getattr(importlib.import_module(module), name)


def make(name):
    """A working instance of a step, with its defaults or the catalogue's example parameters.

    Examples
    --------
    >>> make("Resize")
    Resize(size=64)
    """
    cls = resolve(name)
    return cls.make_example() if hasattr(cls, "make_example") else cls(**cls.example)


def name_of(cls):
    """The catalogue's name of a class, or None if it is not in it.

    Examples
    --------
    >>> from classical import Canny
    >>> name_of(Canny), name_of(int)
    ('Canny', None)
    """
    from vision.sklearn_names import SKLEARN

    name = cls.__name__
    known = name in STEPS or name in SKLEARN
    return name if known and resolve(name) is cls else None
