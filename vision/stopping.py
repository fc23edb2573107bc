"""Signals that end a run in good order: Ctrl-C, SIGTERM and SIGHUP."""

import os
import signal
import threading

GRACE = 1.0  # seconds that files in work are given
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopping:
    """Notes the first signal; a second one leaves the process at once.

    Outside the main thread no signal arrives, and nothing is noted.

    Attributes
    ----------
    signal : int or None
        The signal that came.

    Examples
    --------
    >>> with Stopping() as stopping:
    ...     stopping.signal is None
    True
    """

    def __init__(self):
        self.signal, self._before = None, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                if before != signal.SIG_IGN:  # as under nohup
                    self._before[number] = before
                    signal.signal(number, self._note)
        return self

    def __exit__(self, *exception):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if self.signal is not None:
            os._exit(128 + number)
        self.signal = number

    def error(self, summary):
        """What is raised once everything is in order, with the `summary` of the run.

        After Ctrl-C a `KeyboardInterrupt`, and no subclass of it: Python itself ends with the
        right status only for that one. Otherwise a `SystemExit` of 128 and the signal's number.
        """
        code = 128 + self.signal
        if self.signal == signal.SIGINT:
            error = KeyboardInterrupt(f"interrupted: {summary}")
            error.code = code
        else:
            error = SystemExit(code)
        error.summary = summary
        return error
