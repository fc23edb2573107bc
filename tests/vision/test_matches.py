"""Matching and homographies against SciPy, scikit-image and matrices that are known."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skimage import feature, measure, transform

from vision.errors import ImageError, ParameterError
from vision.keypoints import Keypoints
from vision.mapping import map_points
from vision.matches import Matches
from vision.opencv import cv2

RANDOM = np.random.default_rng(5)
MATRIX = np.array([[0.9, 0.2, 30], [-0.15, 1.1, 20], [3e-4, -2e-4, 1]])


def keypoints(rows, seed=0):
    points = np.random.default_rng(seed).uniform(0, 99, (len(rows), 2))
    return Keypoints(points, (100, 100), descriptors=rows)


def sift_like(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 128)).astype(np.float32)


def bits(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def distances(rows, others):
    if rows.dtype == np.uint8:
        unpacked = (np.unpackbits(side, axis=1) for side in (rows, others))
        return cdist(*unpacked, "hamming") * rows.shape[1] * 8
    return cdist(rows, others)


def expected_pairs(rows, others, ratio, cross_check):
    table = distances(rows, others)
    ordered = np.sort(table, axis=1)
    pairs = []
    for number, nearest in enumerate(table.argmin(axis=1)):
        second = ordered[number, 1] if len(others) > 1 else np.inf
        if ratio is not None and not ordered[number, 0] < ratio * second:
            continue
        if cross_check and table[:, nearest].argmin() != number:
            continue
        pairs.append((number, nearest))
    return pairs


@pytest.mark.parametrize("make", [sift_like, bits])
@pytest.mark.parametrize("cross_check", [False, True])
@pytest.mark.parametrize("ratio", [None, 0.95, 0.8])
def test_pairs_are_the_nearest_by_brute_force(make, ratio, cross_check):
    rows, others = make(70, 1), make(90, 2)
    # Some have a partner that is near indeed; else random rows are all about as far.
    noise = RANDOM.integers(0, 3, (30, rows.shape[1])).astype(rows.dtype)
    others[:30] = rows[20:50] ^ noise if rows.dtype == np.uint8 else rows[20:50] + noise
    found = keypoints(rows, 1).match(keypoints(others, 2), ratio, cross_check)
    expected = expected_pairs(rows, others, ratio, cross_check)
    assert len(expected) >= 30
    assert found.indices.tolist() == [list(pair) for pair in expected]
    i, j = found.indices.T
    np.testing.assert_allclose(found.distances, distances(rows, others)[i, j], rtol=1e-6)
    assert np.array_equal(found.points, keypoints(rows, 1).points[i])
    assert np.array_equal(found.others, keypoints(others, 2).points[j])


def test_the_ratio_is_lowes_by_default():
    one = keypoints(np.array([[0.0], [100.0]]))
    # Ratios 0.79 and 0.81.
    other = keypoints(np.array([[7.9], [-10.0], [108.1], [90.0]]))
    assert one.match(other).indices.tolist() == [[0, 0]]
    assert len(one.match(other, ratio=None)) == 2
    exactly = keypoints(np.array([[8.0], [-10.0]]))
    assert len(one[0].match(exactly)) == 0


def test_scikit_images_matcher_agrees():
    rows, others = sift_like(60, 3), sift_like(80, 4)
    others[:25] = rows[:25] + 1
    expected = feature.match_descriptors(rows, others, max_ratio=0.8, cross_check=True)
    found = keypoints(rows).match(keypoints(others), 0.8, cross_check=True)
    assert found.indices.tolist() == expected.tolist()


def test_descriptors_of_booleans_are_bits():
    rows, others = bits(40, 6), bits(50, 7)
    others[:20] = rows[:20]
    packed = keypoints(rows).match(keypoints(others))
    loose = keypoints(np.unpackbits(rows, axis=1).astype(bool)).match(
        keypoints(np.unpackbits(others, axis=1).astype(bool))
    )
    assert loose.indices.tolist() == packed.indices.tolist()
    assert loose.distances.tolist() == packed.distances.tolist()


def test_many_rows_are_matched_block_by_block():
    rows, others = sift_like(3000, 8)[:, :8], sift_like(2500, 9)[:, :8]
    found = keypoints(rows).match(keypoints(others), ratio=None)
    table = cdist(rows, others)
    assert found.indices[:, 1].tolist() == table.argmin(axis=1).tolist()


def test_one_candidate_has_no_second_to_compare_with():
    assert len(keypoints(sift_like(4, 1)).match(keypoints(sift_like(1, 2)))) == 4
    assert len(keypoints(bits(4, 1)).match(keypoints(bits(1, 2)))) == 4


def scene(count=60, wrong=40, noise=0.0, seed=0):
    random = np.random.default_rng(seed)
    points = random.uniform(0, 400, (count, 2))
    others = map_points(MATRIX, points) + random.normal(0, noise, (count, 2))
    others[:wrong] = random.uniform(0, 500, (wrong, 2))
    return Matches(points, others, (400, 400), (500, 500))


def test_the_homography_is_found_among_wrong_pairs():
    matrix, inliers = scene().homography()
    assert inliers[40:].all()
    assert not inliers[:40].any()
    np.testing.assert_allclose(matrix / matrix[2, 2], MATRIX, rtol=1e-3, atol=1e-5)


def test_with_noise_it_is_as_good_as_scikit_images_least_squares_on_the_right_pairs():
    pairs = scene(noise=0.7, seed=3)
    matrix, inliers = pairs.homography(threshold=3)
    best = transform.ProjectiveTransform.from_estimate(pairs.points[40:], pairs.others[40:])
    corners = np.array([[0, 0], [400, 0], [400, 400], [0, 400]])
    truth = map_points(MATRIX, corners)
    off = np.linalg.norm(map_points(matrix, corners) - truth, axis=1).mean()
    assert inliers[40:].mean() > 0.9
    assert off < 2 * np.linalg.norm(best(corners) - truth, axis=1).mean() + 0.2


def test_scikit_images_ransac_finds_the_same_inliers():
    pairs = scene(noise=0.3, seed=4)
    sides = pairs.points, pairs.others
    model = transform.ProjectiveTransform
    _, expected = measure.ransac(sides, model, 4, 3, max_trials=2000, rng=0)
    assert (pairs.homography()[1] == expected).mean() > 0.97


def test_the_threshold_is_in_pixels_of_the_other_image():
    pairs = scene(wrong=0)
    shifted = pairs.others.copy()
    shifted[:2] += [(2.7, 0), (3.3, 0)]
    pairs = Matches(pairs.points, shifted, pairs.shape, pairs.other_shape)
    assert pairs.homography()[1][:2].tolist() == [True, False]
    assert pairs.homography(threshold=2)[1][:2].tolist() == [False, False]
    assert pairs.homography(threshold=4)[1][:2].tolist() == [True, True]


def test_threads_order_and_opencvs_generator_do_not_matter():
    many = [scene(40, 30, 0.5, seed) for seed in range(12)]
    alone = [pairs.homography(random_state=7)[0] for pairs in many]
    cv2.setRNGSeed(99)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pairs: pairs.homography(random_state=7)[0], many[::-1]))
    assert np.array_equal(alone, together[::-1])
    seeds = [many[0].homography(random_state=seed)[0] for seed in (0, 1, 2**31, 2**32 - 1)]
    assert all(matrix is not None for matrix in seeds)
    noisy = scene(300, 150, 1.5)
    assert len({noisy.homography(random_state=seed)[0].tobytes() for seed in range(12)}) > 1


@pytest.mark.parametrize(
    "points", [[[1, 1]] * 20, [[i, 2 * i] for i in range(20)], [[1, 2]] * 3, []]
)
def test_points_that_fix_no_homography(points):
    matrix, inliers = Matches(points, points, (50, 50), (50, 50)).homography()
    assert matrix is None
    assert inliers.tolist() == [False] * len(points)


def test_swapped_is_the_inverse():
    pairs = scene()
    back = pairs.swapped()
    assert back.swapped() == pairs
    assert back.shape == (500, 500)
    matrix = pairs.homography()[0] @ back.homography()[0]
    np.testing.assert_allclose(matrix / matrix[2, 2], np.eye(3), atol=0.05)


def test_mapped_moves_the_points_of_this_image_and_drops_those_outside():
    pairs = Matches(
        [[1, 2], [8, 2]], [[5, 5], [6, 6]], (9, 9), (9, 9), [0.5, 0.25], [[0, 3], [1, 4]]
    )
    moved = pairs.mapped([[2, 0, 0], [0, 2, 0], [0, 0, 1]], (9, 12))
    assert moved.points.tolist() == [[2, 4]]
    assert moved.others.tolist() == [[5, 5]]
    assert moved.distances.tolist() == [0.5]
    assert moved.indices.tolist() == [[0, 3]]
    assert moved.shape == (9, 12)


def test_drawn_side_by_side():
    pairs = Matches([[10, 20]], [[30, 20]], (60, 50), (40, 80))
    sheet = pairs.draw(np.zeros((60, 50), np.uint8), np.full((40, 80, 3), 9, np.uint8))
    assert sheet.shape == (60, 130, 3)
    lit = (sheet.max(axis=2) > 60)[20]
    assert lit[10:81].all()  # from (10, 20) to (50 + 30, 20)
    assert not lit[90:].any()
    alone = pairs.draw(np.zeros((60, 50), np.uint8))
    assert alone.shape == (60, 50, 3)
    assert alone[14:27, 4:17].any()
    assert not alone[30:].any()


def test_pickled_and_shown():
    pairs = scene(5, 0)
    assert pickle.loads(pickle.dumps(pairs)) == pairs
    assert "5 from 400 x 400 pixels to 500 x 500 pixels" in repr(pairs)
    assert pairs._repr_html_().count("<tr>") == 6
    assert list(pairs.to_records()[0]) == ["x", "y", "other_x", "other_y", "distance"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"points": [[1, np.nan]]}, "'points'"),
        ({"others": [[1, 2], [3, 4]]}, "'others' .* n = 1"),
        ({"distances": [-1]}, "'distances' .* at least 0"),
        ({"indices": [[0.5, 1]]}, "'indices' .* whole numbers"),
        ({"indices": [[-1, 1]]}, "'indices' .* at least 0"),
        ({"other_shape": 5}, "'other_shape'"),
    ],
)
def test_refusals_name_the_field(change, says):
    with pytest.raises(ParameterError, match=says):
        Matches(
            **(
                {"points": [[1, 1]], "others": [[2, 2]], "shape": (9, 9), "other_shape": (9, 9)}
                | change
            )
        )


def test_what_cannot_be_compared_is_refused():
    one = keypoints(sift_like(3, 1))
    with pytest.raises(ParameterError, match=r"'other' .* with descriptors.*SIFT\(\)"):
        one.match(Keypoints([[1, 1]], (9, 9)))
    with pytest.raises(ParameterError, match=r"128 columns of float32.* 32 columns of uint8"):
        one.match(keypoints(bits(3, 1)))
    with pytest.raises(ParameterError, match=r"'ratio' .* at most 1"):
        one.match(one, ratio=1.5)
    with pytest.raises(ParameterError, match=r"'other' .* keypoints"):
        one.match("other")
    with pytest.raises(ParameterError, match=r"'threshold' .* above 0"):
        scene().homography(threshold=0)
    with pytest.raises(ParameterError, match="'out'"):
        canvas = np.zeros((400, 400, 3), np.uint8)
        scene().draw(canvas, np.zeros((500, 500), np.uint8), out=canvas)
    with pytest.raises(ImageError, match="500 x 500"):
        scene().draw(np.zeros((400, 400), np.uint8), np.zeros((9, 9), np.uint8))
