"""A trace shows every stage on its own grid, and so do the HTML views."""

import re

import numpy as np
import pytest
from skimage import data

import vision
from classical import (
    Canny,
    FindContours,
    GaussianBlur,
    Gray,
    InRange,
    KMeansSegmenter,
    Otsu,
    RawPixels,
    Resize,
    Sobel,
    ToHSV,
)
from vision import Branches, Kind


def test_every_stage_is_kept_on_its_own_grid_and_equals_the_step_by_hand():
    image = data.coffee()
    trace = (Resize(100) >> Gray() >> Otsu() >> FindContours()).trace(image)
    kinds = [Kind.RGB, Kind.RGB, Kind.GRAY, Kind.MASK, Kind.CONTOURS]
    assert [stage.kind for stage in trace.stages] == kinds
    small = Resize(100)(image)
    assert np.array_equal(trace[1].value, small)
    assert np.array_equal(trace[3].value, Otsu()(Gray()(small)))
    assert trace[4].value.shape == (100, 100)
    assert all(stage.picture.dtype == np.uint8 and stage.picture.ndim == 3 for stage in trace)


def test_contours_are_drawn_on_the_picture_of_their_grid():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:40, 30:50] = 200
    trace = (Gray() >> Otsu() >> FindContours()).trace(image)
    changed = np.any(trace[-1].picture != trace[1].picture, axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 16
    assert rows.max() <= 43
    assert columns.min() >= 26
    assert columns.max() <= 53


def test_branches_are_followed_each():
    pipeline = Gray() >> (Otsu() | Canny()) >> FindContours()
    titles = [stage.title for stage in pipeline.trace(data.coffee()).stages]
    assert titles[:4] == ["image", "Gray()", "otsu: Otsu()", "canny: Canny()"]
    assert titles[4].startswith("Or(")


@pytest.mark.parametrize(
    "pipeline",
    [
        ToHSV() >> InRange("hsv", (5, 60, 60), (25, 255, 255)),
        Gray() >> Sobel(),
        GaussianBlur() >> KMeansSegmenter(3),
        Gray() >> RawPixels(8),
        Gray() >> Branches({"edges": Canny(), "mask": Otsu()}),
    ],
    ids=["hsv", "map", "labels", "features", "branches"],
)
def test_every_kind_of_stage_has_a_picture(pipeline):
    trace = pipeline.trace(data.coffee())
    assert trace.stages[-1].picture.std() > 5
    sheet = trace.sheet(900)
    assert sheet.shape[1] == pytest.approx(900, abs=60)
    assert len(re.findall("<img ", trace._repr_html_())) == len(trace)


def test_the_trace_saves_as_a_picture(tmp_path):
    trace = (Gray() >> Canny()).trace(data.coffee())
    trace.save(tmp_path / "stages.png")
    assert np.array_equal(vision.read(tmp_path / "stages.png"), trace.sheet())


def test_a_pipeline_shows_itself_with_a_thumbnail_of_every_stage():
    pipeline = Gray() >> Canny()
    assert pipeline._repr_html_().count("<img ") == 3
    assert set(pipeline._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert Canny()._repr_html_().count("<img ") == 2


def test_a_pipeline_that_is_not_fitted_shows_the_stages_up_to_there():
    from sklearn.svm import SVC

    shown = (Gray() >> RawPixels(4) >> SVC())._repr_html_()
    assert shown.count("<img ") == 3
    assert "not fitted" in shown
