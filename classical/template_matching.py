"""A small picture found in others, pixel by pixel: template matching."""

import numbers

import numpy as np

from classical.cooccurrence import check_all
from vision.boxes import non_max_suppression
from vision.checks import check_choice, check_number, refuse
from vision.detections import Detections
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

_METHODS = {
    "ccoeff_normed": cv2.TM_CCOEFF_NORMED,
    "ccorr_normed": cv2.TM_CCORR_NORMED,
    "sqdiff_normed": cv2.TM_SQDIFF_NORMED,
}
_AROUND = np.ones((3, 3), np.uint8)
_ROUNDING = 1e-3  # by which a score may exceed 1 in OpenCV's float32


class MatchTemplate(Step):
    """Places that look like a template, at the scales and angles asked for.

    Parameters
    ----------
    template : ndarray of uint8
        An rgb or gray image, smaller than those that it is looked for in, and not of one level.
    threshold : float, default=0.8
        The least score, 0 to 1; an exact copy has 1.
    scales : tuple of float, default=(1,)
        How much larger than the template it may be, each above 0.
    angles : tuple of float, default=(0,)
        How far it may be turned, in degrees, clockwise. All but multiples of 90 take several
        times as long: their corners must be left out.
    method : {"ccoeff_normed", "ccorr_normed", "sqdiff_normed"}, default="ccoeff_normed"
        What is compared, as in ``cv2.matchTemplate``: how levels differ from their mean, whatever
        brightness and contrast; the levels themselves; their squared differences, the score being
        1 minus these.
    max_overlap : float, default=0.3
        Of two boxes whose intersection over union is larger the better alone stays, 0 to 1.

    What is turned and seen in perspective as well is found by its keypoints: `FindObject`.

    Takes rgb or gray images, uint8: the kind that the template is. Gives detections, the best
    first, with scores; for an angle the box around the turned template. None where the image is
    smaller than the template.

    Raises
    ------
    ParameterError
        If the template is no such image, a number out of its range, a tuple empty, or `method`
        unknown.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    J. P. Lewis, "Fast template matching", Vision Interface 1995, for the correlation by which
    ``cv2.matchTemplate`` works.

    Examples
    --------
    >>> from skimage.data import coins
    >>> image = coins()
    >>> MatchTemplate(image[20:60, 100:150], threshold=0.95)(image).boxes.tolist()
    [[100.0, 20.0, 150.0, 60.0]]
    """

    gives = Kind.DETECTIONS

    def __init__(
        self,
        template,
        threshold=0.8,
        scales=(1,),
        angles=(0,),
        method="ccoeff_normed",
        max_overlap=0.3,
    ):
        self.template = template
        self.threshold = threshold
        self.scales = scales
        self.angles = angles
        self.method = method
        self.max_overlap = max_overlap

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue: looks for the cup of scikit-image's coffee."""
        from skimage import data

        return cls(data.coffee()[110:140, 220:260].copy())

    @property
    def takes(self):
        """The kind of the template."""
        return (Kind.GRAY if np.ndim(self.template) == 2 else Kind.RGB,)

    def check_params(self):
        """See `Step.check_params`."""
        picture = self.template
        good = isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.size
        if not (good and (picture.ndim == 2 or picture.shape[2:] == (3,))):
            refuse("template", picture, "an rgb or gray image, uint8", self)
        if (picture == picture[0, 0]).all():
            hint = "It is of one colour, which nothing can be told by."
            refuse("template", picture, "an image with different levels", self, hint)
        check_number("threshold", self.threshold, owner=self, at_least=0, at_most=1)
        check_all("scales", self.scales, _is_scale, "numbers above 0", self)
        check_all("angles", self.angles, _is_number, "numbers", self)
        check_choice("method", self.method, tuple(_METHODS), owner=self)
        check_number("max_overlap", self.max_overlap, owner=self, at_least=0, at_most=1)

    def prepare(self):
        """See `Step.prepare`."""
        scaled = [_scaled(self.template, scale) for scale in self.scales]
        return [_turned(picture, angle % 360) for picture in scaled for angle in self.angles]

    def apply(self, image):
        """See `Step.apply`."""
        found = [np.empty((0, 5))]
        for picture, mask in self._tables:
            height, width = picture.shape[:2]
            if height <= image.shape[0] and width <= image.shape[1]:
                scores = self._scores(image, picture, mask)
                y, x = _peaks(scores, self.threshold)
                found.append(np.column_stack([x, y, x + width, y + height, scores[y, x]]))
        found = np.concatenate(found)
        kept = found[non_max_suppression(found[:, :4], found[:, 4], self.max_overlap)]
        return Detections(kept[:, :4], np.minimum(kept[:, 4], 1), shape=image.shape[:2])

    def _scores(self, image, picture, mask):
        scores = cv2.matchTemplate(image, picture, _METHODS[self.method], mask=mask)
        if self.method == "sqdiff_normed":
            np.subtract(1, scores, out=scores)
        if mask is not None:
            # Where all that the mask leaves is of one level OpenCV divides by nothing.
            scores[~(scores <= 1 + _ROUNDING)] = 0
        return scores


def _is_number(value):
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and np.isfinite(value)


def _is_scale(value):
    return _is_number(value) and value > 0


def _scaled(picture, scale):
    size = [max(1, round(scale * side)) for side in picture.shape[1::-1]]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return picture if scale == 1 else cv2.resize(picture, size, interpolation=method)


def _turned(picture, angle):
    """A picture turned clockwise, and a mask of what of the result it covers, None for all."""
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(picture, -int(angle // 90))), None
    height, width = picture.shape[:2]
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    size = np.ceil(np.abs(turn) @ (width, height)).astype(int)
    shift = (size - 1) / 2 - turn @ ((width - 1) / 2, (height - 1) / 2)
    matrix = np.column_stack([turn, shift])
    whole = np.full((height, width), 255, np.uint8)
    mask = cv2.warpAffine(whole, matrix, size.tolist())
    turned = cv2.warpAffine(picture, matrix, size.tolist(), borderMode=cv2.BORDER_REPLICATE)
    mask = np.where(mask == 255, np.float32(1), np.float32(0))
    return turned, np.dstack([mask] * 3) if picture.ndim == 3 else mask


def _peaks(scores, threshold):
    """Rows and columns where a score reaches the threshold and none around it is higher."""
    highest = scores == cv2.dilate(scores, _AROUND)
    return np.nonzero(highest & (scores >= threshold))
