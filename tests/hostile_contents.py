"""What hostile files hold: pictures damaged in every way, what is no picture at all, and good
pictures that do not look so.

Every function yields contents of one kind or of some; how many does not depend on chance.
"""

import io
import pickle
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageOps

from tests.hostile_headers import claiming, interlaced_png, png_of
from tests.vision.image_files import by_pillow, exif, picture, samples

GOOD, BAD, EITHER = "good", "bad", "either"
HEIGHT, WIDTH = 48, 64
SUFFIXES = {
    "jpeg": ".jpg",
    "png": ".png",
    "gif": ".gif",
    "webp": ".webp",
    "bmp": ".bmp",
    "tiff": ".tif",
    "avif": ".avif",
    "ppm": ".ppm",
    "pgm": ".pgm",
    "pbm": ".pbm",
    "jpeg2000": ".jp2",
}
PLAIN = ("tiff raw", *(name for name in SUFFIXES if name != "tiff"))  # a base of each format
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")  # those with an EXIF orientation


@dataclass(frozen=True)
class Content:
    """The bytes of a hostile file.

    Parameters
    ----------
    kind : str
        What was done to it.
    suffix : str
        Its format, as its name says.
    data : bytes
    expected : {"good", "bad", "either"}
        Whether it is to be read, is to be refused, or nobody can tell.
    reference : ndarray, optional
        The whole picture, (H, W, 3), as a second library or the maker has it. Of a damaged file,
        the one that it was.
    source : bytes, optional
        The file before it was damaged.
    """

    kind: str
    suffix: str
    data: bytes
    expected: str
    reference: np.ndarray | None = None
    source: bytes | None = None


@cache
def bases():
    """Whole files by the names of the samples, with an interlaced PNG of 8 and 16 bits, and deep
    ones: pairs of their bytes and their pixels."""
    found = {name: (data, _pixels(name, data)) for name, data in samples(HEIGHT, WIDTH).items()}
    rgb = picture(HEIGHT, WIDTH)
    deep = rgb.astype(np.uint16) * 257 ^ 0x55
    found["png interlaced"] = interlaced_png(rgb), rgb
    found["png interlaced 16"] = interlaced_png(deep), deep
    rows = b"".join(b"\0" + row.tobytes() for row in deep.astype(">u2"))
    found["png 16"] = png_of(rows, WIDTH, HEIGHT, depth=16, colour=2), deep
    return found


def _pixels(name, data):
    """Upright RGB by Pillow; None of what Pillow cuts to 8 bits, or does not convert alike."""
    if name.startswith(("tiff uint16", "tiff float32", "jpeg cmyk", "tiff cmyk")):
        return None
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
        return np.asarray(upright.convert("RGB"))


def suffix_of(name):
    return SUFFIXES[name.split()[0]]


def is_text(name):
    """Whether a sample is text, which some damage cannot hurt."""
    return name.endswith("plain")


def made(kind, name, data, expected):
    """A content made of a base; None if that is the same still."""
    source, pixels = bases()[name]
    if data == source:
        return None
    return Content(kind, suffix_of(name), data, expected, pixels, source)


def cut(name, rng, count=9):
    """Truncated: within the first bytes, in the middle, and one byte before the end."""
    data, _ = bases()[name]
    places = {len(data) - 1, min(30, len(data) // 3)}
    while len(places) < min(count, len(data) - 1):
        places.add(int(rng.integers(1, len(data))))
    for place in sorted(places):
        yield made(f"cut: {name}", name, data[:place], BAD)


def flipped(name, rng, count=6):
    """One to three bits turned over, anywhere."""
    for _ in range(count):
        data = bytearray(bases()[name][0])
        for _ in range(int(rng.integers(1, 4))):
            data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        yield made(f"flipped bits: {name.split()[0]}", name, bytes(data), EITHER)


def edited(name, rng, count=3):
    """A byte of the header replaced."""
    for _ in range(count):
        data = bytearray(bases()[name][0])
        data[int(rng.integers(min(60, len(data))))] = int(rng.integers(256))
        yield made(f"edited header: {name.split()[0]}", name, bytes(data), EITHER)


def resized(name, rng):
    """Another size in the header: none, twice the height, and a huge one."""
    data, format = bases()[name][0], name.split()[0]
    for title, width, height, expected in (
        ("no width", 0, HEIGHT, BAD),
        ("no height", WIDTH, 0, BAD),
        ("twice the height", WIDTH, 2 * HEIGHT, EITHER),
        ("half the height", WIDTH, HEIGHT // 2, EITHER),
    ):
        if (format == "webp" and 0 in (width, height)) or name == "tiff big" or is_text(name):
            continue  # no zero can be said there
        yield made(f"header of {title}", name, claiming(data, format, width, height), expected)


def zeroed(name, rng):
    """The last third, or a block in the middle, never written to the disk."""
    data = bases()[name][0]
    third = len(data) // 3
    lost = BAD if name.startswith(("png", "jpeg")) else EITHER
    yield made("zeros at the end", name, data[:-third] + bytes(third), lost)
    yield made("zeros in the middle", name, data[:third] + bytes(third) + data[2 * third :], EITHER)


def mangled(name, rng):
    """Sent as text by programs that change line ends, encodings and the eighth bit."""
    data = bases()[name][0]
    lost = BAD if name.startswith("png") else EITHER
    yield made("line ends changed", name, data.replace(b"\n", b"\r\n"), lost)
    as_text = data.decode("utf-8", "replace").encode()
    lost = BAD if name.startswith(("png", "jpeg", "gif", "webp", "avif")) else EITHER
    yield made("stored as UTF-8 text", name, as_text, lost)
    yield made("eighth bit lost", name, bytes(byte & 0x7F for byte in data), EITHER)


def spliced(name, rng):
    """Bytes missing, twice there, or in front."""
    data = bases()[name][0]
    at = len(data) // 2
    yield made("bytes missing in the middle", name, data[:at] + data[at + 7 :], EITHER)
    yield made("bytes twice in the middle", name, data[:at] + data[at - 9 : at] + data[at:], EITHER)
    yield made("bytes in front", name, b"\r\n" + data, BAD)


def followed(name, rng):
    """A whole picture with something behind its end, as cameras and editors leave it."""
    data, pixels = bases()[name]
    if name.startswith(("avif", "jpeg2000")) or is_text(name) or pixels is None:
        return  # made of boxes to the last byte; or numbers that go on
    yield Content("something behind the end", suffix_of(name), data + b"PK\3\4 more", GOOD, pixels)
    if not name.startswith("webp"):
        yield Content("a second picture behind", suffix_of(name), data + data, GOOD, pixels)


def misnamed(name, rng):
    """A whole picture under the suffix of another format, or in capitals."""
    data, pixels = bases()[name]
    if pixels is not None:
        other = ".png" if suffix_of(name) != ".png" else ".jpg"
        yield Content("suffix of another format", other, data, GOOD, pixels)
        yield Content("suffix in capitals", suffix_of(name).upper(), data, GOOD, pixels)


def turned(orientation, rng):
    """A whole picture that is to be turned."""
    stored = picture(HEIGHT, WIDTH)
    for format in FORMATS:
        block = Image.Exif()
        block[0x0112] = orientation
        options = {"lossless": True} if format == "WEBP" else {}
        data = by_pillow(stored, format, exif=block, **options)
        suffix = suffix_of(format.lower())
        yield Content(f"EXIF orientation {orientation}", suffix, data, GOOD, _pixels("", data))
    for order in "<>":
        plain, _ = bases()["jpeg"]
        body = b"Exif\0\0" + exif(orientation, order)
        segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        data = plain[:2] + segment + plain[2:]
        yield Content(f"EXIF orientation {orientation}", ".jpeg", data, GOOD, _pixels("", data))


def confused(rng):
    """EXIF blocks that say nothing: the picture stays as it is."""
    plain, pixels = bases()["jpeg"]
    blocks = [exif(0), exif(9), exif(255), exif(6)[:12], exif(6)[:9], b"", b"MM", exif(3, "<")[:25]]
    blocks.append(exif(6).replace(b"\0\0\0\x08", b"\xff\xff\xff\xf0"))  # entries far outside
    for block in blocks:
        body = b"Exif\0\0" + block
        segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        data = plain[:2] + segment + plain[2:]
        yield Content("EXIF that says nothing", ".jpg", data, GOOD, pixels)


def empty(rng):
    """Nothing, a byte, or a signature alone."""
    for name in PLAIN:
        data, _ = bases()[name]
        yield Content("empty", suffix_of(name), b"", BAD)
        yield Content("one byte", suffix_of(name), data[:1], BAD)
        yield Content(
            "nothing but a signature", suffix_of(name), data[:8] if len(data) > 8 else data[:2], BAD
        )
        yield Content("zeros alone", suffix_of(name), bytes(4096), BAD)
        yield Content("ones alone", suffix_of(name), b"\xff" * 4096, BAD)
        yield Content("noise", suffix_of(name), b"\x07" + rng.bytes(3000), BAD)


def no_pictures():
    """Files of other types, by what they are."""
    packed, taped = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.jpg", bases()["jpeg"][0])
    with tarfile.open(fileobj=taped, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"))
    array = io.BytesIO()
    np.save(array, np.zeros((4, 4)))
    html = b"<!DOCTYPE html><html><title>404 Not Found</title><img src=a.jpg></html>"
    laughs = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9)
    )
    return {
        "text": b"These are the notes of the second day.\n" * 20,
        "text of another alphabet": "Σημειώσεις της δεύτερης ημέρας\n".encode() * 20,
        "web page": html,
        "JSON": b'{"error": "not found", "status": 404}',
        "table": b"path,label\na.jpg,1\nb.jpg,2\n",
        "SVG drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9"/></svg>',
        "XML of a billion laughs": laughs + b"]><l>&j;</l>",
        "PDF": b"%PDF-1.7\n1 0 obj\n<</Type /Catalog>>\nendobj\n%%EOF\n",
        "ZIP archive": packed.getvalue(),
        "tar archive": taped.getvalue(),
        "gzip": zlib.compress(bases()["jpeg"][0], wbits=31),
        "git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "program": b"\x7fELF\2\1\1" + bytes(100),
        "script": b"#!/bin/sh\nrm -rf /tmp/a\n",
        "pickle": pickle.dumps({"a": 1}),
        "NumPy array": array.getvalue(),
        "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(200),
        "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(200),
        "sound": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(28),
        "Photoshop": b"8BPS\0\1" + bytes(60),
        "icon": b"\0\0\1\0\1\0\x10\x10" + bytes(60),
        "OpenEXR": b"v/1\x01\2\0\0\0" + bytes(60),
        "Radiance": b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 4\n" + bytes(64),
        "JPEG XL": b"\xff\x0a\xfa\x7f" + bytes(60),
        "PAM": b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\n\0",
        "PFM": b"Pf\n1 1\n-1.0\n\0\0\0\0",
        "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "AppleDouble": b"\0\x05\x16\x07\0\2\0\0" + bytes(60),
        "database": b"SQLite format 3\0" + bytes(90),
    }


def no_picture(rng):
    """Files of other types under the names of pictures."""
    for what, data in no_pictures().items():
        for suffix in (".jpg", ".png", ".tif"):
            yield Content(f"no picture: {what}", suffix, data, BAD)
