"""Kinds: what a step takes and gives, and which arrays may stand for them."""

import functools
import operator
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
    HLS = "hls"
    YCRCB = "ycrcb"
    CMYK = "cmyk"
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

    __hash__ = str.__hash__  # Enum's own is a call of Python, at every look into a set

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
PIXELS = frozenset(
    {
        Kind.RGB,
        Kind.GRAY,
        Kind.HSV,
        Kind.HLS,
        Kind.YCRCB,
        Kind.CMYK,
        Kind.LAB,
        Kind.FLOAT,
        Kind.MASK,
        Kind.EDGES,
    }
)
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
    Kind.HLS: "an hls image",
    Kind.YCRCB: "a ycrcb image",
    Kind.CMYK: "a cmyk image",
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
has_pixels = operator.attrgetter("size")
_AT_ONCE = 2**19  # pixels of a mask that are looked at together
# (dtype, number of channels; 0 for two dimensions, -1 for one) to the kinds such an array may be
ARRAY_KINDS = {
    ("uint8", 3): (Kind.RGB, Kind.HSV, Kind.HLS, Kind.YCRCB, Kind.LAB),
    ("uint8", 4): (Kind.CMYK,),
    ("uint16", 3): (Kind.RGB,),
    ("float32", 3): (Kind.FLOAT, Kind.LAB),
    ("uint8", 0): (Kind.GRAY, Kind.MASK, Kind.EDGES),
    ("uint16", 0): (Kind.GRAY,),
    ("float32", 0): (Kind.FLOAT, Kind.MAP),
    ("int32", 0): (Kind.LABELS,),
    ("float32", -1): (Kind.FEATURES,),
    ("float64", -1): (Kind.FEATURES,),
}


def listed(kinds):
    """The kinds in words, joined by 'or'.

    Parameters
    ----------
    kinds : iterable of Kind

    Returns
    -------
    str

    Examples
    --------
    >>> listed([Kind.RGB, Kind.GRAY])
    'an rgb image or a gray image'
    """
    return " or ".join(kind.described for kind in kinds)


def is_binary(image):
    """Whether an 8-bit array holds only 0 and 255.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
        With at least one pixel.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_binary(np.array([[0, 255]], np.uint8)), is_binary(np.array([[0, 1]], np.uint8))
    (True, False)
    """
    from vision.opencv import cv2

    # Pixels that are not 0 have the sum of so many 255 only if all are. Some rows at a time are
    # still in the cache when they are read again.
    rows = len(image) if image.size <= _AT_ONCE else max(1, _AT_ONCE // image.shape[1])
    for top in range(0, len(image), rows):
        part = image[top : top + rows]
        if cv2.norm(part, cv2.NORM_L1) != 255 * cv2.countNonZero(part):
            return False
    return True


def is_unit(image):
    """Whether a float array holds nothing but finite values in [0, 1].

    Parameters
    ----------
    image : ndarray of float32
        With at least one pixel.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_unit(np.float32([[0, 1]])), is_unit(np.float32([[0, np.nan]]))
    (True, False)
    """
    return bool(image.min() >= 0 and image.max() <= 1)


def kinds_of(value):
    """The kinds that a value may be, by its type, dtype and shape alone.

    Colour spaces of one form cannot be told apart: an RGB image given to a step that takes HSV
    passes, and only a chain, which knows what each step gives, can refuse it.

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
        channels = value.shape[2] if value.ndim == 3 else {2: 0, 1: -1}.get(value.ndim)
        return _kinds_of_array(value.dtype, channels)
    kind = getattr(type(value), "kind", None)
    return (Kind(kind),) if kind in set(Kind) else ()


@functools.lru_cache(maxsize=256)  # NumPy makes the name of a dtype anew each time
def _kinds_of_array(dtype, channels):
    # Where the bytes are in another machine's order, OpenCV computes nonsense of floats.
    return ARRAY_KINDS.get((dtype.name, channels), ()) if dtype.isnative else ()


def check_input(value, takes, dtypes, owner, of_many="transform"):
    """Refuse what is no input of a step, and say what would be.

    Parameters
    ----------
    value : object
        What was given.
    takes : tuple of Kind
        What the step takes, the usual one first.
    dtypes : iterable of str
        The dtypes that its images may have.
    owner : str
        The step's name for the message.
    of_many : str, default="transform"
        Its method for many images.

    Raises
    ------
    KindError
        If the value is of another kind, a batch, or of a dtype that the step cannot take.
    ImageError
        If it is an image without pixels, or a float image that is not finite or leaves [0, 1].
    """
    if Kind.ANY in takes:
        return
    if isinstance(value, np.ndarray) and value.ndim in (2, 3):
        _check_array(value, takes, dtypes, owner)
    elif not any(kind.fits(takes) for kind in kinds_of(value)):
        _refuse(value, takes, owner, of_many)


def _refuse(value, takes, owner, of_many):
    """Say what to do with what has not the form of an image."""
    from vision import conversions

    came, many = conversions.what_came(value), conversions.to_many(value, of_many)
    if many:
        raise KindError(f"{owner} takes one image when called. Got {came}; {many}")
    gray = Kind.GRAY.fits(takes) and Kind.RGB not in takes
    way_out = conversions.to_array(value, gray=gray)
    raise KindError(f"{owner} takes {listed(takes)}. Got {came}. {way_out}".strip())


def _check_array(image, takes, dtypes, owner):
    kinds = [kind for kind in kinds_of(image) if kind.fits(takes)]
    allowed = set(dtypes)
    if {Kind.FLOAT, Kind.MAP, Kind.LAB} & set(takes):
        allowed.add("float32")
    if Kind.LABELS in takes:
        allowed.add("int32")
    if not kinds or image.dtype.name not in allowed:
        _refuse_array(image, takes, allowed, owner, kinds)
    if image.size == 0:
        raise ImageError(
            f"{owner} needs at least one pixel. Got an array of shape {image.shape} and dtype "
            f"{image.dtype}."
        )
    if set(kinds) <= {Kind.MASK, Kind.EDGES} and not is_binary(image):
        _refuse_levels(image, takes, owner)
    if kinds == [Kind.FLOAT]:
        check_float(image, owner)


def _refuse_array(image, takes, dtypes, owner, kinds):
    from vision import conversions

    wanted = f"{listed(takes)} as {' or '.join(sorted(dtypes))}" if kinds else listed(takes)
    way_out = conversions.to_taken(image, takes, dtypes, owner)
    message = f"{owner} takes {wanted}. Got {conversions.what_came(image)}. {way_out}"
    raise KindError(message.strip())


def _refuse_levels(image, takes, owner):
    from vision import conversions

    raise KindError(
        f"{owner} takes {listed(takes)}: 0 and 255 only. Got {conversions.what_came(image)} with "
        f"other values. {conversions.to_binary(image, takes, owner)}"
    )


def check_of_values(image, takes):
    """What the values of every further image of this dtype and form must pass.

    Parameters
    ----------
    image : ndarray
        One that `check_input` let pass.
    takes : tuple of Kind
        What the step takes.

    Returns
    -------
    callable
        ``check(image)`` is true if it has pixels and their values are good: of a step that takes
        nothing but masks only 0 and 255 are.

    Examples
    --------
    >>> gray = np.array([[0, 9]], np.uint8)
    >>> bool(check_of_values(gray * 0, (Kind.MASK,))(gray))
    False
    >>> bool(check_of_values(gray, (Kind.GRAY,))(gray))
    True
    """
    kinds = {kind for kind in kinds_of(image) if kind.fits(takes)}
    if kinds and kinds <= {Kind.MASK, Kind.EDGES}:
        return _is_mask
    return _is_unit_image if kinds == {Kind.FLOAT} else has_pixels


def _is_mask(image):
    return image.size and is_binary(image)


def _is_unit_image(image):
    return image.size and is_unit(image)


def check_float(image, owner):
    """Refuse a float image that is not finite or leaves [0, 1].

    Parameters
    ----------
    image : ndarray of float32
        With at least one pixel.
    owner : str
        Who needs it, for the message.

    Raises
    ------
    ImageError
        If a value is NaN, infinite, negative or above 1.
    """
    if not is_unit(image):
        from vision.conversions import to_unit

        low, high = float(image.min()), float(image.max())
        raise ImageError(
            f"{owner} takes a float image of finite values in [0, 1]. "
            f"Got values from {low:g} to {high:g}; {to_unit(image)}"
        )
