"""The pages and frames of a file, held to tifffile and Pillow."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

import vision
from tests.vision.image_files import by_pillow, by_tifffile, picture, samples
from vision.errors import ImageError, ParameterError
from vision.formats import frames
from vision.io import decode, probe, read

pytestmark = pytest.mark.cv2


def stack(*shape, dtype="uint8"):
    return np.random.default_rng(6).integers(0, 250, shape).astype(dtype)


STACKS = {
    "pages": (stack(5, 9, 7), {"photometric": "minisblack"}),
    "rgb": (stack(4, 9, 7, 3), {}),
    "float": (stack(3, 9, 7, dtype="float32"), {"photometric": "minisblack"}),
    "deflate": (stack(3, 9, 7, dtype="uint16"), {"photometric": "minisblack", "compression": 8}),
    "big": (stack(3, 9, 7), {"photometric": "minisblack", "bigtiff": True, "byteorder": ">"}),
    "big rgb": (stack(3, 9, 7, 3), {"bigtiff": True, "byteorder": ">", "compression": 8}),
    "planes": (stack(2, 3, 9, 7), {"photometric": "rgb", "planarconfig": "separate"}),
    "ImageJ CYX": (stack(3, 9, 7), {"imagej": True, "metadata": {"axes": "CYX"}}),
    "ImageJ ZYX": (stack(5, 9, 7, dtype="uint16"), {"imagej": True, "metadata": {"axes": "ZYX"}}),
    "ImageJ ZCYX": (stack(2, 3, 9, 7), {"imagej": True, "metadata": {"axes": "ZCYX"}}),
    "ImageJ TYXS": (stack(4, 9, 7, 3), {"imagej": True, "metadata": {"axes": "TYXS"}}),
    "OME": (stack(4, 9, 7), {"ome": True, "photometric": "minisblack"}),
}


@pytest.mark.parametrize("name", STACKS)
def test_every_page_is_that_of_tifffile(name, tmp_path):
    values, options = STACKS[name]
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, values, **options)
    with tifffile.TiffFile(path) as file:
        expected = [page.asarray() for page in file.pages]
    assert probe(path).frames == len(expected) > 1
    for number, page in enumerate(expected):
        page = np.moveaxis(page, 0, 2) if name == "planes" else page
        pixels = read(path, mode="unchanged", page=number)
        assert pixels.dtype == page.dtype.newbyteorder("=")
        assert np.array_equal(pixels, page)


def test_pages_may_differ_in_size_depth_and_colour():
    file = io.BytesIO()
    pages = [stack(9, 7), stack(4, 20, dtype="uint16"), stack(30, 5, 3)]
    with tifffile.TiffWriter(file) as writer:
        for page in pages:
            writer.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    for number, page in enumerate(pages):
        assert np.array_equal(decode(file.getvalue(), mode="unchanged", page=number), page)
    with pytest.raises(ImageError, match="5 x 30, 150 pixels; the limit is 100"):
        decode(file.getvalue(), page=2, max_pixels=100)


@pytest.mark.parametrize("name", [name for name in samples() if "animated" in name])
def test_every_frame_is_that_of_pillow(name):
    with Image.open(io.BytesIO(samples()[name])) as image:
        assert probe(samples()[name]).frames == image.n_frames == 3
        for number in range(image.n_frames):
            image.seek(number)
            expected = np.asarray(image.convert("RGB"))
            assert np.array_equal(decode(samples()[name], page=number), expected)


@pytest.mark.parametrize("mode", ["rgb", "rgba"])
@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_frames_are_drawn_upon_those_before(disposal, mode):
    first, *others = (Image.fromarray(picture(12, 16, 4, seed)) for seed in range(4))
    for other in others:
        other.putalpha(other.getchannel("A").point(lambda value: 255 * (value > 128)))
    options = {"save_all": True, "append_images": others, "disposal": disposal}
    data = by_pillow(first, "GIF", **options)
    with Image.open(io.BytesIO(data)) as image:
        for number in range(1, 4):
            image.seek(number)
            expected = np.asarray(image.convert(mode.upper()))
            assert np.array_equal(decode(data, mode=mode, page=number), expected)


def test_a_still_picture_before_an_animation_is_frame_0():
    others = [255 - picture(), picture()[::-1]]
    frames_after = [Image.fromarray(np.ascontiguousarray(other)) for other in others]
    options = {"save_all": True, "default_image": True, "append_images": frames_after}
    data = by_pillow(picture(), "PNG", **options)
    assert probe(data).frames == 3
    for number, expected in enumerate([picture(), *others]):
        assert np.array_equal(decode(data, page=number), expected)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (3, r"'page' of read must be below 3: .*stack\.tif' has 3 pages, counted from 0\. Got 3"),
        (-1, "'page' of read must be a whole number at least 0. Got -1"),
        (1.0, "'page' of read must be a whole number at least 0. Got 1.0"),
        (True, "'page' of read must be a whole number"),
    ],
)
def test_a_page_that_is_not_there_is_refused(tmp_path, page, said):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, stack(3, 9, 7), photometric="minisblack")
    with pytest.raises(ParameterError, match=said):
        read(path, page=page)
    with pytest.raises(ParameterError, match=said), path.open("rb") as file:
        read(file, page=page)


def test_a_file_of_one_page_has_page_0_alone():
    for name in ("jpeg", "png", "bmp", "tiff raw", "webp"):
        assert decode(samples()[name], page=0).size
        with pytest.raises(ParameterError, match="below 1: the file has 1 page, counted from 0"):
            decode(samples()[name], page=1)


def test_a_large_file_is_held_to_the_size_of_the_page_that_is_asked_for(tmp_path):
    path = tmp_path / "large.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.zeros((2500, 2500), np.uint8), photometric="minisblack")
        writer.write(stack(9, 7), photometric="minisblack")
    with pytest.raises(ImageError, match="2500 x 2500"):
        read(path, max_pixels=1000)
    assert np.array_equal(read(path, mode="gray", page=1, max_pixels=1000), stack(9, 7))


@pytest.mark.parametrize("name", ["pages", "deflate", "ImageJ ZYX", "gif", "webp", "png", "avif"])
def test_another_page_of_a_damaged_file_is_read_or_refused(name):
    if name in STACKS:
        file = io.BytesIO()
        tifffile.imwrite(file, STACKS[name][0], **STACKS[name][1])
        data = file.getvalue()
    else:
        data = samples()[f"{name} animated"]
    rng = np.random.default_rng(7)
    for _ in range(150):
        damaged = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, len(data), 3)
        damaged[places] = rng.integers(0, 256, 3)
        try:
            assert decode(damaged.tobytes(), page=2, max_pixels=1_000_000).shape[2] == 3
        except ImageError as error:
            assert error.reason
        except ParameterError as error:
            assert "'page'" in str(error)


def test_a_number_of_frames_that_is_a_lie_is_found_out():
    data = samples()["png animated"]
    at = data.index(b"acTL") + 4
    control = b"acTL" + struct.pack(">I", 1 << 30) + data[at + 4 : at + 8]
    check = struct.pack(">I", zlib.crc32(control))
    many = data[: at - 4] + control + check + data[at + 12 :]
    assert probe(many).frames == 1 << 30
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode(many, page=1_000_000)


def test_the_frames_of_a_bomb_are_not_drawn(monkeypatch):
    monkeypatch.setattr(frames, "_MOST", 16 * 12 * 2)
    assert decode(samples()["gif animated"], page=1).shape == (12, 16, 3)
    with pytest.raises(ImageError, match="3 frames of 16 x 12 are to be drawn for it; at most 384"):
        decode(samples()["gif animated"], page=2)


def test_frames_of_16_bits_are_not_cut_to_8():
    data = bytearray(samples()["png animated"])
    data[24] = 16
    header = vision.headers.Header("PNG", 16, 12, channels=3, depth=16, frames=3)
    with pytest.raises(ImageError, match="of 16 bits a sample only the first frame"):
        frames.decode_frame(bytes(data), header, 1)


def test_a_page_behind_a_loop_is_not_there():
    data = bytearray(by_tifffile(stack(2, 9, 7), photometric="minisblack"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        at, first = file.pages[1].offset, file.pages[0].offset
    end = at + 2 + 12 * int.from_bytes(data[at : at + 2], "little")
    data[end : end + 4] = first.to_bytes(4, "little")
    assert np.array_equal(decode(bytes(data), mode="gray", page=1), stack(2, 9, 7)[1])
    with pytest.raises(ParameterError, match="below 2"):
        decode(bytes(data), page=2)
