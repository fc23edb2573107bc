"""Shards: a run cut into parts by the names of its files, for machines that know nothing of each
other.

Each part keeps a ledger of its own in the common folder; `vision.merge` makes the tables.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.checks import refuse
from vision.errors import OutputExistsError

LEDGER = "ledger.jsonl"
_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_OF_SHARD = re.compile(r"ledger-([1-9][0-9]*)-of-([1-9][0-9]*)\.jsonl")


@dataclass(frozen=True)
class Shard:
    """One part of a run.

    Which part a file belongs to depends on its name alone: not on the order, on other files, or
    on the machine.

    Parameters
    ----------
    number, count : int
        From 1 to `count`.

    Examples
    --------
    >>> shard = Shard.of("3/4")
    >>> shard.ledger
    'ledger-3-of-4.jsonl'
    >>> [name for name in ("a.png", "b.png", "c.png", "d.png") if shard.owns(name)]
    ['a.png']
    """

    number: int
    count: int

    @classmethod
    def of(cls, text):
        """The shard that a text such as ``"3/100"`` means.

        Raises
        ------
        ParameterError
            If it means none.
        """
        found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            refuse("shard", text, "a part and their number, from '1/100' to '100/100'", "run")
        return cls(number, count)

    def __str__(self):
        return f"{self.number}/{self.count}"

    @property
    def label(self):
        """What its files are called after."""
        return f"{self.number}-of-{self.count}"

    @property
    def ledger(self):
        """The name of its ledger."""
        return f"ledger-{self.label}.jsonl"

    def owns(self, name):
        """Whether the file of this name belongs to it."""
        digest = hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    def part(self, images, names):
        """The pictures that belong to it, and what their outputs are called after.

        Parameters
        ----------
        images : Images
        names : list of str
            Of all of them.

        Returns
        -------
        images : Images
        names : list of str
        """
        mine = [index for index, name in enumerate(names) if self.owns(name)]
        return images[np.array(mine, int)], [names[index] for index in mine]


def ledger_name(shard):
    """The name of a run's ledger; `shard` is None for one that is not cut."""
    return LEDGER if shard is None else shard.ledger


def shards_of(out):
    """The shards that have a ledger in a folder, in order.

    Parameters
    ----------
    out : path-like
        The folder; it need not be there.

    Returns
    -------
    list of Shard
    """
    names = (path.name for path in Path(out).glob("ledger-*.jsonl"))
    found = [match for match in map(_OF_SHARD.fullmatch, names) if match]
    shards = [Shard(int(match[1]), int(match[2])) for match in found]
    return sorted(shards, key=lambda shard: (shard.count, shard.number))


def check_shard(out, shard):
    """Refuse a folder that holds the run whole, or cut into another number of parts.

    Parameters
    ----------
    out : Path
        The folder.
    shard : Shard or None
        What will be written there.

    Raises
    ------
    OutputExistsError
        If they do not go together.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp())
    >>> (out / "ledger-1-of-4.jsonl").touch()
    >>> check_shard(out, Shard(2, 4))
    >>> check_shard(out, None)
    Traceback (most recent call last):
    ...
    vision.errors.OutputExistsError: The 'out' of run holds a run in 4 shards. Got '...'. Go on with
    shard='1/4' to '4/4', or choose another folder.
    """
    others = [one for one in shards_of(out) if shard is None or one.count != shard.count]
    if others:
        count = others[0].count
        raise OutputExistsError(
            f"The 'out' of run holds a run in {count} shards. Got {os.fspath(out)!r}. Go on with "
            f"shard='1/{count}' to '{count}/{count}', or choose another folder."
        )
    if shard is not None and (Path(out) / LEDGER).exists():
        raise OutputExistsError(
            f"The 'out' of run holds a run that is not in shards. Got {os.fspath(out)!r}, and "
            f"shard='{shard}'. Leave shard out, or choose another folder."
        )
