"""GIF, by Pillow, which gets a still GIF of the first frame."""

from dataclasses import dataclass

from vision.errors import ImageError
from vision.formats.pixels import decode_by_pillow, open_by_pillow
from vision.headers import MAX_BLOCKS, MAX_FRAMES, Header, check_size, little, take

SIGNATURES = (b"GIF87a", b"GIF89a")

_LZW = 4096  # pixels of its longest code, which takes more than a byte
_SIDE = 65_535  # the longest that it can describe
_INTERLACED = 0x40


@dataclass(frozen=True, slots=True)
class Detail:
    """Where the palette ends, where the first frame lies, its transparent index or None."""

    palette_end: int
    frame: tuple
    transparent: int | None


def read_header(data):
    """Walk the blocks to the trailer (CompuServe, GIF89a, 1990)."""
    screen = take(data, 0, 13)
    palette_end = 13 + _palette_size(screen[10])
    first, transparent, frames = None, None, 0
    for kind, begin, end in _blocks(data, palette_end):
        if kind == b",":
            frames += 1
            first = first or (begin, end)
        elif first is None:
            control = take(data, begin + 1, 6)
            if control[:2] == b"\xf9\x04":
                transparent = control[5] if control[2] & 1 else None
    if first is None:
        raise ImageError("damaged: a GIF without frame")
    box = take(data, first[0] + 1, 8)
    columns, rows = little(box[4:6]), little(box[6:8])
    check_size(columns, rows, columns * rows / _LZW, data)
    header = Header(
        "GIF",
        # A frame that reaches beyond the screen enlarges the picture, as in Pillow.
        width=max(little(screen[6:8]), little(box[0:2]) + little(box[4:6])),
        height=max(little(screen[8:10]), little(box[2:4]) + little(box[6:8])),
        channels=3 if transparent is None else 4,
        depth=8,
        frames=frames,
    )
    return header, Detail(palette_end, first, transparent)


def _palette_size(flags):
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks(data, at):
    """Kind, start and end of every frame and extension."""
    frames = 0
    for _ in range(MAX_BLOCKS):
        begin, head = at, data[at : at + 10]  # of a frame; `take` says what is missing
        kind = head[:1] or take(data, at, 1)
        if kind == b",":
            frames += 1
            if frames > MAX_FRAMES:
                raise ImageError(f"it has more than {MAX_FRAMES:,} frames: split it")
            flags = head[9] if len(head) == 10 else take(data, at, 10)[9]
            at = _skip(data, at + 11 + _palette_size(flags))
        elif kind == b";":
            return
        elif kind == b"!":
            take(data, at, 8)
            at = _skip(data, at + 2)
        else:
            at += 1  # other decoders pass over stray bytes between blocks too
            continue
        yield kind, begin, at
    raise ImageError(f"more than {MAX_BLOCKS:,} GIF blocks")


def _skip(data, at):
    """Past the sub-blocks that begin at `at`."""
    try:
        while length := data[at]:
            at += length + 1
    except IndexError:
        take(data, at, 1)  # says where the file ends
    return at + 1


def decode(data, header, detail, mode):
    """The first frame on a screen as large as the header says."""
    control = b""
    if detail.transparent is not None:
        control = b"!\xf9\x04\x01\0\0%c\0" % detail.transparent
    size = header.width.to_bytes(2, "little") + header.height.to_bytes(2, "little")
    palette = data[10 : detail.palette_end]
    frame = data[slice(*detail.frame)]
    # Without disposal and further frames Pillow applies no limit of its own.
    still = b"".join((b"GIF89a", size, palette, control, frame, b";"))
    pixels = decode_by_pillow(open_by_pillow("Gif", still), header.channels)
    _refuse_more(palette, frame)
    return pixels


def _refuse_more(palette, frame):
    """Refuse a frame whose data go on when it is full: its header or its data are damaged.

    Pillow leaves them unread; so it is asked for the same data as a frame of a few more pixels,
    which must lack them.
    """
    pixels = little(frame[5:7]) * little(frame[7:9])
    width = pixels // _SIDE + 1
    size = width.to_bytes(2, "little") + (pixels // width + 1).to_bytes(2, "little")
    flags = bytes([frame[9] & ~_INTERLACED])
    larger = b"".join((b"GIF89a", size, palette, b",\0\0\0\0", size, flags, frame[10:], b";"))
    try:
        decode_by_pillow(open_by_pillow("Gif", larger), 3)
    except ImageError:
        return
    raise ImageError("damaged: the GIF's frame has data for more pixels than its size")
