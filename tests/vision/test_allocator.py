"""Memory kept during a run is given back after it: counted by the kernel."""

import sys
from pathlib import Path

import numpy as np
import pytest

from vision.allocator import memory_kept

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="glibc's allocator and /proc"
)


def resident():
    """Megabytes of the process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def faults():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def churn():
    """Pages that were cleared anew while the same large array was made ten times."""
    np.ones(3 << 20, np.uint8)
    before = faults()
    for _ in range(10):
        np.ones(3 << 20, np.uint8)
    return faults() - before


def test_large_arrays_are_made_of_the_same_memory_and_given_back():
    outside = churn()
    with memory_kept():
        inside = churn()
        held = [np.ones(8 << 20, np.uint8) for _ in range(20)]
        full = resident()
        del held
    assert inside < 200
    assert resident() < full - 100
    assert outside >= 0


def test_runs_within_runs_end_with_the_last():
    with memory_kept():
        with memory_kept():
            pass
        assert churn() < 200
