"""What a file is that is no image, so that the message can say it."""

from vision.errors import ImageError
from vision.headers import FORMATS

_NO_IMAGE = (
    (b"version https://git-lfs", "a git-lfs pointer: 'git lfs pull' fetches the file itself"),
    (b"%pdf", "a PDF document"),
    (b"pk\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document or SVG drawing"),
    (b"<", "a web page"),
    (b"{", "JSON text"),
    (b"\xd0\xcf\x11\xe0", "a Microsoft compound file (Thumbs.db, Office)"),
    (b"\0\0\0\x01bud1", "a folder's settings of macOS (.DS_Store)"),
    (b"\0\x05\x16\x07", "the macOS companion of another file (AppleDouble)"),
    (b"\x7felf", "a program"),
)
_NOT_READ = (
    (b"8bps", "Photoshop"),
    (b"#?radiance", "Radiance HDR"),
    (b"v/1\x01", "OpenEXR"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cjxl ", "JPEG XL"),
    (b"\0\0\x01\0", "a Windows icon"),
    (b"\x01\xda", "SGI"),
    (b"p7", "PAM"),
    (b"pf", "PFM"),
)


def refuse_unknown(data):
    """Raise an `ImageError` that says what the bytes look like.

    Examples
    --------
    >>> refuse_unknown(b"<!DOCTYPE html><title>404</title>")
    Traceback (most recent call last):
    ...
    vision.errors.ImageError: it is no image but a web page
    """
    head = data[:512]
    start = head.lstrip().lower()
    for signature, name in _NO_IMAGE:
        if start.startswith(signature):
            raise ImageError(f"it is no image but {name}")
    for signature, name in _NOT_READ:
        if start.startswith(signature):
            raise ImageError(
                f"its format seems to be {name}; the ones read are {', '.join(FORMATS)}"
            )
    if not head.strip(b"\0"):
        raise ImageError("it begins with nothing but zero bytes: its content was lost")
    if head.isascii() and not set(head) & set(range(9)):
        raise ImageError(f"it is no image but text, which begins {head[:40].decode()!r}")
    raise ImageError(f"it begins with {head[:8]!r}, which is none of {', '.join(FORMATS)}")
