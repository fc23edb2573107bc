"""Classical explanations: identities with scikit-learn's own scores, and pictures by hand."""

import numpy as np
import pytest
from skimage import data
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

import vision
from classical import (
    HOG,
    ORB,
    BagOfVisualWords,
    ColorHistogram,
    Crop,
    Gray,
    RawPixels,
    Resize,
    ToHSV,
    feature_contributions,
    feature_importance,
    hog_glyphs,
)
from classical.contributions import Head
from classical.explain import explain_histogram, explain_hog, explain_words
from vision import explain
from vision.errors import KindError, ParameterError

pytestmark = pytest.mark.cv2


def crops(image, size, count):
    """Squares of a photograph, at random."""
    random = np.random.default_rng(0)
    height, width = image.shape[:2]
    places = [(random.integers(height - size), random.integers(width - size)) for _ in range(count)]
    return [image[y : y + size, x : x + size].copy() for y, x in places]


GRAYS = crops(data.coins(), 40, 6) + crops(data.camera(), 40, 6) + crops(data.page(), 40, 6)
COLOURS = [
    crop for load in (data.coffee, data.chelsea, data.rocket) for crop in crops(load(), 40, 6)
]
NAMES = np.repeat(["a", "b", "c"], 6)
HEADS = {
    "svm": (LinearSVC(),),
    "scaled": (StandardScaler(), LogisticRegression()),
    "components": (StandardScaler(), PCA(8), LinearSVC()),
}


# The sum of all contributions and the base is the decision value


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("classes", [2, 3])
def test_hog_contributions_sum_to_the_decision(head, classes):
    images, names = GRAYS[: 6 * classes], NAMES[: 6 * classes]
    model = vision.chain(HOG(cells_per_block=2), *HEADS[head]).fit(images, names)
    decisions = model.decision_function(images[:1])[0]
    decisions = dict(zip("abc", decisions if classes == 3 else [-decisions, decisions]))
    for name, decision in decisions.items():
        contributions, base, target = feature_contributions(model, images[0], name)
        assert target == name
        assert contributions.sum() + base == pytest.approx(decision, rel=1e-5, abs=1e-5)
        values, _ = explain_hog(model, images[0], name)
        assert values.sum(dtype=np.float64) + base == pytest.approx(decision, abs=1e-4)


def test_without_scaling_they_are_weight_times_feature_and_the_intercept():
    hog = HOG()
    model = (hog >> LinearSVC()).fit(GRAYS, NAMES)
    svm = model[-1]
    for number, name in enumerate("abc"):
        contributions, base, _ = feature_contributions(model, GRAYS[3], name)
        np.testing.assert_allclose(contributions, svm.coef_[number] * hog(GRAYS[3]), atol=1e-9)
        assert base == pytest.approx(svm.intercept_[number], abs=1e-9)


@pytest.mark.parametrize("space", ["rgb", "hsv"])
def test_histogram_contributions_sum_to_the_decision(space):
    front = [ToHSV()] if space == "hsv" else []
    model = vision.chain(*front, ColorHistogram(5, space), StandardScaler(), LinearSVC())
    model.fit(COLOURS, NAMES)
    image = ToHSV()(COLOURS[0]) if front else COLOURS[0]
    tail = vision.chain(*model[len(front) :])
    _, base, _ = feature_contributions(tail, image, "b")
    values, _ = explain_histogram(tail, image, "b")
    decision = model.decision_function(COLOURS[:1])[0][1]
    assert values.sum(dtype=np.float64) + base == pytest.approx(decision, abs=1e-4)
    colours, first = np.unique(image.reshape(-1, 3), axis=0, return_inverse=True)
    spread = [np.ptp(values.ravel()[first.ravel() == n]) for n in range(0, len(colours), 50)]
    assert max(spread) == 0  # one colour, one value


def test_word_contributions_sum_to_the_decision():
    model = BagOfVisualWords(n_words=6) >> LogisticRegression()
    model.fit(crops(data.coins(), 90, 3) + crops(data.camera(), 90, 3), list("aaabbb"))
    image = data.coins()[:120, :150].copy()
    contributions, base, _ = feature_contributions(model, image, "b")
    expected = model.decision_function([image])[0]
    assert contributions.sum() + base == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_of_a_regressor_they_sum_to_the_value():
    model = (RawPixels(4) >> StandardScaler() >> Ridge()).fit(GRAYS, np.arange(18.0))
    contributions, base, target = feature_contributions(model, GRAYS[2])
    assert target is None
    expected = model.predict(GRAYS[2:3])[0]
    assert contributions.sum() + base == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_of_any_other_model_they_are_the_fall_without_the_feature():
    model = (ColorHistogram(2) >> RandomForestClassifier(20, random_state=0)).fit(COLOURS, NAMES)
    row = ColorHistogram(2)(COLOURS[0])
    contributions, base, name = feature_contributions(model, COLOURS[0])
    place = "abc".index(name)
    scores = model[-1].predict_proba
    assert base == scores(np.zeros((1, 6)))[0, place]
    for feature in range(6):
        without = row.copy()
        without[feature] = 0
        expected = scores([row])[0, place] - scores([without])[0, place]
        assert contributions[feature] == pytest.approx(expected, abs=1e-12)


def test_branches_of_features_are_one_row():
    both = vision.Branches({"colour": ColorHistogram(3), "shape": Gray() >> RawPixels(3)})
    model = (both >> StandardScaler() >> LinearSVC()).fit(COLOURS, NAMES)
    contributions, base, _ = feature_contributions(model, COLOURS[1], "c")
    assert len(contributions) == 18
    expected = model.decision_function(COLOURS[1:2])[0][2]
    assert contributions.sum() + base == pytest.approx(expected, rel=1e-5, abs=1e-5)


# Where they are drawn


def bar(x, y, height=24, size=96):
    """A bright upright bar."""
    image = np.zeros((size, size), np.uint8)
    image[y : y + height, x : x + 6] = 220
    return image


def test_hog_peaks_on_the_bar_through_crop_and_resize():
    random = np.random.default_rng(1)
    noise = [random.integers(0, 12, (96, 96), np.uint8) for _ in range(12)]
    images = [np.maximum(image, bar(53, 40)) for image in noise[:6]] + noise[6:]
    model = Crop(16, 16, 64, 64) >> Resize(128) >> HOG(cells_per_block=1) >> LinearSVC()
    model.fit(images, ["bar"] * 6 + ["none"] * 6)
    heat = explain(model, images[0], "bar")
    x, y = heat.peak
    assert (heat.method, heat.signed, heat.shape) == ("hog", True, (96, 96))
    assert 48 <= x < 64
    assert 36 <= y < 68
    assert not heat.values[:, :16].any()


def test_the_cells_of_hog_are_where_their_pixels_are():
    # The weights of one feature alone: block row 1, block column 2, cell (0, 1) of it, direction 4.
    hog = HOG(cells_per_block=2).fit([GRAYS[0]])
    names = hog.get_feature_names_out().tolist()
    model = (hog >> LinearSVC()).fit(GRAYS[:12], NAMES[:12])
    model[-1].coef_[:] = 0
    model[-1].coef_[0, names.index("hog_1_2_0_1_4")] = 3
    image = GRAYS[7]
    values, _ = explain_hog(model, image, "b")
    expected = 3 * hog(image)[names.index("hog_1_2_0_1_4")]
    assert expected > 0
    assert values[8:16, 24:32].sum() == pytest.approx(expected, rel=1e-5)
    assert np.count_nonzero(values) == 64


def test_pixels_beyond_the_last_cell_count_nothing():
    images = [image[:38, :35].copy() for image in GRAYS[:12]]
    values, _ = explain_hog((HOG() >> LinearSVC()).fit(images, NAMES[:12]), images[0])
    assert values.shape == (38, 35)
    assert not values[32:].any()
    assert not values[:, 32:].any()
    assert values[:32, :32].any()


def test_colours_are_projected_back_to_their_pixels():
    image = np.zeros((6, 8, 3), np.uint8)
    image[:, :2] = (255, 0, 0)  # 12 pixels red, 36 black
    model = (ColorHistogram(2) >> Ridge()).fit([image, image // 2], [0, 1])
    ridge = model[-1]
    ridge.coef_, ridge.intercept_ = np.array([0.0, 4, 0, 0, 8, 0]), 0.0
    values, _ = explain_histogram(model, image)
    # Red's upper half is 12/48 of the pixels: 4 * 12/48 over 12 pixels; blue's lower half is all.
    np.testing.assert_allclose(values[:, :2], 4 / 48 + 8 / 48, rtol=1e-6)
    np.testing.assert_allclose(values[:, 2:], 8 / 48, rtol=1e-6)


def test_words_are_projected_back_to_their_keypoints():
    photo = data.camera()
    image = np.full((160, 200), 128, np.uint8)
    image[:, 120:] = photo[200:360, 200:280]
    model = (BagOfVisualWords(n_words=4) >> Ridge()).fit([photo[::2, ::2], image], [0, 1])
    bag, ridge = model[0], model[-1]
    keypoints, numbers = bag.words_of(image)
    np.testing.assert_allclose(np.bincount(numbers, minlength=4) / len(numbers), bag(image))
    ridge.coef_, ridge.intercept_ = np.array([1.0, 0, 0, 0]), 0.0
    values, _ = explain_words(model, image)
    # By SIFT's 16 samples a side at 3/8 of the size, a pixel is under a patch up to 3 sizes away.
    y, x = np.mgrid[:160, :200]
    expected, chosen = np.zeros((160, 200)), numbers == 0
    assert 1 < chosen.sum() < len(chosen)
    for (px, py), size in zip(keypoints.points[chosen], keypoints.sizes[chosen], strict=True):
        under = np.hypot(x - px, y - py) <= 3 * size
        expected += under / len(numbers)
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_binary_descriptors_describe_the_keypoint_itself():
    image = data.camera()[100:300, 150:350].copy()
    model = (BagOfVisualWords(ORB(), n_words=1) >> Ridge()).fit([image, image.T.copy()], [0, 1])
    model[-1].coef_, model[-1].intercept_ = np.array([1.0]), 0.0
    values, _ = explain_words(model, image)
    keypoints, numbers = model[0].words_of(image)
    y, x = np.mgrid[:200, :200]
    under = [
        np.hypot(x - px, y - py) <= size / 2
        for (px, py), size in zip(keypoints.points, keypoints.sizes, strict=True)
    ]
    np.testing.assert_allclose(values, np.sum(under, axis=0) / len(numbers), atol=1e-5)


def test_a_linear_head_is_not_asked_feature_by_feature():
    model = HOG() >> StandardScaler() >> LinearSVC()
    head = Head(model.fit(GRAYS, NAMES), GRAYS[0], "b")
    asked = []
    scores = head._scores
    head._scores = lambda rows: asked.append(len(rows)) or scores(rows)
    weights = head.weights()
    assert sum(asked) == 2
    rows = np.eye(len(head.row))[:5]
    np.testing.assert_allclose(
        weights[:5], scores(head.middle.steps[0].transform(rows)) - head.base
    )


@pytest.mark.parametrize(
    "middle",
    [
        MinMaxScaler(),
        MaxAbsScaler(),
        RobustScaler(),
        StandardScaler(with_std=False),
        PCA(5, whiten=True),
        SelectKBest(k=9),
    ],
)
def test_weights_go_back_through_scalers_and_selections(middle):
    model = (RawPixels(6) >> middle >> RidgeClassifier()).fit(GRAYS, NAMES)
    head = Head(model, GRAYS[4], "c")
    rows = np.eye(36)[:, None] * 100
    expected = [model[1:].decision_function(row)[0][2] - head.base for row in rows]
    np.testing.assert_allclose(100 * head.weights(), expected, rtol=1e-3, atol=1e-4)


def test_coefficients_that_are_no_weights_of_the_score_are_not_taken():
    pairs = (HOG() >> SVC(kernel="linear")).fit(GRAYS, NAMES)  # those of pairs of classes
    assert pairs[-1].coef_.shape[0] == 3
    assert Head(pairs, GRAYS[0], "a").weights() is None
    model = (HOG() >> PowerTransformer() >> LinearSVC()).fit(GRAYS, NAMES)
    assert Head(model, GRAYS[0], "a").weights() is None


def test_no_keypoints_no_heat():
    model = BagOfVisualWords(n_words=3) >> LogisticRegression()
    model.fit(crops(data.coins(), 90, 2) + crops(data.camera(), 90, 2), list("aabb"))
    heat = explain(model, np.full((50, 60), 90, np.uint8))
    assert heat.method == "words"
    assert not heat.values.any()


@pytest.mark.parametrize("method", ["hog", "histogram", "words"])
def test_other_features_are_refused(method):
    model = (Gray() >> RawPixels(2) >> GaussianNB()).fit(COLOURS, NAMES)
    with pytest.raises(KindError, match=f"'{method}' explains what follows .* but gets RawPixels"):
        explain(model, COLOURS[0], method=method)


def test_a_decision_by_pairs_is_refused():
    model = (HOG() >> SVC(decision_function_shape="ovo")).fit(GRAYS, NAMES)
    with pytest.raises(KindError, match="gives none"):
        feature_contributions(model, GRAYS[0])


# Glyphs


def orientation_model(orientation, weight=1.0, count=4):
    """A model on one cell with one weight."""
    images = [np.pad(np.full((8, 4), 200, np.uint8), ((0, 0), (0, 4))), np.zeros((8, 8), np.uint8)]
    model = HOG(count, cells_per_block=1) >> LinearSVC()
    model.fit(images, [1, 0])
    model[-1].coef_ = np.zeros((1, count))
    model[-1].coef_[0, orientation] = weight
    return model, images[0]


@pytest.mark.parametrize(("orientation", "degrees"), [(0, 112.5), (1, 157.5), (2, 22.5), (3, 67.5)])
def test_a_glyph_runs_along_the_edge(orientation, degrees):
    # Bins of 45 degrees: the gradient of bin 0 is at 22.5, its edge across it; y grows down.
    model, image = orientation_model(orientation)
    picture = hog_glyphs(model, image, 1, cell_size=41).astype(float)
    y, x = np.nonzero(picture[..., 0] > 100)
    (xx, xy), (_, yy) = np.cov(x, y)
    angle = np.rad2deg(0.5 * np.arctan2(2 * xy, xx - yy)) % 180
    assert angle == pytest.approx(degrees, abs=1.5)
    assert (x.mean(), y.mean()) == pytest.approx((20, 20), abs=0.5)


def test_for_is_red_and_against_is_blue():
    model, image = orientation_model(1)
    pro, contra = (hog_glyphs(model, image, name).astype(int) for name in (1, 0))
    assert pro[..., 0].max() > pro[..., 2].max() + 100
    assert contra[..., 2].max() > contra[..., 0].max() + 100


def test_weights_are_the_models_and_contributions_the_pictures():
    model, image = orientation_model(2)
    empty = np.zeros_like(image)
    weights = [hog_glyphs(model, each, 1) for each in (image, empty)]
    assert np.array_equal(*weights)
    drawn = hog_glyphs(model, empty, 1, of="contributions")
    assert (drawn == 32).all()
    steps_in_front = hog_glyphs(Gray() >> model, np.dstack([image] * 3), 1)
    assert np.array_equal(steps_in_front, weights[0])


@pytest.mark.parametrize("degrees", [0, 50, 90, 130])
def test_glyphs_as_scikit_image_draws_them(degrees):
    from skimage.feature import hog

    # A ramp that climbs in one direction.
    y, x = np.indices((64, 64)) - 32
    climb = np.cos(np.deg2rad(degrees)) * x + np.sin(np.deg2rad(degrees)) * y
    image = (128 + 2.5 * climb).round().astype(np.uint8)
    model = HOG(pixels_per_cell=16, cells_per_block=1) >> Ridge()
    model.fit([image, image[::-1].copy()], [0, 1])
    # All weights 1: the contributions are the normalised cells themselves.
    model[-1].coef_, model[-1].intercept_ = np.ones(4 * 4 * 9), 0.0
    mine = hog_glyphs(model, image, of="contributions")[..., 0].astype(float) - 32
    _, theirs = hog(image, pixels_per_cell=(16, 16), cells_per_block=(1, 1), visualize=True)
    one, other = mine[16:32, 32:48], theirs[16:32, 32:48]
    assert _axis(one) == pytest.approx(_axis(other), abs=0.15)


def _axis(cell):
    """How light is spread around the middle of a cell: a vector of the doubled angle."""
    y, x = np.indices(cell.shape) - (np.array(cell.shape) - 1)[:, None, None] / 2
    weights = cell / cell.sum()
    xx, yy, xy = (float((weights * m).sum()) for m in (x * x, y * y, x * y))
    return np.array([(xx - yy) / (xx + yy), 2 * xy / (xx + yy)])


@pytest.mark.parametrize(("name", "value"), [("of", "weight"), ("cell_size", 2)])
def test_glyphs_refuse(name, value):
    model, image = orientation_model(0)
    with pytest.raises(ParameterError, match=f"'{name}' of hog_glyphs"):
        hog_glyphs(model, image, **{name: value})


# Importance


def test_the_only_feature_that_decides_is_named_first():
    random = np.random.default_rng(0)
    images, labels = [], []
    for number in range(60):
        image = random.integers(0, 256, (6, 6, 3), np.uint8)
        image[..., 1] = 200 if number % 2 else 50
        images.append(image)
        labels.append("green" if number % 2 else "other")
    model = ColorHistogram(2) >> GradientBoostingClassifier(n_estimators=1, random_state=0)
    model.fit(images[:30], labels[:30])
    rows = feature_importance(model, images[30:], labels[30:], repeats=20)
    importances = {row["feature"]: row["importance"] for row in rows}
    used = model[-1].feature_importances_
    names = ColorHistogram(2).get_feature_names_out()
    assert set(importances) == set(names)
    for name, share in zip(names, used, strict=True):
        assert (importances[name] > 0) == (share > 0)
    assert sum(importances.values()) > 0.4
    assert rows[0]["feature"].startswith("green")


def test_shuffling_the_deciding_feature_loses_what_chance_says():
    # Two classes, equally many, told apart by one feature: after a shuffle half of them are right.
    labels = [0] * 50 + [1] * 50
    images = [np.full((4, 4), 10 + 190 * label, np.uint8) for label in labels]
    model = (RawPixels(1) >> RandomForestClassifier(5, random_state=0)).fit(images, labels)
    (row,) = feature_importance(model, images, labels, repeats=50)
    assert row["feature"] == "pixel_0_0"
    assert row["importance"] == pytest.approx(0.5, abs=0.03)
    assert row["deviation"] == pytest.approx(0.05, abs=0.02)  # of 100 draws without replacement


def test_importance_refuses():
    model = (RawPixels(1) >> GaussianNB()).fit(GRAYS, NAMES)
    with pytest.raises(ParameterError, match="'repeats' of feature_importance"):
        feature_importance(model, GRAYS, NAMES, repeats=0)
    with pytest.raises(KindError, match="needs features"):
        feature_importance(GaussianNB().fit([[0], [1]], [0, 1]), GRAYS, NAMES)
    with pytest.raises(KindError, match="needs features"):
        feature_importance(Gray(), COLOURS, NAMES)
