"""Who does the chunks of a run: threads of this process. Another executor is `vision.cluster`."""

import queue
import threading
import time

from vision.stopping import GRACE

WAIT = 0.1  # seconds between two looks at what else happened


class Threads:
    """Daemon threads: a step that takes its time does not hold up the end of the process.

    Parameters
    ----------
    work : callable
        Gives the entries of a chunk.
    count : int
        Threads.

    Examples
    --------
    >>> with Threads(sorted, 2) as threads:
    ...     threads.submit([3, 1, 2])
    ...     chunk, entries, seconds = threads.completed(timeout=10)
    >>> entries
    [1, 2, 3]
    """

    def __init__(self, work, count):
        self.work, self.slots = work, 2 * count
        self._todo, self._done = queue.SimpleQueue(), queue.SimpleQueue()
        self.count = count
        self._threads = [
            threading.Thread(target=self._serve, name=f"vision-run-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _serve(self):
        while (chunk := self._todo.get()) is not None:
            started = time.monotonic()
            try:
                given = self.work(chunk)
            except BaseException as error:
                given = error
            self._done.put((chunk, given, time.monotonic() - started))
            del chunk, given

    def submit(self, chunk):
        """Have a chunk done."""
        self._todo.put(chunk)

    def completed(self, timeout):
        """A chunk, its entries or the error that ended it, and seconds; None after `timeout`."""
        try:
            return self._done.get(timeout=timeout)
        except queue.Empty:
            return None

    def stop(self):
        """Begin no further file."""
        self.work.stopping.set()

    def abandon(self):
        """Let nothing of what is still in work become visible."""
        self.work.abandoned.set()
        self._threads = []

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        for _ in range(self.count):
            self._todo.put(None)
        for thread in self._threads:
            thread.join()


def drive(executor, pace, take, stopping):
    """Have everything done, and take the entries as they come.

    Parameters
    ----------
    executor : Threads or Cluster
    pace : Pace
        Gives the chunks.
    take : callable
        Called with the entries of a chunk.
    stopping : Stopping
        When it notes a signal, files in work are given a second, and the rest is left.

    Raises
    ------
    Exception
        What ended a chunk, such as a full disk: after what others had done was taken.
    """
    in_flight, fatal = 0, None
    while True:
        while in_flight < executor.slots and not stopping.signal:
            chunk = pace.next(idle=not in_flight)
            if chunk is None:
                break
            executor.submit(chunk)
            in_flight += 1
        if stopping.signal or not in_flight:
            break
        done = executor.completed(WAIT)
        if done is None:
            continue
        in_flight -= 1
        chunk, given, seconds = done
        if isinstance(given, BaseException):
            fatal = given
            take(getattr(given, "entries", []))
            break
        pace.note(chunk, given, seconds)
        take(given)
    _end(executor, in_flight, take)
    if fatal is not None:
        raise fatal


def _end(executor, in_flight, take):
    """Take what files in work still become, for a moment."""
    deadline = time.monotonic() + GRACE
    executor.stop()
    while in_flight and (left := deadline - time.monotonic()) > 0:
        done = executor.completed(left)
        if done is not None:
            in_flight -= 1
            if not isinstance(done[1], BaseException):
                take(done[1])
    if in_flight:
        executor.abandon()
