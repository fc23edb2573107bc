"""Runs whose disk fails at the first write, sync or rename, at the second, and so on to the last;
and runs over hostile files."""

import pytest

from classical import Flip
from tests.failing_disk import FailingDisk
from tests.failing_runs import KINDS, PICTURES, Trials, sweep
from tests.hostile_contents import bases
from tests.hostile_files import contents, make_hostile_files
from tests.hostile_headers import claiming
from tests.hostile_rules import Judged, detectors, pillow_reads
from tests.vision.run_folders import run, table
from vision.errors import ImageError
from vision.io import decode

IDS = ["-".join([name, *map(str, how)]) for name, how in KINDS]


@pytest.fixture(scope="module", params=[None, "tar"], ids=["files", "packed"])
def trials(request, tmp_path_factory):
    return Trials(tmp_path_factory.mktemp("over_older_results"), request.param)


@pytest.fixture(scope="module", params=[None, "tar"], ids=["files", "packed"])
def fresh_trials(request, tmp_path_factory):
    return Trials(tmp_path_factory.mktemp("fresh"), request.param, older=False)


def test_an_undisturbed_run_does_all_but_the_torn_file(trials):
    """Also the twin, of whose branches one writes no picture, by what is known of its content."""
    assert (trials.summary.done, trials.summary.failed) == (PICTURES + 1, 1)
    assert any("taken over" in note for note in trials.summary.notes)
    rows = {name: [] for name in ("2.png", "sub/twin.png")}
    for row in table(trials.whole / "results.csv"):
        if row["source"] in rows:
            name = row.pop("source")
            rows[name].append(row | {"output": row["output"].rpartition("/")[2][-4:]})
    assert len(rows["2.png"]) == 2  # of one mask and one area
    assert rows["2.png"] == rows["sub/twin.png"]


@pytest.mark.parametrize(("name", "how"), KINDS, ids=IDS)
def test_whatever_call_fails_older_files_or_whole_new_ones_are_there(trials, name, how):
    calls, broken = sweep(trials, name, **how)
    assert broken == []
    if name in ("write", "sync", "rename", "create"):
        # The description, the ledger's lines and two tables; of single files each picture too.
        assert calls >= (3 if trials.packed else PICTURES + 4)


@pytest.mark.parametrize("name", ["write", "sync", "rename", "create", "mkdir"])
def test_whatever_call_fails_in_a_new_folder_the_next_run_does_the_rest(fresh_trials, name):
    _, broken = sweep(fresh_trials, name)
    assert broken == []


def test_a_page_that_cannot_be_written_costs_a_note(tmp_path):
    trials = Trials(tmp_path, older=False, report=True)
    with FailingDisk("write", 0) as disk:
        trials.run(120, tmp_path / "counted")
    with FailingDisk("write", disk.calls):
        summary = trials.run(120, tmp_path / "out")
    assert (summary.done, summary.report) == (PICTURES + 1, None)
    assert any("there is no report" in note and "No space left" in note for note in summary.notes)
    assert not list((tmp_path / "out").glob(".*"))
    assert not (tmp_path / "out/index.html").exists()


def test_two_hundred_hostile_files_are_done_or_refused_with_a_reason(tmp_path):
    """One or two of every kind; the whole corpus is for `benchmarks.faults`."""
    files = make_hostile_files(tmp_path / "in", most=1)
    assert len({file.kind for file in files}) > 200
    summary = run(Flip(), tmp_path / "in", tmp_path / "out", format="png", report=False)
    found = Judged(tmp_path / "in", files, tmp_path / "out")
    assert found.broken == []
    assert found.counts["bad", "refused"] > 150
    assert found.counts["good", "done"] > 30
    assert (summary.done, summary.failed) == tuple(
        sum(count for (_, what), count in found.counts.items() if what == told)
        - found.counts["unlisted", told]
        for told in ("done", "refused")
    )


def damaged(kind, format=None):
    """The contents of a kind that are not as they were, and of one format."""
    return [
        content
        for content in contents()
        if content.kind == kind and content.data != content.source
        if format is None or content.suffix == f".{format}"
    ]


@pytest.mark.parametrize(
    ("kind", "format", "said"),
    [
        ("header of half the height", "gif", "data for more pixels"),
        ("line ends changed", "webp", "a WebP chunk ends at|cannot be decoded"),
        ("bytes twice in the middle", "webp", "a WebP chunk ends at|cannot be decoded"),
    ],
)
def test_damage_that_one_reader_alone_tells_is_told(kind, format, said):
    told = 0
    for content in damaged(kind, format):
        if detectors(content.source, content.data):
            told += 1
            with pytest.raises(ImageError, match=said):
                decode(content.data)
    assert told


def test_an_animation_beyond_its_picture_is_damaged():
    """A PNG whose header was made smaller than the frames that follow."""
    data = claiming(bases()["png animated"][0], "png", 64, 24)
    assert not pillow_reads(data)
    with pytest.raises(ImageError, match="a frame beyond the PNG's 64 x 24 pixels"):
        decode(data)


def test_a_float_picture_that_cannot_be_written_is_a_row_that_names_the_step(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.tif").write_bytes(bases()["tiff float32"][0])
    summary = run(Flip(), tmp_path / "in", tmp_path / "out")
    (row,) = table(summary.errors_csv)
    assert row["error"] == "KindError"
    assert row["reason"].endswith("a float image: end the pipeline with ToUint8().")
