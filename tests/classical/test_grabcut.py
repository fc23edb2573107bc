"""GrabCut on pictures whose object is known, on a coin and on a cup."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, filters

from classical import Gray, Threshold
from classical.grabcut import GrabCut
from vision.errors import ImageError, KindError, ParameterError


def overlap(one, other):
    one, other = one > 0, other > 0
    return (one & other).sum() / (one | other).sum()


def ring(noise=12):
    """A red ring on green, both noisy, and where it is."""
    rows, columns = np.mgrid[:90, :140]
    distance = np.hypot(rows - 40, columns - 80)
    inside = (distance < 30) & (distance > 12)
    image = np.where(inside[..., None], (170, 70, 60), (70, 140, 70))
    image = image + np.random.default_rng(1).normal(0, noise, image.shape)
    return image.clip(0, 255).astype(np.uint8), inside


def test_an_object_in_a_box_is_cut_out():
    image, inside = ring()
    mask = GrabCut((45, 5, 115, 75))(image)
    assert mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 255}
    assert overlap(mask, inside) > 0.97


def test_nothing_outside_the_box_is_object():
    image, inside = ring()
    wide = np.hstack([image, image])  # two rings: what is in the box's ring is outside it, too
    wide[:, 140:] = wide[:, 140:, ::-1]
    mask = GrabCut((185, 5, 255, 75))(wide)
    assert not mask[:, :185].any() and overlap(mask[:, 140:], inside) > 0.97
    tall = GrabCut((5, 185, 75, 255))(np.ascontiguousarray(wide.swapaxes(0, 1)))
    assert not tall[:185].any() and overlap(tall[140:].T, inside) > 0.97


def test_without_a_box_a_twentieth_at_each_side_is_background():
    image, inside = ring()
    assert overlap(GrabCut()(image), inside) > 0.97
    frame = np.full((100, 200, 3), (40, 160, 40), np.uint8)
    frame[4:96, 8:192] = (40, 40, 200)  # the inner part of the twentieth looks like nothing else
    frame[5:95, 10:190] = (200, 50, 50)
    found = np.argwhere(GrabCut()(frame))
    assert (found.min(axis=0).tolist(), found.max(axis=0).tolist()) == ([5, 10], [94, 189])


def test_a_coin_is_found_in_its_box():
    image = data.coins()
    box = left, top, right, bottom = 305, 145, 384, 225
    crop = ndimage.gaussian_filter(image[top:bottom, left:right], 1)
    expected = ndimage.binary_fill_holes(crop > filters.threshold_otsu(crop))
    assert 0.2 < expected.mean() < 0.6
    assert overlap(GrabCut(box)(image)[top:bottom, left:right], expected) > 0.85


def test_a_cup_is_cut_out_of_its_table():
    mask = GrabCut((30, 10, 250, 195))(data.coffee()[::2, ::2].copy())
    assert np.mean(mask[30:165, 100:200] > 0) > 0.97  # cup and saucer
    assert not mask[:50, 240:].any() and not mask[150:, :30].any()


def test_a_rough_mask_is_improved():
    image, inside = ring()
    rough = ndimage.binary_dilation(inside, iterations=5)
    mask = np.where(rough, 255, 0).astype(np.uint8)
    assert overlap(mask, inside) < 0.75
    assert overlap(GrabCut(mask=mask)(image), inside) > 0.97


def test_the_mask_may_be_made_of_the_same_image():
    image = data.camera()[::2, ::2].copy()
    dark = ~Threshold(70)
    mask = GrabCut(mask=dark)(image)
    assert overlap(mask, dark(image)) > 0.75
    assert np.mean(mask[100:150, 65:100] > 0) > 0.97
    color = np.dstack([image] * 3)
    assert np.array_equal(GrabCut(mask=Gray() >> dark)(color), mask)


def test_opencvs_marks_hold_what_is_sure():
    image, inside = ring()
    marks = np.where(inside, 3, 2).astype(np.uint8)
    marks[35:45, 75:85], marks[:, 100:] = 1, 0
    mask = GrabCut(mask=marks)(image)
    assert np.all(mask[35:45, 75:85] == 255) and not mask[:, 100:].any()
    assert overlap(mask[:, :68], inside[:, :68]) > 0.95


def test_a_box_and_a_mask_work_together():
    image, inside = ring()
    wide, both = np.hstack([image, image[:, ::-1]]), np.hstack([inside, inside[:, ::-1]])
    rough = np.where(ndimage.binary_dilation(both, iterations=3), 255, 0).astype(np.uint8)
    assert overlap(GrabCut(mask=rough)(wide), both) > 0.97
    mask = GrabCut((40, 0, 280, 90), rough)(wide)
    assert overlap(mask, both) > 0.97
    assert not GrabCut((140, 0, 280, 90), rough)(wide)[:, :140].any()


def test_the_result_depends_on_the_image_and_the_seed_alone():
    image = data.coffee()[::4, ::4].copy()
    step = GrabCut((15, 5, 125, 97), iterations=2, random_state=2**32 - 1)
    expected = step(image)
    GrabCut(random_state=5)(image)
    with ThreadPoolExecutor(2) as pool:
        assert all(np.array_equal(one, expected) for one in pool.map(step, [image] * 3))


def test_five_rounds_are_the_default():
    image = data.rocket()[::4, ::4].copy()
    five, six = (GrabCut(iterations=rounds)(image) for rounds in (5, 6))
    assert np.array_equal(GrabCut()(image), five) and not np.array_equal(five, six)


def test_too_little_to_learn_from_is_refused():
    image = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(ImageError, match="Got 600 and 0, in an image of 30 x 20 pixels"):
        GrabCut((0, 0, 30, 20))(image)
    with pytest.raises(ImageError, match="Got 0 and 600"):
        GrabCut(mask=np.zeros((20, 30), np.uint8))(image)
    with pytest.raises(ImageError, match="Got 2 and 598"):
        GrabCut((3, 3, 5, 4))(image)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(KindError, match="'mask' is 30 x 20"):
        GrabCut(mask=np.zeros((20, 30), np.uint8))(np.zeros((30, 20, 3), np.uint8))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"box": (5, 5, 5, 9)}, "'box' of GrabCut must be .left, top, right, bottom."),
        ({"box": (5, 5, 9)}, "'box'"),
        ({"box": (-1, 5, 9, 9)}, "'box'"),
        ({"box": (0.5, 5, 9, 9)}, "'box'"),
        ({"mask": np.full((3, 3), 7, np.uint8)}, "0, 1, 2 and 3"),
        ({"mask": np.ones((3, 3), bool)}, "'mask'"),
        ({"mask": "otsu"}, "'mask'"),
        ({"iterations": 0}, "'iterations'"),
        ({"random_state": None}, "'random_state'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        GrabCut(**parameters)(np.zeros((30, 30, 3), np.uint8))
