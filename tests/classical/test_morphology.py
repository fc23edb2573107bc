"""Morphology against SciPy's rank filters, scikit-image, and the identities of the algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data, morphology

from classical.morphology import Closing, Dilation, Erosion, Opening
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError
from vision.kinds import Kind, is_binary

FOUR = [Erosion, Dilation, Opening, Closing]
# What OpenCV's documentation draws for the 5x5 ellipse.
ELLIPSE = np.array(
    [[0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]]
)


def lowest(image, element):
    """The minimum under the element, anchored at size // 2, the outside ignored."""
    high = np.iinfo(image.dtype).max
    return ndimage.minimum_filter(image, footprint=element, mode="constant", cval=high)


def highest(image, element):
    return ndimage.maximum_filter(image, footprint=element, mode="constant", cval=0)


def cross(size):
    element = np.zeros((size, size), int)
    element[size // 2] = element[:, size // 2] = 1
    return element


ELEMENTS = [
    ({}, np.ones((3, 3))),
    ({"size": 7}, np.ones((7, 7))),
    ({"size": 4}, np.ones((4, 4))),
    ({"size": 5, "shape": "cross"}, cross(5)),
    ({"size": 5, "shape": "ellipse"}, ELLIPSE),
    ({"size": 1}, np.ones((1, 1))),
]
CORNER = np.array([[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]])  # one-sided, wider than high


@pytest.mark.parametrize(("parameters", "element"), ELEMENTS)
def test_the_extreme_under_the_element_is_scipys(parameters, element):
    image = data.camera()[100:300, 150:400]
    assert np.array_equal(Erosion(**parameters)(image), lowest(image, element))
    assert np.array_equal(Dilation(**parameters)(image), highest(image, element))


def test_an_element_of_ones_own_is_laid_as_it_is():
    image = data.coins()
    assert np.array_equal(Erosion(element=CORNER)(image), lowest(image, CORNER))
    assert np.array_equal(Dilation(element=CORNER.astype(bool))(image), highest(image, CORNER))


@pytest.mark.parametrize("element", [np.ones((3, 3)), np.ones((5, 5)), ELLIPSE, cross(7)])
def test_opening_and_closing_are_scikit_images(element):
    image, element = data.coins(), element.astype(np.uint8)
    opened = morphology.opening(image, element, mode="ignore")
    closed = morphology.closing(image, element, mode="ignore")
    assert np.array_equal(Opening(element=element)(image), opened)
    assert np.array_equal(Closing(element=element)(image), closed)


def test_the_default_is_a_square_of_three():
    image, square = data.coins(), np.ones((3, 3), np.uint8)
    opened = morphology.opening(image, square, mode="ignore")
    assert np.array_equal(Opening()(image), opened)
    assert np.array_equal(Closing()(image), morphology.closing(image, square, mode="ignore"))


def test_colour_channels_are_taken_one_by_one():
    image = data.coffee()
    for step in (Erosion(5), Dilation(5), Opening(5), Closing(5)):
        expected = [step(np.ascontiguousarray(image[..., c])) for c in range(3)]
        assert np.array_equal(step(image), np.stack(expected, axis=2))
    eroded = np.stack([lowest(image[..., c], np.ones((3, 3))) for c in range(3)], axis=2)
    assert np.array_equal(Erosion()(image), eroded)


def test_a_square_shrinks_and_grows_by_half_the_element():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:25, 12:30] = 255

    def box(found):
        rows, columns = np.nonzero(found)
        return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1

    assert box(Erosion(5)(mask)) == (12, 23, 14, 28)
    assert box(Dilation(5)(mask)) == (8, 27, 10, 32)
    assert box(Erosion(3, iterations=4)(mask)) == (14, 21, 16, 26)
    assert np.array_equal(Opening(9)(mask), mask)
    assert not Opening(16)(mask).any()
    # of an even size the anchor is right of and below the middle
    assert box(Erosion(4)(mask)) == (12, 24, 14, 29)
    assert box(Dilation(4)(mask)) == (9, 27, 11, 32)


def test_opening_a_mask_removes_what_the_element_does_not_fit_into():
    mask = Otsu()(data.coins())
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels.ravel())[1:]
    assert (sizes < 9).any()
    opened = Opening(3)(mask)
    assert is_binary(opened)
    assert not np.isin(labels[opened > 0], 1 + np.flatnonzero(sizes < 9)).any()
    # every pixel left is in a 3x3 square that was wholly set
    windows = np.lib.stride_tricks.sliding_window_view(mask == 255, (3, 3)).all(axis=(2, 3))
    covered = np.zeros(mask.shape, bool)
    for row, column in np.ndindex(3, 3):
        covered[row : row + windows.shape[0], column : column + windows.shape[1]] |= windows
    inner = np.s_[3:-3, 3:-3]
    assert np.array_equal(opened[inner] > 0, covered[inner])


def test_the_outside_never_wins():
    for step in (Erosion(5), Dilation(5), Opening(5), Closing(5), Erosion(4, iterations=3)):
        for level in (0, 90, 255):
            flat = np.full((6, 9), level, np.uint8)
            assert np.array_equal(step(flat), flat)


def test_several_passes_are_one_with_the_sum_of_the_elements():
    image = data.camera()[:200, :200]
    assert np.array_equal(Erosion(3, iterations=3)(image), lowest(image, np.ones((7, 7))))
    opened = morphology.opening(image, np.ones((7, 7), np.uint8), mode="ignore")
    assert np.array_equal(Opening(3, iterations=3)(image), opened)


masks = arrays(
    np.uint8,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    elements=st.sampled_from([0, 255]),
)


@st.composite
def own_elements(draw):
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    element = draw(arrays(np.uint8, (height, width), elements=st.integers(0, 1)))
    element[height // 2, width // 2] = 1
    return element


@settings(deadline=None, max_examples=150)
@given(masks, own_elements(), st.integers(1, 3))
def test_the_algebra_holds_for_every_element(mask, element, iterations):
    erosion, dilation, opening, closing = (
        step(iterations=iterations, element=element) for step in FOUR
    )
    # duality; order; idempotence
    assert np.array_equal(255 - erosion(255 - mask), dilation(mask))
    assert np.array_equal(255 - opening(255 - mask), closing(mask))
    assert (erosion(mask) <= opening(mask)).all()
    assert (opening(mask) <= mask).all()
    assert (mask <= closing(mask)).all()
    assert (closing(mask) <= dilation(mask)).all()
    assert np.array_equal(opening(opening(mask)), opening(mask))
    assert np.array_equal(closing(closing(mask)), closing(mask))


@pytest.mark.parametrize("step", [cls(5, "ellipse") for cls in FOUR], ids=repr)
def test_only_the_order_of_levels_counts_whatever_the_dtype(step):
    image = data.camera()[::2, ::2].copy()
    wide = image.astype(np.uint16) * 257
    assert np.array_equal(step(wide), step(image).astype(np.uint16) * 257)
    real = image.astype(np.float32) / 255
    assert np.array_equal(step(real), step(image).astype(np.float32) / 255)
    signed = real * 8 - 4
    assert np.array_equal(step(signed), step(real) * 8 - 4)


@pytest.mark.parametrize("cls", FOUR)
def test_a_mask_stays_a_mask_and_edges_stay_edges(cls):
    for kind in (Kind.MASK, Kind.EDGES, Kind.RGB, Kind.GRAY):
        assert cls().gives_for(kind) is kind


@pytest.mark.parametrize("cls", FOUR)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": 0}, "The 'size' of .* must be a whole number at least 1. Got 0"),
        ({"size": 2.5}, "'size'"),
        ({"size": (5, 5)}, r"one whole number.*Got \(5, 5\)\. Write (\w+)\(5\)\."),
        ({"size": np.array([4, 4])}, r"Write (\w+)\(4\)\."),
        ({"size": (5, 3)}, r"the width of its square window\. Got \(5, 3\)\.$"),
        ({"shape": "elipse"}, "Did you mean 'ellipse'"),
        ({"iterations": 0}, "'iterations'"),
        ({"element": np.zeros((3, 3), int)}, "'element'.*1 at its anchor"),
        ({"element": np.array([[1, 1, 0]])[:, ::-1] * 2}, "'element'"),
        ({"element": np.ones(3, int)}, "'element'"),
        ({"element": [[1]]}, r"'element'.*np\.array\(element, np\.uint8\)"),
        ({"element": np.ones((3, 3))}, r"'element'.*element\.astype\(np\.uint8\)"),
        ({"element": np.ones((0, 3), int)}, "'element'"),
    ],
)
def test_parameters_are_refused_by_name(cls, parameters, message):
    with pytest.raises(ParameterError, match=message):
        cls(**parameters)(np.zeros((4, 4), np.uint8))


def test_labels_are_refused():
    with pytest.raises(KindError, match="label map"):
        Erosion()(np.zeros((4, 4), np.int32))
