"""Colours, noise, blur and erasing against Pillow, SciPy, TensorFlow and numbers by hand."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy import ndimage
from skimage import data

import vision
from deep import (
    RandomBlur,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomFlip,
    RandomHue,
    RandomNoise,
    RandomSaturation,
    augment,
)
from deep.augmentation import Fused, augmented
from tests.deep.augmentation_draws import Highest, furthest, highest, one_after_another


@pytest.fixture(scope="module")
def photograph():
    """A square of a shipped photograph, 120 pixels a side."""
    return np.ascontiguousarray(data.astronaut()[40:160, 160:280])


@pytest.fixture(scope="module")
def gentle(photograph):
    """Its values from 60 to 195: what no colour step of the tests clips."""
    return (60 + photograph * (135 / 255)).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_one_table_is_the_same_as_several(gentle, seed):
    for steps in (
        (RandomBrightness(0.1), RandomContrast(0.2), RandomBrightness(0.05)),
        (RandomContrast(0.2), RandomSaturation(0.2), RandomBrightness(0.1), RandomHue(10)),
    ):
        fused = augment(vision.chain(*steps), gentle, seed=seed)
        assert furthest(fused, one_after_another(steps, gentle, seed)) <= 2
        assert furthest(fused, gentle) > 4


def test_colours_between_two_steps_are_not_clipped():
    image = np.array([[0, 100, 250]], np.uint8)
    brighter = RandomBrightness(0.2)
    darker = Fused(brighter >> RandomContrast(0.5))
    generator = Highest()
    draws = iter([0.2, 0.5])
    generator.uniform = lambda low, high: next(draws)
    # 51, 151 and 301 by half towards their mean
    mean = (51 + 151 + 301) / 3
    expected = np.rint(mean + (np.array([[51, 151, 301]]) - mean) / 2)
    assert np.array_equal(augmented(darker, image, (), generator)[0], expected)


def test_brightness_adds_a_share_of_white(photograph):
    expected = np.minimum(photograph.astype(int) + 51, 255)
    assert np.array_equal(highest(RandomBrightness(0.2), photograph), expected)
    gray = photograph[..., 1]
    assert np.array_equal(highest(RandomBrightness(0.2), gray), expected[..., 1])


def test_contrast_is_tensorflows(photograph):
    import tensorflow as tf

    expected = tf.image.adjust_contrast(photograph.astype(np.float32), 1.2).numpy()
    ours = highest(RandomContrast(0.2), photograph)
    assert furthest(ours, np.rint(expected.clip(0, 255))) <= 1
    gray = photograph[..., :1]
    expected = tf.image.adjust_contrast(gray.astype(np.float32), 1.2).numpy()
    ours = highest(RandomContrast(0.2), gray[..., 0])
    assert furthest(ours[..., None], np.rint(expected.clip(0, 255))) <= 1


def test_saturation_is_pillows(photograph):
    expected = np.asarray(ImageEnhance.Color(Image.fromarray(photograph)).enhance(1.3))
    assert furthest(highest(RandomSaturation(0.3), photograph), expected) <= 2


def test_a_third_of_a_turn_of_hue_exchanges_the_channels(photograph):
    turned = highest(RandomHue(120), photograph)
    assert furthest(turned, np.roll(photograph, 1, axis=2)) <= 1
    red = np.array([[[255, 0, 0]]], np.uint8)
    assert highest(RandomHue(120), red).tolist() == [[[0, 255, 0]]]


def test_gray_images_have_no_colours_to_change(photograph):
    gray = photograph[..., 0]
    assert np.array_equal(highest(RandomHue(90) >> RandomSaturation(0.5), gray), gray)


def test_noise_has_its_strength_and_is_another_one_in_each_channel():
    image = np.full((300, 300, 3), 128, np.uint8)
    noise = highest(RandomNoise(10), image).astype(float).reshape(-1, 3) - 128
    assert noise.std() == pytest.approx(np.sqrt(100 + 1 / 12), rel=0.01)
    assert abs(noise.mean()) < 0.1
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.02


def test_blur_is_scipys(photograph):
    blurred = highest(RandomBlur(1.5, probability=1.0), photograph)
    sigmas = 1.5, 1.5, 0
    expected = ndimage.gaussian_filter(photograph.astype(float), sigmas, mode="mirror", truncate=3)
    assert furthest(blurred, np.rint(expected)) <= 2


def test_erasing_fills_one_rectangle_of_the_size_asked_for():
    image, shares = np.zeros((60, 90, 3), np.uint8), []
    for seed in range(60):
        erased = augment(RandomErasing(0.2, probability=1.0), image, seed=seed)
        rows, columns = np.nonzero(erased.any(axis=2))
        part = erased[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        shares.append(part[..., 0].size / image[..., 0].size)
        assert len(rows) > 0.99 * part[..., 0].size
        assert part.mean() == pytest.approx(127.5, abs=1200 / np.sqrt(part.size))
    assert min(shares) > 0.01 and max(shares) < 0.22
    assert np.mean(shares) == pytest.approx(0.11, abs=0.02)


def test_local_steps_keep_their_place(photograph):
    generator = np.random.default_rng(3)
    erasing = RandomErasing(probability=1.0)
    erased = augmented(Fused(erasing), photograph, (), generator)[0]
    together = augment(erasing >> RandomFlip(probability=1.0), photograph, seed=3)
    assert np.array_equal(together, erased[:, ::-1])
