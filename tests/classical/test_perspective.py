"""Homographies and rectification: hand-solved coordinates, scikit-image and Pillow."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage import data, transform

from classical.framing import Crop
from classical.perspective import Perspective, Rectify
from classical.threshold import Otsu
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Kind

TILT = np.array([[1, 0.1, -8.5], [0.05, 1.1, 4], [0.0004, 0.0002, 1]])
# Upper left, upper right, lower right and lower left of one line of handwriting in
# skimage.data.text(), from scikit-image's gallery, "Types of homographies"
# (src 0,0 / 0,50 / 300,50 / 300,0 for dst 155,15 / 65,40 / 260,130 / 360,95).
LINE = [(155, 15), (360, 95), (260, 130), (65, 40)]


@pytest.mark.parametrize(("interpolation", "order"), [("nearest", 0), ("linear", 1)])
@pytest.mark.parametrize("picture", ["camera", "coffee"])
def test_a_homography_is_scikit_images(picture, interpolation, order):
    image = getattr(data, picture)()
    back = transform.ProjectiveTransform(TILT).inverse
    expected = transform.warp(image, back, order=order, preserve_range=True)
    off = np.abs(Perspective(TILT, interpolation=interpolation)(image) - expected.astype(float))
    # OpenCV 4 reads at 1/32 of a pixel
    assert (off > 5).mean() < 5e-3
    assert off.mean() < 0.5


@pytest.mark.parametrize("border", ["edge", "reflect", "symmetric", "wrap"])
def test_what_lies_outside_of_a_homography_is_scikit_images(border):
    image = data.camera()
    back = transform.ProjectiveTransform(TILT).inverse
    expected = transform.warp(
        image, back, output_shape=(530, 480), order=1, mode=border, preserve_range=True
    )
    off = np.abs(Perspective(TILT, width=480, height=530, border=border)(image) - expected)
    assert (off > 5).mean() < 0.02


def test_what_lies_outside_of_a_homography_is_the_value():
    moved = Perspective([[2, 0, 4], [0, 2, 2], [0, 0, 2]], value=77)(np.full((3, 4), 9, np.uint8))
    assert moved.tolist() == [[77] * 4, [77, 77, 9, 9], [77, 77, 9, 9]]


def test_the_way_back_of_a_homography_solved_by_hand():
    # (1, 2) comes to (1, 2) / 1.5, which the matrix back must undo
    step = Perspective([[1, 0, 0], [0, 1, 0], [0.5, 0, 1]])
    x, y, scale = step.to_input(data.coins()) @ [1 / 1.5, 2 / 1.5, 1]
    assert (x / scale, y / scale) == pytest.approx((1, 2))


@pytest.mark.parametrize(("width", "height"), [(300, 50), (120, 211)])
def test_a_rectified_line_of_text_is_scikit_images(width, height):
    image = data.text()
    target = [(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)]
    found = transform.ProjectiveTransform.from_estimate(np.array(target), np.array(LINE))
    expected = transform.warp(image, found, output_shape=(height, width), preserve_range=True)
    off = np.abs(Rectify(LINE, width=width, height=height)(image) - expected)
    assert off.max() < 6
    assert off.mean() < 0.5


@pytest.mark.parametrize(
    ("parameters", "mode"),
    [
        ({}, {"constant_values": 0}),
        ({"value": 200}, {"constant_values": 200}),
        ({"border": "edge"}, {"mode": "edge"}),
        ({"border": "reflect"}, {"mode": "reflect"}),
    ],
)
def test_corners_outside_of_the_picture_pad_it(parameters, mode):
    image = data.coins()[:40, :30]
    expected = np.pad(image, [(4, 9), (7, 3)], **mode)
    corners = [(-7, -4), (32, -4), (32, 48), (-7, 48)]
    assert np.array_equal(Rectify(corners, **parameters)(image), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_upright_corners_crop(dtype):
    image = data.coins().astype(dtype)
    if dtype == np.float32:
        image /= 255
    corners = [(30, 20), (129, 20), (129, 69), (30, 69)]
    expected = Crop(left=30, top=20, width=100, height=50)(image)
    assert np.array_equal(Rectify(corners)(image), expected)
    turned = Rectify([*corners[3:], *corners[:3]])(image)
    assert np.array_equal(turned, np.rot90(expected, -1))


def test_upright_corners_crop_in_colour():
    image = data.coffee()
    corners = [(30, 20), (129, 20), (129, 69), (30, 69)]
    assert np.array_equal(Rectify(corners)(image), image[20:70, 30:130])


def test_the_corners_come_to_the_corner_pixels():
    corners = [(3.5, 7), (90, -2), (99, 80.25), (-4, 66)]
    step = Rectify(corners, width=31, height=47)
    back = step.to_input(np.zeros((9, 9), np.uint8))
    for corner, place in zip(corners, [(0, 0), (30, 0), (30, 46), (0, 46)], strict=True):
        x, y, scale = back @ [*place, 1]
        assert (x / scale, y / scale) == pytest.approx(corner, abs=1e-4)


@pytest.mark.parametrize(
    ("parameters", "shape"),
    [
        ({}, (52, 101)),  # 100 and 51 between the outermost centres
        ({"width": 201}, (103, 201)),  # 200 * 0.5099 = 101.98
        ({"height": 26}, (26, 50)),  # 25 / 0.5099 = 49.03
        ({"width": 9, "height": 5}, (5, 9)),
    ],
)
def test_the_size_is_that_of_the_longer_sides(parameters, shape):
    # across 100 and 80, down twice the root of 50^2 + 10^2, 50.99
    corners = np.array([(0, 0), (100, 0), (90, 50), (10, 50)])
    assert Rectify(corners, **parameters)(np.zeros((60, 110), np.uint8)).shape == shape


def test_a_page_drawn_at_an_angle_becomes_the_page():
    page = data.page()
    height, width = page.shape
    corners = [(60, 40), (400, 80), (430, 330), (20, 280)]
    target = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)])
    seen = transform.ProjectiveTransform.from_estimate(np.array(corners), target)
    scene = transform.warp(page, seen, output_shape=(400, 500), order=3, preserve_range=True)
    found = Rectify(corners, width=width, height=height)(scene.clip(0, 255).astype(np.uint8))
    inner = (slice(8, -8), slice(8, -8))
    assert np.corrcoef(found[inner].ravel(), page[inner].ravel())[0, 1] > 0.97


def test_what_is_found_in_the_rectified_page_lies_on_the_scene():
    from classical.contours import FindContours

    scene = Image.new("L", (200, 150), 20)
    spot = [(80, 60), (110, 64), (106, 90), (77, 85)]
    ImageDraw.Draw(scene).polygon(spot, fill=250)
    scene = np.asarray(scene)
    found = (Rectify([(40, 20), (160, 40), (150, 130), (30, 110)]) >> Otsu() >> FindContours())(
        scene
    )
    rows, columns = np.nonzero(scene > 128)
    assert len(found) == 1
    left, top, right, bottom = found.boxes[0]
    assert (left, top) == pytest.approx((columns.min(), rows.min()), abs=1.5)
    assert (right, bottom) == pytest.approx((columns.max() + 1, rows.max() + 1), abs=1.5)


def test_a_warped_float_image_does_not_leave_its_range():
    checks = (np.indices((53, 60)).sum(axis=0) // 7 % 2).astype(np.float32)
    for step in (
        Perspective(TILT, interpolation="cubic"),
        Rectify([(3, 2), (50, 5), (48, 50), (1, 45)], interpolation="cubic"),
    ):
        warped = step(checks)
        assert warped.min() >= 0
        assert warped.max() <= 1


@pytest.mark.parametrize(
    "make", [lambda **p: Perspective(TILT, **p), lambda **p: Rectify(LINE, **p)]
)
def test_a_mask_stays_one_by_nearest_alone(make):
    assert make().gives_for(Kind.MASK) is Kind.GRAY
    assert make(interpolation="nearest").gives_for(Kind.EDGES) is Kind.EDGES
    assert make(interpolation="nearest", value=9).gives_for(Kind.MASK) is Kind.GRAY
    assert make().gives_for(Kind.LABELS) is Kind.LABELS


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        (LINE[:3], r"must be four points \(x, y\)"),
        ("page", "must be four points"),
        ([*LINE[:3], (np.nan, 0)], "must be four points"),
        (LINE[::-1], "must be those of .* counter-clockwise: the result would be mirrored"),
        ([LINE[0], LINE[2], LINE[1], LINE[3]], "must be those of a convex quadrilateral"),
        ([(0, 0), (10, 0), (20, 0), (0, 10)], "must be those of a convex quadrilateral"),
        ([(0, 0), (10, 0), (2, 2), (0, 10)], "must be those of a convex quadrilateral"),
        ([(5, 5)] * 4, "must be those of a convex quadrilateral"),
    ],
)
def test_corners_that_span_no_page_are_refused(corners, message):
    with pytest.raises(ParameterError, match=f"'corners' of Rectify {message}"):
        Rectify(corners)(data.text())


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Rectify(LINE, (300, 50)), r"Rectify\(\(300, 50\)\) could mean width=300, height=50"),
        (Rectify(LINE, width=1), "'width' of Rectify must be a whole number at least 2"),
        (Rectify(LINE, height="tall"), "'height' of Rectify"),
        (Rectify(LINE, interpolation="area"), "'interpolation' of Rectify"),
        (Rectify(LINE, border="none"), "'border' of Rectify"),
        (Rectify(LINE, value=None), "'value' of Rectify"),
        (Rectify(LINE, value=-1), "'value' of Rectify must be a whole number from 0 to 255"),
        (Perspective(TILT[:2]), "'matrix' of Perspective must be a finite, invertible homography"),
        (Perspective(np.zeros((3, 3))), "'matrix' of Perspective"),
        (Perspective(TILT, width=0), "'width' of Perspective"),
        (Perspective(TILT, (9, 9)), "'width' of Perspective must be one whole number"),
        (Perspective(TILT, height=2.5), "'height' of Perspective"),
        (Perspective(TILT, border="none"), "'border' of Perspective"),
        (Perspective(TILT, interpolation="area"), "'interpolation' of Perspective"),
        (Perspective(TILT, value="white"), "'value' of Perspective"),
    ],
)
def test_a_warp_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.text())


def test_a_result_too_large_for_opencv_is_refused():
    with pytest.raises(ImageError, match="Rectify takes and gives pictures of up to 32,766"):
        Rectify([(0, 0), (40000, 0), (40000, 9), (0, 9)])(data.coins())
    with pytest.raises(ImageError, match="Perspective takes and gives"):
        Perspective(TILT, width=32767)(data.coins())


@pytest.mark.parametrize("step", [Perspective(TILT), Rectify(LINE)])
def test_what_is_no_image_is_refused(step):
    with pytest.raises(KindError, match=type(step).__name__):
        step(np.zeros((4, 4)))
    with pytest.raises(KindError, match="four channels"):
        step(np.zeros((4, 4, 4), np.uint8))
