"""Runs on worker processes: what threads give, whatever happens to a worker."""

import asyncio
import gc
import hashlib
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import vision
from classical import FindContours, Gray, Otsu
from tests.vision.dangerous_steps import (
    CRASH,
    DIE,
    EXIT,
    HANG,
    HOARD,
    SLEEP,
    Dangerous,
    marked,
)
from tests.vision.run_folders import files_below, put, put_broken, put_photos, run, table
from vision.cli import main
from vision.cluster import Cluster
from vision.cluster_options import check_cluster
from vision.cluster_processes import given_up_quietly
from vision.cluster_work import Shipped
from vision.composition import chain
from vision.errors import MissingDependencyError, ParameterError
from vision.plan import Plan
from vision.records import Recorder
from vision.run_chunk import Chunk
from vision.run_work import Work
from vision.staging import remove_left

psutil = pytest.importorskip("psutil", reason="comes with Dask")
pytest.importorskip("distributed", reason="worker processes are run by Dask")

NONE = dict.fromkeys(("threads", "workers", "dask", "timeout", "memory_limit"))
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux kernels have")
SCRIPT = """
import sys
import vision
from tests.vision.dangerous_steps import Dangerous

source, out, notes = sys.argv[1:]
vision.run(Dangerous(notes), source, out, workers=2, progress=False)
"""


def manifest(out):
    """Names and hashes of all pictures, and the tables."""
    paths = [path for path in Path(out, "images").rglob("*") if path.is_file()]
    hashes = {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }
    return hashes | {name: Path(out, name).read_bytes() for name in ("results.csv", "errors.csv")}


def put_marked(folder, count, marks):
    """Pictures of which some are dangerous."""
    for number in range(count):
        put(folder, f"{number:03d}.png", marked(number, marks.get(number, 0)))
    return folder


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def start():
    """Starts a run in a process of its own, which nobody guards by asking for its name."""
    started = []

    def run_script(*arguments, **options):
        command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
        started.append(subprocess.Popen(command, **options))
        return started[-1]

    yield run_script
    for process in started:  # of a test that failed
        with process:
            process.kill()


def wait_for(what, seconds=300):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_processes_give_what_threads_give(tmp_path):
    source = put_photos(tmp_path / "in")
    put_broken(source)
    pipeline = vision.Branches(
        {"mask": Gray() >> Otsu(), "parts": Gray() >> Otsu() >> FindContours()}
    )
    threads = run(pipeline, source, tmp_path / "threads")
    cluster = run(pipeline, source, tmp_path / "cluster", workers=2)
    assert (cluster.done, cluster.failed) == (threads.done, threads.failed) == (5, 3)
    assert manifest(cluster.out) == manifest(threads.out)
    assert files_below(cluster.out) == files_below(threads.out)


def test_what_an_earlier_run_did_is_taken_over(tmp_path, notes):
    source = put_marked(tmp_path / "in", 6, {4: DIE})
    step, out = Dangerous(str(notes)), tmp_path / "out"
    (notes / "4.pid").touch()
    run(step, source, out)
    (notes / "4.pid").unlink()
    (source / "004.png").rename(source / "moved.png")  # not computed: that would kill the worker
    put(source, "new.png", marked(9))
    summary = run(step, source, out, workers=2)
    assert (summary.done, summary.unchanged) == (2, 5)
    assert "1 file taken over: the content was done under another name" in summary.notes
    assert not list(notes.iterdir())
    made = (out / "images/004.png").read_bytes()
    assert (out / "images/moved.png").read_bytes() == made


def test_a_step_of_the_users_own_script_runs_and_the_script_but_once(tmp_path):
    put_marked(tmp_path / "in", 3, {})
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, vision\n"
        "print('once')\n"
        "class Negative(vision.Step):\n"
        "    def apply(self, image):\n"
        "        return 255 - image\n"
        "print(vision.run(Negative(), 'in', 'out', workers=2, progress=False).done)\n"
    )
    ran = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("once\n3\n", "", 0)
    made = vision.read(tmp_path / "out/images/001.png", mode="unchanged")
    assert np.array_equal(made, 255 - np.dstack([marked(1)] * 3))


def test_workers_that_are_killed_cost_nothing(tmp_path, notes, start):
    source = put_marked(tmp_path / "in", 60, {7: DIE, 30: DIE, 31: DIE})
    process = start(source, tmp_path / "out", notes, stderr=subprocess.PIPE)
    assert process.communicate()[1] == b""
    assert process.returncode == 0
    killed = {int(path.stem) for path in notes.iterdir()}
    assert killed == {7, 30, 31}
    run(Dangerous(str(notes)), source, tmp_path / "threads")
    assert manifest(tmp_path / "out") == manifest(tmp_path / "threads")
    assert not list((tmp_path / "out").rglob(".vision-*"))


@LINUX
def test_files_that_kill_workers_become_errors_and_nothing_else_does(tmp_path):
    source = put_marked(tmp_path / "in", 40, {5: EXIT, 20: HOARD, 21: CRASH})
    summary = run(Dangerous(), source, tmp_path / "out", workers=2, memory_limit="2GB")
    assert (summary.done, summary.failed) == (37, 3)
    ended, hoarding, crashed = table(summary.errors_csv)
    assert (ended["source"], ended["error"]) == ("005.png", "KilledWorker")
    assert "it ended itself, or was killed" in ended["reason"]
    assert (hoarding["source"], hoarding["error"]) == ("020.png", "MemoryError")
    assert (crashed["source"], crashed["error"]) == ("021.png", "KilledWorker")
    assert crashed["reason"].endswith("it crashed: Segmentation fault")
    put(source, "005.png", marked(5))
    again = run(Dangerous(), source, tmp_path / "out", workers=2, retry_failed=True)
    assert (again.done, again.failed) == (1, 2)


def test_a_file_that_never_ends_is_an_error_after_its_time(tmp_path):
    source = put_marked(tmp_path / "in", 20, {9: HANG})
    summary = run(Dangerous(), source, tmp_path / "out", workers=2, timeout=1)
    assert (summary.done, summary.failed) == (19, 1)
    (row,) = table(summary.errors_csv)
    reason = "not done after 1 seconds, the time limit of a file"
    assert row == {"source": "009.png", "error": "TimeoutError", "reason": reason}


def test_a_request_that_ends_with_the_one_before_it_is_made_again(tmp_path):
    """Both share a message to the worker; Dask's `sync` then has no result to return."""

    class Future:
        key, status, came = "a", "finished", False

        def result(self, timeout):
            if not self.came:
                self.came = True
                raise UnboundLocalError("cannot access local variable 'result'")
            return pickle.dumps(([{"name": "0.png"}], 0.5, None))

    work = Work(Plan([Otsu()]), Recorder(str(tmp_path)), "0a1b", "key", durable=True)
    cluster = Cluster(work, chain(Otsu()), workers=1, earlier=False)
    chunk = Chunk(vision.Images([marked(0)]), ["0.png"], [(0, None)])
    cluster._arrived(1, chunk, Future())
    assert cluster.completed(1) is None
    assert cluster.completed(1) == (chunk, [{"name": "0.png"}], 0.5)


def test_a_request_that_was_given_up_says_nothing_and_other_failures_do(caplog):
    """Dask's own task ends with an `AllExit` that nobody reads, and asyncio prints those."""
    from distributed.client import AllExit

    async def fail(*errors):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(given_up_quietly)
        tasks = [loop.create_task(_raise(error)) for error in errors]
        await asyncio.wait(tasks)
        del tasks
        gc.collect()

    async def _raise(error):
        raise error

    asyncio.run(fail(AllExit()))
    assert caplog.text == ""
    asyncio.run(fail(AllExit(), OSError("no route")))
    assert "never retrieved" in caplog.text
    assert "no route" in caplog.text
    assert "AllExit" not in caplog.text


@LINUX
def test_a_killed_parent_leaves_no_process_and_is_resumed(tmp_path, notes, start):
    source = put_marked(tmp_path / "in", 30, {10: HANG})
    ledger = tmp_path / "out/ledger.jsonl"
    parent = start(source, tmp_path / "out", notes)
    wait_for(lambda: ledger.exists() and ledger.read_bytes().count(b"\n") > 5)
    wait_for(lambda: list(notes.iterdir()))
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 3  # two workers, and Python's resource tracker
    parent.kill()
    parent.wait()
    assert psutil.wait_procs(children, timeout=60)[1] == []
    put(source, "010.png", marked(10))
    summary = run(Dangerous(str(notes)), source, tmp_path / "out", workers=2)
    assert summary.unchanged >= 5
    assert summary.done + summary.unchanged == 30
    run(Dangerous(str(notes)), source, tmp_path / "threads")
    assert manifest(tmp_path / "out") == manifest(tmp_path / "threads")
    assert not list((tmp_path / "out").rglob(".vision-*"))


@LINUX
@pytest.mark.parametrize(
    ("number", "code", "mark"),
    [(signal.SIGINT, -2, SLEEP), (signal.SIGTERM, 143, HANG), (signal.SIGHUP, 129, SLEEP)],
)
def test_signals_end_a_run_in_order_even_within_a_long_step(
    tmp_path, notes, start, number, code, mark
):
    if signal.getsignal(number) is signal.SIG_IGN:  # what is started inherits that
        pytest.skip("the signal is ignored here, as under nohup")
    source = put_marked(tmp_path / "in", 30, {8: mark})
    alone = {"stderr": subprocess.DEVNULL, "start_new_session": True}
    parent = start(source, tmp_path / "out", notes, **alone)
    wait_for(lambda: list(notes.iterdir()))
    # With Python's lock held, a worker cannot send what it had done before.
    some = {f"00{number}.png" for number in range(4)} if mark == SLEEP else set()
    ledger = tmp_path / "out/ledger.jsonl"
    wait_for(lambda: all(name in ledger.read_text() for name in some or [".png"]))
    children = psutil.Process(parent.pid).children(recursive=True)
    os.killpg(parent.pid, number)  # as a terminal does: workers get it too
    assert parent.wait(timeout=120) == code  # `benchmarks.stops` holds it to two seconds
    assert psutil.wait_procs(children, timeout=60)[1] == []
    kept = {row["source"] for row in table(tmp_path / "out/results.csv")}
    assert kept
    assert kept >= some
    assert not list((tmp_path / "out").rglob(".vision-*"))


def test_a_task_whose_result_was_read_is_known_to_no_scheduler(tmp_path, monkeypatch):
    """Else Dask does it again when its worker dies, though its lines are in the ledger."""
    from distributed import LocalCluster

    left = []
    let_go = Cluster._let_go

    def watched(self, key):
        known = self._client.run_on_scheduler(_tasks)
        let_go(self, key)
        left.append((key in known, key in self._client.run_on_scheduler(_tasks)))

    monkeypatch.setattr(Cluster, "_let_go", watched)
    source = put_marked(tmp_path / "in", 4, {})
    options = {"dashboard_address": "127.0.0.1:0", "worker_dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **options) as cluster:
        run(Otsu(), source, tmp_path / "remote", dask=cluster.scheduler_address)
    run(Otsu(), source, tmp_path / "local", workers=1)
    assert len(left) >= 2
    assert set(left) == {(True, False)}


def _tasks(dask_scheduler=None):
    return set(dask_scheduler.tasks)


def test_a_cluster_that_is_there_already_does_it_too_and_is_left_as_it_was(tmp_path, notes):
    script = (
        "import sys\n"
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address='127.0.0.1:0',"
        " worker_dashboard_address='127.0.0.1:0') as cluster:\n"
        "        print(cluster.scheduler_address, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    path = tmp_path / "cluster.py"
    path.write_text(script)
    source = put_marked(tmp_path / "in", 40, {3: DIE, 17: DIE})
    found = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, path], text=True, env=found, **pipes) as cluster:
        address = cluster.stdout.readline().strip()
        summary = run(Dangerous(str(notes)), source, tmp_path / "out", dask=address, timeout=60)
        again = run(Dangerous(str(notes)), source, tmp_path / "out", dask=address)
        cluster.stdin.close()
    assert (summary.done, summary.failed) == (40, 0)
    assert (again.done, again.failed, again.unchanged) == (0, 0, 40)
    with pytest.raises(ParameterError, match="No Dask scheduler answers at"):
        run(Dangerous(), source, tmp_path / "nobody", dask="tcp://127.0.0.1:1")


def test_a_worker_that_outlived_its_run_makes_nothing_visible_once_another_began(tmp_path):
    """The workers of a cluster go on with a chunk whose run was killed."""
    import cloudpickle

    def do(number):
        chunk = Chunk(images[[number]], [f"{number}.png"], [(number, None)])
        return pickle.loads(shipped(number, cloudpickle.dumps(chunk)))[0]

    out, images = str(tmp_path), vision.Images([marked(0), marked(1)])
    options = {"durable": True, "packs": None, "ledger": None}
    work = (chain(Otsu()), (Recorder(out), "0a1b", "key"), options)
    shipped = Shipped("0a1b", out, cloudpickle.dumps(work), own=False)
    shipped.setup(None)
    assert len(do(0)) == 1
    remove_left([out], ["0a1b"])  # as the next run does first
    assert do(1) == []
    shipped.teardown(None)
    assert files_below(tmp_path) == {"images/0.png"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": 5}, "'timeout' of run must be left out with threads"),
        ({"memory_limit": "2GB"}, "'memory_limit' of run must be left out with threads"),
        ({"workers": 2, "threads": 2}, "'workers' of run must be left out with threads"),
        ({"workers": 2, "dask": "tcp://a:1"}, "'dask' of run must be left out with workers"),
        ({"workers": 0}, "'workers' of run must be a whole number at least 1"),
        ({"workers": 2, "timeout": 0}, "'timeout' of run must be a number above 0"),
        ({"workers": 2, "memory_limit": "1kB"}, "'memory_limit' of run must be at least '512MiB'"),
        ({"workers": 2, "memory_limit": "two"}, "Got 'two'"),
        ({"dask": 8786}, "must be the address of a scheduler"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        check_cluster(**NONE | options)


def test_the_command_says_what_limits_need(tmp_path, capsys):
    (tmp_path / "gray.yaml").write_text("- Gray\n")
    put(tmp_path / "in", "a.png", marked(1))
    words = ["run", str(tmp_path / "gray.yaml"), str(tmp_path / "in"), "--out", str(tmp_path / "o")]
    assert main([*words, "--timeout", "5"]) == 2
    assert "With workers=2 (--workers 2) it works." in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    assert main([*words, "--workers", "1", "--timeout", "60", "--memory-limit", "1GB"]) == 0
    assert "1 file done" in capsys.readouterr().out


def test_limits_are_read_in_the_units_that_people_write():
    options = NONE | {"workers": 2, "timeout": 1.5}
    assert check_cluster(**options | {"memory_limit": "2GB"}) == 2_000_000_000
    assert check_cluster(**options | {"memory_limit": "1GiB"}) == 1 << 30
    assert check_cluster(**options | {"memory_limit": 1 << 30}) == 1 << 30


def test_without_dask_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vision-pipelines\[dask\]'"):
        check_cluster(**NONE | {"workers": 2})
