"""Candidates that misbehave: the others, the data and the numbers do not suffer from it."""

import re
import warnings

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB

import vision
from classical import GaussianBlur, MedianBlur, Otsu, RawPixels, Threshold
from tests.vision.comparison_stubs import (
    IMAGES,
    LABELS,
    Learner,
    Recorder,
    Sure,
    answers,
    compared,
    number_of,
)

GOOD = Recorder(answers(range(6)))


class Says(Recorder):
    """Predicts what a function makes of the right labels."""

    def __init__(self, change=None):
        self.change = change

    answers, crash_at = LABELS, None

    def predict(self, images):
        return self.change(super().predict(images))


class Writes(Recorder):
    """Blackens the pictures that it is given."""

    def __init__(self, answers=None, when="fit"):
        self.answers = answers
        self.when = when

    crash_at = None

    def fit(self, images, labels):
        if self.when == "fit":
            blacken(images)
        return super().fit(images, labels)

    def predict(self, images):
        said = super().predict(images)
        if self.when == "predict":
            blacken(images)
        return said


def blacken(images):
    for image in images:
        image[:] = 0


class Table(Sure):
    """Gives what a function makes of a table of probabilities."""

    def __init__(self, answers=None, change=None):
        self.answers = answers
        self.change = change

    certainty = 0.8

    def predict_proba(self, images):
        return self.change(super().predict_proba(images))


@pytest.mark.parametrize("when", ["fit", "predict"])
@pytest.mark.parametrize("kind", [list, np.array])
def test_nobody_writes_to_the_pictures_of_the_others(when, kind):
    images = kind([image.copy() for image in IMAGES])
    candidates = {"writes": Writes(LABELS, when), "good": GOOD}
    study = vision.compare(candidates, images, LABELS, cv=3, progress=False)
    assert np.array_equal(images, IMAGES)
    assert study["good"].scores["accuracy"].value == 54 / 60
    if study["writes"].failed:  # of an array each fold has a copy of its own
        assert "read-only" in study["writes"].error


def test_a_step_that_writes_to_its_mask_harms_no_other():
    class Eraser(Recorder):
        def fit(self, images, masks):
            blacken(masks)

    images = [np.full((12, 12), 40, np.uint8) for _ in range(4)]
    masks = [np.zeros((12, 12), np.uint8) for _ in range(4)]
    for image, mask in zip(images, masks, strict=True):
        image[3:8, 3:8], mask[3:8, 3:8] = 200, 255
    study = vision.compare(
        {"eraser": Eraser(), "otsu": Otsu()}, images, masks, task="segmentation", cv=2,
        progress=False,
    )  # fmt: skip
    assert study["eraser"].failed and masks[0].any()
    assert study["otsu"].scores["mean IoU"].value == 1


def test_columns_of_a_table_are_taken_by_place():
    pandas = pytest.importorskip("pandas")
    rows = np.arange(60)[::-1]
    images, labels = (pandas.Series(list(one), index=rows) for one in (IMAGES, LABELS))
    study = vision.compare({"good": GOOD}, images, labels, cv=5, progress=False)
    assert study["good"].scores["accuracy"].value == 54 / 60
    assert [number_of(image) for image in study.images] == list(range(60))


def test_a_column_of_masks_is_taken_by_place():
    pandas = pytest.importorskip("pandas")
    images = [np.full((12, 12), 40, np.uint8) for _ in range(6)]
    for place, image in enumerate(images):
        image[place : place + 4, 2:9] = 200
    masks = pandas.Series([Otsu()(image) for image in images], index=list("abcdef"))
    study = vision.compare({"one": Threshold(100)}, images, masks, cv=2, progress=False)
    assert study["one"].scores["mean IoU"].value == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda said: said[:-1], "12 images, but 11 predictions"),
        (lambda said: said[:, None], "no label, but an array of shape"),
        (lambda said: np.eye(3)[said], "no label, but an array of shape"),
        (lambda said: [{"label": one} for one in said], "no label, but a value of type dict"),
    ],
)
def test_what_is_not_one_label_an_image_is_said(change, words):
    study = compared({"odd": Says(change), "good": GOOD})
    assert words in study["odd"].error
    assert not study["good"].failed


@pytest.mark.parametrize("change", [lambda said: said.astype(str), lambda said: [None] * len(said)])
def test_labels_of_another_type_are_wrong_and_said_to_be(change):
    study = compared({"odd": Says(change)})
    assert study["odd"].scores["accuracy"].value == 0
    assert any("Of 60 images" in note for note in study["odd"].notes)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: np.full_like(table, np.nan),
        lambda table: table - 1,
        lambda table: table * 100,
        lambda table: np.hstack([table, table]),
        lambda table: table[:, :1],
        lambda table: table[:-1],
        lambda table: table[:, 0],
    ],
)
def test_what_are_no_probabilities_is_said(change):
    study = compared({"odd": Table(LABELS, change), "good": GOOD})
    assert "its probabilities are no table" in study["odd"].error
    assert not study["good"].failed


def test_classes_that_the_truth_does_not_have_are_left_out():
    class Wide(Sure):
        """As if it had been trained elsewhere, on one class more."""

        def fit(self, images, labels):
            super().fit(images, labels)
            self.classes_ = np.arange(4)
            return self

    study = compared({"wide": Wide(answers(range(6)))})
    table = study["wide"].probabilities
    assert table.shape == (60, 3)
    right = np.log(table[np.arange(60), LABELS]).mean()
    assert np.isclose(study["wide"].scores["log loss"].value, -right)
    full = np.column_stack([table, 1 - table.sum(axis=1)])
    theirs = log_loss(LABELS, full, labels=np.arange(4))
    assert np.isclose(study["wide"].scores["log loss"].value, theirs)


def test_one_that_fails_when_it_is_timed_did_so_in_no_fold():
    class Single(Recorder):
        def predict(self, images):
            if len(images) == 1:
                raise RuntimeError("one is too few")
            return super().predict(images)

    assert (
        "RuntimeError when it was timed: one is too few"
        in compared({"a": Single(LABELS)})["a"].error
    )


def test_warnings_of_curves_are_neither_shown_nor_errors():
    class Warns(Learner):
        def fit(self, images, labels):
            warnings.warn("it did not converge", stacklevel=1)
            return super().fit(images, labels)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study = compared({"a": Warns(truth=LABELS)}, curve=[10, 40])
    assert np.isfinite(study.curves.scores["a"]).all()
    assert any("did not converge" in note for note in study["a"].notes)


def test_labels_that_are_whole_floats_are_labels():
    candidate = RawPixels(8) >> GaussianNB()
    study = vision.compare({"bayes": candidate}, IMAGES, LABELS.astype(float), cv=5, progress=False)
    assert not study["bayes"].failed
    assert study["bayes"].scores == compared({"bayes": candidate})["bayes"].scores


def test_a_restoration_that_is_perfect_has_a_report(tmp_path):
    flat = [np.full((16, 18), 9 * k, np.uint8) for k in range(6)]
    study = vision.compare(
        {"median": MedianBlur(3), "blur": GaussianBlur(3)},
        flat,
        flat,
        task="restoration",
        cv=2,
        curve=[2, 3],
        robustness=4,
        progress=False,
    )
    assert study["median"].scores["PSNR"].value == np.inf
    assert study.curves.crossings == ()
    study.save(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "inf dB, no interval" in page and not re.search(r"\bnan\b", page)
