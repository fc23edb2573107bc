"""Sizes, and the way back of every geometric step: hand-solved coordinates, NumPy, Pillow."""

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage import data, transform

from classical.affine import Affine, Rotate
from classical.framing import Crop, Flip, Pad
from classical.geometry import Letterbox, Resize
from classical.perspective import Perspective, Rectify
from vision.errors import KindError, ParameterError
from vision.kinds import Kind


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
        Resize(factor=0.37),
        Resize(factor=1.9, interpolation="linear"),
        Resize(longest=91),
        Letterbox(75),
        Letterbox(width=331, height=90),
        Letterbox(width=50, height=160, value=0),
        Flip("horizontal"),
        Flip("vertical"),
        Flip("both"),
        Affine([[0.9, 0.3, 4.5], [-0.2, 1.1, 30.25]], height=150),
        Perspective([[1, 0.1, 3], [0, 1.05, 2], [0.0003, 0.0002, 1]], width=160),
        Rectify([(20, 8), (120, 5), (131, 90), (12, 80)]),
        Rectify([(20, 8), (120, 5), (131, 90), (12, 80)], width=60, height=200),
        Rectify([(12, 80), (20, 8), (120, 5), (131, 90)]),
        Crop(left=10, top=5) >> Resize(width=200) >> Rotate(20, expand=True) >> Pad(9),
        Flip() >> Rectify([(10, 8), (120, 5), (131, 90), (12, 80)]) >> Letterbox(99),
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
    # a tilt makes a dot's near half larger, so that its centroid is not quite its centre's image
    near = 0.1 if matrix[2, :2].any() else 0.05
    assert back[:2] / back[2] == pytest.approx([x, y], abs=near)


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
        ({"factor": 0.5}, (200, 300)),
        ({"factor": 1.3337}, (533, 800)),  # 533.48 and 800.22
        ({"factor": 0.00625}, (3, 4)),  # 2.5 and 3.75: halves upwards
        ({"factor": 1e-9}, (1, 1)),
        ({"longest": 300}, (200, 300)),
        ({"longest": 1000}, (667, 1000)),
    ],
)
def test_sizes(parameters, shape):
    image = data.coffee()
    assert image.shape == (400, 600, 3)
    assert Resize(**parameters)(image).shape == (*shape, 3)


def test_the_longest_side_is_the_height_of_a_picture_that_stands():
    standing = data.coffee().transpose(1, 0, 2)
    assert Resize(longest=300)(standing).shape == (300, 200, 3)
    assert Resize(longest=90)(np.zeros((50, 50), np.uint8)).shape == (90, 90)


def test_half_a_photograph_is_pillows():
    image = data.coffee()
    expected = np.asarray(Image.fromarray(image).reduce(2)).astype(int)
    assert np.abs(Resize(factor=0.5)(image) - expected).max() <= 1
    assert np.abs(Resize(longest=300)(image) - expected).max() <= 1


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
        (Resize(factor=0), "'factor' of Resize must be a number above 0. Got 0"),
        (Resize(factor="half"), "'factor' of Resize"),
        (Resize(longest=0.5), "'longest' of Resize"),
        (Resize(factor=0.5, width=9), "'factor' of Resize must be given alone"),
        (Resize(longest=50, height=9), "'longest' of Resize must be given alone"),
        (Resize(longest=50, factor=2), "'longest' of Resize must be given alone"),
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


# --- Letterbox


# Pillow takes whole pixels into its means: the frames are such that nothing is divided.
@pytest.mark.parametrize(
    ("picture", "width", "height"),
    [("coffee", 300, 300), ("coffee", 30, 800), ("camera", 64, 200), ("camera", 300, 256)],
)
def test_a_letterbox_is_pillows_pad(picture, width, height):
    image = getattr(data, picture)()
    fill = (114,) * 3 if image.ndim == 3 else 114
    expected = np.asarray(
        ImageOps.pad(Image.fromarray(image), (width, height), Image.Resampling.BOX, color=fill)
    ).astype(int)
    result = Letterbox(width=width, height=height, value=114)(image)
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= 1
    if width == height:
        assert np.array_equal(result, Letterbox(width, value=114)(image))


@pytest.mark.parametrize(
    ("shape", "parameters", "bars"),
    [
        ((10, 20), {"size": 40}, (0, 10, 0, 10)),
        ((20, 10), {"size": 41}, (10, 0, 10, 0)),  # 20.5 rounds to 21
        ((10, 20), {"width": 20, "height": 13}, (0, 1, 0, 2)),
        ((7, 7), {"width": 10, "height": 7}, (1, 0, 2, 0)),
        ((1, 1000), {"size": 100}, (0, 49, 0, 50)),
    ],
)
def test_the_bars(shape, parameters, bars):
    result = Letterbox(**parameters, value=0)(np.full(shape, 255, np.uint8))
    rows, columns = np.flatnonzero(result.any(axis=1)), np.flatnonzero(result.any(axis=0))
    height, width = result.shape
    found = columns[0], rows[0], width - 1 - columns[-1], height - 1 - rows[-1]
    assert found == bars


def test_the_bars_are_black_if_nothing_is_said_and_the_picture_shrinks_by_its_means():
    result = Letterbox(100)(np.tile(np.uint8([[0, 200]]), (100, 300)))
    assert not result[:41].any()
    assert not result[60:].any()
    assert np.unique(result[42:58]).tolist() == [100]


def test_a_letterboxed_label_map_is_only_picked_from():
    labels = np.arange(1, 13, dtype=np.int32).reshape(3, 4) * 1000
    expected = np.pad(labels.repeat(3, axis=0).repeat(3, axis=1), [(1, 2), (0, 0)])
    assert np.array_equal(Letterbox(12)(labels), expected)


def test_a_letterboxed_mask_stays_one_by_nearest_alone():
    assert Letterbox(9).gives_for(Kind.MASK) is Kind.GRAY
    assert Letterbox(9, interpolation="nearest").gives_for(Kind.MASK) is Kind.MASK
    assert Letterbox(9, interpolation="nearest", value=9).gives_for(Kind.MASK) is Kind.GRAY


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Letterbox(), "'size' of Letterbox must be given alone"),
        (Letterbox(width=640), "'size' of Letterbox must be given alone.*width=640, height=480"),
        (Letterbox(9, width=9, height=9), "'size' of Letterbox must be given alone"),
        (Letterbox((640, 480)), r"Letterbox\(\(640, 480\)\) could mean width=640, height=480"),
        (Letterbox(0), "'size' of Letterbox"),
        (Letterbox(width=9, height=1.5), "'height' of Letterbox"),
        (Letterbox(9, interpolation="lanczos"), "'interpolation' of Letterbox"),
        (Letterbox(9, value="gray"), "'value' of Letterbox must be a number"),
        (Letterbox(9, value=300), "'value' of Letterbox must be a whole number from 0 to 255"),
    ],
)
def test_letterbox_refuses_by_name(step, message):
    with pytest.raises(ParameterError, match=message):
        step(data.coins())


@pytest.mark.parametrize("step", [Resize(4), Letterbox(4)])
def test_what_is_no_image_is_refused(step):
    with pytest.raises(KindError, match=type(step).__name__):
        step(np.zeros((4, 4)))
    with pytest.raises(KindError, match="four channels"):
        step(np.zeros((4, 4, 4), np.uint8))
