"""What holds for every typed result."""

import copy
import io
import json
import pickle
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from PIL import Image

from vision.errors import ImageError, ParameterError
from vision.results import (
    Circles,
    Classification,
    Contours,
    Detections,
    Heatmap,
    Keypoints,
    Lines,
    Matches,
    Quadrilaterals,
    Segmentation,
)

pytestmark = pytest.mark.cv2
SHAPE = (60, 80)


def examples():
    square = np.array([[20, 10], [20, 30], [50, 30], [50, 10]], np.int32)
    hole = np.array([[30, 15], [40, 15], [40, 25], [30, 25]], np.int32)
    labels = np.zeros(SHAPE, np.int32)
    labels[10:30, 20:50] = 3
    values = np.zeros(SHAPE, np.float32)
    values[20, 30] = 1
    return {
        "contours": Contours((square, hole), SHAPE, [[-1, -1, 1, -1], [-1, -1, -1, 0]]),
        "opencv contours": Contours.from_opencv(
            (square[:, None], hole[:, None]),
            np.array([[[-1, -1, 1, -1], [-1, -1, -1, 0]]], np.int32),
            SHAPE,
        ),
        "segments": Lines([[20, 10, 50, 30]], SHAPE, votes=[5]),
        "lines": Lines.from_rho_theta([[30, 0.0]], SHAPE),
        "circles": Circles([[40, 30]], [8], SHAPE),
        "keypoints": Keypoints(
            [[40, 30]], SHAPE, [8], [90], [0.5], np.array([[1, 2, 3]], np.uint8)
        ),
        "detections": Detections([[20, 10, 50, 30]], [0.5], ["nut"], SHAPE),
        "matches": Matches([[40, 30]], [[5, 6]], SHAPE, (30, 40), [0.5], [[0, 2]]),
        "quadrilaterals": Quadrilaterals.from_corners(
            [[[20, 10], [50, 12], [48, 30], [22, 28]]], [0.5], ["sign"], SHAPE
        ),
        "segmentation": Segmentation(labels, {3: "leaf"}, {3: (1, 2, 3)}),
        "classification": Classification("a", {"a": 0.7, "b": 0.3}, "probability", SHAPE),
        "heatmap": Heatmap(values, target="cat", method="gradcam"),
    }


EVERY = pytest.mark.parametrize("name", examples())


def arrays_of(result):
    for field in fields(result):
        value = getattr(result, field.name)
        yield from (v for v in (value if isinstance(value, tuple) else [value]))


@EVERY
def test_equality_is_by_value_and_a_bool(name):
    one, same = examples()[name], examples()[name]
    assert (one == same) is True
    assert (one != same) is False
    for other in (examples()["circles"][:0], np.zeros(3), 5, None):
        assert (one == other) is False
        assert (other == one) is False


@EVERY
def test_moved_results_differ(name):
    result = examples()[name]
    other = result.mapped([[1, 0, 3], [0, 1, 0], [0, 0, 1]], (60, 90))
    assert (result == other) is False


@EVERY
def test_pickle_and_deepcopy_keep_value_and_protection(name):
    result = examples()[name]
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert again == result
        held = [array for array in arrays_of(again) if isinstance(array, np.ndarray)]
        assert all(not array.flags.writeable for array in held)


@EVERY
def test_frozen(name):
    result = examples()[name]
    with pytest.raises(FrozenInstanceError):
        setattr(result, fields(result)[0].name, None)
    with pytest.raises(TypeError, match="unhashable"):
        hash(result)
    for array in arrays_of(result):
        if isinstance(array, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


@EVERY
def test_records_are_plain_and_keyed_by_columns(name):
    records = examples()[name].to_records()
    assert records
    for record in records:
        assert tuple(record) == type(examples()[name]).columns
        assert {type(value) for value in record.values()} <= {str, int, float, type(None)}
    assert json.loads(json.dumps(records)) == records


@EVERY
@pytest.mark.parametrize("channels", [(), (3,)])
def test_draw_gives_a_new_rgb_image_and_leaves_its_input(name, channels):
    image = np.random.default_rng(0).integers(0, 256, (*SHAPE, *channels), np.uint8)
    before = image.copy()
    drawn = examples()[name].draw(image)
    assert drawn.shape == (*SHAPE, 3)
    assert drawn.dtype == np.uint8
    assert not np.shares_memory(drawn, image)
    assert np.array_equal(image, before)
    assert (drawn != (image if channels else image[..., None])).any()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("contours", np.s_[9:32, 19:52]),
        ("segments", np.s_[9:32, 19:52]),
        ("lines", np.s_[:, 29:32]),
        ("circles", np.s_[21:40, 31:50]),
        ("keypoints", np.s_[25:36, 35:46]),
        ("detections", np.s_[:30, 20:60]),
        ("segmentation", np.s_[10:30, 20:50]),
        ("classification", np.s_[40:, :]),
    ],
)
def test_draw_changes_only_what_is_near(name, near):
    drawn = examples()[name].draw(np.full(SHAPE, 128, np.uint8))
    far = np.ones(SHAPE, bool)
    far[near] = False
    assert (drawn[far] == 128).all()
    assert (drawn[near] != 128).any()


@EVERY
@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros((*SHAPE, 3), np.float32), "to_display"),
        (np.zeros(SHAPE, np.uint16), "to_display"),
        (np.zeros((*SHAPE, 4), np.uint8), r"image\[:, :, :3\]"),
        (np.zeros((*SHAPE, 1), np.uint8), r"image\[:, :, 0\]"),
        (np.zeros((30, 40), np.uint8), "Got one of 40 x 30 pixels"),
        ([[1, 2]], "type list"),
    ],
)
def test_draw_refuses_other_images_by_name(name, image, says):
    with pytest.raises(ImageError, match=says):
        examples()[name].draw(image)


@EVERY
def test_views_in_a_notebook(name):
    result = examples()[name]
    blank = Image.open(io.BytesIO(result._repr_png_()))
    assert blank.size == SHAPE[::-1]
    page = result._repr_html_(np.zeros(SHAPE, np.uint8))
    assert page.count("<img") == 1
    assert all(f"<th>{column}</th>" in page for column in result.columns)


def test_view_escapes_text_and_is_bounded():
    many = Detections([[1, 1, 4, 4]] * 50, labels=["<b>"] * 50, shape=(3000, 4000))
    page = many._repr_html_()
    assert "<b>" not in page
    assert "and 42 more" in page
    assert Image.open(io.BytesIO(many._repr_png_())).size == (640, 480)


@EVERY
def test_repr_is_one_short_line(name):
    text = repr(examples()[name])
    assert text.startswith(type(examples()[name]).__name__)
    assert len(text) < 120
    assert "\n" not in text


@EVERY
def test_numpy_takes_a_result_as_one_object(name):
    result = examples()[name]
    array = np.asarray([result, result, result])
    assert array.shape == (3,)
    assert array.dtype == object
    assert array[1] is result


@EVERY
def test_identity_maps_to_itself(name):
    result = examples()[name]
    assert result.mapped(np.eye(3), SHAPE) == result


@EVERY
@pytest.mark.parametrize(
    "matrix",
    [
        [[4, 0, 1.5], [0, 4, 1.5], [0, 0, 1]],  # four times as large, pixel edges on edges
        [[1, 0, 7], [0, 1, 9], [0, 0, 1]],  # uncropped
        [[0, -1, 59], [1, 0, 0], [0, 0, 1]],  # a quarter turn
    ],
)
def test_matrix_and_its_inverse_are_the_identity(name, matrix):
    if name == "heatmap" and matrix[0][0] == 4:
        pytest.skip("interpolating twice smooths; test_mapping holds it to scikit-image")
    result = examples()[name]
    there = result.mapped(matrix, (300, 400))
    back = there.mapped(np.linalg.inv(matrix), SHAPE)
    for field in fields(result):
        expected, got = getattr(result, field.name), getattr(back, field.name)
        if isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
            np.testing.assert_allclose(got, expected, atol=1e-9)
        elif isinstance(expected, tuple) and isinstance(expected[0], np.ndarray):
            assert all(map(np.array_equal, got, expected))
        else:
            assert np.array_equal(got, expected)


@EVERY
@pytest.mark.parametrize("matrix", [np.eye(2), np.zeros((3, 3)), np.full((3, 3), np.nan), "no"])
def test_mapped_refuses_what_is_no_homography(name, matrix):
    with pytest.raises(ParameterError, match=r"The 'matrix' of \w+\.mapped must be a finite"):
        examples()[name].mapped(matrix, SHAPE)


@EVERY
@pytest.mark.parametrize("shape", [5, (5,), (0, 5), (5.0, 5), (5, 5, 3)])
def test_mapped_refuses_what_is_no_shape(name, shape):
    with pytest.raises(ParameterError, match=r"The 'shape' of \w+\.mapped must be"):
        examples()[name].mapped(np.eye(3), shape)


@pytest.mark.parametrize("name", ["contours", "segments", "circles", "keypoints", "detections"])
def test_selection(name):
    result = examples()[name]
    count = len(result)
    assert result[:] == result
    assert len(result[:0]) == 0
    assert result[[True] * count] == result
    assert len(result[[]]) == 0
    assert result[np.arange(count)] == result
    assert result[[False] * count].draw(np.zeros(SHAPE, np.uint8)).max() == 0
    assert result[[False] * count].to_records() == []
    with pytest.raises(ParameterError, match="index"):
        result[[True] * (count + 1)]
    with pytest.raises(ParameterError, match="index"):
        result["a"]
    with pytest.raises(IndexError):
        result[count]


@pytest.mark.parametrize("name", ["circles", "contours", "detections", "keypoints", "segments"])
def test_what_the_caller_does_later_to_his_arrays_changes_nothing(name):
    build = {
        "circles": lambda data: Circles(data, [1, 1], SHAPE),
        "contours": lambda data: Contours((data.astype(np.int64),), SHAPE),
        "keypoints": lambda data: Keypoints(data, SHAPE),
        "detections": lambda data: Detections(np.hstack([data, data + 1]), shape=SHAPE),
        "segments": lambda data: Lines(np.hstack([data, data]), SHAPE),
    }[name]
    data = np.array([[1.0, 2], [3, 4]])
    result, twin = build(data), build(data.copy())
    data[:] = 7
    assert data.flags.writeable
    assert result == twin


def test_drawing_on_the_image_itself_gives_the_same_and_saves_the_copy():
    image = np.full((40, 60, 3), 90, np.uint8)
    found = Circles([[30, 20]], [10], shape=(40, 60))
    expected, own = found.draw(image), image.copy()
    assert found.draw(own, out=own) is own
    assert np.array_equal(own, expected)
    other = np.zeros_like(image)
    assert np.array_equal(found.draw(image[:, :, 0], out=other), expected)
    with pytest.raises(ParameterError, match=r"'out' of Circles must be a writeable \(40, 60, 3\)"):
        found.draw(image, out=other[:3])
