"""What may be held against the results of a pipeline: truth, checked before it is used.

A search notes NaN for a `score` that raises, with a warning that nobody reads. So truth is checked
where that is loud, when a pipeline is fitted, and what is wrong is named by its index.
"""

import numbers
import os
from collections.abc import Iterator

import numpy as np

from vision.conversions import what_came
from vision.errors import ParameterError
from vision.kinds import Kind
from vision.result_base import Result
from vision.truth_entries import ALLOWED, BOXES, NAMES, check_entry, refuse_truth


def check_truth(truth, kind, count):
    """Refuse truth that the results of a pipeline cannot be held against.

    Takes one pass over the pixels of every entry; of `vision.Images`, which are read on use, only
    the first entry is looked at.

    Parameters
    ----------
    truth : sequence
        One entry per image, by the kind of the results:

        - masks and edges: ``(H, W)`` uint8, 0 and 255 alone; for edges, and for the maps that
          edges are cut from, also a list of such masks or an array ``(k, H, W)``, one mask an
          annotator;
        - labels: ``(H, W)`` of whole numbers, int32 or any dtype that fits into int64, but not
          uint8, where 255 could be a label or the foreground of a mask;
        - contours and detections: `Detections` or `Contours`, at least one box in all of them,
          and labels on all boxes or on none. Contours have no labels, nor may their truth;
        - rgb, gray and float images: the same kind of image;
        - classes: texts, or whole numbers of any dtype (1.0 is one);
        - features: texts, or finite numbers.

        Of other kinds only the number of entries is known.
    kind : Kind or Branched
        What the pipeline gives.
    count : int
        The number of images.

    Raises
    ------
    ParameterError
        If `truth` is None, one entry instead of a list, of another length, or holds something
        else; the message names the index and what makes it right.

    Examples
    --------
    >>> check_truth([np.zeros((4, 6), np.uint8)], Kind.MASK, 1)
    >>> check_truth([np.ones((4, 6), bool)], Kind.MASK, 1)
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'truth' of a pipeline that gives a mask must be a list of
    masks, (H, W) uint8 with 0 and 255 alone. Got an array of shape (4, 6) and dtype bool at index
    0. Make one of it: mask.astype(np.uint8) * 255.
    """
    known = isinstance(kind, Kind) and kind in ALLOWED
    _check_collection(truth, kind, count, of_arrays=known and kind not in NAMES)
    if not known:
        return
    if kind in NAMES:
        _check_names(truth, kind)
        return
    lazy = hasattr(truth, "sources")
    for index, entry in enumerate([truth[0]] if lazy else truth):
        check_entry(entry, index, kind, lazy=lazy)
    if kind in BOXES and not lazy:
        _check_boxes(truth, kind)


def _check_collection(truth, kind, count, *, of_arrays):
    """Refuse what has not one entry per image."""
    single = isinstance(truth, Result) or (of_arrays and _is_picture(truth))
    length = None if single else _length(truth)
    if length == count and count:
        return
    came = what_came(truth) if length is None else str(length)
    allowed = f"one entry per image, {count} in all" if count else "at least one entry"
    way_out = "That is one entry; for one image it is [truth]." if single else _to_list(truth)
    raise ParameterError(
        f"The 'truth' of a pipeline that gives {kind.described} must have {allowed}. "
        f"Got {came}. {way_out}".strip()
    )


def _is_picture(truth):
    """Whether an array is one picture: the rule by which `transform` tells one from a batch."""
    if not isinstance(truth, np.ndarray):
        return False
    return truth.ndim == 2 or (truth.ndim == 3 and truth.shape[2] in (3, 4))


def _length(truth):
    """The number of entries; None of what has no entries, no order or no length."""
    if isinstance(truth, str | bytes | dict | set | frozenset):
        return None
    try:
        return len(truth)
    except TypeError:
        return None


def _to_list(truth):
    """What to do with what is no sequence."""
    if isinstance(truth, str | os.PathLike):
        return "Masks in files are vision.Images(path, mode='gray')."
    if isinstance(truth, dict):
        return "Give them in the order of the images: list(truth.values())."
    return "Make a list of it: list(truth)." if isinstance(truth, Iterator) else ""


def _check_boxes(truth, kind):
    """Refuse boxes that COCO's protocol cannot score: none at all, or labels on some."""
    entries = enumerate(entry.to_detections() for entry in truth)
    named = {index: boxes.labels is not None for index, boxes in entries if len(boxes)}
    if not named:
        refuse_truth(kind, "no box in any of them", "Without one there is nothing to be found.")
    with_labels = [index for index, labelled in named.items() if labelled]
    without = [index for index, labelled in named.items() if not labelled]
    if with_labels and without:
        came = f"boxes with labels at index {with_labels[0]}, without at index {without[0]}"
        refuse_truth(kind, came)
    if with_labels and kind is Kind.CONTOURS:
        way_out = (
            "Contours have none to compare; leave them out: "
            "[vision.Detections(one.boxes, shape=one.shape) for one in truth]."
        )
        refuse_truth(kind, f"boxes with labels at index {with_labels[0]}", way_out)


def _check_names(truth, kind):
    """Refuse what are no labels, one an image."""
    if hasattr(truth, "sources"):
        way_out = "Images.from_folders(path) gives the labels beside the images."
        refuse_truth(kind, what_came(truth), way_out)
    array = np.asarray(truth) if hasattr(truth, "__array__") else None
    if array is None:
        _check_each(truth, kind)
    elif array.ndim > 1:
        one = "truth.ravel()" if array.shape[1:] == (1,) else "truth.argmax(axis=1)"
        refuse_truth(kind, what_came(array), f"Make labels of it: {one}." * (array.ndim == 2))
    elif array.dtype.kind not in "biuU":
        _check_each(array.tolist(), kind)


def _check_each(truth, kind):
    texts = None
    for index, entry in enumerate(truth):
        if not _is_name(entry, kind):
            refuse_truth(kind, f"{_shown(entry)} at index {index}", _to_name(entry, kind))
        if texts is (not isinstance(entry, str)):
            refuse_truth(kind, f"texts among numbers, the first change at index {index}")
        texts = isinstance(entry, str)


def _is_name(entry, kind):
    if isinstance(entry, str | np.bool_ | numbers.Integral):
        return True
    if not isinstance(entry, numbers.Real) or not np.isfinite(entry):
        return False
    return kind is Kind.FEATURES or entry == int(entry)


def _shown(entry):
    return repr(entry) if isinstance(entry, numbers.Number) else what_came(entry)


def _to_name(entry, kind):
    if kind is Kind.CLASS and isinstance(entry, numbers.Real) and np.isfinite(entry):
        return "Measured values are learned by a regressor, such as SVR()."
    return "Make text of it: label.decode()." if isinstance(entry, bytes) else ""
