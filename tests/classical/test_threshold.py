"""Masks from levels and colours, against NumPy's comparisons, scikit-image and hand-made pixels."""

import colorsys

import numpy as np
import pytest
from PIL import Image
from skimage import color, data, filters
from sklearn.datasets import load_sample_image

from classical.colour import Gray, ToHLS, ToHSV, ToLab
from classical.colour_devices import ToCMYK, ToYCrCb
from classical.intensity import ToFloat
from classical.threshold import InRange, Otsu, Threshold, Triangle
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

GREEN = ("hsv", (35, 60, 60), (85, 255, 255))


def as_mask(condition):
    return np.where(condition, 255, 0).astype(np.uint8)


# --- InRange


def test_bounds_are_included_in_every_channel():
    low, high = (50, 100, 150), (60, 110, 160)
    inside = [(50, 100, 150), (60, 110, 160), (55, 105, 155), (50, 110, 155)]
    outside = [(49, 105, 155), (61, 105, 155), (55, 99, 155), (55, 111, 155), (55, 105, 149)]
    outside.append((55, 105, 161))
    pixels = np.array([inside + outside], np.uint8)
    expected = [255] * len(inside) + [0] * len(outside)
    for space in ("rgb", "hsv", "hls", "ycrcb"):
        assert InRange(space, low, high)(pixels).tolist() == [expected]
    inks = np.dstack([pixels, np.full(pixels.shape[:2], 9, np.uint8)])
    assert InRange("cmyk", (*low, 9), (*high, 9))(inks).tolist() == [expected]
    assert not InRange("cmyk", (*low, 10), (*high, 20))(inks).any()


def test_a_hue_range_wraps_around_red():
    hues = np.zeros((1, 180, 3), np.uint8)
    hues[0, :, 0] = np.arange(180)
    hues[..., 1:] = 200
    found = np.flatnonzero(InRange("hsv", (170, 100, 100), (10, 255, 255))(hues))
    assert found.tolist() == [*range(11), *range(170, 180)]
    hues[..., 2] = 99
    assert not InRange("hsv", (170, 100, 100), (10, 255, 255))(hues).any()


def test_colours_of_a_photograph_are_those_of_the_standard_librarys_hls():
    image = np.ascontiguousarray(load_sample_image("flower.jpg")[150:210, 280:350])
    low, high = (165, 60, 90), (12, 200, 255)
    hls = [colorsys.rgb_to_hls(*pixel) for pixel in (image.reshape(-1, 3) / 255).tolist()]
    values = np.reshape(hls, image.shape) * (180, 255, 255)
    hue = (values[..., 0] - low[0]) % 180
    width = (high[0] - low[0]) % 180
    # away from the bounds by more than the rounding of 8 bits
    inside, outside = (hue >= 1) & (hue <= width - 1), (hue >= width + 1) & (hue <= 179)
    for channel in (1, 2):
        value = values[..., channel]
        inside &= (value >= low[channel] + 2) & (value <= high[channel] - 2)
        outside |= (value <= low[channel] - 2) | (value >= high[channel] + 2)
    mask = (ToHLS() >> InRange("hls", low, high))(image) == 255
    assert inside.sum() > 500
    assert outside.sum() > 300
    assert mask[inside].all()
    assert not mask[outside].any()


def test_bright_pixels_by_luma_are_those_that_pillow_finds():
    image = data.coffee()
    luma = np.asarray(Image.fromarray(image).convert("YCbCr"))[..., 0].astype(int)
    mask = (ToYCrCb() >> InRange("ycrcb", (180, 0, 0), (255, 255, 255)))(image) == 255
    assert mask[luma >= 182].all()
    assert not mask[luma <= 178].any()
    assert 0.01 < mask.mean() < 0.5


def test_black_ink_is_what_the_brightest_channel_lacks():
    image = data.coffee()
    mask = (ToCMYK() >> InRange("cmyk", (0, 0, 0, 200), (255, 255, 255, 255)))(image)
    assert np.array_equal(mask == 255, image.max(axis=2) <= 55)


def test_colours_of_photographs_are_those_of_scikit_images_hsv():
    for image, low, high in (
        (load_sample_image("flower.jpg"), (165, 90, 60), (12, 255, 255)),
        (data.coffee(), (5, 80, 50), (20, 230, 255)),
    ):
        image = np.ascontiguousarray(image)
        hsv = color.rgb2hsv(image) * (180, 255, 255)
        hue = hsv[..., 0] - low[0]
        width = high[0] - low[0]
        # away from the bounds by more than the rounding of 8 bits
        inside = (hue % 180 >= 1) & (hue % 180 <= width % 180 - 1)
        outside = (hue % 180 >= width % 180 + 1) & (hue % 180 <= 179)
        for channel in (1, 2):
            inside &= (hsv[..., channel] >= low[channel] + 1) & (
                hsv[..., channel] <= max(high[channel] - 1, high[channel] == 255 and 255)
            )
            outside |= hsv[..., channel] < low[channel] - 1
            outside |= hsv[..., channel] > high[channel] + 1
        mask = (ToHSV() >> InRange("hsv", low, high))(image)
        assert inside.mean() > 0.02
        assert (inside | outside).mean() > 0.85
        assert (mask[inside] == 255).all()
        assert (mask[outside] == 0).all()


def test_rgb_and_gray_ranges_are_numpys_comparisons():
    coffee = data.coffee()
    low, high = np.array([90, 40, 20]), np.array([220, 160, 150])
    expected = as_mask(((coffee >= low) & (coffee <= high)).all(axis=-1))
    assert np.array_equal(InRange("rgb", (90, 40, 20), (220, 160, 150))(coffee), expected)
    coins = data.coins()
    expected = as_mask((coins >= 60) & (coins <= 130))
    assert np.array_equal(InRange("gray", 60, 130)(coins), expected)
    assert np.array_equal(InRange("gray", (60,), [130])(coins), expected)


def test_lab_bounds_are_true_lab():
    image = data.astronaut()
    lab = color.rgb2lab(image)
    low, high = np.array([30, 15, -5]), np.array([80, 60, 50.5])
    mask = (ToLab() >> InRange("lab", tuple(low), tuple(high)))(image)
    inside = ((lab >= low + 0.5) & (lab <= high - 0.5)).all(axis=-1)
    outside = ((lab < low - 0.5) | (lab > high + 0.5)).any(axis=-1)
    assert inside.mean() > 0.05
    assert (mask[inside] == 255).all()
    assert not mask[outside].any()


def test_the_wrong_colour_space_is_refused_when_composed():
    with pytest.raises(KindError, match="InRange takes an rgb image, but ToHSV gives an hsv image"):
        ToHSV() >> InRange("rgb", (0, 0, 0), (9, 9, 9))
    with pytest.raises(KindError, match="InRange takes an hsv image"):
        Gray() >> InRange(*GREEN)
    lab = InRange("lab", (0, 0, 0), (9, 9, 9))
    assert lab.takes == (Kind.LAB,)
    with pytest.raises(KindError, match="InRange takes a lab image"):
        lab(data.coffee())


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), (4, 1), (3, 3)])
def test_bounds_are_not_taken_for_an_image(shape):
    pixels = np.random.default_rng(0).integers(0, 180, (*shape, 3), dtype=np.uint8)
    low, high = (20, 30, 40), (150, 160, 170)
    expected = as_mask(((pixels >= low) & (pixels <= high)).all(axis=-1))
    assert np.array_equal(InRange("rgb", low, high)(pixels), expected)


@pytest.mark.parametrize(
    ("space", "low", "high", "message"),
    [
        (
            "hsv",
            (0, 0, 0),
            (190, 255, 255),
            r"'high' of InRange.*hue 0 to 179.*Got \(190, 255, 255",
        ),
        ("hsv", (0, -1, 0), (10, 255, 255), "'low' of InRange.*saturation 0 to 255"),
        ("hsv", (0, 0), (10, 255, 255), "'low' of InRange must be 3 whole numbers"),
        ("hsv", 5, (10, 255, 255), "'low' of InRange must be 3 whole numbers"),
        ("hsv", (0, 1.5, 0), (10, 255, 255), "'low' of InRange must be 3 whole numbers"),
        ("hsv", (0, 90, 0), (10, 80, 255), "'low' of InRange must be at most 'high'.*saturation"),
        ("rgb", (200, 0, 0), (10, 9, 9), "'low' of InRange must be at most 'high'.*red"),
        ("rgb", "red", (10, 9, 9), "'low' of InRange must be 3 whole numbers"),
        ("gray", (0, 0, 0), 5, "'low' of InRange must be one whole number.*gray 0 to 255"),
        ("gray", 0, 256, "'high' of InRange must be one whole number"),
        ("lab", (0, 0, 0), (101, 0, 0), "'high' of InRange must be 3 numbers.*L 0 to 100"),
        ("hls", (0, 0, 0), (180, 9, 9), "'high' of InRange.*hue 0 to 179, lightness 0 to 255"),
        ("ycrcb", (0, 0, 256), (9, 9, 9), "'low' of InRange.*Y 0 to 255, Cr 0 to 255, Cb 0"),
        ("cmyk", (0, 0, 0), (9, 9, 9), "'low' of InRange must be 4 whole numbers.*black 0 to 255"),
        ("hvs", (0, 0, 0), (9, 9, 9), "'space' of InRange.*Did you mean 'hsv'"),
        (None, (0, 0, 0), (9, 9, 9), "'space' of InRange"),
    ],
)
def test_bounds_are_refused_by_name_and_range(space, low, high, message):
    with pytest.raises(ParameterError, match=message):
        InRange(space, low, high)(np.zeros((2, 2, 3), np.uint8))


def test_bounds_may_be_arrays_and_lists():
    image = data.coffee()
    low, high = (90, 40, 20), (220, 160, 150)
    expected = InRange("rgb", low, high)(image)
    assert np.array_equal(InRange("rgb", list(low), np.array(high))(image), expected)


# --- Threshold

MODES = {
    "binary": lambda image, value: as_mask(image > value),
    "binary_inv": lambda image, value: as_mask(image <= value),
    "trunc": np.minimum,
    "tozero": lambda image, value: np.where(image > value, image, 0),
    "tozero_inv": lambda image, value: np.where(image > value, 0, image),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_modes_on_8_and_16_bits(mode):
    camera = data.camera()
    for image, value in (
        (camera, 127),
        (camera, 0),
        (camera, 255),
        (camera * np.uint16(257), 9000),
    ):
        result = Threshold(value, mode=mode)(image)
        assert np.array_equal(result, MODES[mode](image, value))
        assert result.dtype == (np.uint8 if mode.startswith("binary") else image.dtype)


@pytest.mark.parametrize("mode", MODES)
def test_the_modes_on_floats_and_maps(mode):
    gray = (data.coins() / 255).astype(np.float32)
    for image, value in ((gray, 0.5), (gray * 200 - 100, -20), (gray * 200 - 100, 12.5)):
        result = Threshold(value, mode=mode)(image)
        assert np.array_equal(result, MODES[mode](image, np.float32(value)))
        assert result.dtype == (np.uint8 if mode.startswith("binary") else np.float32)


def test_the_default_level_is_127_and_is_not_above_itself():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(np.flatnonzero(Threshold()(levels)), np.arange(128, 256))


def test_the_kind_depends_on_the_mode():
    kinds = (Kind.GRAY, Kind.MASK, Kind.EDGES, Kind.MAP, Kind.FLOAT)
    assert {Threshold().gives_for(kind) for kind in kinds} == {Kind.MASK}
    given = [Threshold(mode="tozero").gives_for(kind) for kind in kinds]
    assert given == [Kind.GRAY, Kind.GRAY, Kind.GRAY, Kind.MAP, Kind.FLOAT]


def test_a_level_beyond_the_image_is_refused():
    with pytest.raises(ParameterError, match=r"'value' of Threshold must be at most 255.*Got 300"):
        Threshold(300)(data.camera())
    with pytest.raises(ParameterError, match="at most 255"):
        (Gray() >> Threshold(300))(data.coffee())
    with pytest.raises(KindError, match="Threshold takes a gray image or a map, but ToFloat"):
        ToFloat() >> Threshold(127)
    assert Kind.FLOAT in Threshold(1).takes
    assert Kind.FLOAT not in Threshold(1.5).takes
    with pytest.raises(KindError, match="Threshold takes a map"):
        Threshold(-5)(data.camera())
    assert (ToFloat() >> Gray() >> Threshold(0.5))(data.coffee()).dtype == np.uint8


def test_three_channels_have_no_one_level():
    with pytest.raises(KindError, match=r"one channel.*Gray\(\)"):
        Threshold(0.5)(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(KindError, match="Threshold takes a gray image"):
        Threshold()(data.coffee())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"value": "high"}, "'value' of Threshold must be a number"),
        ({"value": np.nan}, "'value'"),
        ({"mode": "binary_inverse"}, "'mode' of Threshold.*Did you mean 'binary_inv'"),
        ({"mode": 0}, "'mode'"),
    ],
)
def test_threshold_refuses_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Threshold(**parameters)(data.camera())


# --- Otsu


@pytest.mark.parametrize("picture", ["coins", "camera", "page", "text", "coffee", "chelsea"])
def test_otsu_is_scikit_images(picture):
    image = getattr(data, picture)()
    image = image if image.ndim == 2 else Gray()(image)
    level = filters.threshold_otsu(image)
    assert Otsu().threshold(image) == level
    assert np.array_equal(Otsu()(image), as_mask(image > level))
    assert np.array_equal(Otsu(invert=True)(image), as_mask(image <= level))


def test_otsu_on_16_bits():
    image = data.coins().astype(np.uint16) * 257
    level = filters.threshold_otsu(image)
    mask = Otsu()(image)
    assert Otsu().threshold(image) == level
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, as_mask(image > level))


def test_the_level_leaves_the_least_variance_within_the_classes():
    image = data.coins()

    def within(level):
        parts = (image[image <= level], image[image > level])
        return sum(part.size * part.var() for part in parts)

    best = min(range(int(image.min()), int(image.max())), key=within)
    assert Otsu().threshold(image) == best


def test_one_level_has_no_two_classes():
    assert (Otsu()(np.full((4, 4), 9, np.uint8)) == 255).all()
    assert not Otsu()(np.zeros((4, 4), np.uint8)).any()


def test_otsu_checks_what_its_level_is_asked_of():
    with pytest.raises(KindError, match=r"Gray\(\)"):
        Otsu().threshold(data.coffee())
    with pytest.raises(ParameterError, match="'invert' of Otsu must be True or False"):
        Otsu(invert=1)(data.coins())


# --- Triangle


@pytest.mark.parametrize("picture", ["coins", "camera", "page", "text", "moon", "cell", "clock"])
def test_the_triangles_level_is_scikit_images_but_for_one(picture):
    # OpenCV, as ImageJ, starts its line at the empty level before the tail's end
    image = getattr(data, picture)()
    level = Triangle().threshold(image)
    assert abs(level - filters.threshold_triangle(image)) <= 1
    assert np.array_equal(Triangle()(image), as_mask(image > level))
    assert np.array_equal(Triangle(invert=True)(image), as_mask(image <= level))


def test_the_triangles_level_lies_farthest_below_the_line_by_hand():
    # 100 pixels of level 10, then a tail of one pixel a level: from (10, 100) to (60, 1)
    levels = np.concatenate([np.full(100, 10), np.arange(11, 61)]).astype(np.uint8)
    # the histogram drops to 1 at 11, where the line is still at 98: there it lies farthest below
    assert 10 <= Triangle().threshold(levels[None]) <= 12


def test_the_triangle_finds_the_few_where_otsu_halves_the_many():
    rng = np.random.default_rng(0)
    image = rng.normal(60, 8, (200, 200))
    image[50:58, 50:58] = 200
    image = image.clip(0, 255).astype(np.uint8)
    few = np.zeros(image.shape, bool)
    few[50:58, 50:58] = True
    found = Triangle()(image) > 0
    assert found[few].all()
    assert found[~few].mean() < 0.02


def test_the_triangle_takes_8_bits_and_checks_its_parameter():
    with pytest.raises(KindError, match="ToUint8"):
        Triangle()(np.zeros((4, 4), np.uint16))
    with pytest.raises(ParameterError, match="'invert' of Triangle must be True or False"):
        Triangle(invert="no")(data.coins())
