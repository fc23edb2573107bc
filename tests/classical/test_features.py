"""Features against NumPy's means and histograms, and Pillow's box filter."""

import numpy as np
import pytest
from PIL import Image
from skimage import color, data
from sklearn.datasets import load_sample_image
from sklearn.neighbors import KNeighborsClassifier

from classical.colour import Gray, ToHSV
from classical.features import ColorHistogram, RawPixels
from vision.errors import KindError, ParameterError
from vision.kinds import Kind

# --- RawPixels


def test_pixels_are_the_means_of_their_areas_row_by_row():
    image = data.camera()
    means = image.reshape(16, 32, 16, 32).mean(axis=(1, 3)).ravel()
    found = RawPixels()(image)
    assert found.dtype == np.float32
    assert np.allclose(found, means, atol=0.501)
    lying = RawPixels(8)(np.ascontiguousarray(image[:, :256]))
    assert np.allclose(
        lying, image[:, :256].reshape(8, 64, 8, 32).mean(axis=(1, 3)).ravel(), atol=0.501
    )


def test_any_size_is_pillows_box_filter():
    image = data.coins()
    small = Image.fromarray(image).resize((20, 20), Image.Resampling.BOX, reducing_gap=None)
    # Pillow takes whole pixels at the borders of an area, OpenCV their shares
    difference = RawPixels(20)(image) - np.asarray(small, float).ravel()
    assert np.abs(difference).mean() < 1.5
    assert abs(difference.mean()) < 0.2


def test_pixels_are_named_by_row_and_column():
    image = np.zeros((40, 60), np.uint8)
    image[10:20, 45:60] = 200
    names = RawPixels(4).get_feature_names_out()
    row = RawPixels(4)(image)
    assert names[np.flatnonzero(row)].tolist() == ["pixel_1_3"]
    assert len(names) == 16
    assert len(RawPixels().get_feature_names_out()) == 256


def test_a_batch_of_all_sizes_is_a_table_to_learn_from():
    crops = [data.camera()[:100, :120], data.coins()[50:130, :300], data.page()]
    table = RawPixels(8).transform(crops)
    assert table.shape == (3, 64)
    for image, row in zip(crops, table):
        assert np.array_equal(RawPixels(8)(image), row)
    chain = (RawPixels(8) >> KNeighborsClassifier(1)).fit(crops, ["camera", "coins", "page"])
    assert chain.predict([crops[1][2:, 3:]]).tolist() == ["coins"]


# --- ColorHistogram


@pytest.mark.parametrize("bins", [1, 8, 13, 256])
@pytest.mark.parametrize("name", ["coffee", "flower"])
def test_shares_are_numpys_histograms_in_the_order_red_green_blue(name, bins):
    image = data.coffee() if name == "coffee" else load_sample_image("flower.jpg")
    expected = [
        np.histogram(image[..., channel], bins, (0, 256))[0] / image[..., 0].size
        for channel in range(3)
    ]
    found = ColorHistogram(bins)(image)
    assert found.dtype == np.float32
    assert np.allclose(found, np.concatenate(expected), atol=1e-7)
    assert np.allclose(found.reshape(3, bins).sum(axis=1), 1, atol=1e-5)
    names = ColorHistogram(bins).get_feature_names_out()
    assert names[[0, bins, 2 * bins]].tolist() == ["red_0", "green_0", "blue_0"]
    assert len(names) == 3 * bins


@pytest.mark.parametrize("bins", [6, 8, 26, 104, 180])
def test_hue_is_divided_over_180(bins):
    hsv = ToHSV()(data.coffee())
    expected = [
        # whole numbers: value * bins // values is the range that a value falls into
        np.bincount(hsv[..., channel].ravel().astype(int) * bins // values, minlength=bins)
        for channel, values in enumerate((180, 256, 256))
    ]
    found = ColorHistogram(bins, "hsv")(hsv)
    assert np.allclose(found, np.concatenate(expected) / hsv[..., 0].size, atol=1e-7)


def test_the_commonest_hue_of_a_photograph_is_scikit_images():
    image = load_sample_image("flower.jpg")
    found = (ToHSV() >> ColorHistogram(12, "hsv"))(image)[:12]
    hue = color.rgb2hsv(image)[..., 0]
    expected = np.histogram(hue, 12, (0, 1))[0] / hue.size
    assert found.argmax() == expected.argmax()
    assert np.abs(found - expected).max() < 0.02


def test_names_follow_the_space():
    assert ColorHistogram(2, "hsv").get_feature_names_out().tolist() == [
        "hue_0",
        "hue_1",
        "saturation_0",
        "saturation_1",
        "value_0",
        "value_1",
    ]
    assert len(ColorHistogram().get_feature_names_out()) == 24


def test_the_space_is_the_kind_that_is_taken():
    assert ColorHistogram().takes == (Kind.RGB,)
    assert ColorHistogram(space="hsv").takes == (Kind.HSV,)
    with pytest.raises(KindError, match="ColorHistogram takes an rgb image, but ToHSV gives"):
        ToHSV() >> ColorHistogram()
    with pytest.raises(KindError, match="ColorHistogram takes"):
        Gray() >> ColorHistogram(space="hsv")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (RawPixels(0), "The 'size' of RawPixels must be a whole number at least 1. Got 0"),
        (RawPixels((8, 8)), "'size'"),
        (ColorHistogram(0), "'bins'"),
        (ColorHistogram(257), "at most 256"),
        (ColorHistogram(181, "hsv"), "at most 180"),
        (ColorHistogram(space="lab"), "'space'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    image = np.zeros((5, 5), np.uint8)
    with pytest.raises(ParameterError, match=message):
        step(image if isinstance(step, RawPixels) else np.dstack([image] * 3))
    with pytest.raises(ParameterError, match=message):
        step.get_feature_names_out()
