"""The line about the machine that every benchmark prints first."""

import importlib.metadata
import os
import platform
from pathlib import Path


def describe_machine():
    """Processor, cores and the versions that matter, in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("opencv-python", "numpy", "scikit-image", "scikit-learn")
    )
    return f"{model}, {cores} cores, Python {platform.python_version()}, {versions}"
