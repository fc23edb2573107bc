"""Corners of checkerboards against boards drawn by a known homography."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from skimage import data, draw

import vision
from classical.calibration import CheckerboardCorners
from vision.errors import ParameterError

pytestmark = pytest.mark.cv2
COLUMNS, ROWS, SIDE = 9, 6, 40
TILTS = [
    [[1.0, 0.05, 60], [-0.04, 0.9, 50], [1e-4, 5e-5, 1]],
    [[0.8, -0.2, 150], [0.25, 0.85, 20], [-2e-4, 2e-4, 1]],
]


def board(matrix, shape=(400, 560), fine=6):
    """A checkerboard seen through a homography, each pixel the mean of `fine` squared samples."""
    rows, columns = ((np.arange(n * fine) + 0.5) / fine - 0.5 for n in shape)
    x, y = np.meshgrid(columns, rows)
    u, v, w = np.tensordot(np.linalg.inv(matrix), np.stack([x, y, np.ones_like(x)]), 1)
    u, v = np.floor(u / w / SIDE), np.floor(v / w / SIDE)
    dark = (u >= 0) & (u <= COLUMNS) & (v >= 0) & (v <= ROWS) & ((u + v) % 2 == 0)
    light = np.where(dark, 30.0, 220.0).reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))
    return (light + np.random.default_rng(0).normal(0, 2, shape)).round().astype(np.uint8)


def corners(matrix):
    x, y = np.meshgrid(SIDE * np.arange(1, COLUMNS + 1), SIDE * np.arange(1, ROWS + 1))
    u, v, w = np.array(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    return np.column_stack([u / w, v / w])


@pytest.mark.parametrize("matrix", TILTS)
def test_corners_lie_where_the_homography_puts_them_row_by_row(matrix):
    found = CheckerboardCorners(COLUMNS, ROWS)(board(matrix))
    off = np.linalg.norm(found.points - corners(matrix), axis=1)
    assert np.sqrt((off**2).mean()) < 0.03
    assert off.max() < 0.1


def test_a_board_that_lies_on_a_photograph():
    matrix = np.diag([0.5, 0.5, 1]) @ TILTS[0]
    x, y = np.array([[-1, COLUMNS + 2, COLUMNS + 2, -1], [-1, -1, ROWS + 2, ROWS + 2]]) * SIDE
    u, v, w = matrix @ [x, y, np.ones(4)]
    image = data.camera()[150:350, 100:400].copy()
    paper = draw.polygon(v / w, u / w, image.shape)
    image[paper] = board(matrix, image.shape)[paper]
    found = CheckerboardCorners(COLUMNS, ROWS)(image)
    off = np.linalg.norm(found.points - corners(matrix), axis=1)
    assert off.max() < 0.1


def test_rows_run_from_left_to_right_however_the_board_is_held():
    image = board(TILTS[0])
    upright = CheckerboardCorners(COLUMNS, ROWS)(image).points
    around = CheckerboardCorners(COLUMNS, ROWS)(image[::-1, ::-1].copy()).points
    height, width = image.shape
    np.testing.assert_allclose(around, (width - 1, height - 1) - upright[::-1], atol=0.3)
    turned = CheckerboardCorners(COLUMNS, ROWS)(np.rot90(image).copy()).points
    first = turned.reshape(ROWS, COLUMNS, 2)[0]
    assert first[0, 1] < first[-1, 1]


def test_a_board_of_another_size_or_half_hidden_gives_nothing():
    image = board(TILTS[0])
    assert len(CheckerboardCorners(COLUMNS + 1, ROWS)(image)) == 0
    image[150:400, 250:400] = 128
    assert len(CheckerboardCorners(COLUMNS, ROWS)(image)) == 0
    assert len(CheckerboardCorners(COLUMNS, ROWS)(data.camera())) == 0


def test_the_shipped_checkerboard():
    # Squares of 25 pixels, 8 by 8; the white margin is what the board lies on.
    image = np.pad(data.checkerboard(), 30, constant_values=255)
    found = CheckerboardCorners(7, 7, exhaustive=False)(image)
    x, y = np.meshgrid(30 + 25 * np.arange(1, 8) - 0.5, 30 + 25 * np.arange(1, 8) - 0.5)
    grid = np.column_stack([x.ravel(), y.ravel()])
    assert len(found) == 49
    assert np.linalg.norm(found.points[:, None] - grid, axis=2).min(axis=1).max() < 0.3


def test_a_search_that_is_exhaustive_finds_boards_that_are_dim_and_slanted():
    image = board([[0.92, -0.42, 100], [0.12, 0.94, 53], [2.6e-4, 5.5e-4, 1]])
    dim = (image * np.linspace(0.2, 1, image.shape[1])).astype(np.uint8)
    assert len(CheckerboardCorners(COLUMNS, ROWS)(dim)) == COLUMNS * ROWS
    assert len(CheckerboardCorners(COLUMNS, ROWS, exhaustive=False)(dim)) == 0


@pytest.mark.skipif("VISION_DATA" not in os.environ, reason="VISION_DATA names no data")
def test_photographs_of_a_bent_board():
    folder = Path(os.environ["VISION_DATA"], "calibration_checkerboard")
    truth = json.loads((folder / "corners.json").read_text())
    step = CheckerboardCorners(*truth["pattern"])
    for name, expected in list(truth["found"].items())[:3]:
        expected = np.array(expected).reshape(-1, 2)
        points = step(vision.read(folder / f"{name}.jpg", mode="gray")).points
        off = min(np.abs(points - order).max() for order in (expected, expected[::-1]))
        assert off < 0.5
    assert len(step(vision.read(folder / "bad_checkerboard.jpg", mode="gray"))) == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CheckerboardCorners(2, 6), "'columns' .* at least 3"),
        (lambda: CheckerboardCorners(9, 6.0), "'rows' .* a whole number"),
        (lambda: CheckerboardCorners(9, 6, exhaustive="yes"), "'exhaustive' .* True or False"),
    ],
)
def test_refusals_name_the_parameter(make, says):
    with pytest.raises(ParameterError, match=says):
        make()(data.checkerboard())
