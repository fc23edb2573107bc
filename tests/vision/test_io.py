"""The reader and the writer: names, arguments, files that are none, limits, threads."""

import csv
import errno
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

from tests.vision.image_files import by_pillow, picture, samples
from vision.errors import ImageError, ImageNotFoundError, ParameterError
from vision.io import MAX_PIXELS, MAX_SIDE, decode, encode, probe, read, write

pytestmark = pytest.mark.cv2


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


def test_a_disk_that_fails_is_told(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    path.write_bytes(samples()["png"])

    def fail(descriptor, size):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fail)
    for reader in (read, probe):
        with pytest.raises(ImageError, match=r"x\.png.*cannot be read: Input/output error"):
            reader(path)


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
