"""Kinds: what a step takes and gives, and which arrays may stand for them."""

from enum import StrEnum

import numpy as np

from vision.errors import ImageError, KindError


class Kind(StrEnum):
    """What flows between two steps.

    `EDGES` is a `MASK`, and a `MASK` is a `GRAY` image, never the reverse.

    Examples
    --------
    >>> Kind.EDGES.fits({Kind.GRAY}), Kind.GRAY.fits({Kind.MASK})
    (True, False)
    """

    RGB = "rgb"
    GRAY = "gray"
    HSV = "hsv"
    LAB = "lab"
    FLOAT = "float"
    MAP = "map"
    MASK = "mask"
    EDGES = "edges"
    LABELS = "labels"
    CONTOURS = "contours"
    LINES = "lines"
    CIRCLES = "circles"
    KEYPOINTS = "keypoints"
    DETECTIONS = "detections"
    HEATMAP = "heatmap"
    FEATURES = "features"
    CLASS = "class"
    VALUE = "value"
    ANY = "any"

    def fits(self, takes):
        """Whether a step that takes the kinds `takes` accepts this one."""
        if self is Kind.ANY or Kind.ANY in takes:
            return True
        return self in takes or (self in PARENT and PARENT[self].fits(takes))

    @property
    def described(self):
        """The kind in words, with its article."""
        return DESCRIPTIONS.get(self, self.value)


class Branched(dict):
    """The kind of several named outputs: each name with its own kind."""

    def fits(self, takes):
        """Whether something that takes `takes` accepts the branches: joined features only."""
        return Kind.ANY in takes or (self.joinable and Kind.FEATURES in takes)

    @property
    def joinable(self):
        """Whether all branches give features, which a following step gets side by side."""
        return all(kind is Kind.FEATURES for kind in self.values())

    @property
    def described(self):
        """The branches in words."""
        return f"branches named {', '.join(map(repr, self))}"


SAME = "same"  # gives the kind that came
BLENDED = "blended"  # the same, but mixed pixels make a mask grey

PARENT = {Kind.EDGES: Kind.MASK, Kind.MASK: Kind.GRAY}
PIXELS = frozenset({Kind.RGB, Kind.GRAY, Kind.HSV, Kind.LAB, Kind.FLOAT, Kind.MASK, Kind.EDGES})
ARRAYS = PIXELS | {Kind.MAP, Kind.LABELS}
# These say where something is in the picture, so they are brought back to the given image.
LOCATED = frozenset(
    {
        Kind.MASK,
        Kind.EDGES,
        Kind.LABELS,
        Kind.CONTOURS,
        Kind.LINES,
        Kind.CIRCLES,
        Kind.KEYPOINTS,
        Kind.DETECTIONS,
        Kind.HEATMAP,
    }
)
DESCRIPTIONS = {
    Kind.RGB: "an rgb image",
    Kind.GRAY: "a gray image",
    Kind.HSV: "an hsv image",
    Kind.LAB: "a lab image",
    Kind.FLOAT: "a float image",
    Kind.MAP: "a map",
    Kind.MASK: "a mask",
    Kind.EDGES: "an edge mask",
    Kind.LABELS: "a label map",
    Kind.HEATMAP: "a heat map",
    Kind.CLASS: "a class",
    Kind.VALUE: "a value",
    Kind.ANY: "anything",
}
# (dtype, number of channels; 0 for two dimensions) to the kinds such an array may be
ARRAY_KINDS = {
    ("uint8", 3): (Kind.RGB, Kind.HSV, Kind.LAB),
    ("uint16", 3): (Kind.RGB,),
    ("float32", 3): (Kind.FLOAT, Kind.LAB),
    ("uint8", 0): (Kind.GRAY, Kind.MASK, Kind.EDGES),
    ("uint16", 0): (Kind.GRAY,),
    ("float32", 0): (Kind.FLOAT, Kind.MAP),
    ("int32", 0): (Kind.LABELS,),
    ("float32", 1): (Kind.FEATURES,),
    ("float64", 1): (Kind.FEATURES,),
}
CONVERSIONS = {
    "bool": "Make a mask of it: image.astype(np.uint8) * 255.",
    "float64": "A float image is float32 in [0, 1]: image.astype(np.float32); "
    "values of 0 to 255 are image.astype(np.uint8).",
    "float32": "ToUint8()(image) makes 8 bits of a float32 image in [0, 1].",
    "uint16": "ToUint8()(image) makes 8 bits of it.",
    "int64": "A label map is image.astype(np.int32), an 8-bit image image.astype(np.uint8).",
    "int32": "An int32 array is a label map; an 8-bit image is image.astype(np.uint8).",
    "uint8": "ToFloat()(image) makes a float image of it.",
}


def listed(kinds):
    """The kinds in words, joined by 'or'.

    Examples
    --------
    >>> listed([Kind.RGB, Kind.GRAY])
    'an rgb image or a gray image'
    """
    return " or ".join(kind.described for kind in kinds)


def is_binary(image):
    """Whether an 8-bit array holds only 0 and 255.

    Examples
    --------
    >>> is_binary(np.array([[0, 255]], np.uint8)), is_binary(np.array([[0, 1]], np.uint8))
    (True, False)
    """
    from vision.opencv import cv2

    return not cv2.countNonZero(cv2.inRange(image, 1, 254))


def kinds_of(value):
    """The kinds that a value may be, by its type, dtype and shape alone.

    Parameters
    ----------
    value : ndarray or result
        One image, mask, label map, row of features, or one of the typed results.

    Returns
    -------
    tuple of Kind
        Empty if nothing in the toolkit looks like it.

    Examples
    --------
    >>> kinds_of(np.zeros((4, 5), np.int32))
    (<Kind.LABELS: 'labels'>,)
    """
    if isinstance(value, np.ndarray):
        channels = value.shape[2] if value.ndim == 3 else 0 if value.ndim == 2 else value.ndim
        return ARRAY_KINDS.get((value.dtype.name, channels), ())
    kind = getattr(type(value), "kind", None)
    return (Kind(kind),) if kind in set(Kind) else ()


def check_input(value, takes, dtypes, owner):
    """Refuse what is no input of a step, and say what would be.

    Parameters
    ----------
    value : object
        What was given.
    takes : iterable of Kind
        What the step takes.
    dtypes : iterable of str
        The dtypes that its images may have.
    owner : str
        The step's name for the message.

    Raises
    ------
    KindError
        If the value is of another kind, a batch, or of a dtype that the step cannot take.
    ImageError
        If it is an image without pixels, or a float image that is not finite or leaves [0, 1].
    """
    if Kind.ANY in takes:
        return
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 4:
        raise KindError(
            f"{owner} takes one image when called. Got {_what(value)}; "
            f"for many images use transform(images)."
        )
    if isinstance(value, np.ndarray) and value.ndim >= 2:
        _check_array(value, takes, dtypes, owner)
    elif not any(kind.fits(takes) for kind in kinds_of(value)):
        raise KindError(f"{owner} takes {listed(takes)}. Got {_what(value)}.")


def _check_array(image, takes, dtypes, owner):
    kinds = [kind for kind in kinds_of(image) if kind.fits(takes)]
    if image.ndim == 3 and image.shape[2] == 4:
        raise KindError(
            f"{owner} takes {listed(takes)}. Got {_what(image)}: four channels. "
            "Drop the alpha channel: image[:, :, :3]."
        )
    allowed = set(dtypes) | ({"float32"} & _native(takes, Kind.FLOAT, Kind.MAP, Kind.LAB))
    allowed |= {"int32"} & _native(takes, Kind.LABELS)
    if not kinds or image.dtype.name not in allowed:
        hint = "" if image.dtype.name in allowed else CONVERSIONS.get(image.dtype.name, "")
        if image.dtype == np.uint8 and Kind.LAB in takes:
            hint = "ToLab()(image) gives true Lab, float32."
        if not hint and Kind.RGB in takes and image.ndim == 2:
            hint = "ToRGB()(image) makes three channels of a gray image."
        if not hint and Kind.GRAY.fits(takes) and Kind.RGB not in takes and image.ndim == 3:
            hint = f"Gray() makes it gray: Gray() >> {owner}(...)."
        raise KindError(f"{owner} takes {listed(takes)}. Got {_what(image)}. {hint}".strip())
    if image.size == 0:
        raise ImageError(f"{owner} needs at least one pixel. Got {_what(image)}.")
    if all(kind in (Kind.MASK, Kind.EDGES) for kind in kinds) and not is_binary(image):
        raise KindError(
            f"{owner} takes {listed(takes)}: 0 and 255 only. Got {_what(image)} with other "
            f"values. Threshold it first: Otsu() >> {owner}(...)."
        )
    if kinds == [Kind.FLOAT]:
        check_float(image, owner)


def _native(takes, *kinds):
    return {"float32", "int32"} if any(kind in takes for kind in kinds) else set()


def check_float(image, owner):
    """Refuse a float image that is not finite or leaves [0, 1]."""
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):
        raise ImageError(
            f"{owner} takes a float image of finite values in [0, 1]. "
            f"Got values from {low:g} to {high:g}; rescale it by name, as Normalize() does."
        )


def _what(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a value of type {type(value).__name__}"
