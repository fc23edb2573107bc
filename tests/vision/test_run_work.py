"""The work of a run: threads in order, memory that stays, interrupts that lose no row."""

import errno
import gc
import signal
import threading
import weakref

import cv2
import numpy as np
import pytest

from classical import Gray, Otsu
from tests.vision.run_folders import (
    Spy,
    files_below,
    put,
    put_broken,
    put_photos,
    run,
    squares,
    stored,
    table,
)
from vision import Images
from vision.errors import KindError, WriteError
from vision.run_work import one_cv2_thread
from vision.staging import Staging


def test_any_number_of_threads_gives_the_same_bytes(tmp_path):
    put_broken(put_photos(tmp_path / "in"))
    for threads in (1, 2, 5):
        run(
            Gray() >> Otsu(),
            tmp_path / "in",
            tmp_path / str(threads),
            threads=threads,
            overlay=True,
        )
    names = files_below(tmp_path / "1")
    assert names == files_below(tmp_path / "2") == files_below(tmp_path / "5")
    for name in names - {"ledger.jsonl", "index.html"}:
        one = (tmp_path / "1" / name).read_bytes()
        assert one == (tmp_path / "2" / name).read_bytes() == (tmp_path / "5" / name).read_bytes()


def test_rows_keep_the_order_when_the_first_file_takes_longest(tmp_path):
    last = threading.Event()

    def wait_for_the_last(image):
        # The first picture ends after the others have: it has one square, the last has three.
        if image.sum() == squares(1).sum():
            assert last.wait(30)
        elif image.sum() == squares(3).sum():
            last.set()

    images = [squares(1), squares(2), squares(3)]
    summary = run(Spy(wait_for_the_last), images, tmp_path / "out", threads=3)
    assert [row["source"] for row in table(summary.results_csv)] == ["000000", "000001", "000002"]


def numbered(number):
    """Pictures of which no two are the same."""
    image = squares(1)
    image[0, number] = 90
    return image


def test_cv2_has_one_thread_within_a_run_and_its_own_again_after(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise WriteError("the disk is full")

    before, seen = cv2.getNumThreads(), []
    cv2.setNumThreads(3)
    try:
        had = cv2.getNumThreads()
        run(Spy(lambda image: seen.append(cv2.getNumThreads())), [squares(1)], tmp_path / "a")
        monkeypatch.setattr("vision.runner.write_tables", full)
        with pytest.raises(WriteError):
            run(Spy(lambda image: None), [squares(1)], tmp_path / "b")
        assert cv2.getNumThreads() == had
        with one_cv2_thread():
            with one_cv2_thread():
                assert cv2.getNumThreads() == 1
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == had
    finally:
        cv2.setNumThreads(before)
    assert seen == [1]


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("form", ["folder", "Images", "mapped"])
def test_pictures_held_do_not_grow_with_the_number_of_files(tmp_path, monkeypatch, form, threads):
    monkeypatch.setattr("vision.run_work.STAGED", 1)
    folder = tmp_path / "in"
    for number in range(60):
        put(folder, f"{number}.png", numbered(number))
    alive, most, lock = set(), [0], threading.Lock()

    def watch(image):
        with lock:
            alive.add(id(image))
            most[0] = max(most[0], len(alive))
            weakref.finalize(image, alive.discard, id(image))

    pipeline, source = Spy(watch), folder if form == "folder" else Images(folder)
    if form == "mapped":
        pipeline, source = Spy(lambda image: None), source.map(Spy(watch))
    gc.collect()
    summary = run(pipeline, source, tmp_path / "out", threads=threads)
    assert summary.done == 60
    assert most[0] <= threads + 1
    assert not alive


def test_large_pictures_wait_for_no_others(tmp_path):
    for number in range(6):
        put(tmp_path / "in", f"{number}.png", np.full((1024, 1024), number, np.uint8))
    alive, most = set(), [0]

    def watch(image):
        alive.add(id(image))
        most[0] = max(most[0], len(alive))
        weakref.finalize(image, alive.discard, id(image))

    images = Images(tmp_path / "in", mode="gray").map(Spy(watch))
    assert run(Spy(lambda image: None), images, tmp_path / "out", threads=1).done == 6
    assert most[0] <= 2


def test_of_small_files_that_go_through_together_each_has_its_own_error(tmp_path):
    def refuse(image):
        if image[0, 0] % 5 == 3:
            raise ValueError(f"picture {image[0, 0]}")

    images = [np.full((8, 8), number, np.uint8) for number in range(60)]
    images[::10] = [np.zeros((0, 3), np.uint8)] * 6
    summary = run(Spy(refuse), images, tmp_path / "out", threads=1)
    assert (summary.done, summary.failed) == (42, 18)
    reasons = {row["source"]: row["reason"] for row in table(summary.errors_csv)}
    assert {name for name, why in reasons.items() if why.startswith("picture")} == {
        f"{number:06}" for number in range(60) if number % 5 == 3
    }
    for row in table(summary.results_csv):
        assert (stored(tmp_path / "out" / row["output"]) == int(row["source"])).all()


class Batched(Spy):
    """A step that works on batches, and on none that holds a marked picture."""

    def apply(self, image):
        if image[0, 0] == 7:
            raise ValueError("a marked\n picture")
        return super().apply(image)

    def apply_many(self, images):
        self.log(np.array([len(images)]))
        return [self.apply(image) for image in images]


def test_a_failing_batch_costs_only_the_picture_that_is_at_fault(tmp_path):
    sizes = []
    images = [numbered(count) for count in range(1, 41)]
    images[20][0, 0] = 7
    step = Batched(lambda array: sizes.append(int(array[0])) if array.ndim == 1 else None)
    summary = run(step, images, tmp_path / "out")
    assert sorted(sizes) == [8, 16, 16]
    assert table(summary.errors_csv) == [
        {"source": "000020", "error": "ValueError", "reason": "a marked picture"}
    ]
    assert [row["source"] for row in table(summary.results_csv)] == [
        f"{number:06d}" for number in range(40) if number != 20
    ]
    assert np.array_equal(stored(tmp_path / "out/images/000023.png"), images[23])


def test_large_pictures_make_small_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("vision.run_work.BATCH_BYTES", 3 * squares(0).nbytes)
    sizes = []
    step = Batched(lambda array: sizes.append(int(array[0])) if array.ndim == 1 else None)
    assert run(step, [numbered(n) for n in range(1, 9)], tmp_path / "out").done == 8
    assert sizes == [3, 3, 2]


@pytest.mark.parametrize(
    ("raised", "error", "reason"),
    [
        (MemoryError(), "MemoryError", "not enough memory"),
        (cv2.error("bad\n  call"), "cv2.error", "bad call"),
        (ZeroDivisionError(), "ZeroDivisionError", "no reason given"),
        (KindError("no"), "KindError", "no"),
        (SystemExit(3), "SystemExit", "3"),
    ],
)
def test_whatever_a_step_raises_is_a_row(tmp_path, raised, error, reason):
    def fail(image):
        if image.any():
            raise raised

    summary = run(Spy(fail), [squares(0), squares(1), squares(0)], tmp_path / "out")
    assert table(summary.errors_csv) == [{"source": "000001", "error": error, "reason": reason}]
    assert summary.done == 2


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_run_with_the_rows_of_all_that_was_written(tmp_path):
    folder = tmp_path / "in"
    for number in range(40):
        put(folder, f"{number}.png", numbered(number))
    count = iter(range(1, 100))

    def interrupt(image):
        if next(count) == 15:
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(Spy(interrupt), folder, out, threads=2)
    rows = table(out / "results.csv")
    assert 14 <= len(rows) < 40
    assert {row["output"] for row in rows} == {f"images/{n}" for n in files_below(out / "images")}
    assert table(out / "errors.csv") == []
    assert not list(out.rglob(".*"))
    assert not [one for one in threading.enumerate() if one.name.startswith("vision-run")]


def test_a_full_disk_ends_the_run_by_name_and_keeps_the_rows_before_it(tmp_path, monkeypatch):
    add = Staging.add

    def full(staging, path, data):
        if path.endswith("000005.png"):
            error = WriteError(f"{path} could not be written: no space left")
            error.errno = errno.ENOSPC
            raise error
        add(staging, path, data)

    monkeypatch.setattr(Staging, "add", full)
    out = tmp_path / "out"
    with pytest.raises(WriteError, match=r"000005\.png could not be written"):
        run(Otsu(), [numbered(n) for n in range(100)], out, threads=2)
    monkeypatch.undo()
    summary = run(Otsu(), [numbered(n) for n in range(100)], out, threads=2)
    assert summary.unchanged >= 1
    assert (summary.done + summary.unchanged, summary.failed) == (100, 0)
    rows = table(out / "results.csv")
    assert {row["output"] for row in rows} == {f"images/{n}" for n in files_below(out / "images")}
