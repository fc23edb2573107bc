"""What enters a pipeline from files: a pipeline that takes no such picture is refused at once."""

import contextlib

from vision.conversions import FROM_RGB
from vision.errors import ImageError, KindError
from vision.images import Images
from vision.io import probe
from vision.kinds import Kind, listed

MODES = ("rgb", "gray", "unchanged")  # of vision.read, without its four channels

_MASKS = (Kind.MASK, Kind.EDGES)
_AS_STORED = (Kind.RGB, Kind.GRAY, *_MASKS, Kind.FLOAT, Kind.MAP, Kind.LABELS)
# What a picture may be that is read so, the usual kind first.
_GIVEN = {"rgb": (Kind.RGB,), "gray": (Kind.GRAY, *_MASKS)}
_TRIED = 16  # pictures of which the first that can be read says if they are in colour
_FROM_RGB = {**FROM_RGB, Kind.FLOAT: "ToFloat()"}


def entry_of(kinds, mode, reader=None):
    """The kind of picture that enters a pipeline.

    Parameters
    ----------
    kinds : collection of Kind
        What the pipeline takes: `Plan.kinds`, or what `chain_kinds` gives.
    mode : str or None
        How the pictures are read, see `vision.read`; None where nobody knows.
    reader : Images, optional
        What reads them, for the message; a run by default.

    Returns
    -------
    Kind

    Raises
    ------
    KindError
        If no picture that is read so can enter; the message names the mode, or the step to put
        in front.

    Examples
    --------
    >>> entry_of([Kind.GRAY], "gray")
    <Kind.GRAY: 'gray'>
    >>> entry_of([Kind.GRAY], "rgb")
    Traceback (most recent call last):
    ...
    vision.errors.KindError: The pictures are read as rgb, but the pipeline takes a gray image.
    Read them with mode='gray' (--mode gray), or put Gray() in front.
    """
    given = _GIVEN.get(mode, _AS_STORED)
    for kind in given:
        if kind in kinds or Kind.ANY in kinds:
            return kind
    how = "read as they are stored" if given is _AS_STORED else f"read as {mode}"
    message = f"The pictures are {how}, but the pipeline takes {listed(kinds)}."
    raise KindError(f"{message} {_hint(kinds, mode, reader)}".strip())


def usual_mode(kinds):
    """How files are read for a pipeline where nobody says: as RGB, or as stored if it takes none.

    Parameters
    ----------
    kinds : collection of Kind
        As for `entry_of`.

    Returns
    -------
    str

    Examples
    --------
    >>> usual_mode([Kind.RGB, Kind.GRAY]), usual_mode([Kind.GRAY])
    ('rgb', 'unchanged')
    """
    colour = Kind.RGB in kinds or Kind.ANY in kinds
    return "unchanged" if not colour and set(kinds) & set(_GIVEN["gray"]) else "rgb"


def check_first(kinds, images):
    """Refuse colour pictures, read as they are stored, for a pipeline that takes gray ones alone.

    Parameters
    ----------
    kinds : collection of Kind
        As for `entry_of`.
    images : Images
        The header of its first picture is looked at; of the next, where that cannot be read.

    Raises
    ------
    KindError
        If it is in colour; the message names the mode, or the step to put in front.
    """
    for index in range(min(len(images), _TRIED)):
        with contextlib.suppress(ImageError):  # a row of the errors, later
            check_channels(kinds, probe(images.data(index)).channels, images.sources[index])
            break


def check_channels(kinds, channels, name):
    """Refuse a picture in colour, read as it is stored, for a pipeline that takes gray alone.

    Parameters
    ----------
    kinds : collection of Kind
        As for `entry_of`.
    channels : int
        Of the picture.
    name : str
        Of the picture, for the message.

    Raises
    ------
    KindError
        As `check_first`.

    Examples
    --------
    >>> check_channels([Kind.GRAY], 1, "scan.png")
    >>> check_channels([Kind.GRAY], 3, "photo.jpg")
    Traceback (most recent call last):
    ...
    vision.errors.KindError: The pictures are in colour, as 'photo.jpg' is, but the pipeline takes a
    gray image. Read them with mode='gray' (--mode gray), or put Gray() in front.
    """
    if channels > 1 and usual_mode(kinds) != "rgb":
        message = f"The pictures are in colour, as {name!r} is, but the pipeline takes"
        raise KindError(f"{message} {listed(kinds)}. {_hint(kinds, None, None)}")


def check_entry(kinds, images):
    """Refuse a collection of which no picture can enter a pipeline, before one is read.

    Parameters
    ----------
    kinds : collection of Kind
        As for `entry_of`.
    images : Images, list or ndarray
        The batch. Anything but `Images` of files, read in a mode that tells their kind, passes.

    Raises
    ------
    KindError
        As for `entry_of`.

    Examples
    --------
    >>> check_entry([Kind.GRAY], [])
    """
    if isinstance(images, Images) and images.fixed_mode in _GIVEN:
        entry_of(kinds, images.fixed_mode, images)


def _hint(kinds, mode, reader):
    gray, rgb = (_in_words(name, reader) for name in ("gray", "rgb"))
    if Kind.RGB in kinds:
        return f"Read them with {rgb}, or put ToRGB() in front."
    kind = next((kind for kind in (Kind.GRAY, *kinds) if kind in kinds and kind in _FROM_RGB), None)
    if kind is None:
        return ""
    front = f"{_FROM_RGB[kind]} in front"
    if kind is Kind.GRAY:
        return f"Read them with {gray}, or put {front}."
    if kind in _MASKS:
        return f"Files of masks are read with {gray}; photographs need {front}."
    return f"Put {front}." if mode == "rgb" else f"Read them with {rgb} and put {front}."


def _in_words(mode, reader):
    return f"mode={mode!r} (--mode {mode})" if reader is None else f"Images(..., mode={mode!r})"
