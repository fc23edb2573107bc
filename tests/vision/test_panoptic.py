"""Panoptic quality against an optimal assignment of masks, the paper's identities and by hand."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial import distance
from skimage import data
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

import vision
from classical import (
    ConnectedComponents,
    Crop,
    DistanceWatershed,
    FilterRegions,
    Gray,
    KMeansSegmenter,
    Opening,
    Otsu,
    Pad,
    Resize,
    Watershed,
)
from vision import Branches, Pick, Pipeline
from vision.comparison_pictures import rate_instances
from vision.errors import ParameterError
from vision.flow import numbers_regions
from vision.panoptic import match_objects, panoptic_quality
from vision.tasks import task_of


def coins(height=2):
    return (Otsu() >> Opening(5) >> DistanceWatershed(height=height))(data.coins())


def squares(step, side=15, count=5):
    labels = np.zeros((count * 26, count * 26), np.int32)
    for number in range(count * count):
        top, left = 26 * (number // count), 26 * (number % count)
        labels[top + step : top + step + side, left : left + side] = number + 1
    return labels


def by_assignment(predicted, truth):
    """Matches by SciPy's best assignment over its Jaccard distances of every two masks."""
    maps = (predicted, truth)
    found, true = ([labels.ravel() == k for k in np.unique(labels) if k] for labels in maps)
    overlap = 1 - distance.cdist(found, true, "jaccard")
    overlap = np.where(overlap > 0.5, overlap, 0)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    kept = overlap[rows, columns][overlap[rows, columns] > 0]
    return [kept.sum(), len(kept), len(found) - len(kept), len(true) - len(kept)]


@pytest.mark.parametrize("heights", [(1, 8), (8, 1), (2, 4)])
def test_matches_are_those_of_the_best_assignment(heights):
    predicted, truth = map(coins, heights)
    counts = match_objects(predicted, truth)
    assert counts == pytest.approx(by_assignment(predicted, truth))
    assert counts[1] > 20 and counts[2:].max() > 0


def test_quality_is_recognition_times_segmentation_over_all_images():
    images = [coins(1), squares(0)], [coins(8), squares(3)]
    score = panoptic_quality(*images)
    each = np.sum([match_objects(*pair) for pair in zip(*images)], axis=0)
    assert score.pq == pytest.approx(score.sq * score.rq)
    assert score.rq == pytest.approx(2 * each[1] / (2 * each[1] + each[2] + each[3]))
    assert (score.found, score.spurious, score.missed) == tuple(each[1:])


def test_the_numbers_of_objects_do_not_count():
    truth = squares(0)
    assert panoptic_quality([np.where(truth > 0, 900 - truth, 0)], [truth]).pq == 1
    assert vision.mean_iou(np.where(truth > 0, 900 - truth, 0), truth) < 0.1


def test_squares_that_are_moved_have_the_iou_of_their_geometry():
    # 15 x 15, three rows lower: 12 rows of 18 are shared. Five lower: half, which is no match.
    assert panoptic_quality([squares(3)], [squares(0)]).pq == pytest.approx(12 / 18)
    assert panoptic_quality([squares(5)], [squares(0)]).rq == 0
    both = squares(0, 10, 2)
    both[:10, :10] = 4  # one object covers two true ones of 100 pixels each
    assert match_objects(both, squares(0, 10, 2)).tolist() == [2.0, 2.0, 1.0, 2.0]


def test_images_without_objects():
    empty, truth = np.zeros((20, 20), np.int32), squares(0, 10, 1)[:20, :20]
    assert panoptic_quality([empty], [empty]).pq == 1
    assert panoptic_quality([truth], [empty]).pq == panoptic_quality([empty], [truth]).pq == 0


@pytest.mark.parametrize(
    ("predicted", "said"),
    [
        ([np.zeros((3, 4), bool)], r"ConnectedComponents\(\) numbers the objects"),
        ([np.full((3, 4), 255, np.uint8)], r"ConnectedComponents\(\) numbers the objects"),
        ([np.zeros((3, 4), np.float32)], "label maps of shape"),
        ([np.zeros((4, 4), np.int32)], "nearest neighbour"),
        ([], "lists of label maps of one length"),
    ],
)
def test_what_is_refused(predicted, said):
    with pytest.raises(ParameterError, match=said):
        panoptic_quality(predicted, [np.zeros((3, 4), np.int32)])


def test_a_watershed_is_scored_by_its_objects_and_tuned_to_them():
    truth = [coins(2), np.fliplr(coins(2)).copy()]
    images = [data.coins(), np.fliplr(data.coins()).copy()]
    pipeline = Otsu() >> Opening(5) >> DistanceWatershed(height=20)
    assert numbers_regions(pipeline) and numbers_regions(pipeline >> Pad(1))
    expected = panoptic_quality([pipeline(image) for image in images], truth).pq
    assert pipeline.score(images, truth) == pytest.approx(expected)
    tuned = vision.tune(pipeline, {"distancewatershed__height": [2, 20]}, images, truth, cv=2)
    assert tuned.parameters == {"distancewatershed__height": 2}
    assert tuned.score == 1


def test_the_statistics_of_a_comparison_are_those_of_the_images_drawn():
    truth, found = [squares(0), squares(0), coins(2)], [squares(3), squares(5), coins(8)]
    ratings = rate_instances(found, None, truth, None)
    drawn = [0, 0, 2]
    weights = np.array([[2, 0, 1]])
    score = panoptic_quality([found[k] for k in drawn], [truth[k] for k in drawn])
    values = [float(statistic(weights)[0]) for statistic in ratings.statistics.values()]
    assert values == pytest.approx([score.pq, score.rq, score.sq])
    each = [panoptic_quality([one], [true]).pq for one, true in zip(found, truth)]
    assert ratings.per_image == pytest.approx(each)


def test_methods_that_number_regions_are_compared_by_their_objects():
    images = [np.roll(data.coins(), 40 * k, axis=1) for k in range(6)]
    clean = Otsu() >> Opening(5)
    truth = [(clean >> DistanceWatershed(height=2))(image) for image in images]
    study = vision.compare(
        {"apart": clean >> DistanceWatershed(height=2), "together": clean >> ConnectedComponents()},
        images,
        truth,
        cv=2,
    )
    assert study.task == "instances" and study.metric == "panoptic quality"
    assert study["apart"].scores["panoptic quality"].value == 1
    assert study.ranking() == ["apart", "together"]


WATERSHED = Gray() >> Otsu() >> DistanceWatershed()


@pytest.mark.parametrize(
    ("step", "regions"),
    [
        (Branches({"a": WATERSHED, "b": Gray() >> KMeansSegmenter()}) >> Pick("a"), True),
        (Branches({"a": WATERSHED, "b": Gray() >> KMeansSegmenter()}) >> Pick("b"), False),
        (Pipeline([("a", WATERSHED), ("b", "passthrough")]), True),
        (
            Pipeline([("a", WATERSHED), ("b", Pipeline([("c", Resize(20)), ("d", Crop(0, 0))]))]),
            True,
        ),
        (FrozenEstimator(WATERSHED), True),
        (GridSearchCV(WATERSHED, {"distancewatershed__height": [1, 2]}), True),
        (WATERSHED >> FilterRegions(area=(10, None)), True),
        (KMeansSegmenter() >> FilterRegions(area=(10, None)), False),
        (Watershed(), True),
        (Watershed(np.eye(4, dtype=np.uint8) * 255), True),
        (Watershed(np.eye(4, dtype=np.int32)), False),
        (Gray() >> Otsu(), False),
    ],
)
def test_whether_labels_number_regions_is_told_by_the_step_that_made_them(step, regions):
    assert numbers_regions(step) is regions


def test_maps_in_place_of_lists_are_refused():
    for predicted, truth in ((squares(0), squares(0)), ([squares(0)], None), (iter([]), [])):
        with pytest.raises(ParameterError, match=r"a list of label maps.*it is \[labels\]"):
            panoptic_quality(predicted, truth)


def test_masks_as_truth_of_objects_are_told_how_they_are_numbered():
    with pytest.raises(ParameterError, match=r"ConnectedComponents\(\) numbers"):
        (Otsu() >> DistanceWatershed()).score([data.coins()], [Otsu()(data.coins())])


def test_the_task_of_label_maps_depends_on_what_their_numbers_mean():
    assert task_of(vision.Kind.LABELS, regions=True).name == "instances"
    assert task_of(vision.Kind.LABELS).name == "segmentation"
