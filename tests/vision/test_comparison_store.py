"""What `vision.compare` keeps in its folder, and what makes it do a thing again."""

import numpy as np
import pytest
import skimage.data
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB

import vision
from classical import Otsu, RawPixels, Triangle
from tests.vision.comparison_stubs import IMAGES, LABELS, SEEN, Recorder, answers, compared
from vision.errors import ParameterError, WriteError


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()


def test_what_has_finished_is_not_done_again(tmp_path):
    good, bad = Recorder(answers(range(6))), Recorder(answers(range(3, 24)))
    options = {"folder": tmp_path, "curve": [20, 40], "robustness": 10}
    first = compared({"good": good}, **options)
    done = len(SEEN)
    again = compared({"good": good, "bad": bad}, **options)
    assert len(SEEN) == 2 * done
    assert again["good"].scores == first["good"].scores
    assert again["good"].predictions == first["good"].predictions
    assert again["good"].fit_seconds == first["good"].fit_seconds
    assert again["good"].latency == first["good"].latency
    assert np.array_equal(again.curves.scores["good"], first.curves.scores["good"])
    assert np.array_equal(again.robustness.scores["good"], first.robustness.scores["good"])
    assert any("kept" in note for note in again.provenance["notes"])
    assert not list(tmp_path.glob(".vision-*"))


class Odd(Recorder):
    """No copy can be made of it: it does not keep its parameters as they came."""

    def __init__(self, answers=None, crash_at=None):
        super().__init__(list(answers), crash_at)


def test_one_that_cannot_be_copied_is_a_row_with_a_folder_too(tmp_path):
    candidates = {"good": Recorder(answers(range(6))), "odd": Odd(answers(range(6)))}
    study = compared(candidates, folder=tmp_path)
    assert not study["good"].failed
    assert "RuntimeError" in study["odd"].error


def test_a_folder_that_takes_nothing_more_costs_nothing_measured(tmp_path, monkeypatch):
    def full(path, data, **options):
        raise WriteError("No space left on device.")

    monkeypatch.setattr("vision.comparison_store.write_bytes", full)
    candidates, options = {"good": Recorder(answers(range(6)))}, {"curve": [20, 40]}
    options["robustness"] = 10
    found = compared(candidates, folder=tmp_path, **options)
    expected = compared(candidates, **options)
    assert found["good"].scores == expected["good"].scores
    assert np.array_equal(found.curves.scores["good"], expected.curves.scores["good"])
    assert np.array_equal(found.robustness.scores["good"], expected.robustness.scores["good"])
    words = "good could not be kept: No space left on device."
    assert found.provenance["notes"].count(words) == 3


def test_labels_that_cannot_be_written_are_not_kept(tmp_path):
    found = compared(
        {"odd": Recorder(np.array([b"x"], object)), "good": Recorder(answers(()))}, folder=tmp_path
    )
    assert found["odd"].scores["accuracy"].value == 0 and not found["good"].failed
    assert any("odd could not be kept" in note for note in found.provenance["notes"])


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 1},
        {"cv": 4},
        {"labels": np.roll(LABELS, 3)[::-1].copy()},
        {"images": np.concatenate([IMAGES[:-1], IMAGES[-1:] ^ 1])},
        {"candidate": Recorder(answers(range(7)))},
    ],
)
def test_a_change_is_done_again(tmp_path, change):
    compared({"good": Recorder(answers(range(6)))}, folder=tmp_path)
    SEEN.clear()
    candidate = change.pop("candidate", Recorder(answers(range(6))))
    images, labels = change.pop("images", IMAGES), change.pop("labels", LABELS)
    options = {"cv": 5, "folder": tmp_path, "progress": False} | change
    vision.compare({"good": candidate}, images, labels, **options)
    assert SEEN


@pytest.mark.parametrize("file", ["*.zip", "*-fold3.vision"])
@pytest.mark.parametrize("left", [0, -30])  # a power cut leaves a file empty
def test_a_damaged_file_is_done_again(tmp_path, file, left):
    pipeline = RawPixels(8) >> GaussianNB()
    first = compared({"bayes": pipeline}, folder=tmp_path)
    (kept,) = tmp_path.glob(f"bayes-{file}")
    kept.write_bytes(kept.read_bytes()[:left])
    again = compared({"bayes": pipeline}, folder=tmp_path)
    assert not any("kept" in note for note in again.provenance["notes"])
    assert again["bayes"].scores == first["bayes"].scores


def test_fitted_pipelines_come_back_from_the_folder(tmp_path):
    pipeline = RawPixels(8) >> GaussianNB()
    first = compared({"bayes": pipeline}, folder=tmp_path)
    again = compared({"bayes": pipeline}, folder=tmp_path)
    assert len(again["bayes"].fitted) == 5
    for fold in range(5):
        said = [study.model("bayes", fold).predict_proba(list(IMAGES)) for study in (first, again)]
        assert np.allclose(*said)
    place = int(np.flatnonzero(again.folds == 3)[0])
    model = again.model("bayes", 3)
    assert model.predict([IMAGES[place]])[0] == again["bayes"].predictions[place]


@pytest.mark.parametrize("fold", [-1, 5, 1.0, True])
def test_a_fold_that_is_not_there_has_no_model(fold):
    study = compared({"bayes": RawPixels(8) >> GaussianNB()})
    with pytest.raises(ParameterError, match=r"'fold' of Comparison\.model must be a whole number"):
        study.model("bayes", fold)


def test_a_candidate_that_failed_has_no_model():
    pipeline = RawPixels(8) >> GaussianNB()
    study = compared({"bayes": pipeline, "odd": RawPixels(8) >> GaussianNB(priors=[2.0])})
    with pytest.raises(ParameterError, match="'odd' failed: ValueError in fold 0"):
        study.model("odd", 0)
    with pytest.raises(ParameterError, match="'odd'"):
        study.model("oddly", 0)


class OfTheirOwn(GaussianNB):
    """No archive takes what a user's own class has learned."""


class Now(GridSearchCV):
    """Finds a winner that no archive takes, in one fold of all."""

    times = 0

    def fit(self, images, labels):
        Now.times += 1
        own = OfTheirOwn() if Now.times == 2 else GaussianNB()
        self.best_estimator_ = (RawPixels(8) >> own).fit(images, labels)
        return self

    def predict(self, images):
        return self.best_estimator_.predict(images)


def test_models_come_back_to_their_own_folds_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(Now, "times", 0)
    search = Now(RawPixels(8) >> GaussianNB(), {})
    first = compared({"search": search}, folder=tmp_path, cv=3)
    assert len(first["search"].fitted) == 3 and not list(tmp_path.glob("*.vision"))
    again = compared({"search": search}, folder=tmp_path, cv=3)
    assert again["search"].scores == first["search"].scores
    assert len(again["search"].fitted) == 0


def test_numpys_numbers_can_be_kept(tmp_path):
    options = {"folder": tmp_path, "curve": np.array([20, 40]), "random_state": np.int64(3)}
    answered = np.array([*answers(range(6))], object)
    found = compared({"good": Recorder(answered)}, **options)
    assert not any("could not be kept" in note for note in found.provenance["notes"])
    plain = options | {"curve": [20, 40], "random_state": 3, "folder": None}
    same = compared({"good": Recorder(answers(range(6)))}, **plain)
    assert found["good"].scores == same["good"].scores
    assert np.array_equal(found.curves.scores["good"], same.curves.scores["good"])


def test_what_is_larger_than_an_archive_costs_nothing_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 500)
    found = compared({"good": Recorder(answers(range(6)))}, folder=tmp_path)
    assert found["good"].scores["accuracy"].value == 0.9
    assert any("2 GB at most" in note for note in found.provenance["notes"])


def test_masks_come_back_from_the_folder(tmp_path):
    images = [skimage.data.coins()[:40, k : k + 30 + k] for k in range(4)]
    truth = [Otsu()(image) for image in images]
    options = {"cv": [-1, 0, 0, 1], "folder": tmp_path, "progress": False}
    first, again = (
        vision.compare({"triangle": Triangle()}, images, truth, **options) for _ in range(2)
    )
    assert any("kept" in note for note in again.provenance["notes"])
    assert again["triangle"].predictions[0] is None
    for one, other in zip(first["triangle"].predictions[1:], again["triangle"].predictions[1:]):
        assert np.array_equal(one, other) and one.dtype == other.dtype
    assert again["triangle"].scores == first["triangle"].scores


def test_a_failed_candidate_is_tried_again(tmp_path):
    compared({"broken": Recorder(answers(()), crash_at=2)}, folder=tmp_path)
    assert not list(tmp_path.glob("*.zip"))
