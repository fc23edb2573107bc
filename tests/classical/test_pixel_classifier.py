"""The pixel classifier on coins and colours, beside scikit-image's, saved, and refused."""

import pickle

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, future
from skimage.feature import multiscale_basic_features
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

import vision
from classical import FindContours, Gray, Opening
from classical.pixel_classifier import PixelClassifier
from vision.errors import KindError, LoadError, ParameterError
from vision.kinds import Kind

FAST = {"sigmas": (1, 3), "n_samples": 4000}


def coins():
    """The photograph, and a mask of its coins by a threshold that follows the light."""
    image = data.coins()
    light = ndimage.gaussian_filter(image.astype(float), 40)
    mask = ndimage.binary_opening(ndimage.gaussian_filter(image, 1.5) > light + 8, iterations=3)
    return image, np.where(ndimage.binary_fill_holes(mask), 255, 0).astype(np.uint8)


def halves(image, truth):
    return (image[:150].copy(), truth[:150].copy()), (image[150:].copy(), truth[150:].copy())


def test_coins_are_learned_from_one_half_and_found_in_the_other():
    (image, mask), (other, expected) = halves(*coins())
    step = PixelClassifier(n_samples=20_000).fit([image], [mask])
    found = step(other)
    assert found.dtype == np.uint8 and set(np.unique(found)) == {0, 255}
    assert vision.iou(found, expected) > 0.8
    assert vision.iou((other > np.median(other)).astype(np.uint8) * 255, expected) < 0.75


def test_it_is_as_good_as_scikit_images_trainable_segmentation():
    (image, mask), (other, expected) = halves(*coins())
    theirs = future.TrainableSegmenter(
        clf=RandomForestClassifier(50, max_depth=12, random_state=0),
        features_func=lambda one: multiscale_basic_features(one, sigma_min=1, sigma_max=8),
    )
    known = np.random.default_rng(0).random(mask.shape) < 0.35  # the rest is 0: unlabelled
    theirs.fit(image, np.where(mask > 0, 2, 1) * known)
    their_mask = np.where(theirs.predict(other) == 2, 255, 0).astype(np.uint8)
    ours = PixelClassifier(n_samples=20_000).fit([image], [mask])(other)
    assert vision.iou(ours, expected) > vision.iou(their_mask, expected) - 0.02
    assert vision.iou(ours, their_mask) > 0.85


def test_label_maps_give_labels_and_unknown_pixels_are_left_out():
    image = data.coffee()[::2, ::2].copy()
    truth = np.full(image.shape[:2], -1, np.int32)
    truth[30:80, 110:170], truth[10:40, 220:290], truth[170:195, 100:130] = 7, 3, 0
    step = PixelClassifier(**FAST).fit([image], [truth])
    labels = step(image)
    assert labels.dtype == np.int32 and set(np.unique(labels)) == {0, 3, 7}
    assert np.mean(labels[truth >= 0] == truth[truth >= 0]) > 0.99


def test_colours_are_not_swapped():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :30], image[:, 30:] = (200, 40, 40), (40, 40, 200)
    truth = np.where(np.arange(60) < 30, 255, 0).astype(np.uint8)[None].repeat(40, 0)
    step = PixelClassifier(**FAST).fit([image], [truth])
    assert np.mean(step(image) == truth) > 0.99
    assert np.mean(step(image[:, :, ::-1].copy()) == 255 - truth) > 0.9
    names = step.get_feature_names_out()
    assert names[0] == "red value" and len(names) == 3 * 13


def test_five_times_as_many_pixels_are_no_better_than_the_default():
    (image, mask), (other, expected) = halves(*coins())
    trees = RandomForestClassifier(8, max_depth=12, random_state=0)
    usual, many = (PixelClassifier(trees, (1, 4), n_samples=count) for count in (20_000, 10**5))
    scores = [vision.iou(step.fit([image], [mask])(other), expected) for step in (usual, many)]
    assert scores[0] > scores[1] - 0.02


def test_any_classifier_names_the_pixels_and_is_left_unfitted():
    (image, mask), (other, expected) = halves(*coins())
    given = HistGradientBoostingClassifier(max_iter=30, random_state=0)
    step = PixelClassifier(given, **FAST).fit([image], [mask])
    assert not hasattr(given, "classes_") and step.classifier_ is not given
    assert vision.iou(step(other), expected) > 0.7
    linear = PixelClassifier(LogisticRegression(max_iter=2000), **FAST).fit([image], [mask])
    probable = linear.probabilities(other)
    assert probable.shape == (*other.shape, 2) and probable.dtype == np.float32
    assert np.allclose(probable.sum(axis=2), 1, atol=1e-5)
    assert np.array_equal(probable[..., 1] > 0.5, linear(other) > 0)


def test_the_draw_is_bounded_even_over_images_and_seeded():
    image, mask = coins()
    seen = []

    class Counting(LogisticRegression):
        def fit(self, rows, names):
            seen.append(len(rows))
            return super().fit(rows, names)

    step = PixelClassifier(Counting(max_iter=500), sigmas=(2,), n_samples=301)
    step.fit([image] * 3, [mask] * 3)
    PixelClassifier(Counting(max_iter=500), sigmas=(2,)).fit([image[:90]], [mask[:90]])
    assert seen == [300, 20_000]
    once, again, other = (
        PixelClassifier(sigmas=(2,), n_samples=500, random_state=seed).fit([image], [mask])(image)
        for seed in (4, 4, 5)
    )
    assert np.array_equal(once, again) and not np.array_equal(once, other)


def test_the_default_forest_is_the_documented_one():
    step = PixelClassifier(**FAST).fit([data.coins()], [coins()[1]])
    expected = RandomForestClassifier(50, max_depth=12, random_state=0).get_params()
    assert type(step.classifier_) is RandomForestClassifier
    assert step.classifier_.get_params() == expected
    assert PixelClassifier().n_samples == 20_000 and PixelClassifier().sigmas == (1, 2, 4, 8)


def test_in_a_pipeline_it_is_trained_scored_and_searched():
    image, mask = coins()
    images = [image[:100].copy(), image[100:200].copy(), image[200:].copy()]
    masks = [mask[:100].copy(), mask[100:200].copy(), mask[200:].copy()]
    pipeline = PixelClassifier(**FAST) >> Opening(3)
    scores = cross_val_score(pipeline, images, masks, cv=3)
    assert np.all(scores > 0.55) and np.mean(scores) > 0.8
    pipeline.fit(images, masks)
    assert pipeline.score(images, masks) > 0.95
    regions = pipeline >> FindContours(min_area=300)
    assert 18 <= len(regions(image)) <= 30


def test_what_it_gives_is_known_once_it_is_trained():
    image, mask = coins()
    fresh = PixelClassifier(**FAST)
    assert fresh.gives_for(Kind.GRAY) is Kind.ANY and fresh.takes == (Kind.RGB, Kind.GRAY)
    of_masks = clone(fresh).fit([image], [mask])
    assert of_masks.gives_for(Kind.GRAY) is Kind.MASK and of_masks.takes == (Kind.GRAY,)
    of_labels = clone(fresh).fit([image], [np.where(mask > 0, 1, 2).astype(np.int32)])
    assert of_labels.gives_for(Kind.GRAY) is Kind.LABELS
    with pytest.raises(KindError, match="PixelClassifier gives a label map"):
        of_labels >> Opening(3)
    with pytest.raises(KindError, match="takes a gray image"):
        of_masks(np.zeros((9, 9, 3), np.uint8))
    color = np.dstack([image] * 3)
    of_masks.fit([color], [mask])  # trained anew on the other kind
    assert of_masks.takes == (Kind.RGB,)


@pytest.mark.parametrize("classifier", [None, HistGradientBoostingClassifier(max_iter=15)])
def test_it_is_saved_and_loaded_fitted(classifier, tmp_path):
    image, mask = coins()
    step = PixelClassifier(classifier, sigmas=(1, 3), n_samples=1000)
    pipeline = (step >> Opening(3)).fit([image], [mask])
    vision.save(pipeline, tmp_path / "coins.vision")
    loaded = vision.load(tmp_path / "coins.vision")
    assert np.array_equal(loaded(image), pipeline(image))
    assert np.array_equal(pickle.loads(pickle.dumps(pipeline))(image), pipeline(image))
    vision.save(step, tmp_path / "fresh.vision")
    with pytest.raises(NotFittedError):
        vision.load(tmp_path / "fresh.vision")(image)


def test_files_of_another_classifier_are_refused():
    image, mask = coins()
    files = PixelClassifier(sigmas=(1,), n_samples=200).fit([image], [mask]).archive_files()
    with pytest.raises(LoadError, match="not the classifier that the text says"):
        PixelClassifier(LogisticRegression()).restore_files(files)
    with pytest.raises(LoadError, match=r"has classifier\.skops and learned\.npy"):
        PixelClassifier().restore_files({"classifier.skops": files["classifier.skops"]})
    from vision.array_files import encode_npy

    wrong = files | {"learned.npy": encode_npy(np.array([2, 1]))}
    with pytest.raises(LoadError, match=r"learned\.npy is refused"):
        PixelClassifier().restore_files(wrong)


def test_unfitted_it_says_so():
    with pytest.raises(NotFittedError, match=r"Call fit\(images, masks\) first"):
        PixelClassifier()(data.coins())
    with pytest.raises(NotFittedError):
        PixelClassifier().get_feature_names_out()
    with pytest.raises(NotFittedError):
        (Gray() >> PixelClassifier())(data.coffee())


def test_truth_that_cannot_be_learned_from_is_refused():
    image, mask = coins()
    step = PixelClassifier(**FAST)
    for truth, message in (
        (None, "'truth'"),
        ([mask, mask], "one entry per image"),
        ([mask[:5]], "size of its image"),
        ([mask > 0], "astype"),
        ([np.zeros_like(mask)], "two classes"),
        ([np.zeros(mask.shape, np.float32)], "'truth'"),
    ):
        with pytest.raises(ParameterError, match=message):
            step.fit([image], truth)
    with pytest.raises(ParameterError, match="'truth'"):
        step.fit([image] * 2, [mask, (mask > 0).astype(np.int32)])
    with pytest.raises(ParameterError, match="all rgb or all gray"):
        step.fit([image, np.dstack([image] * 3)], [mask, mask])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"classifier": "forest"}, "'classifier' of PixelClassifier must be None or"),
        ({"sigmas": ()}, "'sigmas'"),
        ({"sigmas": 3}, "'sigmas'"),
        ({"sigmas": (0,)}, "'sigmas'"),
        ({"features": ("edges",)}, "'features'"),
        ({"features": "hessian"}, "'features'"),
        ({"n_samples": 1}, "'n_samples'"),
        ({"random_state": None}, "'random_state'"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    image, mask = coins()
    with pytest.raises(ParameterError, match=message):
        PixelClassifier(**parameters).fit([image], [mask])
