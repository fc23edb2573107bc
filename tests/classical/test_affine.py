"""Turning and slanting: hand-solved coordinates, NumPy and scikit-image."""

import numpy as np
import pytest
from skimage import data, transform

from classical.affine import Affine, Rotate
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Kind

# --- Rotate


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.int32])
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("turns", [-1, 0, 1, 2, 3, 5])
def test_right_angles_are_exact_and_counter_clockwise(turns, interpolation, dtype):
    image = data.coins()[:80, 100:231].astype(dtype)
    if dtype == np.float32:
        image /= 255
    step = Rotate(90 * turns, expand=True, interpolation=interpolation)
    assert np.array_equal(step(image), np.rot90(image, turns))


@pytest.mark.parametrize("angle", [17, -100.5])
@pytest.mark.parametrize(("interpolation", "order"), [("nearest", 0), ("linear", 1)])
@pytest.mark.parametrize("picture", ["camera", "coins", "coffee"])
def test_a_turn_is_scikit_images(picture, interpolation, order, angle):
    image = getattr(data, picture)()
    expected = transform.rotate(image, angle, order=order, preserve_range=True)
    off = np.abs(Rotate(angle, interpolation=interpolation)(image) - expected)
    # OpenCV 4 reads at 1/32 of a pixel
    assert (off > 5).mean() < 1e-3
    assert off.mean() < 0.4


@pytest.mark.parametrize("border", ["edge", "reflect", "symmetric", "wrap"])
def test_the_corners_are_filled_as_scikit_image_does(border):
    image = data.camera()
    expected = transform.rotate(image, 25, order=1, mode=border, preserve_range=True)
    off = np.abs(Rotate(25, border=border)(image) - expected)
    assert (off > 5).mean() < 4e-3


def test_the_corners_are_filled_with_the_value():
    image = data.coffee()
    expected = transform.rotate(image, 45, order=1, cval=200, preserve_range=True)
    result = Rotate(45, value=200)(image)
    assert result[0, 0].tolist() == [200, 200, 200]
    assert (np.abs(result - expected) > 5).mean() < 2e-3


@pytest.mark.parametrize(
    ("angle", "shape"),
    [
        (30, (94, 112)),  # 50 cos + 100 sin = 93.3, 100 cos + 50 sin = 111.6
        (-30, (94, 112)),
        (45, (107, 107)),  # 150 / sqrt(2) = 106.07
        (180, (50, 100)),
        (-90, (100, 50)),
    ],
)
def test_an_expanded_picture_holds_all_of_it(angle, shape):
    image = np.full((50, 100), 255, np.uint8)
    turned = Rotate(angle, expand=True)(image)
    assert turned.shape == shape
    assert turned.sum(dtype=float) == pytest.approx(image.sum(dtype=float), rel=0.01)
    assert Rotate(angle)(image).shape == image.shape


def test_there_and_back_is_the_same_picture():
    image = data.camera().astype(np.float32) / 255
    back = Rotate(-33, interpolation="cubic")(Rotate(33, interpolation="cubic")(image))
    middle = (slice(180, 330), slice(180, 330))
    assert np.abs(back - image)[middle].mean() < 0.02


def test_a_turned_float_image_does_not_leave_its_range():
    checks = (np.indices((53, 60)).sum(axis=0) // 7 % 2).astype(np.float32)
    for interpolation in ("linear", "cubic"):
        turned = Rotate(20, interpolation=interpolation, value=0.5)(checks)
        assert turned.min() >= 0
        assert turned.max() <= 1
    bright = Rotate(20, value=0)(np.ones((9, 9), np.float32))
    assert bright.min() == 0
    assert bright.max() == 1


def test_turned_labels_are_only_picked_from():
    labels = np.arange(1, 41, dtype=np.int32).reshape(5, 8).repeat(9, axis=0).repeat(7, axis=1)
    expected = transform.rotate(labels, 15, order=0, preserve_range=True)
    turned = Rotate(15)(labels)
    assert turned.dtype == np.int32
    assert set(np.unique(turned)) <= {0, *range(1, 41)}
    assert (turned != expected).mean() < 0.005


def test_a_turned_mask_stays_one_by_nearest_alone():
    for kind in (Kind.MASK, Kind.EDGES):
        assert Rotate(5).gives_for(kind) is Kind.GRAY
        assert Rotate(5, interpolation="nearest").gives_for(kind) is kind
        assert Rotate(5, interpolation="nearest", value=9).gives_for(kind) is Kind.GRAY
    assert Rotate(5).gives_for(Kind.LABELS) is Kind.LABELS


def test_a_side_too_long_for_opencv_is_refused():
    with pytest.raises(ImageError, match="up to 32,766 pixels a side"):
        Rotate(3)(np.zeros((1, 32767), np.uint8))
    assert Rotate(0)(np.ones((1, 32766), np.uint8)).all()


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Rotate("left"), "'angle' of Rotate must be a number"),
        (Rotate(np.inf), "'angle'"),
        (Rotate(5, expand=1), "'expand' of Rotate must be True or False"),
        (Rotate(5, interpolation="area"), "'interpolation' of Rotate must be 'nearest'"),
        (Rotate(5, border="none"), "'border' of Rotate"),
        (Rotate(5, value=None), "'value' of Rotate"),
    ],
)
def test_rotate_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


# --- Affine

SLANT = np.array([[0.9137, 0.3041, 4.53], [-0.2113, 1.1071, 30.27]])


@pytest.mark.parametrize(("interpolation", "order"), [("nearest", 0), ("linear", 1)])
@pytest.mark.parametrize("picture", ["camera", "coffee"])
def test_an_affine_map_is_scikit_images(picture, interpolation, order):
    image = getattr(data, picture)()
    back = transform.AffineTransform(np.vstack([SLANT, [0, 0, 1]])).inverse
    expected = transform.warp(image, back, order=order, preserve_range=True)
    off = np.abs(Affine(SLANT, interpolation=interpolation)(image) - expected.astype(float))
    # OpenCV 4 reads at 1/32 of a pixel
    assert (off > 5).mean() < 2e-3
    assert off.mean() < 0.5


@pytest.mark.parametrize("border", ["edge", "reflect", "symmetric", "wrap"])
def test_what_lies_outside_of_an_affine_map_is_scikit_images(border):
    image = data.camera()
    back = transform.AffineTransform(np.vstack([SLANT, [0, 0, 1]])).inverse
    expected = transform.warp(
        image, back, output_shape=(600, 700), order=1, mode=border, preserve_range=True
    )
    off = np.abs(Affine(SLANT, width=700, height=600, border=border)(image) - expected)
    assert (off > 5).mean() < 0.02


def test_what_lies_outside_of_an_affine_map_is_the_value():
    moved = Affine([[1, 0, 2], [0, 1, 1]], value=77)(np.full((3, 4, 3), 9, np.uint8))
    assert moved[..., 1].tolist() == [[77] * 4, [77, 77, 9, 9], [77, 77, 9, 9]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_a_shift_by_whole_pixels_is_numpys(dtype):
    image = data.coins()[:50, :70].astype(dtype)
    if dtype == np.float32:
        image /= 255
    moved = Affine([[1, 0, 5], [0, 1, -3]], width=80, height=40)(image)
    expected = np.zeros((40, 80), dtype)
    expected[:, 5:75] = image[3:43]
    assert moved.dtype == dtype
    assert np.array_equal(moved, expected)


def test_exchanging_x_and_y_is_numpys_transpose():
    image = data.coffee()
    assert np.array_equal(
        Affine([[0, 1, 0], [1, 0, 0]], width=400, height=600)(image), image.transpose(1, 0, 2)
    )


def test_the_way_back_of_an_affine_map_solved_by_hand():
    step = Affine([[2, 0, 3], [0, 4, -8]])
    assert (step.to_input(data.coins()) @ [13, 12, 1]).tolist() == [5, 5, 1]


def test_affine_keeps_what_is_only_picked():
    assert Affine(SLANT).gives_for(Kind.MASK) is Kind.GRAY
    assert Affine(SLANT, interpolation="nearest").gives_for(Kind.MASK) is Kind.MASK
    assert Affine(SLANT).gives_for(Kind.LABELS) is Kind.LABELS


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Affine(np.eye(3)), "'matrix' of Affine must be 2 rows of 3 .* is for Perspective"),
        (Affine([[1, 2, 0], [2, 4, 0]]), "'matrix' of Affine .* invertible"),
        (Affine([[1, 0, np.nan], [0, 1, 0]]), "'matrix'"),
        (Affine("turn"), "'matrix'"),
        (Affine(SLANT, (640, 480)), r"Affine\(\(640, 480\)\) could mean width=640"),
        (Affine(SLANT, width=0), "'width' of Affine"),
        (Affine(SLANT, height=1.5), "'height' of Affine"),
        (Affine(SLANT, border="none"), "'border' of Affine"),
        (Affine(SLANT, interpolation="area"), "'interpolation' of Affine"),
        (Affine(SLANT, value=None), "'value' of Affine"),
        (Affine(SLANT, value=256), "'value' of Affine must be a whole number from 0 to 255"),
    ],
)
def test_affine_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(np.uint8, 256), (np.uint8, -1), (np.uint8, 0.5), (np.uint16, 65536), (np.int32, -1)],
)
def test_a_border_that_the_dtype_cannot_hold_is_refused(dtype, value):
    with pytest.raises(ParameterError, match="'value' of Rotate must be a whole number"):
        Rotate(1, value=value)(np.zeros((4, 4), dtype))


@pytest.mark.parametrize("step", [Rotate(5), Affine(SLANT)])
def test_what_is_no_image_is_refused(step):
    with pytest.raises(KindError, match=type(step).__name__):
        step(np.zeros((4, 4)))
    with pytest.raises(KindError, match="four channels"):
        step(np.zeros((4, 4, 4), np.uint8))
