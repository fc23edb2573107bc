"""Runs in shards: each part alone, all together the run as a whole."""

import hashlib
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import vision
from classical import FindContours, Gray, Otsu, Threshold
from tests.vision.run_folders import Spy, files_below, put, run, squares, table
from vision.cli import main
from vision.errors import LedgerInUseError, OutputExistsError, ParameterError
from vision.ledger import Ledger
from vision.shards import Shard, check_shard, shards_of

COUNT = 4
SHARDS = [f"{number}/{COUNT}" for number in range(1, COUNT + 1)]
TABLES = ("results.csv", "errors.csv")


@pytest.fixture
def source(tmp_path):
    """Pictures in folders, one listed name twice over in content, two files that are none."""
    folder = tmp_path / "in"
    for number in range(20):
        put(folder, f"{'sub/' * (number % 3)}{number}.png", squares(number % 9))
    (folder / "torn.png").write_bytes(b"no picture")
    (folder / "sub/empty.png").touch()
    return folder


def pipeline():
    return Gray() >> Otsu() >> FindContours()


def run_all(source, out, shards=SHARDS, *, steps=None, **options):
    steps = pipeline() if steps is None else steps
    return [run(steps, source, out, shard=shard, **options) for shard in shards]


def pictures(out):
    """The manifest of a run: every picture by its name, with its hash."""
    return {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in files_below(out)
        if name.startswith(("images/", "overlays/"))
    }


def same(one, other):
    """Whether two runs left the same tables and pictures."""
    tables = all((one / name).read_bytes() == (other / name).read_bytes() for name in TABLES)
    return tables and pictures(one) == pictures(other)


def test_all_shards_together_are_the_run_as_a_whole_byte_for_byte(source, tmp_path):
    whole = run(pipeline(), source, tmp_path / "whole", overlay=True)
    parts = run_all(source, tmp_path / "parts", overlay=True)
    merged = vision.merge(tmp_path / "parts")
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert (merged.done, merged.failed, merged.left, merged.notes) == (20, 2, 0, ())
    assert sum(part.done for part in parts) == whole.done
    assert all(part.done for part in parts)


def test_branches_keep_their_column_even_if_every_file_failed(source, tmp_path):
    steps = Gray() >> vision.Branches({"low": Threshold(10), "high": Threshold(200)})
    run(steps, source, tmp_path / "whole")
    run_all(source, tmp_path / "parts", steps=steps)
    vision.merge(tmp_path / "parts")
    assert same(tmp_path / "whole", tmp_path / "parts")
    bad = source / "torn.png"
    run(steps, bad, tmp_path / "none")
    run(steps, bad, tmp_path / "part", shard="1/1")
    vision.merge(tmp_path / "part")
    assert same(tmp_path / "none", tmp_path / "part")
    assert table(tmp_path / "part/results.csv") == []


def test_a_shard_writes_its_own_ledger_and_no_table(source, tmp_path):
    summary = run(pipeline(), source, tmp_path / "out", shard="2/4")
    assert files_below(tmp_path / "out") == {"ledger-2-of-4.jsonl", "pipeline.yaml"}
    assert (summary.results_csv, summary.errors_csv, summary.report) == (None, None, None)
    assert f"vision merge {tmp_path / 'out'}" in summary.notes[-1]
    assert repr(summary).endswith(f"{tmp_path / 'out'})")


def test_a_name_is_owned_by_the_shard_of_its_blake2_whatever_else_there_is():
    for name in ("a.png", "sub/ü.png", "odd\udcff.png"):
        written = name.encode("utf-8", "backslashreplace")
        owner = int(hashlib.blake2b(written, digest_size=8).hexdigest(), 16) % 7 + 1
        owners = [number for number in range(1, 8) if Shard(number, 7).owns(name)]
        assert owners == [owner]


def test_shards_are_even():
    names = [f"photos/{number:06}.jpg" for number in range(20_000)]
    counts = Counter(
        next(number for number in range(1, 11) if Shard(number, 10).owns(name)) for name in names
    )
    # 2,000 each; the deviation of a binomial count is 42.
    assert max(abs(count - 2000) for count in counts.values()) < 5 * 42


def test_new_files_do_not_move_others_to_another_shard(source, tmp_path):
    out = tmp_path / "out"
    run_all(source, out)
    for number in range(20, 30):
        put(source, f"{number}.png", squares(number % 9))
    again = run_all(source, out)
    assert sum(part.unchanged for part in again) == 20
    assert sum(part.done for part in again) == 10
    run(pipeline(), source, tmp_path / "whole")
    vision.merge(out)
    assert same(tmp_path / "whole", out)


def test_names_that_are_there_twice_stay_apart(source, tmp_path):
    files = [source / "0.png", source / "0.png", source / "3.png", source / "0.png"]
    put(source, "0_2.png", squares(7))
    files.append(source / "0_2.png")
    run(Gray(), files, tmp_path / "whole")
    run_all(files, tmp_path / "parts", steps=Gray())
    vision.merge(tmp_path / "parts")
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert len(pictures(tmp_path / "parts")) == 5


def test_files_that_vanished_are_told_by_the_shard_that_owns_them(source, tmp_path):
    for out in ("whole", "parts"):
        shards = SHARDS if out == "parts" else [None]
        run_all(source, tmp_path / out, shards, steps=Gray())
    (source / "0.png").unlink()
    (source / "sub/1.png").unlink()
    run(Gray(), source, tmp_path / "whole")
    notes = [part.notes[0] for part in run_all(source, tmp_path / "parts", steps=Gray())]
    told = [note for note in notes if "gone from the source" in note]
    owners = {shard for shard in SHARDS for name in ("0.png", "sub/1.png") if owns(shard, name)}
    assert len(told) == len(owners)
    vision.merge(tmp_path / "parts")
    assert same(tmp_path / "whole", tmp_path / "parts")
    gone = [tmp_path / out / "vanished.csv" for out in ("whole", "parts")]
    assert gone[0].read_bytes() == gone[1].read_bytes()
    assert [row["source"] for row in table(gone[0])] == ["0.png", "sub/1.png"]


def owns(shard, name):
    return Shard.of(shard).owns(name)


def test_a_shard_without_files_is_done_at_once(tmp_path):
    path = put(tmp_path / "in", "a.png", squares(2))
    for number in range(1, 10):
        run(Gray(), path, tmp_path / "out", shard=f"{number}/9")
    merged = vision.merge(tmp_path / "out")
    assert (merged.done, merged.left, merged.notes) == (1, 0, ())


def test_a_merge_midway_tells_what_is_left(source, tmp_path):
    out = tmp_path / "out"
    run_all(source, out, SHARDS[1:3])
    merged = vision.merge(out)
    assert merged.notes == ("not begun yet: 1/4, 4/4",)
    assert 0 < merged.done < 20
    assert len(table(out / "errors.csv")) == merged.failed


def test_parts_that_another_pipeline_did_last_are_told(source, tmp_path):
    out = tmp_path / "out"
    run_all(source, out, steps=Threshold(100))
    run_all(source, out, SHARDS[:2], steps=Threshold(200))
    merged = vision.merge(out)
    assert "ran last in ledger-3-of-4.jsonl, ledger-4-of-4.jsonl" in merged.notes[0]
    assert merged.left == 22 - merged.done - merged.failed
    run_all(source, out, SHARDS[2:], steps=Threshold(200))
    run(Threshold(200), source, tmp_path / "whole")
    assert vision.merge(out).notes == ()
    assert same(tmp_path / "whole", out)


def test_damaged_lines_are_told_and_their_files_are_left(source, tmp_path):
    out = tmp_path / "out"
    run_all(source, out)
    path = out / "ledger-1-of-4.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    merged = vision.merge(out)
    assert merged.left == 1
    assert "1 damaged lines" in merged.notes[0]


def test_a_merge_of_a_run_that_is_whole_writes_its_tables_anew(source, tmp_path):
    summary = run(pipeline(), source, tmp_path / "out")
    before = summary.results_csv.read_bytes()
    summary.results_csv.unlink()
    merged = vision.merge(tmp_path / "out")
    assert summary.results_csv.read_bytes() == before
    assert (merged.done, merged.failed, merged.left) == (20, 2, 0)


def test_parquet_is_merged_where_it_was_asked_for(source, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    run(pipeline(), source, tmp_path / "whole", tables="csv,parquet")
    run_all(source, tmp_path / "parts", tables="csv,parquet")
    vision.merge(tmp_path / "parts")
    read = [parquet.read_table(tmp_path / out / "results.parquet") for out in ("whole", "parts")]
    assert read[0].equals(read[1])


@pytest.mark.parametrize("shard", ["0/4", "5/4", "1/0", "a/b", "1", "1/4/5", 3, "-1/4", "1/4 "])
def test_what_is_no_shard_is_refused(source, tmp_path, shard):
    with pytest.raises(ParameterError, match="'shard' of run must be"):
        run(Gray(), source, tmp_path / "out", shard=shard)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (None, "1/4", "holds a run that is not in shards"),
        ("1/4", None, "holds a run in 4 shards"),
        ("1/4", "1/8", "holds a run in 4 shards"),
    ],
)
def test_a_folder_holds_one_kind_of_run(source, tmp_path, first, second, said):
    run(Gray(), source, tmp_path / "out", shard=first)
    before = files_below(tmp_path / "out")
    with pytest.raises(OutputExistsError, match=said):
        run(Gray(), source, tmp_path / "out", shard=second)
    assert files_below(tmp_path / "out") == before


def test_shards_are_refused_where_no_run_wrote(source, tmp_path):
    put(tmp_path / "out/images", "own.png", squares(1))
    with pytest.raises(OutputExistsError, match="which no run made"):
        run(Gray(), source, tmp_path / "out", shard="1/2")
    assert shards_of(tmp_path / "out") == []


def test_an_output_of_a_shard_that_began_meanwhile_is_no_stranger(tmp_path, monkeypatch):
    """The other shard's ledger appears between the two looks at the folder."""
    out = tmp_path / "out"
    put(out / "images", "a.png", squares(1))

    def late(place, shard):
        (out / "ledger-1-of-2.jsonl").touch()
        check_shard(place, shard)

    monkeypatch.setattr("vision.run_folder.check_shard", late)
    assert run(Gray(), put(tmp_path / "in", "a.png", squares(2)), out, shard="2/2").failed == 0


def test_a_shard_never_takes_the_outputs_of_others_for_its_source(tmp_path):
    for number in range(8):
        put(tmp_path, f"{number}.png", squares(number))
    out = tmp_path / "out"
    for _ in range(2):
        run_all(tmp_path, out, steps=Gray())
    assert len(pictures(out)) == 8


def test_the_same_shard_twice_at_once_is_refused_and_others_are_not(source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with Ledger(out / "ledger-1-of-4.jsonl", write=True):
        run(Gray(), source, out, shard="2/4")
        with pytest.raises(LedgerInUseError, match="ledger-1-of-4"):
            run(Gray(), source, out, shard="1/4")


SLOW = (
    "import sys, time, vision\n"
    "class Slow(vision.Step):\n"
    "    calls = 0\n"
    "    def apply(self, image):\n"
    "        Slow.calls += 1\n"
    "        time.sleep(0.15 if Slow.calls <= int(sys.argv[4]) else 300)\n"
    "        return image.copy()\n"
    "vision.run(Slow(), sys.argv[1], sys.argv[2], shard=sys.argv[3], threads=1, progress=False)\n"
)


def test_shards_beside_each_other_and_one_killed_midway(source, tmp_path):
    def start(shard, calls=20):
        command = [sys.executable, "-c", SLOW, str(source), str(out), shard, str(calls)]
        return subprocess.Popen(command)

    out = tmp_path / "out"
    children = {"1/2": start("1/2", calls=5), "2/2": start("2/2")}  # the first will be stuck
    ledger, deadline = out / "ledger-1-of-2.jsonl", time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.02)
        if ledger.exists() and ledger.read_bytes().count(b"\n") > 3:
            break
    children["1/2"].send_signal(signal.SIGKILL)
    assert children["1/2"].wait() == -signal.SIGKILL
    assert children["2/2"].wait() == 0
    with Ledger(ledger) as known:
        finished = {name: known[name]["run"] for name in known}
    assert start("1/2").wait() == 0
    with Ledger(ledger) as known:
        assert all(known[name]["run"] == by for name, by in finished.items() if by)
    assert not list(out.rglob("*.tmp"))

    class Slow(Spy):
        pass

    run(Slow(lambda image: None), source, tmp_path / "whole")
    merged = vision.merge(out)
    assert (merged.left, merged.notes) == (0, ())
    assert same(tmp_path / "whole", out)


def test_the_command_line_runs_shards_and_merges(source, tmp_path, capsys):
    parts = tmp_path / "parts.yaml"
    parts.write_text("- Gray\n- Otsu\n- FindContours\n")
    out = str(tmp_path / "out")
    for shard in SHARDS:
        status = main(["run", str(parts), str(source), "--out", out, "--shard", shard, "--quiet"])
        assert status in (0, 1)
    assert main(["merge", out]) == 1
    said = capsys.readouterr().out
    assert "20 files done, 0 left" in said
    assert "2 failed" in said
    run(pipeline(), source, tmp_path / "whole")
    assert same(tmp_path / "whole", tmp_path / "out")
    assert main(["merge", str(tmp_path / "in")]) == 2
    assert main(["run", str(parts), str(source), "--out", out]) == 2
    assert "shard='1/4'" in capsys.readouterr().err


def test_a_merge_holds_few_files_open(source, tmp_path):
    resource = pytest.importorskip("resource")
    out = tmp_path / "out"
    for number in range(1, 61):
        run(Gray(), source / "0.png", out, shard=f"{number}/60")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, before[1]))
    try:
        assert vision.merge(out).done == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_arrays_are_cut_too(tmp_path):
    arrays = [squares(number) for number in range(9)]
    run(Gray(), arrays, tmp_path / "whole")
    run_all(arrays, tmp_path / "parts", steps=Gray())
    vision.merge(tmp_path / "parts")
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert np.array_equal(vision.read(tmp_path / "parts/images/000008.png", mode="gray"), arrays[8])


def test_what_a_killed_merge_left_is_removed_by_the_next_and_nothing_else(source, tmp_path):
    script = (
        "import os, sys, vision\n"
        "from vision.tables import Table\n"
        "Table.close = lambda self: os.kill(os.getpid(), 9)\n"
        "vision.merge(sys.argv[1])\n"
    )
    out = tmp_path / "out"
    run_all(source, out)
    other = out / ".vision-0a1b-7-results.csv-rows.tmp"
    other.touch()
    assert subprocess.run([sys.executable, "-c", script, out]).returncode == -signal.SIGKILL
    assert len(list(out.glob(".vision-*"))) > 1
    vision.merge(out)
    assert list(out.glob(".vision-*")) == [other]
    run(pipeline(), source, tmp_path / "whole")
    assert same(out, tmp_path / "whole")
