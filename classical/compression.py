"""What compression does to a picture."""

from vision.checks import check_integer
from vision.errors import ImageError
from vision.kinds import BLENDED, Kind
from vision.opencv import cv2
from vision.step import Step

LONGEST = 65_500  # pixels: no side of a JPEG is longer in libjpeg


class JPEGCompression(Step):
    """The picture as it comes back from a JPEG file: blocks, ringing at edges, pale small colours.

    Parameters
    ----------
    quality : int, default=50
        1 to 100, libjpeg's scale: 90 is hardly seen, 10 very much. Colours are kept at half the
        resolution (4:2:0), as cameras do.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8, no side over 65,500
    pixels. Gives the same kind, shape and dtype; of a mask it makes a gray image.

    Raises
    ------
    ParameterError
        If `quality` is not whole or not from 1 to 100.
    ImageError
        If a side is too long.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    G. K. Wallace, "The JPEG Still Picture Compression Standard", Communications of the ACM 34(4),
    1991, doi:10.1145/103085.103089.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.full((8, 8), 128, np.uint8)
    >>> stripes[:, ::2] = 136
    >>> JPEGCompression(quality=10)(stripes)[0, :4].tolist()
    [128, 128, 128, 128]
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = BLENDED

    def __init__(self, quality=50):
        self.quality = quality

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("quality", self.quality, owner=self, at_least=1, at_most=100)

    def prepare(self):
        """The settings of the encoder."""
        return [
            cv2.IMWRITE_JPEG_QUALITY,
            int(self.quality),
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]

    def apply(self, image):
        """See `Step.apply`."""
        if max(image.shape[:2]) > LONGEST:
            raise ImageError(f"JPEG has no side over {LONGEST} pixels. Got {image.shape[:2]}.")
        colour = image.ndim == 3
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if colour else image
        made, data = cv2.imencode(".jpg", pixels, self._tables)
        if not made:
            raise ImageError(f"OpenCV made no JPEG of {image.shape}.")
        found = cv2.imdecode(data, cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
        return cv2.cvtColor(found, cv2.COLOR_BGR2RGB) if colour else found
