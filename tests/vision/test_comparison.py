"""`vision.compare` with candidates whose answers are known."""

import json

import numpy as np
import pytest
import skimage.data
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

import vision
from classical import Canny, GaussianBlur, MedianBlur, Otsu, RawPixels, Sobel, Triangle
from tests.vision.comparison_stubs import (
    COUNT,
    IMAGES,
    LABELS,
    SEEN,
    Recorder,
    Sure,
    answers,
    compared,
)
from vision.comparison_result import COSTS
from vision.errors import KindError, MissingDependencyError, ParameterError
from vision.paired_tests import mcnemar


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()


def two(**options):
    return compared(
        {"good": Recorder(answers(range(6))), "bad": Recorder(answers(range(3, 24)))}, **options
    )


def test_no_candidate_sees_a_picture_that_it_is_asked_about(monkeypatch):
    monkeypatch.setattr("vision.robustness.corruptions", lambda side: {"none": []})
    study = two(curve=[20, 40], robustness=30)
    assert len(SEEN) == 2 * (5 + 2 * 3)
    for learned, asked in SEEN[:10]:
        assert not set(learned) & set(asked)
    held = [set(np.flatnonzero(study.folds == fold)) for fold in range(5)]
    for half in (SEEN[:5], SEEN[5:10]):
        for fold, (learned, asked) in enumerate(half):
            assert set(learned) == set(range(COUNT)) - held[fold]
            assert held[fold] == set(asked)
            assert len(asked) > len(held[fold])  # for latency and robustness, of these alone
    for learned, asked in SEEN[10:]:
        assert not set(learned) & set(asked)


def test_every_candidate_gets_the_same_folds_and_learning_sets():
    two(curve=[20, 40])
    first, second = SEEN[:5], SEEN[5:10]
    assert [learned for learned, _ in first] == [learned for learned, _ in second]
    assert [learned for learned, _ in SEEN[10:16]] == [learned for learned, _ in SEEN[16:]]


def test_scores_pool_what_was_said_of_held_out_pictures():
    study = two()
    good, bad = study.candidates
    assert good.scores["accuracy"].value == pytest.approx(54 / 60)
    assert bad.scores["accuracy"].value == pytest.approx(39 / 60)
    assert np.flatnonzero(good.per_image == 0).tolist() == list(range(6))
    assert good.predictions == answers(range(6)).tolist()
    assert study.ranking() == ["good", "bad"]
    folds = [np.mean(good.per_image[study.folds == fold]) for fold in range(5)]
    assert good.fold_scores == pytest.approx(folds)
    assert len(good.fit_seconds) == 5


def test_the_pair_is_mcnemars_test_on_all_pictures():
    (pair,) = two().pairs
    right = [answers(wrong) == LABELS for wrong in (range(6), range(3, 24))]
    test = mcnemar(*right)
    assert pair.test == test
    assert pair.p_adjusted == test.p_value
    assert pair.only_first.tolist() == list(range(6, 24))
    assert pair.only_second.tolist() == [0, 1, 2]
    assert pair.words.startswith("good is better by 25.0 points")
    assert "on 3 images only bad is right" in pair.words


def test_many_pairs_are_corrected():
    study = compared({f"c{k}": Recorder(answers(range(4 * k))) for k in range(4)})
    assert len(study.pairs) == 6
    assert all(pair.p_adjusted >= pair.test.p_value for pair in study.pairs)
    assert any(pair.p_adjusted > pair.test.p_value for pair in study.pairs)


def test_it_agrees_with_scikit_learn():
    candidates = {
        "bayes": RawPixels(8) >> GaussianNB(),
        "nearest": RawPixels(8) >> KNeighborsClassifier(3),
    }
    study = compared(candidates, random_state=3)
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    for name, estimator in candidates.items():
        said = cross_val_predict(estimator, list(IMAGES), LABELS, cv=folds)
        assert study[name].predictions == said.tolist()
        assert study[name].scores["accuracy"].value == accuracy_score(LABELS, said)
        table = cross_val_predict(estimator, list(IMAGES), LABELS, cv=folds, method="predict_proba")
        assert np.allclose(study[name].probabilities, table)
    assert not hasattr(candidates["bayes"][-1], "classes_")


def test_probabilities_are_scored_and_where_there_are_none_it_says_so():
    study = compared({"sure": Sure(answers(range(6)), 0.8), "svm": RawPixels(8) >> SVC()})
    loss = -(54 * np.log(0.8) + 6 * np.log(0.1)) / 60
    assert study["sure"].scores["log loss"].value == pytest.approx(loss)
    nearly = compared({"nearly": Sure(answers([5]), 0.999)})["nearly"].scores["log loss"]
    assert nearly.low == 0 < nearly.value  # the interval would reach below what can be
    assert "log loss" not in study["svm"].scores
    assert any("CalibratedClassifierCV" in note for note in study["svm"].notes)


def test_a_candidate_that_crashes_is_a_row():
    study = compared(
        {"broken": Recorder(answers(()), crash_at=2), "good": Recorder(answers(range(6)))}
    )
    broken = study["broken"]
    assert broken.failed and broken.scores == {} and broken.per_image is None
    assert broken.error == "RuntimeError in fold 2: the disk of the stub is full"
    assert "comparison_stubs.py" in broken.notes[0]
    assert study.ranking() == ["good"] and study.pairs == ()
    assert study.to_records()[0]["error"] == broken.error


class Leaving(Recorder):
    """Ends the interpreter, as a script does that was never meant to be imported."""

    def predict(self, images):
        raise SystemExit(3)


def test_a_candidate_that_exits_is_a_row_too():
    study = compared({"leaving": Leaving(answers(())), "good": Recorder(answers(range(6)))})
    assert study["leaving"].error == "SystemExit in fold 0: 3"
    assert study.ranking() == ["good"]


class Wordy(ClassifierMixin, BaseEstimator):
    """Warns, and predicts what no task takes."""

    def __init__(self, shape=None):
        self.shape = shape

    def fit(self, images, labels):
        import warnings

        warnings.warn("it has not converged", UserWarning, stacklevel=2)
        self.classes_ = np.unique(labels)
        return self

    def predict(self, images):
        return [0] * len(images) if self.shape is None else [np.zeros(self.shape)] * len(images)


def test_warnings_are_notes():
    study = compared({"wordy": Wordy()})
    assert "UserWarning: it has not converged (5 times)" in study["wordy"].notes


def test_predictions_that_no_metric_takes_are_an_error_too():
    masks = [np.zeros((8, 8), np.uint8)] * 6
    study = vision.compare(
        {"odd": Wordy((3, 3)), "otsu": Otsu()},
        list(IMAGES[:6]),
        masks,
        task="segmentation",
        cv=2,
        progress=False,
    )
    assert study["odd"].error.startswith("ParameterError in what it predicts")
    assert not study["otsu"].failed


class Stopper(Recorder):
    """Ctrl-C in the second fold."""

    def fit(self, images, labels):
        super().fit(images, labels)
        if len(SEEN) >= 7:
            raise KeyboardInterrupt
        return self


def test_ctrl_c_keeps_what_has_finished():
    said = answers(range(6))
    study = compared({"good": Recorder(said), "slow": Stopper(said), "never": Recorder(said)})
    assert study.ranking() == ["good"]
    assert study["slow"].error == study["never"].error == "stopped before it had finished"
    assert any("stopped" in note for note in study.provenance["notes"])


def test_ctrl_c_with_nothing_finished_is_ctrl_c():
    SEEN.extend([([], [])] * 6)
    with pytest.raises(KeyboardInterrupt):
        compared({"slow": Stopper(answers(()))})


def test_a_candidate_over_its_budget_is_a_row():
    study = compared({"good": Recorder(answers(()))}, budget=1e-9)
    assert study["good"].error.startswith("OverBudgetError in fold 0")
    assert "for each candidate" in study.provenance["budget"]


def test_one_split_holds_out_a_part():
    study = two(cv=0.25)
    assert (study.folds >= 0).sum() == 15
    good = study["good"]
    assert np.isnan(good.per_image[study.folds < 0]).all()
    assert good.predictions[int(np.flatnonzero(study.folds < 0)[0])] is None
    assert len(good.fit_seconds) == 1


def test_seeds_make_it_the_same_again():
    class_ = RawPixels(8) >> DummyClassifier(strategy="uniform")
    one, other = (compared({"chance": class_}, random_state=4) for _ in range(2))
    assert one["chance"].predictions == other["chance"].predictions
    assert one["chance"].scores == other["chance"].scores
    assert one.provenance["seed"] == 4
    third = compared({"chance": class_}, random_state=5)
    assert third["chance"].predictions != one["chance"].predictions


def test_the_generators_of_others_go_on():
    np.random.seed(1)
    expected = np.random.RandomState(1).random_sample()
    two()
    assert np.random.random_sample() == expected


def test_unlearned_segmentations_are_compared():
    coins = skimage.data.coins()
    images = [coins[:150, k : k + 150] for k in (0, 100, 200)]
    truth = [Otsu()(image) for image in images]
    study = vision.compare(
        {"otsu": Otsu(), "triangle": GaussianBlur() >> Triangle()},
        images,
        truth,
        cv=3,
        progress=False,
    )
    assert study.task == "segmentation" and study.metric == "mean IoU"
    assert study["otsu"].scores["mean IoU"].value == 1
    expected = [
        vision.mean_iou((GaussianBlur() >> Triangle())(i), t) for i, t in zip(images, truth)
    ]
    assert study["triangle"].per_image == pytest.approx(expected)
    assert study["otsu"].parameters == 0
    assert study.classes is None


def test_edges_are_compared():
    images = [skimage.data.camera()[k : k + 120, k : k + 120] for k in (0, 60, 120, 180)]
    truth = [Canny(60, 120)(image) for image in images]
    study = vision.compare(
        {"canny": Canny(60, 120), "sobel": Sobel()}, images, truth, cv=2, progress=False
    )
    assert study.metric == "ODS F" and study.ranking() == ["canny", "sobel"]
    score = vision.boundary_f(Sobel().transform(images), truth)
    assert study["sobel"].scores["ODS F"].value == pytest.approx(score.ods)
    assert study["sobel"].scores["AP"].value == pytest.approx(score.ap)
    (pair,) = study.pairs
    assert pair.test.difference.value > 0


def test_restorations_are_compared():
    clean = [skimage.data.camera()[k : k + 64, k : k + 64] for k in range(0, 400, 80)]
    generator = np.random.default_rng(0)
    noisy = [
        np.clip(one + generator.normal(0, 25, one.shape), 0, 255).astype(np.uint8) for one in clean
    ]
    study = vision.compare(
        {"median": MedianBlur(3), "gaussian": GaussianBlur(5)}, noisy, clean, cv=5, progress=False
    )
    assert study.metric == "PSNR"
    expected = np.mean([vision.psnr(MedianBlur(3)(a), b) for a, b in zip(noisy, clean)])
    assert study["median"].scores["PSNR"].value == pytest.approx(expected)
    assert "dB" in study.pairs[0].words


def test_a_perfect_restoration_has_an_infinite_psnr_and_no_interval():
    clean = [skimage.data.camera()[k : k + 32, :32] for k in (0, 40, 80, 120)]
    study = vision.compare(
        {"same": GaussianBlur(1), "blur": GaussianBlur(5)}, clean, clean, cv=2, progress=False
    )
    assert study["same"].scores["PSNR"].value == np.inf
    assert np.isnan(study["same"].scores["PSNR"].low)
    assert study.ranking() == ["same", "blur"] and study.pairs == ()


def test_copies_across_the_split_are_told():
    images = [*IMAGES, IMAGES[7].copy()]
    study = vision.compare(
        {"bayes": RawPixels(8) >> GaussianNB()},
        images,
        [*LABELS, LABELS[7]],
        cv=[*([0] * 30), *([1] * 30), 1],
        progress=False,
    )
    (pair,) = study.duplicates
    assert (pair.first, pair.second, pair.exact, pair.across) == (7, 60, True, True)
    assert any("groups=" in note for note in study.provenance["notes"])


def test_a_folder_of_pictures_is_read_on_use(tmp_path):
    for number, image in enumerate(IMAGES[:12]):
        (tmp_path / f"{number % 2}").mkdir(exist_ok=True)
        vision.write(tmp_path / f"{number % 2}" / f"{number}.png", image)
    images, labels = vision.Images.from_folders(tmp_path, mode="gray")
    study = vision.compare(
        {"bayes": RawPixels(8) >> GaussianNB()}, images, labels, cv=2, progress=False
    )
    assert study.names[0] == "0/0.png"
    assert study.classes.tolist() == ["0", "1"]


def test_progress_is_told(capsys):
    two(progress=None)
    assert "10 of 10 parts" in capsys.readouterr().err
    two(progress=False)
    assert capsys.readouterr().err == ""


def test_the_table_has_a_row_a_candidate():
    pandas = pytest.importorskip("pandas")
    table = two().table()
    assert isinstance(table, pandas.DataFrame)
    assert table.loc["good", "accuracy"] == pytest.approx(0.9)
    assert table.loc["good", "accuracy_low"] < 0.9 < table.loc["good", "accuracy_high"]


def test_without_pandas_the_way_out_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        two().table()


def test_it_is_written_as_table_and_document(tmp_path):
    study = two(curve=[20, 40], robustness=10)
    study.save(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].startswith("name,family,accuracy,accuracy_low")
    assert len(lines) == 3
    study.save(tmp_path / "a.json")
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["candidates"][0]["per_image"][:7] == [0, 0, 0, 0, 0, 0, 1]
    assert told["folds"] == study.folds.tolist()
    assert told["pairs"][0]["words"] == study.pairs[0].words
    assert told["curves"]["sizes"] == [20, 40]
    assert told["provenance"]["seed"] == 0
    assert told["truth"] == LABELS.tolist()
    with pytest.raises(ParameterError, match=r"\.html, \.csv or \.json"):
        study.save(tmp_path / "a.txt")


def test_where_it_comes_from_is_told():
    told = two().provenance
    assert told["command"].startswith("vision.compare(candidates, images, truth, cv=5")
    assert {"python", "numpy", "scikit-learn", "opencv"} <= set(told["versions"])
    assert told["threads"]["cores"] >= 1 and "cores" in told["budget"]
    assert "training anew" in told["not_in_intervals"]
    assert told["seconds"] > 0 and told["machine"]


def test_the_front_holds_what_nothing_beats(monkeypatch):
    study = compared({name: Recorder(answers(range(6))) for name in "abcd"})
    points = {"a": (1.0, 0.7), "b": (2.0, 0.9), "c": (3.0, 0.8), "d": (4.0, 0.95)}

    class Scored:
        def __init__(self, name):
            self.name, self.failed, self.size_bytes = name, False, points[name][0]
            self.scores = {"accuracy": type("E", (), {"value": points[name][1]})}

    object.__setattr__(study, "candidates", tuple(map(Scored, "dcba")))
    assert study.pareto("size") == ["a", "b", "d"]
    assert set(COSTS) == {"latency", "size", "fit", "memory"}
    with pytest.raises(ParameterError, match="cost"):
        study.pareto("beauty")


def test_a_frozen_part_is_told():
    trained = FrozenEstimator(GaussianNB().fit(IMAGES.reshape(COUNT, -1), LABELS))
    study = compared({"frozen": RawPixels(8) >> trained, "fresh": RawPixels(8) >> GaussianNB()})
    assert any("frozen" in note for note in study["frozen"].notes)
    assert not any("frozen" in note for note in study["fresh"].notes)
    assert study["frozen"].family == "classical"


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([RawPixels(8) >> SVC()], "a dictionary"),
        ({}, "a dictionary"),
        ({1: RawPixels(8) >> SVC()}, "named by texts"),
    ],
)
def test_candidates_have_names(candidates, words):
    with pytest.raises(ParameterError, match=words):
        compared(candidates)


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (SVC(), r"RawPixels\(\) >> SVC"),
        (SVC, "must be a pipeline"),
        (np.mean, "must be a pipeline"),
    ],
)
def test_what_is_no_candidate_is_refused(candidate, words):
    with pytest.raises(KindError, match=words):
        compared({"one": candidate})


def test_truth_is_checked_before_anything_runs():
    with pytest.raises(ParameterError, match="60 in all"):
        vision.compare({"a": Recorder(LABELS)}, IMAGES, LABELS[:-1])
    with pytest.raises(ParameterError, match="budget"):
        two(budget=0)
    with pytest.raises(ParameterError, match="random_state"):
        two(random_state=None)


def test_a_column_of_a_table_is_taken_by_place():
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(LABELS, index=np.arange(COUNT)[::-1] + 100)
    study = vision.compare({"a": Recorder(LABELS)}, IMAGES, column, progress=False)
    assert study["a"].scores["accuracy"].value == 1


def test_an_unknown_candidate_is_named():
    with pytest.raises(ParameterError, match="Did you mean 'good'"):
        two()["god"]


def test_masks_against_label_maps_are_refused_before_any_work():
    maps = [np.eye(8, dtype=np.int32)] * 6
    with pytest.raises(KindError, match="'otsu' gives masks, 0 and 255, but the truth are label"):
        vision.compare({"otsu": Otsu()}, list(IMAGES[:6]), maps, cv=2, progress=False)
