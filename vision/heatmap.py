"""`Heatmap`: how much each pixel of an image counts for something."""

import numbers
from dataclasses import KW_ONLY, dataclass

import numpy as np

from vision.canvas import rgb_canvas
from vision.checks import check_bool, check_number, refuse
from vision.errors import ImageError
from vision.mapping import warp_linear
from vision.opencv import cv2
from vision.palette import diverging_table, heat_table
from vision.result_base import Result, check_map, described


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap(Result):
    """How much each pixel counts for something.

    Parameters
    ----------
    values : (H, W) array of float32
        From 0, nothing, to 1; with `signed` from -1, all against it, to 1, all for it. Held as a
        read-only view, not copied.
    target : str or int, optional
        What for: a class, say.
    method : str, optional
        How it was found.
    signed : bool, default=False
        Whether pixels may speak against it too.

    Attributes
    ----------
    peak : tuple of int
        The (x, y) of the pixel that counts most; of several alike the first, row by row.

    Raises
    ------
    ImageError
        If `values` is no (H, W) float32 array with pixels, or they are not finite and in range.
    ParameterError
        If `target` is neither text nor a whole number, `method` no text, or `signed` no bool.

    Examples
    --------
    >>> heat = Heatmap(np.array([[0, 0.5], [0.25, 0]], np.float32), target="cat", method="cam")
    >>> heat.peak
    (1, 0)
    >>> heat.to_records()
    [{'target': 'cat', 'method': 'cam', 'x': 1, 'y': 0, 'peak': 0.5, 'mean': 0.1875}]
    """

    values: np.ndarray
    _: KW_ONLY
    target: str | int | None = None
    method: str | None = None
    signed: bool = False

    columns = ("target", "method", "x", "y", "peak", "mean")
    kind = "heatmap"

    def __post_init__(self):
        check_map("values", self.values, np.float32, "Heatmap")
        check_bool("signed", self.signed, owner="Heatmap")
        target = self.target.item() if isinstance(self.target, np.generic) else self.target
        if not isinstance(target, str | numbers.Integral | None):
            refuse("target", target, "text, a whole number or None", "Heatmap")
        if not isinstance(self.method, str | None):
            refuse("method", self.method, "text or None", "Heatmap")
        self._check_range()
        self._hold(values=self.values.view(), target=target, signed=bool(self.signed))

    def _check_range(self):
        low, high = float(self.values.min()), float(self.values.max())
        least = -1 if self.signed else 0
        if low >= least and high <= 1:
            return
        finite = np.isfinite([low, high]).all()
        came = f"values from {low:g} to {high:g}" if finite else "NaN or infinity"
        hint = "Heatmap.scaled(values) divides by the largest; signed=True allows -1 to 1."
        raise ImageError(
            f"The 'values' of Heatmap must be finite and in [{least}, 1]. Got {came}. {hint}"
        )

    @classmethod
    def scaled(cls, values, *, target=None, method=None, signed=None):
        """A map of any numbers, divided by the largest magnitude.

        Parameters
        ----------
        values : (H, W) array of float32
            Finite; 0 stays 0.
        target, method
            As in the constructor.
        signed : bool, optional
            By default whether a value is negative.

        Returns
        -------
        Heatmap

        Raises
        ------
        ImageError
            If `values` is no such map, or negative where `signed` is False.

        Examples
        --------
        >>> Heatmap.scaled(np.array([[3, -6]], np.float32)).values.tolist()
        [[0.5, -1.0]]
        """
        check_map("values", values, np.float32, "Heatmap.scaled")
        low, high = float(values.min()), float(values.max())
        signed = low < 0 if signed is None else signed
        # Smaller numbers than the least normal one overflow when they divide.
        reach = max(-low, high, float(np.finfo(np.float32).tiny))
        if not np.isfinite(reach):
            raise ImageError("The 'values' of Heatmap.scaled must be finite. Got NaN or infinity.")
        return cls(values / np.float32(reach), target=target, method=method, signed=signed)

    def __reduce__(self):
        return _made, (self.values, self.target, self.method, self.signed)

    @property
    def shape(self):
        """The (height, width) of the image."""
        return self.values.shape

    @property
    def peak(self):
        """The (x, y) of the pixel that counts most."""
        y, x = np.unravel_index(self.values.argmax(), self.shape)
        return int(x), int(y)

    def __repr__(self):
        about = [f"{self.target!r}"] * (self.target is not None) + [self.method] * bool(self.method)
        words = f" for {', '.join(about)}" if about else ""
        low, high = self.values.min(), self.values.max()
        return f"Heatmap({low:.4g} to {high:.4g} in {described(self.shape)}{words})"

    def _caption(self):
        scale = "blue -1, white 0, red 1" if self.signed else "black 0, yellow 1"
        return f"{self!r}; colours: {scale}"

    def _rows(self):
        x, y = self.peak
        mean = float(self.values.mean(dtype=np.float64))
        yield self.target, self.method, x, y, float(self.values[y, x]), mean

    def draw(self, image, alpha=0.5, *, out=None):
        """The heat as colours over its image in grey.

        The colours are Matplotlib's "inferno", from black for 0 to pale yellow for 1; of a signed
        map blue for -1, white for 0 and red for 1. They mean the same in every picture.

        Parameters
        ----------
        image : ndarray of shape (H, W) or (H, W, 3), uint8
            Grey or RGB; left as it is.
        alpha : float, default=0.5
            How much the colours cover, from 0 to 1.
        out : ndarray of shape (H, W, 3), uint8, optional
            See `Result.draw`.

        Returns
        -------
        picture : ndarray of shape (H, W, 3), uint8
            A new RGB image, or `out`.

        Raises
        ------
        ImageError
            If it is no grey or RGB uint8 image, or not of the result's `shape`.
        ParameterError
            If `alpha` is outside [0, 1].
        """
        check_number("alpha", alpha, owner="Heatmap.draw", at_least=0, at_most=1)
        canvas = rgb_canvas(image, self.shape, "Heatmap", out)
        gray = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return cv2.addWeighted(gray, 1 - alpha, self._colored(), alpha, 0, dst=canvas)

    def _colored(self):
        if self.signed:
            index, table = 128 + self.values * 127, diverging_table()
        else:
            index, table = self.values * 255, heat_table()
        return cv2.applyColorMap(np.rint(index).astype(np.uint8), table)

    def _mapped(self, matrix, shape):
        # Interpolation may leave the range by a rounding error.
        values = warp_linear(self.values, matrix, shape).clip(-1 if self.signed else 0, 1)
        return _made(values, self.target, self.method, self.signed)


def _made(values, target, method, signed):
    return Heatmap(values, target=target, method=method, signed=signed)
