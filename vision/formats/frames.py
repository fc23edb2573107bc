"""The frames of an animation but the first, by Pillow, which draws each upon those before it."""

from vision.errors import ImageError
from vision.formats.pixels import decode_by_pillow, open_by_pillow, told

_PLUGINS = {"PNG": "Png", "GIF": "Gif", "WEBP": "WebP", "AVIF": "Avif"}
_MOST = 2_000_000_000  # pixels drawn for a frame, of those before it too: some 20 seconds


def decode_frame(data, header, frame):
    """The pixels of a frame, on the whole canvas.

    Parameters
    ----------
    data : bytes
        The encoded animation.
    header : Header
    frame : int
        From 1.

    Returns
    -------
    ndarray, (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8

    Raises
    ------
    ImageError
        If the data are truncated or damaged, have more than 8 bits a sample, or if too much is to
        be drawn.
    """
    if header.depth > 8:
        raise ImageError(f"of {header.depth} bits a sample only the first frame is read: page=0")
    if header.width * header.height * (frame + 1) > _MOST:
        raise ImageError(
            f"{frame + 1:,} frames of {header.width} x {header.height} are to be drawn for it; "
            f"at most {_MOST:,} pixels are"
        )
    image = open_by_pillow(_PLUGINS[header.format], data)
    try:
        image.seek(frame)
        channels = 4 if image.has_transparency_data else min(header.channels, 3)
    except Exception as error:  # Pillow raises EOFError, OSError, SyntaxError and more here
        raise ImageError(f"truncated or damaged: {told(error)}") from error
    return decode_by_pillow(image, channels)
