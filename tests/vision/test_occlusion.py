"""Occlusion: a scorer that looks at one corner, and sums done by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from classical import RawPixels
from tests.vision.corner import Corner
from vision.errors import KindError, ParameterError
from vision.occlusion import explain_occlusion, hidden

pytestmark = pytest.mark.cv2


def pixels(weights):
    """A regressor: the weighted sum of the pixels of a square picture."""
    model = LinearRegression().fit(np.eye(weights.size + 1)[:, 1:], [0, *weights.ravel()])
    return RawPixels(len(weights)) >> model


def test_one_pixel_at_a_time_a_linear_model_gives_weight_times_level():
    random = np.random.default_rng(0)
    weights = random.normal(size=(5, 5))
    image = random.integers(0, 256, (5, 5), np.uint8)
    values, target = explain_occlusion(pixels(weights), image, window=1, fill=0)
    assert target is None
    np.testing.assert_allclose(values, weights * image, atol=1e-3)


def test_a_pixel_has_the_mean_of_all_squares_over_it():
    weights = np.zeros((4, 4))
    weights[0, 0] = 1
    image = np.full((4, 4), 100, np.uint8)
    values, _ = explain_occlusion(pixels(weights), image, window=2, stride=1, fill=0)
    # Squares begin at 0, 1 and 2; only the one at (0, 0) hides the pixel that counts.
    expected = np.zeros((4, 4))
    expected[:2, :2] = [[100, 50], [50, 25]]
    np.testing.assert_allclose(values, expected, atol=1e-3)


def test_the_last_square_ends_at_the_border():
    weights = np.zeros((7, 7))
    weights[6, 6] = 1
    image = np.full((7, 7), 80, np.uint8)
    values, _ = explain_occlusion(pixels(weights), image, window=3, stride=3, fill=0)
    assert values[6, 6] == pytest.approx(80, abs=1e-3)
    # Rows 0, 3 and 4 begin squares: row 4 is under those at 3 and 4, of which one hides.
    assert values[4, 6] == pytest.approx(40, abs=1e-3)
    assert values[3, 6] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_it_peaks_in_the_corner_that_is_looked_at(channels):
    image = np.full((48, 64, *channels), 30, np.uint8)
    image[:12, :16] = 240
    values, target = explain_occlusion(Corner(), image)
    y, x = np.unravel_index(values.argmax(), values.shape)
    assert target == "bright"
    assert y < 12
    assert x < 16
    assert np.abs(values[20:, 24:]).max() == 0


def test_what_speaks_for_one_class_speaks_against_the_other():
    image = np.full((32, 32), 30, np.uint8)
    image[:8, :8] = 240
    bright, _ = explain_occlusion(Corner(), image, "bright")
    dark, target = explain_occlusion(Corner(), image, "dark")
    assert target == "dark"
    np.testing.assert_allclose(bright, -dark, atol=1e-6)


def test_squares_pass_in_batches():
    scorer = Corner()
    explain_occlusion(scorer, np.zeros((40, 40), np.uint8), window=4, stride=2)
    squares = 19 * 19
    assert max(scorer.batches) == 32
    assert sum(scorer.batches) == squares + 2  # once for the winner, once for its score


def test_the_image_is_left_as_it_is():
    image = np.full((16, 16, 3), 200, np.uint8)
    image.flags.writeable = False
    explain_occlusion(Corner(), image)
    assert (image == 200).all()


def test_fills_by_hand():
    image = np.array([[[0, 10, 20]], [[100, 20, 21]]], np.uint8)
    assert hidden(image).tolist() == [[[50, 15, 20]]] * 2  # 20.5 to the even number
    assert hidden(image, 7).tolist() == [[[7, 7, 7]]] * 2
    assert hidden(np.array([[0.25, 0.75]], np.float32)).tolist() == [[0.5, 0.5]]
    assert hidden(np.array([[1000, 3000]], np.uint16)).tolist() == [[2000, 2000]]
    assert hidden(np.array([[0, 0, 255]], np.uint8)).tolist() == [[0, 0, 0]]
    assert hidden(np.array([[0, 0, 255]], np.uint8), "blur").tolist() == [[0, 0, 0]]


def test_blur_is_scikit_images_gaussian():
    from skimage import data, filters

    image = data.camera()[::4, ::4].copy()
    blurred = hidden(image, "blur")
    expected = filters.gaussian(image, 0.05 * 128, mode="mirror", preserve_range=True)
    assert np.abs(blurred - expected).max() < 3


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"window": 0}, "window"),
        ({"window": 33}, "window"),
        ({"window": 2.5}, "window"),
        ({"window": 4, "stride": 5}, "stride"),
        ({"stride": 0}, "stride"),
        ({"fill": "means"}, "fill"),
        ({"fill": 256}, "fill"),
        ({"fill": True}, "fill"),
        ({"target": "grey"}, "target"),
    ],
)
def test_refused(options, name):
    with pytest.raises(ParameterError, match=f"'{name}'"):
        explain_occlusion(Corner(), np.zeros((32, 32), np.uint8), **options)


def test_what_gives_no_scores_is_refused_with_the_way_out():
    from sklearn.svm import SVC

    images = [np.full((4, 4), level, np.uint8) for level in (0, 100, 200)]
    votes = RawPixels(2) >> SVC(decision_function_shape="ovo")
    with pytest.raises(KindError, match="CalibratedClassifierCV"):
        explain_occlusion(votes.fit(images, [0, 1, 2]), images[0])
    with pytest.raises(KindError, match="asks a classifier or a regressor, but RawPixels gives"):
        explain_occlusion(RawPixels(2), images[0])
