"""Differences of colour, against the published pairs and scikit-image."""

import numpy as np
import pytest
from skimage import color, data

from classical.colour import ToLab
from classical.colour_distance import ColorDistance
from classical.threshold import Threshold
from vision.errors import KindError, ParameterError

# G. Sharma, W. Wu and E. N. Dalal, "The CIEDE2000 color-difference formula: implementation notes,
# supplementary test data, and mathematical observations", 2005, doi:10.1002/col.20070, table 1:
# L, a and b of two colours, and their difference.
PAIRS = np.array(
    [
        [50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425],
        [50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615],
        [50.0, 2.8361, -74.02, 50.0, 0.0, -82.7485, 3.4412],
        [50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0],
        [50.0, -1.1848, -84.8006, 50.0, 0.0, -82.7485, 1.0],
        [50.0, -0.9009, -85.5211, 50.0, 0.0, -82.7485, 1.0],
        [50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669],
        [50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.001, 7.1792],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0011, 7.2195],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0012, 7.2195],
        [50.0, -0.001, 2.49, 50.0, 0.0009, -2.49, 4.8045],
        [50.0, -0.001, 2.49, 50.0, 0.001, -2.49, 4.8045],
        [50.0, -0.001, 2.49, 50.0, 0.0011, -2.49, 4.7461],
        [50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065],
        [50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492],
        [50.0, 2.5, 0.0, 61.0, -5.0, 29.0, 22.8977],
        [50.0, 2.5, 0.0, 56.0, -27.0, -3.0, 31.903],
        [50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535],
        [50.0, 2.5, 0.0, 50.0, 3.1736, 0.5854, 1.0],
        [50.0, 2.5, 0.0, 50.0, 3.2972, 0.0, 1.0],
        [50.0, 2.5, 0.0, 50.0, 1.8634, 0.5757, 1.0],
        [50.0, 2.5, 0.0, 50.0, 3.2592, 0.335, 1.0],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.263],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.248, -4.962, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.694, 23.0331, 14.973, -42.5619, 2.0373],
        [36.4612, 47.858, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.441, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)
RED = (160, 60, 40)
MEASURES = {"cie2000": color.deltaE_ciede2000, "cie76": color.deltaE_cie76}


@pytest.mark.parametrize("pair", PAIRS, ids=range(1, 35))
def test_the_published_pairs_both_ways(pair):
    one, other, expected = pair[:3], pair[3:6], pair[6]
    for color_, reference in ((one, other), (other, one)):
        image = color_.astype(np.float32)[None, None]
        found = ColorDistance(tuple(reference), space="lab")(image)
        assert found.dtype == np.float32
        assert found[0, 0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("method", MEASURES)
@pytest.mark.parametrize("reference", [RED, (20, 30, 200), (128, 128, 128), (0, 0, 0)])
@pytest.mark.parametrize("picture", ["coffee", "astronaut"])
def test_the_differences_in_a_photograph_are_scikit_images(picture, reference, method):
    image = getattr(data, picture)()
    lab = color.rgb2lab(image)
    expected = MEASURES[method](lab, color.rgb2lab(np.array([[reference]], np.uint8)))
    # ToLab reads OpenCV's tables, within 0.5 of the exact Lab; CIEDE2000 jumps where two hues are
    # opposite, so that a hair's breadth decides
    off = np.abs(ColorDistance(reference, method=method)(image) - expected)
    assert (off > 0.9).mean() < 1e-4
    assert off.mean() < 0.2
    exact = color.rgb2lab(np.array([reference], np.uint8) / 255)[0]
    from_lab = ColorDistance(tuple(exact), space="lab", method=method)(lab.astype(np.float32))
    assert np.abs(from_lab - expected).max() < 1e-3


def test_2000_is_the_measure_if_nothing_is_said():
    image = data.coffee()
    assert np.array_equal(ColorDistance(RED)(image), ColorDistance(RED, "rgb", "cie2000")(image))


def test_1976_is_pythagoras():
    image = np.array([[[50, 3, 4], [52, 0, 0], [50, -6, 3], [38, 4, -3]]], np.float32)
    step = ColorDistance((50, 0, 0), space="lab", method="cie76")
    assert step(image)[0].tolist() == pytest.approx([5, 2, 45**0.5, 13])


@pytest.mark.parametrize("method", MEASURES)
def test_a_colour_is_like_itself(method):
    colours = np.random.default_rng(0).integers(0, 256, (40, 3), np.uint8)
    for one in colours:
        step = ColorDistance(one, method=method)
        assert step(np.full((2, 2, 3), one)).tolist() == [[0, 0], [0, 0]]
    assert ColorDistance(RED)(data.coffee()).min() >= 0


def test_an_image_already_in_lab_gives_the_same():
    image = data.chelsea()
    assert np.array_equal((ToLab() >> ColorDistance(RED))(image), ColorDistance(RED)(image))


def test_the_red_saucer_is_found():
    image = data.coffee()
    saucer = (ColorDistance(RED) >> Threshold(12, "binary_inv"))(image)
    rows, columns = np.nonzero(saucer)
    assert 0.2 < (saucer > 0).mean() < 0.4
    # red by its own numbers, wherever it was found
    reds = image[rows, columns].astype(int)
    assert (reds[:, 0] > reds[:, 1] + 50).mean() > 0.99


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (ColorDistance((1, 2)), "'reference' of ColorDistance must be three numbers, 0 to 255"),
        (ColorDistance((1, 2, 256)), "'reference'"),
        (ColorDistance((1, 2, np.nan)), "'reference'"),
        (ColorDistance(("1", 2, 3)), "'reference'"),
        (ColorDistance("#ff0000"), "'reference'"),
        (ColorDistance((101, 0, 0), space="lab"), "'reference'.* 0 to 100, -128 to 128"),
        (ColorDistance(RED, space="hsv"), "'space' of ColorDistance must be 'rgb' or 'lab'"),
        (ColorDistance(RED, method="cie94"), "'method' of ColorDistance must be"),
    ],
)
def test_color_distance_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coffee())


def test_gray_and_16_bits_are_refused():
    for image in (data.coins(), data.coffee().astype(np.uint16)):
        with pytest.raises(KindError, match="ColorDistance takes"):
            ColorDistance(RED)(image)
