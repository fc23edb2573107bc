"""Numbers that describe a shape, wherever it lies, however large and turned."""

import math

import numpy as np

from vision.checks import check_bool
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import FeatureStep

# Of OpenCV's normalised moments, divided by m00 to the power 1 + order / 2: white is 1, not 255.
_FACTORS = {
    f"nu{p}{q}": 255 ** ((p + q) / 2) for p in range(4) for q in range(4) if 2 <= p + q <= 3
}


class HuMoments(FeatureStep):
    """Hu's seven moments of a shape: alike wherever it lies, however large and turned.

    Parameters
    ----------
    log_scale : bool, default=True
        Whether each is ``-sign(h) log10(abs(h))``, 0 for 0: they span many orders of magnitude.
        False: as they are.

    Levels are weights: 255 is 1, 0 is nothing. Of a mask it is the shape of all that is white; of
    a gray image, how its light is spread. A mirrored shape differs in the sign of the seventh
    alone. Contours have the moments of each: ``found.hu_moments``.

    Takes a mask or a gray image, ``(H, W)``, uint8. Gives features, ``(7,)`` float32, named
    ``hu_1`` to ``hu_7``; all 0 where the image is black.

    Raises
    ------
    ParameterError
        If `log_scale` is not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    M.-K. Hu, "Visual pattern recognition by moment invariants", IRE Transactions on Information
    Theory 8(2), 1962, doi:10.1109/TIT.1962.1057692.

    Examples
    --------
    >>> mask = np.zeros((40, 40), np.uint8)
    >>> mask[5:15, 5:35] = 255
    >>> first = HuMoments(log_scale=False)(mask)[0]  # of a bar (a^2 + b^2) / 12ab, nearly
    >>> round(float(first), 3), round((10**2 + 30**2) / (12 * 10 * 30), 3)
    (0.277, 0.278)
    """

    takes = (Kind.GRAY,)

    def __init__(self, log_scale=True):
        self.log_scale = log_scale

    def check_params(self):
        """See `Step.check_params`."""
        check_bool("log_scale", self.log_scale, owner=self)

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        return np.array([f"hu_{number}" for number in range(1, 8)], object)

    def apply(self, image):
        """See `Step.apply`."""
        moments = cv2.moments(image)
        for name, factor in _FACTORS.items():
            moments[name] *= factor
        found = cv2.HuMoments(moments).ravel().tolist()
        if self.log_scale:
            found = [-math.copysign(1, h) * math.log10(abs(h)) if h else 0.0 for h in found]
        return np.array(found, np.float32)
