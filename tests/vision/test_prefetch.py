"""Reading ahead: complete, in order, within bounds; and what scikit-learn holds because of it."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib.externals.loky import get_reusable_executor
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_score,
    learning_curve,
    train_test_split,
)

import vision.prefetch
import vision.sources
from vision.errors import ImageError
from vision.images import Images
from vision.prefetch import WINDOW, read_ahead


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def eventually(condition):
    """Wait for other threads; what is asserted is that it happens, not how fast."""
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


class Meter:
    """Counts the pictures that `read` gave: all of them, and the most alive at a time."""

    def __init__(self, read):
        self.read, self.lock = read, threading.RLock()
        self.decoded = self.alive = self.peak = 0

    def __call__(self, *args, **keywords):
        picture, pages = self.read(*args, **keywords)
        weakref.finalize(picture, self._gone)
        with self.lock:
            self.decoded += 1
            self.alive += 1
            self.peak = max(self.peak, self.alive)
        return picture, pages

    def _gone(self):
        with self.lock:
            self.alive -= 1


@pytest.fixture
def meter(monkeypatch):
    monkeypatch.setattr(vision.sources, "decode_first", Meter(vision.sources.decode_first))
    return vision.sources.decode_first


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """1,000 files in two classes, one dark, one light."""
    folder = tmp_path_factory.mktemp("thousand")
    for label, lowest in (("dark", 0), ("light", 155)):
        (folder / label).mkdir()
        for number in range(500):
            color = (lowest + number % 100, 0, 0)
            Image.new("RGB", (4, 3), color).save(folder / label / f"{number}.png")
    return folder


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(0, 40),
    size=st.integers(1, 9),
    window=st.integers(1, 12),
    budget=st.integers(0, 100),
    sizes=st.lists(st.integers(0, 120), min_size=40, max_size=40),
)
def test_read_ahead_is_complete_and_in_order(count, size, window, budget, sizes):
    def function(index):
        return index, sizes[index]

    lists = list(read_ahead(function, count, size=size, window=window, budget=budget))
    assert lists == [list(range(count))[start : start + size] for start in range(0, count, size)]
    assert not threads()


def started_after(first, monkeypatch, nbytes, **bounds):
    """How many calls have begun when `first` lists are taken and the loop is busy."""
    monkeypatch.setattr(vision.prefetch, "_processors", lambda: 2)
    started = []

    def function(index):
        started.append(index)
        return index, nbytes

    lists = read_ahead(function, 1000, **bounds)
    for _ in range(first):
        next(lists)
    last = -1
    while last != len(started):  # until nothing has begun for a while
        last = len(started)
        time.sleep(0.1)
    lists.close()
    assert sorted(started) == list(range(len(started)))
    return len(started)


def test_read_ahead_is_bounded_in_count(monkeypatch):
    assert started_after(1, monkeypatch, nbytes=1) == 1 + WINDOW
    assert started_after(3, monkeypatch, nbytes=1, size=20) == 3 * 20 + 20
    assert started_after(3, monkeypatch, nbytes=1, size=4) == 3 * 4 + WINDOW


def test_read_ahead_is_bounded_in_bytes(monkeypatch):
    assert started_after(3, monkeypatch, nbytes=25, budget=100) == 3 + 4
    # Larger than the budget: no more than the next list, which the loop needs in any case.
    assert started_after(3, monkeypatch, nbytes=300, budget=100) == 3 + 1
    assert started_after(3, monkeypatch, nbytes=300, budget=100, size=5) == 3 * 5 + 5


def test_one_giant_does_not_slow_the_rest(monkeypatch):
    monkeypatch.setattr(vision.prefetch, "_processors", lambda: 2)
    ahead = vision.prefetch._Ahead(lambda index: (index, 90 if index == 0 else 1), 60, 1, 16, 100)
    ahead.start()
    for start in range(40):
        ahead.take(start)
    assert eventually(lambda: ahead.claimed == 56)  # the whole window again
    ahead.close()


def test_an_error_surfaces_at_its_own_index(thousand, meter, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    files = [thousand / "dark" / f"{number}.png" for number in range(4)]
    images = Images([*files[:2], broken, *files[2:]])
    seen = []
    with pytest.raises(ImageError, match=r"broken\.png"):
        for picture in images:
            seen.append(int(picture[0, 0, 0]))
    assert seen == [0, 1]
    assert not threads()
    chunks = images.chunks(2)
    assert [int(picture[0, 0, 0]) for picture in next(chunks)] == [0, 1]
    with pytest.raises(ImageError, match=r"broken\.png"):
        next(chunks)
    del picture
    gc.collect()
    assert meter.alive == 0


def test_no_thread_outlives_its_loop(thousand):
    images = Images(thousand)
    iterator = iter(images)
    assert not threads()  # they start with the first picture
    next(iterator)
    assert threads()
    iterator.close()
    assert not threads()
    for _ in images:
        break
    gc.collect()
    assert not threads()
    chunks = images.chunks(8)
    next(chunks)
    del chunks
    gc.collect()
    assert not threads()
    assert len(list(images[:100])) == 100
    assert not threads()


def test_a_loop_that_only_the_garbage_collector_finds_stops_too(thousand):
    cycle = [iter(Images(thousand))]
    cycle.append(cycle)
    next(cycle[0])
    del cycle
    assert threads()
    gc.collect()
    assert eventually(lambda: not threads())


def test_a_script_may_end_in_the_middle_of_a_loop(thousand):
    use = f"from vision.images import Images; loop = iter(Images({str(thousand)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{use}; print(next(loop).sum())"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_mapped_functions_run_in_the_threads_that_read(thousand):
    names = Images(thousand)[:10].map(lambda picture: threading.current_thread().name)
    assert set(names) == {"read-ahead"}
    assert names[0] == threading.current_thread().name


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="a matter of NumPy 2")
def test_numpy_error_state_reaches_the_threads(thousand):
    ratios = Images(thousand)[:10].map(lambda picture: 1 / np.float64(picture[0, 0, 1]))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(ratios)
    with np.errstate(divide="ignore"):
        assert list(ratios) == [np.inf] * 10


def test_two_loops_at_a_time(thousand):
    images = Images(thousand / "dark")[:10].map(np.max)
    assert list(zip(images, images[::-1])) == [(number, 9 - number) for number in range(10)]


def test_chunks_hold_two_lists_at_a_time(thousand, meter):
    images = Images(thousand)
    sizes = [len(chunk) for chunk in images.chunks(32)]
    assert sizes == [32] * 31 + [8]
    assert meter.decoded == 1000
    assert meter.peak <= 2 * 32 + 2  # one more a thread, while the loop takes the next list
    gc.collect()
    assert meter.alive == 0


# scikit-learn


class NearestRed(ClassifierMixin, BaseEstimator):
    """The class whose mean red value is nearest; writes down what reading cost its process."""

    def __init__(self, offset=0, log=None, size=None):
        self.offset = offset
        self.log = log
        self.size = size

    def fit(self, images, truth):
        reds = self._reds(images)
        self.classes_ = np.unique(truth)
        self.means_ = np.array([reds[truth == label].mean() for label in self.classes_])
        return self

    def predict(self, images):
        return self.classes_[self._distances(images).argmin(axis=1)]

    def predict_proba(self, images):
        distances = self._distances(images)
        return 1 - distances / distances.sum(axis=1, keepdims=True)

    def _distances(self, images):
        return abs(self._reds(images)[:, None] + self.offset - self.means_)

    def _reds(self, images):
        if self.log is not None and not isinstance(vision.sources.decode_first, Meter):
            # In a process of joblib's.
            vision.sources.decode_first = Meter(vision.sources.decode_first)
        if self.size is None:
            values = np.array([picture[0, 0, 0] for picture in images], float)
        else:
            lists = images.chunks(self.size)
            values = np.array([picture[0, 0, 0] for chunk in lists for picture in chunk], float)
        if self.log is not None:
            meter = vision.sources.decode_first
            with Path(self.log).open("a") as log:
                log.write(f"{os.getpid()} {meter.decoded} {meter.peak}\n")
        return values


def measured(log):
    """Decodes of all processes, and the most pictures that can have been alive at a time."""
    rows = np.loadtxt(log, int, ndmin=2)
    decoded, peak = {}, {}
    for process, count, most in rows:
        decoded[process], peak[process] = count, most
    here = peak.pop(os.getpid(), 0)  # this process waits while others read
    return sum(decoded.values()), max(here, sum(peak.values()))


def test_splitting_reads_nothing(thousand, meter):
    images, labels = Images.from_folders(thousand)
    train, test, train_labels, test_labels = train_test_split(
        images, labels, test_size=0.25, stratify=labels, random_state=0
    )
    expected = train_test_split(
        images.sources, labels, test_size=0.25, stratify=labels, random_state=0
    )
    assert [train.sources, test.sources] == expected[:2]
    assert np.array_equal(train_labels, [source.split("/")[0] for source in train.sources])
    assert np.array_equal(test_labels, expected[3])
    for splitter in (KFold(3), StratifiedKFold(3)):
        for fit, score in splitter.split(images, labels):
            assert len(images[fit]) + len(images[score]) == 1000
    assert meter.decoded == 0


@pytest.mark.parametrize("size", [None, 16])
def test_cross_validation_holds_at_most_64_pictures(thousand, tmp_path, meter, size):
    images, labels = Images.from_folders(thousand)
    estimator = NearestRed(log=str(tmp_path / "log"), size=size)
    scores = cross_val_score(estimator, images, labels, cv=4)
    assert scores.tolist() == [1.0] * 4
    decoded, peak = measured(tmp_path / "log")
    assert decoded == 4 * 1000
    assert peak <= 64


@pytest.mark.parametrize("size", [None, 8])
def test_grid_search_in_two_processes_holds_at_most_64_pictures(thousand, tmp_path, meter, size):
    images, labels = Images.from_folders(thousand)
    estimator = NearestRed(log=str(tmp_path / "log"), size=size)
    try:
        search = GridSearchCV(estimator, {"offset": [-150, 0]}, cv=2, n_jobs=2)
        search.fit(images, labels)
    finally:
        get_reusable_executor().shutdown(wait=True)
    assert search.best_params_ == {"offset": 0}
    assert search.best_score_ == 1.0
    held = NearestRed()  # the same search over all pictures at once
    expected = GridSearchCV(held, {"offset": [-150, 0]}, cv=2).fit(list(images), labels)
    for key in ("mean_test_score", "split0_test_score", "split1_test_score"):
        assert np.array_equal(search.cv_results_[key], expected.cv_results_[key])
    decoded, peak = measured(tmp_path / "log")
    assert decoded == 2 * 2 * 1000 + 1000  # candidates, splits; then the best one on all
    assert peak <= 64


def test_ensembles_calibration_and_learning_curves(thousand):
    images, labels = Images.from_folders(thousand)
    images, labels = images[::25], labels[::25]
    parts = [("a", NearestRed()), ("b", NearestRed(size=4))]
    for estimator in (
        VotingClassifier(parts, voting="soft"),
        StackingClassifier(parts, LogisticRegression(), cv=2),
        CalibratedClassifierCV(NearestRed(), cv=2, ensemble=False),
    ):
        assert estimator.fit(images, labels).score(images, labels) == 1.0
    counts, _, scores = learning_curve(
        NearestRed(), images, labels, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
    )
    assert (counts.tolist(), scores.min()) == ([10, 20], 1.0)
