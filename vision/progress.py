"""Progress of a run: a bar with rate and time left on a terminal, plain lines in a log."""

import sys
import time


def progress_of(total, shown=True, stream=None, *, noun="files"):
    """What shows the progress over `total` files, as a context manager.

    Parameters
    ----------
    total : int
        How many files there are.
    shown : bool, default=True
        False shows nothing.
    stream : text file, optional
        Where; standard error by default. A bar if it is a terminal, otherwise a line every five
        seconds and one at the end.
    noun : str, default="files"
        What is counted.

    Returns
    -------
    context manager
        Its ``advance(failed)`` notes one more file.

    Examples
    --------
    >>> with progress_of(2, stream=sys.stdout) as progress:
    ...     progress.advance(failed=False)
    ...     progress.advance(failed=True)
    2 of 2 files, ... a second, 1 failed
    """
    if not shown:
        return _Silent()
    stream = sys.stderr if stream is None else stream
    return (_Bar if stream.isatty() else _Lines)(total, stream, noun)


class _Silent:
    def advance(self, failed):
        """Note one more file."""

    def skip(self, count):
        """Note files that an earlier run had done."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None


class _Lines(_Silent):
    every = 5.0  # seconds

    def __init__(self, total, stream, noun):
        self.total, self.stream, self.noun = total, stream, noun
        self.done = self.failed = 0
        self.started = self.said = time.monotonic()

    def advance(self, failed):
        self.done += 1
        self.failed += failed
        if time.monotonic() - self.said >= self.every and self.done < self.total:
            self.said = time.monotonic()
            self.show()

    def skip(self, count):
        self.total -= count

    def show(self):
        print(self.words(), file=self.stream, flush=True)

    def words(self):
        """Where the run stands: files, rate, time left, failures."""
        rate = self.done / max(time.monotonic() - self.started, 1e-9)
        parts = [f"{self.done} of {self.total} {self.noun}"]
        parts += [f"{rate:{'.0f' if rate > 100 else '.3g'}} a second"] if self.done else []
        parts += [f"{in_words((self.total - self.done) / rate)} left"] if self._midway else []
        parts += [f"{self.failed} failed"] if self.failed else []
        return ", ".join(parts)

    @property
    def _midway(self):
        return 0 < self.done < self.total

    def __exit__(self, *exception):
        self.show()


class _Bar(_Lines):
    every = 0.1

    def __init__(self, total, stream, noun):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        super().__init__(total, stream, noun)
        words = TextColumn("{task.description}", markup=False)
        self.bar = Progress(BarColumn(), words, console=Console(file=stream))
        self.task = self.bar.add_task(self.words(), total=total)

    def __enter__(self):
        self.bar.start()
        return self

    def show(self):
        words = self.words()
        self.bar.update(self.task, completed=self.done, total=self.total, description=words)

    def __exit__(self, *exception):
        self.show()
        self.bar.stop()


def in_words(seconds):
    """A length of time, rounded as people say it.

    Examples
    --------
    >>> in_words(0.42), in_words(75), in_words(7384)
    ('0.4 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
