"""Rows of a table as lines of CSV: written once, by the thread that made them, then only copied."""

import csv
import io
from collections.abc import Sequence

import numpy as np

# How a cell of each kind comes back from its text.
READ = {"f": float, "i": int, "b": "True".__eq__, "s": str}
_KINDS = {float: "f", int: "i", bool: "b", str: "s"}  # where all cells of a column are of one type


class Rows(Sequence):
    """Dictionaries of column to value, held as text.

    Parameters
    ----------
    columns : list of str
        In order.
    kinds : str
        A letter a column: ``f`` real numbers, ``i`` whole ones, ``b`` truth values, ``s`` text.
    lines : str
        A line a row; an empty cell is None.

    Examples
    --------
    >>> rows = Rows.of([{"source": "a.jpg", "area": 2.5}, {"source": "a.jpg", "area": None}])
    >>> rows.lines
    'a.jpg,2.5\\na.jpg,\\n'
    >>> list(rows) == [{"source": "a.jpg", "area": 2.5}, {"source": "a.jpg", "area": None}]
    True
    """

    __slots__ = ("columns", "kinds", "lines")

    def __init__(self, columns, kinds, lines):
        self.columns, self.kinds, self.lines = columns, kinds, lines

    @classmethod
    def of(cls, rows):
        """The text of dictionaries; None and what is missing are empty cells."""
        columns = list(dict.fromkeys(column for row in rows for column in row))
        return cls.of_table(columns, [[row.get(column) for column in columns] for row in rows])

    @classmethod
    def of_table(cls, columns, table):
        """The text of lists of cells, in the order of the columns; the lists may be changed."""
        if len(table) == 1:  # as nearly all pictures have it
            kinds = "".join([_KINDS.get(type(cell)) or _kind((cell,)) for cell in table[0]])
        else:
            kinds = "".join(map(_kind, zip(*table)))
        texts = [position for position, kind in enumerate(kinds) if kind == "s"]
        for row in table:
            for position in texts:
                row[position] = one_line(row[position])
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows(table)
        return cls(columns, kinds, file.getvalue())

    @classmethod
    def joined(cls, tables):
        """The text of pairs of columns and table, one below the other."""
        if len(tables) == 1:
            return cls.of_table(*tables[0])
        return cls.of([dict(zip(columns, row)) for columns, table in tables for row in table])

    def __len__(self):
        return self.lines.count("\n")

    def __iter__(self):
        readers = [READ[kind] for kind in self.kinds]
        for cells in csv.reader(io.StringIO(self.lines)):
            values = (read(cell) if cell else None for read, cell in zip(readers, cells))
            yield dict(zip(self.columns, values, strict=True))

    def __getitem__(self, index):
        return list(self)[index]

    def __eq__(self, other):
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    def __repr__(self):
        return f"Rows({list(self)})"

    def to_plain(self):
        """What JSON holds of them."""
        return {"columns": self.columns, "kinds": self.kinds, "lines": self.lines}


def one_line(value):
    """A cell without line breaks, so that a line is a row."""
    if isinstance(value, str) and ("\n" in value or "\r" in value):
        return value.replace("\r", "\\r").replace("\n", "\\n")
    return value


def _kind(cells):
    types = set(map(type, cells))
    if len(types) == 1 and (kind := _KINDS.get(types.pop())):
        return kind
    for cell in cells:
        if isinstance(cell, bool | np.bool_):
            return "b"
        if isinstance(cell, int | np.integer):
            return "i" if all(c is None or isinstance(c, int | np.integer) for c in cells) else "f"
        if cell is not None:
            return "f" if isinstance(cell, float | np.floating) else "s"
    return "s"
