"""Maps over all pixels: a label for each, or a heat."""

import functools
import numbers
from dataclasses import dataclass

import numpy as np

from vision.canvas import blend, line_thickness, rgb_canvas
from vision.checks import check_number, refuse
from vision.errors import ImageError
from vision.mapping import warp_linear, warp_nearest
from vision.opencv import cv2
from vision.palette import diverging_table, heat_table, label_colors
from vision.region_measures import RegionMeasures
from vision.regions import as_mask, label_borders, region_table
from vision.result_base import Result, described


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
        If `labels` is no (H, W) int32 array with pixels, or one is negative.
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
        _check_map("labels", self.labels, np.int32, "Segmentation")
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
        _check_map("mask", mask, np.uint8, "Segmentation.from_mask")
        labels = (mask == 255).view(np.uint8)
        if cv2.countNonZero(mask) != cv2.countNonZero(labels):
            raise ImageError(
                "The 'mask' of Segmentation.from_mask must hold 0 and 255 only. Got other values."
            )
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


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap(Result):
    """How much each pixel counts for something.

    Parameters
    ----------
    values : (H, W) array of float32
        Finite, of any range. Held as a read-only view, not copied.
    target : str or int, optional
        What for: a class, say.
    method : str, optional
        How it was found.

    Raises
    ------
    ImageError
        If `values` is no (H, W) float32 array with pixels, or not finite.

    Examples
    --------
    >>> heat = Heatmap(np.array([[0, 3], [1, 0]], np.float32), target="cat", method="Grad-CAM")
    >>> heat.to_records()
    [{'target': 'cat', 'method': 'Grad-CAM', 'x': 1, 'y': 0, 'peak': 3.0, 'mean': 1.0}]
    """

    values: np.ndarray
    target: str | int | None = None
    method: str | None = None

    columns = ("target", "method", "x", "y", "peak", "mean")
    kind = "heatmap"

    def __post_init__(self):
        _check_map("values", self.values, np.float32, "Heatmap")
        if not np.isfinite([self.values.min(), self.values.max()]).all():
            raise ImageError("The 'values' of Heatmap must be finite. Got NaN or infinity.")
        self._hold(values=self.values.view())

    @property
    def shape(self):
        """The (height, width) of the image."""
        return self.values.shape

    def __repr__(self):
        about = [f"{self.target!r}"] * (self.target is not None) + [self.method] * bool(self.method)
        words = f" for {', '.join(about)}" if about else ""
        low, high = self.values.min(), self.values.max()
        return f"Heatmap({low:.4g} to {high:.4g} in {described(self.shape)}{words})"

    def _caption(self):
        low, high = self.values.min(), self.values.max()
        if low < 0:
            scale = f"blue {-max(-low, high):.4g}, white 0, red {max(-low, high):.4g}"
        else:
            scale = f"dark {low:.4g} to bright {high:.4g}"
        return f"{self!r}; colours normalised for display only: {scale}"

    def _rows(self):
        y, x = np.unravel_index(self.values.argmax(), self.shape)
        mean = float(self.values.mean(dtype=np.float64))
        yield self.target, self.method, int(x), int(y), float(self.values[y, x]), mean

    def draw(self, image, alpha=0.5):
        """The heat as colours over its image in grey.

        The colours are Matplotlib's "inferno", from black for the lowest value to pale yellow
        for the highest; with negative values blue, white at 0 and red. They are normalised to
        the map's own range, for display only: two pictures are not on one scale.

        Parameters
        ----------
        image : ndarray of shape (H, W) or (H, W, 3), uint8
            Grey or RGB; left as it is.
        alpha : float, default=0.5
            How much the colours cover, from 0 to 1.

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
        check_number("alpha", alpha, owner="Heatmap.draw", at_least=0, at_most=1)
        canvas = rgb_canvas(image, self.shape, "Heatmap")
        gray = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return cv2.addWeighted(gray, 1 - alpha, self._colored(), alpha, 0)

    def _colored(self):
        low, high = float(self.values.min()), float(self.values.max())
        if low < 0:
            reach = max(-low, high)
            index = 128 + self.values * (127 / reach)
            return cv2.applyColorMap(np.rint(index).astype(np.uint8), diverging_table())
        scale = 255 / (high - low) if high > low else 0.0
        return cv2.applyColorMap(
            np.rint((self.values - low) * scale).astype(np.uint8), heat_table()
        )

    def _mapped(self, matrix, shape):
        return type(self)(warp_linear(self.values, matrix, shape), self.target, self.method)


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


def _check_map(name, value, dtype, owner):
    if isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == 2 and value.size:
        return
    came = f"a value of type {type(value).__name__}"
    if isinstance(value, np.ndarray):
        came = f"an array of shape {value.shape} and dtype {value.dtype}"
    wanted = np.dtype(dtype).name
    raise ImageError(
        f"The '{name}' of {owner} must be an (H, W) {wanted} array with at least one pixel. "
        f"Got {came}; {name}.astype(np.{wanted}) changes the dtype."
    )
