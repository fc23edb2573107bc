"""What a folder run takes: how pictures are read, and what is refused before any is."""

import io
import subprocess
import sys
import zipfile

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
    InRange,
    LoG,
    Otsu,
    RawPixels,
    ToHSV,
)
from tests.vision.run_folders import (
    PHOTOS,
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
    ImageNotFoundError,
    KindError,
    LedgerInUseError,
    OutputExistsError,
    ParameterError,
    WriteError,
)
from vision.ledger import Ledger


@pytest.fixture
def photos(tmp_path):
    return put_photos(tmp_path / "photos")


@pytest.fixture
def broken(photos):
    """The photographs among files that are none."""
    put_broken(photos)
    return photos


# What is read, and how


def test_files_are_read_in_the_mode_asked_for(photos, tmp_path):
    run(Otsu(), photos, tmp_path / "out", mode="gray")
    for name in ("cat.png", "coins.png", "sub/page.png"):
        gray = cv2.cvtColor(cv2.imread(str(photos / name)), cv2.COLOR_BGR2GRAY)
        _, expected = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)
        assert np.array_equal(stored(tmp_path / "out/images" / name), expected), name


def test_a_model_of_gray_pictures_runs_over_colour_in_gray_alone(photos, tmp_path):
    from sklearn.naive_bayes import GaussianNB

    from classical import RawPixels

    images = vision.Images(photos, mode="gray")
    model = (RawPixels(4) >> GaussianNB()).fit(images, ["a", "a", "b", "b", "b"])
    with pytest.raises(KindError, match=r"as 'cat.jpg' is, .* mode='gray' \(--mode gray\), or"):
        run(model, photos, tmp_path / "out")
    with pytest.raises(KindError, match=r"Read them with Images\(\.\.\., mode='gray'\), or put"):
        run(model, vision.Images(photos), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for number, source in enumerate((photos, images)):
        options = {} if source is images else {"mode": "gray"}
        summary = run(model, source, tmp_path / f"out{number}", **options)
        assert [row["label"] for row in table(summary.results_csv)] == list(model.predict(images))


def test_masks_and_gray_pictures_are_read_as_they_are_stored(photos, tmp_path):
    put(tmp_path / "in", "a.png", squares(3))
    summary = run(FindContours(), tmp_path / "in", tmp_path / "masks")
    assert len(table(summary.results_csv)) == 3
    run(Otsu(), photos / "coins.png", tmp_path / "gray")
    _, expected = cv2.threshold(data.coins(), 0, 255, cv2.THRESH_OTSU)
    assert np.array_equal(stored(tmp_path / "gray/images/coins.png"), expected)
    with pytest.raises(KindError, match=r"Files of masks .* mode='gray'.*; photographs need Gray"):
        run(FindContours(), photos, tmp_path / "out")


def test_what_cannot_be_read_does_not_say_whether_pictures_are_in_colour(broken, tmp_path):
    put(broken, "0.png", squares(1)).write_bytes(b"no picture")
    with pytest.raises(KindError, match=r"in colour, as 'cat.jpg' is"):
        run(Otsu(), broken, tmp_path / "out")
    put(tmp_path / "in", "b.png", squares(1))
    put(tmp_path / "in", "a.png", squares(1)).write_bytes(b"no picture")
    put(tmp_path / "in", "c.png", data.chelsea())
    summary = run(Otsu(), tmp_path / "in", tmp_path / "out")
    errors = {row["source"]: row["error"] for row in table(summary.errors_csv)}
    assert errors == {"a.png": "ImageError", "c.png": "KindError"}


def test_an_archive_of_colour_pictures_is_refused_as_a_folder_is(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as file:
        file.write(photos / "cat.png", "cat.png")
    with pytest.raises(KindError, match=r"in colour, as 'cat.png' is"):
        run(Otsu(), tmp_path / "some.zip", tmp_path / "out")
    assert run(Otsu(), tmp_path / "some.zip", tmp_path / "out", mode="gray").done == 1


def test_a_pipeline_of_colour_refuses_pictures_read_as_gray(photos, tmp_path):
    with pytest.raises(KindError, match=r"read as gray, but .* mode='rgb'.* ToRGB\(\) in front"):
        run(ToHSV() >> InRange("hsv", (0, 0, 0), (9, 9, 9)), photos, tmp_path / "out", mode="gray")


@pytest.mark.parametrize("form", ["arrays", "generator", "Images of arrays", "mapped"])
def test_pictures_that_nobody_reads_in_a_mode_are_taken_as_they_come(photos, tmp_path, form):
    source = {
        "arrays": [squares(2)],
        "generator": (squares(count) for count in [2]),
        "Images of arrays": vision.Images([squares(2)]),
        "mapped": vision.Images(photos)[:1].map(Gray()),
    }[form]
    assert run(Otsu(), source, tmp_path / "out").done == 1


def test_a_mode_that_would_do_nothing_is_refused(photos, tmp_path):
    with pytest.raises(ParameterError, match="given to Images"):
        run(Gray(), vision.Images(photos), tmp_path / "out", mode="rgb")
    with pytest.raises(ParameterError, match="'mode' of run must be left out"):
        run(Gray(), [squares(1)], tmp_path / "out", mode="gray")
    with pytest.raises(ParameterError, match="Did you mean 'gray'"):
        run(Gray(), photos, tmp_path / "out", mode="grey")


def test_pictures_as_they_are_stored_are_refused_one_by_one(photos, tmp_path):
    summary = run(Otsu(), photos, tmp_path / "out", mode="unchanged")
    assert {row["source"] for row in table(summary.results_csv)} == {"coins.png", "sub/page.png"}
    reasons = {row["source"]: row for row in table(summary.errors_csv)}
    assert set(reasons) == set(PHOTOS) - {"coins.png", "sub/page.png"}
    assert reasons["cat.jpg"]["error"] == "KindError"
    assert "Gray()" in reasons["cat.jpg"]["reason"]


@pytest.mark.parametrize("form", ["list", "pattern", "zip", "images", "iterator"])
def test_any_source_gives_the_same_masks(photos, tmp_path, form):
    names = ["cat.png", "coins.png"]
    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.write(photos / name, name)
    source = {
        "list": [photos / name for name in names],
        "pattern": str(photos / "c*.png"),
        "zip": archive,
        "images": vision.Images([photos / name for name in names]),
        "iterator": (photos / name for name in names),
    }[form]
    summary = run(Gray() >> Otsu(), source, tmp_path / "out")
    assert [row["source"] for row in table(summary.results_csv)] == names
    grey = cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2GRAY)
    expected = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1]
    assert np.array_equal(stored(tmp_path / "out/images/cat.png"), expected)


def test_pictures_in_memory_are_png_by_number(tmp_path):
    summary = run(Otsu(), [squares(1), squares(2)], tmp_path / "out")
    rows = table(summary.results_csv)
    assert [row["output"] for row in rows] == ["images/000000.png", "images/000001.png"]
    assert np.array_equal(stored(tmp_path / "out/images/000001.png"), squares(2))


def test_a_file_listed_twice_is_done_twice_under_two_names(photos, tmp_path):
    summary = run(Gray(), [photos / "coins.png"] * 2, tmp_path / "out")
    rows = table(summary.results_csv)
    assert len({row["output"] for row in rows}) == 2
    assert all(np.array_equal(stored(tmp_path / "out" / r["output"]), data.coins()) for r in rows)


def test_max_pixels_is_kept(photos, tmp_path):
    summary = run(Gray(), photos, tmp_path / "out", max_pixels=300 * 451)
    errors = {row["source"]: row["reason"] for row in table(summary.errors_csv)}
    assert set(errors) == {"sub/deep/kaffee ünï.tif"}  # 400 x 600; the others have less
    assert "max_pixels" in errors["sub/deep/kaffee ünï.tif"]


def test_max_pixels_of_a_collection_is_its_own(photos, tmp_path):
    with pytest.raises(ParameterError, match="given to Images"):
        run(Gray(), vision.Images(photos), tmp_path / "out", max_pixels=10)


# What is refused, before anything is read or made


@pytest.mark.parametrize(
    ("pipeline", "options", "error", "message"),
    [
        (Gray() >> LoG(), {}, KindError, r"a map: end it with Normalize\(\)"),
        (ToHSV(), {}, KindError, r"an hsv image: end it with HSVToRGB\(\)"),
        (Gray(), {"threads": 0}, ParameterError, "'threads' of run"),
        (Gray(), {"format": "bmpp"}, ParameterError, "'format' of run.*Did you mean"),
        (Gray(), {"quality": 101}, ParameterError, "'quality' of run"),
        (Gray(), {"quality": 50, "format": "png"}, ParameterError, "PNG, which is lossless"),
        (Gray(), {"overlay": 1}, ParameterError, "'overlay' of run"),
        (Gray(), {"overlay": True}, ParameterError, "leave overlay out"),
        (Gray() >> Otsu(), {"format": "jpg"}, ParameterError, "masks and label maps are PNG"),
        ("p.yaml", {}, ParameterError, r"vision\.load"),
        (Gray() >> GaussianBlur(4), {}, ParameterError, "'size' of GaussianBlur"),
        (Otsu(), {}, KindError, r"mode='gray' \(--mode gray\), or put Gray\(\) in front"),
        (InRange("hsv", (0, 0, 0), (9, 9, 9)), {}, KindError, r"Put ToHSV\(\) in front"),
        (ToHSV(), {"mode": "gray"}, KindError, "Read them with mode='rgb'"),
        (Gray(), {"mode": "bgr"}, ParameterError, "'mode' of run must be 'rgb', 'gray'"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_read(
    photos, tmp_path, monkeypatch, pipeline, options, error, message
):
    def unread(*args, **kwargs):
        raise AssertionError("a file was read")

    monkeypatch.setattr("vision.sources.decode_first", unread)
    with pytest.raises(error, match=message):
        run(pipeline, photos, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_pipeline_that_takes_no_picture_is_refused(photos, tmp_path):
    from classical import HSVToRGB

    with pytest.raises(KindError, match=r"takes an hsv image\. Put ToHSV\(\) in front"):
        run(HSVToRGB(), photos, tmp_path / "out")


def test_an_unfitted_pipeline_is_refused(photos, tmp_path):
    from sklearn.exceptions import NotFittedError
    from sklearn.naive_bayes import GaussianNB

    with pytest.raises(NotFittedError, match="GaussianNB is not fitted"):
        run(Gray() >> RawPixels(8) >> GaussianNB(), photos, tmp_path / "out")


@pytest.mark.parametrize(
    "name",
    [
        "images/cat.png",
        "results.csv",
        "results.parquet",
        "vanished.csv",
        "pipeline.yaml",
        "pipeline.vision",
        "ledger.jsonl",
    ],
)
def test_what_no_run_made_is_never_written_over(photos, tmp_path, name):
    put(tmp_path / "out", "images/cat.png", squares(1)).rename(tmp_path / "kept")
    (tmp_path / "out" / name).write_bytes(b"a user's own\n")
    for restart in (False, True):
        with pytest.raises(OutputExistsError, match="which no run made"):
            run(Gray(), photos, tmp_path / "out", restart=restart)
    assert files_below(tmp_path / "out") == {name}


@pytest.mark.parametrize("place", [".", "results", "sub/results"])
def test_outputs_within_the_source_are_no_inputs_of_the_next_run(photos, place):
    out = photos / place
    first = run(Gray() >> Otsu(), photos, out, overlay=True)
    second = run(Gray() >> Otsu(), photos, out, overlay=True, restart=True)
    assert (first.done, second.done) == (len(PHOTOS), len(PHOTOS))
    assert {row["source"] for row in table(second.results_csv)} == set(PHOTOS)


@pytest.mark.parametrize("place", [".", "results", "sub/results"])
@pytest.mark.parametrize("options", [{}, {"shard": "1/1"}])
def test_inputs_that_another_run_wrote_are_said(photos, tmp_path, place, options):
    written = photos / place
    run(Gray(), photos, written, **options)
    other = run(Gray(), photos, tmp_path / "other")
    assert other.done == 2 * len(PHOTOS)
    told = f"{len(PHOTOS)} pictures of the source lie in {str(written)!r}: what a run wrote"
    assert [note for note in other.notes if note.startswith(told)]


def test_a_folder_beside_a_file_that_is_no_ledger_is_a_users_own(photos, tmp_path):
    put(photos, "images/own.png", squares(1))
    (photos / "ledger.jsonl").write_text('{"account": "rent", "sum": 1200}\n')
    summary = run(Gray(), photos, tmp_path / "out")
    assert (summary.done, summary.notes) == (len(PHOTOS) + 1, ())


def test_a_folder_of_nothing_but_outputs_is_a_source(photos, tmp_path):
    for name in "ab":
        run(Gray(), photos, tmp_path / "runs" / name)
    summary = run(Otsu(), tmp_path / "runs", tmp_path / "masks", mode="gray")
    assert summary.done == 2 * len(PHOTOS)
    assert not any("of the source" in note for note in summary.notes)
    some = run(Otsu(), tmp_path / "runs/*/images/*.png", tmp_path / "some", mode="gray")
    assert some.done > 0


def test_the_pictures_of_a_run_are_no_source_for_the_next_into_its_folder(photos, tmp_path):
    out = tmp_path / "out"
    run(Gray(), photos, out)
    for source in (out / "images", [out / "images/cat.png", photos / "coins.png"]):
        with pytest.raises(ParameterError, match="whose pictures the run replaces"):
            run(Gray() >> Otsu(), source, out)
    assert run(Gray() >> Otsu(), out / "images", tmp_path / "other").done == len(PHOTOS)


def test_a_link_from_the_source_to_the_outputs_makes_no_inputs_of_them(photos, tmp_path):
    out = tmp_path / "out"
    run(Gray(), photos, out)
    (photos / "earlier").symlink_to(out)
    (photos / "pictures").symlink_to(out / "images/sub")
    again = run(Gray(), photos, out)
    assert (again.done, again.unchanged) == (0, len(PHOTOS))


def test_a_run_that_is_refused_leaves_the_description_of_the_one_that_writes(photos, tmp_path):
    out = tmp_path / "out"
    run(Gray(), photos, out)
    before = {name: (out / name).read_bytes() for name in files_below(out)}
    with Ledger(out / "ledger.jsonl", write=True), pytest.raises(LedgerInUseError):
        run(Gray() >> Otsu(), photos, out)
    assert {name: (out / name).read_bytes() for name in files_below(out)} == before


def test_a_run_that_is_killed_at_its_tables_leaves_nothing_once_resumed(photos, tmp_path):
    script = (
        "import os, sys, vision\n"
        "from classical import Gray\n"
        "from vision.tables import Table\n"
        "Table.close = lambda self: os.kill(os.getpid(), 9)\n"
        "vision.run(Gray(), sys.argv[1], sys.argv[2], progress=False)\n"
    )
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", script, photos, out])
    assert killed.returncode == -9
    assert list(out.glob(".vision-*"))
    assert run(Gray(), photos, out).unchanged == len(PHOTOS)
    assert not list(out.rglob(".vision-*"))


def test_no_picture_is_an_error_and_makes_no_folder(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ImageNotFoundError, match="no picture"):
        run(Gray(), tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["file", "file/results", "file/deep/results"])
def test_a_file_where_the_folder_should_be_is_refused(photos, tmp_path, out):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ParameterError, match=r"'out' of run must be a folder.*file' is a file"):
        run(Gray(), photos, tmp_path / out)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_named(photos, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(WriteError, match="new' could not be made: Permission denied"):
        run(Gray(), photos, tmp_path / "new")


@pytest.fixture
def careless(monkeypatch):
    """A disk that takes capital letters for small ones, as those of macOS and Windows."""

    def exists(path):
        there = path.parent.iterdir() if path.parent.is_dir() else ()
        return path.name.casefold() in [one.name.casefold() for one in there]

    monkeypatch.setattr("pathlib.Path.exists", exists)


@pytest.mark.parametrize("other", ["SUB/a.png", "sub/A.png"])
@pytest.mark.usefixtures("careless")
def test_names_that_a_disk_takes_for_one_are_refused_before_anything_is_written(tmp_path, other):
    archive = tmp_path / "in.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("sub/a.png", "b.png", other):
            file.writestr(name, encoded(squares(len(name)), ".png"))
    with pytest.raises(OutputExistsError, match=f"'sub/a.png' and '{other}'|'{other}' and"):
        run(Otsu(), archive, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    assert run(Otsu(), archive, tmp_path / "packed", pack="tar").done == 3


@pytest.mark.usefixtures("careless")
def test_other_names_are_none_of_its_business(photos, tmp_path):
    assert run(Otsu(), photos, tmp_path / "out", mode="gray").done == len(PHOTOS)


def test_a_careful_disk_keeps_names_apart(tmp_path):
    for number, name in enumerate(("a.png", "A.png")):
        put(tmp_path / "in", name, squares(number))
    assert len(list((tmp_path / "in").iterdir())) == 2, "this disk is careless itself"
    run(Otsu(), tmp_path / "in", tmp_path / "out")
    first, second = (stored(tmp_path / "out" / "images" / name) for name in ("a.png", "A.png"))
    assert not np.array_equal(first, second)


def put_paged(folder):
    """Three files of several pages or frames, one of them torn, among three of one."""
    stack = [Image.fromarray(squares(count)) for count in range(4)]
    for name, format in (("zebra.tif", "TIFF"), ("film.png", "PNG"), ("torn.tif", "TIFF")):
        file = io.BytesIO()
        stack[1].save(file, format, save_all=True, append_images=stack[2:])
        put(folder, name, squares(0)).write_bytes(file.getvalue())
    torn = folder / "torn.tif"
    torn.write_bytes(torn.read_bytes()[:-300])
    for number in range(3):
        put(folder, f"{number}.tif", squares(number + 4))
    return folder


SAID = "2 files have more than one page or frame: the first was read"


@pytest.mark.parametrize("options", [{}, {"threads": 1}, {"pack": "tar"}, {"workers": 2}])
def test_a_run_says_of_how_many_files_it_read_the_first_page_alone(tmp_path, options):
    source, out = put_paged(tmp_path / "in"), tmp_path / "out"
    summary = run(Otsu(), source, out, **options)
    assert (summary.done, summary.failed, summary.notes) == (5, 1, (SAID,))
    assert SAID in summary.report.read_text()
    if not options:
        assert np.array_equal(stored(out / "images/zebra.tif.png"), squares(1))
        assert np.array_equal(stored(out / "images/film.png"), squares(1))


def test_pages_are_told_again_where_nothing_was_done_again(tmp_path):
    source, out = put_paged(tmp_path / "in"), tmp_path / "out"
    run(Otsu(), source, out)
    assert run(Otsu(), source, out).notes == (SAID,)
    assert run(Otsu(), source, out, verify=True).notes == (SAID,)
    (source / "zebra.tif").rename(source / "moved.tif")
    assert SAID in run(Otsu(), source, out).notes
    (source / "film.png").unlink()
    assert SAID.replace("2 files have", "1 file has") in run(Otsu(), source, out).notes
    (source / "moved.tif").unlink()
    assert not any("page" in note for note in run(Otsu(), source, out).notes)


def test_files_of_one_page_have_no_line_of_it_in_the_ledger(photos, tmp_path):
    summary = run(Gray(), photos, tmp_path / "out")
    assert summary.notes == ()
    assert "pages" not in (tmp_path / "out/ledger.jsonl").read_text()
