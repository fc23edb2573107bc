"""Chan-Vese: its energy beside scikit-image's, and discs whose fate the energy decides."""

import numpy as np
import pytest
from skimage import data, segmentation

from classical.active_contours import ChanVese
from vision.errors import ParameterError


def energy(image, mask, mu, lambda1=1, lambda2=1):
    """Of Chan and Vese, equation 9, with nu = 0: isotropic length, levels from 0 to 1."""
    levels, bright = image / 255, mask > 0
    across = np.diff(bright.astype(float), axis=1, append=bright[:, -1:])
    down = np.diff(bright.astype(float), axis=0, append=bright[-1:])
    inside, outside = levels[bright], levels[~bright]
    fit = lambda1 * ((inside - inside.mean()) ** 2).sum()
    fit += lambda2 * ((outside - outside.mean()) ** 2).sum()
    return mu * np.hypot(across, down).sum() + fit


@pytest.mark.parametrize("name", ["camera", "coins"])
def test_the_energy_is_below_scikit_images_and_every_thresholds(name):
    image = getattr(data, name)()[::2, ::2].copy()
    ours = energy(image, ChanVese()(image), 0.25)
    theirs = segmentation.chan_vese(image, mu=0.25, max_num_iter=200, tol=1e-4)
    assert ours < energy(image, theirs, 0.25)
    every = [energy(image, image > level, 0.25) for level in range(20, 220, 4)]
    assert ours < 0.97 * min(every)


def test_the_outline_is_scikit_images_on_a_photograph():
    image = data.camera()[::2, ::2].copy()
    theirs = segmentation.chan_vese(image, mu=0.1, max_num_iter=300, tol=1e-4)
    if image[theirs].mean() < image[~theirs].mean():
        theirs = ~theirs
    assert np.mean(theirs == (ChanVese(0.1)(image) > 0)) > 0.97


@pytest.mark.parametrize("name", ["camera", "coins"])
def test_no_other_mask_nearby_has_less_energy(name):
    image = getattr(data, name)()[::2, ::2].copy()
    least = energy(image, ChanVese()(image), 0.25)
    for other in (ChanVese(0.1), ChanVese(0.6), ChanVese(max_iterations=10)):
        assert energy(image, other(image), 0.25) > least
    longer = energy(image, ChanVese(max_iterations=5000, tolerance=0)(image), 0.25)
    assert least < longer * 1.003


def discs(*radii, levels=(0, 255)):
    """Discs of these radii on a plain ground, beside a large square that holds the means."""
    image = np.full((120, 200), levels[0], np.uint8)
    image[10:110, 10:80] = levels[1]
    rows, columns = np.mgrid[:120, :200]
    for number, radius in enumerate(radii):
        image[
            np.hypot(rows - 30 - 50 * (number % 2), columns - 110 - 35 * (number // 2)) <= radius
        ] = levels[1]
    return image


@pytest.mark.parametrize(("mu", "contrast"), [(4, 1), (1, 0.5), (None, 0.25)])
def test_discs_below_twice_mu_over_squared_contrast_vanish(mu, contrast):
    # Kept, a disc costs mu 2 pi r; gone, d^2 pi r^2.
    limit = 2 * (mu or 0.25) / contrast**2
    levels = (0, round(255 * contrast))
    image = discs(0.75 * limit, 1.15 * limit, levels=levels)
    step = ChanVese(**({"mu": mu} if mu else {}), max_iterations=3000, tolerance=0)
    mask = step(image)
    assert not mask[30, 110] and mask[80, 110] and mask[60, 40]


def test_lambdas_weigh_the_two_sides():
    # Levels 0, 100 and 255 of 10,000, 3,000 and 7,000 pixels: which side has the middle one?
    image = np.zeros((100, 200), np.uint8)
    image[:, 100:130], image[:, 130:] = 120, 255
    assert not ChanVese(0)(image)[50, 115]
    assert ChanVese(0, lambda2=4)(image)[50, 115]
    image[:, 100:130] = 135
    assert ChanVese(0)(image)[50, 115]
    assert not ChanVese(0, lambda1=4)(image)[50, 115]


def test_both_sides_count_alike_by_default():
    # Of the middle level, 122.8 levels from the nearer side's mean and 131 from the other's: one
    # side counting a fifth more would take it over, as 1.2 * 122.8**2 > 131**2.
    image = np.zeros((100, 200), np.uint8)
    image[:, 100], image[:, 101:] = 124, 255
    assert not ChanVese(0)(image)[50, 100]
    image[:, 100], image[:, 99] = 131, 255
    image[:, :99] = 0
    assert ChanVese(0)(image)[50, 100]


def test_colours_are_told_apart_where_gray_cannot():
    image = np.zeros((40, 60, 3), np.uint8)
    image[...], image[10:30, 15:45] = (200, 60, 60), (60, 208, 60)
    mask = ChanVese()(image)
    assert np.all(mask[11:29, 16:44] == 255) and not mask[:9].any()


def test_the_brighter_part_is_set_and_axes_are_alike():
    image = data.coins()[:150, :200].copy()
    mask = ChanVese()(image)
    assert image[mask > 0].mean() > image[mask == 0].mean()
    negative = ChanVese()(255 - image)
    assert np.mean((negative > 0) == (mask == 0)) > 0.99
    turned = ChanVese()(np.ascontiguousarray(image.T))
    assert np.mean(mask == turned.T) > 0.995


def test_a_gray_image_is_the_same_in_every_dtype_and_as_colour():
    image = data.camera()[::4, ::4].copy()
    mask = ChanVese()(image)
    assert np.array_equal(ChanVese()(image.astype(np.uint16) * 257), mask)
    assert np.mean(ChanVese()(image.astype(np.float32) / np.float32(255)) == mask) > 0.999
    assert np.mean(ChanVese()(np.dstack([image] * 3)) == mask) > 0.999


def test_a_plain_image_is_one_part():
    assert len(np.unique(ChanVese()(np.full((9, 12), 77, np.uint8)))) == 1
    assert ChanVese(2)(data.coins()[100:112, 100:116].copy()).std() == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mu": -1}, "'mu' of ChanVese must be a number at least 0"),
        ({"lambda1": 0}, "'lambda1'"),
        ({"lambda2": 0}, "'lambda2'"),
        ({"max_iterations": 0}, "'max_iterations'"),
        ({"tolerance": 2}, "'tolerance'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        ChanVese(**parameters)(np.zeros((4, 4), np.uint8))
