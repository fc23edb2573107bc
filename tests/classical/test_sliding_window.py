"""The HOG detector on coins, and its scores from scikit-image's HOG."""

import numpy as np
import pytest
from skimage import data, feature
from skimage.measure import label, regionprops
from skimage.morphology import closing
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from classical.sliding_window import HOGDetector
from vision.archive import load, save
from vision.detection_metrics import average_precision, box_iou
from vision.detections import Detections
from vision.errors import KindError, ParameterError


def coins():
    """The photograph of coins, and their boxes as scikit-image's gallery finds them."""
    image = data.coins()
    mask = closing(image > 107, np.ones((3, 3)))
    regions = [one for one in regionprops(label(mask)) if one.area > 500]
    boxes = [(left, top, right, bottom) for top, left, bottom, right in (r.bbox for r in regions)]
    return image, np.array([box for box in boxes if box[3] - box[1] < 80])


def halves():
    """The left half of the coins, to learn from, and the right half, with their boxes."""
    image, boxes = coins()
    left = boxes[boxes[:, 2] < 200]
    right = boxes[boxes[:, 0] > 200] - (200, 0, 200, 0)
    return (image[:, :200].copy(), Detections(left)), (image[:, 200:].copy(), Detections(right))


@pytest.fixture(scope="module")
def detector():
    image, truth = halves()[0]
    return HOGDetector(width=40, height=40, scale_factor=1.1).fit([image], [truth])


def test_coins_of_the_other_half_are_found(detector):
    image, truth = halves()[1]
    found = detector(image)
    assert average_precision([found], [truth]).map_50 > 0.7
    assert found.labels is None
    assert found.shape == image.shape
    assert (np.diff(found.scores) <= 0).all()
    overlaps = box_iou(found.boxes, found.boxes) - np.eye(len(found))
    assert overlaps.max() <= 0.3 + 1e-9


def test_scores_are_those_of_scikit_images_hog(detector):
    image, _ = halves()[1]
    blocks = feature.hog(image, 9, (8, 8), (2, 2), feature_vector=False)
    weights, expected = detector.coef_.reshape(4, 4, 2, 2, 9), {}
    for row in range(blocks.shape[0] - 3):
        for column in range(blocks.shape[1] - 3):
            window = blocks[row : row + 4, column : column + 4]
            distance = (window * weights).sum() + detector.intercept_
            expected[8.0 * column + 20, 8.0 * row + 20] = 1 / (1 + np.exp(-distance))
    every = clone(detector).set_params(threshold=0, max_overlap=1)
    every.coef_, every.intercept_ = detector.coef_, detector.intercept_
    found = every(image)
    side = 40 / 1.3  # without the margin
    finest = np.isclose(found.boxes[:, 2] - found.boxes[:, 0], side)
    centers = (found.boxes[:, :2] + found.boxes[:, 2:])[finest] / 2
    assert len(centers) == len(expected)
    for center, score in zip(centers.round(6).tolist(), found.scores[finest], strict=True):
        assert np.isclose(score, expected[tuple(center)], atol=1e-4)


def test_the_default_window_is_sixty_four_pixels_square():
    image, truth = halves()[0]
    large = np.kron(image, np.ones((2, 2), np.uint8))
    step = HOGDetector().fit([large], [Detections(truth.boxes * 2)])
    # As OpenCV's HOGDescriptor for 64 x 64: 7 x 7 blocks of 2 x 2 cells of 9 directions.
    assert step.coef_.size == 1764
    every = clone(step).set_params(threshold=0, max_overlap=1)
    every.coef_, every.intercept_ = step.coef_, step.intercept_
    sides = every(large).boxes[:, 2:] - every(large).boxes[:, :2]
    levels = np.unique(sides.mean(axis=1).round())
    assert np.isclose(sides.min(), 64 / 1.3)  # without the margin
    # Each level is 1.2 times the one before, but for whole pixels.
    assert np.allclose(levels[1:] / levels[:-1], 1.2, atol=0.03)


def test_the_defaults_of_learning_are_the_documented_ones():
    image, truth = halves()[0]
    given = {"C": 0.01, "n_negatives": 20, "n_rounds": 2}
    usual = HOGDetector(40, 40).fit([image], [truth]).coef_
    assert np.array_equal(usual, HOGDetector(40, 40, **given).fit([image], [truth]).coef_)
    for name, other in {"C": 0.012, "n_negatives": 24, "n_rounds": 3}.items():
        step = HOGDetector(40, 40, **given | {name: other}).fit([image], [truth])
        assert not np.array_equal(usual, step.coef_)


def test_boxes_overlap_by_three_tenths_at_most(detector):
    image, _ = halves()[1]
    many = clone(detector).set_params(threshold=0.01)
    many.coef_, many.intercept_ = detector.coef_, detector.intercept_
    boxes = many(image).boxes
    most = (box_iou(boxes, boxes) - np.eye(len(boxes))).max()
    assert 0.28 < most <= 0.3 + 1e-9


def test_the_order_of_the_channels_makes_no_difference(detector):
    # A pixel's gradient is that of the channel where it is strongest.
    image, truth = halves()[0]
    colour = np.dstack([image, 255 - image // 2, image // 4])
    step = HOGDetector(40, 40, scale_factor=1.2).fit([colour], [truth])
    found, swapped = step(colour), step(np.ascontiguousarray(colour[..., ::-1]))
    assert len(found) == len(swapped) > 5
    assert np.allclose(found.boxes, swapped.boxes)
    assert np.allclose(found.scores, swapped.scores, atol=1e-3)


def test_rounds_of_hard_negatives_leave_fewer_false_boxes():
    (image, truth), (other, true) = halves()
    false = []
    for rounds in (0, 3):
        step = HOGDetector(40, 40, n_negatives=5, n_rounds=rounds, scale_factor=1.1)
        found = step.fit([image], [truth])(other)
        false.append((box_iou(found.boxes, true.boxes).max(axis=1) < 0.3).sum())
    assert false[1] < false[0]


def test_labels_are_learned_and_the_file_finds_the_same(tmp_path):
    (image, truth), (other, _) = halves()
    named = Detections(truth.boxes, labels=["coin"] * len(truth))
    step = HOGDetector(40, 40, scale_factor=1.2).fit([image], [named])
    found = step(other)
    assert set(found.labels.tolist()) == {"coin"}
    save(step, tmp_path / "coins.vision")
    again = load(tmp_path / "coins.vision")
    assert again(other) == found
    assert step.fit([image], [truth])(other).labels is None


def test_a_wide_window_gives_wide_boxes_around_the_same_centres():
    (image, truth), _ = halves()
    wide = HOGDetector(56, 40, margin=0.1, scale_factor=1.15).fit([image], [truth])(image)
    sizes = wide.boxes[:, 2:] - wide.boxes[:, :2]
    assert np.allclose(sizes[:, 0] / sizes[:, 1], 56 / 40, rtol=0.02)
    centers = (truth.boxes[:, :2] + truth.boxes[:, 2:]) / 2
    own = (wide.boxes[:, :2] + wide.boxes[:, 2:]) / 2
    near = np.linalg.norm(centers[:, None] - own[None], axis=2).min(axis=1) < 10
    assert near.mean() > 0.8


def test_colour_is_learned_from_too():
    image, truth = halves()[0]
    colour = np.dstack([image, 255 - image, image // 2])
    step = HOGDetector(40, 40, scale_factor=1.2).fit([colour], [truth])
    assert average_precision([step(colour)], [truth]).map_50 > 0.7


def test_the_seed_decides_and_small_images_hold_nothing(detector):
    image, truth = halves()[0]
    again = HOGDetector(width=40, height=40, scale_factor=1.1).fit([image], [truth])
    assert np.array_equal(again.coef_, detector.coef_)
    assert len(detector(image[:39])) == 0
    with pytest.raises(NotFittedError, match="fit"):
        clone(detector)(image)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"width": 15}, "'width' of HOGDetector must be a whole number at least 16"),
        ({"height": 8.0}, "'height'"),
        ({"margin": -1}, "'margin'"),
        ({"orientations": 0}, "'orientations'"),
        ({"C": 0}, "'C'"),
        ({"n_negatives": 0}, "'n_negatives'"),
        ({"n_rounds": -1}, "'n_rounds'"),
        ({"scale_factor": 1}, "'scale_factor'"),
        ({"threshold": 2}, "'threshold'"),
        ({"max_overlap": 2}, "'max_overlap'"),
        ({"random_state": None}, "'random_state'"),
        ({"width": 400}, "must have windows of background"),
    ],
    ids=str,
)
def test_parameters_are_refused_by_name(parameters, message):
    image, truth = halves()[0]
    with pytest.raises(ParameterError, match=message):
        HOGDetector(**parameters).fit([image], [truth])


def test_truth_of_several_labels_and_wrong_images_are_refused(detector):
    image, _ = halves()[0]
    mixed = Detections([[0, 0, 40, 40], [50, 0, 90, 40]], labels=["a", "b"])
    with pytest.raises(ParameterError, match="boxes of one label"):
        HOGDetector().fit([image], [mixed])
    with pytest.raises(ParameterError, match="no box in any"):
        HOGDetector().fit([image], [Detections([])])
    with pytest.raises(KindError, match="HOGDetector takes a gray image"):
        detector(image.astype(np.uint16))
