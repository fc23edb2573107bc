"""Smoothing and sharpening, against SciPy, scikit-image, Pillow and the definitions."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage import data
from skimage import filters as skimage_filters

from classical.filters import BoxBlur, GaussianBlur, MedianBlur, UnsharpMask
from vision.errors import KindError, ParameterError
from vision.kinds import Kind


def in_dtype(image, dtype):
    if dtype == np.uint16:
        return image.astype(np.uint16) * 257
    return (image / 255).astype(np.float32) if dtype == np.float32 else image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_default_is_the_binomial_of_five(dtype):
    image = in_dtype(data.camera(), dtype)
    weights = np.array([1, 4, 6, 4, 1]) / 16
    expected = image.astype(float)
    for axis in (0, 1):
        expected = ndimage.correlate1d(expected, weights, axis=axis, mode="mirror")
    blurred = GaussianBlur()(image)
    assert blurred.dtype == dtype
    assert np.abs(blurred - expected).max() < (1e-6 if dtype == np.float32 else 0.51)


@pytest.mark.parametrize(
    ("parameters", "sigma", "radius"),
    [
        ({"size": 15}, 2.6, 7),  # 0.3 * (7 - 1) + 0.8
        ({"size": 31}, 5.0, 15),
        ({"size": 7, "sigma": 1.7}, 1.7, 3),
        ({"size": None, "sigma": 2}, 2, 6),  # 3 sigma for 8 bits
        ({"size": None, "sigma": 3.0}, 3, 9),
    ],
)
def test_gaussian_is_scipys(parameters, sigma, radius):
    image = data.camera()
    expected = ndimage.gaussian_filter(image.astype(float), sigma, mode="mirror", radius=radius)
    blurred = GaussianBlur(**parameters)(image)
    assert np.abs(blurred - expected).max() < 1.5
    assert np.abs(blurred - expected).mean() < 0.3


def test_a_float_image_is_blurred_to_four_sigma():
    image = (data.camera() / 255).astype(np.float32)
    expected = ndimage.gaussian_filter(image.astype(float), 2, mode="mirror", radius=8)
    assert np.abs(GaussianBlur(sigma=2)(image) - expected).max() < 1e-5


@pytest.mark.parametrize("sigma", [1, 2.5, 4])
def test_a_dot_spreads_to_the_deviation_asked_for(sigma):
    dot = np.zeros((61, 71), np.float32)
    dot[30, 35] = 1
    blurred = GaussianBlur(sigma=sigma)(dot).astype(float)
    rows, columns = np.mgrid[-30:31, -35:36]
    assert blurred.sum() == pytest.approx(1, abs=1e-5)
    assert (blurred * rows**2).sum() == pytest.approx(sigma**2, rel=0.01)
    assert (blurred * columns**2).sum() == pytest.approx(sigma**2, rel=0.01)


def test_two_blurs_are_one_of_the_summed_variance():
    image = (data.coins() / 255).astype(np.float32)
    twice = (GaussianBlur(sigma=3) >> GaussianBlur(sigma=4))(image)
    once = GaussianBlur(sigma=5)(image)
    assert np.abs(twice - once).max() < 2e-3


@pytest.mark.parametrize("step", [GaussianBlur(9), MedianBlur(5), BoxBlur(7), UnsharpMask()])
def test_channels_are_blurred_one_by_one(step):
    coffee = data.coffee()
    separate = [step(np.ascontiguousarray(coffee[..., channel])) for channel in range(3)]
    assert np.array_equal(step(coffee), np.stack(separate, axis=-1))


@pytest.mark.parametrize("size", [5, 11, 31])
def test_white_stays_within_the_range_of_floats(size):
    assert GaussianBlur(size)(np.ones((40, 50, 3), np.float32)).max() <= 1
    assert (BoxBlur(size)(np.ones((40, 50, 3), np.float32)) == 1).all()
    image = (data.camera() / 255).astype(np.float32)
    assert 0 <= BoxBlur(size)(image).min() <= BoxBlur(size)(image).max() <= 1


def test_a_map_keeps_its_sign():
    signed = data.camera().astype(np.float32) - 128
    expected = ndimage.gaussian_filter(signed.astype(float), 5, mode="mirror", radius=20)
    assert np.abs(GaussianBlur(sigma=5)(signed) - expected).max() < 1e-3


@pytest.mark.parametrize("size", [3, 5, 9, 21])
def test_median_is_scipys(size):
    image = data.camera()
    expected = ndimage.median_filter(image, size=size, mode="nearest")
    assert np.array_equal(MedianBlur(size)(image), expected)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("size", [3, 5])
def test_median_of_16_bits_and_floats_is_scipys(dtype, size):
    image = in_dtype(data.coins(), dtype)
    expected = ndimage.median_filter(image, size=size, mode="nearest")
    assert np.array_equal(MedianBlur(size)(image), expected)


def test_the_default_median_is_of_five_by_five():
    image = data.coins()
    assert np.array_equal(MedianBlur()(image), ndimage.median_filter(image, 5, mode="nearest"))


def test_salt_and_pepper_are_gone_after_a_median():
    clean = data.camera()
    noise = np.random.default_rng(0).random(clean.shape)
    noisy = np.where(noise < 0.05, 0, np.where(noise > 0.95, 255, clean)).astype(np.uint8)
    error = np.abs(noisy - clean.astype(int)).mean()
    assert np.abs(MedianBlur(3)(noisy) - clean.astype(int)).mean() < error / 3


def test_a_mask_stays_one_under_the_median_and_not_under_the_gaussian():
    mask = np.where(data.coins() > 107, 255, 0).astype(np.uint8)
    assert set(np.unique(MedianBlur(5)(mask))) == {0, 255}
    assert len(np.unique(GaussianBlur(5)(mask))) > 2
    assert [MedianBlur().gives_for(kind) for kind in (Kind.MASK, Kind.RGB)] == [
        Kind.MASK,
        Kind.RGB,
    ]
    assert [GaussianBlur().gives_for(kind) for kind in (Kind.EDGES, Kind.MASK, Kind.MAP)] == [
        Kind.GRAY,
        Kind.GRAY,
        Kind.MAP,
    ]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_wide_median_of_more_than_8_bits_is_refused_with_the_reason(dtype):
    with pytest.raises(KindError, match=r"size=7 takes 8-bit images.*Got.*ToUint8\(\)"):
        MedianBlur(7)(np.zeros((9, 9), dtype))


def test_a_wide_median_takes_no_float_image_in_a_chain():
    assert Kind.FLOAT in MedianBlur(5).takes
    assert Kind.FLOAT not in MedianBlur(7).takes
    assert "uint16" not in MedianBlur(7).dtypes


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (GaussianBlur(4), "'size' of GaussianBlur must be an odd whole number.*Got 4"),
        (GaussianBlur(-1), "'size'"),
        (GaussianBlur(5.0), "'size'"),
        (GaussianBlur((5, 5)), r"one odd whole number.*Got \(5, 5\). Write GaussianBlur\(5\)\."),
        (GaussianBlur([7, 7]), r"Got \[7, 7\]. Write GaussianBlur\(7\)\."),
        (GaussianBlur(np.array([5, 5])), r"Write GaussianBlur\(5\)\."),
        (GaussianBlur((5, 3)), r"the width of its square window. Got \(5, 3\)\.$"),
        (GaussianBlur((0, 0), 3), "'size' of GaussianBlur.*Leave it out"),
        (GaussianBlur(0, 3), "'size' of GaussianBlur.*Leave it out"),
        (GaussianBlur(5, 0), "'sigma' of GaussianBlur.*Leave it out"),
        (MedianBlur((3, 3)), r"Write MedianBlur\(3\)\."),
        (MedianBlur((1, 1)), r"Got \(1, 1\)\.$"),
        (BoxBlur((5, 5)), r"Write BoxBlur\(5\)\."),
        (BoxBlur(4), "'size' of BoxBlur must be an odd whole number at least 1"),
        (UnsharpMask(0), "'sigma' of UnsharpMask must be a number above 0"),
        (UnsharpMask(amount=-1), "'amount' of UnsharpMask must be a number at least 0"),
        (GaussianBlur(sigma=0), "'sigma' of GaussianBlur must be a number above 0"),
        (MedianBlur(1), "'size' of MedianBlur"),
        (MedianBlur(6), "'size' of MedianBlur"),
        (MedianBlur("5"), "'size' of MedianBlur"),
    ],
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.camera())


def test_parameters_may_be_numpys():
    image = data.camera()
    assert np.array_equal(MedianBlur(np.int64(3))(image), MedianBlur(3)(image))
    numpys = GaussianBlur(np.int32(9), sigma=np.float32(1.5))
    assert np.array_equal(numpys(image), GaussianBlur(9, sigma=1.5)(image))


# --- BoxBlur


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("size", [3, 9, 21])
def test_the_box_is_scipys_uniform_filter(dtype, size):
    image = in_dtype(data.camera(), dtype)
    expected = ndimage.uniform_filter(image.astype(float), size, mode="mirror")
    blurred = BoxBlur(size)(image)
    assert blurred.dtype == dtype
    assert np.abs(blurred - expected).max() < (1e-6 if dtype == np.float32 else 0.51)


def test_the_default_box_is_of_five_and_pillows_inside():
    image = data.coins()
    theirs = np.asarray(Image.fromarray(image).filter(ImageFilter.BoxBlur(2))).astype(int)
    assert np.abs(BoxBlur()(image) - theirs)[2:-2, 2:-2].max() <= 1


def test_the_box_keeps_the_sign_of_a_map_and_makes_a_mask_gray():
    signed = data.camera().astype(np.float32) - 128
    expected = ndimage.uniform_filter(signed.astype(float), 5, mode="mirror")
    assert np.abs(BoxBlur()(signed) - expected).max() < 1e-4
    assert BoxBlur().gives_for(Kind.MASK) is Kind.GRAY


# --- UnsharpMask


@pytest.mark.parametrize(("sigma", "amount"), [(1.0, 1.0), (2.0, 0.5), (1.5, 2.0)])
def test_sharpening_is_scikit_images(sigma, amount):
    for image in (data.camera(), data.coins()):
        expected = 255 * skimage_filters.unsharp_mask(image, sigma, amount)
        inner = np.s_[9:-9, 9:-9]  # it continues the border otherwise
        sharp = UnsharpMask(sigma, amount)(image).astype(float)
        # the blur is rounded to whole levels, and cut off at 3 sigma instead of 4
        assert np.abs(sharp - expected)[inner].max() < 0.6 + 1.6 * amount
        assert np.abs(sharp - expected)[inner].mean() < 0.15 + 0.4 * amount


def test_sharpening_of_floats_is_exact_and_cut_off():
    image = (data.camera() / 255).astype(np.float32)
    blurred = ndimage.gaussian_filter(image.astype(float), 1, mode="mirror", radius=4)
    expected = np.clip(2 * image - blurred, 0, 1)
    sharp = UnsharpMask()(image)
    assert np.abs(sharp - expected).max() < 1e-5
    assert sharp.min() == 0
    assert sharp.max() == 1


def test_sharpening_of_16_bits_is_that_of_8():
    image = data.coins()
    wide = UnsharpMask()(image.astype(np.uint16) * 257)
    assert np.abs(wide / 257 - UnsharpMask()(image)).max() < 2.1


def test_nothing_added_changes_nothing():
    assert np.array_equal(UnsharpMask(amount=0)(data.coffee()), data.coffee())
    assert UnsharpMask().gives_for(Kind.MASK) is Kind.GRAY
