"""Heat maps: values by hand, colours from Matplotlib."""

import matplotlib as mpl
import numpy as np
import pytest

from vision import Heatmap
from vision.errors import ImageError, ParameterError

pytestmark = pytest.mark.cv2


def heat_of(*rows, **fields):
    return Heatmap(np.array(rows, np.float32), **fields)


def test_records_and_peak_by_hand():
    values = np.zeros((4, 5), np.float32)
    values[2, 3] = 1
    heat = Heatmap(values, target=7, method="occlusion")
    assert heat.peak == (3, 2)
    assert heat.to_records() == [
        {"target": 7, "method": "occlusion", "x": 3, "y": 2, "peak": 1.0, "mean": 0.05}
    ]


def test_of_pixels_alike_the_first_is_the_peak():
    assert heat_of([0, 0.5, 0], [0.5, 0, 0.5]).peak == (1, 0)


def test_the_peak_of_a_signed_map_speaks_for_the_class():
    assert heat_of([-1, 0.25], signed=True).peak == (1, 0)


def test_fields_other_than_values_have_names():
    with pytest.raises(TypeError):
        Heatmap(np.zeros((2, 2), np.float32), "cat")


def test_scaled_divides_by_the_largest_magnitude():
    heat = Heatmap.scaled(np.array([[4, 0, 1]], np.float32), target="cat")
    assert heat.values.tolist() == [[1, 0, 0.25]]
    assert (heat.signed, heat.target) == (False, "cat")
    heat = Heatmap.scaled(np.array([[4, 0, -8]], np.float32))
    assert heat.values.tolist() == [[0.5, 0, -1]]
    assert heat.signed


@pytest.mark.parametrize("level", [0, 1e-42, 1e-30, 3e38])
def test_scaled_holds_for_every_finite_number(level):
    values = Heatmap.scaled(np.full((2, 2), level, np.float32)).values
    assert np.isfinite(values).all()
    assert values.max() == (0 if level < 1e-38 else 1) or 0 < values.max() < 1e-3


def test_scaled_without_sign_refuses_what_is_negative():
    with pytest.raises(ImageError, match=r"in \[0, 1\]. Got values from -1 to 0"):
        Heatmap.scaled(np.array([[0, -3]], np.float32), signed=False)


def test_it_has_matplotlibs_inferno_from_0_to_1():
    values = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    drawn = Heatmap(values).draw(np.zeros((16, 16), np.uint8), alpha=1)
    expected = mpl.colormaps["inferno"](np.arange(256), bytes=True)[:, :3].reshape(16, 16, 3)
    assert np.abs(drawn.astype(int) - expected).max() <= 1


def test_colours_mean_the_same_in_every_picture():
    one, other = heat_of([0.25, 1]), heat_of([0.25, 0.5])
    pictures = [heat.draw(np.zeros((1, 2), np.uint8), alpha=1) for heat in (one, other)]
    assert np.array_equal(pictures[0][0, 0], pictures[1][0, 0])


def test_a_signed_map_is_blue_white_and_red():
    heat = heat_of([-1, -0.5, 0, 0.5, 1], signed=True)
    dark, blue, white, red, end = heat.draw(np.zeros((1, 5), np.uint8), 1)[0].astype(int)
    assert white.tolist() == [247, 247, 247]
    assert blue[2] > blue[0] + 50
    assert red[0] > red[2] + 50
    # ColorBrewer's RdBu ends, https://colorbrewer2.org: #053061 and #67001f.
    assert dark.tolist() == [5, 48, 97]
    assert end.tolist() == [103, 0, 31]


def test_it_lies_over_the_grey_image():
    image = np.zeros((1, 2, 3), np.uint8)
    image[0, 1] = (255, 0, 0)  # BT.601 luma 76
    drawn = heat_of([0, 0]).draw(image, alpha=0)
    assert drawn.tolist() == [[[0, 0, 0], [76, 76, 76]]]
    half = heat_of([0, 1]).draw(image)  # inferno's last colour is (252, 255, 164)
    assert half.tolist() == [[[0, 0, 2], [164, 166, 120]]]


def test_it_is_drawn_on_what_is_given():
    image = np.full((1, 2, 3), 40, np.uint8)
    expected = heat_of([0, 1]).draw(image)
    assert heat_of([0, 1]).draw(image, out=image) is image
    assert np.array_equal(image, expected)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, "x"])
def test_alpha_refused(alpha):
    with pytest.raises(ParameterError, match=r"'alpha' of Heatmap\.draw"):
        heat_of([0, 1]).draw(np.zeros((1, 2), np.uint8), alpha)


def test_the_view_tells_the_scale():
    assert "black 0, yellow 1" in heat_of([0.25, 1])._caption()
    assert "blue -1, white 0, red 1" in heat_of([-1, 0.5], signed=True)._caption()


def test_mapped_values_stay_in_range():
    values = np.random.default_rng(0).random((20, 30), np.float32)
    values[values > 0.5] = 1
    matrix = np.array([[2.3, 0.4, 1], [-0.3, 1.9, 8], [0, 0, 1]])
    moved = Heatmap(values, method="m").mapped(matrix, (90, 80))
    assert moved.values.max() <= 1
    assert moved.method == "m"
    signed = Heatmap(2 * values - 1, signed=True).mapped(matrix, (90, 80))
    assert signed.signed
    assert signed.values.min() < 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array([[0, np.nan]], np.float32), "NaN or infinity"),
        (np.array([[0, -np.inf]], np.float32), "NaN or infinity"),
        (np.array([[0, 1.5]], np.float32), r"in \[0, 1\]. Got values from 0 to 1.5"),
        (np.array([[0, -0.5]], np.float32), "signed=True allows"),
        (np.zeros((3, 3)), r"float64; values.astype\(np.float32\)"),
        (np.zeros(3, np.float32), r"\(H, W\)"),
        (np.zeros((0, 3), np.float32), "at least one pixel"),
        ([[0.5]], "a value of type list"),
    ],
)
def test_values_refused(values, says):
    with pytest.raises(ImageError, match=says):
        Heatmap(values)


@pytest.mark.parametrize(
    ("field", "value"), [("target", 1.5), ("target", ["a"]), ("method", 3), ("signed", "yes")]
)
def test_fields_refused(field, value):
    with pytest.raises(ParameterError, match=f"The '{field}' of Heatmap"):
        heat_of([0, 1], **{field: value})
