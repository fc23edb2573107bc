"""Grey levels grown within an image, and what it gives: shallow peaks flattened, peaks found."""

import numpy as np

from classical.companion import CompanionStep
from vision.checks import check_choice, check_number, refuse
from vision.flow import gives_of
from vision.kinds import SAME, Kind, is_binary
from vision.opencv import cv2
from vision.regions import as_mask
from vision.step import Step

_ELEMENT = np.ones((3, 3), np.uint8)
# Passes over the picture between two looks whether anything still changes, and looks until the
# queue of scikit-image, slower on photographs but not on mazes, takes over.
_PASSES, _LOOKS = 8, 64


class Reconstruction(CompanionStep):
    """A marker grown within the image as far as its levels allow: whole objects from their seeds.

    Parameters
    ----------
    marker : step, pipeline or ndarray
        What grows: made from the same image, such as ``Erosion(15)``, which keeps the exact form
        of all objects that the element fits into (opening by reconstruction), or a fixed array of
        the image's dtype, such as a mask of seeds.
    method : {"dilation", "erosion"}, default="dilation"
        Whether the marker grows below the image, or shrinks above it; what leaves the image on the
        wrong side is cut to it first.

    A level spreads to the eight neighbours, never above the image: of a mask, those regions stay
    that hold a seed.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, a float image or
    a map, as far as the steps of `marker` take it; channels one by one. Gives the same kind, shape
    and dtype; of a mask, a mask if the marker is one.

    Raises
    ------
    ParameterError
        If `marker` is no step, pipeline or image, or `method` is unknown.
    KindError
        If what `marker` makes is of another kind, dtype or size than the image.

    References
    ----------
    L. Vincent, "Morphological grayscale reconstruction in image analysis: applications and
    efficient algorithms", IEEE Transactions on Image Processing 2(2), 1993,
    doi:10.1109/83.217222.

    Examples
    --------
    >>> from classical import Erosion
    >>> bars = np.array([[0, 255, 255, 255, 255, 0, 255, 0]], np.uint8)
    >>> Reconstruction(Erosion(3))(bars).tolist()
    [[0, 255, 255, 255, 255, 0, 0, 0]]
    """

    gives = SAME
    companion_name = "marker"
    companion_kinds = None
    kinds = (Kind.GRAY, Kind.RGB, Kind.FLOAT, Kind.MAP)

    def __init__(self, marker, method="dilation"):
        self.marker = marker
        self.method = method

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        from classical.morphology import Erosion

        return cls(Erosion(15))

    def gives_for(self, kind):
        """The kind that came; of a mask with a gray marker, a gray image."""
        if kind not in (Kind.MASK, Kind.EDGES):
            return kind
        if isinstance(self.marker, np.ndarray):
            binary = self.marker.dtype == np.uint8 and is_binary(self.marker)
        else:
            binary = gives_of(self.marker, kind).fits((Kind.MASK,))
        return kind if binary else Kind.GRAY

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("method", self.method, ("dilation", "erosion"), owner=self)
        super().check_params()

    def check_fixed(self, array):
        """See `CompanionStep.check_fixed`."""
        good = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
        if not (good and array.size and array.dtype.name in _DTYPES):
            refuse("marker", array, f"an image of {' or '.join(_DTYPES)}", self)

    def apply(self, image):
        """See `Step.apply`."""
        marker = self.made(image)
        self.check_size(marker, image)
        if marker.dtype != image.dtype or marker.ndim != image.ndim:
            allowed = f"of the image's dtype and channels, {image.dtype} {image.shape}"
            refuse("marker", marker, allowed, self, f"marker.astype(np.{image.dtype}) changes it.")
        return reconstruct(marker, image, self.method)


_DTYPES = ("uint8", "uint16", "float32")


def reconstruct(marker, image, method="dilation"):
    """A marker grown below an image by dilation, or shrunk above it by erosion.

    Parameters
    ----------
    marker, image : (H, W) ndarray
        Of one shape and dtype: uint8, uint16 or float32.
    method : {"dilation", "erosion"}, default="dilation"
        Which of the two.

    Returns
    -------
    ndarray
        A new one, of the same shape and dtype.

    Examples
    --------
    >>> image = np.array([[3, 9, 4, 9, 3]], np.uint8)
    >>> reconstruct(np.array([[0, 9, 0, 0, 0]], np.uint8), image).tolist()
    [[3, 9, 4, 4, 3]]
    """
    grow, cut = (cv2.dilate, cv2.min) if method == "dilation" else (cv2.erode, cv2.max)
    grown = cut(marker, image)
    spread, last = np.empty_like(grown), np.empty_like(grown)
    for _ in range(_LOOKS):
        np.copyto(last, grown)
        for _ in range(_PASSES):
            grow(grown, _ELEMENT, dst=spread)
            cut(spread, image, dst=grown)
        if not cv2.norm(last, grown, cv2.NORM_INF):
            return grown
    return _by_queue(grown, image, method)


def _by_queue(marker, image, method):
    from skimage.morphology import reconstruction

    if image.ndim == 2:
        return reconstruction(marker, image, method).astype(image.dtype)
    channels = zip(cv2.split(marker), cv2.split(image), strict=True)
    return cv2.merge([_by_queue(*pair, method) for pair in channels])


class HMaxima(Step):
    """Peaks lower than a height flattened, all others lowered by it: noise ripples go.

    Parameters
    ----------
    height : float
        How far a peak must stand above the highest pass to a higher one, in the image's own
        levels, above 0; for images of whole levels it is rounded.

    Image levels minus `height`, grown within the image (`Reconstruction`). In front of
    `LocalMaxima` only peaks that matter are found. No level falls below the image's lowest.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, a float image,
    or a map, such as that of `DistanceTransform`; channels one by one. Gives the same kind, shape
    and dtype.

    Raises
    ------
    ParameterError
        If `height` is not above 0.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, 2004, section 6.3.4,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> HMaxima(10)(np.array([[0, 50, 45, 52, 0, 6, 0]], np.uint8)).tolist()
    [[0, 42, 42, 42, 0, 0, 0]]
    """

    takes, gives = (Kind.GRAY, Kind.RGB, Kind.FLOAT, Kind.MAP), SAME
    dtypes = ("uint8", "uint16")
    example = {"height": 20}

    def __init__(self, height):
        self.height = height

    def check_params(self):
        """See `Step.check_params`."""
        check_number("height", self.height, owner=self, above=0)

    def gives_for(self, kind):
        """The kind that came; of a mask, a gray image."""
        return Kind.GRAY if kind in (Kind.MASK, Kind.EDGES) else kind

    def apply(self, image):
        """See `Step.apply`."""
        return reconstruct(_shifted(image, -self.height), image)


class HMinima(HMaxima):
    """Valleys shallower than a height filled, all others raised by it: noise ripples go.

    Parameters
    ----------
    height : float
        How far a valley must lie below the lowest pass to a deeper one, in the image's own levels,
        above 0; for images of whole levels it is rounded.

    The opposite of `HMaxima`. No level rises above the image's highest.

    Takes a gray image, ``(H, W)``, or an rgb one, ``(H, W, 3)``, uint8 or uint16, a float image
    or a map; channels one by one. Gives the same kind, shape and dtype.

    Raises
    ------
    ParameterError
        If `height` is not above 0.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, 2004, section 6.3.4,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> HMinima(10)(np.array([[90, 40, 45, 38, 90, 84, 90]], np.uint8)).tolist()
    [[90, 48, 48, 48, 90, 90, 90]]
    """

    def apply(self, image):
        """See `Step.apply`."""
        return reconstruct(_shifted(image, self.height), image, "erosion")


def _shifted(image, height):
    """All levels moved, within the range that occurs."""
    # Not cv2.add: of a picture of 4 x 1 pixels it takes the height for another picture.
    moved = cv2.addWeighted(image, 1, image, 0, height)
    return moved.clip(image.min(axis=(0, 1)), image.max(axis=(0, 1)), out=moved)


class LocalMaxima(Step):
    """The tops of all peaks: pixels, or level groups of them, with only lower ones around.

    Takes a gray image, ``(H, W)``, uint8 or uint16, or a map, float32. Gives a mask,
    ``(H, W)``, uint8: 255 on tops, the eight neighbours counting. An image of one level has none.
    `HMaxima` in front leaves those of noise out, `ConnectedComponents` behind numbers them.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    P. Soille, "Morphological Image Analysis", 2nd edition, 2004, section 6.3.3,
    doi:10.1007/978-3-662-05088-0.

    Examples
    --------
    >>> LocalMaxima()(np.array([[1, 7, 7, 2, 5, 9]], np.uint8)).tolist()
    [[0, 255, 255, 0, 0, 255]]
    """

    takes, gives = (Kind.GRAY, Kind.MAP), Kind.MASK
    dtypes = ("uint8", "uint16")

    def apply(self, image):
        """See `Step.apply`."""
        from skimage.morphology import local_maxima

        return as_mask(local_maxima(image))
