"""The skeleton against scikit-image's thinning and lines drawn by hand."""

import numpy as np
import pytest
from skimage import data, draw, measure, morphology

from classical.skeleton import Skeleton
from classical.threshold import Otsu
from vision.errors import KindError


def test_the_horse_has_scikit_images_skeleton():
    mask = np.where(data.horse(), 0, 255).astype(np.uint8)
    found = Skeleton()(mask)
    assert np.array_equal(found > 0, morphology.thin(mask > 0))
    assert 0 < np.count_nonzero(found) < 0.05 * np.count_nonzero(mask)


def test_coins_keep_their_parts_and_holes():
    mask = Otsu()(data.coins())
    found = Skeleton()(mask)
    assert measure.euler_number(found, connectivity=2) == measure.euler_number(mask, connectivity=2)


def test_thick_strokes_become_their_middle_lines():
    middle = np.zeros((120, 160), np.uint8)
    for line in ((20, 20, 20, 140), (20, 80, 100, 80), (100, 20, 100, 140)):
        middle[draw.line(*line)] = 255
    rows, columns = np.nonzero(middle)
    mask = np.zeros_like(middle)
    for row, column in np.ndindex(9, 9):
        mask[rows + row - 4, columns + column - 4] = 255
    found = np.argwhere(Skeleton()(mask))
    away = np.sqrt(((found[:, None] - np.argwhere(middle)) ** 2).sum(axis=2)).min(axis=1)
    assert (away <= 4).all()
    assert np.mean(away <= 1) > 0.9
    # one pixel wide: nowhere is a square of four set
    thin = Skeleton()(mask) > 0
    assert not (thin[1:, 1:] & thin[:-1, 1:] & thin[1:, :-1] & thin[:-1, :-1]).any()


def test_a_frame_becomes_a_ring_at_the_border_too():
    mask = np.full((21, 31), 255, np.uint8)
    mask[5:-5, 5:-5] = 0
    found = Skeleton()(mask)
    assert measure.euler_number(found, connectivity=2) == 0
    assert found[10, 2] == found[2, 15] == found[10, -3] == 255


def test_gray_images_have_none():
    with pytest.raises(KindError, match="Skeleton takes a mask"):
        Skeleton()(data.coins())
