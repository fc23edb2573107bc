"""Tasks: the metric of each kind, against libraries that have it, and truth of another form."""

import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio
from sklearn.metrics import jaccard_score
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

import vision
from vision.errors import KindError, ParameterError
from vision.kinds import Branched, Kind
from vision.tasks import TASKS, task_of

ROWS, COLUMNS = np.mgrid[:30, :40]


def block(left, width=10):
    mask = np.zeros((30, 40), np.uint8)
    mask[5:25, left : left + width] = 255
    return mask


class TestScores:
    def test_masks_by_mean_iou(self):
        found, truth = [block(4), block(8)], [block(4), block(10)]
        expected = [
            jaccard_score(true.ravel(), one.ravel(), average="macro")
            for one, true in zip(found, truth, strict=True)
        ]
        assert task_of(Kind.MASK).score(found, truth) == pytest.approx(np.mean(expected))

    @pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint16])
    def test_label_maps_by_mean_iou(self, dtype):
        found, truth = (COLUMNS // 10).astype(np.int32), (COLUMNS // 8).astype(dtype)
        expected = jaccard_score(truth.ravel(), found.ravel(), average="macro")
        assert task_of(Kind.LABELS).score([found], [truth]) == pytest.approx(expected)

    @pytest.mark.parametrize("kind", [Kind.RGB, Kind.GRAY, Kind.FLOAT])
    def test_images_by_psnr(self, kind):
        truth = data.coffee()[:30, :40]
        truth = truth if kind is Kind.RGB else truth[:, :, 1].copy()
        truth = (truth / 255).astype(np.float32) if kind is Kind.FLOAT else truth
        found = [np.roll(truth, shift, axis=1) for shift in (1, 5)]
        peak = 1 if kind is Kind.FLOAT else 255
        expected = [peak_signal_noise_ratio(truth, one, data_range=peak) for one in found]
        score = task_of(kind).score(found, [truth, truth])
        assert score == pytest.approx(np.mean(expected), rel=1e-6)

    def test_boxes_by_coco(self):
        # IoU 0.6 by a shift of a quarter: right at 3 of the 10 thresholds, 0.5, 0.55 and 0.6.
        truth = vision.Detections([[0.0, 0, 40, 10]])
        found = vision.Detections([[10.0, 0, 50, 10]])
        assert task_of(Kind.DETECTIONS).score([found], [truth]) == pytest.approx(0.3)

    def test_more_than_a_hundred_objects_in_a_picture_all_count(self):
        x, y = np.meshgrid(np.arange(15) * 26, np.arange(15) * 26)
        boxes = np.stack([x, y, x + 15, y + 15], axis=-1).reshape(-1, 4)
        truth = vision.Detections(boxes)
        assert task_of(Kind.DETECTIONS).score([truth], [truth]) == 1
        missing = task_of(Kind.DETECTIONS).score([vision.Detections(boxes[:180])], [truth])
        assert missing == pytest.approx(81 / 101)  # recall 0.8 is the 81st of the 101

    @pytest.mark.parametrize("kind", [Kind.EDGES, Kind.MAP])
    def test_edges_by_ods_whatever_the_number_of_annotators(self, kind):
        line, other = block(10, 1), block(30, 1)
        found = line if kind is Kind.EDGES else (line / 255).astype(np.float32)
        assert task_of(kind).score([found], [line]) == pytest.approx(1, abs=1e-12)
        # Half of what two people drew is found, and all that was found one of them drew.
        expected = 2 * 1 * 0.5 / 1.5
        for truth in ([line, other], np.stack([line, other])):
            assert task_of(kind).score([found], [truth]) == pytest.approx(expected, abs=1e-3)

    def test_features_by_recall_at_1(self):
        rng = np.random.default_rng(0)
        rows, labels = rng.normal(size=(40, 3)), np.repeat(["a", "b"], 20)
        expected = cross_val_score(KNeighborsClassifier(1), rows, labels, cv=LeaveOneOut())
        assert task_of(Kind.FEATURES).score(rows, labels) == pytest.approx(expected.mean())


class TestPairs:
    @pytest.mark.parametrize("kind", [Kind.MASK, Kind.EDGES, Kind.RGB, Kind.LABELS, Kind.MAP])
    def test_sizes_differ(self, kind):
        tail = (3,) if kind is Kind.RGB else ()
        dtype = np.int32 if kind is Kind.LABELS else np.uint8
        small, large = np.zeros((240, 320, *tail), dtype), np.zeros((480, 640, *tail), dtype)
        truth, results = [small, small, large], [small] * 3
        if kind is Kind.MAP:
            results = [one.astype(np.float32) for one in results]
        said = "The truth of image 2 is 640x480, the result is 320x240"
        with pytest.raises(ParameterError, match=said):
            task_of(kind).score(results, truth)

    def test_one_annotator_of_another_size(self):
        with pytest.raises(ParameterError, match="image 0 is 39x30, the result is 40x30"):
            task_of(Kind.EDGES).score([block(4)], [[block(4), block(4)[:, 1:]]])

    def test_boxes_of_another_image(self):
        boxes = [[0.0, 0, 4, 4]]
        found = vision.Detections(boxes, shape=(240, 320))
        assert task_of(Kind.DETECTIONS).score([found], [vision.Detections(boxes)]) == 1
        truth = [vision.Detections(boxes, shape=(480, 640))]
        with pytest.raises(ParameterError, match="is 640x480, the result is 320x240"):
            task_of(Kind.DETECTIONS).score([found], truth)

    def test_truth_is_checked_before_anything_is_measured(self):
        # The first image alone would score; the second would fail with another message.
        truth = [block(4), block(4) // 255, block(4)[:5]]
        with pytest.raises(ParameterError, match=r"values 0, 1 at index 1"):
            task_of(Kind.MASK).score([block(4)] * 3, truth)

    def test_labels_that_never_repeat(self):
        with pytest.raises(ParameterError, match=r"twice or more.*Got 3 different labels"):
            task_of(Kind.FEATURES).score(np.zeros((3, 2)), ["a", "b", "c"])


class TestTaskOf:
    def test_every_kind_has_its_own(self):
        assert all(task_of(kind).kind is kind for kind in TASKS)
        assert task_of(Kind.EDGES).name == task_of(Kind.MAP).name == "edges"

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            (Branched(edges=Kind.EDGES, mask=Kind.MASK), r"'edges', 'mask'\. .*Pick\('edges'\)"),
            (Branched(), "no metric for branches"),
            (Kind.CLASS, "A classifier scores itself, by accuracy"),
            (Kind.VALUE, "A regressor scores itself, by R squared"),
            (Kind.LINES, "no metric for lines. It has one for contours, detections, edges"),
            (Kind.ANY, "scoring="),
            ("mask", "no metric for mask"),
        ],
    )
    def test_what_has_none(self, kind, said):
        with pytest.raises(KindError, match=said):
            task_of(kind)
