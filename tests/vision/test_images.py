"""Images: listing, order, indexing, reading ahead, and what scikit-learn does with it."""

import gc
import os
import pickle
import threading
import time
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.svm import SVC
from sklearn.utils import _safe_indexing

import vision.images
from vision.errors import ImageError, ImageNotFoundError, KindError, ParameterError
from vision.images import ImageIndexError, Images
from vision.prefetch import WINDOW, read_ahead


def save(path, color=(10, 20, 30), size=(4, 3)):
    """A picture of one colour, written by Pillow; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


@pytest.fixture
def ten(tmp_path):
    """Ten files whose red value is ten times their number."""
    for number in range(10):
        save(tmp_path / "ten" / f"img{number}.png", (10 * number, 0, 0))
    return tmp_path / "ten"


def reds(images):
    return [int(picture[0, 0, 0]) for picture in images]


# What is listed, and in which order


def test_natural_order_against_a_list_by_hand(tmp_path):
    by_hand = [
        "1/b.png",
        "2/a.png",
        "10/a.png",
        "a.png",
        "B.png",
        "c.png",
        "img1.png",
        "img01.png",
        "img1b.png",
        "img2.png",
        "img10.png",
        "img10/1.png",
        "IMG11.png",
        "img100.png",
        "éa.png",
        "日本 2.png",
        "日本 10.png",
    ]
    for name in reversed(by_hand):
        save(tmp_path / name)
    listed = Images(tmp_path).sources
    assert listed.index("img01.png") < listed.index("img1.png")  # the tie is broken by the text
    rest = [name for name in listed if name not in ("img01.png", "img10/1.png")]
    assert rest == [name for name in by_hand if name not in ("img01.png", "img10/1.png")]
    assert listed.index("img2.png") < listed.index("img10/1.png") < listed.index("img11.png".upper().replace(".PNG", ".png"))


def test_upper_and_lower_case_folders_do_not_mix(tmp_path):
    for name in ("cat/1.png", "Cat/2.png", "cat/3.png", "Cat/4.png"):
        save(tmp_path / name)
    assert Images(tmp_path).sources == ["Cat/2.png", "Cat/4.png", "cat/1.png", "cat/3.png"]


def test_thousands_of_digits_in_a_name_are_sorted_too():
    names = [f"{'9' * 5000}.png", f"1{'0' * 5000}.png", "7.png"]
    assert sorted(names, key=vision.images._natural) == ["7.png", names[0], names[1]]


def test_hidden_files_and_what_is_no_picture_are_left_out(tmp_path):
    save(tmp_path / "a.PNG")
    for name in (".b.png", ".cache/c.png", "__MACOSX/d.png", "sub/._e.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    assert Images(tmp_path).sources == ["a.PNG"]
    assert Images(f"{tmp_path}/**/*").sources == ["a.PNG"]
