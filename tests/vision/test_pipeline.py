"""Pipelines: scikit-learn's contract on images, one image at a time, results brought back."""

import concurrent.futures
import pickle

import numpy as np
import pytest
from skimage import data, measure
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import jaccard_score
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC

import vision
from classical import (
    Canny,
    ColorHistogram,
    Crop,
    Dilation,
    FindContours,
    GaussianBlur,
    Gray,
    KMeansSegmenter,
    Normalize,
    Otsu,
    Pad,
    RawPixels,
    Resize,
    Rotate,
    Sobel,
    Threshold,
    ToUint8,
)
from vision import Branches, Detections, KindError, ParameterError, Pick, Pipeline, chain


@pytest.fixture(scope="module")
def textures():
    """Forty crops of two photographs, of many sizes, with the photograph's name as label."""
    rng = np.random.default_rng(0)
    images, labels = [], []
    for index in range(40):
        name = ("coffee", "chelsea")[index % 2]
        photo = getattr(data, name)()
        height, width = rng.integers(30, 70, 2)
        top = rng.integers(0, photo.shape[0] - height)
        left = rng.integers(0, photo.shape[1] - width)
        images.append(photo[top : top + height, left : left + width].copy())
        labels.append(name)
    return images, labels


def squares(count=6):
    """Gray pictures of different sizes with one bright rectangle each, and its box and mask."""
    images, boxes, masks = [], [], []
    for index in range(count):
        image = np.full((60 + index, 80 - index, 3), 40, np.uint8)
        left, top, right, bottom = 10 + index, 12, 50, 40 + index
        image[top:bottom, left:right] = 200
        images.append(image)
        boxes.append(Detections(np.array([[left, top, right, bottom]], float)))
        masks.append((image[:, :, 0] == 200).astype(np.uint8) * 255)
    return images, boxes, masks


def test_calling_equals_the_opencv_calls_by_hand():
    import cv2

    image = data.coffee()
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    by_hand = cv2.Canny(cv2.GaussianBlur(gray, (5, 5), 0), 100, 200)
    assert np.array_equal((Gray() >> GaussianBlur(5) >> Canny(100, 200))(image), by_hand)


def test_step_names_count_repeated_classes_and_chaining_flattens():
    inner = Gray() >> Canny()
    joined = inner >> (Dilation() >> Dilation()) >> Dilation()
    assert [n for n, _ in joined.steps] == ["gray", "canny", "dilation", "dilation_2", "dilation_3"]
    assert joined.steps[1][1] is inner.steps[1][1]


def test_set_params_reaches_the_step_and_takes_effect_at_once():
    image = data.coffee()
    edges = Gray() >> Canny(100, 200)
    strict = edges(image).mean()
    edges.set_params(canny__low=50, canny__high=60)
    assert edges.get_params()["canny__low"] == 50
    assert edges(image).mean() > strict
    edges.named_steps["canny"].high = 20
    with pytest.raises(ParameterError, match="'low' of Canny must not exceed 'high'"):
        edges(image)


def test_a_changed_parameter_that_breaks_the_chain_is_refused_before_any_image_is_read(tmp_path):
    chained = Gray() >> Sobel(output="edges") >> Dilation() >> FindContours()
    chained.set_params(sobel__output="strength")
    missing = vision.Images([tmp_path / "never_read.png"])
    for use in (
        lambda: chained(data.coffee()),
        lambda: chained.fit(missing),
        lambda: chained.predict(missing),
        lambda: vision.run(chained, missing, tmp_path / "out"),
    ):
        with pytest.raises(KindError, match="gives a map"):
            use()
    assert not (tmp_path / "out").exists()


def test_replacing_a_step_in_place_is_noticed():
    edges = Gray() >> Canny()
    image = data.coffee()
    edges(image)
    edges.steps[1] = ("canny", Otsu())
    assert np.array_equal(edges(image), (Gray() >> Otsu())(image))


def test_search_and_cross_validation_on_images_of_many_sizes(textures):
    images, labels = textures
    classifier = Gray() >> RawPixels(8) >> StandardScaler() >> SVC()
    scores = cross_val_score(classifier, images, labels, cv=4)
    # The same numbers without any pipeline of ours.
    rows = np.stack([(Gray() >> RawPixels(8))(image) for image in images])
    expected = cross_val_score(
        sklearn_only := vision.chain(StandardScaler(), SVC()), rows, labels, cv=4
    )
    assert type(sklearn_only) is Pipeline
    assert scores.tolist() == expected.tolist()
    space = {"rawpixels__size": [4, 8], "svc__C": [1, 10]}
    search = GridSearchCV(classifier, space, cv=2, n_jobs=2)
    search.fit(images, labels)
    assert search.best_score_ >= scores.mean() - 0.2
    assert set(search.predict(images)) <= {"coffee", "chelsea"}


def test_parameters_of_image_steps_are_searched_by_mean_iou_without_scoring():
    images, _, masks = squares()
    search = GridSearchCV(
        Gray() >> Threshold(), {"threshold__value": [10, 100, 220]}, cv=3, n_jobs=2
    ).fit(images, masks)
    assert search.best_params_ == {"threshold__value": 100}
    assert search.best_score_ == 1.0


def test_mean_iou_is_the_score_of_a_pipeline_that_gives_masks():
    images, _, masks = squares()
    noisy = [np.roll(mask, 5, axis=1) for mask in masks]
    expected = [
        jaccard_score(true.ravel() > 0, mask.ravel() > 0, average="macro")
        for true, mask in zip(noisy, masks, strict=True)
    ]
    pipeline = Gray() >> Otsu()
    assert pipeline.score(images, noisy) == pytest.approx(np.mean(expected), abs=1e-12)
    folds = cross_val_score(pipeline, images, noisy, cv=3)
    assert folds == pytest.approx(np.mean(np.reshape(expected, (3, 2)), axis=1), abs=1e-12)


def test_coco_map_is_the_score_of_a_pipeline_that_gives_contours():
    images, boxes, _ = squares()
    pipeline = Gray() >> Otsu() >> FindContours()
    assert cross_val_score(pipeline, images, boxes, cv=3).tolist() == [1.0, 1.0, 1.0]
    # Shifted by a quarter of 40 pixels: IoU 30 / 50 = 0.6, so right at 0.5, 0.55 and 0.6 of ten.
    one, box = images[:1], boxes[0].boxes + np.array([10, 0, 10, 0])
    assert pipeline.score(one, [Detections(box)]) == pytest.approx(0.3)


def test_one_truth_an_image_is_asked_for():
    images, _, masks = squares()
    with pytest.raises(ParameterError, match="one entry per image, 6"):
        (Gray() >> Otsu()).score(images, masks[:2])
    with pytest.raises(KindError, match="no metric for lines"):
        from classical import HoughLines

        (Gray() >> Canny() >> HoughLines()).score(images, masks)


def test_fitting_one_pipeline_never_changes_another_that_shares_a_part(textures):
    images, labels = textures
    scaler, features = StandardScaler(), Gray() >> RawPixels(4)
    one, other = features >> scaler >> SVC(), features >> scaler >> GaussianNB()
    one.fit(images[:20], labels[:20])
    before = pickle.dumps(one)
    other.fit(images[20:], labels[20:])
    assert pickle.dumps(one) == before
    assert not hasattr(scaler, "mean_")
    assert one.named_steps["standardscaler"] is not other.named_steps["standardscaler"]


def test_branches_and_mask_operations_are_cloned_by_fit_too(textures):
    from sklearn.decomposition import PCA

    images, labels = textures
    part = Gray() >> RawPixels(4) >> PCA(2, random_state=0)
    both = Branches({"pixels": part, "colour": ColorHistogram(4)})
    one = both >> LinearSVC(random_state=0)
    assert one.fit(images, labels).score(images, labels) > 0.7
    assert not hasattr(part.named_steps["pca"], "components_")
    alone = clone(part).fit(images)
    fitted = one.named_steps["branches"]
    expected = np.hstack([alone.transform(images), ColorHistogram(4).transform(images)])
    np.testing.assert_allclose(fitted.transform(images), expected, rtol=1e-4, atol=1e-5)
    names = fitted.get_feature_names_out()
    assert names[0] == "pixels__pca0"
    assert len(names) == expected.shape[1]


def test_what_is_frozen_stays_trained(textures):
    images, labels = textures
    scaler = StandardScaler().fit((Gray() >> RawPixels(4)).transform(images))
    kept = scaler.mean_.copy()
    pipeline = Gray() >> RawPixels(4) >> FrozenEstimator(scaler) >> SVC()
    pipeline.fit(images[:10], labels[:10])
    assert np.array_equal(pipeline[2].estimator.mean_, kept)


@pytest.mark.parametrize("last", [SVC(), LogisticRegression(), GaussianNB(), LinearSVC()])
def test_one_image_is_classified_as_in_a_batch(textures, last):
    images, labels = textures
    pipeline = (Gray() >> RawPixels(6) >> StandardScaler() >> last).fit(images, labels)
    predicted = pipeline.predict(images)
    for image, label in zip(images[:8], predicted, strict=False):
        said = pipeline(image)
        assert said.label == label
        assert max(said.scores, key=said.scores.get) == label
    if hasattr(last, "predict_proba"):
        expected = pipeline.predict_proba(images[:1])[0]
        assert list(said.scores) == list(pipeline.classes_)
        assert said.score_kind == "probability"
        assert list(pipeline(images[0]).scores.values()) == pytest.approx(expected, rel=1e-6)
    else:
        assert said.score_kind == "decision"


def test_scikit_learns_own_compositions_take_pipelines(textures):
    images, labels = textures
    pixels = Gray() >> RawPixels(4) >> StandardScaler() >> GaussianNB()
    colours = ColorHistogram(4) >> LogisticRegression()
    calibrated = CalibratedClassifierCV(Gray() >> RawPixels(4) >> LinearSVC(), ensemble=False, cv=3)
    assert calibrated.fit(images, labels).predict_proba(images).shape == (40, 2)
    voting = VotingClassifier([("pixels", pixels), ("colours", colours)]).fit(images, labels)
    assert voting.score(images, labels) > 0.8
    stacked = StackingClassifier([("pixels", pixels), ("colours", colours)], cv=2)
    assert stacked.fit(images, labels).score(images, labels) > 0.8
    sizes, _, scores = learning_curve(colours, images, labels, cv=2, train_sizes=[0.5, 1.0])
    assert sizes.tolist() == [10, 20]
    assert scores.shape == (2, 2)


def test_an_unfitted_step_is_named(textures):
    pipeline = Gray() >> RawPixels(4) >> StandardScaler() >> SVC()
    with pytest.raises(NotFittedError, match="StandardScaler is not fitted yet"):
        pipeline(textures[0][0])


def test_a_feature_step_gives_a_row_for_one_image_and_rows_for_many(textures):
    images, _ = textures
    pipeline = Gray() >> RawPixels(4) >> FunctionTransformer()
    assert pipeline(images[0]).shape == (16,)
    assert pipeline.transform(images).shape == (40, 16)
    table = (Gray() >> RawPixels(2)).set_output(transform="default")
    assert table.get_feature_names_out().tolist() == [
        "pixel_0_0",
        "pixel_0_1",
        "pixel_1_0",
        "pixel_1_1",
    ]


SHAPES = [
    Resize(width=400, height=150),
    Resize(width=60, height=120),
    Crop(20, 10, 150, 100),
    Pad(17),
    Rotate(30, expand=True),
    Crop(20, 10, 160, 110) >> Resize(width=320, height=220) >> Rotate(-15, expand=True),
]


@pytest.mark.parametrize("geometry", SHAPES, ids=lambda s: type(s).__name__)
def test_contours_masks_and_labels_come_back_to_the_given_image(geometry):
    image = np.full((120, 200, 3), 30, np.uint8)
    image[40:80, 60:130] = 220
    found = (geometry >> Gray() >> Threshold(128) >> FindContours(min_area=50))(image)
    assert found.shape == (120, 200)
    assert found.boxes[0] == pytest.approx([60, 40, 130, 80], abs=2.5)
    mask = (geometry >> Gray() >> Threshold(128))(image)
    truth = image[:, :, 0] > 128
    overlap = np.logical_and(mask > 0, truth).sum() / np.logical_or(mask > 0, truth).sum()
    assert mask.shape == truth.shape
    assert overlap > 0.9
    labels = (geometry >> KMeansSegmenter(2))(image)
    assert labels.shape == truth.shape
    assert labels.dtype == np.int32
    assert (labels[truth] == 2).mean() > 0.9


def test_a_grid_that_was_asked_for_last_is_kept():
    image = data.coffee()
    assert (Gray() >> Otsu() >> Resize(32, interpolation="nearest"))(image).shape == (32, 32)
    assert (Resize(64) >> Gray())(image).shape == (64, 64)


def test_branches_behind_a_resize_come_back_each():
    image = data.coffee()
    both = Branches({"mask": Otsu(), "picture": GaussianBlur()})
    results = (Resize(100) >> Gray() >> both)(image)
    assert results["mask"].shape == image.shape[:2]
    assert results["picture"].shape == (100, 100)


def test_a_named_pipeline_inside_another_is_a_step():
    image = data.coffee()
    inner = Resize(100) >> Gray()
    nested = Pipeline([("small", inner), ("mask", Otsu())])
    flat = inner >> Otsu()
    assert np.array_equal(nested(image), flat(image))
    assert nested.get_params()["small__resize__size"] == 100


def test_sixteen_bits_pass_only_where_every_step_takes_them():
    image = (data.coffee().astype(np.uint16)) * 257
    with pytest.raises(KindError, match=r"Canny takes 8-bit images.*ToUint8\(\)"):
        (Gray() >> Canny())(image)
    expected = (Gray() >> Canny())(data.coffee())
    assert np.array_equal((ToUint8() >> Gray() >> Canny())(image), expected)


def test_a_colour_image_is_refused_by_a_gray_chain_with_the_repair():
    with pytest.raises(KindError, match="Gray"):
        (Otsu() >> FindContours())(data.coffee())


def test_results_are_the_same_from_many_threads():
    image = data.coffee()
    pipeline = Gray() >> GaussianBlur() >> Canny() >> FindContours()
    expected = pipeline(image)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(result == expected for result in pool.map(pipeline, [image] * 32))


def test_features_from_a_folder_train_a_classifier_lazily(tmp_path, textures):
    images, labels = textures
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        (tmp_path / label).mkdir(exist_ok=True)
        vision.write(tmp_path / label / f"{index}.png", image)
    lazy, names = vision.Images.from_folders(tmp_path)
    pipeline = Gray() >> RawPixels(4) >> GaussianNB()
    lazily = cross_val_score(pipeline, lazy, names, cv=2)
    order = [int(source.rsplit("/", 1)[-1].removesuffix(".png")) for source in lazy.sources]
    at_once = cross_val_score(pipeline, [images[i] for i in order], names, cv=2)
    assert lazily.tolist() == at_once.tolist()


def test_contours_agree_with_a_second_library_on_coins():
    coins = data.coins()
    found = (Otsu() >> FindContours(min_area=100))(coins)
    mask = Otsu()(coins)
    regions = [r for r in measure.regionprops(measure.label(mask, connectivity=2)) if r.area > 150]
    assert abs(len(found) - len(regions)) <= 2


def test_a_pipeline_written_out_has_the_given_names_and_pick_follows_branches():
    named = Pipeline([("edge", Canny()), ("wide", Dilation())])
    assert list(named.named_steps) == ["edge", "wide"]
    picked = Gray() >> Branches({"a": Otsu(), "b": Canny()}) >> Pick("b") >> Dilation()
    assert np.array_equal(picked(data.coffee()), (Gray() >> Canny() >> Dilation())(data.coffee()))
    with pytest.raises(KindError, match="Pick"):
        Gray() >> Branches({"a": Otsu(), "b": Canny()}) >> Dilation()


def test_a_map_is_normalised_by_name():
    strength = Gray() >> Sobel() >> Normalize()
    picture = strength(data.coffee())
    assert picture.dtype == np.uint8
    assert (picture.min(), picture.max()) == (0, 255)


def test_chain_is_the_operator_for_two_steps_of_scikit_learn():
    assert [n for n, _ in chain(StandardScaler(), SVC()).steps] == ["standardscaler", "svc"]


def test_scikit_learns_feature_union_of_image_steps_is_looked_into(textures):
    from sklearn.pipeline import FeatureUnion

    images, labels = textures
    union = FeatureUnion([("gray", Gray() >> RawPixels(4)), ("colour", ColorHistogram(4))])
    pipeline = (GaussianBlur() >> union >> GaussianNB()).fit(images, labels)
    assert [pipeline(image).label for image in images] == pipeline.predict(images).tolist()
    assert [c.label for c in pipeline.apply_many(images)] == pipeline.predict(images).tolist()
    with pytest.raises(KindError, match="FeatureUnion takes"):
        Gray() >> FeatureUnion([("colour", ColorHistogram(4)), ("gray", Gray() >> RawPixels(4))])


def test_a_step_is_not_copied_by_composing_and_shared_parameters_are_seen_by_both():
    canny = Canny()
    one, other = Gray() >> canny, Gray() >> GaussianBlur() >> canny
    one.set_params(canny__high=150)
    assert other.get_params()["canny__high"] == 150
    assert clone(one).named_steps["canny"] is not canny


def test_a_collection_read_in_the_wrong_mode_is_refused_by_fit_before_a_file_is_read(tmp_path):
    for number in range(2):
        vision.write(tmp_path / f"{number}.png", data.coffee()[: 60 + number, :50])
    images = vision.Images(tmp_path)
    warm = vision.chain(RawPixels(4), SVC())
    with pytest.raises(KindError, match="mode='gray'"):
        warm.fit(images, ["a", "b"])
    gray = vision.Images(tmp_path, mode="gray")
    assert warm.fit(gray, ["a", "b"]).predict(gray).tolist() == ["a", "b"]


def test_an_outlier_detector_names_without_scores():
    from sklearn.ensemble import IsolationForest

    images = [np.full((4, 4), value, np.uint8) for value in (1, 2, 3, 250)]
    found = (RawPixels(2) >> IsolationForest(random_state=0)).fit(images)
    assert [found(image).label for image in images] == found.predict(images).tolist()


def test_a_refused_fit_leaves_what_was_learned_before():
    images = data.lfw_subset().astype(np.float32)
    images, labels = np.rint(images * 255).astype(np.uint8), np.repeat([1, 0], 100)
    fitted = (RawPixels(8) >> SVC()).fit(images, labels)
    expected = fitted.predict(images)
    for batch, truth, options in (
        (images, labels, {"epochs": 2}),
        (images, labels[:5], {}),
        (images, [None] * 200, {}),
        (images.reshape(200, -1), labels, {}),
    ):
        with pytest.raises((TypeError, ValueError)):
            fitted.fit(batch, truth, **options)
        assert np.array_equal(fitted.predict(images), expected)
    again = fitted.fit(images, 1 - labels).predict(images)
    assert np.array_equal(again, 1 - expected)
