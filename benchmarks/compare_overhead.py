"""What `vision.compare` costs on top of the work inside it.

    python -m benchmarks.compare_overhead

Three studies: quick classical candidates on pieces of photographs, the same on the digits of
scikit-learn, 8 x 8 pixels, and there with a small network beside them; five folds, learning curves
and spoiled pictures. Work is the time within fits, predictions, the steps that spoil pictures, and
what measures a candidate's memory, latency and size as a file, in the same run; what is left of the
whole is bookkeeping: checks, folds, duplicates, resampling, tests, and keeping it all in a folder.
What the report takes, with figures and explanations, is printed beside it. Of the quick studies the
median of three runs counts. Exit status 1 if the bookkeeping of any takes more than 0.05 of the
work.
"""

import contextlib
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MinMaxScaler

import vision
from benchmarks.corpus import photographs
from benchmarks.machine import describe_machine
from classical import Gray, RawPixels, Resize, hog_svm, lbp_knn
from deep import CNNClassifier
from vision import comparison_candidates, robustness

LIMIT = 0.05
SIDE = 96  # of a piece, pixels
WORK = (
    (vision.Pipeline, "fit"),
    (comparison_candidates, "predict"),
    (comparison_candidates, "latency_of"),
    (comparison_candidates, "size_of"),
    (comparison_candidates.PeakMemory, "__enter__"),
    (comparison_candidates.PeakMemory, "__exit__"),
    (robustness, "predict"),
    (robustness, "spoiled"),
    (vision.Step, "transform"),
)


class Clock:
    """The seconds that some functions take; where one calls another, they count once."""

    def __init__(self):
        self.seconds, self.calls, self._inside = 0.0, 0, threading.local()

    def wrapped(self, function):
        """The function, timed where no other timed one called it."""

        def timed(*args, **kwargs):
            if getattr(self._inside, "now", False):
                return function(*args, **kwargs)
            self._inside.now, start = True, time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - start
                self.calls += 1
                self._inside.now = False

        return timed

    @contextlib.contextmanager
    def of(self, functions):
        """Within, functions given as (module or class, name) are timed."""
        before = [(owner, name, owner.__dict__[name]) for owner, name in functions]
        for owner, name, function in before:
            setattr(owner, name, self.wrapped(function))
        try:
            yield self
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)


def quick():
    """Three methods that fit within a second."""
    return {
        "logistic regression": Gray()
        >> RawPixels(8)
        >> MinMaxScaler()
        >> LogisticRegression(max_iter=1000),
        "HOG + SVM": hog_svm(),
        "LBP + nearest neighbours": lbp_knn(),
    }


def both():
    """The same, and a network."""
    lenet = CNNClassifier("lenet5", epochs=12, verbose=False)
    return quick() | {"LeNet-5": Resize(width=32, height=32) >> lenet}


def pieces():
    """Squares of photographs, and from which each is."""
    found = [
        (photo[row : row + SIDE, column : column + SIDE], number)
        for number, photo in enumerate(photographs())
        for row in range(0, photo.shape[0] - SIDE + 1, SIDE)
        for column in range(0, photo.shape[1] - SIDE + 1, SIDE)
    ]
    images, labels = zip(*found, strict=True)
    return np.stack(images), np.array(labels)


def digits():
    """Pictures of 8 x 8 pixels with 256 levels, and their digits."""
    found = load_digits()
    return np.rint(found.images * (255 / 16)).astype(np.uint8), found.target


def main():
    """Print the figures; 1 if the promise is broken."""
    print(describe_machine())
    shares = [
        np.median(
            [measured("pieces of photographs, classical", quick, *pieces()) for _ in range(3)]
        ),
        np.median([measured("digits, classical", quick, *digits()) for _ in range(3)]),
        measured("digits, both families", both, *digits()),
    ]
    print("bookkeeping as a share of the work:", *(f"{share:.3f}" for share in shares))
    return int(max(shares) > LIMIT)


def measured(name, candidates, images, labels):
    """Print what one study takes; gives its bookkeeping as a share of its work."""
    options = {"curve": True, "robustness": True, "progress": False}
    with tempfile.TemporaryDirectory() as folder:
        # Once before, so that imports and first calls are in neither.
        few = images[::5], labels[::5]
        vision.compare(candidates(), *few, cv=2, folder=Path(folder) / "few", **options)
        start = time.perf_counter()
        with Clock().of(WORK) as clock:
            kept = Path(folder) / "kept"
            study = vision.compare(candidates(), images, labels, folder=kept, **options)
        whole = time.perf_counter() - start
        assert not any(row.error for row in study.candidates), study.candidates
        start = time.perf_counter()
        study.save(Path(folder) / "report.html")
        report = time.perf_counter() - start
    rest = whole - clock.seconds
    print(f"{name}: {len(images)} images, {len(study.candidates)} candidates: {whole:.1f} s")
    print(f"work     {clock.seconds:8.2f} s in {clock.calls:,} calls")
    print(f"the rest {rest:8.2f} s, {rest / clock.seconds:.3f} of the work")
    print(f"report   {report:8.2f} s")
    return rest / clock.seconds


if __name__ == "__main__":
    sys.exit(main())
