"""ApplyMask against `numpy.where`, and its checks of what makes the mask."""

import pickle

import numpy as np
import pytest
from skimage import data, filters
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from classical.bitwise import ApplyMask
from classical.colour import Gray, ToHSV
from classical.filters import GaussianBlur
from classical.geometry import Resize
from classical.morphology import Opening
from classical.threshold import InRange, Otsu, Threshold
from vision.errors import KindError, ParameterError
from vision.kinds import Kind
from vision.step import Step

REDDISH = InRange("rgb", (120, 0, 0), (255, 90, 90))


def reddish(image):
    low, high = np.array([120, 0, 0]), np.array([255, 90, 90])
    return ((image >= low) & (image <= high)).all(axis=2)


def test_the_picture_is_kept_where_the_mask_is_set():
    image = data.coffee()
    kept = reddish(image)
    assert 0.02 < kept.mean() < 0.9
    assert np.array_equal(ApplyMask(REDDISH)(image), np.where(kept[..., None], image, 0))
    assert np.array_equal(ApplyMask(REDDISH, 77)(image), np.where(kept[..., None], image, 77))
    orange = np.where(kept[..., None], image, np.array([255, 128, 0]))
    assert np.array_equal(ApplyMask(REDDISH, (255, 128, 0))(image), orange)


def test_a_gray_picture_and_its_own_threshold():
    image = data.coins()
    kept = image > filters.threshold_otsu(image)
    assert np.array_equal(ApplyMask(Otsu())(image), np.where(kept, image, 0))
    wide = image.astype(np.uint16) * 200
    assert np.array_equal(ApplyMask(Otsu(), 300)(wide), np.where(kept, wide, 300))


def test_a_fixed_mask_is_one_too():
    image = data.chelsea()
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[50:150, 100:300] = 255
    result = ApplyMask(mask)(image)
    assert np.array_equal(result[50:150, 100:300], image[50:150, 100:300])
    assert result.sum() == image[50:150, 100:300].sum()
    assert np.array_equal(pickle.loads(pickle.dumps(ApplyMask(mask)))(image), result)


def test_within_a_pipeline_the_mask_is_made_of_the_same_image():
    image = data.coffee()
    mask = ToHSV() >> InRange("hsv", (170, 120, 70), (10, 255, 255)) >> Opening(5)
    chain = ApplyMask(mask) >> Gray()
    expected = np.where(mask(image) == 255, Gray()(image), 0)
    assert np.array_equal(chain(image), expected)
    chain.set_params(applymask__mask__inrange__low=(0, 0, 0))
    chain.set_params(applymask__mask__inrange__high=(179, 255, 255))
    assert np.array_equal(chain(image), Gray()(image))


def test_a_mask_made_on_a_resized_picture_comes_back_to_its_size():
    image = data.camera()
    result = ApplyMask(Resize(128) >> Otsu())(image)
    kept = result > 0
    assert result.shape == image.shape
    assert np.mean(kept == (image > filters.threshold_otsu(image))) > 0.95


def test_masks_joined_by_operators():
    image = data.camera()
    between = ApplyMask(Threshold(100) & ~Threshold(200))(image)
    assert np.array_equal(between, np.where((image > 100) & (image <= 200), image, 0))


def test_kinds_follow_from_the_steps_of_the_mask():
    assert ApplyMask(Otsu()).takes == (Kind.GRAY,)
    assert ApplyMask(Gray() >> Otsu()).takes == (Kind.RGB, Kind.GRAY)
    assert ApplyMask(Gray() >> Otsu(), (1, 2, 3)).takes == (Kind.RGB,)
    assert ApplyMask(REDDISH).takes == (Kind.RGB,)
    assert ApplyMask(Otsu()).gives_for(Kind.MASK) is Kind.MASK
    assert ApplyMask(Otsu(), 9).gives_for(Kind.MASK) is Kind.GRAY
    assert ApplyMask(Otsu()).dtypes == ("uint8", "uint16")
    assert ApplyMask(Otsu(), 300).dtypes == ("uint16",)
    assert ApplyMask(REDDISH).dtypes == ("uint8",)


@pytest.mark.parametrize("mask", [GaussianBlur(), ToHSV(), Gray() >> GaussianBlur()])
def test_what_makes_no_mask_is_refused_when_composed(mask):
    with pytest.raises(KindError, match=r"The 'mask' of ApplyMask must make a mask.*it makes"):
        Gray() >> ApplyMask(mask)
    with pytest.raises(KindError, match="must make a mask"):
        ApplyMask(mask)(np.zeros((4, 4, 3), np.uint8))


def test_a_mask_for_gray_images_is_refused_behind_colour():
    with pytest.raises(KindError, match="ApplyMask takes a gray image"):
        GaussianBlur() >> ToHSV() >> ApplyMask(Otsu())


def test_a_change_within_the_mask_is_seen_and_checked_again():
    image = np.array([[10, 100, 200]], np.uint8)
    inner = Threshold(150) >> Opening(1)
    step = ApplyMask(inner)
    assert step(image).tolist() == [[0, 0, 200]]
    inner.set_params(threshold__value=50)
    assert step(image).tolist() == [[0, 100, 200]]
    inner.set_params(threshold=GaussianBlur())
    with pytest.raises(KindError, match="must make a mask"):
        step(image)


def test_a_mask_of_another_size_is_refused_with_both_sizes():
    with pytest.raises(KindError, match=r"20 x 10 pixels\. Its 'mask' is 7 x 5"):
        ApplyMask(np.zeros((5, 7), np.uint8))(np.zeros((10, 20), np.uint8))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mask": None}, "The 'mask' of ApplyMask must be a step or pipeline"),
        ({"mask": np.eye(4, dtype=np.uint8)}, r"0 and 255.*values are 0, 1: a mask is .* \* 255"),
        ({"mask": np.full((4, 4), 200, np.uint8)}, r"are 200: a mask is np\.where\(mask > 127"),
        ({"mask": np.ones((4, 4, 3), np.uint8)}, r"shape \(4, 4, 3\) and dtype uint8\.$"),
        ({"mask": np.ones((4, 4), bool)}, r"astype\(np.uint8\) \* 255"),
        ({"mask": Otsu(), "fill": -1}, "'fill'.*0 to 65535"),
        ({"mask": Otsu(), "fill": 0.5}, "'fill'"),
        ({"mask": REDDISH, "fill": (0, 0)}, "'fill'"),
        ({"mask": REDDISH, "fill": (0, 0, "red")}, "'fill'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        ApplyMask(**parameters)(np.zeros((4, 4), np.uint8))


def test_a_fill_beyond_eight_bits_is_refused_for_them():
    with pytest.raises(KindError, match="uint8"):
        ApplyMask(Otsu(), 300)(np.zeros((4, 4), np.uint8))


class AboveTheMean(Step):
    """A mask of what is brighter than the images of `fit` on average."""

    takes, gives = (Kind.GRAY,), Kind.MASK

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def fit(self, images=None, truth=None):
        self.level_ = float(np.mean([image.mean() for image in images]))
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "level_")

    def apply(self, image):
        if not hasattr(self, "level_"):
            raise NotFittedError("fit first")
        return np.where(image > self.level_, 255, 0).astype(np.uint8)


def test_a_mask_that_learns_is_fitted_as_a_copy():
    images = [np.full((2, 2), 50, np.uint8), np.full((2, 2), 150, np.uint8)]
    inner = AboveTheMean()
    step = ApplyMask(inner)
    with pytest.raises(NotFittedError):
        step(images[0])
    assert [result.max() for result in step.fit(images).transform(images)] == [0, 150]
    assert not hasattr(inner, "level_")
    with pytest.raises(NotFittedError):
        clone(step)(images[0])
    chain = Gray() >> ApplyMask(AboveTheMean())
    assert chain.fit(images)(images[1]).max() == 150
