"""One channel of a colour image, named as its colour space spells it."""

from vision.checks import check_choice
from vision.errors import KindError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step

# The channels of each colour space, in the order in which an image holds them.
CHANNELS = {
    "rgb": ("r", "g", "b"),
    "hsv": ("h", "s", "v"),
    "hls": ("h", "l", "s"),
    "lab": ("l", "a", "b"),
    "ycrcb": ("y", "cr", "cb"),
    "cmyk": ("c", "m", "y", "k"),
}


class Channel(Step):
    """One channel of a colour image.

    To split an image into all of its channels, as ``cv2.split`` does, put several into
    `Branches`: the conversion before them is computed once.

    Parameters
    ----------
    space : {"rgb", "hsv", "hls", "lab", "ycrcb", "cmyk"}
        The colour space of the image: nothing is converted.
    channel : str
        The channel, as the space's name spells it: ``"s"`` of ``"hsv"``, ``"cr"`` of ``"ycrcb"``.

    Takes an image of that colour space: rgb, uint8 or uint16, or float of three channels for
    "rgb", lab, float32, for "lab", and uint8 for the others. Gives ``(H, W)`` of the same dtype:
    gray, float of a float image, and a map of a lab image. (A hue is an angle, though shown as
    gray: 179 and 0 are neighbours.)

    Raises
    ------
    ParameterError
        If `space` is unknown, or has no such `channel`.
    KindError
        If the image is of another kind or dtype, or a float image of one channel.

    Examples
    --------
    >>> import numpy as np
    >>> from classical.colour import ToHSV
    >>> red_and_pink = np.array([[[255, 0, 0], [255, 127, 127]]], np.uint8)
    >>> saturation = ToHSV() >> Channel("hsv", "s")
    >>> saturation(red_and_pink).tolist()
    [[255, 128]]
    >>> from vision import Branches
    >>> split = Branches({c: ToHSV() >> Channel("hsv", c) for c in "hsv"})
    >>> {name: channel.tolist() for name, channel in split(red_and_pink).items()}
    {'h': [[0, 0]], 's': [[255, 128]], 'v': [[255, 255]]}
    """

    example = {"space": "hsv", "channel": "s"}

    def __init__(self, space, channel):
        self.space = space
        self.channel = channel

    @property
    def takes(self):
        """The kind of the colour space, for rgb also a float image; anything while unknown."""
        known = isinstance(self.space, str) and self.space in CHANNELS
        if self.space == "rgb":
            return (Kind.RGB, Kind.FLOAT)
        return (Kind(self.space) if known else Kind.ANY,)

    @property
    def dtypes(self):
        """8 bits, for rgb also 16; Lab is float32."""
        return {"rgb": ("uint8", "uint16"), "lab": ()}.get(self.space, ("uint8",))

    def check_params(self):
        """See `Step.check_params`."""
        check_choice("space", self.space, tuple(CHANNELS), owner=self)
        check_choice("channel", self.channel, CHANNELS[self.space], owner=self)

    def gives_for(self, kind):
        """Gray, but a map of a lab image; a float image stays one."""
        return {Kind.LAB: Kind.MAP, Kind.FLOAT: Kind.FLOAT}.get(kind, Kind.GRAY)

    def prepare(self):
        """See `Step.prepare`."""
        return CHANNELS[self.space].index(self.channel)

    def apply(self, image):
        """See `Step.apply`."""
        if image.ndim == 2:
            raise KindError("Channel takes three channels. Got a float image of one.")
        return cv2.extractChannel(image, self._tables)
