"""How true the explanations of a comparison's candidates are."""

import json

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import vision
from classical import Otsu, RawPixels
from tests.vision.comparison_stubs import IMAGES, LABELS, Recorder, answers, compared
from vision.comparison_report import report_html, summary_html
from vision.errors import ParameterError

CORNERS = {"left": (0, 0, 4, 4), "right": (4, 4, 8, 8)}
COUNTED = []  # labels that `Counted` learned from


def bright_corners(count=48):
    """Noise with a bright square in a corner, which is the class; and where it is."""
    images = np.random.default_rng(1).integers(0, 60, (count, 8, 8), np.uint8)
    names = np.array(["left", "right"] * (count // 2))
    for image, name in zip(images, names, strict=True):
        x1, y1, x2, y2 = CORNERS[name]
        image[y1:y2, x1:x2] += 180
    return images, names, [CORNERS[name] for name in names]


class FirstPixel(ClassifierMixin, BaseEstimator):
    """Learns nothing: the top left pixel is the score of the last class."""

    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict(self, rows):
        return self.classes_[(rows[:, 0] > 127).astype(int)]

    def predict_proba(self, rows):
        return np.stack([255 - rows[:, 0], rows[:, 0]], axis=1) / 255


class Counted(FirstPixel):
    """Tells what it learned from."""

    def fit(self, rows, labels):
        COUNTED.append(np.array(labels))
        return super().fit(rows, labels)


def linear():
    return RawPixels(8) >> LogisticRegression(max_iter=2000)


def rows_of(study, name):
    return {row["method"]: row for row in study.faithfulness.rows if row["candidate"] == name}


def test_each_picture_is_judged_by_the_model_that_never_saw_it():
    images, names, regions = bright_corners()
    study = vision.compare(
        {"linear": linear()},
        images,
        names,
        cv=3,
        faithfulness=10,
        regions=regions,
        progress=False,
    )
    generator = np.random.default_rng(0)
    chosen = np.sort(generator.choice(len(images), 10, replace=False))
    deletion, insertion, left, pointing = [], [], [], []
    for place in chosen:
        model = study.model("linear", study.folds[place])
        heat = vision.explain(model, images[place])
        deletion.append(vision.deletion_curve(model, images[place], heat).area)
        insertion.append(vision.insertion_curve(model, images[place], heat).area)
        left.append(vision.confidence_change(model, [images[place]], [heat]))
        pointing.append(vision.pointing_game([heat], [regions[place]])[0])
    row = rows_of(study, "linear")["occlusion"]
    assert np.isclose(row["deletion"], np.mean(deletion))
    assert np.isclose(row["insertion"], np.mean(insertion))
    assert np.allclose((row["average_drop"], row["increase"]), np.mean(left, axis=0))
    assert row["pointing"] == np.mean(pointing) == 1


def test_a_column_of_regions_is_taken_by_place():
    pandas = pytest.importorskip("pandas")
    images, names, regions = bright_corners()
    column = pandas.Series(list(regions), index=np.arange(len(regions))[::-1])
    rows = [
        vision.compare(
            {"linear": linear()}, images, names, cv=3, faithfulness=6, regions=one, progress=False
        ).faithfulness.rows
        for one in (regions, column)
    ]
    assert rows[0] == rows[1]


def test_what_the_corner_decides_beats_both_baselines():
    images, names, _ = bright_corners()
    study = vision.compare(
        {"linear": linear()}, images, names, cv=3, faithfulness=True, progress=False
    )
    own, random, centre = (
        rows_of(study, "linear")[name] for name in ("occlusion", "random", "centre")
    )
    assert own["deletion"] < min(random["deletion"], centre["deletion"]) - 0.1
    assert own["insertion"] > max(random["insertion"], centre["insertion"])
    assert own["pointing"] is random["sanity"] is None


def test_a_map_that_owes_nothing_to_the_labels_fails_the_sanity_check():
    images, names, _ = bright_corners()
    study = vision.compare(
        {"deaf": RawPixels(8) >> FirstPixel(), "linear": linear()},
        images,
        names,
        cv=2,
        faithfulness=12,
        progress=False,
    )
    assert np.isclose(rows_of(study, "deaf")["occlusion"]["sanity"], 1)
    assert abs(rows_of(study, "linear")["occlusion"]["sanity"]) < 0.5


def test_the_sanity_check_learns_the_same_labels_in_another_order():
    COUNTED.clear()
    images, names, _ = bright_corners()
    candidate = RawPixels(8) >> Counted()
    vision.compare({"one": candidate}, images, names, cv=0.25, faithfulness=4, progress=False)
    first, second = COUNTED
    assert sorted(first) == sorted(second) and not np.array_equal(first, second)


def test_a_candidate_without_scores_has_a_note_and_the_others_their_rows():
    study = compared(
        {"mute": Recorder(answers(())), "bayes": RawPixels(8) >> GaussianNB()}, faithfulness=5
    )
    assert {row["candidate"] for row in study.faithfulness.rows} == {"bayes"}
    assert any("mute has no faithfulness" in note for note in study.provenance["notes"])
    assert not study["mute"].failed


def test_what_is_kept_is_not_done_again(tmp_path, monkeypatch):
    candidates = {"bayes": RawPixels(8) >> GaussianNB()}
    options = {"folder": tmp_path, "faithfulness": 6}
    first = compared(candidates, **options)
    compared(candidates, **options | {"faithfulness": 7})  # another choice is another key
    monkeypatch.setattr("vision.comparison_faithfulness.measure_faithfulness", None)
    again = compared(candidates, **options)
    assert again.faithfulness.rows == first.faithfulness.rows
    boxes = [(0, 0, 4, 4)] * len(IMAGES)
    other = compared(candidates, **options, regions=boxes)
    assert any("has no faithfulness" in note for note in other.provenance["notes"])


def test_the_report_and_the_document_hold_the_table(tmp_path):
    study = compared({"bayes": RawPixels(8) >> GaussianNB()}, faithfulness=6)
    page = report_html(study)
    assert "Are the explanations true?" in page and "6 of the pictures" in page
    own = rows_of(study, "bayes")["occlusion"]
    assert f"{own['deletion']:.3f}" in page
    assert "pointing ↑" not in page  # nobody said where the objects are
    study.save(tmp_path / "all.json")
    document = json.loads((tmp_path / "all.json").read_text())
    assert document["faithfulness"]["rows"][0] == own
    plain = compared({"bayes": RawPixels(8) >> GaussianNB()})
    assert "Are the explanations true?" not in report_html(plain)
    assert "explanations" not in summary_html(study)


def test_what_makes_no_sense_is_refused():
    def asked(match, **options):
        with pytest.raises(ParameterError, match=match):
            compared({"bayes": RawPixels(8) >> GaussianNB()}, **options)

    for wrong in (0, -3, 1.5, "all"):
        asked("faithfulness", faithfulness=wrong)
    asked("'regions' .* None without faithfulness", regions=[(0, 0, 1, 1)] * len(LABELS))
    asked(f"one entry an image, {len(LABELS)}. Got 2", faithfulness=5, regions=[None] * 2)
    for wrong in (None, (0, 0, 1), np.ones((8, 9), np.uint8), np.ones((8, 8), bool)):
        asked("boxes xyxy", faithfulness=5, regions=[wrong] * len(LABELS))
    asked("one entry an image", faithfulness=5, regions=iter([(0, 0, 1, 1)] * len(LABELS)))
    masks = [np.full((8, 8), 255, np.uint8)] * 6
    with pytest.raises(ParameterError, match="False for the task 'segmentation'"):
        vision.compare(
            {"otsu": Otsu()}, list(IMAGES[:6]), masks, cv=2, faithfulness=True, progress=False
        )
