"""Reading and writing: against Pillow, scikit-image and tifffile, whole or refused, atomic."""

import csv
import io
import os
import socket
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skimage.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps
from skimage import data as skimage_data

from tests.vision.image_files import by_pillow, by_tifffile, exif, picture, samples
from vision.errors import ImageError, ImageNotFoundError, ParameterError, WriteError
from vision.io import MAX_PIXELS, MAX_SIDE, decode, encode, probe, read, write

pytestmark = pytest.mark.cv2

PILLOW_MODES = {"rgb": "RGB", "gray": "L", "rgba": "RGBA"}
LOSSLESS = {
    "png": [np.uint8, np.uint16],
    "tif": [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64],
    "webp": [np.uint8],
    "bmp": [np.uint8],
    "pnm": [np.uint8, np.uint16],
}


def pillow_pixels(data, mode):
    with Image.open(io.BytesIO(data)) as image:
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            image = image.convert("RGBA")
        return np.asarray(image.convert(PILLOW_MODES[mode]))


def eight_bit_samples():
    return [name for name in samples() if not name.startswith(("tiff uint16", "tiff float32"))]


@pytest.mark.parametrize("mode", ["rgb", "rgba"])
@pytest.mark.parametrize("name", eight_bit_samples())
def test_pixels_are_those_of_pillow(name, mode):
    pixels, expected = decode(samples()[name], mode=mode), pillow_pixels(samples()[name], mode)
    assert pixels.dtype == np.uint8
    # CMYK has no agreed conversion: both multiply, and round differently.
    tolerance = 2 if "cmyk" in name else 0
    assert np.abs(pixels.astype(int) - expected).max() <= tolerance


@pytest.mark.parametrize("name", eight_bit_samples())
def test_grey_is_luma(name):
    pixels, rgb = decode(samples()[name], mode="gray"), pillow_pixels(samples()[name], "rgb")
    luma = rgb @ [0.299, 0.587, 0.114]
    assert pixels.shape == luma.shape
    # A JPEG's own luma is not rounded to colours and back; chroma at half resolution.
    tolerance = 3 if name.startswith("jpeg") and "2000" not in name else 1
    assert np.abs(pixels - luma).max() <= tolerance


@pytest.mark.parametrize("name", ["tiff uint16", "tiff uint16 big-endian", "tiff uint16 planes"])
def test_sixteen_bit_colours_are_kept(name):
    expected = np.random.default_rng(1).integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    pixels = decode(samples()[name])
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, expected)


@pytest.mark.parametrize("name", ["tiff float32", "tiff float32 deflate"])
def test_floating_point_is_not_scaled(name):
    expected = np.random.default_rng(2).normal(size=(9, 7)).astype(np.float32)
    assert np.array_equal(decode(samples()[name], mode="unchanged"), expected)
    assert np.array_equal(decode(samples()[name])[..., 1], expected)


def test_nan_and_infinity_of_a_measurement_are_kept():
    values = np.array([[np.nan, -np.inf, np.inf, -1.5]], np.float32)
    assert np.array_equal(decode(by_tifffile(values), mode="gray"), values, equal_nan=True)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "float64", "float16"])
def test_other_dtypes_of_tiff(dtype):
    values = np.array([[0, 1, 100], [7, 3, 2]], dtype)
    pixels = decode(by_tifffile(values), mode="unchanged")
    assert pixels.dtype == ("float32" if dtype == "float16" else dtype)
    assert np.array_equal(pixels, values)


def test_white_is_zero_is_turned_round():
    values = np.array([[0, 1], [1000, 65535]], np.uint16)
    data = by_tifffile(values, photometric="miniswhite")
    assert np.array_equal(decode(data, mode="gray"), 65535 - values)


def test_sixteen_bit_png_agrees_with_scikit_image_where_that_keeps_it(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (5, 6), dtype=np.uint16)
    skimage.io.imsave(tmp_path / "deep.png", values, check_contrast=False)
    assert np.array_equal(read(tmp_path / "deep.png", mode="gray"), values)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P2 4 1 15\n0 5 10 15\n", [[0, 85, 170, 255]]),
        (b"P5 3 1 1023\n" + np.array([0, 512, 1023], ">u2").tobytes(), [[0, 32800, 65535]]),
        (b"P1 5 1\n10110\n", [[0, 255, 0, 0, 255]]),
        (b"P4 9 1\n\xaa\x80", [[0, 255, 0, 255, 0, 255, 0, 255, 0]]),
        (b"P5 # c\n2 # d\n1 255\n\x07\xff", [[7, 255]]),
    ],
)
def test_pnm_fills_its_range_and_one_is_black_in_a_bitmap(data, expected):
    assert decode(data, mode="unchanged").tolist() == expected


def test_grey_that_is_transparent():
    grey = Image.fromarray(np.array([[10, 20], [20, 30]], np.uint8))
    pixels = decode(by_pillow(grey, "PNG", transparency=20), mode="rgba")
    assert pixels[..., 3].tolist() == [[255, 0], [0, 255]]
    assert pixels[..., 0].tolist() == [[10, 20], [20, 30]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_orientations_are_applied_alike(name, orientation):
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    options = options.get(name, {})
    stored = picture()
    plain = decode(by_pillow(stored, name, **options), mode="gray")
    block = Image.Exif()
    block[0x0112] = orientation
    data = by_pillow(stored, name, exif=block, **options)
    expected = ImageOps.exif_transpose(_with_orientation(plain, orientation))
    for mode in ("rgb", "gray", "rgba", "unchanged"):
        pixels = decode(data, mode=mode)
        assert pixels.shape[:2] == expected.size[::-1]
        assert probe(data).orientation == orientation
    assert np.array_equal(decode(data, mode="gray"), np.asarray(expected))


def _with_orientation(grey, orientation):
    image = Image.fromarray(grey)
    image.getexif()[0x0112] = orientation
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_orientation_of_deep_tiffs(dtype, orientation):
    values = np.arange(12).reshape(3, 4).astype(dtype)
    data = by_tifffile(values, extratags=[(274, 3, 1, orientation, True)])
    turned = _with_orientation(np.arange(12).reshape(3, 4).astype(np.uint8), orientation)
    expected = np.asarray(ImageOps.exif_transpose(turned))
    assert np.array_equal(decode(data, mode="unchanged"), expected.astype(dtype))


def test_the_first_frame_or_page_is_read():
    first = picture()
    others = [Image.fromarray(255 - first), Image.fromarray(first[::-1])]
    for name, options in (
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True}),
        ("PNG", {"default_image": True}),
    ):
        data = by_pillow(first, name, save_all=True, append_images=others, **options)
        assert np.array_equal(decode(data), first)


def test_the_first_frame_of_a_gif_may_be_smaller_than_its_screen():
    still = samples()["gif transparent"]
    with Image.open(io.BytesIO(still)) as image:
        assert image.size == (16, 12)
    wider = still[:6] + (20).to_bytes(2, "little") + still[8:]
    assert np.array_equal(decode(wider, mode="rgba"), pillow_pixels(wider, "rgba"))


@pytest.mark.parametrize("name", samples())
def test_a_file_cut_anywhere_is_refused(name):
    data = samples()[name]
    assert decode(data).size
    for cut in range(len(data)):
        with pytest.raises(ImageError):
            decode(data[:cut])


def test_a_jpeg_with_stray_bytes_is_read_and_one_without_its_end_is_not():
    data = samples()["jpeg"]
    expected = pillow_pixels(data, "rgb")
    behind_app0 = data.index(b"\xff\xdb")
    stray = data[:behind_app0] + b"\0" + data[behind_app0:]
    assert np.array_equal(decode(stray), expected)
    assert np.array_equal(decode(data + b"PK\3\4 and more"), expected)
    with pytest.raises(ImageError, match="no end"):
        decode(data[:-2] + bytes(1000))
    with pytest.raises(ImageError, match="premature end"):
        decode(data[: len(data) * 9 // 10] + b"\xff\xd9")


def test_missing_pixels_behind_an_intact_structure_are_noticed():
    gif = samples()["gif"]
    last = gif.rindex(b"\0;")
    sizes = [i for i in range(last - 255, last) if gif[i] == last - i - 1]
    assert sizes
    with pytest.raises(ImageError, match="truncated"):
        decode(gif[: sizes[0]] + b"\0;")
    tiff = bytearray(by_tifffile(picture(64, 64), compression="zlib"))
    with Image.open(io.BytesIO(tiff)) as image:
        size = image.tag_v2[279][0]
    at = tiff.index(size.to_bytes(4, "little")) if size > 65535 else None
    at = at or tiff.index(bytes([23, 1])) + 8
    tiff[at : at + 4] = (size // 2).to_bytes(4, "little")
    with pytest.raises(ImageError, match="truncated"):
        decode(bytes(tiff))


@given(st.data())
def test_damage_is_read_or_refused_but_never_raises_anything_else(data):
    name = data.draw(st.sampled_from(sorted(samples())))
    damaged = bytearray(samples()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        pixels = decode(bytes(damaged), max_pixels=1_000_000)
    except ImageError as error:
        assert error.reason
    else:
        assert pixels.shape[2] == 3
        assert pixels.shape[:2] == (
            probe(bytes(damaged)).upright_height,
            probe(bytes(damaged)).upright_width,
        )


@given(st.data())
def test_what_is_written_losslessly_is_read_again(data):
    suffix = data.draw(st.sampled_from(sorted(LOSSLESS)))
    dtype = data.draw(st.sampled_from(LOSSLESS[suffix]))
    channels = data.draw(st.sampled_from([1, 3, 4] if suffix in ("png", "tif", "webp") else [1, 3]))
    shape = (data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)))
    elements = {"allow_nan": False} if np.dtype(dtype).kind == "f" else None
    shape = shape if channels == 1 else (*shape, channels)
    image = data.draw(arrays.arrays(dtype, shape, elements=elements))
    mode = "gray" if channels == 1 else "unchanged"
    pixels = decode(encode(image, suffix), mode=mode)
    if suffix == "webp" and channels == 4 and (image[..., 3] == 255).all():
        image = image[..., :3]  # WebP does not store an alpha that says nothing
    assert pixels.dtype == dtype
    assert np.array_equal(pixels, image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300, 3), (300, 1, 3), (1, 9000), (257, 33, 4)])
def test_written_png_is_what_pillow_reads(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with Image.open(io.BytesIO(encode(image, "png"))) as opened:
        assert np.array_equal(np.asarray(opened), image)


def test_written_jpeg_has_quality_95_and_halved_colours_like_opencv():
    cat = skimage_data.chelsea()
    for quality, expected in ((None, 95), (60, 60)):
        with Image.open(io.BytesIO(encode(cat, "jpeg", quality=quality))) as opened:
            ours, sampling = opened.quantization, opened.layer[0][1:3]
        with Image.open(io.BytesIO(by_pillow(cat, "JPEG", quality=expected))) as opened:
            assert ours == opened.quantization
            assert sampling == (2, 2)
    error = decode(encode(cat, "jpeg")).astype(float) - cat
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 36


def test_colours_are_not_swapped(tmp_path):
    red = np.full((8, 8, 3), (250, 10, 60), np.uint8)
    for suffix in ("jpg", "png", "tif", "webp", "bmp", "avif", "ppm"):
        write(tmp_path / f"red.{suffix}", red)
        with Image.open(tmp_path / f"red.{suffix}") as image:
            assert np.abs(np.asarray(image.convert("RGB")).astype(int) - red).max() <= 4
        assert np.abs(read(tmp_path / f"red.{suffix}").astype(int) - red).max() <= 4


@pytest.mark.parametrize(
    ("image", "name", "said"),
    [
        (np.zeros((2, 2), np.float32), "jpg", r"uint8 for JPEG.*np\.rint\(image \* 255\)"),
        (np.zeros((2, 2, 3), np.float64), "png", r"uint8 or uint16 for PNG.*np\.rint"),
        (np.zeros((2, 2), bool), "png", r"image\.astype\(np\.uint8\) \* 255"),
        (np.zeros((2, 2), np.uint16), "jpg", r"image >> 8"),
        (np.zeros((2, 2), np.int32), "png", r"labels\.astype\(np\.uint16\)"),
        (np.zeros((2, 2, 4), np.uint8), "jpg", r"\(H, W, 3\) for JPEG.*image\[\.\.\., :3\]"),
        (np.zeros((2, 2, 1), np.uint8), "png", r"image\[\.\.\., 0\]"),
        (np.zeros((2, 2, 2), np.uint8), "png", r"\(H, W\) or \(H, W, 3\) or \(H, W, 4\)"),
        (np.zeros((0, 2), np.uint8), "png", r"1 to .* pixels a side"),
        (np.zeros((1, 65501), np.uint8), "jpg", r"1 to 65,500 pixels a side"),
        ([[1, 2]], "png", "a NumPy array"),
    ],
)
def test_what_a_format_would_change_is_refused(tmp_path, image, name, said):
    with pytest.raises(ParameterError, match=f"(?s)'image' of write must be .*{said}"):
        write(tmp_path / f"x.{name}", image)
    assert not list(tmp_path.iterdir())


def test_formats_and_qualities_that_make_no_sense_are_refused(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ParameterError, match=r"'format' of write .*JPEG.*Got .*x\.gif"):
        write(tmp_path / "x.gif", image)
    with pytest.raises(ParameterError, match=r"'format' of encode .*Did you mean 'jpe?g'"):
        encode(image, "jepg")
    with pytest.raises(ParameterError, match="'quality' of encode must be None for PNG"):
        encode(image, "PNG", quality=9)
    for quality in (0, 101, 95.5):
        with pytest.raises(ParameterError, match="'quality' of encode"):
            encode(image, "JPEG", quality=quality)


def test_format_overrides_the_suffix_and_content_decides_when_reading(tmp_path):
    write(tmp_path / "really_a_png.jpg", picture(), format="PNG")
    assert probe(tmp_path / "really_a_png.jpg").format == "PNG"
    assert np.array_equal(read(tmp_path / "really_a_png.jpg"), picture())


NAMES = ["ünï日本.png", "a b.png", "-rf.png", "new\nline.png", "q'\"*?.png", "x" * 251 + ".png"]


@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"caf\xe9.png")])
def test_any_name_that_the_system_allows(tmp_path, name):
    for path in (tmp_path / name, str(tmp_path / name), os.fsencode(tmp_path / name)):
        write(path, picture())
        assert np.array_equal(read(path), picture())
        assert probe(os.fsdecode(path)).width == 16
    assert len(list(tmp_path.iterdir())) == 1


def test_a_relative_path_is_one_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("x.png", picture())
    assert np.array_equal(read("x.png"), picture())


def test_file_objects_and_bytes_like_objects():
    data = samples()["png"]
    assert np.array_equal(read(io.BytesIO(data)), picture())
    for kind in (bytearray, memoryview, lambda piece: np.frombuffer(piece, np.uint8)):
        assert np.array_equal(decode(kind(data)), picture())
    with pytest.raises(ParameterError, match="binary mode"):
        read(io.StringIO("text"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: read(17), "'source' of read must be a path or a binary file object"),
        (lambda: read(samples()["png"]), r"decode\(data\)"),
        (lambda: decode("photo.jpg"), r"read\(path\)"),
        (lambda: decode(3), "'data' of decode"),
        (lambda: decode(b"", mode="bgr"), "'mode' of decode must be 'rgb', 'gray'"),
        (lambda: read("x", max_pixels=0), "'max_pixels' of read"),
    ],
)
def test_wrong_arguments_are_named(call, said):
    with pytest.raises(ParameterError, match=said):
        call()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    address = socket.socket(socket.AF_UNIX)
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    try:
        address.bind("socket.jpg")
        for name in ("pipe.jpg", "folder.jpg", "socket.jpg", "loop.jpg", "/dev/null", "nul\0.jpg"):
            for reader in (read, probe):
                with pytest.raises(ImageError, match=r"regular file|cannot be opened") as caught:
                    reader(name)
                assert caught.value.path == name
    finally:
        address.close()


def test_a_missing_file_is_its_own_error(tmp_path):
    for path in (tmp_path / "missing.jpg", tmp_path / "missing" / "x.jpg"):
        with pytest.raises(ImageNotFoundError, match="no such file") as caught:
            read(path)
        assert isinstance(caught.value, FileNotFoundError)
        assert str(path) in str(caught.value)


def test_a_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(samples()["png"])
    system_read = os.read
    pieces = iter([10, 0])
    monkeypatch.setattr(os, "read", lambda fd, size: system_read(fd, next(pieces)))
    with pytest.raises(ImageError, match="shrank to 10 bytes"):
        read(path)


def test_short_reads_are_put_together(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(samples()["png"])
    system_read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: system_read(fd, min(size, 100)))
    assert np.array_equal(read(path), picture())


def test_the_limit_on_pixels(tmp_path, monkeypatch):
    data = samples()["png"]
    assert decode(data, max_pixels=192).shape == (12, 16, 3)
    with pytest.raises(ImageError, match="16 x 12, 192 pixels; the limit is 191"):
        decode(data, max_pixels=191)
    monkeypatch.setenv("VISION_MAX_PIXELS", "100")
    write(tmp_path / "x.png", picture())
    with pytest.raises(ImageError, match=r"the limit is 100 .*VISION_MAX_PIXELS"):
        read(tmp_path / "x.png")
    assert read(tmp_path / "x.png", max_pixels=1000).shape == (12, 16, 3)
    monkeypatch.setenv("VISION_MAX_PIXELS", "many")
    with pytest.raises(ParameterError, match=r"VISION_MAX_PIXELS.*'many'"):
        read(tmp_path / "x.png")
    assert MAX_PIXELS >= 199_800_000  # what a phone of 200 megapixels makes


def test_an_animation_counts_by_its_frame():
    assert decode(samples()["gif animated"], max_pixels=192).shape == (12, 16, 3)
    assert decode(samples()["tiff raw"], max_pixels=192).shape == (12, 16, 3)


def test_the_longest_side():
    row = np.zeros((1, MAX_SIDE + 1), np.uint8)
    with pytest.raises(ImageError, match="longest side read is 65,535"):
        decode(encode(row, "png"))
    assert decode(encode(row[:, 1:], "png")).shape == (1, MAX_SIDE, 3)


def test_a_limit_is_seen_before_a_large_file_is_read(tmp_path, monkeypatch):
    path = tmp_path / "large.bmp"
    path.write_bytes(by_pillow(np.zeros((2000, 3000, 3), np.uint8), "BMP"))
    amounts, system_read = [], os.read

    def counting(descriptor, amount):
        amounts.append(amount)
        return system_read(descriptor, amount)

    monkeypatch.setattr(os, "read", counting)
    with pytest.raises(ImageError, match="the limit is 1,000,000"):
        read(path, max_pixels=1_000_000)
    assert sum(amounts) < 100_000
    assert read(path).shape == (2000, 3000, 3)


def test_text_and_profiles_of_a_png_are_not_inflated():
    import zlib

    png, bomb = samples()["png"], zlib.compress(bytes(20_000_000), 9)
    body = b"zTXt" + b"Comment\0\0" + bomb
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    assert np.array_equal(decode(png[:33] + chunk * 50 + png[33:]), picture())


def test_a_jpeg_of_very_many_scans_is_refused():
    data = samples()["jpeg progressive"]
    scan = data[data.index(b"\xff\xda") : data.index(b"\xff\xda") + 20]
    with pytest.raises(ImageError, match="progressive scans"):
        decode(data[:-2] + scan * 200 + b"\xff\xd9")


def test_many_threads_read_what_one_reads(tmp_path):
    for name, data in samples().items():
        (tmp_path / name.replace(" ", "_")).write_bytes(data)
    paths = sorted(tmp_path.iterdir()) * 4
    alone = [read(path) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(read, paths))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff tiff_lzw"])
def test_decoding_lets_other_threads_run(name):
    large = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    kind, _, compression = name.partition(" ")
    data = by_pillow(large, kind.upper(), **({"compression": compression} if compression else {}))
    ticks, done = 0, threading.Event()
    worker = threading.Thread(target=lambda: (decode(data), done.set()))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # only a lock that is given up lets this thread count
    try:
        worker.start()
        while not done.is_set():
            ticks += 1
            done.wait(0.0005)
    finally:
        sys.setswitchinterval(interval)
        worker.join()
    assert ticks >= 3


def test_reading_loads_no_more_than_it_needs():
    code = "import sys, vision.io; print([m for m in ('PIL', 'tifffile', 'skimage', 'sklearn') "
    code += "if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def hostile_set():
    folder = os.environ.get("VISION_DATA")
    if not folder or not Path(folder, "hostile_images_a").is_dir():
        pytest.skip("VISION_DATA does not name a folder with hostile_images_a")
    source = Path(folder, "hostile_images_a")
    with (source / "expected.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with zipfile.ZipFile(source / "hostile_a.zip") as archive:
        return [(row, archive.read(row["file"])) for row in rows]


def test_the_hostile_set_is_read_or_refused_as_its_labels_say():
    wrong = []
    for row, data in hostile_set():
        if row["kind"] == "bomb" and row["pillow_ok"] == row["cv2_ok"]:
            continue  # within the limit, and large: the benchmark reads them
        try:
            size = decode(data).shape[1::-1]
        except ImageError:
            size = None
        upright = (int(row["upright_width"] or 0), int(row["upright_height"] or 0))
        both = row["pillow_ok"] == row["cv2_ok"] == "1"
        if row["kind"] == "valid" and both and size != upright:
            wrong.append((row["file"], size, upright))
        if row["kind"] in ("truncated", "empty", "not_image") and size is not None:
            wrong.append((row["file"], size))
        if size is not None and row["pillow_ok"] == "1" and size != upright:
            wrong.append((row["file"], size, upright))
    assert wrong == []


def test_the_hostile_set_has_the_headers_that_pillow_sees():
    wrong = []
    for row, data in hostile_set():
        if row["pillow_ok"] != "1":
            continue
        try:
            header = probe(data)
        except ImageError:
            continue
        seen = (header.upright_width, header.upright_height, str(header.orientation))
        orientation = row["exif_orientation"] or "1"
        orientation = orientation if "1" <= orientation <= "8" else "1"
        expected = (int(row["upright_width"]), int(row["upright_height"]), orientation)
        if seen != expected and "xmp" not in row["file"]:
            wrong.append((row["file"], seen, expected))
    assert wrong == []


def test_write_error_is_raised_by_write(tmp_path):
    with pytest.raises(WriteError, match=r"x\.png' could not be written"):
        write(tmp_path / "missing" / "x.png", picture())


def test_exif_blocks_of_the_tests_are_those_that_pillow_reads():
    block = Image.Exif()
    block.load(b"Exif\0\0" + exif(7, "<"))
    assert block[0x0112] == 7
