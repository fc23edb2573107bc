"""What a run writes for each kind of result, read back by Pillow."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision import Classification, Contours, Segmentation
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Branched, Kind
from vision.records import Recorder, check_outputs

GREY = np.full((20, 30), 90, np.uint8)


def stored(path):
    with Image.open(path) as image:
        return np.asarray(image)


def recorded(recorder, *arguments):
    """The rows of a result, its files written."""
    rows, files = recorder.record(*arguments)
    for path, data in files.items():
        Path(recorder.out, path).parent.mkdir(parents=True, exist_ok=True)
        Path(recorder.out, path).write_bytes(data)
    return rows


def labels_up_to(highest):
    labels = np.zeros((20, 30), np.int32)
    labels[2:6, 3:9], labels[10:12, 20:30] = 1, highest
    return labels


def test_a_label_map_is_a_png_and_a_row_a_region(tmp_path):
    labels = labels_up_to(7)
    rows = recorded(Recorder(tmp_path), "a.jpg", "a.jpg", GREY, Kind.LABELS, labels)
    assert np.array_equal(stored(tmp_path / "images/a.jpg.png"), labels)
    assert [row["object"] for row in rows] == [1, 2]
    assert [row["label"] for row in rows] == [1, 7]
    assert [row["area"] for row in rows] == [4 * 6, 2 * 10]
    assert {row["output"] for row in rows} == {"images/a.jpg.png"}


@pytest.mark.parametrize(("highest", "mode"), [(255, "L"), (256, "I;16"), (65_535, "I;16")])
def test_labels_take_8_bits_up_to_255_and_16_up_to_65535(tmp_path, highest, mode):
    labels = labels_up_to(highest)
    recorded(Recorder(tmp_path), "a.png", "a.png", GREY, Kind.LABELS, labels)
    with Image.open(tmp_path / "images/a.png") as image:
        assert image.mode == mode
        assert np.array_equal(np.asarray(image), labels)


def test_more_labels_than_a_png_holds_are_refused_and_leave_nothing(tmp_path):
    with pytest.raises(ImageError, match=r"up to 65535\. Got label 65536"):
        recorded(Recorder(tmp_path), "a.png", "a.png", GREY, Kind.LABELS, labels_up_to(65_536))
    assert not list(tmp_path.rglob("*.*"))


def test_a_label_map_without_a_region_is_one_row_with_its_file(tmp_path):
    empty = np.zeros((20, 30), np.int32)
    (row,) = recorded(Recorder(tmp_path), "a.png", "a.png", GREY, Kind.LABELS, empty)
    assert row["object"] == 0
    assert row["label"] is None
    assert not stored(tmp_path / row["output"]).any()


def test_nothing_found_is_one_row_numbered_0_with_all_columns(tmp_path):
    (row,) = recorded(
        Recorder(tmp_path), "a", "a", GREY, Kind.CONTOURS, Contours((), shape=(20, 30))
    )
    assert row == {"source": "a", "object": 0} | dict.fromkeys(Contours.columns)
    assert not list(tmp_path.iterdir())


def test_contours_are_a_row_each(tmp_path):
    square = np.array([[2, 1], [2, 5], [6, 5], [6, 1]])
    found = Contours((square, square + 8), shape=(20, 30))
    rows = recorded(Recorder(tmp_path), "a.jpg", "x/a.jpg", GREY, Kind.CONTOURS, found)
    assert [row["object"] for row in rows] == [1, 2]
    assert [row["area"] for row in rows] == [16, 16]  # 4 by 4 between pixel centres
    assert [row["left"] for row in rows] == [2, 10]
    assert {row["source"] for row in rows} == {"x/a.jpg"}


def test_an_overlay_of_a_mask_colours_its_pixels_alone(tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 10:20] = 255
    recorded(Recorder(tmp_path, overlay=True), "a.png", "a.png", GREY, Kind.MASK, mask)
    drawn = stored(tmp_path / "overlays/a.png").astype(int)
    changed = (drawn != 90).any(axis=2)
    # The outline may reach a little beyond the mask; the rest stays as it was.
    assert changed[5:15, 10:20].all()
    assert not changed[:2].any()
    assert not changed[:, :7].any()


def test_an_overlay_of_a_16_bit_picture_is_stretched_to_8(tmp_path):
    deep = np.full((20, 30), 1000, np.uint16)
    deep[0, 0], deep[0, 1] = 0, 65_535
    found = Contours((np.array([[15, 10], [15, 12], [17, 12]]),), shape=(20, 30))
    recorded(Recorder(tmp_path, overlay=True), "a.png", "a.png", deep, Kind.CONTOURS, found)
    drawn = stored(tmp_path / "overlays/a.png")
    assert drawn.dtype == np.uint8
    assert drawn[0, 0].tolist() == [0, 0, 0]
    assert drawn[0, 1].tolist() == [255, 255, 255]


def test_images_keep_the_format_of_their_source_or_get_the_one_asked_for(tmp_path):
    colour = np.zeros((20, 30, 3), np.uint8)
    for name, file in {"a.jpg": "a.jpg", "b.TIF": "b.TIF", "c.gif": "c.gif.png"}.items():
        (row,) = recorded(Recorder(tmp_path), name, name, colour, Kind.RGB, colour)
        assert row["output"] == f"images/{file}"
        assert (row["width"], row["height"]) == (30, 20)
    (row,) = recorded(Recorder(tmp_path, format="JPEG"), "c.gif", "c.gif", colour, Kind.RGB, colour)
    formats = {}
    for path in (tmp_path / "images").iterdir():
        with Image.open(path) as image:
            formats[path.name] = image.format
    assert formats == {"a.jpg": "JPEG", "b.TIF": "TIFF", "c.gif.png": "PNG", "c.gif.jpg": "JPEG"}


def test_quality_is_for_lossy_formats_alone(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    recorder = Recorder(tmp_path, quality=10)
    recorded(recorder, "a.jpg", "a.jpg", noise, Kind.RGB, noise)
    recorded(recorder, "a.png", "a.png", noise, Kind.RGB, noise)
    with Image.open(tmp_path / "images/a.jpg") as image:
        # IJG: quality 10 scales the standard table (16, 11, 10, ...) by 5.
        assert list(image.quantization[0][:3]) == [80, 55, 50]
    assert np.array_equal(stored(tmp_path / "images/a.png"), noise)


def test_branches_have_folders_and_a_column_even_within_branches(tmp_path):
    kind = Branched(mask=Kind.MASK, more=Branched(what=Kind.CLASS))
    result = {"mask": GREY * 0, "more": {"what": Classification("cat")}}
    rows = recorded(Recorder(tmp_path), "a.png", "a.png", GREY, kind, result)
    assert [(row["branch"], row["object"]) for row in rows] == [("mask", 1), ("more/what", 1)]
    assert rows[0]["output"] == "images/mask/a.png"
    assert rows[1]["label"] == "cat"


def test_features_carry_their_names_where_these_fit(tmp_path):
    row = np.array([0.5, 0.1], np.float32)
    recorder = Recorder(tmp_path, names=["hue", "size"])
    (named,) = recorded(recorder, "a", "a", GREY, Kind.FEATURES, row)
    assert list(named) == ["source", "object", "hue", "size"]
    assert str(named["size"]) == "0.1"  # as float32, not 0.10000000149
    (numbered,) = recorded(recorder, "a", "a", GREY, Kind.FEATURES, row[:1])
    assert numbered["feature_1"] == 0.5
    kind = Branched(left=Kind.FEATURES)
    recorder = Recorder(tmp_path, names=["left__hue", "right__hue"])
    (inside,) = recorded(recorder, "a", "a", GREY, kind, {"left": row[:1]})
    assert list(inside) == ["source", "branch", "object", "hue"]


@pytest.mark.parametrize(
    ("value", "column"),
    [(np.float64(3.5), "value"), (np.array([1.0, 2.0]), "feature_1"), (GREY * 0, "width")],
)
def test_what_nobody_declared_is_told_by_its_looks(tmp_path, value, column):
    (row,) = recorded(Recorder(tmp_path), "a.png", "a.png", GREY, Kind.ANY, value)
    assert column in row


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((4, 4), np.float32), r"a float image: end the pipeline with ToUint8\(\)"),
        ([1, 2], "a value of type list"),
    ],
)
def test_what_nobody_declared_and_cannot_be_written_is_refused(tmp_path, value, message):
    with pytest.raises(KindError, match=message):
        recorded(Recorder(tmp_path), "a.png", "a.png", GREY, Kind.ANY, value)


def test_a_segmentation_with_names_keeps_them(tmp_path):
    found = Segmentation(labels_up_to(2), names={1: "leaf"})
    rows = recorded(Recorder(tmp_path), "a.png", "a.png", GREY, Kind.LABELS, found)
    assert [row["name"] for row in rows] == ["leaf", None]


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [
        (Kind.MAP, "Normalize()"),
        (Kind.FLOAT, "ToUint8()"),
        (Kind.HSV, "HSVToRGB()"),
        (Kind.LAB, "LabToRGB()"),
    ],
)
def test_kinds_that_cannot_be_written_are_refused_with_a_way_out_that_works(kind, way_out):
    import classical

    with pytest.raises(KindError) as caught:
        check_outputs(kind, overlay=False, format=None)
    assert str(caught.value).endswith(f"end it with {way_out}.")
    step = getattr(classical, way_out.removesuffix("()"))()
    check_outputs(step.gives_for(kind), overlay=False, format=None)
    with pytest.raises(KindError, match="in its branch 'b'"):
        check_outputs(Branched(a=Kind.MASK, b=kind), overlay=False, format=None)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Kind.RGB, {"overlay": True, "format": None}, "'overlay' of run"),
        (Kind.FEATURES, {"overlay": True, "format": None}, "leave overlay out"),
        (Kind.MASK, {"overlay": False, "format": "JPEG"}, "masks and label maps are PNG"),
        (Branched({"../x": Kind.MASK}), {"overlay": False, "format": None}, "branch '../x'"),
        (Branched(a=Branched({"..": Kind.MASK})), {"overlay": False, "format": None}, "slashes"),
    ],
)
def test_options_that_would_do_nothing_or_harm_are_refused(kind, options, message):
    with pytest.raises(ParameterError, match=message):
        check_outputs(kind, **options)


def test_format_is_for_overlays_of_masks_too():
    check_outputs(Kind.MASK, overlay=True, format="JPEG")
