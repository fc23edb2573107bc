"""Cutting and framing: NumPy, Pillow and, for coloured borders, OpenCV."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from skimage import data

from classical import Affine, Gray, Letterbox, Perspective, Rotate, ToLab
from classical.framing import Crop, Flip, Pad
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Kind

SIZES = st.integers(min_value=1, max_value=9)


@pytest.mark.parametrize("value", [-0.01, 1.5, 128])
def test_a_border_that_no_float_image_holds_is_refused(value):
    image = np.zeros((4, 6, 3), np.float32)
    for step in (Pad(1, value=value), Rotate(10, value=value), Letterbox(9, value=value)):
        with pytest.raises(ParameterError, match=r"'value'.*from 0 to 1 for a float image"):
            step(image)
    assert Pad(1, value=0.5)(image)[0, 0].tolist() == [0.5] * 3
    assert Pad(1, value=-7)(image[..., 0])[0, 0] == -7  # of a map, anything


# --- Crop


@given(st.data())
def test_a_crop_is_numpys_slice(draw):
    height, width = draw.draw(SIZES), draw.draw(SIZES)
    image = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    left, top = draw.draw(st.integers(0, width - 1)), draw.draw(st.integers(0, height - 1))
    wide = draw.draw(st.none() | st.integers(1, width - left))
    high = draw.draw(st.none() | st.integers(1, height - top))
    result = Crop(left=left, top=top, width=wide, height=high)(image)
    expected = image[top:, left:][:high, :wide]
    assert np.array_equal(result, expected)
    assert not np.shares_memory(result, image)


def test_a_crop_of_a_photograph_is_pillows():
    image = data.coffee()
    expected = np.asarray(Image.fromarray(image).crop((200, 50, 350, 310)))
    assert np.array_equal(Crop(left=200, top=50, width=150, height=260)(image), expected)
    assert np.array_equal(Crop()(image), image)


@pytest.mark.parametrize(
    "step", [Crop(left=384), Crop(top=303), Crop(left=300, width=85), Crop(top=300, height=4)]
)
def test_a_crop_that_leaves_the_picture_is_refused(step):
    with pytest.raises(ImageError, match=r"Crop\(.*leaves the picture, which is 384 pixels wide"):
        step(data.coins())


@pytest.mark.parametrize("name", ["left", "top", "width", "height"])
def test_crop_refuses_by_name(name):
    for value in (-1, 1.5, "1"):
        with pytest.raises(ParameterError, match=f"'{name}' of Crop must be a whole number"):
            Crop(**{name: value})(data.coins())


def test_a_crop_takes_every_kind_of_image_as_it_is():
    for kind in (Kind.MASK, Kind.HSV, Kind.LABELS, Kind.MAP):
        assert Crop().gives_for(kind) is kind
    labels = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert Crop(left=1)(labels).tolist() == [[1, 2], [4, 5]]


# --- Pad


@given(st.data())
def test_a_pad_is_numpys(draw):
    height, width = draw.draw(SIZES), draw.draw(SIZES)
    dtype = draw.draw(st.sampled_from([np.uint8, np.uint16, np.int32, np.float32]))
    shape = (height, width) if dtype == np.int32 or draw.draw(st.booleans()) else (height, width, 3)
    image = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    if dtype == np.float32:
        image /= image.size
    left, top, right, bottom = (draw.draw(st.integers(0, 20)) for _ in range(4))
    border = draw.draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    step = Pad(left=left, top=top, right=right, bottom=bottom, border=border)
    widths = [(top, bottom), (left, right), (0, 0)][: len(shape)]
    assert np.array_equal(step(image), np.pad(image, widths, mode=border))


def test_a_pad_of_one_width_and_its_exception():
    image = data.coffee()
    expected = np.pad(image, [(20, 20), (3, 20), (0, 0)], constant_values=255)
    assert np.array_equal(Pad(20, left=3, value=255)(image), expected)


def test_only_the_named_side_is_padded_if_nothing_is_said():
    image = data.coins()
    assert np.array_equal(Pad(left=3)(image), np.pad(image, [(0, 0), (3, 0)]))


def test_a_padded_mask_stays_one_if_the_border_is_of_its_values():
    for step in (Pad(3), Pad(3, value=255), Pad(3, border="edge", value=7)):
        assert step.gives_for(Kind.MASK) is Kind.MASK
    assert Pad(3, value=128).gives_for(Kind.EDGES) is Kind.GRAY
    assert Pad(3, value=128).gives_for(Kind.LABELS) is Kind.LABELS


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Pad(-1), "'size' of Pad must be a whole number at least 0"),
        (Pad(None), "'size' of Pad"),
        (Pad(right=1.5), "'right' of Pad"),
        (Pad(1, border="mirror"), "'border' of Pad must be 'constant', 'edge'"),
        (Pad(1, value="white"), "'value' of Pad must be a number"),
    ],
)
def test_pad_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(np.uint8, 256), (np.uint8, -1), (np.uint8, 0.5), (np.uint16, 65536), (np.int32, -1)],
)
def test_a_border_that_the_dtype_cannot_hold_is_refused(dtype, value):
    with pytest.raises(ParameterError, match="'value' of Pad must be a whole number"):
        Pad(1, value=value)(np.zeros((4, 4), dtype))


# --- Flip


@pytest.mark.parametrize(
    ("direction", "pillow", "numpy"),
    [
        ("horizontal", ImageOps.mirror, np.fliplr),
        ("vertical", ImageOps.flip, np.flipud),
        ("both", lambda image: image.rotate(180), lambda image: np.rot90(image, 2)),
    ],
)
def test_a_mirrored_photograph_is_pillows(direction, pillow, numpy):
    step = Flip(direction)
    coffee = data.coffee()
    assert np.array_equal(step(coffee), np.asarray(pillow(Image.fromarray(coffee))))
    for dtype in (np.uint16, np.int32, np.float32):
        image = data.coins().astype(dtype) / np.array(255 if dtype == np.float32 else 1, dtype)
        image = image.astype(dtype)
        assert np.array_equal(step(image), numpy(image))
        assert step(image).dtype == dtype


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "both"])
def test_a_mirrored_pixel_goes_back_to_its_place(direction):
    places = np.arange(35, dtype=np.int32).reshape(5, 7)
    step = Flip(direction)
    moved, back = step(places), step.to_input(places)
    for y, x in np.ndindex(moved.shape):
        column, row, scale = back @ [x, y, 1]
        assert scale == 1
        assert places[int(row), int(column)] == moved[y, x]


def test_left_and_right_change_places_if_nothing_else_is_said():
    image = data.chelsea()
    assert np.array_equal(Flip()(image), image[:, ::-1])
    assert np.array_equal(Flip()(Flip()(image)), image)


def test_a_flip_keeps_the_kind():
    for kind in (Kind.MASK, Kind.HSV, Kind.HLS, Kind.LAB, Kind.YCRCB, Kind.LABELS, Kind.EDGES):
        assert Flip().gives_for(kind) is kind
        assert kind.fits(Flip().takes)


def test_flip_refuses_by_name():
    with pytest.raises(ParameterError, match=r"'direction' of Flip.*Did you mean 'vertical'"):
        Flip("vertically")(data.coins())


@pytest.mark.parametrize("step", [Crop(), Pad(2), Flip()])
def test_what_is_no_image_is_refused(step):
    with pytest.raises(KindError, match=type(step).__name__):
        step(np.zeros((4, 4)))
    with pytest.raises(KindError, match="four channels"):
        step(np.zeros((4, 4, 4), np.uint8))


def test_a_border_may_have_a_colour_as_opencv_gives_it_one():
    image, red = data.astronaut(), (255, 0, 7)
    expected = cv2.copyMakeBorder(image, 5, 5, 5, 5, cv2.BORDER_CONSTANT, value=red)
    assert np.array_equal(Pad(5, value=red)(image), expected)
    assert np.array_equal(Pad(5, value=list(red))(image), expected)
    framed = Letterbox(width=1100, height=550, value=red)(image)
    assert framed[0, 0].tolist() == framed[-1, -1].tolist() == list(red)
    turned = Rotate(45, value=red)(image)
    assert turned[0, 0].tolist() == list(red)
    slanted = Affine([[1, 0, 9], [0, 1, 0]], value=red)(image)
    assert (slanted[:, :9] == red).all()
    moved = Perspective([[1, 0, 9], [0, 1, 0], [0, 0, 1]], value=red)(image)
    assert np.array_equal(moved, slanted)
    floating = (image / 255).astype(np.float32)
    orange = (1, 0.5, 0)
    assert Rotate(45, value=orange)(floating)[0, 0].tolist() == [1, 0.5, 0]


def test_a_colour_is_refused_where_there_are_no_colours():
    red, gray = (255, 0, 0), data.camera()
    for step in (Pad(2, value=red), Rotate(9, value=red), Letterbox(64, value=red)):
        assert Kind.GRAY not in step.takes
        assert Kind.RGB in step.takes
        with pytest.raises(KindError, match="rgb"):
            step(gray)
        with pytest.raises(KindError):  # (of a float image nobody knows whether it has colours)
            (Gray() >> step)(data.astronaut())
    flat = np.zeros((4, 4), np.float32)
    with pytest.raises(ParameterError, match="one number where the image has one channel"):
        Pad(2, value=(1, 0, 0))(flat)
    with pytest.raises(ParameterError, match="whole numbers from 0 to 255 where"):
        Pad(2, value=(256, 0, 0))(data.astronaut())
    with pytest.raises(ParameterError, match="from 0 to 1 for a float image"):
        Pad(2, value=red)(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ParameterError, match="a number, or a tuple of three, one a channel"):
        Pad(2, value=(1, 2, 3, 4))(data.astronaut())


def test_a_border_of_true_lab_has_a_colour_of_its_own_unit():
    lab, gray = ToLab()(data.astronaut()), data.camera()
    turned = Rotate(45, value=(50.0, -20, 30))(lab)
    assert turned[0, 0].tolist() == [50, -20, 30]
    with pytest.raises(ParameterError, match="from 0 to 1 for a float image"):
        Rotate(45, value=(50, -200, 30))(lab)
    assert np.array_equal(Pad(3, border="edge", value=(1, 2, 3))(gray), Pad(3, border="edge")(gray))
    for wrong in (np.array([255, 0, 10]), (255, 0, True), "white"):
        with pytest.raises(ParameterError, match="a number, or a tuple of three"):
            Pad(3, value=wrong)(gray)
