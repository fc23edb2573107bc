"""Planted copies are found; different photographs, digits and faces are not."""

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from sklearn.datasets import load_digits

import vision
from vision.errors import ParameterError
from vision.near_duplicates import find_duplicates, survey
from vision.opencv import cv2

NAMES = ("astronaut", "camera", "chelsea", "coffee", "coins", "rocket", "moon", "page", "text")


def photographs():
    return [getattr(skimage.data, name)() for name in NAMES]


def as_jpeg(image):
    return vision.decode(vision.encode(image, "jpeg", quality=60))


def half(image):
    size = image.shape[1] // 2, image.shape[0] // 2
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def brighter(image):
    return np.clip(image.astype(int) + 15, 0, 255).astype(np.uint8)


def mirrored(image):
    return np.ascontiguousarray(image[:, ::-1])


def test_different_photographs_are_different():
    pairs, count = find_duplicates(survey(photographs()))
    assert (pairs, count) == ((), 0)


@pytest.mark.parametrize("change", [as_jpeg, half, brighter, mirrored])
def test_a_copy_of_each_is_found(change):
    images = photographs()
    pairs, count = find_duplicates(survey([*images, *map(change, images)]))
    found = {(pair.first, pair.second) for pair in pairs}
    assert found == {(place, place + len(images)) for place in range(len(images))}
    assert count == len(images)
    assert not any(pair.exact for pair in pairs)


def test_a_picture_of_nothing_is_like_no_other():
    images = [np.zeros((0, 8), np.uint8), *photographs()[:2]]
    assert find_duplicates(survey(images)) == ((), 0)


def test_equal_pictures_are_exact():
    images = photographs()
    pairs, _ = find_duplicates(survey([*images, images[3].copy()]))
    assert [(one.first, one.second, one.distance, one.exact) for one in pairs] == [(3, 9, 0, True)]


def test_of_three_equal_ones_each_copy_is_told_once():
    image = skimage.data.camera()
    pairs, count = find_duplicates(survey([image, image, image]))
    assert [(one.first, one.second) for one in pairs] == [(0, 1), (0, 2)]
    assert count == 2


def test_pairs_across_the_split_come_first_and_say_so():
    images = photographs()
    both = [*images, as_jpeg(images[0]), images[1].copy()]
    learned, tested = np.arange(10), np.array([10])
    splits = [(np.setdiff1d(learned, [9]), np.array([9]))]
    pairs, _ = find_duplicates(survey(both), splits)
    assert [(one.first, one.second, one.across) for one in pairs] == [(0, 9, True), (1, 10, False)]
    pairs, _ = find_duplicates(survey(both), [(learned, tested)])
    assert [(one.first, one.second, one.across) for one in pairs] == [(1, 10, True), (0, 9, False)]


def test_two_that_are_held_out_together_are_not_across():
    images = [skimage.data.camera()] * 2 + [skimage.data.coins()]
    pairs, _ = find_duplicates(survey(images), [(np.array([2]), np.array([0, 1]))])
    assert [one.across for one in pairs] == [False]


def test_digits_and_faces_are_different():
    digits = load_digits().images.astype(np.uint8) * 15
    assert find_duplicates(survey(digits))[1] == 0
    faces = np.rint(skimage.data.lfw_subset() * 255).astype(np.uint8)
    assert find_duplicates(survey(faces))[1] == 0


def test_pictures_of_the_same_shape_in_another_colour_are_different():
    shape = np.zeros((40, 40), np.uint8)
    shape[10:30, 10:30] = 1
    red, green = np.zeros((2, 40, 40, 3), np.uint8)
    red[..., 0], green[..., 1] = 200 * shape, 102 * shape  # of one gray level
    assert find_duplicates(survey([red, green]))[1] == 0
    assert find_duplicates(survey([red, half(red)]))[1] == 1


def test_flat_pictures_are_duplicates_only_where_they_are_equal():
    flat = [np.full((8, 8), level, np.uint8) for level in (10, 20, 20)]
    pairs, _ = find_duplicates(survey(flat))
    assert [(one.first, one.second, one.exact) for one in pairs] == [(1, 2, True)]


@pytest.mark.parametrize("dtype", ["uint16", "float32", "bool"])
def test_other_depths_are_looked_at_alike(dtype):
    image = skimage.data.camera()
    made = image > 128 if dtype == "bool" else (image / 255).astype(np.float32)
    made = (image.astype(np.uint16) * 257) if dtype == "uint16" else made
    pairs, count = find_duplicates(survey([made, made[::2, ::2], skimage.data.coins()]))
    assert [(one.first, one.second) for one in pairs] == [(0, 1)]
    assert count == 1


def test_the_key_is_of_the_pixels_and_their_order():
    one, other = skimage.data.camera(), skimage.data.coins()
    key = survey([one, other]).key
    assert key == survey([one.copy(), other]).key
    assert key != survey([other, one]).key
    changed = one.copy()
    changed[0, 0] ^= 1
    assert key != survey([changed, other]).key


def test_a_distance_that_cannot_be_is_refused():
    with pytest.raises(ParameterError, match="near"):
        find_duplicates(survey([skimage.data.camera()]), near=3)


@pytest.mark.skipif(not os.environ.get("VISION_DATA"), reason="VISION_DATA is not set")
def test_a_hundred_photographs_of_bsds_are_different_and_their_copies_found():
    archive = Path(os.environ["VISION_DATA"], "boundary_bsds500_trainval", "bsds500_val100.zip")
    images = vision.Images(archive)
    chosen = [place for place, name in enumerate(images.sources) if name.endswith(".jpg")]
    images = [half(image) for image in images[chosen]]
    assert find_duplicates(survey(images))[1] == 0
    changes = [as_jpeg, half, brighter, mirrored]
    copies = [changes[place % 4](image) for place, image in enumerate(images)]
    pairs, count = find_duplicates(survey([*images, *copies]))
    assert count == len(images)
    assert {one.second - one.first for one in pairs} == {len(images)}
