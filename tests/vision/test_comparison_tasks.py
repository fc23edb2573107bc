"""The metrics of a comparison against scikit-learn and scikit-image, also of resampled images."""

import gc
import pickle
import warnings
import weakref

import numpy as np
import pytest
import skimage.data
from skimage.filters import threshold_otsu
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn import metrics

from classical import (
    SLIC,
    Canny,
    ConnectedComponents,
    Gray,
    KMeansSegmenter,
    MedianBlur,
    Otsu,
    RawPixels,
    Sobel,
)
from vision import intervals
from vision.boundaries import boundary_f
from vision.comparison_classes import codes, rate_classes
from vision.comparison_edges import rate_edges
from vision.comparison_pictures import boundary_agreement, rate_restoration, rate_segmentation
from vision.comparison_tasks import TASKS, Mean, task_named, task_of_candidates
from vision.errors import KindError, ParameterError
from vision.intervals import resampled
from vision.metrics import mean_iou


def answers(count=300, classes=4, seed=1):
    """Labels, predictions that are often right, probabilities with ties."""
    generator = np.random.default_rng(seed)
    names = np.array(["ant", "bee", "cat", "dog", "elk"][:classes])
    truth = names[generator.integers(classes, size=count)]
    scores = generator.integers(1, 6, (count, classes)) + 3.0 * (truth[:, None] == names)
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    return names, truth, names[probabilities.argmax(axis=1)], probabilities


def by_sklearn(names, truth, said, probabilities):
    two = len(names) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a resample may lack a class
        return {
            "accuracy": metrics.accuracy_score(truth, said),
            "balanced accuracy": metrics.balanced_accuracy_score(truth, said),
            "macro F1": metrics.f1_score(truth, said, average="macro"),
            "AUC": metrics.roc_auc_score(
                truth, probabilities[:, 1] if two else probabilities, multi_class="ovr"
            ),
            "log loss": metrics.log_loss(truth, probabilities, labels=names),
        }


def test_labels_of_several_types_are_looked_up_as_what_they_are():
    assert codes([0, "unknown", 1], np.array([0, 1])).tolist() == [0, -1, 1]
    assert codes(["0", 1], np.array(["0", "1"])).tolist() == [0, -1]
    assert codes(["nan", float("nan")], np.array(["a", "nan"])).tolist() == [1, -1]
    found = rate_classes([0, "unknown", 1, 1], None, [0, 0, 1, 1], np.array([0, 1]))
    assert found.per_image.tolist() == [1, 0, 1, 1]


def test_ratings_that_were_used_travel_to_another_process():
    names, truth, said, _ = answers()
    found = rate_classes(said, None, truth, names)
    blocks = list(resampled(len(truth), 5, 0))
    before = [found.statistics["macro F1"](weights) for weights in blocks]
    again = pickle.loads(pickle.dumps(found))
    after = [again.statistics["macro F1"](weights) for weights in blocks]
    assert np.array_equal(before, after)


def test_counts_of_a_resample_do_not_keep_it_in_memory():
    names, truth, said, _ = answers()
    found = rate_classes(said, None, truth, names).statistics
    (weights,) = resampled(len(truth), 5, 0)
    assert found["macro F1"](weights).shape == found["balanced accuracy"](weights).shape == (5,)
    kept = weakref.ref(weights)
    intervals._block.cache_clear()
    del weights
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("classes", [2, 4])
def test_classification_is_scored_as_scikit_learn_scores_it(classes):
    names, truth, said, probabilities = answers(classes=classes)
    ours = rate_classes(said, probabilities, truth, names).values()
    for name, value in by_sklearn(names, truth, said, probabilities).items():
        assert ours[name] == pytest.approx(value, abs=1e-12), name
    wanted = truth[:, None] == names
    squares = ((probabilities - wanted) ** 2).sum(axis=1).mean()
    assert ours["Brier score"] == pytest.approx(squares / (2 if classes == 2 else 1))
    if classes == 2:
        theirs = metrics.brier_score_loss(truth == names[1], probabilities[:, 1])
        assert ours["Brier score"] == pytest.approx(theirs)


def test_counts_are_the_same_as_images_that_are_there_so_often():
    names, truth, said, probabilities = answers(120)
    found = rate_classes(said, probabilities, truth, names)
    generator = np.random.default_rng(5)
    weights = generator.multinomial(120, np.full(120, 1 / 120), size=5)
    for row, counts in enumerate(weights):
        drawn = np.repeat(np.arange(120), counts)
        theirs = by_sklearn(names, truth[drawn], said[drawn], probabilities[drawn])
        for name, value in theirs.items():
            assert found.statistics[name](weights)[row] == pytest.approx(value, abs=1e-12), name


def test_a_resample_without_a_class_leaves_it_out():
    names, truth, said, probabilities = answers(60, 3)
    found = rate_classes(said, probabilities, truth, names)
    weights = (truth != "cat").astype(float)[None]
    kept = truth != "cat"
    theirs = metrics.recall_score(
        truth[kept], said[kept], labels=["ant", "bee"], average="macro", zero_division=0
    )
    assert found.statistics["balanced accuracy"](weights)[0] == pytest.approx(theirs)
    assert np.isfinite(found.statistics["AUC"](weights)[0])


def test_each_class_as_scikit_learn_reports_it():
    names, truth, said, _ = answers()
    ours = rate_classes(said, None, truth, names).per_class
    theirs = metrics.classification_report(truth, said, output_dict=True)
    for name in names.tolist():
        assert ours[name]["precision"] == pytest.approx(theirs[name]["precision"])
        assert ours[name]["recall"] == pytest.approx(theirs[name]["recall"])
        assert ours[name]["F1"] == pytest.approx(theirs[name]["f1-score"])
        assert ours[name]["images"] == theirs[name]["support"]


def test_a_label_that_no_image_has_is_wrong_and_no_class():
    found = rate_classes(["a", "z"], None, ["a", "b"], np.array(["a", "b"]))
    assert found.values()["accuracy"] == 0.5
    assert set(found.per_class) == {"a", "b"}


def test_probabilities_of_nothing_cost_what_scikit_learn_says():
    table = np.array([[1.0, 0.0], [0.5, 0.5]])
    ours = rate_classes([0, 1], table, [1, 1], np.array([0, 1])).values()["log loss"]
    assert ours == pytest.approx(metrics.log_loss([1, 1], table, labels=[0, 1]))


def regions(seed, shape=(40, 60)):
    generator = np.random.default_rng(seed)
    return np.kron(generator.integers(0, 4, (4, 6)), np.ones((10, 10))).astype(np.int32)[
        : shape[0], : shape[1]
    ]


def test_segmentation_is_scored_as_scikit_learn_scores_it():
    truth = [regions(seed) for seed in range(4)]
    said = [np.where(np.arange(60) < 45, one, 2).astype(np.int32) for one in truth]
    ours = rate_segmentation(said, None, truth, None)
    flat = [(a.ravel(), b.ravel()) for a, b in zip(truth, said, strict=True)]
    iou = [metrics.jaccard_score(*pair, average="macro") for pair in flat]
    dice = [metrics.f1_score(*pair, average="macro") for pair in flat]
    assert ours.per_image == pytest.approx(iou)
    assert ours.values()["mean IoU"] == pytest.approx(np.mean(iou))
    assert ours.values()["Dice"] == pytest.approx(np.mean(dice))
    pooled = metrics.jaccard_score(*(np.concatenate(side) for side in zip(*flat)), average=None)
    assert [one["IoU"] for one in ours.per_class.values()] == pytest.approx(pooled)


def test_masks_are_scored_as_the_task_scores_them():
    truth = skimage.data.horse() == 0
    truth = truth.astype(np.uint8) * 255
    said = np.roll(truth, 5, axis=1)
    ours = rate_segmentation([said], None, [truth], None)
    assert ours.per_image[0] == mean_iou(said, truth)
    assert set(ours.per_class) == {0, 255}


@pytest.mark.parametrize("name", ["horse", "coins", "binary_blobs"])
def test_the_boundaries_of_the_truth_itself_are_perfect_and_either_may_come_first(name):
    image = getattr(skimage.data, name)()
    truth = (image > threshold_otsu(image) if name == "coins" else image > 0).astype(np.uint8) * 255
    moved = np.roll(truth, 9, axis=0)
    assert boundary_agreement(truth, truth) == 1
    assert 0 < boundary_agreement(truth, moved) == boundary_agreement(moved, truth) < 1


def test_boundaries_one_pixel_off_agree_and_far_ones_do_not():
    truth = np.zeros((200, 200), np.uint8)
    truth[:, 100:] = 255
    assert boundary_agreement(np.roll(truth, 2, axis=1)[:, 5:], truth[:, 5:]) == 1  # 2 of 2.1
    far = np.zeros_like(truth)
    far[:, 120:] = 255
    assert boundary_agreement(far, truth) == 0
    assert boundary_agreement(truth * 0, truth * 0) == 1
    assert boundary_agreement(truth * 0, truth) == 0


def test_edges_are_scored_by_the_protocol_of_bsds():
    images = [skimage.data.camera()[:160, :200], skimage.data.coins()[:160, :200]]
    maps = [np.abs(np.gradient(one.astype(np.float32))[1]) / 255 for one in images]
    truth = [Canny(80, 160)(one) for one in images]
    ours = rate_edges(maps, None, truth, None)
    theirs = boundary_f(maps, truth)
    assert ours.values() == pytest.approx(
        {"ODS F": theirs.ods, "OIS F": theirs.ois, "AP": theirs.ap}
    )
    weights = np.array([[2.0, 1.0], [0.0, 3.0]])
    for counts, ods in zip(weights, ours.statistics["ODS F"](weights), strict=True):
        drawn = np.repeat([0, 1], counts.astype(int))
        again = boundary_f([maps[k] for k in drawn], [truth[k] for k in drawn])
        assert ods == pytest.approx(again.ods)


def test_restoration_is_scored_as_scikit_image_scores_it():
    truth = [skimage.data.camera()[:64, :80], skimage.data.coins()[:64, :80]]
    generator = np.random.default_rng(0)
    said = [
        np.clip(one + generator.normal(0, 9, one.shape), 0, 255).astype(np.uint8) for one in truth
    ]
    ours = rate_restoration(said, None, truth, None)
    ratios = [peak_signal_noise_ratio(*pair) for pair in zip(truth, said, strict=True)]
    assert ours.per_image == pytest.approx(ratios)
    similar = [
        structural_similarity(*pair, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        for pair in zip(truth, said, strict=True)
    ]
    assert ours.values()["SSIM"] == pytest.approx(np.mean(similar))


def test_small_pictures_have_no_ssim():
    truth = np.zeros((8, 8), np.uint8)
    assert set(rate_restoration([truth + np.uint8(1)], None, [truth], None).values()) == {"PSNR"}


def test_an_infinite_value_counts_only_where_it_is_drawn():
    statistic = Mean([np.inf, 30.0])
    assert statistic(np.array([[1, 1], [0, 2]])).tolist() == [np.inf, 30.0]


@pytest.mark.parametrize(
    ("candidate", "task"),
    [
        (Gray() >> Otsu(), "segmentation"),
        (KMeansSegmenter(), "segmentation"),
        (Gray() >> Otsu() >> ConnectedComponents(), "instances"),
        (SLIC(), "instances"),
        (Gray() >> Canny(), "edges"),
        (Gray() >> Sobel(), "edges"),
        (MedianBlur(), "restoration"),
    ],
)
def test_what_a_candidate_gives_says_the_task(candidate, task):
    assert task_of_candidates({"one": candidate}).name == task


def test_a_classifier_of_any_library_is_one():
    from sklearn.svm import SVC

    assert task_of_candidates({"svm": RawPixels(8) >> SVC()}).name == "classification"


def test_candidates_of_two_tasks_are_refused():
    with pytest.raises(KindError, match="'b' edges"):
        task_of_candidates({"a": Gray() >> Otsu(), "b": Gray() >> Canny()})


def test_what_no_task_is_for_is_refused():
    from classical import FindContours

    with pytest.raises(KindError, match="contours"):
        task_of_candidates({"a": Gray() >> Otsu() >> FindContours()})
    with pytest.raises(ParameterError, match="Did you mean 'edges'"):
        task_named("edge")


def test_every_task_names_its_main_metric_first():
    mains = {name: task.metric for name, task in TASKS.items()}
    assert mains == {
        "classification": "accuracy",
        "segmentation": "mean IoU",
        "instances": "panoptic quality",
        "edges": "ODS F",
        "restoration": "PSNR",
    }
