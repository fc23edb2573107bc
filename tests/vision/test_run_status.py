"""Where a run stands, counted by hand in ledgers of a few lines and against runs."""

import json
import os
import threading
import time

import numpy as np
import pytest

import vision
from classical import Gray, Otsu
from tests.vision.run_folders import put, put_broken, put_photos, run
from vision.cli import main
from vision.kinds import SAME
from vision.ledger import Ledger, line_of

MASK = Gray() >> Otsu()
NOW = 1_000_000.0


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still."""
    monkeypatch.setattr("vision.run_status.time.time", lambda: NOW)


def head(run="r1", key="k", files=10, started=NOW - 100, **more):
    """The first line of a run."""
    fields = {"run": run, "key": key, "started": started, "files": files, "versions": {}}
    return fields | {"root": "/in", "options": {}} | more


def entry(name, run="r1", key="k", seconds=1.0, at=NOW, size=100, **more):
    """The line of a file."""
    fields = {"name": name, "source": name, "run": run, "key": key, "seconds": seconds, "at": at}
    return fields | {"rows": [], "outputs": [[f"images/{name}", size, 1, "0"]]} | more


def failed(name, **more):
    """The line of a file that failed."""
    return entry(name, **more) | {"outputs": [], "error": {"error": "E", "reason": "r"}}


def ledger(out, lines, name="ledger.jsonl"):
    """Write a ledger; its bytes."""
    out.mkdir(exist_ok=True)
    (out / name).write_bytes(b"".join(map(line_of, lines)))
    return (out / name).stat().st_size


# Counts


def test_counts_rate_and_size_are_those_of_the_lines(tmp_path, clock):
    lines = [head(), entry("a"), entry("b", size=50), failed("c", at=NOW - 60), entry("a", size=70)]
    size = ledger(tmp_path, lines)
    found = vision.status(tmp_path)
    assert (found.files, found.done, found.failed, found.left) == (10, 2, 1, 7)
    assert found.disk == size + 70 + 50  # the last line of a name holds
    assert found.rate == pytest.approx(3 / 100)
    assert (found.running, found.seconds_left, found.runs) == (False, None, 1)


def test_an_edited_pipeline_leaves_what_the_older_one_did(tmp_path):
    older = [entry("a", run="r0", key="old"), entry("b", run="r0", key="old")]
    ledger(tmp_path, [head("r0", "old"), *older, head(files=2), entry("a")])
    found = vision.status(tmp_path)
    assert (found.done, found.left, found.runs) == (1, 1, 2)


def test_unchanged_files_are_done_and_a_restart_does_them_again(tmp_path):
    first = [head("r0"), entry("a", run="r0"), entry("b", run="r0")]
    ledger(tmp_path, [*first, head(files=3)])
    assert (vision.status(tmp_path).done, vision.status(tmp_path).left) == (2, 1)
    ledger(tmp_path, [*first, head(files=3, asked={"restart": True}), entry("a")])
    assert (vision.status(tmp_path).done, vision.status(tmp_path).left) == (1, 2)


def test_files_that_vanished_or_share_outputs_are_told_apart(tmp_path):
    lines = [head(files=2), entry("a"), entry("b", copied="a"), entry("c", vanished=True)]
    size = ledger(tmp_path, lines)
    found = vision.status(tmp_path)
    assert (found.done, found.vanished, found.left) == (2, 1, 0)
    assert found.disk == size + 100 + 100


def test_damaged_lines_are_counted_and_ignored(tmp_path):
    ledger(tmp_path, [head(), entry("a"), entry("b")])
    path = tmp_path / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"a"', b'"x"') + b"\n" + lines[2][:-9])
    found = vision.status(tmp_path)
    assert (found.damaged, found.done) == (2, 0)


def test_a_line_that_is_being_written_is_no_damage(tmp_path):
    with Ledger(tmp_path / "ledger.jsonl", write=True) as writing:
        writing.append([head(), entry("a")])
        with (tmp_path / "ledger.jsonl").open("ab") as file:
            file.write(line_of(entry("b"))[:30])
        found = vision.status(tmp_path)
    assert (found.running, found.damaged, found.done) == (True, 0, 1)
    assert vision.status(tmp_path).damaged == 1


def test_the_slowest_ten_come_first(tmp_path):
    times = np.random.default_rng(3).permutation(40) / 8
    files = [entry(f"{number:02}", seconds=float(time)) for number, time in enumerate(times)]
    ledger(tmp_path, [head(files=40), *files])
    expected = sorted(((float(time), f"{n:02}") for n, time in enumerate(times)), reverse=True)
    assert vision.status(tmp_path).slowest == tuple((name, time) for time, name in expected[:10])


def test_results_of_different_versions_are_told(tmp_path):
    first = head("r0", versions={"opencv": "4.14", "Otsu": 1, "numpy": "2.4"})
    second = head(versions={"opencv": "5.0", "Otsu": 1, "numpy": "2.4"}, files=3)
    done = [entry("a", run="r0"), entry("b", run="r0"), entry("c")]
    ledger(tmp_path, [first, *done[:2], second, done[2]])
    assert vision.status(tmp_path).mixed == ("opencv 4.14 (2), 5.0 (1)",)
    ledger(tmp_path, [first, *done[:2], second, entry("a"), entry("b"), done[2]])
    assert vision.status(tmp_path).mixed == ()


# Several ledgers


def test_shards_are_read_together(tmp_path, clock):
    sizes = [
        ledger(tmp_path, [head(files=5), entry("a"), failed("b")], "ledger-1-of-3.jsonl"),
        ledger(tmp_path, [head(files=6), entry("c", seconds=9)], "ledger-2-of-3.jsonl"),
        ledger(tmp_path, [], "ledger-3-of-3.jsonl"),  # has not begun
    ]
    found = vision.status(tmp_path)
    assert (found.files, found.done, found.failed, found.left) == (11, 2, 1, 8)
    assert found.slowest[0] == ("c", 9)
    assert found.disk == sum(sizes) + 200
    assert (found.runs, found.running) == (2, False)


def test_the_time_left_is_that_of_the_shard_that_takes_longest(tmp_path, clock):
    paths = [tmp_path / f"ledger-{number}-of-2.jsonl" for number in (1, 2)]
    with Ledger(paths[0], write=True) as first, Ledger(paths[1], write=True) as second:
        first.append([head(files=5), *(entry(f"a{n}") for n in range(4))])  # 25 s a file, 1 left
        second.append([head(files=4), entry("b", run="r0"), entry("c")])  # 100 s a file, 2 left
        found = vision.status(tmp_path)
    assert found.running
    assert found.seconds_left == pytest.approx(200)
    assert found.rate == pytest.approx(0.04 + 0.01)


# Runs


def test_it_agrees_with_the_run(tmp_path):
    put_photos(tmp_path / "in")
    put_broken(tmp_path / "in")
    out = tmp_path / "out"
    summary = run(MASK, tmp_path / "in", out)
    found = vision.status(out)
    assert (found.done, found.failed, found.left) == (summary.done, summary.failed, 0)
    assert found.files == 8
    assert found.disk == sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    (tmp_path / "in/cat.png").unlink()
    run(MASK, tmp_path / "in", out)
    found = vision.status(out)
    assert (found.done, found.vanished, found.left, found.runs) == (4, 1, 0, 2)


class Gate(vision.Step):
    """Lets pictures through one by one."""

    gives = SAME

    def __init__(self, gate=None):
        self.gate = gate

    def apply(self, image):
        assert self.gate.acquire(timeout=30)
        return image.copy()


def test_a_run_that_is_going_on_is_seen_from_outside(tmp_path):
    for number in range(4):
        put(tmp_path / "in", f"{number}.png", np.full((8, 8), 9 * number, np.uint8))
    gate, out = threading.Semaphore(1), tmp_path / "out"
    working = threading.Thread(
        target=run, args=(Gate(gate), tmp_path / "in", out), kwargs={"threads": 1}
    )
    working.start()
    try:
        deadline = time.monotonic() + 30
        found = None
        while found is None or not found.done:
            assert time.monotonic() < deadline
            time.sleep(0.02)
            found = vision.status(out) if (out / "ledger.jsonl").exists() else None
        assert (found.running, found.done, found.left) == (True, 1, 3)
        assert found.seconds_left > 0
        assert "left of 4" in str(found)
    finally:
        gate.release(10)
        working.join(30)
    found = vision.status(out)
    assert (found.running, found.done, found.left) == (False, 4, 0)


def test_looking_does_not_keep_a_run_out(tmp_path):
    ledger(tmp_path, [head()])
    vision.status(tmp_path)
    with Ledger(tmp_path / "ledger.jsonl", write=True) as writing:
        writing.append([entry("a")])


# The command


def test_the_command_says_it_in_lines_or_json(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [head(files=1500), entry("b.png", seconds=90.0), entry("c.png", vanished=True)]
    ledger(tmp_path / "out", [*lines, failed("\udcff.png", seconds=0.002)])
    assert main(["status", "out"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "out: not running, 1 run so far\n  1 done, 1 failed, 1,498 left of 1,500\n"
    )
    assert "1 min 30 s  b.png" in said
    assert "2 ms  \\udcff.png" in said
    assert "1 gone from the source" in said
    assert main(["status", "out", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["slowest"] == [["b.png", 90.0], ["\udcff.png", 0.002]]
    assert (found["out"], found["left"], found["running"]) == ("out", 1498, False)


@pytest.mark.parametrize("command", ["status", "replay"])
def test_a_folder_without_a_run_is_refused(tmp_path, capsys, command):
    assert main([command, str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"The 'out' of {command} must be the folder of a run." in said
    assert said.count(os.linesep) == 1
