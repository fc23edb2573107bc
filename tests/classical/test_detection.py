"""Boxes around results: corners counted by hand, and scikit-image's regions."""

import numpy as np
import pytest
from skimage import data
from skimage.measure import label, regionprops

from classical.blobs import LoGBlobs
from classical.colour import Gray
from classical.contours import FindContours
from classical.detection import ToDetections
from classical.regions import ConnectedComponents
from classical.threshold import Otsu
from vision.errors import KindError, ParameterError
from vision.keypoints import Keypoints
from vision.shapes import Circles

MASK = Otsu()(data.coins())
BOXES = [one.bbox for one in regionprops(label(MASK, connectivity=2))]
EXPECTED = sorted((left, top, right, bottom) for top, left, bottom, right in BOXES)


def rows(found):
    return sorted(map(tuple, found.boxes.tolist()))


def test_contours_and_components_of_coins_have_scikit_images_boxes():
    outlines = (Gray() >> Otsu() >> FindContours() >> ToDetections("coin"))(
        np.dstack([data.coins()] * 3)
    )
    assert rows(outlines) == EXPECTED
    assert set(outlines.labels.tolist()) == {"coin"}
    assert outlines.shape == MASK.shape
    assert outlines.scores is None
    regions = (ConnectedComponents() >> ToDetections())(MASK)
    assert rows(regions) == EXPECTED
    assert regions.labels is None


def test_circles_and_blobs_reach_their_radius_from_the_pixels_middle():
    shape = (40, 60)
    found = ToDetections(7)(Circles([[20, 10], [0, 39]], [5, 2.5], shape))
    assert found.boxes.tolist() == [[15.5, 5.5, 25.5, 15.5], [0, 37, 3, 40]]
    assert found.labels.tolist() == [7, 7]
    points = ToDetections()(Keypoints([[20, 10]], shape, sizes=[10]))
    assert points.boxes.tolist() == [[15.5, 5.5, 25.5, 15.5]]
    assert ToDetections()(Keypoints([[20, 10]], shape)).boxes.tolist() == [[20, 10, 21, 11]]


def test_what_lies_beside_the_image_is_left_out():
    found = ToDetections("x")(Circles([[-9, 5], [5, 30], [3, 4]], [3, 4, 2], (20, 10)))
    assert found.boxes.tolist() == [[1.5, 2.5, 5.5, 6.5]]
    assert found.labels.tolist() == ["x"]


def test_bright_coins_are_boxed_as_blobs():
    found = (LoGBlobs(12, 25, threshold=0.1) >> ToDetections())(data.coins())
    best = found.iou(ToDetections()(FindContours(min_area=500)(MASK))).max(axis=0)
    assert (best > 0.5).sum() > 10


def test_wrong_labels_and_kinds_are_refused():
    found = Circles([[3, 4]], [2], (20, 10))
    for wrong in (1.5, True, ("a",)):
        with pytest.raises(ParameterError, match="'label' of ToDetections"):
            ToDetections(wrong)(found)
    with pytest.raises(KindError, match="ToDetections takes"):
        ToDetections()(data.coins())
