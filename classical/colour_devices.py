"""Colour as devices carry it: YCrCb of video and JPEG, CMYK of print."""

from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class ToYCrCb(Step):
    """Luma and two colour differences of a colour image, as JPEG stores it.

    Y is what `Gray` gives; Cr is 0.713 (red - Y) + 128 and Cb is 0.564 (blue - Y) + 128, all on
    the full range of 0 to 255, as in JPEG and not on the narrower one of video. Gray pixels have
    128 in both. Cr comes before Cb: OpenCV's order, which Pillow and scikit-image have the other
    way round.

    Takes an rgb image, ``(H, W, 3)``, uint8. Gives a ycrcb image, ``(H, W, 3)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ITU-T Recommendation T.871, "JPEG File Interchange Format", 2011, section 7.

    Examples
    --------
    >>> import numpy as np
    >>> ToYCrCb()(np.array([[[255, 0, 0], [0, 0, 255], [9, 9, 9]]], np.uint8)).tolist()
    [[[76, 255, 85], [29, 107, 255], [9, 128, 128]]]
    """

    takes = (Kind.RGB,)
    gives = Kind.YCRCB

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)


class YCrCbToRGB(Step):
    """The colour image that a ycrcb image shows.

    The way back from `ToYCrCb`: to within one level of the picture that went in. Colours outside
    of RGB, as where only Y was changed, are cut off channel by channel.

    Takes a ycrcb image, ``(H, W, 3)``, uint8. Gives an rgb image, ``(H, W, 3)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ITU-T Recommendation T.871, "JPEG File Interchange Format", 2011, section 7.

    Examples
    --------
    >>> import numpy as np
    >>> YCrCbToRGB()(np.array([[[76, 255, 85], [9, 128, 128]]], np.uint8)).tolist()
    [[[254, 0, 0], [9, 9, 9]]]
    """

    takes = (Kind.YCRCB,)
    gives = Kind.RGB

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.cvtColor(image, cv2.COLOR_YCrCb2RGB)


class ToCMYK(Step):
    """Cyan, magenta, yellow and black ink of a colour image, as much black as possible.

    Black is 255 minus the largest channel; the inks cover what is missing to that channel:
    cyan = 255 (largest - red) / largest, magenta and yellow likewise from green and blue. 0 is
    no ink and 255 full cover. This is the device-independent textbook formula; a printer's own
    colours need its ICC profile, and Pillow's ``convert("CMYK")`` uses no black at all.

    Takes an rgb image, ``(H, W, 3)``, uint8. Gives a cmyk image, ``(H, W, 4)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 7.2.

    Examples
    --------
    >>> import numpy as np
    >>> ToCMYK()(np.array([[[255, 0, 0], [100, 200, 50], [0, 0, 0]]], np.uint8)).tolist()
    [[[0, 255, 255, 0], [128, 0, 191, 55], [0, 0, 0, 255]]]
    """

    takes = (Kind.RGB,)
    gives = Kind.CMYK

    def apply(self, image):
        """See `Step.apply`."""
        channels = cv2.split(image)
        largest = cv2.max(cv2.max(channels[0], channels[1]), channels[2])
        # OpenCV divides bytes by zero to 0: a black pixel needs no other ink
        inks = [cv2.divide(cv2.subtract(largest, one), largest, scale=255) for one in channels]
        return cv2.merge([*inks, cv2.bitwise_not(largest)])


class CMYKToRGB(Step):
    """The colour image that four inks show.

    Red is (255 - cyan) (255 - black) / 255, green and blue likewise of magenta and yellow. The
    way back from `ToCMYK`: to within one level of the picture that went in.

    Takes a cmyk image, ``(H, W, 4)``, uint8. Gives an rgb image, ``(H, W, 3)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 4th edition, 2018, section 7.2.

    Examples
    --------
    >>> import numpy as np
    >>> CMYKToRGB()(np.array([[[0, 255, 255, 0], [128, 0, 191, 55]]], np.uint8)).tolist()
    [[[255, 0, 0], [100, 200, 50]]]
    """

    takes = (Kind.CMYK,)
    gives = Kind.RGB

    def apply(self, image):
        """See `Step.apply`."""
        *inks, black = cv2.split(cv2.bitwise_not(image))
        return cv2.merge([cv2.multiply(ink, black, scale=1 / 255) for ink in inks])
