"""Average precision against pycocotools, the protocol's own program, and curves done by hand."""

import contextlib
import io
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vision.detection_metrics import average_precision, box_iou
from vision.detections import Detections
from vision.errors import ParameterError


def detections(boxes, scores=None, labels=None):
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    scores = None if scores is None else np.asarray(scores, np.float64)
    labels = None if labels is None else np.asarray(labels)
    return Detections(boxes=boxes, scores=scores, labels=labels, shape=(200, 200))


def random_boxes(rng, count):
    # Whole numbers, so that no rounding of x + width decides a match on either side.
    corner, size = rng.integers(0, 30, (count, 2)), rng.integers(1, 20, (count, 2))
    return np.hstack([corner, corner + size])


class TestBoxIou:
    def test_by_hand(self):
        a = [[0, 0, 4, 4], [2, 2, 6, 6]]
        b = [[0, 0, 4, 4], [4, 0, 8, 4], [1, 1, 3, 3]]
        assert box_iou(a, b) == pytest.approx(np.array([[1, 0, 4 / 16], [4 / 28, 4 / 28, 1 / 19]]))

    def test_as_pycocotools(self):
        rng = np.random.default_rng(0)
        a, b = (random_boxes(rng, count).astype(np.float64) for count in (60, 40))
        wide = [np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]) for boxes in (a, b)]
        expected = coco_mask.iou(*wide, [0] * 40)
        assert np.count_nonzero(expected) > 500
        assert box_iou(a, b) == pytest.approx(expected, abs=1e-15)

    def test_boxes_without_area(self):
        assert box_iou([[3, 3, 3, 3]], [[3, 3, 3, 3], [0, 0, 9, 9]]).tolist() == [[0.0, 0.0]]

    def test_nothing_to_compare(self):
        assert box_iou([], np.zeros((3, 4))).shape == (0, 3)
        assert box_iou(np.zeros((3, 4)), np.zeros((0, 4))).shape == (3, 0)

    def test_four_columns(self):
        with pytest.raises(ParameterError, match=r"'b' of box_iou.*\(2, 5\)"):
            box_iou([[0, 0, 1, 1]], np.zeros((2, 5)))


class TestAveragePrecisionByHand:
    TRUTH = ((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))

    def test_found_exactly(self):
        score = average_precision([detections(self.TRUTH)], [detections(self.TRUTH)])
        assert (score.map, score.map_50, score.map_75, score.recall) == (1, 1, 1, 1)
        assert score.per_label == {None: 1}

    def test_hit_miss_hit_of_three(self):
        # Recall 1/3, 1/3, 2/3 at precision 1, 1/2, 2/3; made non-increasing 1, 2/3, 2/3. Of the
        # 101 recalls 34 (0 to 0.33) read 1, 33 (to 0.66) read 2/3 and the rest 0.
        boxes = [self.TRUTH[0], (70, 70, 80, 80), self.TRUTH[2]]
        found = detections(boxes, scores=[0.9, 0.8, 0.7])
        score = average_precision([found], [detections(self.TRUTH)])
        assert score.map == pytest.approx((34 + 33 * 2 / 3) / 101)
        assert score.recall == pytest.approx(2 / 3)

    def test_order_of_scores_decides(self):
        boxes = [(70, 70, 80, 80), self.TRUTH[0]]
        truth = [detections(self.TRUTH[:1])]
        wrong_first = average_precision([detections(boxes, scores=[0.9, 0.1])], truth)
        right_first = average_precision([detections(boxes, scores=[0.1, 0.9])], truth)
        assert (wrong_first.map, right_first.map) == (pytest.approx(0.5), pytest.approx(1))

    def test_missing_scores_keep_the_order_given(self):
        boxes = [(70, 70, 80, 80), self.TRUTH[0]]
        assert average_precision([detections(boxes)], [detections(self.TRUTH[:1])]).map == 0.5

    def test_second_box_on_one_object_is_false(self):
        # Recall 1 is reached at once, so the double costs nothing behind it, half before it.
        twice = [self.TRUTH[0], self.TRUTH[0]]
        truth = detections(self.TRUTH[:2])
        found = detections([*twice, self.TRUTH[1]], scores=[0.9, 0.8, 0.7])
        assert average_precision([found], [truth]).map == pytest.approx((51 + 50 * 2 / 3) / 101)

    def test_threshold_is_reached_by_equality(self):
        # IoU 0.8 exactly: a hit at 0.5, 0.55, ..., 0.8, that is at 7 of 10 thresholds.
        score = average_precision([detections([(0, 0, 10, 8)])], [detections([(0, 0, 10, 10)])])
        assert (score.map, score.map_50, score.map_75) == (pytest.approx(0.7), 1, 1)

    def test_single_threshold(self):
        found, truth = [detections([(0, 0, 10, 4)])], [detections([(0, 0, 10, 10)])]
        score = average_precision(found, truth, iou_thresholds=0.4)
        assert (score.map, score.map_50) == (1, 0)

    def test_mean_is_over_labels(self):
        truth = detections(self.TRUTH, labels=["nut", "nut", "bolt"])
        found = detections([self.TRUTH[2], self.TRUTH[0]], labels=["bolt", "bolt"])
        score = average_precision([found], [truth])
        assert score.per_label == {"nut": 0, "bolt": 1}
        assert score.map == 0.5

    def test_labels_only_predicted_do_not_count(self):
        truth = detections(self.TRUTH[:1], labels=[1])
        found = detections([self.TRUTH[0], self.TRUTH[1]], labels=[1, 2])
        assert average_precision([found], [truth]).per_label == {1: 1}

    def test_no_truth_at_all_says_nothing(self):
        score = average_precision([detections(self.TRUTH)], [detections([])])
        assert np.isnan([score.map, score.map_50, score.map_75, score.recall]).all()
        assert score.per_label == {}

    def test_contours_are_taken_by_their_boxes(self):
        truth = detections(self.TRUTH)
        contours = SimpleNamespace(to_detections=lambda: truth)
        assert average_precision([contours], [contours]).map == 1


def silently(function, *arguments, **named):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments, **named)


def annotations(images, with_scores):
    rows = []
    for image, found in enumerate(images, start=1):
        labels = np.ones(len(found.boxes), int) if found.labels is None else found.labels
        scores = np.ones(len(found.boxes)) if found.scores is None else found.scores
        for (x1, y1, x2, y2), label, score in zip(found.boxes, labels, scores, strict=True):
            row = {"id": len(rows) + 1, "image_id": image, "category_id": int(label)}
            row |= {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
            rows.append(row | ({"score": float(score)} if with_scores else {"iscrowd": 0}))
    return rows


def coco_eval(predicted, truth, labels):
    """Precision (thresholds, recalls, labels, limits) and recall of COCOeval, all areas."""
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": image} for image in range(1, len(truth) + 1)],
        "categories": [{"id": label} for label in labels],
        "annotations": annotations(truth, with_scores=False),
    }
    silently(coco.createIndex)
    found = COCO()
    found.dataset = {**coco.dataset, "annotations": annotations(predicted, with_scores=True)}
    silently(found.createIndex)
    evaluation = COCOeval(coco, found, "bbox")
    silently(evaluation.evaluate)
    silently(evaluation.accumulate)
    return evaluation.eval["precision"][:, :, :, 0], evaluation.eval["recall"][:, :, 0]


def random_set(seed, images, labels, labelled, scored):
    """Truth, and a prediction that jitters, drops, doubles, mislabels and invents boxes."""
    rng = np.random.default_rng(seed)
    predicted, truth = [], []
    for _ in range(images):
        boxes = random_boxes(rng, rng.integers(0, 8))
        classes = rng.integers(1, labels + 1, len(boxes))
        kept = rng.integers(0, max(len(boxes), 1), rng.integers(0, 12) if len(boxes) else 0)
        guess = boxes[kept] + rng.integers(-1, 2, (len(kept), 4))
        guess[:, 2:] = np.maximum(guess[:, 2:], guess[:, :2] + 1)
        guess = np.vstack([guess, random_boxes(rng, rng.integers(0, 4))])
        named = np.append(classes[kept], rng.integers(1, labels + 1, len(guess) - len(kept)))
        wrong = rng.random(len(named)) < 0.1
        named[wrong] = rng.integers(1, labels + 1, wrong.sum())
        scores = rng.integers(0, 6, len(guess)) / 5 if scored else None  # few levels: many ties
        truth.append(detections(boxes, labels=classes if labelled else None))
        predicted.append(detections(guess, scores, named if labelled else None))
    return predicted, truth


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 8),
    labels=st.integers(1, 5),
    labelled=st.booleans(),
    scored=st.booleans(),
)
def test_equals_pycocotools(seed, images, labels, labelled, scored):
    predicted, truth = random_set(seed, images, labels, labelled, scored)
    names = list(range(1, labels + 1)) if labelled else [1]
    precision, recall = coco_eval(predicted, truth, names)
    for limit, most in enumerate((1, 10, 100)):
        score = average_precision(predicted, truth, max_detections=most)
        present = precision[0, 0, :, limit] > -1
        if not present.any():
            assert np.isnan(score.map)
            continue
        curves = precision[:, :, present, limit]
        assert score.map == pytest.approx(curves.mean(), abs=1e-6)
        assert score.map_50 == pytest.approx(curves[0].mean(), abs=1e-6)
        assert score.map_75 == pytest.approx(curves[5].mean(), abs=1e-6)
        assert score.recall == pytest.approx(recall[:, present, limit].mean(), abs=1e-6)
        keys = [
            name if labelled else None for name, here in zip(names, present, strict=True) if here
        ]
        expected = dict(zip(keys, curves.mean(axis=(0, 1)), strict=True))
        assert score.per_label == pytest.approx(expected, abs=1e-6)


class TestRefusals:
    def test_one_prediction_an_image(self):
        with pytest.raises(ParameterError, match="Got 1 predictions and 2 truths"):
            average_precision([detections([])], [detections([]), detections([])])

    def test_labels_on_one_side_only(self):
        found, truth = detections([(0, 0, 1, 1)]), detections([(0, 0, 1, 1)], labels=[1])
        with pytest.raises(ParameterError, match=r"predicted with no labels, truth with labels"):
            average_precision([found], [truth])

    def test_labels_on_some_images_only(self):
        mixed = [detections([(0, 0, 1, 1)]), detections([(0, 0, 1, 1)], labels=[1])]
        with pytest.raises(ParameterError, match="truth with labels on some images only"):
            average_precision(mixed[1:] * 2, mixed)

    def test_empty_images_need_no_labels(self):
        truth = [detections([(0, 0, 1, 1)], labels=[1]), detections([])]
        assert average_precision(truth, truth).map == 1

    @pytest.mark.parametrize("thresholds", [0, [0.5, 1.1], [], ["half"]])
    def test_thresholds(self, thresholds):
        with pytest.raises(ParameterError, match="'iou_thresholds' of average_precision"):
            average_precision([], [], iou_thresholds=thresholds)

    def test_max_detections(self):
        with pytest.raises(ParameterError, match="'max_detections' of average_precision"):
            average_precision([], [], max_detections=0)
