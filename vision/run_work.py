"""The work of a run: files through a pipeline on threads, in order, in bounded memory."""

import contextlib
import errno
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from vision.errors import ImageError
from vision.kinds import kinds_of
from vision.opencv import cv2

AHEAD = 4  # jobs a thread that may wait for an earlier one; they hold rows, no pictures
BATCH = 16  # pictures that a network or a scikit-learn step gets at once ...
BATCH_BYTES = 32 << 20  # ... unless they hold more than this together
# With these no further file can be written either: the run ends.
HOPELESS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    rows : list of dict
        Its rows of the results.
    error : dict or None
        Its row of the errors, if it failed.
    """

    rows: list
    error: dict | None = None


class Work:
    """Everything that happens to a file, from reading it to writing its outputs, in one thread.

    Called with a job, a list of indices, it gives an `Outcome` for each.

    Parameters
    ----------
    plan : Plan
        What runs.
    images : Images
        The files.
    recorder : Recorder
        What becomes of the results.
    """

    def __init__(self, plan, images, recorder):
        self.plan, self.images, self.recorder = plan, images, recorder
        self.sources = images.sources
        suffix = ".png" if images.root is None else ""  # pictures in memory have no format
        self.names = [images.name(index) + suffix for index in range(len(images))]

    def jobs(self):
        """The files as lists of indices: one at a time, or batches for steps that want them."""
        size, count = BATCH if self.plan.batched else 1, len(self.images)
        return (range(start, min(start + size, count)) for start in range(0, count, size))

    def __call__(self, indices):
        outcomes, batch = {}, {}
        for index in indices:
            read = self._guarded(index, self._read, index)
            if isinstance(read, Outcome):
                outcomes[index] = read
                continue
            batch[index] = read
            del read
            if not self.plan.batched or sum(i.nbytes for i in batch.values()) >= BATCH_BYTES:
                outcomes |= self._processed(batch)
                batch = {}
        outcomes |= self._processed(batch)
        return [outcomes[index] for index in indices]

    def _guarded(self, index, function, *arguments):
        """What a function gives, or the outcome of its error."""
        try:
            return function(*arguments)
        except Exception as error:
            if getattr(error, "errno", None) in HOPELESS:
                raise
            return Outcome([], {"source": self.sources[index], **_described(error)})

    def _read(self, index):
        image = self.images[index]
        self.plan.admit(image)
        return image

    def _processed(self, batch):
        results = self._together(batch) if len(batch) > 1 else None
        if results is None:
            return {i: self._guarded(i, self._alone, i, batch[i]) for i in batch}
        return {
            i: self._guarded(i, self._record, i, batch[i], result)
            for i, result in zip(batch, results, strict=True)
        }

    def _together(self, batch):
        """The results of a batch; None if it failed: then each picture is tried alone."""
        try:
            return self.plan.run_many(list(batch.values()))
        except Exception:  # raised again, and reported, by the picture that it belongs to
            return None

    def _alone(self, index, image):
        return self._record(index, image, self.plan.run(image))

    def _record(self, index, image, result):
        kind = leaving(self.plan, kinds_of(image))
        name, source = self.names[index], self.sources[index]
        return Outcome(self.recorder.record(name, source, image, kind, result))


def leaving(plan, likely):
    """The kind that leaves a plan when a picture of one of the `likely` kinds enters.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> from vision.kinds import Kind
    >>> leaving((Gray() >> Otsu()).plan(), [Kind.RGB])
    <Kind.MASK: 'mask'>
    """
    exact = [kind for kind in likely if kind in plan.kinds]
    near = [kind for kind in plan.kinds if any(one.fits((kind,)) for one in likely)]
    return plan.kinds[(exact or near)[0]]


def _described(error):
    """The cells of an error: its class, and its reason on one line."""
    cls = type(error)
    ours = cls.__module__.partition(".")[0] in ("builtins", "vision", "classical", "deep")
    reason = error.reason if isinstance(error, ImageError) else str(error)
    if not reason:
        reason = "not enough memory" if isinstance(error, MemoryError) else "no reason given"
    name = cls.__name__ if ours else f"{cls.__module__}.{cls.__name__}"
    return {"error": name, "reason": " ".join(reason.split())}


def in_order(work, jobs, threads, take):
    """Do jobs on threads and take what they give, in order, a few ahead.

    Parameters
    ----------
    work : callable
        Gives the outcome of a job; called in threads.
    jobs : iterable
        The jobs; only a few more than there are threads are taken from it ahead.
    threads : int
        Threads.
    take : callable
        Called with each outcome, in this thread.

    Raises
    ------
    BaseException
        What `work` or `take` raised, or KeyboardInterrupt: after the jobs in work have ended and
        what was done has been taken.

    Examples
    --------
    >>> squares = []
    >>> in_order(lambda number: number**2, range(5), threads=2, take=squares.append)
    >>> squares
    [0, 1, 4, 9, 16]
    """
    pool, waiting = ThreadPoolExecutor(threads, thread_name_prefix="vision-run"), deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > AHEAD * threads:
                _take_first(waiting, take)
        while waiting:
            _take_first(waiting, take)
    except BaseException:
        _take_begun(waiting, take)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _take_first(waiting, take):
    # Left in the queue until it is taken, so that an interrupt while waiting loses nothing.
    take(waiting[0].result())
    waiting.popleft()


def _take_begun(waiting, take):
    begun = [future for future in waiting if not future.cancel()]
    wait(begun)
    for future in begun:
        if future.exception() is None:
            take(future.result())


class _CvThreads:
    """How many runs hold OpenCV at one thread, and what it had before the first."""

    lock = threading.Lock()
    runs = before = 0


@contextlib.contextmanager
def one_cv2_thread():
    """OpenCV works on one thread within, since the files are on threads already.

    Examples
    --------
    >>> with one_cv2_thread():
    ...     cv2.getNumThreads()
    1
    """
    with _CvThreads.lock:
        if not _CvThreads.runs:
            _CvThreads.before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _CvThreads.runs += 1
    try:
        yield
    finally:
        with _CvThreads.lock:
            _CvThreads.runs -= 1
            if not _CvThreads.runs:
                cv2.setNumThreads(_CvThreads.before)
