"""What the tests of archives share: models, steps that learn, and archives taken apart."""

import io
import os
import zipfile

import numpy as np
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from vision import Kind, Step, chain, save

ROWS, DIGITS = load_digits(return_X_y=True)
ROWS, DIGITS = ROWS[:300].astype(np.float32), DIGITS[:300]


def scores(model, rows=ROWS):
    for method in ("predict_proba", "decision_function", "predict", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(rows)
    raise AssertionError(model)


def classifier():
    return chain(StandardScaler(), SVC()).fit(ROWS, DIGITS)


def saved(pipeline, folder, name="model.vision"):
    save(pipeline, folder / name)
    return folder / name


class Average(Step):
    """Learns numbers, a string and arrays."""

    takes, gives = (Kind.ANY,), Kind.ANY

    def __init__(self, times=1):
        self.times = times

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "mean_")

    def fit(self, images, truth=None):
        self.mean_ = np.mean(images, axis=0, dtype=np.float32)
        self.count_ = len(images)
        self.level_ = float(self.mean_.mean())
        self.exact_ = np.float32(0.1)
        self.dark_ = bool(self.level_ < 100)
        self.label_ = "mean ä"
        self.names_ = np.array(["a", "bc"])
        self._scratch = object()
        return self

    def apply(self, image):
        return image - self.mean_ * self.times


class Network(Step):
    """Keeps what it learned in files of its own."""

    takes, gives = (Kind.ANY,), Kind.ANY

    def archive_files(self):
        return {"network.keras": self.weights_} if hasattr(self, "weights_") else {}

    def restore_files(self, files):
        self.weights_ = files["network.keras"]

    def apply(self, image):
        return image


def average(times=1):
    return Average(times).fit([np.full((2, 3), value, np.uint8) for value in (10, 25)])


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path, changes, **options):
    """The archive with members replaced, added or (None) removed."""
    found = members(path) | changes
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in found.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def stored_zip(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def skops_files(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


class Planted:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)
