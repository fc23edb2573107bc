"""`Segmentation`: a label for each pixel."""

import functools
import numbers
from dataclasses import dataclass

import numpy as np

from vision.canvas import blend, line_thickness, rgb_canvas
from vision.checks import check_number, refuse
from vision.conversions import to_mask, what_came
from vision.errors import ImageError
from vision.kinds import is_binary
from vision.mapping import warp_nearest
from vision.opencv import cv2
from vision.palette import label_colors
from vision.region_measures import RegionMeasures
from vision.regions import as_mask, label_borders, region_table
from vision.result_base import Result, check_map, described


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation(RegionMeasures, Result):
    """A label for each pixel.

    ``len(segmentation)`` counts the labels that occur, without the background. What is measured
    of their regions is listed under `RegionMeasures`.

    Parameters
    ----------
    labels : (H, W) array of int32
        0 is background; none is negative. Held as a read-only view, not copied: whoever made the
        array changes it no more.
    names : dict of int to str, or None
        What labels mean.
    colors : dict of int to (r, g, b), or None
        Colours to draw labels in; the others have those of `vision.drawing.label_colors`.

    Raises
    ------
    ImageError
        If `labels` is no (H, W) int32 array with pixels, a mask for one, or one is negative.
    ParameterError
        If `names` or `colors` is no such dictionary.

    Examples
    --------
    >>> found = Segmentation(np.array([[0, 2], [2, 2]], np.int32), names={2: "leaf"})
    >>> found.to_records()[0]["name"], found.to_records()[0]["area"]
    ('leaf', 3)
    """

    labels: np.ndarray
    names: dict | None = None
    colors: dict | None = None

    columns = ("label", "name", "area", "fraction", "left", "top", "right", "bottom", "x", "y")

    def __post_init__(self):
        if _is_mask(self.labels):
            _refuse_mask(self.labels)
        check_map("labels", self.labels, np.int32, "Segmentation")
        if int(self.labels.min()) < 0:
            raise ImageError(
                "The 'labels' of Segmentation must not be negative. "
                f"Got {int(self.labels.min())}; np.maximum(labels, 0) makes background of it."
            )
        _check_names(self.names)
        _check_colors(self.colors)
        self._hold(
            labels=self.labels.view(),
            names=None if self.names is None else dict(self.names),
            colors=None if self.colors is None else dict(self.colors),
        )

    @classmethod
    def from_mask(cls, mask, name=None):
        """A mask as a segmentation: label 1 where it is 255.

        Parameters
        ----------
        mask : (H, W) array of uint8
            0 or 255.
        name : str, optional
            What label 1 means.

        Returns
        -------
        Segmentation

        Raises
        ------
        ImageError
            If it is no mask.

        Examples
        --------
        >>> Segmentation.from_mask(np.array([[0, 255]], np.uint8)).labels.tolist()
        [[0, 1]]
        """
        if isinstance(mask, np.ndarray) and mask.dtype == bool:
            _refuse_values(mask)
        check_map("mask", mask, np.uint8, "Segmentation.from_mask")
        labels = (mask == 255).view(np.uint8)
        if cv2.countNonZero(mask) != cv2.countNonZero(labels):
            _refuse_values(mask)
        return cls(labels.astype(np.int32), names=None if name is None else {1: name})

    @property
    def shape(self):
        """The (height, width) of the image."""
        return self.labels.shape

    def __len__(self):
        return len(self.numbers)

    def __repr__(self):
        return f"Segmentation({len(self)} labels in {described(self.shape)})"

    @functools.cached_property
    def _regions(self):
        return region_table(self.labels)

    def _rows(self):
        names = self.names or {}
        labels, areas, boxes, centers = (part.tolist() for part in self._regions)
        pixels = self.labels.size
        for label, area, box, center in zip(labels, areas, boxes, centers, strict=True):
            yield label, names.get(label), area, area / pixels, *box, *center

    def draw(self, image, alpha=0.45):
        """The labels as colours over their image, with their outlines; background stays.

        Parameters
        ----------
        image : ndarray of shape (H, W) or (H, W, 3), uint8
            Grey or RGB; left as it is.
        alpha : float, default=0.45
            How much the colours cover, from 0 to 1; outlines cover all.

        Returns
        -------
        picture : ndarray of shape (H, W, 3), uint8
            A new RGB image.

        Raises
        ------
        ImageError
            If it is no grey or RGB uint8 image, or not of the result's `shape`.
        ParameterError
            If `alpha` is outside [0, 1].
        """
        check_number("alpha", alpha, owner="Segmentation.draw", at_least=0, at_most=1)
        canvas = rgb_canvas(image, self.shape, "Segmentation")
        colors = self._colored()
        where = as_mask(self.labels > 0)
        picture = blend(canvas, colors, alpha, where)
        return cv2.copyTo(
            colors,
            cv2.bitwise_and(where, label_borders(self.labels, line_thickness(self.shape))),
            picture,
        )

    def _colored(self):
        given, table = self.colors or {}, label_colors(256)
        few = int(self.labels.max()) < 256
        for label in given if few else ():
            table[label : label + 1] = given[label]
        # As uint8 the labels begin anew at 256, and so does the palette.
        picture = cv2.applyColorMap(self.labels.astype(np.uint8), table.reshape(256, 1, 3))
        for label in () if few else given:
            picture[self.labels == label] = given[label]
        return picture

    def _mapped(self, matrix, shape):
        labels = warp_nearest(self.labels, matrix, shape)
        return type(self)(labels, self.names, self.colors)


def _is_mask(labels):
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or not labels.size:
        return False
    return labels.dtype == bool or (
        labels.dtype == np.uint8 and labels.max() == 255 and is_binary(labels)
    )


def _refuse_mask(labels):
    """Its values as labels would make one object of all."""
    mask = "mask.astype(np.uint8) * 255" if labels.dtype == bool else "mask"
    raise ImageError(
        f"The 'labels' of Segmentation must be a label map, (H, W) int32. Got a mask of dtype "
        f"{labels.dtype}: classical.ConnectedComponents()({mask}) numbers its objects, "
        f"Segmentation.from_mask({mask}) takes all of them as one."
    )


def _refuse_values(mask):
    raise ImageError(
        "The 'mask' of Segmentation.from_mask must be (H, W) uint8 with 0 and 255 only. "
        f"Got {what_came(mask)}. {to_mask(mask)}".strip()
    )


def _check_names(names):
    good = names is None or (
        isinstance(names, dict)
        and all(_is_label(k) and isinstance(v, str) for k, v in names.items())
    )
    if not good:
        refuse("names", names, "a dictionary of whole numbers to text, or None", "Segmentation")


def _check_colors(colors):
    good = colors is None or (
        isinstance(colors, dict) and all(_is_label(k) and _is_color(v) for k, v in colors.items())
    )
    if not good:
        allowed = "a dictionary of whole numbers to (r, g, b) of 0 to 255, or None"
        refuse("colors", colors, allowed, "Segmentation")


def _is_label(value):
    return isinstance(value, numbers.Integral) and value >= 0


def _is_color(value):
    levels = np.asarray(value)
    whole = levels.dtype.kind in "iu" and levels.shape == (3,)
    return bool(whole and levels.min() >= 0 and levels.max() <= 255)
