"""One module a format: its header, and its pixels from the decoder that was found right on it.

Each module has ``read_header(data)``, which gives a `Header` and what decoding needs besides,
and ``decode(data, header, detail, mode)``, which gives pixels as stored, before orientation.
`vision.io` is the way in.
"""

from vision.errors import ImageError
from vision.formats import avif, bmp, gif, jpeg, jpeg2000, png, pnm, tiff, webp
from vision.formats.contents import refuse_unknown
from vision.formats.frames import decode_frame

_MODULES = {
    "JPEG": jpeg,
    "PNG": png,
    "TIFF": tiff,
    "WEBP": webp,
    "BMP": bmp,
    "GIF": gif,
    "AVIF": avif,
    "PNM": pnm,
    "JPEG2000": jpeg2000,
}
_SIGNATURES = tuple(
    (signature, module) for module in _MODULES.values() for signature in module.SIGNATURES
)


def parse(data):
    """The header of an encoded image, and what decoding it needs besides.

    Parameters
    ----------
    data : bytes-like
        The whole file; anything with ``len`` and slices that are bytes.

    Returns
    -------
    (Header, object)

    Raises
    ------
    ImageError
        If it is none of `vision.headers.FORMATS`, damaged, empty or visibly incomplete.
    """
    if len(data) == 0:
        raise ImageError("empty: it has no bytes")
    head = data[:32]
    header, detail = _module_for(head, data).read_header(data)
    _check_pixels(header)
    return header, detail


def parse_page(header, detail, page):
    """What `parse` gives, of another page of the same file.

    Parameters
    ----------
    header, detail
        What `parse` gave for the first.
    page : int
        Below ``header.frames``.

    Returns
    -------
    (Header, object)
        The frames of an animation have one header.

    Raises
    ------
    ImageError
        As `parse`.
    """
    if header.format == "TIFF":
        header, detail = tiff.read_page(detail, page)
        _check_pixels(header)
    return header, detail


def _check_pixels(header):
    if header.width < 1 or header.height < 1:
        raise ImageError(f"its size is {header.width} x {header.height}: there are no pixels")


def _module_for(head, data):
    for signature, module in _SIGNATURES:
        if head.startswith(signature):
            return module
    return avif if head[4:8] == b"ftyp" else refuse_unknown(data)


def decode_pixels(data, header, detail, mode, page=0):
    """The pixels as they are stored, before orientation.

    Parameters
    ----------
    data : bytes
        The encoded image.
    header, detail
        What `parse`, or `parse_page`, gave for it.
    mode : str
        As in `vision.io.read`; lets a decoder do less, but does not replace
        `vision.formats.pixels.to_mode`.
    page : int, default=0
        The page or frame.

    Returns
    -------
    ndarray, (H, W), (H, W, 3) RGB or (H, W, 4) RGBA

    Raises
    ------
    ImageError
        If the data are truncated or damaged.
    """
    if page and header.format != "TIFF":
        pixels = decode_frame(data, header, page)
    else:
        pixels = _MODULES[header.format].decode(data, header, detail, mode)
    shape = pixels.shape
    if shape[:2] != (header.height, header.width):
        raise ImageError(
            f"damaged: {header.width} x {header.height} by its header, {shape} as decoded"
        )
    if shape[2:] not in ((), (3,), (4,)):
        raise ImageError(f"it has {shape[2]} channels; 1, 3 and 4 are read")
    return pixels
