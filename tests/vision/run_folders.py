"""Folders of pictures for the tests of runs, and ways to look at what a run wrote."""

import csv
import io

import numpy as np
from PIL import Image
from skimage import data

import vision
from vision.kinds import SAME

FORMATS = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF"}
PHOTOS = {
    "cat.jpg": data.chelsea,
    "cat.png": data.chelsea,
    "coins.png": data.coins,
    "sub/deep/kaffee ünï.tif": data.coffee,
    "sub/page.png": data.page,
}


def encoded(image, suffix):
    """The bytes of a picture, by Pillow."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, FORMATS[suffix])
    return file.getvalue()


def put(folder, name, image):
    """Write a picture, and the folders it lies in."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(image, path.suffix))
    return path


def put_photos(folder):
    """Write the photographs."""
    for name, load in PHOTOS.items():
        put(folder, name, load())
    return folder


def put_broken(folder):
    """Write files that are called pictures and are none, three of them."""
    whole = encoded(data.chelsea(), ".jpg")
    put(folder, "sub/torn.jpg", data.coins()).write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    (folder / "words.png").write_text("no picture")
    (folder / "notes.txt").write_text("not even called one")


def table(path):
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stored(path):
    """A picture, read by Pillow; one of a bit a pixel as 0 and 255."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L") if image.mode == "1" else image)


def files_below(folder):
    """The names of all files in a folder and its sub-folders."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def squares(count):
    """A dark picture with bright squares of 10 x 10 pixels."""
    image = np.zeros((40, 200), np.uint8)
    for index in range(count):
        image[10:20, 15 * index + 5 : 15 * index + 15] = 255
    return image


def run(pipeline, source, out, **options):
    """A run that shows no progress."""
    return vision.run(pipeline, source, out, progress=False, **options)


class Spy(vision.Step):
    """Passes pictures on and shows each to a function."""

    gives = SAME

    def __init__(self, log=None):
        self.log = log

    def apply(self, image):
        self.log(image)
        return image.copy()
