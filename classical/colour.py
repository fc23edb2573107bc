"""Colour spaces: grey and back, HSV and HLS and back, CIE Lab and back."""

import numpy as np

from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class Gray(Step):
    """The luma of a colour image: one grey value a pixel.

    0.299 red + 0.587 green + 0.114 blue (Rec. 601), rounded to the image's dtype. An image that
    is gray already is copied.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8 or uint16, or a float
    image. Gives ``(H, W)`` of the same dtype: gray, or float for a float image.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ITU-R Recommendation BT.601-7, "Studio encoding parameters of digital television", 2011,
    section 2.5.1.

    Examples
    --------
    >>> Gray()(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)).tolist()
    [[76, 150, 29]]
    """

    takes = (Kind.RGB, Kind.GRAY, Kind.FLOAT)
    gives = Kind.GRAY
    dtypes = ("uint8", "uint16")

    def gives_for(self, kind):
        """A gray image, whatever comes; a float image stays one."""
        return kind if kind is Kind.FLOAT else Kind.GRAY

    def apply(self, image):
        """See `Step.apply`."""
        return image.copy() if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


class ToRGB(Step):
    """Three equal channels of a gray image.

    An image that has three channels already is copied. `HSVToRGB` and `LabToRGB` are the ways
    back from the other colour spaces.

    Takes a gray image or a mask, ``(H, W)``, or an rgb image, ``(H, W, 3)``, uint8 or uint16, or
    a float image. Gives ``(H, W, 3)`` of the same dtype: rgb, or float for a float image.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    Examples
    --------
    >>> ToRGB()(np.array([[7, 200]], np.uint8)).tolist()
    [[[7, 7, 7], [200, 200, 200]]]
    """

    takes = (Kind.GRAY, Kind.RGB, Kind.FLOAT)
    gives = Kind.RGB
    dtypes = ("uint8", "uint16")

    def gives_for(self, kind):
        """Rgb; a float image stays one."""
        return kind if kind is Kind.FLOAT else Kind.RGB

    def apply(self, image):
        """See `Step.apply`."""
        return image.copy() if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)


class ToHSV(Step):
    """Hue, saturation and value of a colour image, in OpenCV's 8-bit units.

    Hue is half the angle in degrees: 0 to 179 with red at 0, yellow 30, green 60, cyan 90, blue
    120 and magenta 150; it is an angle, so 179 and 0 are neighbours. Saturation and value are 0
    to 255. Gray pixels have hue and saturation 0.

    Takes an rgb image, ``(H, W, 3)``, uint8. Gives an hsv image, ``(H, W, 3)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978, doi:10.1145/800248.807361.

    Examples
    --------
    >>> ToHSV()(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 128]]], np.uint8)).tolist()
    [[[0, 255, 255], [60, 255, 255], [120, 255, 128]]]
    """

    takes = (Kind.RGB,)
    gives = Kind.HSV

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.cvtColor(image, cv2.COLOR_RGB2HSV)


class HSVToRGB(Step):
    """The colour image that an hsv image shows.

    The way back from `ToHSV`: 8 bits of hue, saturation and value do not hold every colour, so a
    picture that went there and back differs by up to 5 levels a channel.

    Takes an hsv image, ``(H, W, 3)``, uint8, hue 0 to 179. Gives an rgb image, ``(H, W, 3)``,
    uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978, doi:10.1145/800248.807361.

    Examples
    --------
    >>> HSVToRGB()(np.array([[[0, 255, 255], [120, 255, 128]]], np.uint8)).tolist()
    [[[255, 0, 0], [0, 0, 128]]]
    """

    takes = (Kind.HSV,)
    gives = Kind.RGB

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.cvtColor(image, cv2.COLOR_HSV2RGB)


class ToHLS(Step):
    """Hue, lightness and saturation of a colour image, in OpenCV's 8-bit units.

    Hue is half the angle in degrees, 0 to 179, as in `ToHSV`. Lightness, 0 to 255, is the mean of
    the largest and the smallest channel: white is 255 and a pure colour 128. Saturation, 0 to
    255, is full wherever a channel is 0 or 255, so that near black and white it says little.
    (OpenCV itself rounds a hue just below red up to 180; here it is 0.)

    Takes an rgb image, ``(H, W, 3)``, uint8. Gives an hls image, ``(H, W, 3)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    G. H. Joblove and D. Greenberg, "Color spaces for computer graphics", SIGGRAPH 1978,
    doi:10.1145/800248.807362.

    Examples
    --------
    >>> ToHLS()(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 128]]], np.uint8)).tolist()
    [[[0, 128, 255], [60, 128, 255], [120, 64, 255]]]
    """

    takes = (Kind.RGB,)
    gives = Kind.HLS

    def apply(self, image):
        """See `Step.apply`."""
        hls = cv2.cvtColor(image, cv2.COLOR_RGB2HLS)
        hue = cv2.extractChannel(hls, 0)
        cv2.threshold(hue, 179, 0, cv2.THRESH_TOZERO_INV, dst=hue)
        return cv2.insertChannel(hue, hls, 0)


class HLSToRGB(Step):
    """The colour image that an hls image shows.

    The way back from `ToHLS`: 8 bits of hue, lightness and saturation do not hold every colour,
    so a picture that went there and back differs by up to 5 levels a channel.

    Takes an hls image, ``(H, W, 3)``, uint8, hue 0 to 179. Gives an rgb image, ``(H, W, 3)``,
    uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    G. H. Joblove and D. Greenberg, "Color spaces for computer graphics", SIGGRAPH 1978,
    doi:10.1145/800248.807362.

    Examples
    --------
    >>> HLSToRGB()(np.array([[[0, 128, 255], [120, 64, 255]]], np.uint8)).tolist()
    [[[255, 1, 1], [0, 0, 128]]]
    """

    takes = (Kind.HLS,)
    gives = Kind.RGB

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.cvtColor(image, cv2.COLOR_HLS2RGB)


class ToLab(Step):
    """CIE L*a*b* of a colour image: distances are about as large as they look.

    Lightness L is 0 to 100, a (green to red) and b (blue to yellow) are about -128 to 127, in
    true units and not in the rescaled ones of 8-bit OpenCV. Read as sRGB with white point D65;
    OpenCV's tables keep it within 0.5 of the exact value.

    Takes an rgb image, ``(H, W, 3)``, uint8. Gives a lab image, ``(H, W, 3)``, float32.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ISO/CIE 11664-4:2019, "Colorimetry, part 4: CIE 1976 L*a*b* colour space".

    Examples
    --------
    >>> ToLab()(np.array([[[255, 0, 0]]], np.uint8)).round(1).tolist() # doctest: +ELLIPSIS
    [[[53.2..., 80.0..., 67.1...]]]
    """

    takes = (Kind.RGB,)
    gives = Kind.LAB

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.cvtColor(np.divide(image, 255, dtype=np.float32), cv2.COLOR_RGB2Lab)


class LabToRGB(Step):
    """The colour image that a lab image shows.

    The way back from `ToLab`: to within one level of the picture that went in. Colours outside
    of sRGB are cut off at its border, channel by channel.

    Takes a lab image, ``(H, W, 3)``, float32. Gives an rgb image, ``(H, W, 3)``, uint8.

    Raises
    ------
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    ISO/CIE 11664-4:2019, "Colorimetry, part 4: CIE 1976 L*a*b* colour space".

    Examples
    --------
    >>> LabToRGB()(np.array([[[100, 0, 0], [53.24, 80.09, 67.2]]], np.float32)).tolist()
    [[[255, 255, 255], [255, 0, 0]]]
    """

    takes = (Kind.LAB,)
    gives = Kind.RGB
    dtypes = ()

    def apply(self, image):
        """See `Step.apply`."""
        return cv2.convertScaleAbs(cv2.cvtColor(image, cv2.COLOR_Lab2RGB), alpha=255)
