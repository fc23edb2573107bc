"""What a method costs: time to predict, memory, learned numbers, size on disk.

Memory is the rise of the process' resident memory (the working set that the system reports) above
what it was before, at its highest while a model is fitted on one fold and predicts the rest. What
was freed before is given back to the system first, so that a method cannot hide in what another
left behind. It counts all of it, NumPy's, OpenCV's and TensorFlow's, in kilobytes and with a grain
of some hundred of them; libraries that are loaded on the way are in the first fold, so a comparison
takes the median over folds.
"""

import contextlib
import ctypes
import sys
import threading
import time
from pathlib import Path

import numpy as np

from vision.comparison_result import Latency
from vision.fingerprints import all_steps

ONE_BY_ONE, LONGEST, WARM = 50, 1.0, 3  # pictures; seconds for all of them; not counted
BATCH, BATCHES = 32, 3
EVERY = 0.005  # seconds between two looks at the memory
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # see proc(5)

# Of a fitted estimator, what no prediction reads.
REPORTED = {
    "class_count_",
    "class_weight_",
    "classes_",
    "explained_variance_",
    "explained_variance_ratio_",
    "feature_importances_",
    "inertia_",
    "loss_curve_",
    "n_samples_seen_",
    "noise_variance_",
    "oob_score_",
    "pvalues_",
    "scores_",
    "singular_values_",
}


def latency_of(estimator, images):
    """How long a fitted method takes for a picture that is in memory.

    Parameters
    ----------
    estimator : Pipeline, step or scikit-learn estimator
        Fitted.
    images : sequence of ndarray
        Up to 53 are given one by one, the first three to warm up, for at most a second in all;
        then up to 32 of them at once, three times, after one that is not counted.

    Returns
    -------
    Latency
    """
    one = _asked_once(estimator)
    pictures = [images[i] for i in range(min(len(images), WARM + ONE_BY_ONE))]
    for picture in (pictures * WARM)[:WARM]:
        one(picture)
    times, ends = [], time.perf_counter() + LONGEST
    for picture in pictures[WARM:] or pictures:
        started = time.perf_counter()
        one(picture)
        times.append(time.perf_counter() - started)
        if time.perf_counter() > ends:
            break
    batch = pictures[:BATCH]
    median, high = np.percentile(np.array(times) * 1000, [50, 95])
    return Latency(float(median), float(high), _batched(estimator, batch), len(batch))


def _asked_once(estimator):
    """What a user calls for one picture."""
    try:
        return estimator.__call__  # not of a `Tune` around what cannot be called
    except AttributeError:
        return lambda picture: estimator.predict([picture])


def _batched(estimator, batch):
    """Milliseconds a picture."""
    times = []
    for _ in range(1 + BATCHES):
        started = time.perf_counter()
        list(estimator.predict(batch))
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:])) * 1000 / len(batch)


class PeakMemory:
    """Within, the highest rise of the process' resident memory; see this module.

    Attributes
    ----------
    rise : int or None
        Bytes, once it has ended; None where the system does not tell.

    Examples
    --------
    >>> with PeakMemory() as memory:
    ...     block = np.ones(2_000_000)
    >>> memory.rise is None or memory.rise > 15_000_000
    True
    """

    def __init__(self):
        self.rise = None

    def __enter__(self):
        give_back()
        self._before = _resident()
        self._exact = _reset_peak()
        self._highest, self._over = self._before or 0, threading.Event()
        if self._before is not None and not self._exact:
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        return self

    def _watch(self):
        while not self._over.wait(EVERY):
            self._highest = max(self._highest, _resident() or 0)

    def __exit__(self, *exception):
        if self._before is None:
            return
        if not self._exact:
            self._over.set()
            self._watcher.join()
        highest = _line("VmHWM") if self._exact else max(self._highest, _resident() or 0)
        self.rise = max(0, highest - self._before)


def give_back():
    """Give memory that was freed back to the system, where the allocator can."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _reset_peak():
    """Whether Linux starts to note the highest resident memory anew."""
    with contextlib.suppress(OSError):
        CLEAR.write_text(RESET_PEAK)
        return _line("VmHWM") is not None
    return False


def _resident():
    """Bytes that the process has in memory now."""
    found = _line("VmRSS")
    if found is not None:
        return found
    try:
        import psutil
    except ImportError:
        return None
    return psutil.Process().memory_info().rss


def _line(name):
    with contextlib.suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return None


def parameters_of(estimator):
    """How many numbers a fitted method has learned.

    Weights of networks, and every number that a fitted scikit-learn estimator or a step keeps for
    predicting: coefficients, support vectors, the examples of nearest neighbours, thresholds and
    values of trees. Weights of a network that only gives features count as well.

    Parameters
    ----------
    estimator : Pipeline, step, scikit-learn estimator or keras.Model

    Returns
    -------
    int
        0 for a method that learns nothing.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> fitted = LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    >>> parameters_of(fitted)  # two coefficients and the intercept
    3
    """
    return _Counter().count(estimator)


class _Counter:
    """Numbers in an object and all that it holds, each array once."""

    def __init__(self):
        self.seen = {}

    def count(self, value):
        if value is None or isinstance(value, str | bytes | int | float | complex | type):
            return 0
        if id(value) in self.seen:
            return 0
        self.seen[id(value)] = value  # held, so that its place is not given to another
        if hasattr(value, "count_params"):
            return int(value.count_params())
        if isinstance(value, np.ndarray):
            return self._of_array(value)
        if hasattr(value, "toarray") and hasattr(value, "nnz"):
            return int(value.nnz)
        if isinstance(value, dict):
            return sum(map(self.count, value.values()))
        if isinstance(value, list | tuple | set):
            return sum(map(self.count, value))
        return self._of_object(value)

    def _of_array(self, array):
        if array.dtype == object:
            return sum(map(self.count, array.ravel().tolist()))
        # The nodes of boosted trees are records: a threshold or a value each.
        return array.size if array.dtype.kind in "fcV" else 0

    def _of_object(self, value):
        if hasattr(value, "threshold") and hasattr(value, "node_count"):  # a tree of scikit-learn
            inner = int((value.children_left >= 0).sum())
            return inner + int(value.value.size // value.node_count) * (value.node_count - inner)
        state = getattr(value, "__dict__", None)
        if not isinstance(state, dict) or (callable(value) and not hasattr(value, "fit")):
            return 0
        if hasattr(value, "get_params"):
            return self._of_estimator(value, state)
        return sum(map(self.count, state.values()))

    def _of_estimator(self, estimator, state):
        parameters = estimator.get_params(deep=False)
        # A pipeline's parts and a frozen estimator are parameters that have learned.
        parts = sum(self.count(part) for part in parameters.values() if _may_learn(part))
        learned = {name: v for name, v in state.items() if name not in parameters}
        public = {name: v for name, v in learned.items() if name.endswith("_") and name[0] != "_"}
        found = sum(self.count(v) for name, v in public.items() if name not in REPORTED)
        if not found:  # nearest neighbours, boosting by histograms
            found = sum(self.count(v) for name, v in learned.items() if name not in public)
        return parts + found


def _may_learn(part):
    return hasattr(part, "fit") or isinstance(part, list | tuple)


def size_of(estimator, *, packed=True):
    """The bytes of a fitted method's archive, as `vision.save` writes it.

    Weights that it names instead of holding, ImageNet's before a classifier, are counted too: they
    have to lie somewhere.

    Parameters
    ----------
    estimator : Pipeline, step or scikit-learn estimator
    packed : bool, default=True
        False leaves its members as they are, in a fraction of the time.

    Returns
    -------
    size : int or None
        None if it cannot be saved.
    data : bytes or None
        The archive.
    reason : str or None
        Why it cannot.
    """
    from sklearn.pipeline import Pipeline

    from vision.archive import members
    from vision.composition import chain
    from vision.errors import VisionError
    from vision.flow import core_of
    from vision.zip_checks import write_zip

    estimator = core_of(estimator)  # of a search the winner
    try:
        if type(estimator) is Pipeline:  # scikit-learn's own: the same steps in ours
            estimator = chain(*(step for _, step in estimator.steps))
        data = write_zip(members(estimator), packed=packed)
    except VisionError as error:
        return None, None, str(error)
    return len(data) + _bytes_elsewhere(estimator), data, None


def _bytes_elsewhere(estimator):
    steps = {id(step): step for step in all_steps(estimator) if hasattr(step, "bytes_elsewhere")}
    return sum(step.bytes_elsewhere() for step in steps.values())
