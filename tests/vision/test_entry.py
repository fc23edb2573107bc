"""What may enter a pipeline from files, held against the pictures that are really read."""

import numpy as np
import pytest

import vision
from classical import (
    ColorHistogram,
    FindContours,
    Gray,
    HSVToRGB,
    InRange,
    KMeansSegmenter,
    Otsu,
    RawPixels,
    ToFloat,
    ToHSV,
)
from tests.vision.run_folders import PHOTOS, put_photos, squares
from vision.composition import chain
from vision.entry import MODES, check_entry, entry_of
from vision.errors import KindError
from vision.flow import chain_kinds
from vision.kinds import Kind

SKIN = InRange("hsv", (0, 60, 60), (25, 255, 255))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return put_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture
def unread(monkeypatch):
    """Any file that is read ends the test."""

    def read(*args, **kwargs):
        raise AssertionError("a file was read")

    monkeypatch.setattr("vision.sources.decode_first", read)


def refusal(step, images):
    """Whether the collection is refused as a whole, and whether its first picture is."""
    refused = []
    for attempt in (lambda: check_entry(chain_kinds([step]), images), lambda: step(images[0])):
        try:
            attempt()
        except KindError:
            refused.append(True)
        else:
            refused.append(False)
    return refused


@pytest.mark.parametrize("mode", ["rgb", "gray"])
@pytest.mark.parametrize(
    "step",
    [Gray(), Otsu(), ToHSV(), KMeansSegmenter(2), RawPixels(), ColorHistogram(), ToFloat()],
    ids=lambda step: type(step).__name__,
)
def test_a_collection_is_refused_where_its_pictures_would_be(photos, mode, step):
    whole, one = refusal(step, vision.Images(photos, mode=mode))
    assert whole == one


def test_a_pipeline_of_hsv_is_refused_before_anything_is_read(photos, unread):
    # The array of a colour picture may be HSV for all that anybody can see: it would pass.
    with pytest.raises(KindError, match=r"read as rgb, .* takes an hsv image\. Put ToHSV\(\) in"):
        check_entry(chain_kinds([SKIN]), vision.Images(photos))
    with pytest.raises(KindError, match=r"Images\(\.\.\., mode='rgb'\) and put ToHSV\(\) in front"):
        check_entry(chain_kinds([SKIN]), vision.Images(photos, mode="gray"))
    check_entry(chain_kinds([ToHSV(), SKIN]), vision.Images(photos))


@pytest.mark.parametrize(
    "images",
    [
        lambda folder: vision.Images(folder).map(ToHSV()),
        lambda folder: vision.Images(folder).map(ToHSV())[:2],
        lambda folder: vision.Images([squares(1)]),
        lambda folder: [np.zeros((4, 6, 3), np.uint8)],
        lambda folder: np.zeros((2, 4, 6, 3), np.uint8),
        lambda folder: vision.Images(folder, mode="unchanged"),
        lambda folder: None,
    ],
    ids=["mapped", "sliced", "arrays", "list", "array", "unchanged", "none"],
)
def test_what_may_be_anything_passes(photos, unread, images):
    check_entry(chain_kinds([SKIN]), images(photos))


@pytest.mark.parametrize(
    ("steps", "way_out"),
    [
        ([Otsu()], [Gray()]),
        ([RawPixels(4)], [Gray()]),
        ([FindContours()], [Gray(), Otsu()]),
        ([SKIN], [ToHSV()]),
        ([HSVToRGB()], [ToHSV()]),
    ],
)
def test_the_way_out_of_the_message_works(photos, steps, way_out):
    images = vision.Images(photos)
    with pytest.raises(KindError) as caught:
        check_entry(chain_kinds(steps), images)
    assert " >> ".join(map(repr, way_out)) in str(caught.value)
    repaired = chain(*way_out, *steps)
    check_entry(chain_kinds(repaired._parts()), images)
    assert len(list(repaired.transform(images[:2]))) == 2


@pytest.mark.parametrize(
    ("kinds", "mode", "entry"),
    [
        ([Kind.RGB, Kind.GRAY], "rgb", Kind.RGB),
        ([Kind.RGB, Kind.GRAY], "gray", Kind.GRAY),
        ([Kind.MASK], "gray", Kind.MASK),
        ([Kind.EDGES], "gray", Kind.EDGES),
        ([Kind.ANY], "rgb", Kind.RGB),
        ([Kind.ANY], "gray", Kind.GRAY),
        ([Kind.FLOAT], "unchanged", Kind.FLOAT),
        ([Kind.GRAY], None, Kind.GRAY),
    ],
)
def test_the_kind_that_enters(kinds, mode, entry):
    assert entry_of(kinds, mode) is entry


@pytest.mark.parametrize("mode", [*MODES, None])
def test_no_file_holds_contours(mode):
    with pytest.raises(KindError, match="but the pipeline takes contours"):
        entry_of([Kind.CONTOURS], mode)


def test_the_mode_of_a_collection_says_what_its_pictures_are(photos):
    images = vision.Images(photos, mode="gray")
    assert images.fixed_mode == images[:2].fixed_mode == "gray"
    assert {image.ndim for image in images} == {2}
    assert len(images) == len(PHOTOS)
    assert images.map(Gray()).fixed_mode is None
    assert vision.Images([squares(1)]).fixed_mode is None
