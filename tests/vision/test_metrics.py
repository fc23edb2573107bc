"""Metrics against scikit-learn, scikit-image, OpenCV, published values and sums done by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import data
from skimage.metrics import peak_signal_noise_ratio
from sklearn.metrics import accuracy_score, jaccard_score

from vision.errors import ParameterError
from vision.metrics import accuracy, iou, mean_iou, psnr, recall_at_k, ssim
from vision.opencv import cv2

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)


def square(size, top, left, side):
    mask = np.zeros((size, size), np.uint8)
    mask[top : top + side, left : left + side] = 255
    return mask


def pairs(elements, dtype):
    return SHAPES.flatmap(
        lambda shape: st.tuples(*[hnp.arrays(dtype, shape, elements=elements)] * 2)
    )


class TestAccuracy:
    def test_two_of_three(self):
        assert accuracy([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / 3)

    def test_text_labels_as_scikit_learn(self):
        rng = np.random.default_rng(0)
        predicted, truth = rng.choice(["cat", "dog", "hamster"], (2, 100))
        assert accuracy(predicted, truth) == accuracy_score(truth, predicted)
        assert accuracy(predicted.tolist(), truth) == accuracy_score(truth, predicted)

    def test_lengths_must_agree(self):
        with pytest.raises(ParameterError, match=r"\(3,\).*\(2,\)"):
            accuracy([1, 2], [1, 2, 3])

    @pytest.mark.parametrize("truth", [[], [[1, 2]]])
    def test_one_label_a_sample(self, truth):
        with pytest.raises(ParameterError, match="'truth' of accuracy"):
            accuracy(truth, truth)


class TestMeanIou:
    def test_two_squares_by_hand(self):
        # Squares of side 4, shifted by 2: 8 pixels shared, 24 in either. Of 100 pixels,
        # 76 are background in both and 92 in either.
        predicted, truth = square(10, 2, 2, 4), square(10, 2, 4, 4)
        assert iou(predicted, truth) == pytest.approx(8 / 24)
        assert mean_iou(predicted, truth) == pytest.approx((8 / 24 + 76 / 92) / 2)

    def test_label_map_by_hand(self):
        truth = np.array([[0, 0, 1, 1], [2, 2, 2, 2]], np.int32)
        predicted = np.array([[0, 1, 1, 1], [2, 2, 3, 3]], np.int32)
        # Classes 0: 1/2, 1: 2/3, 2: 2/4, 3: 0/2.
        assert mean_iou(predicted, truth) == pytest.approx((1 / 2 + 2 / 3 + 1 / 2 + 0) / 4)
        assert iou(predicted, truth) == pytest.approx(6 / 7)

    @given(pairs(st.sampled_from([0, 255]), np.uint8))
    def test_masks_as_scikit_learn(self, pair):
        predicted, truth = pair
        expected = jaccard_score(truth.ravel(), predicted.ravel(), average="macro")
        assert mean_iou(predicted, truth) == pytest.approx(expected)
        assert mean_iou(predicted > 0, truth > 0) == pytest.approx(expected)

    @given(pairs(st.sampled_from([0, 255]), np.uint8))
    def test_foreground_as_scikit_learn(self, pair):
        predicted, truth = pair
        expected = jaccard_score(truth.ravel() > 0, predicted.ravel() > 0, zero_division=1)
        assert iou(predicted, truth) == pytest.approx(expected)
        assert iou(predicted.astype(np.int32), truth.astype(np.int32)) == pytest.approx(expected)

    @pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint16])
    @given(pair=pairs(st.integers(0, 5), np.int32))
    def test_label_maps_as_scikit_learn(self, dtype, pair):
        predicted, truth = (labels.astype(dtype) for labels in pair)
        expected = jaccard_score(truth.ravel(), predicted.ravel(), average="macro")
        assert mean_iou(predicted, truth) == pytest.approx(expected)

    @given(pairs(st.sampled_from([-(2**31), -1, 0, 7, 2**31 - 1]), np.int32))
    def test_labels_far_apart(self, pair):
        # A table over this range would take 34 GB.
        predicted, truth = pair
        expected = jaccard_score(truth.ravel(), predicted.ravel(), average="macro")
        assert mean_iou(predicted, truth) == pytest.approx(expected)

    def test_two_empty_masks_agree(self):
        empty = np.zeros((3, 4), np.uint8)
        assert mean_iou(empty, empty) == 1.0
        assert iou(empty, empty) == 1.0

    def test_views_are_read_and_left_alone(self):
        mask = square(9, 1, 2, 4)
        view, copy = mask[::-1, ::2], mask[::-1, ::2].copy()
        assert mean_iou(view, copy) == iou(view, copy) == 1.0
        assert iou(view > 0, copy) == 1.0
        assert np.array_equal(mask, square(9, 1, 2, 4))

    @pytest.mark.parametrize("metric", [iou, mean_iou])
    def test_shapes_must_agree(self, metric):
        with pytest.raises(ParameterError, match=r"\(5, 5\).*\(4, 4\).*nearest neighbour"):
            metric(square(4, 0, 0, 1), square(5, 0, 0, 1))

    @pytest.mark.parametrize("metric", [iou, mean_iou])
    def test_masks_and_label_maps_do_not_mix(self, metric):
        with pytest.raises(ParameterError, match=r"uint8 and truth of dtype int32.*astype"):
            metric(square(4, 0, 0, 1), np.zeros((4, 4), np.int32))

    def test_bytes_other_than_0_and_255_are_no_mask(self):
        with pytest.raises(ParameterError, match=r"'truth' of mean_iou.*0 and 255.*np.int32"):
            mean_iou(square(4, 0, 0, 1), np.full((4, 4), 2, np.uint8))

    @pytest.mark.parametrize("metric", [iou, mean_iou])
    def test_bytes_of_0_and_1_are_a_mask_times_255(self, metric):
        mask = square(4, 0, 0, 2)
        with pytest.raises(ParameterError, match=r"Of 0 and 1 make predicted \* 255\.$"):
            metric(mask // 255, mask)
        with pytest.raises(ParameterError, match=r"Of 0 and 1 make truth \* 255\.$"):
            metric(mask, mask // 255)

    @pytest.mark.parametrize(
        "bad",
        [
            np.zeros((4, 4), np.float32),
            np.zeros((4, 4, 3), np.uint8),
            np.zeros((0, 4), np.uint8),
            np.zeros((4, 4), np.uint64),
        ],
    )
    def test_what_is_no_segmentation_is_refused(self, bad):
        with pytest.raises(ParameterError, match="'predicted' of mean_iou must be a mask"):
            mean_iou(bad, bad)


class TestPsnr:
    def test_one_grey_level_everywhere(self):
        # Mean squared error 1: 20 log10(255).
        truth = np.full((5, 7, 3), 100, np.uint8)
        assert psnr(truth + np.uint8(1), truth) == pytest.approx(48.130803608679)

    def test_one_wrong_pixel_by_hand(self):
        truth = np.zeros((4, 5), np.uint8)
        predicted = truth.copy()
        predicted[1, 2] = 30
        assert psnr(predicted, truth) == pytest.approx(10 * math.log10(255**2 / (900 / 20)))

    @pytest.mark.parametrize(
        ("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)]
    )
    @pytest.mark.parametrize("shape", [(31, 17), (31, 17, 3)])
    def test_as_scikit_image(self, dtype, peak, shape):
        rng = np.random.default_rng(1)
        predicted, truth = (rng.random((2, *shape)) * peak).astype(dtype)
        expected = peak_signal_noise_ratio(truth, predicted, data_range=peak)
        assert psnr(predicted, truth) == pytest.approx(expected, rel=1e-6)

    def test_equal_images(self):
        assert psnr(data.coins(), data.coins()) == math.inf

    def test_dtypes_must_agree(self):
        image = np.zeros((4, 4), np.uint8)
        with pytest.raises(ParameterError, match="uint16"):
            psnr(image, image.astype(np.uint16))

    @pytest.mark.parametrize("metric", [psnr, ssim])
    def test_shapes_must_agree(self, metric):
        with pytest.raises(ParameterError, match=r"\(12, 12\).*\(12, 13\)"):
            metric(np.zeros((12, 13), np.uint8), np.zeros((12, 12), np.uint8))

    @pytest.mark.parametrize(
        "bad",
        [
            np.zeros((12, 12)),
            np.zeros((12, 12, 4), np.uint8),
            np.zeros((12, 12), ">u2"),
            np.zeros((12, 12), ">f4"),  # OpenCV would read its bytes in the wrong order
        ],
    )
    @pytest.mark.parametrize("metric", [psnr, ssim])
    def test_what_is_no_image_is_refused(self, metric, bad):
        with pytest.raises(ParameterError, match="must be an image"):
            metric(bad, bad)


def wang_ssim(a, b, peak=255):
    """The authors' program, written with OpenCV: a mean over the windows inside the image."""
    a, b = a.astype(np.float64), b.astype(np.float64)

    def local(image):
        return cv2.GaussianBlur(image, (11, 11), 1.5)[5:-5, 5:-5]

    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    covariance = local(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return np.mean(above / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))


class TestSsim:
    def test_published_value_of_the_noisy_camera_man(self):
        # imdiff of IPOL (www.ipol.im/pub/art/2011/g_lmii) gives 0.357959091663361 for this very
        # pair, as quoted in scikit-image's tests (pull request 4913), agreeing to 3 decimals.
        camera = data.camera()
        noise = 20.0 * np.random.RandomState(5).randn(*camera.shape)
        noisy = np.clip(camera + noise, 0, 255).astype(np.uint8)
        assert ssim(noisy, camera) == pytest.approx(0.357959091663361, abs=1.5e-3)

    def test_as_the_authors_formula(self):
        camera = data.camera()
        blurred = cv2.blur(camera, (5, 5))
        assert ssim(blurred, camera) == pytest.approx(wang_ssim(blurred, camera), abs=1e-9)

    def test_colour_is_the_mean_of_the_channels(self):
        chelsea = data.chelsea()
        blurred = cv2.blur(chelsea, (3, 3))
        expected = np.mean([wang_ssim(blurred[..., c], chelsea[..., c]) for c in range(3)])
        assert ssim(blurred, chelsea) == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize(
        ("dtype", "peak"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)]
    )
    def test_two_flat_images(self, dtype, peak):
        # Without variance equation 13 of the paper is (2ab + C1) / (a^2 + b^2 + C1).
        a, b = dtype(0.2 * peak), dtype(0.6 * peak)
        c1 = (0.01 * peak) ** 2
        expected = (2 * float(a) * b + c1) / (float(a) ** 2 + float(b) ** 2 + c1)
        value = ssim(np.full((16, 16), a, dtype), np.full((16, 16), b, dtype))
        assert value == pytest.approx(expected, rel=1e-4)

    def test_smaller_than_the_window(self):
        with pytest.raises(ParameterError, match="at least 11 pixels"):
            ssim(np.zeros((10, 30, 3), np.uint8), np.zeros((10, 30, 3), np.uint8))


class TestRecallAtK:
    def test_points_on_a_line_by_hand(self):
        # Neighbours in order: 0 -> 1, 3, 7; 1 -> 0, 3, 7; 3 -> 1, 0, 7; 7 -> 3, 1, 0.
        features, labels = [[0], [1], [3], [7]], ["a", "b", "a", "b"]
        assert recall_at_k(features, labels, k=1) == 0.0
        assert recall_at_k(features, labels, k=2) == 0.75
        assert recall_at_k(features, labels, k=3) == 1.0

    def test_a_sample_is_not_its_own_neighbour(self):
        # Each vector stands there twice, once in each class.
        features = np.repeat(np.eye(4), 2, axis=0)
        assert recall_at_k(features, [0, 1] * 4, k=1) == 0.0

    def test_classes_of_one_are_left_out(self):
        assert recall_at_k([[0], [1], [9]], ["a", "a", "b"], k=1) == 1.0

    @settings(deadline=None, max_examples=30)
    @given(st.integers(0, 2**32 - 1), st.sampled_from(["euclidean", "cosine"]))
    def test_as_a_full_sort(self, seed, metric):
        rng = np.random.default_rng(seed)
        features, labels = rng.normal(size=(30, 5)), np.repeat(np.arange(6), 5)
        k = int(rng.integers(1, 29))
        gallery = features
        if metric == "cosine":
            gallery = features / np.linalg.norm(features, axis=1, keepdims=True)
        hits = 0
        for query in range(30):
            order = np.argsort(np.linalg.norm(gallery - gallery[query], axis=1))
            order = order[order != query][:k]
            hits += np.any(labels[order] == labels[query])
        assert recall_at_k(features, labels, k, metric=metric) == pytest.approx(hits / 30)

    @pytest.mark.parametrize(
        ("features", "labels", "k", "said"),
        [
            ([1.0, 2.0], [0, 0], 1, "'features' of recall_at_k must be a table"),
            ([[1.0], [np.nan]], [0, 0], 1, "finite"),
            ([[1.0], [2.0]], [0, 0, 0], 1, "one label for each of 2 samples"),
            ([[1.0], [2.0]], [0, 0], 2, "'k' of recall_at_k must be a whole number"),
            ([[1.0], [2.0]], [0, 1], 1, "at least two samples"),
        ],
    )
    def test_refusals(self, features, labels, k, said):
        with pytest.raises(ParameterError, match=said):
            recall_at_k(features, labels, k)

    def test_unknown_metric(self):
        with pytest.raises(ParameterError, match="'euclidean' or 'cosine'"):
            recall_at_k([[1.0], [2.0]], [0, 0], metric="cosin")
