"""What `vision.compare` costs on top of the work inside it.

    python -m benchmarks.compare_overhead              # the digits of scikit-learn
    python -m benchmarks.compare_overhead 600          # fewer of them

Classical candidates that learn in milliseconds, without and with a small network beside them; five
folds, learning curves and spoiled pictures. Work is the time within fits, predictions (also those
that tell the latency) and the steps that spoil pictures, measured in the same run; what is left of
the whole is bookkeeping: checks, folds, duplicates, resampling, tests, costs, archives, and keeping
it all in a folder. What the report takes, with figures and explanations, is printed beside it. Exit
status 1 if the bookkeeping of the comparison of both families takes more than 0.05 of the work.
Without a network it is a second or two whatever the work: that row is there to be read.
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
from benchmarks.machine import describe_machine
from classical import RawPixels, Resize, hog_svm, lbp_knn
from deep import CNNClassifier
from vision import comparison_candidates, robustness

LIMIT = 0.05
# The work: fits, predictions, those that tell the latency, and the steps that spoil pictures.
WORK = (
    (vision.Pipeline, "fit"),
    (comparison_candidates, "predict"),
    (comparison_candidates, "latency_of"),
    (robustness, "predict"),
    (robustness, "_spoil"),
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
        "logistic regression": RawPixels(8) >> MinMaxScaler() >> LogisticRegression(max_iter=1000),
        "HOG + SVM": hog_svm(),
        "LBP + nearest neighbours": lbp_knn(),
    }


def both():
    """The same, and a network."""
    lenet = CNNClassifier("lenet5", epochs=12, verbose=False)
    return quick() | {"LeNet-5": Resize(width=32, height=32) >> lenet}


def main(count=1797):
    """Print the figures; 1 if the promise is broken."""
    print(describe_machine())
    measured("classical", quick, count)
    return int(measured("both", both, count) > LIMIT)


def measured(name, candidates, count):
    """Print what one study takes; gives its bookkeeping as a share of its work."""
    digits = load_digits()
    images = np.rint(digits.images[:count] * (255 / 16)).astype(np.uint8)
    labels = digits.target[:count]
    # Once before, so that imports and first calls are in neither.
    vision.compare(candidates(), images[:100], labels[:100], cv=2, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with Clock().of(WORK) as clock:
            study = vision.compare(
                candidates(),
                images,
                labels,
                curve=True,
                robustness=True,
                folder=Path(folder) / "kept",
                progress=False,
            )
        whole = time.perf_counter() - start
        start = time.perf_counter()
        study.save(Path(folder) / "report.html")
        report = time.perf_counter() - start
    rest = whole - clock.seconds
    print(f"{name}: {count} images, {len(study.candidates)} candidates: {whole:.1f} s")
    print(f"work     {clock.seconds:8.2f} s in {clock.calls:,} calls")
    print(f"the rest {rest:8.2f} s, {rest / clock.seconds:.3f} of the work")
    print(f"report   {report:8.2f} s")
    return rest / clock.seconds


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
