"""`show`: titled pictures side by side, as one small picture that a notebook keeps."""

import base64

from vision.checks import check_integer, refuse
from vision.drawing import contact_sheet, to_display
from vision.io import encode, write

QUALITY = 80  # of photographs; what PNG makes smaller stays PNG, without loss


class Sheet:
    """Titled pictures in one; shows itself in a notebook, as JPEG or PNG, whichever is smaller.

    Parameters
    ----------
    titles : tuple of str
    picture : ndarray of shape (H, W, 3), uint8
    """

    def __init__(self, titles, picture):
        self.titles = tuple(titles)
        self.picture = picture

    def __repr__(self):
        return f"Sheet of {', '.join(self.titles)}"

    def save(self, path):
        """Write it as a picture; the name's ending says which format."""
        write(path, self.picture)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self)} | encoded(self.picture)


def encoded(picture):
    """A picture as a notebook holds it: its type, and the smaller of two files in base64.

    Examples
    --------
    >>> import numpy as np
    >>> list(encoded(np.zeros((8, 8, 3), np.uint8)))
    ['image/png']
    """
    formats = {
        "image/png": encode(picture, "png"),
        "image/jpeg": encode(picture, "jpg", quality=QUALITY),
    }
    best = min(formats, key=lambda name: len(formats[name]))
    return {best: base64.b64encode(formats[best]).decode("ascii")}


def show(pictures, *, columns=None, width=1000):
    """Titled pictures side by side, as a notebook shows them.

    Parameters
    ----------
    pictures : dict of str to ndarray
        Images, masks, label maps or maps by their titles, of any size; see
        `vision.drawing.to_display` for the colours that they get.
    columns : int, optional
        Pictures in a row; without it about as many columns as rows.
    width : int, default=1000
        Of all together, in pixels.

    Returns
    -------
    Sheet
        With the `picture`, and ``save(path)``.

    Raises
    ------
    ParameterError
        If `pictures` is no dictionary, or a number makes no sense.
    ImageError
        If there is no picture, or one cannot be shown.

    Examples
    --------
    >>> import numpy as np
    >>> show({"dark": np.zeros((20, 30), np.uint8), "labels": np.ones((20, 30), np.int32)})
    Sheet of dark, labels
    """
    if not isinstance(pictures, dict):
        refuse("pictures", pictures, "a dictionary of titles to images", "show")
    check_integer("width", width, owner="show", at_least=16)
    shown = [(title, to_display(picture)) for title, picture in pictures.items()]
    return Sheet(pictures, contact_sheet(shown, columns=columns, width=width))
