"""What to do with a value that is refused: in words, or as the expression that mends it."""

import numbers
import os
from collections.abc import Iterator

import numpy as np

from vision.kinds import PIXELS, Kind, is_unit

IMREAD = "cv2.imread gives None for a file that it cannot read; vision.read(path) says why."
# The attribute by which an array of another library is known, and how it becomes NumPy's.
FOREIGN = {
    "numpy": "{name}.numpy()",  # tensors of TensorFlow and PyTorch
    "toarray": "{name}.toarray()",  # sparse matrices of SciPy
    "compute": "{name}.compute()",  # arrays of Dask
    "__array__": "np.asarray({name})",  # HDF5 data sets, xarray, pandas
}
FRACTIONS = (
    "A float image is float32 in [0, 1]: image.astype(np.float32); values of 0 to 255 are "
    "image.astype(np.uint8)."
)
FLOAT32 = "Make it float32 first: image.astype(np.float32)."
BYTES = "An 8-bit image is image.astype(np.uint8)."
# What to do with dtypes that no image has, by their kind in NumPy.
DTYPES = {
    "b": "Make a mask of it: image.astype(np.uint8) * 255.",
    "f": FRACTIONS,
    "i": BYTES,
    "u": BYTES,
}
# The steps from an rgb image to a kind; those to gray and masks begin with Gray().
FROM_RGB = {
    Kind.GRAY: "Gray()",
    Kind.MASK: "Gray() >> Otsu()",
    Kind.EDGES: "Gray() >> Canny()",
    Kind.HSV: "ToHSV()",
    Kind.HLS: "ToHLS()",
    Kind.YCRCB: "ToYCrCb()",
    Kind.CMYK: "ToCMYK()",
    Kind.LAB: "ToLab()",
}
NOT_BYTES = {Kind.FLOAT, Kind.MAP, Kind.LABELS, Kind.LAB}


def as_python(value):
    """A number of NumPy as Python's own; anything else as it is.

    Examples
    --------
    >>> as_python(np.int64(3)), as_python(np.str_("cat")), as_python(None)
    (3, 'cat', None)
    """
    return value.item() if isinstance(value, np.generic) else value


def what_came(value):
    """A value in words, for the end of a message.

    Examples
    --------
    >>> what_came(np.zeros((4, 5), np.int32)), what_came([1, 2]), what_came(None)
    ('an array of shape (4, 5) and dtype int32', 'a list of 2', 'None')
    """
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a value of type {type(value).__name__}"


def to_array(value, *, name="image", gray=False):
    """How something that is no array becomes an image.

    Parameters
    ----------
    value : object
        What came in place of an image.
    name : str, default="image"
        What the sentence calls it.
    gray : bool, default=False
        Whether one channel is wanted.

    Returns
    -------
    str
        A sentence; empty where nothing is known of such a value.

    Examples
    --------
    >>> to_array("photo.jpg")
    'Read the file first: vision.read(path).'
    """
    if value is None:
        return IMREAD
    if isinstance(value, str | os.PathLike):
        mode = ", mode='gray'" if gray else ""
        return f"Read the file first: vision.read(path{mode})."
    if isinstance(value, bytes | bytearray | memoryview):
        return "Of the bytes of an image file vision.decode(data) makes an image."
    if type(value).__module__.startswith("PIL."):
        return f"Give its array: np.asarray({name}.convert('{'L' if gray else 'RGB'}'))."
    if hasattr(type(value), "kind") or hasattr(value, "sources"):
        return ""  # our own results and collections
    ways = [way for sign, way in FOREIGN.items() if hasattr(value, sign)]
    return f"Give its array: {ways[0].format(name=name)}." if ways else ""


def to_many(value, method="transform"):
    """What to do with many images, where one is wanted.

    Parameters
    ----------
    value : object
        What came in place of an image.
    method : str, default="transform"
        The step's own for many images.

    Returns
    -------
    str
        The end of a sentence; empty where the value is no collection.

    Examples
    --------
    >>> to_many(["a.jpg", "b.jpg"])
    'for many files use transform(vision.Images(paths)).'
    """
    if hasattr(value, "sources") or getattr(value, "ndim", 0) == 4:
        return f"for many images use {method}(images)."
    if not isinstance(value, list | tuple):
        return ""
    first = value[0] if value else None
    if isinstance(first, str | os.PathLike):
        return f"for many files use {method}(vision.Images(paths))."
    if isinstance(first, list | tuple | numbers.Number):
        return "of lists of numbers np.array(image, np.uint8) makes an image."
    return f"for many images use {method}(images)."


def to_batch(value):
    """What to do with what is no batch of images.

    Parameters
    ----------
    value : object
        What came in place of a batch.

    Returns
    -------
    str
        A sentence; empty where nothing is known of such a value.

    Examples
    --------
    >>> to_batch(image for image in [])
    'Make a list of it: list(images).'
    """
    if isinstance(value, str | os.PathLike):
        return "Files are read by vision.Images(path): a file, a folder, a pattern or an archive."
    if isinstance(value, dict):
        return "Give its values: list(images.values())."
    if isinstance(value, Iterator):
        return "Make a list of it: list(images)."
    if type(value).__module__.startswith("PIL."):
        return "One image is a list of one: [np.asarray(image.convert('RGB'))]."
    return to_array(value, name="images")


def to_taken(image, takes, dtypes, owner):
    """How an array becomes one that a step takes.

    Parameters
    ----------
    image : ndarray
        What was refused.
    takes : tuple of Kind
        What the step takes.
    dtypes : set of str
        The dtypes of arrays that it takes.
    owner : str
        The step's name.

    Returns
    -------
    str
        A sentence; empty where nothing is known of such an array.

    Examples
    --------
    >>> to_taken(np.zeros((4, 5, 3), np.uint8), (Kind.GRAY,), {"uint8"}, "Otsu")
    'Gray() makes it gray: Gray() >> Otsu(...).'
    """
    name = image.dtype.name
    if not image.dtype.isnative:
        return f"Its bytes are in the order of another machine: image.astype(np.{name})."
    axes = _axes(image, takes)
    if axes:
        return axes
    if Kind.LABELS in takes and image.ndim == 2 and image.dtype.kind in "iu":
        return f"A label map is image.astype(np.int32). {BYTES}"
    if name == "int32" and image.ndim == 2:
        return "An int32 array is a label map; an 8-bit image is image.astype(np.uint8)."
    if name not in ("uint8", "uint16", "float32"):
        levels = image.dtype.kind != "f" or (_are_levels(image) and not _is_true_lab(image))
        return DTYPES.get(image.dtype.kind, "") if levels else FLOAT32
    if name == "float32" and image.size and not is_unit(image):
        return _to_range(image, takes, owner)
    if Kind.LABELS in takes and not PIXELS & set(takes):
        steps = "KMeansSegmenter()" if name == "uint8" else "ToUint8() >> KMeansSegmenter()"
        return f"Segment it first: {steps} >> {owner}(...)."
    if set(takes) == {Kind.MAP}:
        return "A map is image.astype(np.float32)."
    return _steps(image, takes, dtypes, owner)


def _are_levels(image):
    return image.min(initial=0) >= 0 and image.max(initial=0) <= 255


def _to_range(image, takes, owner):
    """What to do with floats that are no fractions."""
    if _is_true_lab(image):
        steps = " >> ".join(["LabToRGB()", *_channels(image, takes)])
        return f"It looks like true Lab. Put {steps} in front of {owner}()."
    return f"Its values are from {image.min():g} to {image.max():g}; {to_unit(image)}"


def _is_true_lab(image):
    """Whether L, a and b are in their ranges, with fractions, which levels seldom have."""
    if image.shape[2:] != (3,) or not image.size:
        return False
    lightness, colors = image[:, :, 0], image[:, :, 1:]
    light = lightness.min() >= 0 and 2 < lightness.max() <= 100.01  # float32 rounds
    return bool(light and np.abs(colors).max() <= 128 and (image != np.rint(image)).any())


def _axes(image, takes):
    """What to do where the axes are wrong, not the numbers."""
    if image.ndim != 3 or image.shape[2] == 3:
        return ""
    if image.shape[2] == 1:
        return "Leave out the last axis: image[:, :, 0]."
    if image.shape[2] == 4:
        alpha = "It has four channels. Drop the alpha channel: image[:, :, :3]."
        printed = Kind.CMYK in takes and Kind.RGB not in takes
        return "A cmyk image of 0 to 255 is image.astype(np.uint8)." if printed else alpha
    if image.shape[0] == 1:
        return "Leave out the first axis: image[0]."
    if image.shape[0] in (3, 4):
        return "The channels come last: np.moveaxis(image, 0, -1)."
    return ""


def _steps(image, takes, dtypes, owner):
    """The steps of the toolkit that make what is taken of an image."""
    depth, channels = _depth(image, takes, dtypes), _channels(image, takes)
    if depth + channels == ["Gray()"]:
        return f"Gray() makes it gray: Gray() >> {owner}(...)."
    if depth + channels == ["ToRGB()"]:
        return "ToRGB()(image) makes three channels of a gray image."
    if depth + channels == ["ToUint8()"]:
        return "ToUint8()(image) makes 8 bits of it."
    steps = " >> ".join(depth + channels)
    return f"Put {steps} in front of {owner}()." if steps else ""


def _depth(image, takes, dtypes):
    """The step to a dtype that is taken; true Lab comes with its own."""
    if ("uint8" in dtypes and set(takes) - NOT_BYTES) or Kind.LAB in takes:
        narrow = image.dtype == np.uint8 or (image.dtype == np.uint16 and "uint16" in dtypes)
        return [] if narrow else ["ToUint8()"]
    return ["ToFloat()"] if Kind.FLOAT in takes else []


def _channels(image, takes):
    """The steps from three channels to one or back, where only the other is taken."""
    wanted = next((FROM_RGB[kind] for kind in takes if kind in FROM_RGB), None)
    if image.ndim == 3:
        return [wanted] if wanted and Kind.RGB not in takes else []
    if Kind.GRAY in takes:
        return []
    if Kind.RGB in takes:
        return ["ToRGB()"]
    if wanted and wanted.startswith("Gray() >> "):
        return [wanted.removeprefix("Gray() >> ")]
    return ["ToRGB()", wanted] if wanted else []


def to_binary(image, takes, owner):
    """How an 8-bit image that is no mask becomes one.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
        With other values than 0 and 255.
    takes : tuple of Kind
        Masks or edges.
    owner : str
        The name of the step that takes them.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> to_binary(np.array([[0, 1]], np.uint8), (Kind.MASK,), "FindContours")
    'Of 0 and 1 make image * 255.'
    """
    if image.max() == 1:
        return "Of 0 and 1 make image * 255."
    if takes[0] is not Kind.EDGES:
        return f"Threshold it first: Otsu() >> {owner}(...)."
    return f"Find its edges first: Canny() >> {owner}(...)."


def to_mask(array, name="mask"):
    """How an array that is no mask becomes one.

    Parameters
    ----------
    array : ndarray, shape (H, W)
        Of another dtype or other values.
    name : str, default="mask"
        What the sentence calls it.

    Returns
    -------
    str
        A sentence; empty where the array has another form.

    Examples
    --------
    >>> to_mask(np.array([[0, 1]], np.uint8))
    'Its values are 0, 1: a mask is mask.astype(np.uint8) * 255.'
    """
    if array.ndim != 2 or not array.size or array.dtype.kind not in "biuf":
        return ""
    return f"Its values are {values_in(array)}: a mask is {mask_expression(array, name)}."


def mask_expression(array, name):
    """The expression that makes a mask of an (H, W) array of numbers, by their range.

    Examples
    --------
    >>> mask_expression(np.array([[0, 7, 9]], np.int32), "labels")
    'np.where(labels > 0, 255, 0).astype(np.uint8)'
    """
    if np.isin(array, (0, 1)).all():
        return f"{name}.astype(np.uint8) * 255"
    if np.isin(array, (0, 255)).all():
        return f"{name}.astype(np.uint8)"
    level = "0"  # numbers of objects
    if array.dtype.kind == "f":
        level = "0.5" if array.max() <= 1 else "127"
    elif array.dtype == np.uint8 and array.max() > 127:
        level = "127"
    return f"np.where({name} > {level}, 255, 0).astype(np.uint8)"


def values_in(array):
    """The values that occur in an array, the first four of them.

    Examples
    --------
    >>> values_in(np.arange(9)), values_in(np.array([True]))
    ('0, 1, 2, 3, ...', 'True')
    """
    values = np.unique(array).tolist()
    return ", ".join([*map(str, values[:4]), *["..."][: len(values) > 4]])


def to_unit(image):
    """How a float image comes within [0, 1].

    Parameters
    ----------
    image : ndarray of float32, shape (H, W) or (H, W, 3)
        With values beyond, NaN included.

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> to_unit(np.array([[0, 255]], np.float32))
    'levels of 0 to 255 are image.astype(np.uint8).'
    """
    if not np.isfinite(image).all():
        return "replace what is not finite: np.nan_to_num(image, nan=0, posinf=1, neginf=0)."
    if _is_true_lab(image):
        return "it looks like true Lab, of which LabToRGB()(image) makes rgb."
    if _are_levels(image):
        return "levels of 0 to 255 are image.astype(np.uint8)."
    if image.ndim == 2:
        return "Normalize()(image) spreads them over 0 to 255."
    spread = "np.interp(image, (image.min(), image.max()), (0, 255)).astype(np.uint8)"
    return f"{spread} spreads them over 0 to 255."
