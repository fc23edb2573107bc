"""SLIC and Felzenszwalb's regions against their papers' rules, by hand and on photographs."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import color, data, measure, segmentation
from sklearn.metrics import adjusted_rand_score

from classical.superpixels import SLIC, Felzenszwalb
from vision.errors import ParameterError


def are_connected(labels, connectivity):
    parts = measure.label(labels, connectivity=connectivity, background=-1)
    return parts.max() == len(np.unique(labels))


def test_a_plain_picture_is_cut_into_a_grid():
    labels = SLIC(6)(np.full((100, 150, 3), 90, np.uint8))
    assert labels.dtype == np.int32
    inside = [slice(2, 48), slice(52, 98), slice(102, 148)]
    for row in range(2):
        for column in range(3):
            assert np.all(labels[inside[row], inside[column]] == 1 + 3 * row + column)
    tall = SLIC(6)(np.full((150, 100), 90, np.uint8))
    assert np.all(tall[102:148, 2:48] == 5)


def test_superpixels_are_connected_about_as_many_as_asked_and_of_one_size():
    image = data.astronaut()
    labels = SLIC(200)(image)
    assert are_connected(labels, 1)
    sizes = np.bincount(labels.ravel())[1:]
    assert 130 <= len(sizes) <= 220
    assert np.percentile(sizes, 90) < 2.5 * labels.size / 200


def nearest_share(image, labels, compactness, step):
    """The share of the pixels whose own centre, of colour and place, is the nearest of all."""
    y, x = np.indices(labels.shape)
    points = np.dstack([color.rgb2lab(image), x * compactness / step, y * compactness / step])
    points = points.reshape(-1, 5)
    flat = labels.ravel() - 1
    sizes = np.bincount(flat)
    centers = np.stack([np.bincount(flat, axis) / sizes for axis in points.T], axis=1)
    apart = ((points[:, None] - centers) ** 2).sum(axis=2)
    return np.mean(apart.argmin(axis=1) == flat)


def test_pixels_belong_to_the_centre_that_is_nearest_in_lab_and_place():
    image = ndimage.gaussian_filter(data.coffee()[::3, ::3], (1.5, 1.5, 0))
    labels = SLIC(60)(image)
    step = np.sqrt(labels.size / 60)
    share = nearest_share(image, labels, 10, step)
    assert share > 0.89
    assert nearest_share(image[:, :, ::-1], labels, 10, step) < share - 0.02
    assert nearest_share(image, labels, 20, step) < share - 0.01
    assert nearest_share(image, labels, 5, step) < share - 0.05


def test_defaults_are_scikit_images_where_the_picture_has_full_contrast():
    image = data.coffee()
    image[0, 0], image[0, 1] = 0, 255
    theirs = segmentation.slic(image, start_label=1)
    assert adjusted_rand_score(theirs.ravel(), SLIC()(image).ravel()) > 0.95
    shifted = SLIC(120)(image)
    assert adjusted_rand_score(theirs.ravel(), shifted.ravel()) < 0.9


def test_contrast_decides_how_much_place_counts():
    # scikit-image stretches a faint picture first, so that its edges count like strong ones.
    image = np.full((60, 60), 100, np.uint8)
    image[:, 25:] = 102
    assert np.array_equal(SLIC(4)(image)[:, 0], SLIC(4)(image)[:, 28])
    image[:, 25:] = 200
    assert np.array_equal(np.unique(SLIC(4)(image)[:, 24]).size, 2)
    assert not np.intersect1d(SLIC(4)(image)[:, 24], SLIC(4)(image)[:, 25]).size


def test_compactness_and_blur_round_the_outlines():
    image = data.camera()

    def roundness(step):
        regions = measure.regionprops(step(image))
        return np.mean([4 * np.pi * one.area / max(one.perimeter, 1) ** 2 for one in regions])

    usual = roundness(SLIC())
    assert roundness(SLIC(compactness=3)) < usual - 0.08
    assert roundness(SLIC(compactness=40)) > usual + 0.1
    assert roundness(SLIC(sigma=3)) > usual + 0.05


def test_more_iterations_bring_pixels_to_their_centres():
    image = ndimage.gaussian_filter(data.coffee()[::3, ::3], (1.5, 1.5, 0))
    step = np.sqrt(image[..., 0].size / 60)
    once = nearest_share(image, SLIC(60, max_iterations=1)(image), 10, step)
    assert once < nearest_share(image, SLIC(60)(image), 10, step) - 0.02


def halves(step, area=66):
    """Two plain halves, of `area` pixels each, that differ by `step` levels."""
    image = np.full((6, 2 * area // 6), 100, np.uint8)
    image[:, area // 6 :] += np.uint8(step)
    return image


def test_plain_halves_join_below_scale_over_their_size():
    # Equation 4 with no inner difference: k / 66 = 4.55 levels for the default k = 300.
    step = Felzenszwalb(sigma=0)
    assert step(halves(4)).tolist() == [[1] * 22] * 6
    assert step(halves(5)).tolist() == [[1] * 11 + [2] * 11] * 6
    assert Felzenszwalb(scale=400, sigma=0)(halves(5)).max() == 1


def test_the_difference_of_colours_is_their_distance():
    image = np.dstack([halves(0), halves(3), halves(4)])  # 5 levels apart
    assert Felzenszwalb(sigma=0)(image).max() == 2
    assert Felzenszwalb(sigma=0)(np.dstack([halves(0), halves(0), halves(4)])).max() == 1


def by_the_paper(image, scale):
    """Algorithm 1 on the 8 neighbours of each pixel, without the blur, the size limit not kept."""
    height, width = image.shape
    number = np.arange(image.size).reshape(image.shape)
    edges = []
    for one, other in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    ):
        weights = np.abs(image[one].astype(float) - image[other])
        edges += zip(weights.ravel(), number[one].ravel(), number[other].ravel(), strict=True)
    parent, size, inner = list(range(image.size)), [1] * image.size, [0.0] * image.size

    def root(node):
        while parent[node] != node:
            node = parent[node]
        return node

    for weight, a, b in sorted(edges):
        a, b = root(a), root(b)
        if a != b and weight <= min(inner[a] + scale / size[a], inner[b] + scale / size[b]):
            parent[b], inner[a] = a, weight
            size[a] += size[b]
    return np.array([root(node) for node in range(image.size)]).reshape(height, width)


@pytest.mark.parametrize("name", ["camera", "coins", "page"])
def test_regions_are_those_of_the_papers_algorithm(name):
    image = getattr(data, name)()[60:110, 100:160].copy()
    blurred = ndimage.gaussian_filter(image.astype(float), 0.8)
    ours = Felzenszwalb(min_size=1)(image)
    assert ours.dtype == np.int32 and ours.min() == 1 and ours.max() >= 5
    assert adjusted_rand_score(by_the_paper(blurred, 300).ravel(), ours.ravel()) > 0.999


@pytest.mark.parametrize("name", ["coffee", "camera"])
def test_a_transposed_picture_has_the_transposed_regions(name):
    image = getattr(data, name)()[100:220, 200:361]
    turned = Felzenszwalb()(np.ascontiguousarray(image.swapaxes(0, 1))).T
    assert adjusted_rand_score(Felzenszwalb()(image).ravel(), turned.ravel()) == 1


def test_small_regions_are_absorbed_and_all_are_connected():
    image = data.chelsea()
    labels = Felzenszwalb()(image)
    sizes = np.bincount(labels.ravel())[1:]
    assert sizes.min() >= 20 and np.any(sizes < 24)
    assert are_connected(labels, 2)
    assert np.bincount(Felzenszwalb(min_size=200)(image).ravel())[1:].min() >= 200


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (SLIC(0), "'n_segments' of SLIC must be a whole number at least 1"),
        (SLIC(compactness=0), "'compactness'"),
        (SLIC(sigma=-1), "'sigma'"),
        (SLIC(max_iterations=0), "'max_iterations'"),
        (Felzenszwalb(0), "'scale' of Felzenszwalb must be a number above 0"),
        (Felzenszwalb(sigma=-1), "'sigma'"),
        (Felzenszwalb(min_size=0), "'min_size'"),
    ],
)
def test_parameters_are_refused_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(np.zeros((4, 4), np.uint8))
