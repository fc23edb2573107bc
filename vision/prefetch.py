"""Work ahead of a loop: a function of 0, 1, 2, ... by threads, in order, within bounds."""

import atexit
import contextvars
import os
import threading

WINDOW = 16  # results ahead of the loop
BUDGET = 256 << 20  # bytes ahead of the loop
_MOST_THREADS = 16
# The expected size of a result is the largest of the recent ones: it forgets a giant at this
# rate, so that one panorama does not make the rest of a folder wait.
_FORGET = 0.9


def read_ahead(function, count, *, size=1, window=WINDOW, budget=BUDGET):
    """Yield lists of ``function(0), function(1), ...`` in order, computed ahead by threads.

    The threads start with the first list and have ended when the generator has: after the last
    list, after an error, or when it is closed or dropped early.

    Parameters
    ----------
    function : callable
        Takes an index, gives the pair ``(result, bytes it holds)``; called from threads.
    count : int
        How many indices there are.
    size : int, default=1
        Results a list; the last one may be shorter.
    window : int, default=16
        How many results may be under way or waiting, at least `size`.
    budget : int, default=268435456
        Bytes that these results may hold together. The next list is always computed, however
        large, and each thread may exceed the budget by what a result is larger than the
        recent ones.

    Yields
    ------
    list
        The next `size` results.

    Raises
    ------
    Exception
        What `function` raised, in place of the list that its index belongs to.

    Examples
    --------
    >>> list(read_ahead(lambda index: (index**2, 8), 5, size=2))
    [[0, 1], [4, 9], [16]]
    """
    if count <= 1:
        yield from ([function(index)[0]] for index in range(count))
        return
    ahead = _Ahead(function, count, size, max(window, size), budget)
    try:
        ahead.start()
        for start in range(0, count, size):
            yield ahead.take(start)
    finally:
        ahead.close()


class _Ahead:
    """The threads of one loop and what they share, which `lock` guards."""

    def __init__(self, function, count, size, window, budget):
        self.function, self.count = function, count
        self.size, self.window, self.budget = size, window, budget
        self.claimed = 0  # indices below are done or under way
        self.wanted = 0  # start of the list that the loop takes next
        self.done = {}  # index: (result, error, bytes)
        self.held = self.expected = self.active = 0
        self.closed = False
        # Reentrant: the garbage collector may close a forgotten loop from within a thread of it.
        self.lock = threading.RLock()
        self.room, self.ready = threading.Condition(self.lock), threading.Condition(self.lock)
        self.threads = []

    def start(self):
        """Start the threads, as many as there are processors."""
        # A script may end in the middle of a loop. Threads that are no daemons would keep it from
        # ending; daemons that are not stopped first abort it where they are inside OpenCV.
        atexit.register(self.close)
        for _ in range(min(_processors(), self.window, self.count)):
            # The context carries NumPy 2's errstate, which would not reach the thread otherwise.
            run = contextvars.copy_context().run
            thread = threading.Thread(target=run, args=[self._work], name="read-ahead", daemon=True)
            thread.start()
            self.threads.append(thread)

    def _work(self):
        # Nothing is bound here: a thread that waits must not keep its last picture alive.
        while (index := self._claim()) is not None:
            self._keep(index, self._outcome(index))

    def _claim(self):
        with self.lock:
            self.room.wait_for(lambda: self.closed or self.claimed >= self.count or self._fits())
            if self.closed or self.claimed >= self.count:
                return None
            self.claimed += 1
            self.active += 1
            return self.claimed - 1

    def _fits(self):
        if self.claimed < self.wanted + self.size:
            return True
        coming = (self.active + 1) * self.expected
        return self.claimed < self.wanted + self.window and self.held + coming <= self.budget

    def _outcome(self, index):
        try:
            result, size = self.function(index)
        except BaseException as error:  # raised again in the loop, at its own index
            return None, error, 0
        return result, None, size

    def _keep(self, index, outcome):
        with self.lock:
            self.active -= 1
            if self.closed:
                return
            self.done[index] = outcome
            self.held += outcome[2]
            self.expected = max(outcome[2], _FORGET * self.expected)
            self.ready.notify()

    def take(self, start):
        """The results from `start` on; the threads go on with those behind."""
        indices = range(start, min(start + self.size, self.count))
        with self.lock:
            self.ready.wait_for(lambda: all(index in self.done for index in indices))
            outcomes = [self.done.pop(index) for index in indices]
            self.held -= sum(size for _, _, size in outcomes)
            self.wanted = start + self.size
            self.room.notify_all()
        try:
            for _, error, _ in outcomes:
                if error is not None:
                    raise error
            return [result for result, _, _ in outcomes]
        finally:
            # The traceback refers to this frame: what it still named would outlive the loop.
            error = outcomes = None

    def close(self):
        """Stop the threads and wait for their end."""
        atexit.unregister(self.close)
        with self.lock:
            self.closed = True
            self.done.clear()
            self.room.notify_all()
        if threading.current_thread() not in self.threads:
            for thread in self.threads:
                thread.join()


def _processors():
    usable = getattr(os, "sched_getaffinity", None)
    return min(len(usable(0)) if usable else os.cpu_count() or 1, _MOST_THREADS)
