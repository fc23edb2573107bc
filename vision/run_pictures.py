"""The pictures on the report of a run: some files before and after, small, within the page."""

import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import numpy as np

from vision.drawing import to_display
from vision.io import decode
from vision.kinds import Kind
from vision.packing import is_packed, read_output
from vision.pages import data_uri
from vision.records import MASKS, OUTPUTS, OVERLAYS

MOST = 3  # outputs of a file that are shown
THREADS = 2
FILES = frozenset({"read", "decode", "encode", "write"})  # the laps that a thumbnail also takes


class Pictures:
    """Makes them, as far as there is time.

    Parameters
    ----------
    out : Path
        The folder of the run.
    images : Images
        The source.
    names : list of str
        What the outputs of each are called after.
    digest : Digest
        Chose the files.
    left : callable
        Gives the seconds that are left.
    """

    def __init__(self, out, images, names, digest, left):
        self.out, self.images, self.left = out, images, left
        self.chosen = digest.chosen()
        wanted = {entry["name"] for entry in self.chosen}
        self.indices = {name: index for index, name in enumerate(names) if name in wanted}
        self.kinds = digest.kinds
        self.share = _share(digest.steps())

    def figures(self):
        """The files with their ``pictures`` (``title``, ``data`` for the page and ``path``).

        Returns
        -------
        list of dict
            In order; a file that is gone, or for which no time is left, is not among them.
        """
        places = [self.chosen[position] for position in spread(len(self.chosen))]
        with ThreadPoolExecutor(THREADS) as pool:
            made = dict(zip((entry["name"] for entry in places), pool.map(self._figure, places)))
        found = [made[entry["name"]] for entry in self.chosen]
        return [figure for figure in found if figure is not None]

    def _figure(self, entry):
        if entry["seconds"] * self.share > self.left():
            return None
        index = self.indices.get(entry["name"])
        outputs = entry["outputs"]
        outputs = [output for output in outputs if output[0].startswith(OVERLAYS)] or outputs
        try:
            pictures = [] if index is None else [self._input(index)]
            pictures += [self._output(output) for output in outputs[:MOST]]
        except Exception:  # it is gone, or was altered, since: the page can do without it
            return None
        return entry | {"pictures": pictures, "more": max(0, len(outputs) - MOST)}

    def _input(self, index):
        image = self.images.decoded(index, self.images.data(index))[0]
        return {"title": "input", "data": data_uri(to_display(_opaque(image)), "jpg"), "path": None}

    def _output(self, output):
        folder, _, rest = output[0].partition("/")
        folder = folder.partition("-")[0]  # images-00001.tar is of images
        branches = [name for name in self.kinds if name and rest.startswith(f"{name}/")]
        branch = max(branches, key=len, default="")
        kind = self.kinds.get(branch, Kind.ANY) if folder == OUTPUTS else Kind.RGB
        picture = _opaque(decode(read_output(self.out, output), mode="unchanged"))
        if kind is Kind.LABELS:
            picture = picture.astype(np.int32)
        flat = kind in MASKS or kind is Kind.LABELS
        return {
            "title": branch or ("overlay" if folder == OVERLAYS else str(kind)),
            "data": data_uri(to_display(picture), "png" if flat else "jpg"),
            "path": None if is_packed(output[0]) else quote(os.fsencode(output[0])),
        }


def _share(steps):
    """The share of a file's time that went into reading and writing pictures."""
    total = sum(mean for _, _, mean, _ in steps)
    files = sum(mean for title, _, mean, _ in steps if title in FILES)
    return files / total if total else 1.0


def spread(count):
    """The positions in such an order that the first few lie evenly already.

    Examples
    --------
    >>> spread(8)
    [0, 4, 2, 6, 1, 5, 3, 7]
    """
    digits = max(1, count - 1).bit_length()
    return sorted(range(count), key=lambda position: int(f"{position:0{digits}b}"[::-1], 2))


def _opaque(picture):
    """Without an alpha channel."""
    return picture[:, :, :3] if picture.ndim == 3 else picture
