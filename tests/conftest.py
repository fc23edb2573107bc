"""What tests of every package need."""

import signal

import pytest


@pytest.fixture
def interruptible():
    """Ctrl-C is taken, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
