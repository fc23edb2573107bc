"""Reconstruction and extrema against scikit-image, SciPy and the identities of the algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import data, morphology
from sklearn.base import clone

import classical.reconstruction
from classical.colour import Gray
from classical.distance import DistanceTransform
from classical.filters import GaussianBlur
from classical.morphology import Dilation, Erosion
from classical.reconstruction import HMaxima, HMinima, LocalMaxima, Reconstruction, reconstruct
from classical.threshold import Otsu, Threshold
from vision.errors import KindError, ParameterError
from vision.kinds import Kind


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("step", "method"), [(Erosion(9), "dilation"), (Dilation(9), "erosion")])
def test_reconstruction_of_a_photograph_is_scikit_images(dtype, step, method):
    image = data.camera()[::2, ::2].astype(dtype)
    if dtype is np.float32:
        image /= 255
    expected = morphology.reconstruction(step(image), image, method)
    result = Reconstruction(step, method)(image)
    assert result.dtype == dtype
    assert np.array_equal(result, expected)


def level_by_level(marker, image):
    """Of every level's threshold the regions that the marker's reaches, by SciPy."""
    found = np.zeros_like(image)
    for level in np.unique(image):
        regions, _ = ndimage.label(image >= level, np.ones((3, 3)))
        reached = np.unique(regions[marker >= level])
        found[np.isin(regions, reached[reached > 0])] = level
    return found


@pytest.mark.parametrize("name", ["camera", "coins"])
@pytest.mark.parametrize("looks", [64, 1])
def test_reconstruction_of_a_photograph_is_that_of_all_its_levels(name, looks, monkeypatch):
    # what takes too many passes scikit-image ends, which is no oracle for that
    monkeypatch.setattr(classical.reconstruction, "_LOOKS", looks)
    image = getattr(data, name)()[60:180, 100:240].copy()
    low = ndimage.minimum_filter(image, 9)
    expected = level_by_level(low, image)
    assert (low < expected).any() and (expected < image).any()
    assert np.array_equal(Reconstruction(low)(image), expected)
    assert np.array_equal(Reconstruction(255 - low, "erosion")(255 - image), 255 - expected)


def test_dilation_is_the_default_and_objects_that_the_element_fits_in_stay_whole():
    mask = Otsu()(data.coins())
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    fitting = np.unique(labels[Erosion(9)(mask) > 0])
    expected = np.isin(labels, fitting[fitting > 0])
    assert 10 < len(fitting) < labels.max()
    assert np.array_equal(Reconstruction(Erosion(9))(mask) > 0, expected)


def test_seeds_choose_regions():
    mask = Otsu()(data.coins())
    seeds = np.zeros_like(mask)
    seeds[60, 40] = seeds[130, 110] = 255
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    chosen = {labels[60, 40], labels[130, 110]} - {0}
    result = Reconstruction(seeds)(mask)
    assert len(chosen) == 2
    assert np.array_equal(result > 0, np.isin(labels, list(chosen)))


def test_a_marker_on_the_wrong_side_is_cut_to_the_image():
    image = data.coins()
    assert np.array_equal(Reconstruction(Dilation(5))(image), image)
    assert np.array_equal(Reconstruction(Erosion(5), "erosion")(image), image)


def test_a_maze_is_walked_to_its_end():
    # one corridor, up and down: far more passes than a photograph needs
    maze = np.full((99, 120), 255, np.uint8)
    maze[:, 1::2] = 0
    maze[0, 1::4] = maze[-1, 3::4] = 255
    seed = np.zeros_like(maze)
    seed[50, 0] = 9
    found = reconstruct(seed, maze)
    assert np.array_equal(found, np.where(maze > 0, 9, 0))
    colour = np.dstack([maze, 255 - maze, maze // 2])
    found = reconstruct(np.minimum(np.dstack([seed] * 3), colour), colour)
    assert np.array_equal(found[..., 0], np.where(maze > 0, 9, 0))
    assert np.array_equal(found[..., 1], np.zeros_like(maze))


def test_colour_channels_are_taken_one_by_one():
    image = data.coffee()[::4, ::4].copy()
    for step in (Reconstruction(Erosion(5)), HMaxima(30), HMinima(30)):
        single = [step(np.ascontiguousarray(image[..., channel])) for channel in range(3)]
        assert np.array_equal(step(image), np.dstack(single))


@pytest.mark.parametrize("height", [1, 12, 60])
def test_h_maxima_are_the_reconstruction_of_the_lowered_image(height):
    image = data.coins()
    lowered = image.astype(np.int32) - height
    expected = morphology.reconstruction(lowered, image.astype(np.int32))
    assert np.array_equal(HMaxima(height)(image), expected)
    raised = morphology.reconstruction(image.astype(np.int32) + height, image, "erosion")
    assert np.array_equal(HMinima(height)(image), raised)


def test_h_maxima_by_hand():
    row = np.array([[5, 40, 30, 90, 60, 72, 10]], np.uint8)
    # 40 stands 10 above its pass, 72 stands 12; the highest, 90, is lowered by the height
    assert HMaxima(11)(row).tolist() == [[5, 30, 30, 79, 60, 61, 10]]
    assert HMaxima(13)(row).tolist() == [[5, 30, 30, 77, 60, 60, 10]]
    assert HMaxima(200)(row).tolist() == [[5] * 7]
    assert HMinima(13)(255 - row).tolist() == (255 - HMaxima(13)(row)).tolist()


images = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@settings(deadline=None)
@given(images, st.integers(1, 100))
def test_the_identities_of_h_maxima(image, height):
    flat = HMaxima(height)(image)
    assert (flat <= image).all()
    assert (image - flat <= height).all()
    assert np.array_equal(255 - HMinima(height)(255 - image), flat)
    assert np.array_equal(HMaxima(height)(image.astype(np.float32)), flat.astype(np.float32))


def tops(image):
    """Plateaus, by level, whose surroundings are all lower."""
    found = np.zeros(image.shape, bool)
    for level in np.unique(image)[1:]:
        labels, count = ndimage.label(image == level, np.ones((3, 3)))
        for number in range(1, count + 1):
            around = ndimage.binary_dilation(labels == number, np.ones((3, 3)))
            found |= (labels == number) & (image[around].max() == level)
    return found


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 4))
)
def test_local_maxima_are_plateaus_above_all_around(image):
    assert np.array_equal(LocalMaxima()(image) > 0, tops(image))


def test_the_peaks_of_a_photograph_that_stand_out():
    image = GaussianBlur(9)(data.coins())
    part = image[100:150, 100:160].copy()
    assert np.array_equal(LocalMaxima()(part) > 0, tops(part))
    flat = HMaxima(25)(image)
    prominent = morphology.h_maxima(image, 26)
    labels, count = ndimage.label(LocalMaxima()(flat), np.ones((3, 3)))
    # tops of one height with a shallow dip between them are one here
    assert 20 < count <= ndimage.label(prominent, np.ones((3, 3)))[1]
    assert set(labels[prominent > 0]) == set(range(1, count + 1))


def test_two_touching_discs_have_two_seeds():
    rows, columns = np.mgrid[:80, :120]
    near = np.minimum(np.hypot(rows - 40, columns - 40), np.hypot(rows - 40, columns - 78))
    mask = np.where(near <= 25, 255, 0).astype(np.uint8)
    assert ndimage.label(mask)[1] == 1
    seeds = (DistanceTransform() >> HMaxima(2) >> LocalMaxima())(mask)
    labels, count = ndimage.label(seeds, np.ones((3, 3)))
    assert count == 2
    centers = sorted(ndimage.center_of_mass(seeds, labels, [1, 2]), key=lambda c: c[1])
    np.testing.assert_allclose(centers, [(40, 40), (40, 78)], atol=1.5)


def test_pictures_of_four_pixels_are_no_scalars():
    for shape in ((4, 1), (1, 4)):
        image = np.array([10, 90, 20, 60], np.uint8).reshape(shape)
        assert HMaxima(50)(image).ravel().tolist() == [10, 40, 20, 20]


def test_kinds_follow_from_the_marker():
    assert Reconstruction(Erosion()).takes == (Kind.GRAY, Kind.RGB, Kind.FLOAT, Kind.MAP)
    assert Reconstruction(Erosion()).gives_for(Kind.MASK) is Kind.MASK
    assert Reconstruction(GaussianBlur()).gives_for(Kind.MASK) is Kind.GRAY
    assert Reconstruction(np.zeros((3, 3), np.uint8)).gives_for(Kind.EDGES) is Kind.EDGES
    assert Reconstruction(np.ones((3, 3), np.uint8)).gives_for(Kind.MASK) is Kind.GRAY
    assert Reconstruction(Threshold(200)).gives_for(Kind.GRAY) is Kind.GRAY
    assert HMaxima(5).gives_for(Kind.MASK) is Kind.GRAY
    assert HMaxima(5).gives_for(Kind.MAP) is Kind.MAP


def test_a_change_within_the_marker_is_seen():
    step = Reconstruction(Erosion(3))
    image = data.coins()
    before = step(image)
    step.set_params(marker__size=25)
    assert not np.array_equal(step(image), before)
    assert np.array_equal(clone(step)(image), step(image))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Reconstruction(None), "The 'marker' of Reconstruction must be a step or pipeline"),
        (Reconstruction(np.zeros((4, 4), bool)), "'marker'"),
        (Reconstruction(Erosion(), "opening"), "'method' of Reconstruction"),
        (Reconstruction(np.zeros((4, 4), np.uint16)), r"marker\.astype\(np\.uint8\)"),
        (Reconstruction(np.zeros((4, 4, 3), np.uint8)), "'marker'"),
        (HMaxima(0), "'height' of HMaxima must be a number above 0"),
        (HMinima("5"), "'height' of HMinima"),
    ],
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((4, 4), np.uint8))


def test_a_marker_of_another_kind_or_size_is_refused():
    with pytest.raises(KindError, match="The 'marker' of Reconstruction must make the same kind"):
        Gray() >> Reconstruction(Otsu() >> DistanceTransform())
    with pytest.raises(KindError, match=r"20 x 10 pixels\. Its 'marker' is 7 x 5"):
        Reconstruction(np.zeros((5, 7), np.uint8))(np.zeros((10, 20), np.uint8))
