"""What a comparison measures where it is asked to: curves, robustness, faithfulness."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crossing:
    """From how many training images on the one candidate is better than the other.

    Parameters
    ----------
    first, second : str
        Names: `second` overtakes `first`.
    images : Estimate or None
        Training images; None if the curves do not cross within the sizes tried.
    words : str
        What that says.
    """

    first: str
    second: str
    images: object
    words: str


@dataclass(frozen=True, eq=False)
class LearningCurves:
    """The main metric over the number of training images.

    Parameters
    ----------
    sizes : (k,) ndarray of int
        Training images.
    scores : dict of str to (repeats, k) ndarray
        By candidate; NaN where it failed.
    crossings : tuple of Crossing
        Of every two candidates without an infinite score.
    notes : tuple of str
        How they were made.
    """

    sizes: np.ndarray
    scores: dict
    crossings: tuple = ()
    notes: tuple = ()

    def to_records(self):
        """A row for every score.

        Returns
        -------
        list of dict
            ``candidate``, ``repeat`` (from 1), ``images`` and ``score``; None where it failed.

        Examples
        --------
        >>> LearningCurves(np.array([50, 100]), {"HOG": np.array([[0.5, 0.75]])}).to_records()[1]
        {'candidate': 'HOG', 'repeat': 1, 'images': 100, 'score': 0.75}
        """
        sizes = self.sizes.tolist()
        return [
            {"candidate": name, "repeat": repeat, "images": images, "score": _known(score)}
            for name, table in self.scores.items()
            for repeat, row in enumerate(table.tolist(), start=1)
            for images, score in zip(sizes, row, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Robustness:
    """The main metric on pictures that were spoiled.

    Parameters
    ----------
    corruptions : tuple of str
        "noise", "blur", "jpeg", "brightness", "rotation", "scale".
    strengths : tuple of tuple
        The levels of each corruption as texts with unit, the first the untouched pictures.
    scores : dict of str to (corruptions, strengths) ndarray
        By candidate; column 0 is the untouched pictures; NaN where it failed.
    notes : tuple of str
        How they were made.
    """

    corruptions: tuple
    strengths: tuple
    scores: dict
    notes: tuple = ()

    def to_records(self):
        """A row for every score.

        Returns
        -------
        list of dict
            ``candidate``, ``corruption``, ``level`` (0 is untouched, 5 the strongest),
            ``strength`` in words and ``score``; None where it failed.

        Examples
        --------
        >>> scores = {"HOG": np.array([[0.75, 0.5]])}
        >>> row = Robustness(("blur",), (("untouched", "sigma 1 px"),), scores).to_records()[1]
        >>> list(row.values())
        ['HOG', 'blur', 1, 'sigma 1 px', 0.5]
        """
        return [
            {
                "candidate": name,
                "corruption": corruption,
                "level": level,
                "strength": strength,
                "score": _known(score),
            }
            for name, table in self.scores.items()
            for corruption, levels, row in zip(
                self.corruptions, self.strengths, table.tolist(), strict=True
            )
            for level, (strength, score) in enumerate(zip(levels, row, strict=True))
        ]


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """How true the explanations are, see `vision.comparison_faithfulness`.

    Parameters
    ----------
    rows : tuple of dict
        Of each candidate that can be explained one for its own method and one for each baseline,
        "random" and "centre": ``candidate`` and ``method``; ``deletion``, ``insertion``,
        ``average_drop``, ``increase`` and ``pointing`` as in `vision.faithfulness_table`;
        ``sanity``, the rank correlation with the maps of the same candidate after it had learned
        shuffled labels, None of baselines.
    notes : tuple of str
        How they were made.
    """

    rows: tuple
    notes: tuple = ()

    def to_records(self):
        """The `rows` as a list.

        Returns
        -------
        list of dict
        """
        return [dict(row) for row in self.rows]


def _known(score):
    return None if math.isnan(score) else score
