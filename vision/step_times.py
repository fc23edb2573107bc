"""Where the time of a run goes: every sixteenth file is watched, step by step, as it is done."""

import time

from vision.flow import name_of

EVERY = 16  # files of a chunk, so that watching costs nothing


class Laps:
    """A stopwatch: each call notes what was done since the last.

    Attributes
    ----------
    found : list of [str, float]
        What was done, and the seconds that it took.

    Examples
    --------
    >>> laps = Laps()
    >>> laps("read")
    >>> laps("decode")
    >>> [title for title, seconds in laps.found]
    ['read', 'decode']
    """

    def __init__(self):
        self.found = []
        self.restart()

    def restart(self):
        """What went by since the last lap is nobody's."""
        self._last = time.perf_counter()

    def __call__(self, title, shared=1):
        """Note a lap, shared by so many files."""
        now = time.perf_counter()
        self.found.append([title, round((now - self._last) / shared, 7)])
        self._last = now


def run_timed(plan, image, laps):
    """One image through a plan, as `Plan.run` does it, each step noted.

    Parameters
    ----------
    plan : Plan
    image : ndarray
    laps : Laps

    Returns
    -------
    object
        What `Plan.run` gives.

    Examples
    --------
    >>> import numpy as np
    >>> from classical import Gray, Otsu
    >>> laps = Laps()
    >>> mask = run_timed((Gray() >> Otsu()).plan(), np.zeros((4, 6, 3), np.uint8), laps)
    >>> mask.shape, [title for title, seconds in laps.found]
    ((4, 6), ['Gray', 'Otsu'])
    """
    if not plan.parts:
        return plan.run(image)
    laps.restart()
    value, matrix = image, None
    for part in plan.parts:
        if plan.moves:
            value, matrix = part.moved(value, matrix)
        else:
            value = part.one(value)
        laps(name_of(part.step))
    return plan.restore(value, matrix, image)


def run_many_timed(plan, images, laps):
    """Many images through a plan, as `Plan.run_many` does it; each step's share of one is noted.

    Parameters
    ----------
    plan : Plan
    images : list of ndarray
    laps : Laps

    Returns
    -------
    list
        What `Plan.run_many` gives.
    """
    laps.restart()
    states, matrices = list(images), [None] * len(images)
    for part in plan.parts:
        states, matrices = part.moved_many(states, matrices)
        laps(name_of(part.step), shared=len(images))
    return [plan.restore(*triple) for triple in zip(states, matrices, images)]
