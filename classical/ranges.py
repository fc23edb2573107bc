"""The base of the filters by measures: which contours or regions lie within all ranges given."""

import numbers

import numpy as np

from vision.checks import check_number, check_order, refuse
from vision.step import Step


class RangeFilter(Step):
    """A step whose parameters are ranges of measures, each None or ``(low, high)``.

    Attributes
    ----------
    measures : dict of str to callable
        For each parameter what gives the measure of all objects of a result, (n,).
    """

    measures = {}

    def check_params(self):
        """See `Step.check_params`."""
        for name in self.measures:
            value = getattr(self, name)
            if value is not None:
                self._check_range(name, value)

    def _check_range(self, name, value):
        pair = isinstance(value, tuple | list) and len(value) == 2
        if not (pair and all(end is None or isinstance(end, numbers.Real) for end in value)):
            hint = f"At least 5 is {name}=(5, None), at most 9 is {name}=(None, 9)."
            refuse(name, value, "a pair (low, high), None for no limit", self, hint)
        for end in value:
            if end is not None:
                check_number(name, end, owner=self)
        # Directions go round: from 170 to 10 degrees is 20 wide.
        if None not in value and name != "orientation":
            check_order(f"{name}[0]", value[0], f"{name}[1]", value[1], owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        given = [(name, getattr(self, name)) for name in self.measures]
        return [(self.measures[name], *value) for name, value in given if value is not None]

    def within(self, result):
        """Which objects of a result lie in all ranges, limits included, (n,) bool."""
        kept = np.ones(len(result), bool)
        for measure, low, high in self._tables:
            values = measure(result)
            above = True if low is None else values >= low
            below = True if high is None else values <= high
            wraps = None not in (low, high) and low > high
            kept &= (above | below) if wraps else (above & below)
        return kept


def sides(result):
    """Width and height of each upright box, in pixels, (n,) each."""
    return (result.boxes[:, 2:] - result.boxes[:, :2]).T
