"""The boxes of ISO media files, which hold AVIF and JPEG 2000."""

from vision.errors import ImageError
from vision.headers import big, check_end, take


def read_boxes(data):
    """Where the contents of the outermost boxes lie (ISO/IEC 14496-12, section 4.2).

    Parameters
    ----------
    data : bytes-like
        The whole file.

    Returns
    -------
    dict
        ``{name: (start, end)}``; of boxes of one name the last.

    Raises
    ------
    ImageError
        If a box ends beyond the file.
    """
    at, boxes = 0, {}
    while at < len(data):
        piece = take(data, at, 8)
        length, name, begin = big(piece[:4]), piece[4:], at + 8
        if length == 1:
            length, begin = big(take(data, at + 8, 8)), at + 16
        end = len(data) if length == 0 else at + length
        check_end(end, data, "the boxes of its format")
        if end < begin:
            raise ImageError(f"damaged: a box of {length} bytes")
        boxes[name] = begin, end
        at = end
    return boxes
