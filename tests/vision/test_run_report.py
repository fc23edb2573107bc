"""The page of a run: what it shows is what was written, and it never costs a run anything."""

import base64
import io
import os
import re
import shlex
import signal
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image
from skimage import data, draw

import vision
from classical import ConnectedComponents, FindContours, Gray, Otsu, Rotate
from tests.vision.run_folders import files_below, put, put_broken, put_photos, run, stored, table
from vision.cli import main
from vision.kinds import SAME, Kind
from vision.run_digest import Digest
from vision.run_pictures import Pictures, spread
from vision.step_times import Laps, run_many_timed, run_timed

MASK = Gray() >> Otsu()


class Page(HTMLParser):
    """What a browser makes of a page: tables as lists of text, pictures, links, the text."""

    def __init__(self, path):
        super().__init__()
        self.tables, self.images, self.links, self.blocks = [], [], [], []
        self.headings, self.tags, self.cell, self.text = [], [], None, ""
        self.feed(path.read_bytes().decode("utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        found = dict(attributes)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag == "img":
            self.images.append(found)
        elif tag == "a":
            self.links.append(found["href"])
        if tag in ("td", "th", "pre", "h2"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.cell.strip())
        elif tag == "pre":
            self.blocks.append(self.cell)
        elif tag == "h2":
            self.headings.append(self.cell)
        if tag in ("td", "th", "pre", "h2"):
            self.cell = None

    def handle_data(self, text):
        self.text += text
        if self.cell is not None:
            self.cell += text

    def table_with(self, *columns):
        """The rows below a header."""
        return next(
            rows[1:] for rows in self.tables if rows and rows[0][: len(columns)] == [*columns]
        )


def page_of(out):
    return Page(Path(out) / "index.html")


def shown(image):
    """The pixels that an `img` holds, by Pillow."""
    head, _, text = image["src"].partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))


class Stepping(vision.Step):
    """Passes pictures on, and calls a function with the number of the call."""

    gives = SAME

    def __init__(self, log=None):
        self.log = log

    def apply(self, image):
        self.log(image)
        return image.copy()


# What the page shows


def test_counts_and_failures_are_those_of_the_run(tmp_path):
    put_photos(tmp_path / "in")
    put_broken(tmp_path / "in")
    summary = run(MASK, tmp_path / "in", tmp_path / "out")
    assert summary.report == tmp_path / "out/index.html"
    page = page_of(tmp_path / "out")
    assert re.search(r"\b5\s*done\s+3\s*failed\b", page.text)
    expected = [[*row.values()] for row in table(summary.errors_csv)]
    assert page.table_with("file", "error", "reason") == expected
    assert page.headings == ["Pictures", "Failures", "Pipeline", "Time", "Do it again"]
    assert "- Gray\n- Otsu\n" in page.blocks


def test_pictures_are_the_input_and_what_came_out(tmp_path):
    disc = np.full((60, 90, 3), (200, 30, 40), np.uint8)
    disc[draw.disk((30, 40), 20)] = (250, 240, 230)
    put(tmp_path / "in", "disc.png", disc)
    out = tmp_path / "out"
    run(MASK, tmp_path / "in", out)
    before, after = page_of(out).images
    assert np.abs(shown(before)[5, 5].astype(int) - (200, 30, 40)).max() <= 4
    assert np.array_equal(shown(after)[..., 0], stored(out / "images/disc.png"))
    assert "images/disc.png" in page_of(out).links


def test_overlays_are_shown_where_there_are_any(tmp_path):
    put(tmp_path / "in", "coins.png", data.coins())
    run(MASK >> FindContours(min_area=500), tmp_path / "in", tmp_path / "out", overlay=True)
    page = page_of(tmp_path / "out")
    assert [image["title"] for image in page.images] == ["input", "overlay"]
    rows = table(tmp_path / "out/results.csv")
    assert f"coins.png {len(rows)} objects" in page.text
    run(MASK >> FindContours(min_area=500), tmp_path / "in", tmp_path / "rows")
    page = page_of(tmp_path / "rows")
    assert [image["title"] for image in page.images] == ["input"]
    assert "--overlay" in page.text


def test_label_maps_are_shown_in_colours(tmp_path):
    mask = np.zeros((40, 80), np.uint8)
    mask[10:20, 10:20] = mask[10:20, 40:50] = mask[25:35, 20:60] = 255
    put(tmp_path / "in", "a.png", mask)
    pipeline = vision.chain(Otsu(), ConnectedComponents())
    run(pipeline, tmp_path / "in", tmp_path / "out", mode="gray")
    picture = shown(page_of(tmp_path / "out").images[1])
    assert not picture[0, 0].any()
    colours = {tuple(picture[y, x]) for y, x in ((15, 15), (15, 45), (30, 40))}
    assert len(colours) == 3
    assert min(max(colour) for colour in colours) > 100


def test_branches_have_a_picture_each(tmp_path):
    put(tmp_path / "in", "cat.png", data.chelsea())
    pipeline = vision.Branches({"light": MASK, "grey": Gray()})
    run(pipeline, tmp_path / "in", tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert [image["title"] for image in page.images] == ["input", "light", "grey"]
    assert "what came out: light, grey" in page.text


def test_deep_transparent_and_tiny_pictures_are_shown(tmp_path):
    put(tmp_path / "in", "clear.png", np.dstack([data.chelsea(), data.chelsea()[:, :, 0]]))
    put(tmp_path / "in", "deep.png", data.camera().astype(np.uint16) * 257)
    put(tmp_path / "in", "dot.png", np.full((1, 1), 9, np.uint8))
    run(Gray(), tmp_path / "in", tmp_path / "out", mode="unchanged")
    page = page_of(tmp_path / "out")
    names = [re.sub("^.* of ", "", image["alt"]) for image in page.images]
    assert names == ["deep.png", "deep.png", "dot.png", "dot.png"]  # the run refuses the other
    small = np.asarray(Image.fromarray(data.camera()).resize((320, 320), Image.Resampling.BOX))
    for picture in page.images[:2]:
        assert np.abs(shown(picture)[..., 0].astype(int) - small).mean() < 5


def test_every_link_leads_somewhere_and_nothing_is_markup(tmp_path):
    names = ["a b.png", "50%#1?.png", "<script>alert(1)<", "&amp; 'x' \"y\".png", "ü/ö.png"]
    for name in names:
        put(tmp_path / "in", name.replace("alert(1)<", "x.png"), data.coins())
    (tmp_path / "in/<b>torn.png").write_bytes(b"<img src=x>")
    out = tmp_path / "out"
    run(MASK, tmp_path / "in", out)
    page = page_of(out)
    assert not {"script", "b>torn"} & {*page.tags}
    assert page.tags.count("img") == 2 * len(names)
    for link in page.links:
        assert link == "#pipeline" or (out / unquote(link)).is_file()
    assert page.table_with("file", "error")[0][0] == "<b>torn.png"


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_shown_and_linked(tmp_path):
    source = put(tmp_path / "in", "x.png", data.coins())
    source.rename(os.fsdecode(os.fsencode(tmp_path / "in") + b"/\xff.png"))
    run(MASK, tmp_path / "in", tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert "images/%FF.png" in page.links
    assert "\\udcff.png" in page.text


def test_the_first_200_failures_are_listed_and_all_are_counted():
    digest = Digest({"": Kind.MASK})
    for number in range(230):
        error = {"error": "ImageError", "reason": "empty"}
        entry = {"name": str(number), "source": str(number), "seconds": 0.1, "error": error}
        digest.note(entry | {"rows": [], "outputs": []})
    assert (digest.failed, digest.done, len(digest.failures)) == (230, 0, 200)
    assert digest.failures[-1]["source"] == "199"


@pytest.mark.parametrize("count", [1, 59, 60, 61, 119, 120, 121, 1000, 20011])
def test_files_are_chosen_evenly(count):
    digest = Digest({"": Kind.MASK})
    for number in range(count):
        entry = {"name": str(number), "source": "", "seconds": 0.1, "rows": [], "outputs": []}
        digest.note(entry)
    chosen = [int(entry["name"]) for entry in digest.chosen()]
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, 60)
    gaps = np.diff([*chosen, count])
    assert gaps.max() <= 2 * max(1, count / 60) + 1


def test_the_first_of_a_spread_lie_evenly():
    order = spread(60)
    assert sorted(order) == [*range(60)]
    assert np.diff(sorted(order[:16])).max() <= 60 / 16 * 2


# The time of each step


def test_steps_that_take_longer_are_shown_to(tmp_path):
    put(tmp_path / "in", "a.png", data.coins())
    run(Stepping(lambda image: time.sleep(0.2)) >> Gray(), tmp_path / "in", tmp_path / "out")
    rows = page_of(tmp_path / "out").table_with("step", "mean")
    assert [row[0] for row in rows] == ["read", "decode", "Stepping", "Gray", "encode", "write"]
    mean = {row[0]: row[1] for row in rows}
    assert re.fullmatch(r"2\d\d ms|0?\.[2-9]\d* s|\d+(\.\d+)? s", mean["Stepping"])
    assert max(rows, key=lambda row: float(row[3].rstrip("%")))[0] == "Stepping"


def test_means_and_the_longest_are_those_of_the_laps():
    digest = Digest({"": Kind.MASK})
    for seconds in (0.1, 0.2, 0.6):
        laps = [["read", 0.01], ["Gray", seconds], ["Gray", 2 * seconds]]
        entry = {"name": "a", "source": "a", "seconds": seconds, "rows": [], "outputs": []}
        digest.note(entry | {"laps": laps})
    first, second, third = digest.steps()
    assert first[:2] == ("read", 3)
    assert second[2:] == pytest.approx((0.3, 0.6))
    assert third[2:] == pytest.approx((0.6, 1.2))


@pytest.mark.parametrize(
    "pipeline",
    [
        MASK,
        MASK >> FindContours(),
        Rotate(30) >> MASK >> FindContours(),
        vision.chain(vision.Branches({"a": Rotate(10) >> Gray() >> Otsu(), "b": Gray()})),
        vision.Pipeline([("nothing", "passthrough")]),
    ],
    ids=["mask", "contours", "moving", "branches", "nothing"],
)
def test_a_timed_run_gives_what_an_untimed_one_does(pipeline):
    plan, image = pipeline.plan(), data.coffee()
    expected, laps = plan.run(image), Laps()
    assert np.all(_plain(run_timed(plan, image, laps)) == _plain(expected))
    assert len(laps.found) == len(plan.parts)
    together = run_many_timed(plan, [image, image[::-1]], Laps())
    assert np.all(_plain(together[0]) == _plain(expected))


def _plain(result):
    if isinstance(result, dict):
        return np.concatenate([np.ravel(_plain(part)) for part in result.values()])
    return np.asarray(result.boxes if hasattr(result, "boxes") else result)


def test_a_batch_is_timed_by_the_share_of_each(tmp_path):
    from sklearn.naive_bayes import GaussianNB

    from classical import RawPixels

    images = [np.full((8, 8), 60 * n, np.uint8) for n in range(4)]
    pipeline = (Stepping(lambda image: time.sleep(0.05)) >> RawPixels(4) >> GaussianNB()).fit(
        images, ["dark", "dark", "light", "light"]
    )
    for index, image in enumerate(images):
        put(tmp_path / "in", f"{index}.png", image)
    run(pipeline, tmp_path / "in", tmp_path / "out", mode="gray", threads=1)
    page = page_of(tmp_path / "out")
    titles = [row[0] for row in page.table_with("step")]
    assert titles == ["read", "decode", "Stepping", "RawPixels", "GaussianNB", "encode", "write"]
    assert "dark, " in page.text


# What it may cost


def test_a_report_computes_nothing_again_and_changes_no_output(tmp_path):
    put_photos(tmp_path / "in")
    put_broken(tmp_path / "in")
    calls = []
    pipeline = Stepping(lambda image: calls.append(1)) >> Gray()
    run(pipeline, tmp_path / "in", tmp_path / "with")
    assert len(calls) == 5
    run(pipeline, tmp_path / "in", tmp_path / "without", report=False)
    with_, without = files_below(tmp_path / "with"), files_below(tmp_path / "without")
    assert with_ - without == {"index.html"}
    for name in without - {"ledger.jsonl"}:
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_a_report_that_fails_is_a_note_and_not_a_failure(tmp_path, monkeypatch):
    put(tmp_path / "in", "a.png", data.coins())

    def broken(*args, **kwargs):
        raise RuntimeError("no paper")

    monkeypatch.setattr("vision.run_job.write_report", broken)
    summary = run(MASK, tmp_path / "in", tmp_path / "out")
    assert (summary.done, summary.failed, summary.report) == (1, 0, None)
    assert summary.notes == ("there is no report: no paper",)


def test_a_page_of_someone_else_stays(tmp_path):
    put(tmp_path / "in", "a.png", data.coins())
    (tmp_path / "out").mkdir()
    (tmp_path / "out/index.html").write_text("<title>my own</title>")
    summary = run(MASK, tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out/index.html").read_text() == "<title>my own</title>"
    assert "no run wrote it" in summary.notes[0]


def test_an_earlier_report_is_replaced(tmp_path):
    put(tmp_path / "in", "a.png", data.coins())
    run(MASK, tmp_path / "in", tmp_path / "out")
    (tmp_path / "in/b.png").write_bytes(b"")
    run(MASK, tmp_path / "in", tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert re.search(r"\b0\s*done\s+1\s*failed\s+1\s*unchanged\b", page.text)
    assert len(page.images) == 2  # of the file that was done before


def test_without_time_there_are_no_pictures():
    digest = Digest({"": Kind.MASK})
    entry = {"name": "a.png", "source": "a.png", "seconds": 0.5, "rows": [], "outputs": []}
    digest.note(entry)
    images = vision.Images(np.zeros((1, 4, 6), np.uint8))
    assert Pictures("", images, ["a.png"], digest, lambda: 0.4).figures() == []
    (figure,) = Pictures("", images, ["a.png"], digest, lambda: 0.6).figures()
    assert [picture["title"] for picture in figure["pictures"]] == ["input"]


def test_a_picture_that_is_gone_is_left_out(tmp_path):
    digest = Digest({"": Kind.MASK})
    for name in ("a.png", "b.png"):
        outputs = [[f"images/{name}", 1, 1, "0"]]
        digest.note({"name": name, "source": name, "seconds": 0, "rows": [], "outputs": outputs})
    put(tmp_path, "images/b.png", np.zeros((4, 4), np.uint8))
    images = vision.Images(np.zeros((2, 4, 6), np.uint8))
    figures = Pictures(tmp_path, images, ["a.png", "b.png"], digest, lambda: 1.0).figures()
    assert [figure["name"] for figure in figures] == ["b.png"]


@pytest.mark.usefixtures("interruptible")
def test_a_run_that_was_stopped_says_so(tmp_path):
    for number in range(6):
        put(tmp_path / "in", f"{number}.png", np.full((8, 8), 10 * number, np.uint8))
    seen = []

    def interrupt(image):
        seen.append(1)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    with pytest.raises(KeyboardInterrupt) as caught:
        run(Stepping(interrupt), tmp_path / "in", tmp_path / "out", threads=1)
    assert caught.value.summary.report == tmp_path / "out/index.html"
    text = " ".join(page_of(tmp_path / "out").text.split())
    done = caught.value.summary.done
    assert f"Stopped by SIGINT, {6 - done} left" in text


# What made it, and making it again


def test_command_versions_and_options_are_those_that_ran(tmp_path, monkeypatch):
    put(tmp_path / "in", "a.png", data.coins())
    (tmp_path / "mask.yaml").write_text("- Gray\n- Otsu\n")
    monkeypatch.chdir(tmp_path)
    words = ["run", "mask.yaml", "in", "--out", "o u t", "--durable", "none", "--quiet"]
    monkeypatch.setattr("sys.argv", ["/usr/bin/vision", *words])
    assert main(words) == 0
    page = page_of("o u t")
    command = f"cd {tmp_path}\nvision run mask.yaml in --out 'o u t' --durable none --quiet"
    assert command in page.blocks
    told = {row[0]: row[1] for rows in page.tables for row in rows if len(row) == 2}
    assert told["durable"] == "none"
    assert told["numpy"] == np.__version__
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))


def test_the_command_on_the_page_makes_the_same(tmp_path, monkeypatch, capsys):
    put_photos(tmp_path / "in")
    run(MASK, str(tmp_path / "in"), tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    block = next(block for block in page_of("out").blocks if "vision replay" in block)
    assert main([*shlex.split(block)[1:], "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    for name in files_below(tmp_path / "out/images"):
        new = tmp_path / "again/images" / name
        assert new.read_bytes() == (tmp_path / "out/images" / name).read_bytes()
    tables = [tmp_path / folder / "results.csv" for folder in ("out", "again")]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_replay_keeps_the_options_that_change_outputs(tmp_path):
    put(tmp_path / "in", "cat.png", data.chelsea())
    run(Gray(), tmp_path / "in", tmp_path / "out", format="jpg", quality=40, mode="rgb")
    summary = vision.replay(tmp_path / "out", tmp_path / "again", progress=False)
    assert summary.notes == ("1 file gave the same as before",)
    assert files_below(tmp_path / "again/images") == {"cat.png.jpg"}


def test_replay_into_the_same_folder_does_what_is_new(tmp_path):
    put(tmp_path / "in", "a.png", data.coins())
    run(MASK, tmp_path / "in", tmp_path / "out")
    put(tmp_path / "in", "b.png", data.camera())
    summary = vision.replay(tmp_path / "out", progress=False)
    assert (summary.done, summary.unchanged) == (1, 1)


@pytest.mark.parametrize("form", ["pattern", "list", "zip"])
def test_replay_finds_the_source_from_any_folder(tmp_path, monkeypatch, form):
    import zipfile

    put(tmp_path / "in", "a.png", data.coins())
    put(tmp_path / "in", "b.jpg", data.coins())
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.write(tmp_path / "in/a.png", "a.png")
    given = {"pattern": "in/*.png", "list": ["in/a.png"], "zip": "in.zip"}[form]
    monkeypatch.chdir(tmp_path)
    run(MASK, given, "out")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert vision.replay(tmp_path / "out", "again", progress=False).done == 1


def test_replay_tells_versions_and_results_that_differ(tmp_path, monkeypatch):
    put(tmp_path / "in", "a.png", data.coins())
    put(tmp_path / "in", "b.png", data.camera())
    with monkeypatch.context() as patched:
        patched.setattr("vision.runner.versions_of", lambda p: {"Otsu": 0, "opencv": "3.4"})
        run(MASK, tmp_path / "in", tmp_path / "out")
    put(tmp_path / "in", "b.png", data.camera()[::-1])
    notes = vision.replay(tmp_path / "out", tmp_path / "again", progress=False).notes
    assert any(note.startswith("opencv was 3.4 and is ") for note in notes)
    assert notes[-2:] == ("1 file gave the same as before", "1 gave something else: b.png")


def test_replay_takes_what_was_learned_from_the_archive(tmp_path):
    images = [data.coins(), data.camera(), data.chelsea()[:, :, 0]]
    for index, image in enumerate(images):
        put(tmp_path / "in", f"{index}.png", image)
    from sklearn.naive_bayes import GaussianNB

    from classical import RawPixels

    pipeline = (RawPixels(8) >> GaussianNB()).fit(images, ["a", "b", "b"])
    run(pipeline, tmp_path / "in", tmp_path / "out", mode="gray")
    summary = vision.replay(tmp_path / "out", tmp_path / "again", progress=False)
    assert summary.notes == ("3 files gave the same as before",)
    labels = [row["label"] for row in table(tmp_path / "again/results.csv")]
    assert labels == pipeline.predict(images).tolist()


def test_replay_refuses_what_it_cannot_find_again(tmp_path):
    run(MASK, [data.chelsea()], tmp_path / "memory")
    assert "Only where it was written" in page_of(tmp_path / "memory").text
    with pytest.raises(vision.ParameterError, match="pictures were in memory"):
        vision.replay(tmp_path / "memory")
    put(tmp_path / "in", "a.png", data.coins())
    run(Stepping(lambda image: None), tmp_path / "in", tmp_path / "own")
    assert "a step is not in the catalogue" in page_of(tmp_path / "own").text
    with pytest.raises(vision.ParameterError, match="a step of this one is not in the catalogue"):
        vision.replay(tmp_path / "own")
    with pytest.raises(vision.ParameterError, match="must be the folder of a run"):
        vision.replay(tmp_path)


def test_shards_have_one_page_once_they_are_merged(tmp_path):
    for number in range(8):
        put(tmp_path / "in", f"{number}.png", np.full((6, 8), 10 * number, np.uint8))
    (tmp_path / "in/torn.png").write_bytes(b"")
    out = tmp_path / "out"
    for shard in ("1/2", "2/2"):
        assert run(Gray(), tmp_path / "in", out, shard=shard).report is None
    assert "index.html" not in files_below(out)
    assert vision.merge(out).notes == ()
    page = page_of(out)
    assert re.search(r"\b8\s*done\s+1\s*failed\b", page.text)
    assert "9 pictures of" in page.text
    assert len(page.images) == 16
    assert [shown(image)[0, 0, 0] for image in page.images[1::2]] == pytest.approx(
        [10 * number for number in range(8)], abs=3
    )
    assert vision.replay(out, tmp_path / "again", progress=False).notes == (
        "9 files gave the same as before",
    )
