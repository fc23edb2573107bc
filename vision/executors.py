"""Who does the chunks of a run: threads of this process. Another executor is `vision.cluster`."""

import gc
import queue
import sys
import threading
import time

from vision.resume import waits
from vision.stopping import GRACE

WAIT = 0.1  # seconds between two looks at what else happened
SWITCH = 0.0005  # seconds that a thread keeps the interpreter while others wait for it


class Again:
    """What became of a chunk: nothing; its parts are to be done instead.

    Parameters
    ----------
    chunks : list of Chunk
    """

    def __init__(self, chunks):
        self.chunks = chunks


class Threads:
    """Daemon threads: a step that takes its time does not hold up the end of the process.

    Threads do the work of chunks; one more makes their outputs visible, which is to wait for the
    disk more than to compute.

    Parameters
    ----------
    work : Work
        With ``begin(chunk)``, ``finish(begun)``, and the events ``stopping`` and ``abandoned``.
    count : int
        Threads.

    Examples
    --------
    >>> class Sorting:
    ...     begin, finish = sorted, list
    >>> with Threads(Sorting, 2) as threads:
    ...     threads.submit([3, 1, 2])
    ...     chunk, entries, seconds = threads.completed(timeout=10)
    >>> entries
    [1, 2, 3]
    """

    def __init__(self, work, count):
        self.work, self.slots, self._joined = work, 3 * count, True
        self._todo, self._begun, self._done = (queue.SimpleQueue() for _ in range(3))
        self._threads = [self._thread(self._begin, number) for number in range(count)]
        self._threads.append(self._thread(self._finish, "end"))

    def _thread(self, target, number):
        thread = threading.Thread(target=target, name=f"vision-run-{number}", daemon=True)
        thread.start()
        return thread

    def _begin(self):
        while (chunk := self._todo.get()) is not None:
            started = time.monotonic()
            begun = _given(self.work.begin, chunk)
            seconds = time.monotonic() - started
            if getattr(self.work, "tiny", False):  # handing them over takes longer than doing it
                self._done.put((chunk, self._finished(begun), seconds))
            else:
                self._begun.put((chunk, begun, seconds))
            del chunk, begun

    def _finish(self):
        while (found := self._begun.get()) is not None:
            chunk, begun, seconds = found
            self._done.put((chunk, self._finished(begun), seconds))
            del found, chunk, begun

    def _finished(self, begun):
        return begun if isinstance(begun, BaseException) else _given(self.work.finish, begun)

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
        self._joined = False

    def __enter__(self):
        # One that comes back from OpenCV waits up to an interval for one that writes rows.
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(min(self._interval, SWITCH))
        gc.freeze()  # what is there already is not looked through for cycles again and again
        return self

    def __exit__(self, *exception):
        sys.setswitchinterval(self._interval)
        gc.unfreeze()
        *beginning, finishing = self._threads
        for _ in beginning:
            self._todo.put(None)
        if self._joined:
            for thread in beginning:
                thread.join()
        self._begun.put(None)
        if self._joined:
            finishing.join()


def _given(function, argument):
    """What a function gives, or the error that it raised."""
    try:
        return function(argument)
    except BaseException as error:
        return error


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
            chunk = pace.next(idle=not in_flight, slots=executor.slots)
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
        if isinstance(given, Again):
            for part in given.chunks:
                executor.submit(part)
            in_flight += len(given.chunks)
            continue
        if isinstance(given, BaseException):
            fatal = given
            take([entry for entry in getattr(given, "entries", []) if not waits(entry)])
            break
        take(pace.note(chunk, given, seconds))
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
            if isinstance(done[1], list):
                take([entry for entry in done[1] if not waits(entry)])
    if in_flight:
        executor.abandon()
