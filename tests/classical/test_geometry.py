"""Moving pixels: hand-solved coordinates, NumPy, Pillow and scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data, transform

from classical.geometry import Crop, Pad, Resize, Rotate
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Kind

SIZES = st.integers(min_value=1, max_value=9)


def blob(height, width, x, y, sigma=3.0):
    """A soft bright dot, centred between pixels."""
    rows, columns = np.mgrid[:height, :width]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def centroid(image):
    rows, columns = np.indices(image.shape)
    mass = image.sum(dtype=float)
    return (image * columns).sum(dtype=float) / mass, (image * rows).sum(dtype=float) / mass


# --- the way back


@pytest.mark.parametrize(
    "step",
    [
        Resize(64),
        Resize(width=200),
        Resize(height=31),
        Resize(width=75, height=160, interpolation="linear"),
        Resize(width=333, height=259, interpolation="nearest"),
        Resize(150, interpolation="cubic"),
        Crop(left=30, top=20),
        Crop(left=25, top=17, width=80, height=60),
        Pad(7),
        Pad(left=3, top=11, right=40, bottom=1),
        Rotate(30),
        Rotate(-72.5, expand=True),
        Rotate(90, expand=True),
        Rotate(90),
        Rotate(180),
        Rotate(271, expand=True, interpolation="cubic"),
        Rotate(10, interpolation="nearest"),
        Crop(left=10, top=5) >> Resize(width=200) >> Rotate(20, expand=True) >> Pad(9),
    ],
    ids=repr,
)
def test_a_bright_dot_is_found_where_it_was(step):
    x, y = 61.3, 42.6
    image = blob(100, 140, x, y)
    steps = [part for _, part in step.steps] if hasattr(step, "steps") else [step]
    matrix, moved = np.eye(3), image
    for part in steps:
        matrix = matrix @ part.to_input(moved)
        moved = part(moved)
    back = matrix @ [*centroid(moved), 1]
    assert back[2] == 1
    assert back[:2] == pytest.approx([x, y], abs=0.05)


def test_resizing_makes_the_outer_edges_coincide():
    image = np.zeros((30, 80), np.uint8)
    back = Resize(width=20, height=60).to_input(image)
    corners = np.array([[-0.5, 19.5], [-0.5, 59.5], [1, 1]])  # of the result's first and last pixel
    assert (back @ corners)[:2].tolist() == [[-0.5, 79.5], [-0.5, 29.5]]


def test_the_corners_of_a_turned_picture():
    image = np.zeros((30, 50), np.uint8)
    to_input = Rotate(90, expand=True).to_input(image)
    # counter-clockwise, the upper right corner comes to the upper left
    assert (to_input @ [0, 0, 1]).tolist() == [49, 0, 1]
    assert (to_input @ [29, 0, 1]).tolist() == [49, 29, 1]
    assert (to_input @ [0, 49, 1]).tolist() == [0, 0, 1]


# --- Resize


@pytest.mark.parametrize(
    ("parameters", "shape"),
    [
        ({"size": 64}, (64, 64)),
        ({"width": 640, "height": 480}, (480, 640)),
        ({"width": 300}, (200, 300)),
        ({"height": 300}, (300, 450)),
        ({"width": 7}, (5, 7)),  # 4.67
        ({"height": 1}, (1, 2)),  # 1.5
        ({"width": 1}, (1, 1)),  # 0.67
        ({"size": np.int64(9)}, (9, 9)),
    ],
)
def test_sizes(parameters, shape):
    image = data.coffee()
    assert image.shape == (400, 600, 3)
    assert Resize(**parameters)(image).shape == (*shape, 3)


def test_a_side_is_never_rounded_to_nothing():
    assert Resize(width=10)(np.zeros((1, 500), np.uint8)).shape == (1, 10)


def covered(old, new):
    """How much of each new pixel each old one covers, as rows that sum to one."""
    edges = np.arange(new + 1) * old / new
    left, right = edges[:-1, None], edges[1:, None]
    pixels = np.arange(old)
    overlap = np.minimum(right, pixels + 1) - np.maximum(left, pixels)
    return np.clip(overlap, 0, None) * new / old


@pytest.mark.parametrize(("width", "height"), [(224, 150), (100, 133), (600, 77), (37, 400)])
def test_shrinking_is_the_mean_of_the_pixels_covered(width, height):
    image = data.coffee()
    rows, columns = covered(400, height), covered(600, width)
    expected = np.einsum("yr,xc,rcn->yxn", rows, columns, image, optimize=True)
    result = Resize(width=width, height=height)(image)
    assert np.abs(result - expected).max() < 0.51
    assert np.array_equal(result, Resize(width=width, height=height, interpolation="area")(image))


def test_shrinking_by_a_whole_number_is_scikit_images_local_mean():
    image = data.coffee()
    expected = transform.downscale_local_mean(image, (4, 5, 1))
    assert np.abs(Resize(width=120, height=100)(image) - expected).max() < 0.51


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_growing_is_linear(dtype):
    image = data.camera()[:120, 100:260]
    if dtype == np.uint16:
        image = image.astype(np.uint16) * 257
    if dtype == np.float32:
        image = (image / 255).astype(np.float32)
    expected = transform.resize(
        image, (300, 500), order=1, mode="edge", anti_aliasing=False, preserve_range=True
    )
    result = Resize(width=500, height=300)(image)
    limit = {np.uint8: 1.01, np.uint16: 65, np.float32: 1e-5}[dtype]
    assert result.dtype == dtype
    assert np.abs(result - expected).max() < limit


def test_linear_is_linear_when_it_shrinks_too():
    image = data.camera()
    expected = transform.resize(
        image, (200, 300), order=1, mode="edge", anti_aliasing=False, preserve_range=True
    )
    result = Resize(width=300, height=200, interpolation="linear")(image)
    assert np.abs(result - expected).max() < 1.01
    assert np.abs(Resize(width=300, height=200)(image) - expected).max() > 10


def test_a_picture_that_grows_on_one_side_is_linear():
    image = data.camera()
    wide = Resize(width=700, height=300)
    linear = Resize(width=700, height=300, interpolation="linear")
    assert np.array_equal(wide(image), linear(image))


@pytest.mark.parametrize(("width", "height"), [(77, 53), (701, 999), (301, 77), (50, 20)])
def test_nearest_takes_the_pixel_whose_centre_is_nearest(width, height):
    rows, columns = np.mgrid[:400, :600].astype(np.uint16)
    step = Resize(width=width, height=height, interpolation="nearest")
    for picked, scale, count in ((step(columns)[0], 600, width), (step(rows)[:, 0], 400, height)):
        exact = (np.arange(count) + 0.5) * scale / count - 0.5
        # OpenCV 4 counts in 1/65536 of a pixel, and adds up
        assert np.abs(picked - exact).max() <= 0.51


@pytest.mark.parametrize(("width", "height"), [(77, 53), (701, 999), (301, 77)])
def test_nearest_is_pillows(width, height):
    image = data.coffee()
    expected = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.NEAREST))
    result = Resize(width=width, height=height, interpolation="nearest")(image)
    assert (result == expected).mean() > 0.98


def keys(distance, a=-0.75):
    """R. Keys, "Cubic convolution interpolation", 1981, equation 4 with OpenCV's a."""
    d = abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0


def test_cubic_is_keys_convolution():
    image = np.full((1, 12), 100, np.float32)
    image[0, 5] = 200
    image[0, :2] = 0, 300  # room for over- and undershoot
    result = Resize(width=24, height=1, interpolation="cubic")(image)[0, 8:16]
    places = (np.arange(8, 16) + 0.5) / 2 - 0.5
    assert result == pytest.approx([100 + 100 * keys(place - 5) for place in places], abs=1e-3)


@pytest.mark.parametrize("step", [Resize(90, interpolation="cubic"), Resize(21), Resize(77)])
def test_a_float_image_does_not_leave_its_range(step):
    checks = (np.indices((53, 60)).sum(axis=0) // 7 % 2).astype(np.float32)
    result = step(np.stack([checks] * 3, axis=-1))
    assert result.min() >= 0
    assert result.max() <= 1
    assert step(np.ones((53, 60), np.float32)).max() == 1


@pytest.mark.parametrize("interpolation", ["auto", "nearest", "linear", "cubic", "area"])
def test_label_maps_are_only_picked_from(interpolation):
    labels = np.arange(1, 13, dtype=np.int32).reshape(3, 4) * 100_000
    grown = Resize(width=12, height=9, interpolation=interpolation)(labels)
    assert grown.dtype == np.int32
    assert np.array_equal(grown, labels.repeat(3, axis=0).repeat(3, axis=1))
    shrunk = Resize(width=5, height=2, interpolation=interpolation)(grown)
    assert set(np.unique(shrunk)) <= set(np.unique(labels))


def test_a_mask_stays_one_by_nearest_alone():
    mask = np.where(data.coins() > 107, 255, 0).astype(np.uint8)
    assert set(np.unique(Resize(100, interpolation="nearest")(mask))) == {0, 255}
    assert len(np.unique(Resize(100)(mask))) > 2
    for kind in (Kind.MASK, Kind.EDGES):
        assert Resize(9).gives_for(kind) is Kind.GRAY
        assert Resize(9, interpolation="nearest").gives_for(kind) is kind
    assert Resize(9).gives_for(Kind.LABELS) is Kind.LABELS
    assert Kind.HSV not in Resize(9).takes


def test_the_same_size_is_a_copy():
    image = data.coins()
    height, width = image.shape
    same = Resize(width=width, height=height)(image)
    assert np.array_equal(same, image)
    assert not np.shares_memory(same, image)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Resize(), "'size' of Resize must be given alone, as Resize\\(64\\).*Got None"),
        (Resize(64, width=9), "'size' of Resize must be given alone"),
        (Resize(0), "'size' of Resize must be a whole number at least 1. Got 0"),
        (Resize(64.0), "'size'"),
        (Resize(width=-3), "'width' of Resize"),
        (Resize(height="9"), "'height' of Resize"),
        (Resize(True), "'size'"),
        (Resize(9, interpolation="nearst"), "'interpolation'.*Did you mean 'nearest'"),
    ],
)
def test_resize_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


@pytest.mark.parametrize("pair", [(640, 480), [640, 480], np.array([640, 480])])
def test_a_pair_is_refused_with_both_readings(pair):
    readings = r"Resize\(\(640, 480\)\) could mean width=640, height=480 or height=640, width=480"
    with pytest.raises(ParameterError, match=readings):
        Resize(pair)(data.coins())


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


def test_a_padded_mask_stays_one_if_the_border_is_of_its_values():
    for step in (Pad(3), Pad(3, value=255), Pad(3, border="edge", value=7)):
        assert step.gives_for(Kind.MASK) is Kind.MASK
    assert Pad(3, value=128).gives_for(Kind.EDGES) is Kind.GRAY
    assert Pad(3, value=128).gives_for(Kind.LABELS) is Kind.LABELS


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(np.uint8, 256), (np.uint8, -1), (np.uint8, 0.5), (np.uint16, 65536), (np.int32, -1)],
)
@pytest.mark.parametrize("step", [Pad, Rotate])
def test_a_border_that_the_dtype_cannot_hold_is_refused(step, dtype, value):
    made = step(1, value=value)
    with pytest.raises(ParameterError, match=f"'value' of {step.__name__} must be a whole number"):
        made(np.zeros((4, 4), dtype))


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


@pytest.mark.parametrize("step", [Resize(4), Crop(), Pad(2), Rotate(5)])
def test_what_is_no_image_is_refused(step):
    with pytest.raises(KindError, match=type(step).__name__):
        step(np.zeros((4, 4)))
    with pytest.raises(KindError, match="four channels"):
        step(np.zeros((4, 4, 4), np.uint8))
