"""Local binary patterns against scikit-image's, and patterns solved by hand."""

import numpy as np
import pytest
from skimage import data, feature
from sklearn.datasets import load_sample_image
from sklearn.neighbors import KNeighborsClassifier

from classical.texture import LBP
from vision.errors import ImageError, KindError, ParameterError


def theirs(step, image):
    method = step.method
    return feature.local_binary_pattern(image, step.n_points, step.radius, method).astype(int)


@pytest.mark.parametrize(
    "step",
    [
        LBP(),
        LBP(method="nri_uniform"),
        LBP(method="default"),
        LBP(5, 1.5),
        LBP(5, 1.5, "nri_uniform"),
        LBP(7, 2.37, "default"),
        LBP(4, 3, "default"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("picture", [data.coins, data.camera, data.text, data.page])
def test_codes_are_scikit_images(picture, step):
    image = np.ascontiguousarray(picture()[:150, :210])
    assert (step.codes(image) == theirs(step, image)).all()


@pytest.mark.parametrize("step", [LBP(16, 2), LBP(24, 3), LBP(16, 2, "nri_uniform")], ids=repr)
def test_more_neighbours_differ_only_where_interpolation_ties(step):
    image = data.camera()
    differing = step.codes(image) != theirs(step, image)
    assert differing.mean() < 0.006


@pytest.mark.parametrize("step", [LBP(), LBP(method="nri_uniform"), LBP(12, 2)], ids=repr)
@pytest.mark.parametrize("grid", [1, 3])
def test_features_are_shares_of_the_codes_of_each_part(step, grid):
    image = data.coins()[:100, :130]
    step = LBP(step.n_points, step.radius, step.method, grid)
    codes, count = theirs(step, image), len(step.get_feature_names_out()) // grid**2
    expected = []
    for row in range(grid):
        for column in range(grid):
            top, bottom = 100 * row // grid, 100 * (row + 1) // grid
            left, right = 130 * column // grid, 130 * (column + 1) // grid
            part = codes[top:bottom, left:right]
            expected.append(np.bincount(part.ravel(), minlength=count) / part.size)
    found = step(np.ascontiguousarray(image))
    assert found.dtype == np.float32
    assert np.allclose(found, np.concatenate(expected), atol=2e-4)


def test_neighbours_begin_right_and_go_anticlockwise():
    for number, (y, x) in enumerate([(1, 2), (0, 1), (1, 0), (2, 1)]):
        image = np.zeros((3, 3), np.uint8)
        image[1, 1], image[y, x] = 5, 9
        assert LBP(4, 1, "default").codes(image)[1, 1] == 2**number


def test_a_gray_ramp_has_half_of_each_circle_bright():
    ramp = np.tile(np.arange(0, 200, 5, dtype=np.uint8), (30, 1))
    inner = LBP(8, 1).codes(ramp)[1:-1, 1:-1]
    assert (inner == 5).all()  # the two along the ramp's lines are as bright as the pixel
    assert LBP()(np.full((9, 9), 50, np.uint8))[8] > 0.5


def test_numbers_of_features_are_the_published_ones():
    # Ojala et al.: P + 2 rotation invariant uniform patterns; Ahonen et al.: 59 for 8 points.
    assert len(LBP().get_feature_names_out()) == 10
    assert len(LBP(24, 3).get_feature_names_out()) == 26
    assert len(LBP(method="nri_uniform").get_feature_names_out()) == 59
    assert len(LBP(method="default").get_feature_names_out()) == 256
    names = LBP(grid=2).get_feature_names_out()
    assert names[[0, 9, 10, 39]].tolist() == ["lbp_0_0_0", "lbp_0_0_9", "lbp_0_1_0", "lbp_1_1_9"]


def test_uniform_patterns_stay_when_the_picture_turns_and_brightens():
    image = data.camera()[200:300, 100:200] // 2
    row = LBP()(np.ascontiguousarray(image))
    inner = LBP()(np.ascontiguousarray(np.rot90(image)))
    assert np.allclose(row, inner, atol=0.002)
    assert np.array_equal(LBP()(image + 60)[:-1] > 0, row[:-1] > 0)
    plain = LBP(method="default")
    assert np.abs(plain(np.ascontiguousarray(np.rot90(image))) - plain(image)).max() > 0.01


def test_textures_are_told_apart():
    pictures = {"brick": data.brick(), "grass": data.grass(), "gravel": data.gravel()}
    crops = [
        p[y : y + 64, x : x + 64] for p in pictures.values() for y in (0, 200) for x in (9, 300)
    ]
    names = np.repeat(list(pictures), 4)
    others = [p[400:464, 120:184] for p in pictures.values()]
    chain = (LBP(16, 2) >> KNeighborsClassifier(1)).fit(crops, names)
    assert chain.predict(others).tolist() == list(pictures)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (LBP(1), "'n_points' of LBP must be a whole number at least 2 and at most 24"),
        (LBP(17, method="default"), "at most 16"),
        (LBP(radius=0), "'radius'"),
        (LBP(method="ror"), "'method'"),
        (LBP(grid=0), "'grid'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


def test_small_and_coloured_images_are_refused():
    with pytest.raises(ImageError, match="needs at least 8 pixels a side"):
        LBP(grid=8)(data.coins()[:7])
    with pytest.raises(KindError, match="LBP takes a gray image"):
        LBP()(load_sample_image("china.jpg"))
    with pytest.raises(KindError, match="LBP takes a gray image"):
        LBP().codes(load_sample_image("china.jpg"))
