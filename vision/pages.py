"""What the pages of the toolkit share: their templates, how they say numbers, pictures in them."""

import base64
import shlex
import time

from vision.progress import in_words
from vision.quantities import in_bytes, took

SIDE = 320  # pixels, the longer side of a picture in a page
QUALITY = 78


def environment():
    """The templates in ``vision/templates``, everything put into them escaped.

    Returns
    -------
    jinja2.Environment
    """
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("vision"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters |= {"took": took, "in_bytes": in_bytes, "when": when, "command": shlex.join}
    found.filters["in_words"] = lambda seconds: in_words(seconds).replace(" ", "\u00a0")
    return found


def when(seconds):
    """A time since 1970 as people write it, in the time zone of the machine."""
    return time.strftime("%Y-%m-%d at %H:%M", time.localtime(seconds))


def data_uri(picture, format="jpg", side=SIDE):
    """A picture as the source of an ``img``, so that the page needs no other file.

    Parameters
    ----------
    picture : (H, W) or (H, W, 3) ndarray of uint8
    format : {"jpg", "png"}, default="jpg"
    side : int, default=320
        The longer side is reduced to that many pixels.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> data_uri(np.zeros((4, 4), np.uint8), "png")[:22]
    'data:image/png;base64,'
    """
    from vision.drawing import thumbnail
    from vision.encoding import encode

    quality = QUALITY if format == "jpg" else None
    data = encode(thumbnail(picture, side), format, quality=quality)
    kind = "jpeg" if format == "jpg" else format
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
