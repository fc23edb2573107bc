"""Frangi's and Sato's filters against scikit-image and ridges whose answer is known."""

import numpy as np
import pytest
from skimage import color, data, filters

from classical.ridges import Frangi, Sato
from vision.errors import ParameterError

RETINA = (255 * color.rgb2gray(data.retina()[300:700, 200:520])).round().astype(np.uint8)
PHOTOGRAPHS = {"camera": data.camera()[40:260, 100:400].copy(), "retina": RETINA}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("polarity", ["dark", "bright"])
def test_sato_is_scikit_images(name, polarity):
    image = PHOTOGRAPHS[name]
    expected = filters.sato(image, black_ridges=polarity == "dark")
    response = Sato(polarity=polarity)(image)
    assert response.dtype == np.float32
    np.testing.assert_allclose(response, expected, atol=1e-4)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("polarity", ["dark", "bright"])
def test_frangi_is_scikit_images(name, polarity):
    image = PHOTOGRAPHS[name]
    expected = filters.frangi(image, black_ridges=polarity == "dark")
    response = Frangi(polarity=polarity)(image)
    assert expected.max() > 0.3
    np.testing.assert_allclose(response, expected, atol=2e-6)


def test_defaults_are_scales_to_9_and_beta_half_and_dark():
    image = PHOTOGRAPHS["camera"]
    scales = range(1, 10, 2)
    np.testing.assert_allclose(Sato()(image), filters.sato(image, scales), atol=1e-4)
    np.testing.assert_allclose(Frangi()(image), filters.frangi(image, scales), atol=1e-3)


@pytest.mark.parametrize("parameters", [{"beta": 1.0}, {"gamma": 3.0}, {"sigmas": (2.5, 0.8)}])
def test_parameters_mean_what_they_mean_in_scikit_image(parameters):
    image = PHOTOGRAPHS["retina"]
    expected = filters.frangi(image, **parameters)
    np.testing.assert_allclose(Frangi(**parameters)(image), expected, atol=1e-3)
    if "sigmas" in parameters:
        np.testing.assert_allclose(
            Sato(**parameters)(image), filters.sato(image, **parameters), atol=1e-4
        )


def test_sixteen_bits_answer_in_their_own_levels():
    image = PHOTOGRAPHS["camera"]
    wide = image.astype(np.uint16) * 257
    np.testing.assert_allclose(Sato()(wide), filters.sato(wide), atol=0.05)
    np.testing.assert_allclose(Frangi()(wide), Frangi()(image), atol=1e-3)


@pytest.mark.parametrize("width", [3.0, 6.0])
def test_a_gaussian_ridge_answers_as_calculated(width):
    # Smoothed by sigma a ridge of width s and depth A has the curvature A s / (s^2 + sigma^2)^1.5.
    x = np.arange(200) - 120.0
    profile = 220 - 150 * np.exp(-(x**2) / (2 * width**2))
    image = np.tile(profile.round().astype(np.uint8), (90, 1))
    for sigma in (2.0, 5.0):
        response = Sato((sigma,))(image)
        expected = sigma**2 * 150 * width / (width**2 + sigma**2) ** 1.5
        assert response[45].argmax() == 120
        assert response[45, 120] == pytest.approx(expected, rel=0.02)
        turned = Sato((sigma,))(image.T.copy())
        np.testing.assert_allclose(turned.T, response, atol=1e-4)


@pytest.mark.parametrize("width", [3.0, 6.0])
@pytest.mark.parametrize("sigma", [2.0, 5.0])
def test_frangis_answer_to_a_gaussian_ridge_is_its_formula(width, sigma):
    x = np.arange(200) - 120.0
    profile = 220 - 150 * np.exp(-(x**2) / (2 * width**2))
    image = np.tile(profile.round().astype(np.uint8), (90, 1))
    # Without a curvature along the ridge the structure alone counts: 1 - exp(-s^2 / 2 gamma^2),
    # where by default gamma is half of the greatest s.
    response = Frangi((sigma,))(image)
    assert response[45].argmax() == 120
    assert response[45, 120] == pytest.approx(1 - np.exp(-2), rel=1e-3)
    curvature = 150 * width / (width**2 + sigma**2) ** 1.5
    response = Frangi((sigma,), gamma=curvature)(image)
    assert response[45, 120] == pytest.approx(1 - np.exp(-0.5), rel=0.02)


def test_frangi_leaves_blobs_out_that_sato_shows():
    y, x = np.mgrid[:120, :160]
    spot = 150 * np.exp(-((x - 40) ** 2 + (y - 60) ** 2) / (2 * 4**2))
    line = 150 * np.exp(-((x - 120) ** 2) / (2 * 4**2))
    image = (220 - np.maximum(spot, line)).round().astype(np.uint8)
    frangi, sato = Frangi((4,))(image), Sato((4,))(image)
    assert frangi[60, 40] < 0.2 * frangi[60, 120]
    assert sato[60, 40] > 0.6 * sato[60, 120]


@pytest.mark.parametrize("level", [0, 77, 255])
def test_an_even_picture_answers_zero_exactly(level):
    blank = np.full((60, 80), level, np.uint8)
    for step in (Frangi(), Sato(), Frangi(polarity="bright")):
        assert not step(blank).any()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Sato(sigmas=()), "'sigmas' .* a sequence of numbers above 0"),
        (lambda: Sato(sigmas=3), "'sigmas' .* a sequence of numbers above 0"),
        (lambda: Frangi(sigmas=(1, 0)), "'sigmas' .* a sequence of numbers above 0"),
        (lambda: Frangi(beta=0), "'beta' .* above 0"),
        (lambda: Frangi(gamma=-1), "'gamma' .* above 0"),
        (lambda: Frangi(polarity="black"), "'polarity' .* 'dark' or 'bright'"),
    ],
)
def test_refusals_name_the_parameter(make, says):
    with pytest.raises(ParameterError, match=says):
        make()(RETINA)
