"""Gabor filters against scikit-image's, and waves whose response is known."""

import numpy as np
import pytest
from skimage import data, filters

from classical.gabor import GaborBank
from vision.errors import KindError, ParameterError


@pytest.mark.parametrize(
    ("frequency", "number", "bandwidth"), [(0.1, 0, 1), (0.2, 1, 1), (0.25, 3, 1), (0.2, 5, 0.7)]
)
@pytest.mark.parametrize("picture", [data.coins, data.gravel])
def test_strengths_are_scikit_images(picture, frequency, number, bandwidth):
    image = picture()[40:110, 60:150]
    turn = np.pi * number / 6
    parts = filters.gabor(image.astype(float), frequency, turn, bandwidth)
    found = list(GaborBank((frequency,), bandwidth=bandwidth).strengths(image))[number]
    assert np.allclose(found, np.hypot(*parts), atol=1e-3)


def test_features_are_means_and_deviations_in_order():
    image = data.brick()[:60, :80]
    bank = GaborBank((0.2, 0.3), n_orientations=3)
    names, row = bank.get_feature_names_out(), bank(image)
    assert row.dtype == np.float32
    for frequency in (0.2, 0.3):
        for degrees in (0, 60, 120):
            parts = filters.gabor(image.astype(float), frequency, np.deg2rad(degrees))
            strength = np.hypot(*parts)
            stem = f"gabor_{frequency:g}_{degrees}"
            found = row[[list(names).index(f"{stem}_{measure}") for measure in ("mean", "std")]]
            assert np.allclose(found, [strength.mean(), strength.std()], rtol=1e-4)


@pytest.mark.parametrize("frequency", [0.05, 0.1, 0.2, 0.4])
@pytest.mark.parametrize("degrees", [0, 30, 60, 90, 120, 150])
def test_a_wave_answers_to_its_own_filter_by_half_its_height(frequency, degrees):
    turn = np.deg2rad(degrees)
    y, x = np.mgrid[:160, :160]
    wave = np.cos(2 * np.pi * frequency * (x * np.cos(turn) + y * np.sin(turn)))
    image = np.round(128 + 100 * wave).astype(np.uint8)
    bank = GaborBank()
    strengths = np.array([s[60:100, 60:100].mean() for s in bank.strengths(image)])
    names = [name.removesuffix("_mean") for name in bank.get_feature_names_out()[::2]]
    assert names[strengths.argmax()] == f"gabor_{frequency:g}_{degrees}"
    # The filter's integral over its envelope is 1, and a cosine is half of each complex wave.
    assert np.isclose(strengths.max(), 50, rtol=0.03)


def test_defaults_give_four_frequencies_and_six_orientations():
    names = GaborBank().get_feature_names_out()
    assert len(names) == 48
    assert names[[0, 1, 2, 12, 47]].tolist() == [
        "gabor_0.05_0_mean",
        "gabor_0.05_0_std",
        "gabor_0.05_30_mean",
        "gabor_0.1_0_mean",
        "gabor_0.4_150_std",
    ]
    assert len(GaborBank()(data.coins()[:64, :64])) == 48


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (GaborBank(()), "'frequencies' of GaborBank must be a tuple of numbers above 0"),
        (GaborBank((0.6,)), "'frequencies'"),
        (GaborBank(0.1), "'frequencies'"),
        (GaborBank(n_orientations=0), "'n_orientations'"),
        (GaborBank(bandwidth=0), "'bandwidth'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


def test_colour_is_refused():
    with pytest.raises(KindError, match="GaborBank takes a gray image"):
        GaborBank()(data.coffee())
    with pytest.raises(KindError, match="GaborBank takes a gray image"):
        GaborBank().strengths(data.coffee())
