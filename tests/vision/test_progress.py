"""Progress: lines in a log, a bar on a terminal, nothing if asked."""

import io

import pytest

from vision import progress as module
from vision.progress import in_words, progress_of


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_lines_of_a_log_by_hand(clock):
    log = io.StringIO()
    with progress_of(10, stream=log) as progress:
        for number in range(10):
            clock.now += 2.0
            progress.advance(failed=number == 3)
    assert log.getvalue().splitlines() == [
        "3 of 10 files, 0.5 a second, 14 s left",
        "6 of 10 files, 0.5 a second, 8.0 s left, 1 failed",
        "9 of 10 files, 0.5 a second, 2.0 s left, 1 failed",
        "10 of 10 files, 0.5 a second, 1 failed",
    ]


def test_an_interrupted_run_says_how_far_it_came(clock):
    log = io.StringIO()
    with pytest.raises(KeyboardInterrupt), progress_of(4, stream=log) as progress:
        clock.now += 1
        progress.advance(failed=False)
        raise KeyboardInterrupt
    assert log.getvalue() == "1 of 4 files, 1 a second, 3.0 s left\n"


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    with progress_of(3, stream=terminal) as progress:
        for _ in range(3):
            progress.advance(failed=True)
    assert "━" in terminal.getvalue()
    assert "3 of 3 files" in terminal.getvalue()
    assert "3 failed" in terminal.getvalue()


def test_nothing_is_shown_if_asked(capsys):
    with progress_of(3, shown=False) as progress:
        progress.advance(failed=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (9.96, "10.0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3600, "1 h 0 min")],
)
def test_in_words(seconds, words):
    assert in_words(seconds) == words
