"""HOG against scikit-image's, and gradients and norms solved by hand."""

import numpy as np
import pytest
from skimage import data, feature, transform
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.svm import LinearSVC

from classical.colour import Gray
from classical.geometry import Resize
from classical.hog import HOG
from vision.archive import load, save
from vision.errors import ImageError, KindError, ParameterError


def theirs(image, orientations=9, pixels_per_cell=8, cells_per_block=3, block_norm="L2-Hys"):
    return feature.hog(
        image,
        orientations,
        (pixels_per_cell, pixels_per_cell),
        (cells_per_block, cells_per_block),
        block_norm,
        channel_axis=-1 if image.ndim == 3 else None,
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"block_norm": "L2"},
        {"block_norm": "L1"},
        {"block_norm": "L1-sqrt"},
        {"orientations": 7, "pixels_per_cell": 5, "cells_per_block": 2},
        {"orientations": 1, "pixels_per_cell": 16, "cells_per_block": 1},
        {"orientations": 18, "pixels_per_cell": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize("picture", [data.coins, data.camera, data.coffee, data.chelsea])
def test_every_number_is_scikit_images(picture, parameters):
    image = np.ascontiguousarray(picture()[60:173, 40:241])
    found = HOG(**parameters)(image)
    assert found.dtype == np.float32
    assert np.allclose(found, theirs(image, **parameters), rtol=0, atol=1e-6)


def test_a_large_image_is_counted_in_parts_alike():
    image = data.page()
    large = np.tile(image, (3, 4))
    assert np.allclose(HOG()(large), theirs(large), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("degrees", "number"), [(0, 0), (30, 1), (50, 2), (90, 4), (130, 6), (170, 8)]
)
def test_orientations_turn_from_x_towards_y_in_steps_of_20_degrees(degrees, number):
    turn = np.deg2rad(degrees)
    y, x = np.mgrid[:40, :40]
    ramp = (128 + 2.5 * ((x - 20) * np.cos(turn) + (y - 20) * np.sin(turn))).astype(np.uint8)
    cells = HOG(cells_per_block=1, block_norm="L1")(ramp).reshape(5, 5, 9)[1:4, 1:4]
    assert (cells.argmax(axis=2) == number).all()


def test_of_a_step_edge_two_columns_vote_and_the_norm_is_one():
    image = np.zeros((8, 16), np.uint8)
    image[:, 12:] = 200
    plain = HOG(cells_per_block=1, block_norm="L1", orientations=3)(image).reshape(2, 3)
    assert np.allclose(plain, [[0, 0, 0], [1, 0, 0]], atol=1e-5)
    # Of nine equal cells cut at 0.2 and scaled again each is a third.
    image = np.tile(np.array([0, 0, 200, 200], np.uint8), (12, 3))
    block = HOG(1, pixels_per_cell=4)(image)
    assert np.allclose(block[4], block.mean(), atol=0.1)
    assert np.isclose(np.square(block).sum(), 1, atol=1e-5)


def test_colour_has_the_gradient_of_the_strongest_channel():
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, 4:, 1] = 90
    image[4:, :, 2] = 200
    row = HOG(2, cells_per_block=1, block_norm="L1")(image)
    # Blue changes downwards over 2 of 8 rows by 200, green across elsewhere over 2 of 8 columns.
    down, across = 8 * 2 * 200, 6 * 2 * 90
    assert np.allclose(row, np.array([across, down]) / (across + down), atol=1e-5)


def test_twice_the_light_changes_nothing_and_a_turned_picture_turns_the_numbers():
    image = data.camera()[100:196, 150:246] // 2
    assert np.allclose(HOG()(image), HOG()(image * 2), atol=1e-6)
    cells = HOG(8, cells_per_block=1)(np.ascontiguousarray(image)).reshape(12, 12, 8)
    # Mirrored in the diagonal x and y change places: orientation t becomes 90 - t.
    turned = HOG(8, cells_per_block=1)(np.ascontiguousarray(image.T)).reshape(12, 12, 8)
    diagonal = np.abs(cells.transpose(1, 0, 2).sum(axis=(0, 1)) - turned.sum(axis=(0, 1)))
    assert diagonal.max() > 1  # directions are told apart


def test_names_say_block_cell_and_orientation():
    step = HOG(4, pixels_per_cell=8, cells_per_block=2)
    with pytest.raises(NotFittedError, match="size of its images"):
        step.get_feature_names_out()
    image = np.zeros((24, 32), np.uint8)
    image[8:16, 24:29] = 200
    rows = step.fit([image]).transform([image])
    names = step.get_feature_names_out()
    assert len(names) == rows.shape[1] == 2 * 3 * 4 * 4
    assert names[0] == "hog_0_0_0_0_0"
    assert names[-1] == "hog_1_2_1_1_3"
    # The bar lies in the cell of row 1 and column 3: in block (1, 2) it is the upper right one.
    assert "hog_1_2_0_1_0" in names[np.flatnonzero(rows[0])]
    assert not [name for name in names[np.flatnonzero(rows[0])] if name.startswith("hog_0_0_")]


def test_names_reach_a_table():
    images = [data.camera()[:32, :32], data.coins()[:32, :32]]
    pytest.importorskip("pandas")
    table = HOG(pixels_per_cell=16, cells_per_block=1).set_output(transform="pandas")
    assert table.fit_transform(images).columns[10] == "hog_0_1_0_0_1"


def test_digits_are_learned_and_the_model_file_predicts_the_same(tmp_path):
    digits = load_digits()
    images = [(16 * one).clip(0, 255).astype(np.uint8) for one in digits.images[:900]]
    chain = Resize(24) >> HOG(pixels_per_cell=6, cells_per_block=2) >> LinearSVC(random_state=0)
    chain.fit(images[:600], digits.target[:600])
    assert chain.score(images[600:], digits.target[600:900]) > 0.92
    save(chain, tmp_path / "digits.vision")
    again = load(tmp_path / "digits.vision")
    assert (again.predict(images[600:]) == chain.predict(images[600:])).all()


def test_a_cat_is_nearer_to_itself_shrunk_than_to_coffee():
    cat, coffee = data.chelsea(), data.coffee()
    chain = Gray() >> Resize(64) >> HOG()
    smaller = (255 * transform.rescale(cat, 0.5, channel_axis=-1)).astype(np.uint8)
    rows = chain.transform([cat, smaller, coffee])
    assert np.linalg.norm(rows[0] - rows[1]) < 0.5 * np.linalg.norm(rows[0] - rows[2])


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (HOG(0), "'orientations' of HOG must be a whole number at least 1"),
        (HOG(pixels_per_cell=(8, 8)), "'pixels_per_cell'"),
        (HOG(cells_per_block=0), "'cells_per_block'"),
        (HOG(block_norm="l2"), "'block_norm'"),
    ],
    ids=repr,
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


def test_what_holds_no_block_is_refused_with_the_way_out():
    with pytest.raises(ImageError, match=r"at least 24x24 pixels.*Resize\(64\)"):
        HOG()(data.coins()[:23])
    assert HOG()(data.coins()[:24, :24]).shape == (81,)
    with pytest.raises(KindError, match="HOG takes a gray image or an rgb image"):
        HOG()(data.coins().astype(np.uint16))
