"""The files of a run that are done together, and where each of them stands."""

import functools
import time
from dataclasses import dataclass

from vision.step_times import EVERY, Laps


@dataclass(frozen=True)
class Chunk:
    """Files that are done, and become visible, together.

    Parameters
    ----------
    images : Images
        The files.
    names : list of str
        What their outputs are called after.
    tasks : list of (int, dict or None)
        For each its index in the run, and the ledger's entry that still holds if its content is
        the same.
    """

    images: object
    names: list
    tasks: list

    @functools.cached_property  # the list is made anew whenever it is asked for
    def sources(self):
        """Where each file comes from."""
        return self.images.sources

    def __len__(self):
        return len(self.names)


class ChunkFile:
    """One file of a chunk, on its way through the stages to its entry.

    Parameters
    ----------
    chunk : Chunk
    index : int
        Its place there.

    Attributes
    ----------
    name, source : str
        As the chunk has them.
    state, hash : list, str
        Of its content, once it was read.
    data, image, result : object
        Its bytes, the picture and what the pipeline gave, as long as they are needed.
    rows, outputs : Rows, dict of str to bytes
        What is to be written.
    entry : dict or None
        Of the ledger, once it is known.
    pages : int
        That it has, or frames, of which the first is read.
    seconds : float
        That it took so far.
    laps : Laps or None
        Of those whose steps are timed.
    """

    __slots__ = (
        "chunk",
        "data",
        "entry",
        "hash",
        "image",
        "index",
        "laps",
        "name",
        "outputs",
        "pages",
        "result",
        "rows",
        "seconds",
        "source",
        "started",
        "state",
    )

    def __init__(self, chunk, index):
        self.chunk, self.index = chunk, index
        self.name, self.source = chunk.names[index], chunk.sources[index]
        self.state = self.hash = self.data = self.image = self.result = None
        self.rows = self.outputs = self.entry = None
        self.pages, self.seconds, self.started = 1, 0.0, time.monotonic()
        self.laps = None if index % EVERY else Laps()

    def start(self):
        """A stage begins."""
        self.started = time.monotonic()
        if self.laps is not None:
            self.laps.restart()

    def stop(self):
        """It ends."""
        self.seconds += time.monotonic() - self.started

    def lap(self, title):
        """Note what was done, if it is watched."""
        if self.laps is not None:
            self.laps(title)
