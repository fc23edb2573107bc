"""Truth of one image: each refusal names an expression, and that makes of it what is right."""

import numpy as np
import pytest
from skimage import data

from tests.vision.truths import disc, mended, message_of, wrong_masks
from vision.errors import ParameterError
from vision.kinds import Kind
from vision.tasks import task_of
from vision.truth import check_truth


class TestMasks:
    @pytest.mark.parametrize("kind", [Kind.MASK, Kind.EDGES, Kind.MAP])
    @pytest.mark.parametrize("name", wrong_masks())
    def test_the_expression_of_the_message_makes_the_mask(self, name, kind):
        entry = wrong_masks()[name]
        check_truth([mended(message_of([entry], kind), entry)], kind, 1)
        assert np.array_equal(mended(message_of([entry], kind), entry), disc())

    def test_the_index_and_the_values_are_named(self):
        masks = [disc(), disc(), disc() // 255]
        said = message_of(masks, Kind.MASK, 3)
        assert "'truth' of a pipeline that gives a mask" in said
        assert "shape (40, 60) and dtype uint8 with the values 0, 1 at index 2" in said

    @pytest.mark.parametrize("kind", [Kind.EDGES, Kind.MAP])
    def test_several_annotators_of_one_image(self, kind):
        check_truth([[disc(), disc()], disc(), np.stack([disc()] * 5)], kind, 3)
        said = message_of([disc(), [disc(), disc() > 0]], kind, 2)
        assert "dtype bool at index 1" in said
        assert "a list of 0" in message_of([[]], kind)
        assert "at index 0" in message_of([np.zeros((0, 4, 5), np.uint8)], kind)

    def test_annotators_are_for_edges_alone(self):
        assert "a list of 2 at index 0" in message_of([[disc(), disc()]], Kind.MASK)
        assert "(5, 40, 60)" in message_of([np.stack([disc()] * 5)], Kind.MASK)


class TestLabels:
    @pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
    def test_whole_numbers_of_any_width_but_uint8(self, dtype):
        check_truth([np.array([[0, 7]], dtype)], Kind.LABELS, 1)

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            (np.array([[0, 3]], np.uint8), [[0, 3]]),
            (np.array([[0, 3]], np.uint64), [[0, 3]]),
            (np.array([[0.0, 3.0]]), [[0, 3]]),
            (np.array([[False, True]]), [[0, 1]]),
            (np.array([[0, 255]], np.uint8), [[0, 1]]),
            (np.array([[[2] * 3, [9] * 3]], np.uint8), [[2, 9]]),
            (np.array([[[2] * 3, [9] * 3]], np.int32), [[2, 9]]),
        ],
    )
    def test_what_is_no_label_map(self, entry, expected):
        right = mended(message_of([entry], Kind.LABELS), entry)
        check_truth([right], Kind.LABELS, 1)
        assert right.tolist() == expected

    def test_a_coloured_map_needs_a_decision(self):
        said = message_of([data.coffee()[:4, :5]], Kind.LABELS)
        assert "Colours are no labels" in said
        assert "Make one" not in said


class TestImages:
    COLOR, PLANE = data.coffee()[100:140, 200:260], data.camera()[200:240, 200:260]
    DEEP = COLOR.astype(np.uint16) * 257

    @pytest.mark.parametrize(
        ("kind", "entry", "expected"),
        [
            (Kind.RGB, np.dstack([COLOR, PLANE]), COLOR),
            (Kind.RGB, PLANE, np.dstack([PLANE] * 3)),
            (Kind.RGB, COLOR.astype(np.float64), COLOR),
            (Kind.RGB, COLOR / 255, COLOR),
            (
                Kind.RGB,
                (COLOR.astype(np.uint16) * 257).astype(">u2"),
                COLOR.astype(np.uint16) * 257,
            ),
            (Kind.GRAY, np.dstack([PLANE] * 3), PLANE),
            (Kind.GRAY, np.dstack([PLANE] * 4), PLANE),
            (Kind.GRAY, PLANE[:, :, None], PLANE),
            (Kind.GRAY, PLANE.astype(np.int64), PLANE),
            (Kind.GRAY, (PLANE / 255).astype(np.float32), PLANE),
            (Kind.GRAY, PLANE > 100, (PLANE > 100).astype(np.uint8) * 255),
            (Kind.FLOAT, PLANE, (PLANE / 255).astype(np.float32)),
            (Kind.FLOAT, COLOR.astype(np.float32), (COLOR / 255).astype(np.float32)),
            (Kind.FLOAT, PLANE / 255, (PLANE / 255).astype(np.float32)),
            (Kind.FLOAT, PLANE > 100, (PLANE > 100).astype(np.float32)),
        ],
    )
    def test_the_expression_of_the_message_makes_the_image(self, kind, entry, expected):
        right = mended(message_of([entry], kind), entry)
        check_truth([right], kind, 1)
        assert right.dtype == expected.dtype
        np.testing.assert_allclose(right, expected, rtol=1e-6)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1e6])
    def test_a_float_image_is_finite_and_in_range(self, value):
        image = np.full((2, 3), 0.5, np.float32)
        check_truth([image], Kind.FLOAT, 1)
        image[1, 2] = value
        assert "with values from" in message_of([image], Kind.FLOAT)

    def test_of_8_and_16_bits_the_one_that_the_result_has(self):
        check_truth([self.PLANE, self.PLANE.astype(np.uint16)], Kind.GRAY, 2)
        with pytest.raises(
            ParameterError, match=r"truth of image 1 is .*uint16, the result .*uint8"
        ):
            task_of(Kind.GRAY).score([self.PLANE] * 2, [self.PLANE, self.PLANE.astype(np.uint16)])
