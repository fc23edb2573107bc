"""Runs into a folder that has results: nothing lost, nothing done twice."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import vision
from classical import FindContours, Gray, Opening, Otsu, Threshold
from tests.vision.run_folders import Spy, encoded, files_below, put, run, squares, stored, table
from vision.ledger import Ledger
from vision.resume import Pace

NAMES = [f"{number}.png" for number in range(6)]


def numbered(number):
    """Pictures of which no two are the same."""
    image = squares(1)
    image[0, number] = 90
    return image


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    for number, name in enumerate(NAMES):
        put(folder, name, numbered(number))
    return folder


class Counting(Spy):
    """A step that counts the pictures it has seen."""

    def __init__(self):
        self.seen = []
        super().__init__(lambda image: self.seen.append(1))

    def count(self):
        found = len(self.seen)
        self.seen.clear()
        return found


def test_a_second_run_computes_nothing_and_touches_nothing(source, tmp_path):
    out = tmp_path / "out"
    first = run(Gray() >> Otsu(), source, out)
    before = {p: p.stat().st_mtime_ns for p in (out / "images").iterdir()}
    tables = first.results_csv.read_bytes()
    second = run(Gray() >> Otsu(), source, out)
    assert (first.done, first.unchanged) == (6, 0)
    assert (second.done, second.unchanged, second.notes) == (0, 6, ())
    assert {p: p.stat().st_mtime_ns for p in (out / "images").iterdir()} == before
    assert second.results_csv.read_bytes() == tables


def test_only_what_is_new_changed_or_failed_is_done(source, tmp_path):
    out = tmp_path / "out"
    (source / "broken.png").write_bytes(b"no picture")
    first = run(Gray() >> Otsu(), source, out)
    assert (first.done, first.failed) == (6, 1)
    put(source, "new.png", numbered(20))
    put(source, "3.png", squares(4))
    put(source, "broken.png", squares(5))
    second = run(Gray() >> Otsu(), source, out)
    assert (second.done, second.failed, second.unchanged) == (3, 0, 5)
    assert np.array_equal(stored(out / "images/3.png"), squares(4))
    assert table(second.errors_csv) == []
    assert [row["source"] for row in table(second.results_csv)] == [
        *NAMES,
        "broken.png",
        "new.png",
    ]


def test_a_file_with_another_time_but_the_same_content_is_not_computed(source, tmp_path):
    step, out = Counting(), tmp_path / "out"
    run(step, source, out)
    assert step.count() == 6
    os.utime(source / "2.png", ns=(1, 1))
    copy = source / "copy"
    copy.write_bytes((source / "4.png").read_bytes())
    copy.replace(source / "4.png")  # another inode
    summary = run(step, source, out)
    assert step.count() == 0
    assert (summary.done, summary.unchanged) == (0, 6)
    assert run(step, source, out).unchanged == 6


def test_moved_and_duplicate_files_are_taken_over_and_have_their_own_rows(source, tmp_path):
    step, out = Counting(), tmp_path / "out"
    run(step, source, out)
    step.count()
    (source / "sub").mkdir()
    (source / "0.png").rename(source / "sub/moved.png")
    (source / "twin.png").write_bytes((source / "1.png").read_bytes())
    summary = run(step, source, out)
    assert step.count() == 0
    assert (summary.done, summary.unchanged) == (2, 5)
    rows = {row["source"]: row for row in table(summary.results_csv)}
    assert rows["sub/moved.png"]["output"] == "images/sub/moved.png"
    assert np.array_equal(stored(out / "images/sub/moved.png")[..., 0], numbered(0))
    assert np.array_equal(stored(out / "images/twin.png")[..., 0], numbered(1))
    assert "0.png" not in rows
    assert (out / "images/0.png").exists()
    assert table(out / "vanished.csv") == [{"source": "0.png", "output": "images/0.png"}]
    (source / "sub/moved.png").rename(source / "0.png")
    back = run(step, source, out)
    assert step.count() == 0
    assert (back.done, back.unchanged) == (0, 7)
    assert [row["source"] for row in table(out / "vanished.csv")] == ["sub/moved.png"]


def test_duplicates_within_one_run_are_computed_once(tmp_path):
    step, folder = Counting(), tmp_path / "in"
    for number in range(30):
        put(folder, f"{number}.png", squares(number % 3))
    summary = run(step, folder, tmp_path / "out", threads=3)
    assert step.count() == 3
    assert summary.done == 30
    for number in range(30):
        made = stored(tmp_path / f"out/images/{number}.png")
        assert np.array_equal(made[..., 0], squares(number % 3))


def test_the_same_content_under_a_name_of_another_format_is_done_anew(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    path = put(folder, "a.png", squares(2))
    run(Counting(), folder, out)
    path.rename(folder / "a.tif")  # a PNG that is called TIFF: the name decides what is written
    run(Counting(), folder, out)
    assert (out / "images/a.tif").read_bytes()[:2] in (b"II", b"MM")


def test_an_output_that_is_gone_or_altered_is_made_again(source, tmp_path):
    out = tmp_path / "out"
    run(Gray() >> Otsu(), source, out)
    good = (out / "images/1.png").read_bytes()
    (out / "images/1.png").write_bytes(good[:-1] + b"x")
    (out / "images/2.png").unlink()
    os.utime(out / "images/3.png", ns=(1, 1))  # copied somewhere and back: the content decides
    summary = run(Gray() >> Otsu(), source, out)
    assert (summary.done, summary.unchanged) == (2, 4)
    assert (out / "images/1.png").read_bytes() == good
    assert "2 files done again: an output was altered or removed" in summary.notes


def test_an_edit_that_size_and_time_hide_is_found_by_verify(source, tmp_path):
    out = tmp_path / "out"
    run(Gray() >> Otsu(), source, out)
    path = source / "0.png"
    before, data = path.stat(), encoded(numbered(9), ".png")
    old = path.read_bytes()
    data += b"\0" * max(0, len(old) - len(data))  # PNG readers stop at its end
    if len(data) == len(old):
        with path.open("r+b") as file:
            file.write(data)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    hidden = out / "images/5.png"
    stat, good = hidden.stat(), hidden.read_bytes()
    with hidden.open("r+b") as file:
        file.write(b"\0" * len(good))
    os.utime(hidden, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert run(Gray() >> Otsu(), source, out).unchanged == 6
    summary = run(Gray() >> Otsu(), source, out, verify=True)
    assert summary.done == 1 + (len(data) == len(old))
    assert hidden.read_bytes() == good


def test_an_edited_pipeline_or_option_does_everything_again_and_says_so(source, tmp_path):
    out = tmp_path / "out"
    run(Gray() >> Threshold(100), source, out)
    summary = run(Gray() >> Threshold(200), source, out)
    assert summary.done == 6
    assert summary.notes == ("6 files done again: the pipeline or an option was edited",)
    assert run(Gray() >> Threshold(200), source, out, overlay=True).done == 6
    assert run(Gray() >> Threshold(200), source, out, overlay=True).unchanged == 6


def test_outputs_that_an_edit_no_longer_makes_are_removed(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out)
    run(Gray(), source, out, format="jpg")
    assert files_below(out / "images") == {f"{name}.jpg" for name in NAMES}


def test_restart_does_everything_and_retry_failed_nothing_else(source, tmp_path):
    step, out = Counting(), tmp_path / "out"
    (source / "broken.png").write_bytes(b"no picture")
    run(step, source, out)
    step.count()
    put(source, "new.png", numbered(30))
    summary = run(step, source, out, retry_failed=True)
    assert (summary.done, summary.failed, step.count()) == (0, 1, 0)
    run(step, source, out, restart=True)
    assert step.count() == 7


def test_other_versions_are_told_and_not_done_again(source, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr("vision.runner.versions_of", lambda p: {"Otsu": 1, "opencv": "3.4"})
        run(Gray() >> Otsu(), source, out)
    summary = run(Gray() >> Otsu(), source, out)
    assert summary.unchanged == 6
    (note,) = summary.notes
    assert "done by opencv 3.4: restart does them again" in note


def test_a_cut_ledger_costs_the_cut_file_alone(source, tmp_path):
    out = tmp_path / "out"
    run(Gray() >> Otsu(), source, out, threads=1)
    path = out / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    summary = run(Gray() >> Otsu(), source, out)
    assert (summary.done, summary.unchanged) == (1, 5)
    assert summary.notes == ("1 damaged lines of the ledger were ignored",)


def test_a_file_listed_twice_has_two_entries(source, tmp_path):
    out = tmp_path / "out"
    files = [source / "0.png", source / "0.png"]
    assert run(Gray() >> Otsu(), files, out).done == 2
    assert files_below(out / "images") == {"0.png", "0_2.png"}
    assert run(Gray() >> Otsu(), files, out).unchanged == 2


@pytest.mark.parametrize("form", ["arrays", "zip"])
def test_pictures_in_memory_and_archives_resume_too(source, tmp_path, form):
    import zipfile

    step, out = Counting(), tmp_path / "out"
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for name in NAMES:
                archive.write(source / name, name)
        given = tmp_path / "in.zip"
    else:
        given = [numbered(number) for number in range(6)]
    run(step, given, out)
    assert step.count() == 6
    assert run(step, given, out).unchanged == 6
    assert step.count() == 0


def test_tables_are_the_same_however_a_run_was_cut(source, tmp_path):
    pipeline = Gray() >> Otsu() >> Opening(3) >> FindContours()
    whole = run(pipeline, source, tmp_path / "whole")
    for name in NAMES[:3]:
        (source / name).rename(tmp_path / name)
    run(pipeline, source, tmp_path / "parts", threads=1)
    for name in NAMES[:3]:
        (tmp_path / name).rename(source / name)
    parts = run(pipeline, source, tmp_path / "parts", threads=2)
    assert parts.results_csv.read_bytes() == whole.results_csv.read_bytes()
    with whole.results_csv.open() as file:
        keys = [(row["source"], int(row["object"])) for row in csv.DictReader(file)]
    assert keys == sorted(keys)


def test_a_finished_line_is_never_done_again_after_a_kill(source, tmp_path):
    out = tmp_path / "out"
    code = (
        "import sys, time, vision, numpy as np\n"
        "from vision.kinds import SAME\n"
        "class Slow(vision.Step):\n"
        "    calls = 0\n"
        "    def apply(self, image):\n"
        "        Slow.calls += 1\n"
        "        time.sleep(0.4 if Slow.calls <= int(sys.argv[3]) else 300)\n"
        "        return image.copy()\n"
        "vision.run(Slow(), sys.argv[1], sys.argv[2], threads=1, progress=False)\n"
    )
    command = [sys.executable, "-c", code, str(source), str(out)]
    child = subprocess.Popen([*command, "5"])  # stuck in the last, it is there to be killed
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)
        if (out / "ledger.jsonl").exists() and (out / "ledger.jsonl").read_bytes().count(b"\n") > 2:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    with Ledger(out / "ledger.jsonl") as ledger:
        finished = len(ledger)
    assert 2 <= finished < 6
    subprocess.run([*command, "6"], check=True)
    with Ledger(out / "ledger.jsonl") as ledger:
        first, second = ledger.runs
        by = [ledger[name]["run"] for name in ledger]
    assert by.count(first) == finished
    assert by.count(second) == 6 - finished
    assert not list(out.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_end_a_run_in_order_even_within_a_long_step(source, tmp_path, number, code):
    if signal.getsignal(number) is signal.SIG_IGN:  # what is started inherits that
        pytest.skip("the signal is ignored here, as under nohup")
    out = tmp_path / "out"
    script = (
        "import sys, time, vision\n"
        "class Slow(vision.Step):\n"
        "    def apply(self, image):\n"
        "        time.sleep(300 if image[0, 3].any() else 0.01)\n"
        "        return image.copy()\n"
        "vision.run(Slow(), sys.argv[1], sys.argv[2], threads=2, progress=False)\n"
    )
    command = [sys.executable, "-c", script, str(source), str(out)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)
        if (out / "ledger.jsonl").exists() and (out / "ledger.jsonl").read_bytes().count(b"\n") > 3:
            break
    child.send_signal(number)
    child.wait(timeout=120)  # `benchmarks.stops` holds it to two seconds
    assert child.returncode in (code, -number)
    rows = table(out / "results.csv")
    assert rows
    assert "3.png" not in {row["source"] for row in rows}
    assert not list(out.rglob("*.tmp"))


def test_chunks_grow_to_a_second_of_work_and_no_further():
    images = vision.Images(np.zeros((5000, 2, 2), np.uint8))
    names = [str(number) for number in range(5000)]
    pace = Pace(images, names, ((index, None) for index in range(5000)))
    sizes = []
    while (chunk := pace.next(idle=True, slots=3)) is not None:
        sizes.append(len(chunk))
        entries = [{"name": name} for name in chunk.names]
        pace.note(chunk, entries, 0.01 * len(chunk))  # a hundred files a second
    assert sizes[:5] == [1, 4, 16, 64, 100]
    assert set(sizes[4:40]) == {100}
    assert sizes[-6:] == [1] * 6  # all ends are near each other
    assert sizes[4:] == sorted(sizes[4:], reverse=True)
    assert sum(sizes) == 5000


def test_a_content_that_its_name_has_no_more_is_not_taken_over_from_there(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out)
    put(source, "0.png", numbered(40))
    run(Gray(), source, out)
    put(source, "copy.png", numbered(0))  # what 0.png was once
    run(Gray(), source, out)
    assert np.array_equal(stored(out / "images/copy.png"), numbered(0))
    assert np.array_equal(stored(out / "images/0.png"), numbered(40))


def test_files_that_change_names_keep_their_results(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out)
    for number, name in enumerate(NAMES):  # as where logs are rotated, and round again
        put(source, name, numbered((number + 1) % len(NAMES)))
    run(Gray(), source, out, threads=2)
    for number, name in enumerate(NAMES):
        assert np.array_equal(stored(out / "images" / name), numbered((number + 1) % len(NAMES)))


def test_an_output_that_is_replaced_while_it_is_taken_over_is_made_anew(
    source, tmp_path, monkeypatch
):
    out, other = tmp_path / "out", tmp_path / "other.png"
    run(Gray(), source, out)
    put(source, "copy.png", numbered(0))
    put(tmp_path, "other.png", numbered(50))
    link = os.link

    def late(path, new):
        other.replace(path)  # the file of that name was done again just now
        link(path, new)

    monkeypatch.setattr(os, "link", late)
    run(Gray(), source, out)
    assert np.array_equal(stored(out / "images/copy.png"), numbered(0))


def test_restart_takes_nothing_over_from_before(source, tmp_path):
    step, out = Counting(), tmp_path / "out"
    for name in ("again.png", "twin.png"):
        put(source, name, numbered(0))
    run(step, source, out)
    assert step.count() == 6
    run(step, source, out, restart=True)
    assert step.count() == 6
    with Ledger(out / "ledger.jsonl") as ledger:
        _, second = ledger.runs
        assert {ledger[name]["run"] for name in ledger} == {second}
        assert [ledger[ledger[name]["copied"]]["run"] for name in ("again.png", "twin.png")]


def test_a_file_that_comes_back_is_done_again_if_its_output_is_gone(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out)
    (source / "0.png").rename(tmp_path / "0.png")
    run(Gray(), source, out)
    (out / "images/0.png").unlink()
    (tmp_path / "0.png").rename(source / "0.png")
    summary = run(Gray(), source, out)
    assert (summary.done, summary.unchanged) == (1, 5)
    assert np.array_equal(stored(out / "images/0.png"), numbered(0))


def test_an_edit_never_removes_what_another_file_has_in_the_place(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "a.png", squares(1))
    put(folder, "mask/a.png", squares(2))
    run(Gray(), folder, out)
    branches = vision.Branches({"mask": Gray() >> Otsu(), "more": Gray()})
    for threads in (1, 2):
        summary = run(branches, folder, out, threads=threads, restart=True)
        rows = [row for row in table(summary.results_csv) if row["branch"] == "mask"]
        found = {row["source"]: stored(out / row["output"]) > 0 for row in rows}
        assert np.array_equal(found["a.png"], squares(1) > 0)
        assert np.array_equal(found["mask/a.png"], squares(2) > 0)


@pytest.mark.parametrize("name", ["images/sub", "images/sub/a.png"])
def test_an_output_to_be_replaced_that_is_something_else_by_now_ends_no_run(tmp_path, name):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "sub/a.png", squares(1))
    run(Gray(), folder, out)
    (out / "images/sub/a.png").unlink()
    if name == "images/sub":
        (out / name).rmdir()
        (out / name).touch()
    else:
        (out / name).mkdir()
    put(folder, "b.png", squares(2))
    summary = run(Gray(), folder, out, format="jpg")
    assert summary.done + summary.failed == 2
    assert (out / "images/b.png.jpg").exists()


def test_a_crash_before_replaced_outputs_are_removed_leaves_none(source, tmp_path):
    out = tmp_path / "out"
    script = (
        "import os, sys, vision\n"
        "from classical import Gray\n"
        "from vision.ledger import Ledger\n"
        "append = Ledger.append\n"
        "def last(self, entries, **options):\n"
        "    append(self, entries, **options)\n"
        "    if 'name' in entries[0]:\n"
        "        os._exit(9)\n"
        "Ledger.append = last\n"
        "vision.run(Gray(), *sys.argv[1:], format='jpg', progress=False)\n"
    )
    run(Gray(), source, out)
    assert subprocess.run([sys.executable, "-c", script, source, out]).returncode == 9
    assert run(Gray(), source, out, format="jpg").unchanged >= 1
    assert files_below(out / "images") == {f"{name}.jpg" for name in NAMES}


def test_files_of_another_folder_in_the_place_of_the_first_are_told(source, tmp_path):
    out = tmp_path / "out"
    run(Gray(), source, out)
    moved = source.rename(tmp_path / "moved")
    assert run(Gray(), moved, out).notes == ()
    other = tmp_path / "other"
    put(other, "0.png", numbered(60))
    notes = run(Gray(), other, out).notes
    assert notes[0] == f"1 file of another content than those of that name in {str(moved)!r}"


def test_the_last_run_is_the_last_in_the_ledger_whatever_the_clock_did(source, tmp_path):
    from vision.run_replay import last_head

    out = tmp_path / "out"
    run(Gray(), source, out)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vision.run_job.time.time", lambda: 1.0)  # the clock was put back
        run(Gray() >> Otsu(), source, out)
    assert last_head(out)["pipeline"] == "- Gray\n- Otsu\n"
