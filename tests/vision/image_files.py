"""Small encoded images of every format and kind, made by Pillow and tifffile for the tests."""

import io
from functools import cache

import numpy as np
import tifffile
from PIL import Image


def picture(height=12, width=16, channels=3, seed=0):
    """Smooth noise: no two rows or columns alike, so that a turn or a swap shows; uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (3, 4, channels), dtype=np.uint8)
    planes = [
        Image.fromarray(coarse[..., i]).resize((width, height), Image.Resampling.BICUBIC)
        for i in range(channels)
    ]
    return np.dstack([np.asarray(plane) for plane in planes])


def by_pillow(image, name, **options):
    """The bytes that Pillow saves; `image` is an array or a Pillow image."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def by_tifffile(image, **options):
    """The bytes that tifffile writes; three axes are RGB unless said otherwise."""
    file = io.BytesIO()
    colour = {"photometric": "rgb"} if image.ndim == 3 else {}
    tifffile.imwrite(file, image, **colour | options)
    return file.getvalue()


def exif(orientation, order=">"):
    """An EXIF block with nothing but the orientation, as its bytes are laid down by CIPA DC-008."""
    end = "big" if order == ">" else "little"
    numbers = (
        (42, 2),
        (8, 4),
        (1, 2),
        (0x0112, 2),
        (3, 2),
        (1, 4),
        (orientation, 2),
        (0, 2),
        (0, 4),
    )
    head = b"MM" if order == ">" else b"II"
    return head + b"".join(value.to_bytes(size, end) for value, size in numbers)


@cache
def samples(height=12, width=16):
    """One file of every kind by name; each is whole, and small."""
    rgb = Image.fromarray(picture(height, width))
    rgba = Image.fromarray(picture(height, width, 4))
    grey, bits, palette = rgb.convert("L"), rgb.convert("1"), rgb.quantize(7)
    more = {"save_all": True, "append_images": [rgb.rotate(180), rgb.rotate(90)]}
    tiffs = {
        f"tiff {name}": by_pillow(rgb, "TIFF", compression=name)
        for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    }
    wide = np.random.default_rng(1).integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    real = np.random.default_rng(2).normal(size=(9, 7)).astype(np.float32)
    return tiffs | {
        "jpeg": by_pillow(rgb, "JPEG"),
        "jpeg progressive": by_pillow(rgb, "JPEG", progressive=True),
        "jpeg grey": by_pillow(grey, "JPEG"),
        "jpeg cmyk": by_pillow(rgb.convert("CMYK"), "JPEG"),
        "jpeg restarts": by_pillow(rgb, "JPEG", restart_marker_blocks=1),
        "png": by_pillow(rgb, "PNG"),
        "png rgba": by_pillow(rgba, "PNG"),
        "png grey": by_pillow(grey, "PNG"),
        "png grey alpha": by_pillow(rgba.convert("LA"), "PNG"),
        "png bits": by_pillow(bits, "PNG"),
        "png palette": by_pillow(palette, "PNG"),
        "png palette alpha": by_pillow(rgba.quantize(7), "PNG"),
        "png animated": by_pillow(rgb, "PNG", **more),
        "gif": by_pillow(rgb, "GIF"),
        "gif interlaced": by_pillow(rgb, "GIF", interlace=1),
        "gif animated": by_pillow(rgb, "GIF", **more),
        "gif transparent": by_pillow(palette, "GIF", transparency=3),
        "webp": by_pillow(rgb, "WEBP"),
        "webp lossless": by_pillow(rgb, "WEBP", lossless=True),
        "webp rgba": by_pillow(rgba, "WEBP", lossless=True, exact=True),
        "webp animated": by_pillow(rgb, "WEBP", **more),
        "bmp": by_pillow(rgb, "BMP"),
        "bmp rgba": by_pillow(rgba, "BMP"),
        "bmp grey": by_pillow(grey, "BMP"),
        "bmp bits": by_pillow(bits, "BMP"),
        "bmp palette": by_pillow(palette, "BMP"),
        "tiff rgba": by_pillow(rgba, "TIFF"),
        "tiff cmyk": by_pillow(rgb.convert("CMYK"), "TIFF"),
        "tiff palette": by_pillow(palette, "TIFF"),
        "tiff bits": by_pillow(bits, "TIFF", compression="group4"),
        "tiff big": by_tifffile(picture(), bigtiff=True),
        "tiff tiles": by_tifffile(picture(40, 40), tile=(16, 16)),
        "tiff uint16": by_tifffile(wide),
        "tiff uint16 big-endian": by_tifffile(wide, byteorder=">"),
        "tiff uint16 planes": by_tifffile(np.moveaxis(wide, 2, 0), planarconfig="separate"),
        "tiff float32": by_tifffile(real),
        "tiff float32 deflate": by_tifffile(real, compression="zlib"),
        "avif": by_pillow(rgb, "AVIF"),
        "avif rgba": by_pillow(rgba, "AVIF"),
        "avif animated": by_pillow(rgb, "AVIF", **more),
        "ppm": by_pillow(rgb, "PPM"),
        "pgm": by_pillow(grey, "PPM"),
        "pbm": by_pillow(bits, "PPM"),
        "ppm plain": b"P3\n# by hand\n1 2\n255\n1 2 3\n40 50 255\n",
        "pgm plain": b"P2\n3 2\n255\n1 2 3\n100 255 17\n",
        "pbm plain": b"P1\n3 2\n1 0 1\n0 1 0\n",
        "jpeg2000": by_pillow(rgb, "JPEG2000"),
        "jpeg2000 bare": by_pillow(rgb, "JPEG2000", no_jp2=True),
        "jpeg2000 rgba": by_pillow(rgba, "JPEG2000"),
    }
