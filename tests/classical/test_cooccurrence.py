"""Haralick's features against his own example and scikit-image's."""

import numpy as np
import pytest
from skimage import data, feature
from sklearn.datasets import load_sample_image

from classical.cooccurrence import GLCM, PROPERTIES
from vision.errors import ImageError, KindError, ParameterError

# Figure 3 of Haralick, Shanmugam and Dinstein, 1973: a 4x4 image of 4 levels and its matrices.
PUBLISHED = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]])
MATRICES = {
    0: [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]],
    90: [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]],
}


@pytest.mark.parametrize("degrees", sorted(MATRICES))
def test_matrices_are_haralicks(degrees):
    image = (PUBLISHED * 64 + 10).astype(np.uint8)
    expected = np.array(MATRICES[degrees])
    found = GLCM(angles=(degrees,), levels=4).matrices(image)[0, 0]
    assert np.allclose(found, expected / expected.sum(), atol=1e-12)


def test_the_contrast_of_his_image_is_solved_by_hand():
    image = (PUBLISHED * 64).astype(np.uint8)
    row = GLCM(angles=(0,), levels=4, properties=("contrast", "ASM"))(image)
    # 24 pairs: 4 apart by 1 (0-1 and 1-0), 2 by 2 (0-2), 2 by 1 (2-3).
    assert np.isclose(row[0], (4 * 1 + 2 * 4 + 2 * 1) / 24)
    shares = np.array(MATRICES[0]) / 24
    assert np.isclose(row[1], (shares**2).sum())


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("levels", [8, 32, 256])
@pytest.mark.parametrize("picture", [data.camera, data.coins, data.gravel])
def test_all_properties_are_scikit_images(picture, levels, symmetric):
    image = picture()[30:131, 50:201]
    distances, angles = (1, 3), (0, 45, 90, 135, 200, 300)
    levelled = (image.astype(int) * levels // 256).astype(np.uint8)
    matrices = feature.graycomatrix(
        levelled, distances, np.deg2rad(angles), levels, symmetric, normed=True
    )
    step = GLCM(distances, angles, levels, PROPERTIES, symmetric)
    assert np.allclose(step.matrices(image), matrices.transpose(2, 3, 0, 1), atol=1e-12)
    expected = [feature.graycoprops(matrices, name) for name in PROPERTIES]
    found = step(image)
    assert found.dtype == np.float32
    assert np.allclose(found, np.ravel(expected), rtol=1e-5, atol=1e-7)


def test_defaults_are_those_that_are_documented():
    image = data.brick()[:80, :90]
    matrices = feature.graycomatrix(
        image // 8, [1], np.deg2rad([0, 45, 90, 135]), 32, symmetric=True, normed=True
    )
    names = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation", "ASM")
    expected = [feature.graycoprops(matrices, name) for name in names]
    assert np.allclose(GLCM()(image), np.ravel(expected), rtol=1e-5)
    found = GLCM().get_feature_names_out()
    assert len(found) == 24
    assert found[[0, 3, 4, 23]].tolist() == [
        "contrast_1_0",
        "contrast_1_135",
        "dissimilarity_1_0",
        "ASM_1_135",
    ]


def test_averaged_features_hardly_change_when_the_picture_turns_by_a_quarter():
    image = data.grass()[:120, :120]
    turned = np.ascontiguousarray(np.rot90(image))
    step = GLCM((1, 2), average=True)
    assert np.allclose(step(image), step(turned), rtol=1e-4)
    assert len(step.get_feature_names_out()) == len(step(image)) == 12
    assert step.get_feature_names_out()[1] == "contrast_2"
    plain = GLCM((1, 2))(image).reshape(6, 2, 4)
    assert np.allclose(plain.mean(axis=2).ravel(), step(image), rtol=1e-5)


def test_stripes_change_across_and_not_along():
    stripes = np.zeros((20, 30), np.uint8)
    stripes[::2] = 255
    row = dict(zip(GLCM(levels=256).get_feature_names_out(), GLCM(levels=256)(stripes)))
    assert row["contrast_1_90"] == 255**2
    assert row["contrast_1_0"] == 0
    assert np.isclose(row["correlation_1_90"], -1, atol=1e-6)
    assert np.isclose(row["correlation_1_0"], 1, atol=1e-6)
    assert GLCM(properties=("correlation",))(np.full((5, 5), 9, np.uint8)).tolist() == [1] * 4


def test_halves_go_outwards_in_every_direction():
    image = data.coins()[:40, :50]
    pairs = GLCM(angles=(30, 210), levels=4).matrices(image)[0]
    assert np.allclose(pairs[0], pairs[1])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (GLCM(distances=(0,)), "'distances' of GLCM must be a tuple of whole numbers at least 1"),
        (GLCM(distances=1), "'distances'"),
        (GLCM(distances=()), "'distances'"),
        (GLCM(angles=("0",)), "'angles'"),
        (GLCM(levels=1), "'levels'"),
        (GLCM(levels=257), "'levels'"),
        (GLCM(properties=("contrst",)), "'properties'"),
        (GLCM(properties="contrast"), "'properties'"),
        (GLCM(symmetric=1), "'symmetric'"),
        (GLCM(average=None), "'average'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


def test_small_and_coloured_images_are_refused():
    with pytest.raises(ImageError, match="needs more than 3 pixels a side"):
        GLCM(distances=(3,))(data.coins()[:3])
    with pytest.raises(KindError, match="GLCM takes a gray image"):
        GLCM()(load_sample_image("china.jpg"))
