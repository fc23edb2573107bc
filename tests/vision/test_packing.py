"""Outputs packed into tar archives: the same pictures as in files, whole after any crash."""

import hashlib
import io
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
from PIL import Image

import vision
from classical import FindContours, Gray, Otsu, Threshold
from tests.vision.run_folders import files_below, put, run, squares, table
from vision import packing
from vision.cli import main
from vision.errors import OutputExistsError, ParameterError
from vision.ledger import Ledger
from vision.packing import PackedChunk, Packs, read_output

END = bytes(1024)
COUNT = 12


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    for number in range(COUNT):
        put(folder, f"{'sub/' * (number % 2)}{number}.png", numbered(number))
    (folder / "torn.png").write_bytes(b"no picture")
    return folder


def numbered(number):
    """Pictures of which no two are the same."""
    image = squares(number % 9)
    image[0, number] = 90
    return image


def of_files(out):
    """The manifest of a run: the hash of every picture by its name."""
    places = [path for path in files_below(out) if path.startswith(("images/", "overlays/"))]
    return {path: hashlib.sha256((out / path).read_bytes()).hexdigest() for path in places}


def of_archives(out):
    """The same of a packed run, by the peer: for each row the member that it names."""
    found = {}
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path) as archive:
            for info in archive:
                series = path.name.partition("-")[0]
                data = archive.extractfile(info).read()
                found[f"{series}/{info.name}"] = hashlib.sha256(data).hexdigest()
    return found


def named_rows(path):
    """The rows of a table, outputs by series and member."""
    rows = table(path)
    for row in rows:
        if row.get("output"):
            folder, _, member = row["output"].partition("/")
            row["output"] = f"{folder.partition('-')[0]}/{member}"
    return rows


def same(files, packed):
    """Whether a packed run gave what one into files gave, and its rows lead to it."""
    assert of_archives(packed) == of_files(files)
    assert named_rows(packed / "results.csv") == table(files / "results.csv")
    assert table(packed / "errors.csv") == table(files / "errors.csv")
    for row in table(packed / "results.csv"):
        name, _, member = row.get("output", "").partition("/")
        if name:
            with tarfile.open(packed / name) as archive:
                assert archive.getmember(member).size
    return True


@pytest.mark.parametrize(
    ("steps", "options"),
    [
        (lambda: Gray() >> Otsu(), {}),
        (lambda: Gray(), {"format": "jpg", "quality": 80}),
        (lambda: Gray() >> Otsu() >> FindContours(), {"overlay": True}),
        (lambda: Gray() >> vision.Branches({"low": Threshold(9), "high": Threshold(99)}), {}),
    ],
    ids=["masks", "pictures", "overlays", "branches"],
)
def test_packed_outputs_are_the_files(source, tmp_path, steps, options):
    run(steps(), source, tmp_path / "files", **options)
    summary = run(steps(), source, tmp_path / "packed", pack="tar", **options)
    assert (summary.done, summary.failed) == (COUNT, 1)
    assert same(tmp_path / "files", tmp_path / "packed")
    assert not [path for path in files_below(tmp_path / "packed") if "/" in path]


def test_the_rows_name_archive_and_member(source, tmp_path):
    summary = run(Gray() >> Otsu(), source, tmp_path / "out", pack="tar")
    rows = {row["source"]: row for row in table(summary.results_csv)}
    assert rows["sub/1.png"]["output"] == "images-00001.tar/sub/1.png"
    run(Gray() >> Otsu(), source, tmp_path / "files")
    packed = vision.Images(tmp_path / "out/images-00001.tar", mode="gray")
    files = vision.Images(tmp_path / "files/images", mode="gray")
    assert packed.sources == files.sources
    assert all(np.array_equal(a, b) for a, b in zip(packed, files, strict=True))


def test_the_tar_program_lists_and_unpacks_it(source, tmp_path):
    run(Gray(), source, tmp_path / "out", pack="tar")
    run(Gray(), source, tmp_path / "files")
    archive = tmp_path / "out/images-00001.tar"
    (tmp_path / "images").mkdir()
    command = ["tar", "-C", tmp_path / "images", "-xf", archive]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr == ""
    for path in of_files(tmp_path / "files"):
        assert (tmp_path / path).read_bytes() == (tmp_path / "files" / path).read_bytes()


def test_a_finished_run_has_nothing_left_and_looks_at_the_archives_alone(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    archive = out / "images-00001.tar"
    before = archive.read_bytes(), archive.stat().st_mtime_ns
    again = run(Gray(), source, out, pack="tar")
    assert (again.done, again.failed, again.unchanged) == (0, 1, COUNT)
    assert (archive.read_bytes(), archive.stat().st_mtime_ns) == before


def test_what_is_new_goes_to_the_end_of_the_same_archive(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    before = (out / "images-00001.tar").read_bytes()
    put(source, "new.png", numbered(40))
    assert run(Gray(), source, out, pack="tar").done == 1
    after = (out / "images-00001.tar").read_bytes()
    assert after.startswith(before.removesuffix(END))
    run(Gray(), source, tmp_path / "files")
    assert same(tmp_path / "files", out)


def test_archives_are_cut_off_at_the_limit(source, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "LIMIT", 4000)
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar", threads=1, durable="file")
    sizes = {path.name: path.stat().st_size for path in out.glob("*.tar")}
    assert len(sizes) > 1
    assert sorted(sizes) == [f"images-{number:05}.tar" for number in range(1, len(sizes) + 1)]
    # One that is full still gets the chunks that had been promised a place in it.
    assert max(sizes.values()) < 4000 + 4 * 2048 + len(END)
    run(Gray(), source, tmp_path / "files")
    assert same(tmp_path / "files", out)


def test_duplicates_are_taken_over_within_and_across_archives(source, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    (source / "twin.png").write_bytes((source / "0.png").read_bytes())
    (source / "sub/1.png").rename(source / "moved.png")
    summary = run(Gray(), source, out, pack="tar")
    assert "2 files taken over: the content was done under another name" in summary.notes
    with tarfile.open(out / "images-00001.tar") as archive:
        twins = [archive.extractfile(name).read() for name in ("0.png", "twin.png")]
    assert twins[0] == twins[1]
    monkeypatch.setattr(packing, "LIMIT", 1)
    (source / "other.png").write_bytes((source / "2.png").read_bytes())
    run(Gray(), source, out, pack="tar")
    rows = {row["source"]: row["output"] for row in table(summary.results_csv)}
    assert rows["other.png"] == "images-00002.tar/other.png"
    with tarfile.open(out / "images-00002.tar") as archive:
        copy = archive.extractfile("other.png").read()
    with tarfile.open(out / "images-00001.tar") as archive:
        assert archive.extractfile("2.png").read() == copy
    assert run(Gray(), source, out, pack="tar").unchanged == COUNT + 2


@pytest.mark.parametrize("harm", ["cut", "gone", "flipped"])
def test_what_was_lost_of_an_archive_is_made_again(source, tmp_path, harm):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar", threads=1)
    archive = out / "images-00001.tar"
    with Ledger(out / "ledger.jsonl") as ledger:
        places = sorted(ledger[name]["outputs"][0][2] for name in ledger if ledger[name]["outputs"])
    if harm == "cut":
        with archive.open("r+b") as file:
            file.truncate(places[6])
    elif harm == "gone":
        archive.unlink()
    else:
        with archive.open("r+b") as file:
            file.seek(places[6] + 3)
            file.write(b"??")
        assert run(Gray(), source, out, pack="tar").done == 0  # only its bytes tell
    summary = run(Gray(), source, out, pack="tar", verify=harm == "flipped")
    assert summary.done == {"cut": COUNT - 6, "gone": COUNT, "flipped": 1}[harm]
    run(Gray(), source, tmp_path / "files")
    with Ledger(out / "ledger.jsonl") as ledger:
        for name in ledger:
            for output in ledger[name]["outputs"]:
                assert read_output(out, output) == (tmp_path / "files/images" / name).read_bytes()


@pytest.mark.parametrize("tail", [b"x", b"y" * 511, b"z" * 5000, b"", END[:700], END * 3])
def test_whatever_a_crash_left_behind_the_last_member_is_cut_off(source, tmp_path, tail):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    archive = out / "images-00001.tar"
    whole = archive.read_bytes()
    archive.write_bytes(whole.removesuffix(END) + tail)
    put(source, "new.png", numbered(50))
    run(Gray(), source, out, pack="tar")
    run(Gray(), source, tmp_path / "files")
    assert same(tmp_path / "files", out)
    assert archive.read_bytes().endswith(END)


def test_archives_that_were_begun_and_never_filled_are_removed_and_strangers_are_not(
    source, tmp_path
):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    with Ledger(out / "ledger.jsonl") as ledger:
        packs = Packs(next(iter(ledger.runs)), durable=False)
    PackedChunk(packs, out)
    (out / "images-00007.tar").touch()
    stranger = Packs("ffff", durable=False)
    PackedChunk(stranger, out)
    (out / "holiday.tar").write_bytes(b"mine")
    assert {path.name for path in out.glob("*.tar")} == {
        *(f"images-0000{number}.tar" for number in (1, 2, 7, 8)),
        "holiday.tar",
    }
    run(Gray(), source, out, pack="tar")
    assert {path.name for path in out.glob("*.tar")} == {
        *("images-00001.tar", "images-00008.tar", "holiday.tar")
    }


def test_edited_and_restarted_runs_leave_no_dead_archive(source, tmp_path):
    out = tmp_path / "out"
    run(Threshold(9), source, out, pack="tar")
    run(Threshold(99), source, out, pack="tar")
    assert [path.name for path in out.glob("*.tar")] == ["images-00002.tar"]
    run(Threshold(99), source, out, pack="tar", restart=True)
    assert len(list(out.glob("*.tar"))) == 1
    run(Threshold(99), source, tmp_path / "files")
    assert same(tmp_path / "files", out)


def test_packing_may_be_begun_and_given_up(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, tmp_path / "files")
    run(Gray(), source, out)
    assert run(Gray(), source, out, pack="tar").done == COUNT
    assert of_files(out) == {}
    assert same(tmp_path / "files", out)
    assert run(Gray(), source, out).done == COUNT
    assert list(out.glob("*.tar")) == []
    assert of_files(out) == of_files(tmp_path / "files")


def test_outputs_of_files_that_vanished_stay(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    (source / "0.png").unlink()
    run(Gray(), source, out, pack="tar")
    assert table(out / "vanished.csv") == [{"source": "0.png", "output": "images-00001.tar/0.png"}]
    put(source, "0.png", numbered(0))
    assert run(Gray(), source, out, pack="tar").done == 0


def test_shards_pack_into_archives_of_their_own(source, tmp_path):
    out = tmp_path / "out"
    for shard in ("1/2", "2/2"):
        run(Gray(), source, out, pack="tar", shard=shard)
    names = {path.name for path in out.glob("*.tar")}
    assert names == {"images-1-of-2-00001.tar", "images-2-of-2-00001.tar"}
    vision.merge(out)
    run(Gray(), source, tmp_path / "files")
    assert same(tmp_path / "files", out)
    second = run(Gray(), source, out, pack="tar", shard="2/2")
    assert second.done == 0


def test_the_report_shows_packed_pictures(source, tmp_path):
    pages = {}
    for pack in (None, "tar"):
        summary = run(Gray() >> Otsu(), source, tmp_path / str(pack), pack=pack)
        pages[pack] = summary.report.read_text().count("data:image/png;base64")
    assert pages["tar"] == pages[None] == COUNT


def test_a_replay_of_a_packed_run_gives_the_same_whatever_archive_it_goes_to(
    source, tmp_path, monkeypatch
):
    run(Gray(), source, tmp_path / "out", pack="tar")
    monkeypatch.setattr(packing, "LIMIT", 1)
    again = vision.replay(tmp_path / "out", tmp_path / "again", progress=False)
    assert len(list((tmp_path / "again").glob("*.tar"))) > 1
    assert again.notes == (f"{COUNT + 1} files gave the same as before",)


def test_the_command_line_packs(source, tmp_path, capsys):
    steps = tmp_path / "steps.yaml"
    steps.write_text("- Gray\n")
    arguments = ["run", str(steps), str(source), "--out", str(tmp_path / "out"), "--pack", "tar"]
    assert main([*arguments, "--quiet"]) == 1
    run(Gray(), source, tmp_path / "files")
    assert same(tmp_path / "files", tmp_path / "out")


def test_what_makes_no_sense_is_refused(source, tmp_path):
    with pytest.raises(ParameterError, match=r"'pack' of run must be 'tar'\. Got 'zip'"):
        run(Gray(), source, tmp_path / "out", pack="zip")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/images-00001.tar").touch()
    with pytest.raises(OutputExistsError, match=r"images-00001\.tar', which no run made"):
        run(Gray(), source, tmp_path / "out", pack="tar")


SLOW = (
    "import sys, time, vision\n"
    "class Slow(vision.Step):\n"
    "    calls = 0\n"
    "    def apply(self, image):\n"
    "        Slow.calls += 1\n"
    "        time.sleep(0.12 if Slow.calls <= int(sys.argv[3]) else 300)\n"
    "        return image.copy()\n"
    "vision.run(Slow(), sys.argv[1], sys.argv[2], pack='tar', threads=2, progress=False)\n"
)


@pytest.mark.parametrize("lines", [2, 4, 7])
def test_killed_midway_and_gone_on_with_it_is_the_run_undisturbed(source, tmp_path, lines):
    out = tmp_path / "out"
    command = [sys.executable, "-c", SLOW, str(source), str(out)]
    child = subprocess.Popen([*command, str(COUNT - 1)])  # stuck in the last, it can be killed
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.01)
        if (out / "ledger.jsonl").exists() and (
            (out / "ledger.jsonl").read_bytes().count(b"\n") > lines
        ):
            break
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    with Ledger(out / "ledger.jsonl") as ledger:
        finished = {name: ledger[name]["outputs"] for name in ledger}
    subprocess.run([*command, str(COUNT)], check=True)
    with Ledger(out / "ledger.jsonl") as ledger:
        assert all(ledger[name]["outputs"] == outputs for name, outputs in finished.items())
        for name in ledger:
            for output in ledger[name]["outputs"]:
                with Image.open(io.BytesIO(read_output(out, output))) as made:
                    assert np.array_equal(
                        made.convert("L"), numbered(int(name.split("/")[-1][:-4]))
                    )
    assert not list(out.rglob("*.tmp"))
    run(Gray(), source, tmp_path / "files")
    assert set(of_archives(out)) == set(of_files(tmp_path / "files"))
    assert all(path.read_bytes().endswith(END) for path in out.glob("*.tar"))


def test_worker_processes_have_an_archive_each(source, tmp_path):
    pytest.importorskip("distributed")
    summary = run(Gray(), source, tmp_path / "out", pack="tar", workers=2)
    assert (summary.done, summary.failed) == (COUNT, 1)
    run(Gray(), source, tmp_path / "files")
    assert same(tmp_path / "files", tmp_path / "out")
    assert run(Gray(), source, tmp_path / "out", pack="tar").unchanged == COUNT


def test_archives_that_nothing_needs_are_removed_though_a_crash_came_first(source, tmp_path):
    script = (
        "import os, sys, vision, vision.run_job\n"
        "from classical import Gray\n"
        "vision.run_job.remove_dead = lambda *arguments: os._exit(9)\n"
        "vision.run(Gray(), *sys.argv[1:], progress=False)\n"
    )
    out = tmp_path / "out"
    run(Gray(), source, out, pack="tar")
    assert subprocess.run([sys.executable, "-c", script, source, out]).returncode == 9
    assert list(out.glob("*.tar"))
    assert run(Gray(), source, out).unchanged == COUNT
    assert not list(out.glob("*.tar"))
