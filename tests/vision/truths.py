"""Wrong truth, and what the advice of its refusal makes of it."""

import numpy as np
import pytest

import vision
from classical import Gray, ToFloat, ToRGB, ToUint8
from vision.errors import ParameterError
from vision.truth import check_truth

# What the expressions of the messages are made of.
NAMES = {
    "np": np,
    "vision": vision,
    **{step.__name__: step for step in (Gray, ToFloat, ToRGB, ToUint8)},
}


def disc(height=40, width=60):
    rows, columns = np.mgrid[:height, :width]
    return ((rows - 20) ** 2 + (columns - 30) ** 2 < 150).astype(np.uint8) * 255


def wrong_masks():
    right = disc()
    return {
        "0 and 1": right // 255,
        "bool": right > 0,
        "float in [0, 1]": (right / 255).astype(np.float32),
        "float to 255": right.astype(np.float64),
        "rgb": np.repeat(right[:, :, None], 3, axis=2),
        "rgb of 0 and 1": np.repeat(right[:, :, None] // 255, 3, axis=2),
        "red": right[:, :, None] * np.array([1, 0, 0], np.uint8),
        "green, with alpha": np.dstack([right * 0, right, right * 0, right | 255]),
        "one channel": right[:, :, None],
        "label map": (right // 85).astype(np.int32),
        "numbers of objects": (right // 255 * 7).astype(np.uint8),
        "16 bits": right.astype(np.uint16) * 257,
        "soft edges": np.where(right == 255, 250, 3).astype(np.uint8) + right // 51,
        "int64 of 0 and 1": (right // 255).astype(np.int64),
    }


def message_of(truth, kind, count=1):
    with pytest.raises(ParameterError, match="truth") as caught:
        check_truth(truth, kind, count)
    return str(caught.value)


def run(expression, **names):
    return eval(expression.removesuffix("."), NAMES | names)  # noqa: S307


def mended(message, entry):
    """What the expression of the message makes of the entry."""
    expression = message.partition("Make one of it: ")[2]
    assert expression, message
    return run(expression, **dict.fromkeys(("mask", "labels", "image", "boxes"), entry))
