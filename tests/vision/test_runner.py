"""Folder runs, end to end: outputs against cv2 by hand, rows counted by hand."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

import vision
from classical import (
    FindContours,
    GaussianBlur,
    Gray,
    KMeansSegmenter,
    Otsu,
)
from tests.vision.run_folders import (
    PHOTOS,
    Spy,
    encoded,
    files_below,
    put,
    put_broken,
    put_photos,
    run,
    squares,
    stored,
    table,
)
from vision.errors import (
    WriteError,
)
from vision.kinds import Kind
from vision.run_summary import RunSummary
from vision.staging import Staging


@pytest.fixture
def photos(tmp_path):
    return put_photos(tmp_path / "photos")


@pytest.fixture
def broken(photos):
    """The photographs among files that are none."""
    put_broken(photos)
    return photos


# What is written


def test_masks_equal_those_of_cv2_by_hand(photos, tmp_path):
    out = tmp_path / "out"
    run(Gray() >> Otsu(), photos, out)
    for name in PHOTOS:
        read = cv2.imdecode(np.fromfile(photos / name, np.uint8), cv2.IMREAD_COLOR)
        grey = cv2.cvtColor(read, cv2.COLOR_BGR2GRAY)
        _, expected = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
        output = "images/" + (name if name.endswith(".png") else f"{name}.png")
        assert np.array_equal(stored(out / output), expected), name
    assert len(files_below(out / "images")) == len(PHOTOS)


def test_rows_are_counted_by_hand_and_stand_in_the_order_of_the_files(tmp_path):
    for count in (3, 0, 12, 1):
        put(tmp_path / "in", f"{count}.png", squares(count))
    pipeline = Otsu() >> FindContours()
    summary = run(pipeline, tmp_path / "in", tmp_path / "out", threads=3)
    rows = table(summary.results_csv)
    assert [(row["source"], row["object"]) for row in rows] == [
        ("0.png", "0"),
        ("1.png", "1"),
        *(("3.png", str(number)) for number in (1, 2, 3)),
        *(("12.png", str(number)) for number in range(1, 13)),
    ]
    assert all(row["area"] == "81.0" for row in rows[1:])  # 9 by 9 between pixel centres
    assert sorted(float(row["left"]) for row in rows[2:5]) == [5, 20, 35]
    assert set(rows[0].values()) == {"0.png", "0", ""}
    assert (summary.done, summary.failed) == (4, 0)


def test_a_bad_file_costs_its_own_row_and_nothing_else(broken, tmp_path):
    summary = run(Gray() >> Otsu(), broken, tmp_path / "out")
    errors = {row["source"]: row for row in table(summary.errors_csv)}
    assert set(errors) == {"sub/torn.jpg", "empty.png", "words.png"}
    assert {row["error"] for row in errors.values()} == {"ImageError"}
    assert "truncated" in errors["sub/torn.jpg"]["reason"]
    assert "empty" in errors["empty.png"]["reason"]
    assert [row["source"] for row in table(summary.results_csv)] == sorted(PHOTOS, key=str.lower)
    assert (summary.done, summary.failed) == (len(PHOTOS), 3)


def test_errors_csv_has_its_header_when_all_is_well(photos, tmp_path):
    summary = run(Gray(), photos, tmp_path / "out")
    assert summary.errors_csv.read_text() == "source,error,reason\n"


def test_nothing_but_the_outputs_is_left_in_the_folder(broken, tmp_path):
    out = tmp_path / "out"
    run(GaussianBlur(5), broken, out)
    pictures = {"cat.jpg", "cat.png", "coins.png", "sub/deep/kaffee ünï.tif", "sub/page.png"}
    own = {"results.csv", "errors.csv", "pipeline.yaml", "ledger.jsonl", "index.html"}
    expected = own | {f"images/{p}" for p in pictures}
    assert files_below(out) == expected


def test_colours_come_out_in_the_order_in_which_pillow_reads_them(photos, tmp_path):
    run(GaussianBlur(5), photos, tmp_path / "out")
    expected = cv2.GaussianBlur(data.chelsea(), (5, 5), 0)
    assert np.array_equal(stored(tmp_path / "out/images/cat.png"), expected)
    assert np.array_equal(
        stored(tmp_path / "out/images/sub/deep/kaffee ünï.tif"),
        cv2.GaussianBlur(data.coffee(), (5, 5), 0),
    )


def test_images_take_the_format_asked_for(photos, tmp_path):
    summary = run(GaussianBlur(5), photos, tmp_path / "out", format="jpg", quality=50)
    for row in table(summary.results_csv):
        with Image.open(tmp_path / "out" / row["output"]) as image:
            assert image.format == "JPEG"
            assert image.size == (int(row["width"]), int(row["height"]))
            assert image.quantization[0][0] == 16  # the standard table of quality 50


def test_an_overlay_is_the_result_drawn_on_the_picture(photos, tmp_path):
    pipeline = Gray() >> Otsu() >> FindContours(min_area=200)
    run(pipeline, photos, tmp_path / "out", overlay=True)
    image = stored(photos / "cat.png")
    expected = pipeline(image).draw(image)
    assert np.array_equal(stored(tmp_path / "out/overlays/cat.png"), expected)
    assert len(files_below(tmp_path / "out/overlays")) == len(PHOTOS)
    assert not (tmp_path / "out/images").exists()


def test_branches_have_a_folder_and_a_column_each(photos, tmp_path):
    found = Gray() >> Otsu() >> FindContours(min_area=500)
    both = vision.Branches({"gray": Gray(), "found": found})
    summary = run(both, photos, tmp_path / "out", overlay=True)
    rows = table(summary.results_csv)
    assert list(rows[0])[:4] == ["source", "branch", "object", "output"]
    cat = [row for row in rows if row["source"] == "cat.png"]
    assert [row["branch"] for row in cat] == ["gray"] + ["found"] * len(found(data.chelsea()))
    grey = cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2GRAY)
    assert np.array_equal(stored(tmp_path / "out/images/gray/cat.png"), grey)
    assert (tmp_path / "out/overlays/found/cat.png").exists()
    assert not (tmp_path / "out/overlays/gray").exists()


def test_label_maps_give_a_row_a_region(photos, tmp_path):
    summary = run(KMeansSegmenter(3), [photos / "cat.png"], tmp_path / "out")
    labels = stored(tmp_path / "out/images/cat.png")
    rows = table(summary.results_csv)
    counts = {int(row["label"]): int(row["area"]) for row in rows}
    values, pixels = np.unique(labels[labels > 0], return_counts=True)
    assert counts == dict(zip(values.tolist(), pixels.tolist(), strict=True))


def test_16_bits_pass_through_a_run(tmp_path):
    deep = np.arange(600, dtype=np.uint16).reshape(20, 30) * 100
    put(tmp_path / "in", "deep.png", deep)
    run(vision.chain("passthrough"), tmp_path / "in", tmp_path / "out")
    read = cv2.imread(str(tmp_path / "out/images/deep.png"), cv2.IMREAD_UNCHANGED)
    assert read.dtype == np.uint16
    assert np.array_equal(read[..., 0], deep)


# What ran


class Brightness(vision.FeatureStep):
    """The mean of each channel or of the one."""

    takes = (Kind.GRAY,)

    def apply(self, image):
        return np.array([image.mean(), image.std()], np.float32)

    def get_feature_names_out(self, input_features=None):
        return np.array(["mean", "deviation"], dtype=object)


def test_features_are_columns_by_name(photos, tmp_path):
    summary = run(Gray() >> Brightness(), photos, tmp_path / "out")
    row = next(r for r in table(summary.results_csv) if r["source"] == "coins.png")
    assert list(row) == ["source", "object", "mean", "deviation"]
    assert float(row["mean"]) == pytest.approx(data.coins().mean(), rel=1e-6)


def test_a_fitted_classifier_gives_a_row_a_picture_and_is_kept_whole(photos, tmp_path):
    from sklearn.linear_model import LogisticRegression

    from classical import RawPixels

    pipeline = Gray() >> RawPixels(4) >> LogisticRegression()
    images = vision.Images(photos)
    pipeline.fit(images, ["cat", "cat", "other", "other", "other"])
    summary = run(pipeline, photos, tmp_path / "out", overlay=True)
    rows = table(summary.results_csv)
    assert [row["label"] for row in rows] == pipeline.predict(images).tolist()
    probable = pipeline.predict_proba(images).max(axis=1)
    assert [float(row["score"]) for row in rows] == pytest.approx(probable.tolist(), rel=1e-4)
    again = vision.load(tmp_path / "out/pipeline.vision")
    assert again.predict(images).tolist() == pipeline.predict(images).tolist()
    assert (tmp_path / "out/overlays/cat.jpg").exists()


@pytest.mark.parametrize("probable", [False, True])
def test_the_table_says_what_the_scores_of_classes_are(photos, tmp_path, probable):
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    from classical import RawPixels

    images, labels = vision.Images(photos), ["cat", "cat", "other", "other", "other"]
    model = LogisticRegression() if probable else LinearSVC()
    pipeline = (Gray() >> RawPixels(4) >> model).fit(images, labels)
    rows = table(run(pipeline, photos, tmp_path / "out").results_csv)
    assert {row["score_kind"] for row in rows} == {"probability" if probable else "decision"}
    if not probable:
        values = np.abs(pipeline.decision_function(images))
        assert [float(row["score"]) for row in rows] == pytest.approx(values.tolist())
        assert [float(row["runner_up_score"]) for row in rows] == pytest.approx((-values).tolist())


def test_a_pipeline_with_a_fixed_mask_is_kept_with_it(tmp_path):
    frame = np.zeros((40, 200), np.uint8)
    frame[:, :100] = 255
    run(Otsu() & frame, [squares(12)], tmp_path / "out")
    again = vision.load(tmp_path / "out/pipeline.vision")
    assert np.array_equal(again(squares(12)), stored(tmp_path / "out/images/000000.png"))
    assert files_below(tmp_path / "out") == {
        *("results.csv", "errors.csv", "pipeline.vision", "images/000000.png", "ledger.jsonl"),
        "index.html",
    }


def test_a_step_of_ones_own_runs_though_it_has_no_text(tmp_path):
    seen = []
    summary = run(Spy(lambda image: seen.append(image.shape)), [squares(1)], tmp_path / "out")
    assert seen == [(40, 200)]
    assert summary.done == 1
    assert "Spy" in (tmp_path / "out/pipeline.txt").read_text()


def test_a_function_of_scikit_learn_runs(tmp_path):
    from sklearn.preprocessing import FunctionTransformer

    turned = FunctionTransformer(lambda images: [image.T.copy() for image in images])
    summary = run(vision.chain(turned), [squares(1), squares(3)], tmp_path / "out")
    assert np.array_equal(stored(tmp_path / "out/images/000001.png"), squares(3).T)
    assert summary.done == 2


# Names and words


def test_a_name_that_is_too_long_is_one_row(tmp_path):
    put(tmp_path / "in", f"{'a' * 250}.jpg", squares(1))
    put(tmp_path / "in", "b.jpg", squares(1))
    summary = run(Gray() >> Otsu(), tmp_path / "in", tmp_path / "out")
    (row,) = table(summary.errors_csv)
    assert row["error"] == "WriteError"
    assert "could not be written" in row["reason"]
    assert summary.done == 1


def test_a_file_whose_overlay_cannot_be_written_leaves_no_mask(tmp_path, monkeypatch):
    add = Staging.add

    def refuse_overlays(staging, path, data):
        if "overlays" in path:
            raise WriteError("no overlay today")
        add(staging, path, data)

    monkeypatch.setattr(Staging, "add", refuse_overlays)
    summary = run(Otsu(), [squares(1)], tmp_path / "out", overlay=True)
    assert summary.failed == 1
    assert files_below(tmp_path / "out/images") == set()


def test_a_name_that_is_no_text_is_kept_to_the_byte(tmp_path):
    (tmp_path / "in").mkdir()
    odd = os.fsdecode(b"odd \xff.png")
    (tmp_path / "in" / odd).write_bytes(encoded(squares(2), ".png"))
    summary = run(Otsu(), tmp_path / "in", tmp_path / "out")
    (output,) = (tmp_path / "out/images").iterdir()
    assert os.fsencode(output.name) == b"odd \xff.png"
    assert table(summary.results_csv)[0]["source"] == "odd \\udcff.png"


def test_progress_goes_to_standard_error_unless_refused(tmp_path, capsys):
    vision.run(Otsu(), [squares(1)] * 3, tmp_path / "a")
    said = capsys.readouterr()
    assert said.err.startswith("3 of 3 files, ")
    assert said.out == ""
    vision.run(Otsu(), [squares(1)] * 3, tmp_path / "b", progress=False)
    assert capsys.readouterr() == ("", "")


def test_the_summary_says_where_everything_is(broken, tmp_path):
    summary = run(Gray(), broken, tmp_path / "out")
    assert isinstance(summary, RunSummary)
    assert summary.out == tmp_path / "out"
    assert repr(summary).startswith(f"RunSummary({len(PHOTOS)} done, 3 failed in ")
    assert str(summary.errors_csv) in repr(summary)
