"""Where a comparison comes from: the command, the versions, the machine, how many threads."""

import os
import platform
import sys
from pathlib import Path

from vision.progress import in_words

LONGEST = 100  # characters of an option that are written down
NOT_IN_INTERVALS = (
    "The intervals and tests speak of other images of the same kind, for the models as they were "
    "trained here. What training anew on other images, or from another seed, would change is not "
    "in them."
)


def provenance(study, candidates, asked, *, notes, started, seconds):
    """What a `Comparison` says of how it was made.

    Parameters
    ----------
    study : Study
    candidates : dict of str to estimator
    asked : dict
        The options that were given.
    notes : sequence of str
    started, seconds : float
        When it began, in seconds since 1970, and how long it took.

    Returns
    -------
    dict
    """
    return {
        "command": _command(asked, study),
        "versions": _versions(candidates),
        "machine": machine(),
        "threads": threads(),
        "seed": study.seed,
        "started": started,
        "seconds": seconds,
        "budget": _budget(study.budget),
        "notes": (f"Folds: {study.folds.words}.", *notes),
        "not_in_intervals": NOT_IN_INTERVALS,
    }


def _command(asked, study):
    given = "".join(
        f", {name}={value!r}"
        for name, value in asked.items()
        if value is not None and value is not False and len(repr(value)) < LONGEST
    )
    return f"vision.compare(candidates, images, truth{given}, random_state={study.seed})"


def _budget(seconds):
    limit = "no limit of time" if seconds is None else f"{in_words(seconds)} for each candidate"
    return f"{limit}, {threads()['cores']} cores, one candidate after the other"


def machine():
    """The machine in words: architecture, processor, system.

    Returns
    -------
    str
    """
    return f"{platform.machine()}, {_processor()}, {platform.system()} {platform.release()}"


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or "processor unknown"


def threads():
    """How many threads all candidates may use: cores, OpenCV's, those of the other libraries.

    Returns
    -------
    dict of str to int

    Examples
    --------
    >>> threads()["cores"] >= 1
    True
    """
    from threadpoolctl import threadpool_info

    from vision.opencv import cv2

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = {"cores": cores, "opencv": cv2.getNumThreads()}
    return found | {pool["internal_api"]: pool["num_threads"] for pool in threadpool_info()}


def _versions(candidates):
    from vision.archive import running
    from vision.fingerprints import versions_of

    found = running()
    for estimator in candidates.values():
        told = versions_of(estimator)
        found |= {name: told[name] for name in told if name not in found and name in sys.modules}
    return found
