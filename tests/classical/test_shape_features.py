"""Hu's moments against scikit-image's and the integrals of simple shapes."""

import numpy as np
import pytest
from skimage import data
from skimage.measure import moments_central, moments_hu, moments_normalized

from classical.shape_features import HuMoments
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError


def theirs(image):
    # scikit-image's first axis is y; transposed, it is x, and no shape is mirrored.
    return moments_hu(moments_normalized(moments_central(image.T / 255)))


def logarithms(moments):
    return np.array([-np.sign(m) * np.log10(abs(m)) if m else 0 for m in moments])


@pytest.mark.parametrize("picture", [data.coins, data.camera, lambda: data.coffee()[..., 1]])
def test_of_a_photograph_all_seven_are_scikit_images(picture):
    image = np.ascontiguousarray(picture()[:200, :260])
    expected = theirs(image)
    assert np.allclose(HuMoments(log_scale=False)(image), expected, rtol=1e-4)
    assert np.allclose(HuMoments()(image), logarithms(expected), rtol=1e-4)


def test_of_a_horse_all_seven_are_scikit_images():
    mask = np.where(data.horse(), 0, 255).astype(np.uint8)
    row = HuMoments()(mask)
    assert row.dtype == np.float32
    assert np.allclose(row, logarithms(theirs(mask)), rtol=1e-3)


def test_a_disc_has_the_least_first_moment():
    y, x = np.mgrid[:201, :201]
    disc = np.where(np.hypot(x - 100, y - 100) <= 80, 255, 0).astype(np.uint8)
    # The integral of r^2 over a disc, by its squared area, is 1 / 2 pi.
    first, second = HuMoments(log_scale=False)(disc)[:2]
    assert np.isclose(first, 1 / (2 * np.pi), rtol=1e-3)
    assert np.isclose(second, 0, atol=1e-6)
    assert np.isclose(HuMoments()(disc)[0], np.log10(2 * np.pi), rtol=1e-3)


def test_turned_moved_enlarged_and_mirrored_shapes_are_alike():
    mask = np.where(data.horse(), 0, 255).astype(np.uint8)
    row = HuMoments()(mask)
    others = [
        np.ascontiguousarray(np.rot90(mask)),
        np.pad(mask, ((30, 0), (0, 70))),
        mask.repeat(2, axis=0).repeat(2, axis=1),
        np.ascontiguousarray(mask[:, ::-1]),
    ]
    for other in others[:3]:
        assert np.allclose(HuMoments()(other), row, rtol=2e-3)
    mirrored = HuMoments()(others[3])
    assert np.allclose(mirrored[:6], row[:6], rtol=2e-3)
    assert np.isclose(mirrored[6], -row[6], rtol=2e-3)


def test_black_is_all_zero_and_names_count_to_seven():
    assert HuMoments()(np.zeros((9, 9), np.uint8)).tolist() == [0] * 7
    assert HuMoments().get_feature_names_out().tolist() == [f"hu_{n}" for n in range(1, 8)]
    assert (Otsu() >> HuMoments())(data.coins()).shape == (7,)


def test_wrong_parameters_and_images_are_refused():
    with pytest.raises(ParameterError, match="'log_scale' of HuMoments must be True or False"):
        HuMoments(log_scale=1)(data.coins())
    with pytest.raises(KindError, match="HuMoments takes a gray image"):
        HuMoments()(data.coffee())
