"""Finding and rectifying a picture against warps that scikit-image made by a known matrix."""

import json
import os
import pickle
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from skimage import data, transform

import vision
from classical.colour import Gray
from classical.contours import FindContours
from classical.corners import FAST
from classical.keypoints import ORB, SIFT
from classical.matching import AlignTo, FindObject
from classical.threshold import InRange, Threshold
from vision.errors import ImageError, ParameterError
from vision.kinds import Kind
from vision.mapping import map_points
from vision.matches import Matches

pytestmark = pytest.mark.cv2
MAGENTA = InRange("rgb", (200, 0, 200), (255, 80, 255))
COFFEE = data.coffee()[50:330, 160:460].copy()
VIEWS = {
    "tilted": [[0.8, 0.1, 90], [-0.05, 0.75, 60], [4e-4, 2e-4, 1]],
    "turned": [[-0.5, 0.6, 180], [-0.6, -0.5, 330], [0, 0, 1]],
    "small": [[0.45, 0, 20.5], [0, 0.45, 200.25], [0, 0, 1]],
}


def scene(*matrices, picture=COFFEE, shape=(400, 520)):
    """Views of a picture on a photograph, through matrices from its pixels to the scene's."""
    image = np.resize(data.brick(), shape)
    image = np.dstack([image] * (3 if picture.ndim == 3 else 1)).squeeze().astype(float)
    for matrix in matrices:
        back = transform.ProjectiveTransform(np.linalg.inv(matrix))
        seen = transform.warp(picture, back, output_shape=shape, cval=-1, preserve_range=True)
        image = np.where(seen >= 0, seen, image)
    return image.clip(0, 255).round().astype(np.uint8)


def corners(matrix, picture=COFFEE):
    """Where a matrix takes the picture's outline, in the unit of boxes."""
    height, width = picture.shape[:2]
    ends = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    return map_points(np.array(matrix), ends) + 0.5


@pytest.mark.parametrize("view", VIEWS)
def test_the_corners_are_where_the_matrix_puts_them(view):
    found = FindObject(COFFEE)(scene(VIEWS[view]))
    expected = corners(VIEWS[view])
    assert found.shape == (400, 520)
    off = np.linalg.norm(found.corners[0] - expected, axis=1)
    assert off.max() < 1.5
    box = [*expected.min(axis=0), *expected.max(axis=0)]
    np.testing.assert_allclose(found.boxes[0], np.clip(box, 0, (520, 400) * 2), atol=1.5)
    assert 0.5 < found.scores[0] <= 1


def test_corners_are_edges_of_pixels_as_boxes_are():
    found = FindObject(COFFEE)(data.coffee())
    expected = [[160, 50], [460, 50], [460, 330], [160, 330]]
    np.testing.assert_allclose(found.corners, [expected], atol=0.05)
    np.testing.assert_allclose(found.boxes, [[160, 50, 460, 330]], atol=0.05)


@pytest.mark.parametrize("view", ["tilted", "turned"])
def test_orb_finds_what_has_corners(view):
    picture = data.camera()[60:340, 120:420].copy()
    found = FindObject(picture, ORB(2000))(scene(VIEWS[view], picture=picture))
    assert np.linalg.norm(found.corners[0] - corners(VIEWS[view]), axis=1).max() < 3


def test_the_homography_goes_from_the_template_to_the_scene():
    find, image = FindObject(COFFEE), scene(VIEWS["tilted"])
    points = np.array([[10.0, 10], [280, 40], [150, 260]])
    expected = map_points(np.array(VIEWS["tilted"]), points)
    assert np.abs(map_points(find.homography(image), points) - expected).max() < 1
    pairs = find.matches(image)
    assert (pairs.shape, pairs.other_shape) == ((280, 300), (400, 520))
    off = np.linalg.norm(map_points(np.array(VIEWS["tilted"]), pairs.points) - pairs.others, axis=1)
    assert (off < 3).sum() > 50
    # Every keypoint of the scene is paired at most once.
    assert len(set(pairs.indices[:, 1].tolist())) == len(pairs)


def test_an_object_that_is_not_there_is_not_found():
    find = FindObject(COFFEE)
    for other in (data.brick(), data.astronaut(), data.page(), np.zeros((90, 90), np.uint8)):
        found = find(other)
        assert len(found) == 0
        assert found.shape == other.shape[:2]
        assert find.homography(other) is None


def test_a_mirrored_object_is_another_one():
    assert len(FindObject(COFFEE)(scene(VIEWS["tilted"], picture=COFFEE[:, ::-1]))) == 0


def pairs_through(*matrices, off=0.0):
    """Pairs that agree exactly with each matrix in turn, the last ones `off` by pixels."""
    points = np.random.default_rng(3).uniform(20, 260, (40, 2))
    others = [map_points(np.array(matrix), points) for matrix in matrices]
    others[-1] = others[-1] + off
    known = np.tile(points, (len(matrices), 1))
    return Matches(known, np.concatenate(others), COFFEE.shape[:2], (400, 520))


def test_views_from_behind_are_none():
    find = FindObject(COFFEE)
    assert [score for _, score in find.views(pairs_through(VIEWS["tilted"]))] == [1.0]
    mirrored = [[-0.8, 0.1, 290], [-0.05, 0.75, 60], [0, 0, 1]]
    beyond_the_horizon = [[0.8, 0.1, 90], [-0.05, 0.75, 60], [-3.4e-3, 0, 1]]
    assert list(find.views(pairs_through(mirrored))) == []
    assert list(find.views(pairs_through(beyond_the_horizon))) == []


def test_what_lies_within_a_view_is_no_second_one():
    find = FindObject(COFFEE)
    views = list(find.views(pairs_through(VIEWS["tilted"], VIEWS["tilted"], off=8)))
    assert len(views) == 1
    assert views[0][1] == pytest.approx(0.5, abs=0.05)
    apart = [[0.3, 0, 10], [0, 0.3, 10], [0, 0, 1]], [[0.3, 0, 300], [0, 0.3, 10], [0, 0, 1]]
    assert len(list(find.views(pairs_through(*apart)))) == 2


def test_several_objects_are_found_one_after_the_other():
    views = [
        [[0.6, 0.1, 10], [-0.1, 0.6, 40], [0, 0, 1]],
        [[0.5, -0.2, 330], [0.2, 0.5, 150], [0, 0, 1]],
    ]
    image = scene(*views)
    assert len(FindObject(COFFEE)(image)) == 1
    for most in (2, 5):
        found = FindObject(COFFEE, max_objects=most)(image)
        assert len(found) == 2
        for view in views:
            off = np.linalg.norm(found.corners - corners(view), axis=2).max(axis=1)
            assert off.min() < 3


def test_gray_and_rgb_scenes_and_templates():
    image = scene(VIEWS["tilted"])
    gray = data.coffee()[50:330, 160:460].mean(axis=2).round().astype(np.uint8)
    one = FindObject(gray)(image).corners
    two = FindObject(COFFEE)(image.mean(axis=2).round().astype(np.uint8)).corners
    np.testing.assert_allclose(one, [corners(VIEWS["tilted"])], atol=2)
    np.testing.assert_allclose(two, [corners(VIEWS["tilted"])], atol=2)


def test_colours_count_by_their_luma():
    image = scene(VIEWS["tilted"])
    in_gray = FindObject(Gray()(COFFEE)).matches(Gray()(image))
    assert FindObject(COFFEE).matches(image) == in_gray


def test_min_matches_is_how_many_must_agree():
    image = scene(VIEWS["small"])
    find = FindObject(COFFEE)
    pairs = find.matches(image)
    agreeing = int(pairs.homography(3.0, 0)[1].sum())
    assert len(find.set_params(min_matches=agreeing)(image)) == 1
    assert len(find.set_params(min_matches=agreeing + 1)(image)) == 0


@pytest.mark.parametrize("cls", [FindObject, AlignTo])
def test_by_default_ten_pairs_pass_lowes_test_and_agree_within_three_pixels(cls):
    image = scene(VIEWS["small"])
    found, known = SIFT()(Gray()(image)), SIFT()(Gray()(COFFEE))
    pairs = found.match(known, ratio=0.8).swapped()
    assert cls(COFFEE).matches(image) == pairs
    assert np.array_equal(cls(COFFEE).homography(image), pairs.homography(3.0, random_state=0)[0])
    assert not np.array_equal(*(pairs.homography(limit)[1] for limit in (2.4, 3.6)))
    cls(COFFEE, SIFT(10)).fit()
    with pytest.raises(ParameterError, match=r"at least 10 keypoints.*It has 9"):
        cls(COFFEE, SIFT(9)).fit()


def test_a_changed_detector_is_used_at_once():
    find = FindObject(COFFEE, ORB(500))
    image = scene(VIEWS["tilted"])
    few = len(find.matches(image))
    find.set_params(detector__n_features=3000)
    assert len(find.matches(image)) > few


def test_threads_and_order_do_not_matter():
    find = FindObject(COFFEE)
    images = [scene(VIEWS[name]) for name in VIEWS] * 2
    alone = [find(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(find, images[::-1]))[::-1] == alone
    assert pickle.loads(pickle.dumps(find))(images[0]) == alone[0]


@pytest.mark.parametrize("view", VIEWS)
def test_a_warped_picture_is_rectified(view):
    again = AlignTo(COFFEE)(scene(VIEWS[view]))
    assert again.shape == COFFEE.shape
    inside = again[5:-5, 5:-5].astype(int) - COFFEE[5:-5, 5:-5]
    assert np.abs(inside).mean() < (12 if view == "small" else 6)


def test_what_the_picture_does_not_show_has_the_value():
    image = data.coffee()[50:330, 160:330].copy()  # the left part alone
    again = AlignTo(COFFEE, value=77)(image)
    assert again.shape == COFFEE.shape
    assert np.abs(again[:, :168].astype(int) - COFFEE[:, :168]).mean() < 3
    assert (again[:, 173:] == 77).all()


def test_results_of_later_steps_come_back_to_the_picture():
    dot = COFFEE.copy()
    dot[120:140, 200:230] = (255, 0, 255)
    image = scene(VIEWS["tilted"], picture=dot)
    find = AlignTo(COFFEE) >> MAGENTA >> FindContours(min_area=50)
    found = find(image)
    expected = map_points(np.array(VIEWS["tilted"]), np.array([[214.5, 129.5]]))
    assert found.shape == (400, 520)
    assert np.linalg.norm(found.centroids - expected, axis=1).min() < 2


def test_a_mask_stays_one_by_nearest_alone():
    assert AlignTo(COFFEE).gives_for(Kind.MASK) is Kind.GRAY
    nearest = AlignTo(COFFEE, interpolation="nearest")
    assert nearest.gives_for(Kind.MASK) is Kind.MASK
    assert AlignTo(COFFEE, interpolation="nearest", value=9).gives_for(Kind.MASK) is Kind.GRAY
    mask = Threshold(120)(COFFEE[..., 1].copy())
    assert set(np.unique(AlignTo(mask, interpolation="nearest")(np.rot90(mask).copy()))) == {0, 255}


def test_a_picture_without_the_reference_is_refused_or_left_blank():
    with pytest.raises(ImageError, match=r"does not find .* fewer than 10.*missing='blank'"):
        AlignTo(COFFEE)(data.brick())
    blank = AlignTo(COFFEE, missing="blank", value=9)
    assert (blank(data.brick()) == 9).all()
    assert blank(data.brick()).shape == (280, 300)
    assert blank(data.astronaut()).shape == (280, 300, 3)


def test_saved_and_loaded_with_the_picture_beside_the_text(tmp_path):
    image = scene(VIEWS["tilted"])
    find = FindObject(COFFEE, SIFT(n_octave_layers=4))
    vision.save(vision.chain(find), tmp_path / "find.vision")
    assert vision.load(tmp_path / "find.vision")(image) == find(image)


@pytest.mark.skipif("VISION_DATA" not in os.environ, reason="VISION_DATA names no data")
def test_warped_photographs_are_found_within_ten_pixels():
    path = Path(os.environ["VISION_DATA"], "matching_bsds_warps_a", "matching_a.zip")
    with zipfile.ZipFile(path) as archive:
        for pair in json.loads(archive.read("pairs.json"))[::8]:
            reference = vision.decode(archive.read(f"reference/{pair['reference']}.jpg"))
            query = vision.decode(archive.read(pair["query"]))
            matrix = FindObject(reference).homography(query)
            height, width = reference.shape[:2]
            ends = np.array([[0, 0], [width, 0], [width, height], [0, height]])
            off = map_points(matrix, ends) - map_points(np.array(pair["H"]), ends)
            assert np.linalg.norm(off, axis=1).max() < 10


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: FindObject("cup.jpg"), "'template' .* an rgb or gray image, uint8"),
        (lambda: FindObject(COFFEE / 255), "'template' .* an rgb or gray image, uint8"),
        (lambda: FindObject(np.zeros((50, 50), np.uint8)), "'template' .* It has 0"),
        (lambda: FindObject(COFFEE, FAST()), r"'detector' .* descriptors.*ORB\(\)"),
        (lambda: FindObject(COFFEE, FindContours()), "'detector' .* finds keypoints"),
        (lambda: FindObject(COFFEE, "SIFT"), "'detector' .* finds keypoints"),
        (lambda: FindObject(COFFEE, min_matches=3), "'min_matches' .* at least 4"),
        (lambda: FindObject(COFFEE, max_objects=0), "'max_objects' .* at least 1"),
        (lambda: FindObject(COFFEE, ratio=0), "'ratio' .* above 0"),
        (lambda: AlignTo(np.zeros((50, 50), np.uint8)), "'reference' .* It has 0"),
        (lambda: AlignTo(COFFEE, value=256), "'value' .* at most 255"),
        (lambda: AlignTo(COFFEE, missing="skip"), "'missing' .* 'error' or 'blank'"),
    ],
)
def test_refusals_name_the_parameter(make, says):
    with pytest.raises(ParameterError, match=says):
        make()(COFFEE)
