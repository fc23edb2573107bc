"""What a report says of the files of a run, gathered while its tables are written."""

import heapq

from vision.kinds import Kind
from vision.records import MASKS, PICTURES

FAILURES, SLOWEST, SAMPLES = 200, 10, 60


class Digest:
    """Counts, failures, the slowest files, step times, and files chosen evenly.

    However many entries it is shown, it holds a bounded number.

    Parameters
    ----------
    kinds : dict of str to Kind
        What the pipeline gives, by branch, see `vision.records.parts_of`.

    Attributes
    ----------
    done, failed, vanished : int
    ended : float
        The time of the last file.
    failures : list of dict
        The first of them, with ``source``, ``error`` and ``reason``.

    Examples
    --------
    >>> digest = Digest({"": Kind.MASK})
    >>> for number in range(1000):
    ...     entry = {"name": f"{number}.png", "source": f"{number}.png", "seconds": number / 100}
    ...     digest.note(entry | {"rows": [], "outputs": [], "laps": [["Gray", 0.5], ["Otsu", 1]]})
    >>> digest.done, len(digest.chosen()), digest.slowest()[0]
    (1000, 60, (9.99, '999.png'))
    >>> digest.steps()[0]
    ('Gray', 1000, 0.5, 0.5)
    """

    def __init__(self, kinds):
        self.kinds = kinds
        self.done = self.failed = self.vanished = 0
        self.ended = 0.0
        self.failures = []
        self._slowest, self._laps = [], {}
        self._stride, self._kept = 1, []

    def note(self, entry):
        """An entry of the ledger, in the order of the tables."""
        if "vanished" in entry:
            self.vanished += 1
            return
        self.ended = max(self.ended, entry.get("at", 0.0))
        self._note_slow(entry["seconds"], entry["source"])
        if "error" in entry:
            self.failed += 1
            if len(self.failures) < FAILURES:
                self.failures.append({"source": entry["source"], **entry["error"]})
            return
        for place in enumerate(entry.get("laps", ())):
            self._note_lap(*place)
        self._choose(entry)
        self.done += 1

    def _note_slow(self, seconds, source):
        if len(self._slowest) < SLOWEST:
            heapq.heappush(self._slowest, (seconds, source))
        elif seconds > self._slowest[0][0]:
            heapq.heapreplace(self._slowest, (seconds, source))

    def _note_lap(self, position, lap):
        title, seconds = lap
        found = self._laps.setdefault((position, title), [0, 0.0, 0.0])
        found[0] += 1
        found[1] += seconds
        found[2] = max(found[2], seconds)

    def _choose(self, entry):
        """Keep every n-th entry, and with twice too many of them every second of these."""
        if self.done % self._stride:
            return
        kept = {name: entry[name] for name in ("name", "source", "seconds", "outputs")}
        self._kept.append(kept | {"found": found(self.kinds.get(""), entry["rows"])})
        if len(self._kept) == 2 * SAMPLES:
            self._kept, self._stride = self._kept[::2], 2 * self._stride

    def chosen(self):
        """At most `SAMPLES` entries, evenly from all that are done, in order."""
        count = min(SAMPLES, len(self._kept))
        return [self._kept[index * len(self._kept) // count] for index in range(count)]

    def slowest(self):
        """Seconds and source of the slowest files, the slowest first."""
        return sorted(self._slowest, reverse=True)

    def steps(self):
        """For each step its title, how many files were timed, and their mean and largest."""
        laps = sorted(self._laps.items(), key=lambda item: item[0][0])
        return [(title, n, total / n, most) for (_, title), (n, total, most) in laps]


def found(kind, rows):
    """What the rows of one file say, in few words.

    Parameters
    ----------
    kind : Kind or None
        What the pipeline gives; None where there are branches.
    rows : list of dict

    Returns
    -------
    str
        Empty where there are branches, which say different things.

    Examples
    --------
    >>> found(Kind.CLASS, [{"source": "a.png", "object": 1, "label": "cat", "score": 0.931}])
    'cat, 0.93'
    >>> found(Kind.CONTOURS, [{"source": "a.png", "object": 1}, {"source": "a.png", "object": 2}])
    '2 objects'
    >>> found(Kind.CONTOURS, [{"source": "a.png", "object": 0}])
    'nothing found'
    >>> found(Kind.MASK, [{"source": "a.png", "object": 1, "width": 4, "height": 3}])
    '4 x 3 pixels'
    """
    if not rows or kind is None:
        return ""
    first = rows[0]
    if kind in PICTURES or kind in MASKS:
        return f"{first['width']} x {first['height']} pixels"
    if kind is Kind.CLASS:
        return ", ".join(_short(first[name]) for name in ("label", "score") if name in first)
    if kind is Kind.VALUE:
        return _short(first["value"])
    if kind is Kind.FEATURES:
        return f"{len(first) - 2} features"
    count = len(rows) if first["object"] else 0
    return f"{count} object{'' if count == 1 else 's'}" if count else "nothing found"


def _short(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)
