"""The truth of one image: whether it is what the results are, and what makes it that."""

import os

import numpy as np

from vision.conversions import mask_expression, to_array, values_in, what_came
from vision.errors import ParameterError
from vision.kinds import Kind, is_binary, kinds_of
from vision.result_base import Result

IMAGES = frozenset({Kind.RGB, Kind.GRAY, Kind.FLOAT})
BOUNDARIES = frozenset({Kind.EDGES, Kind.MAP})
BOXES = frozenset({Kind.CONTOURS, Kind.DETECTIONS})
NAMES = frozenset({Kind.CLASS, Kind.FEATURES})

_BINARY = "(H, W) uint8 with 0 and 255 alone"
ALLOWED = {
    Kind.MASK: f"masks, {_BINARY}",
    Kind.EDGES: f"edge masks, {_BINARY}, or lists of them, one an annotator",
    Kind.MAP: f"edge masks, {_BINARY}, or lists of them, one an annotator",
    Kind.LABELS: "label maps, (H, W) int32 or other whole numbers, but not uint8 or uint64",
    Kind.CONTOURS: "Detections or Contours",
    Kind.DETECTIONS: "Detections or Contours",
    Kind.RGB: "rgb images, (H, W, 3) uint8 or uint16",
    Kind.GRAY: "gray images, (H, W) uint8 or uint16",
    Kind.FLOAT: "float images, (H, W) or (H, W, 3) float32, finite, in [0, 1]",
    Kind.CLASS: "labels, each a text or a whole number",
    Kind.FEATURES: "labels, each a text or a number",
}
# What an entry is called in the expression that mends it.
_NAMES = {
    Kind.LABELS: "labels",
    **dict.fromkeys(IMAGES, "image"),
    **dict.fromkeys(BOXES, "boxes"),
}


def refuse_truth(kind, came, way_out=""):
    """Raise the error of truth that is not what the kind asks for.

    Examples
    --------
    >>> refuse_truth(Kind.CONTOURS, "None at index 2")
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'truth' of a pipeline that gives contours must be a list of
    Detections or Contours. Got None at index 2.
    """
    message = (
        f"The 'truth' of a pipeline that gives {kind.described} must be a list of {ALLOWED[kind]}. "
        f"Got {came}. {way_out}"
    )
    raise ParameterError(message.strip())


def check_entry(entry, index, kind, *, lazy=False):
    """Refuse one entry of truth.

    Parameters
    ----------
    entry : object
        The truth of one image.
    index : int
        Its place, for the message.
    kind : Kind
        What the pipeline gives: one of pixels, contours or detections that has a task.
    lazy : bool, default=False
        Whether `vision.Images` gave it, so that what mends it is mapped over these.

    Raises
    ------
    ParameterError
        If it is not what `vision.truth.check_truth` asks for.

    Examples
    --------
    >>> check_entry(np.zeros((4, 6), np.int32), 0, Kind.LABELS)
    """
    for one in _annotated(entry, kind):
        if _is_right(one, kind):
            continue
        expression = _mended(one, kind)
        name = _NAMES.get(kind, "mask")
        if expression and lazy:
            way_out = f"Mend each when it is read: truth.map(lambda {name}: {expression})."
        else:
            way_out = f"Make one of it: {expression}." if expression else _advice(one, kind)
        if expression.endswith("> 0).astype(np.int32)"):
            way_out = f"ConnectedComponents() numbers the objects of a mask. {way_out}"
        refuse_truth(kind, f"{_came(one, kind)} at index {index}", way_out)


def check_pair(result, entry, index, kind):
    """Refuse truth of another size than the result, or an image of another dtype.

    Parameters
    ----------
    result, entry : object
        What the pipeline gave for one image, and its truth.
    index : int
        Its place, for the message.
    kind : Kind
        What the pipeline gives.

    Raises
    ------
    ParameterError
        If they cannot be compared pixel by pixel.

    Examples
    --------
    >>> mask, larger = np.zeros((240, 320), np.uint8), np.zeros((480, 640), np.uint8)
    >>> check_pair(mask, larger, 3, Kind.MASK)
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The truth of image 3 is 640x480, the result is 320x240. Scale the
    truth to the result by nearest neighbour, or leave out the step that changes the size.
    """
    if kind in NAMES:
        return
    for one in _annotated(entry, kind):
        if None not in (result.shape, one.shape) and result.shape[:2] != one.shape[:2]:
            how = "" if kind in IMAGES else " by nearest neighbour"
            raise ParameterError(
                f"The truth of image {index} is {_size(one)}, the result is {_size(result)}. "
                f"Scale the truth to the result{how}, or leave out the step that changes the size."
            )
        if kind in IMAGES and (result.shape, result.dtype) != (one.shape, one.dtype):
            raise ParameterError(
                f"The truth of image {index} is {what_came(one)}, the result "
                f"{what_came(result)}. Give one the shape and dtype of the other."
            )


def _size(value):
    return f"{value.shape[1]}x{value.shape[0]}"


def _annotated(entry, kind):
    """The masks of all annotators, where there may be several."""
    if kind not in BOUNDARIES:
        return [entry]
    several = isinstance(entry, list | tuple) and all(isinstance(e, np.ndarray) for e in entry)
    stacked = isinstance(entry, np.ndarray) and entry.ndim == 3 and entry.shape[2] not in (1, 3, 4)
    return entry if (several or stacked) and len(entry) else [entry]


def _is_right(entry, kind):
    if kind in BOXES:
        return isinstance(entry, Result) and hasattr(entry, "to_detections")
    if not isinstance(entry, np.ndarray) or entry.size == 0:
        return False
    if kind is Kind.FLOAT:
        return kind in kinds_of(entry) and entry.min() >= 0 and entry.max() <= 1
    if kind in IMAGES:
        return kind in kinds_of(entry)
    return _is_label_map(entry) if kind is Kind.LABELS else _is_mask(entry)


def _is_mask(entry):
    return entry.ndim == 2 and entry.dtype == np.uint8 and is_binary(entry)


def _is_label_map(entry):
    whole = entry.dtype.kind in "iu" and np.can_cast(entry.dtype, np.int64)
    return entry.ndim == 2 and whole and entry.dtype != np.uint8


def _came(entry, kind):
    """The entry in words, with its values where these are what is wrong."""
    came = what_came(entry)
    if not isinstance(entry, np.ndarray) or not entry.size or kind in BOXES:
        return came
    if kind is Kind.FLOAT and kind in kinds_of(entry):
        return f"{came} with values from {entry.min():g} to {entry.max():g}"
    if kind in {Kind.MASK, *BOUNDARIES} and entry.ndim == 2 and entry.dtype == np.uint8:
        return f"{came} with the values {values_in(entry)}"
    return came


def _advice(entry, kind):
    """What to do with an entry that no expression mends."""
    if kind in BOXES:
        is_mask = isinstance(entry, np.ndarray) and Kind.MASK in kinds_of(entry)
        return "FindContours()(mask) finds the outlines in a mask." if is_mask else ""
    if isinstance(entry, str | os.PathLike):
        mode = "rgb" if kind is Kind.RGB else "gray"
        return f"Files are read when they are used: vision.Images(truth, mode='{mode}')."
    if isinstance(entry, np.ndarray):
        colored = kind is Kind.LABELS and entry.shape[2:] in ((3,), (4,))
        return "Colours are no labels: give each its number." if colored else ""
    return to_array(entry, name=_NAMES.get(kind, "mask"), gray=kind is not Kind.RGB)


def _mended(entry, kind):
    """The expression that makes what is asked for of an entry; empty where there is none."""
    if not isinstance(entry, np.ndarray) or entry.dtype.kind not in "biuf" or not entry.size:
        return ""
    if kind in BOXES:
        return "vision.Detections(boxes)" if _are_boxes(entry) else ""
    if kind in IMAGES:
        return _to_image(entry, kind)
    plane, name = _plane(entry, _NAMES.get(kind, "mask"))
    if plane is None or (kind is Kind.LABELS and name.endswith("any(axis=2)")):
        return ""
    if kind is Kind.LABELS:
        return _to_label_map(plane, name)
    return name if _is_mask(plane) else mask_expression(plane, name)


def _are_boxes(entry):
    form = entry.ndim == 2 and entry.shape[1] == 4 and entry.dtype not in (np.uint8, np.bool_)
    return form and (entry[:, :2] <= entry[:, 2:]).all() and np.isfinite(entry).all()


def _plane(entry, name):
    """The one channel that all are, or where any is not 0, and its expression."""
    if entry.ndim == 2:
        return entry, name
    if entry.ndim != 3 or entry.shape[2] > 4:
        return None, name
    colors = entry[:, :, :3] if entry.shape[2] > 2 else entry[:, :, :1]
    if (colors == colors[:, :, :1]).all():
        return entry[:, :, 0], f"{name}[:, :, 0]"
    return colors.any(axis=2), f"{name}[:, :, :3].any(axis=2)"


def _to_label_map(labels, name):
    if _is_label_map(labels):
        return name
    is_mask = labels.dtype == np.uint8 and is_binary(labels)
    return f"({name} > 0).astype(np.int32)" if is_mask else f"{name}.astype(np.int32)"


def _to_image(image, kind):
    """The expression that makes an image of one kind of another."""
    name = "image"
    if image.ndim == 3 and image.shape[2] in (1, 4):
        alpha = image.shape[2] == 4
        name = "image[:, :, :3]" if alpha else "image[:, :, 0]"
        image = image[:, :, :3] if alpha else image[:, :, 0]
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        return ""
    name = _to_depth(image, name, kind)
    if name and kind is Kind.RGB and image.ndim == 2:
        return f"ToRGB()({name})"
    return f"Gray()({name})" if name and kind is Kind.GRAY and image.ndim == 3 else name


def _to_depth(image, name, kind):
    """The expression that makes an image of the depth that the kind has, by its range."""
    low, high = float(image.min()), float(image.max())
    if image.dtype == bool:
        unit = f"{name}.astype(np.float32)"
        return unit if kind is Kind.FLOAT else f"{name}.astype(np.uint8) * 255"
    if not (low >= 0 and high <= 65535):
        return ""
    if image.dtype.kind == "f" and high <= 1:
        unit = f"{name}.astype(np.float32)"
        return unit if kind is Kind.FLOAT else f"ToUint8()({unit})"
    whole = name
    if image.dtype not in (np.uint8, np.uint16) or not image.dtype.isnative:
        whole = f"{name}.astype(np.{'uint8' if high <= 255 else 'uint16'})"
    return f"ToFloat()({whole})" if kind is Kind.FLOAT else whole
