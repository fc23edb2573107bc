"""`show`: titled pictures side by side, as one small picture that a notebook keeps."""

import base64

import numpy as np

from vision.checks import check_integer, refuse
from vision.conversions import to_array
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
    pictures : dict of str to ndarray, list of ndarray, or ndarray
        Images, masks, label maps or maps by their titles, of any size; see
        `vision.drawing.to_display` for the colours that they get. Those of a list, or of a 4-D
        array, are titled by their place, 0 first; one alone is titled "image".
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
        If `pictures` is none of these, or a number makes no sense.
    ImageError
        If there is no picture, or one cannot be shown.

    Examples
    --------
    >>> show({"dark": np.zeros((20, 30), np.uint8), "labels": np.ones((20, 30), np.int32)})
    Sheet of dark, labels
    >>> show(np.zeros((20, 30), np.uint8))
    Sheet of image
    """
    pictures = _titled(pictures)
    check_integer("width", width, owner="show", at_least=16)
    shown = [(title, to_display(picture)) for title, picture in pictures.items()]
    return Sheet(pictures, contact_sheet(shown, columns=columns, width=width))


def _titled(pictures):
    if isinstance(pictures, dict):
        return pictures
    if isinstance(pictures, np.ndarray) and pictures.ndim < 4:
        return {"image": pictures}
    if isinstance(pictures, list | tuple | np.ndarray):
        return {str(place): picture for place, picture in enumerate(pictures)}
    allowed = "a dictionary of titles to images, a list of images or one image"
    way_out = to_array(pictures) or "As in vision.show({'image': image})."
    return refuse("pictures", pictures, allowed, "show", way_out)
