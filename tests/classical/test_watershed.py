"""Watersheds against scikit-image, circles and bars solved by hand, and coins counted by eye."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, filters, measure, morphology, segmentation
from sklearn.metrics import adjusted_rand_score

import vision
from classical import Erosion, GaussianBlur, Otsu, Threshold
from classical.watershed import DistanceWatershed, Watershed, basins
from vision.errors import KindError, ParameterError

DISCS = [(80, 90, 50, 150), (80, 190, 50, 190), (200, 120, 60, 40), (200, 300, 70, 130)]


def scene(noise):
    """Four discs of different levels, their true labels, and a marker inside each."""
    rows, columns = np.mgrid[:300, :400]
    truth, image = np.ones((300, 400), np.int32), np.full((300, 400), 90.0)
    markers = np.zeros_like(truth)
    markers[5, 5] = 1
    for number, (y, x, radius, level) in enumerate(DISCS, 2):
        inside = np.hypot(rows - y, columns - x) < radius
        truth[inside], image[inside] = number, level
        markers[y - 3 : y + 4, x - 3 : x + 4] = number
    image = ndimage.gaussian_filter(image, 1)
    image += np.random.default_rng(0).normal(0, noise, image.shape)
    return image.clip(0, 255).astype(np.uint8), truth, markers


def test_markers_grow_to_the_edges_of_discs():
    image, truth, markers = scene(0)
    labels = Watershed(markers, sigma=0)(image)
    assert labels.dtype == np.int32
    assert np.mean(labels == truth) > 0.999
    assert np.array_equal(labels[0], truth[0]) and np.array_equal(labels[:, -1], truth[:, -1])


def test_the_blur_keeps_regions_together_in_noise():
    image, truth, markers = scene(12)
    assert np.mean(Watershed(markers)(image) == truth) > 0.995
    assert np.mean(Watershed(markers, sigma=0)(image) == truth) < 0.9
    assert np.mean(Watershed(markers, sigma=15)(image) == truth) < 0.98


def test_regions_are_scikit_images_on_the_gradient_of_coins():
    image = data.coins()
    markers = np.zeros(image.shape, np.int32)
    markers[image < 30], markers[image > 150] = 1, 2  # the scikit-image tutorial's own
    theirs = segmentation.watershed(filters.sobel(image), markers)
    ours = Watershed(markers, sigma=0)(image)
    assert np.mean(ours == theirs) > 0.97
    ours = Watershed(markers, sigma=1)(image)
    assert np.mean(ours == theirs) > 0.975


def test_a_region_ends_where_the_step_between_two_levels_is():
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, 7:, 2] = 60  # an edge in blue alone
    markers = np.zeros((8, 12), np.int32)
    markers[4, 1], markers[4, 10] = 5, 9
    expected = np.where(np.arange(12) < 7, 5, 9)
    assert np.array_equal(Watershed(markers, sigma=0)(image), np.tile(expected, (8, 1)))
    turned = Watershed(np.ascontiguousarray(markers.T), sigma=0)(image.swapaxes(0, 1).copy())
    assert np.array_equal(turned[:, 0], expected)


def test_lines_are_left_where_regions_meet_and_nowhere_else():
    image, _, markers = scene(0)
    lines = Watershed(markers, sigma=0, lines=True)(image)
    filled = Watershed(markers, sigma=0)(image)
    line = lines == 0
    assert 0.005 < line.mean() < 0.03
    assert np.array_equal(filled[~line], lines[~line])
    for number in range(1, 6):  # no region touches another
        grown = ndimage.binary_dilation(lines == number)
        assert set(np.unique(lines[grown])) <= {0, number}
    near = segmentation.find_boundaries(filled, mode="thick")
    assert np.mean(near[line]) > 0.99


def test_a_line_pixel_goes_to_the_nearer_colour():
    image = np.array([[10, 10, 30, 90, 90]], np.uint8).repeat(5, axis=0)
    markers = np.zeros((5, 5), np.int32)
    markers[:, 0], markers[:, 4] = 1, 2
    assert Watershed(markers, sigma=0)(image)[2].tolist() == [1, 1, 1, 2, 2]
    assert Watershed(markers, sigma=0)(255 - image)[2].tolist() == [1, 1, 1, 2, 2]


def test_markers_may_be_a_mask_or_a_pipeline_that_makes_one():
    image, truth, markers = scene(0)
    mask = np.where(markers > 0, 255, 0).astype(np.uint8)
    fixed = Watershed(mask, sigma=0)(image)
    assert adjusted_rand_score(truth.ravel(), fixed.ravel()) > 0.997
    bright = Watershed(Threshold(100) >> Erosion(15), sigma=0)(image)  # nothing to hold the rest
    two = ndimage.label(Erosion(15)(Threshold(100)(image)))[1]
    assert bright.max() == two and bright.min() == 1


def test_basins_are_even_places_between_edges():
    image, truth, _ = scene(0)
    labels = Watershed()(image)
    assert labels.max() == 5 == len(np.unique(labels))
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.99


def test_basins_are_scikit_images_minima_of_the_filled_gradient():
    image = data.coffee()[:200, :300]
    gradient = ndimage.morphological_gradient(image, (3, 3, 1)).max(axis=2)
    filled = morphology.reconstruction(gradient + 10.0, gradient, "erosion")
    theirs = measure.label(morphology.local_minima(filled), connectivity=2)
    ours = basins(image, 10)
    assert np.array_equal(ours > 0, theirs > 0)
    assert ours.max() == theirs.max() > 200


def test_depth_leaves_out_faint_edges():
    image = np.full((40, 90), 100, np.uint8)
    image[:, 30:] = 109
    image[:, 60:] = 121
    assert len(np.unique(Watershed(sigma=0)(image))) == 2
    assert len(np.unique(Watershed(sigma=0, depth=8)(image))) == 3
    assert len(np.unique(Watershed(sigma=0, depth=13)(image))) == 1


def test_coins_are_found_without_any_marker():
    labels = Watershed()(data.coins())
    sizes = np.bincount(labels.ravel())[1:]
    coins = np.sum((sizes > 600) & (sizes < 4000))
    assert 22 <= coins <= 26  # 24 lie on the picture
    assert 25 <= len(sizes) <= 40


def test_without_any_marker_there_is_no_region():
    markers = np.zeros((4, 6), np.int32)
    assert not Watershed(markers)(np.zeros((4, 6), np.uint8)).any()
    assert not Watershed(Threshold(254))(np.zeros((4, 6), np.uint8)).any()
    assert Watershed()(np.zeros((4, 6), np.uint8)).tolist() == [[1] * 6] * 4


def test_markers_of_another_size_are_refused():
    with pytest.raises(KindError, match="'markers' is 6 x 4"):
        Watershed(np.ones((4, 6), np.int32))(np.zeros((5, 6), np.uint8))


def test_a_step_that_makes_no_markers_is_refused():
    with pytest.raises(KindError, match="label map or a mask"):
        Watershed(GaussianBlur(5))(np.zeros((5, 6), np.uint8))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"markers": "otsu"}, "'markers'"),
        ({"markers": np.full((3, 3), -1, np.int32)}, "int32 of at least 0"),
        ({"markers": np.full((3, 3), 7, np.uint8)}, "'markers'"),
        ({"markers": np.ones((3, 3), np.int64)}, "'markers'"),
        ({"sigma": -1}, "'sigma'"),
        ({"depth": 256}, "'depth'"),
        ({"lines": 1}, "'lines'"),
    ],
)
def test_watershed_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        Watershed(**parameters)(np.zeros((3, 3), np.uint8))


def test_a_pipeline_within_is_saved_with_the_step():
    step = Watershed(Otsu() >> Erosion(9), depth=12)
    again = vision.from_text(vision.to_text(step))
    assert np.array_equal(step(data.coins()), again(data.coins()))


def discs(*centres, shape=(120, 200)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, bool)
    for x, y, radius in centres:
        mask |= np.hypot(columns - x, rows - y) <= radius
    return np.where(mask, 255, 0).astype(np.uint8)


def test_touching_discs_are_cut_at_their_neck():
    # Circles of radius 30 at a distance of 50 cross where x is midway.
    labels = DistanceWatershed()(discs((60, 60, 30), (110, 60, 30)))
    assert labels.dtype == np.int32 and labels.max() == 2
    assert set(np.unique(labels[:, :84])) == {0, labels[60, 60]}
    assert set(np.unique(labels[:, 87:])) == {0, labels[60, 110]}


def test_height_is_how_much_wider_than_the_neck():
    # Half the neck of two such circles is sqrt(30^2 - 20^2) = 22.4: the peaks stand 7.6 above it.
    mask = discs((60, 60, 30), (100, 60, 30))
    assert DistanceWatershed(7)(mask).max() == 2
    assert DistanceWatershed(8.5)(mask).max() == 1


def test_mask_and_labels_cover_the_same_pixels_and_specks_stay():
    mask = discs((60, 60, 30), (110, 60, 30))
    mask[2, 2] = mask[2, 190:193] = 255
    labels = DistanceWatershed(5)(mask)
    assert np.array_equal(labels > 0, mask > 0)
    assert labels.max() == 4 == len(np.unique(labels)) - 1


def test_objects_that_do_not_touch_are_scikit_images_components():
    mask = np.where(ndimage.gaussian_filter(data.coins(), 2) > 120, 255, 0).astype(np.uint8)
    whole = DistanceWatershed(1000)(mask)
    components = measure.label(mask, connectivity=2)
    assert whole.max() == components.max()
    assert adjusted_rand_score(components.ravel(), whole.ravel()) == 1


def by_scikit_image(mask):
    distance = ndimage.distance_transform_edt(mask)
    floor = np.where(mask > 0, distance, -100)
    raised = morphology.reconstruction(floor - 1, floor)
    markers = measure.label(morphology.local_maxima(raised) & (mask > 0), connectivity=2)
    return segmentation.watershed(-distance, markers, connectivity=2, mask=mask > 0)


def test_coins_that_touch_are_taken_apart_as_scikit_image_does():
    mask = np.where(ndimage.gaussian_filter(data.coins(), 2) > 100, 255, 0).astype(np.uint8)
    theirs, ours = by_scikit_image(mask), DistanceWatershed()(mask)
    assert ours.max() == theirs.max() > measure.label(mask, connectivity=2).max() + 3
    assert adjusted_rand_score(theirs[mask > 0], ours[mask > 0]) > 0.99


def test_objects_are_scikit_images_watershed_of_its_own_distances():
    mask = Erosion(3)(np.where(data.binary_blobs(256, 0.08, rng=1), 255, 0).astype(np.uint8))
    theirs = by_scikit_image(mask)
    ours = DistanceWatershed()(mask)
    assert ours.max() == theirs.max() > 50
    assert adjusted_rand_score(theirs[mask > 0], ours[mask > 0]) > 0.99


def test_a_full_mask_is_one_object_and_an_empty_one_none():
    assert DistanceWatershed()(np.full((7, 5), 255, np.uint8)).tolist() == [[1] * 5] * 7
    assert not DistanceWatershed()(np.zeros((7, 5), np.uint8)).any()


def test_distance_watershed_refuses_what_is_no_mask():
    with pytest.raises(
        ParameterError, match="'height' of DistanceWatershed must be a number above"
    ):
        DistanceWatershed(0)(np.zeros((3, 3), np.uint8))
    with pytest.raises(KindError, match="0 and 255 only"):
        DistanceWatershed()(np.full((3, 3), 3, np.uint8))


def test_objects_taken_apart_are_numbered_from_the_top_down():
    mask = np.zeros((60, 60), np.uint8)
    mask[5:20, 40:55] = mask[35:50, 5:20] = 255
    labels = DistanceWatershed()(mask)
    assert (labels[12, 47], labels[42, 12], labels.max()) == (1, 2, 2)
