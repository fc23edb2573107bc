"""What a comparison found: `Comparison`, its candidates, and how it goes on from there."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vision.checks import check_choice, check_integer, refuse
from vision.comparison_extras import Faithfulness, LearningCurves, Robustness
from vision.errors import MissingDependencyError

SUFFIXES = (".html", ".csv", ".json")
COSTS = {
    "latency": lambda one: one.latency.one_ms,
    "size": lambda one: one.size_bytes,
    "fit": lambda one: float(np.median(one.fit_seconds)),
    "memory": lambda one: one.memory_bytes,
}


@dataclass(frozen=True)
class Measure:
    """How a metric is read.

    Parameters
    ----------
    name : str
        The field's name for it, such as "accuracy".
    words : str
        What it says, in one sentence.
    higher : bool, default=True
        Whether more is better.
    unit : str, default=""
        "points" for a share, shown in percent; "dB"; empty for a plain number.
    bounds : (float, float), default=(-inf, inf)
        Between which it always lies.
    """

    name: str
    words: str
    higher: bool = True
    unit: str = ""
    bounds: tuple = (-np.inf, np.inf)

    @property
    def percent(self):
        """Whether it is shown in percent."""
        return self.unit == "points"


@dataclass(frozen=True)
class Latency:
    """How long one picture takes to predict, in milliseconds.

    Parameters
    ----------
    one_ms, one_p95_ms : float
        Median and 95th percentile, the pictures given one by one.
    batch_ms : float
        Median for each picture, given `batch_size` at once.
    batch_size : int
    """

    one_ms: float
    one_p95_ms: float
    batch_ms: float
    batch_size: int


@dataclass(frozen=True, eq=False)
class Candidate:
    """One method of a comparison: how good it is and what it costs.

    Parameters
    ----------
    name : str
    family : {"classical", "deep", "mixed"}
        "mixed" where a network's features meet a classical classifier, or both are in it.
    text : str
        The pipeline as text, as `vision.to_text` gives it; its ``repr`` where it has none.
    error : str or None
        Why it failed; then there is no measure: `scores` is empty, `per_image` None.
    scores : dict of str to Estimate
        Each metric of the task with its interval, over all images, each predicted by a model that
        never saw it.
    per_image : (n,) ndarray of float64 or None
        The main metric of each image; NaN where it was never held out.
    predictions : list
        What was said of each image, labels of a classification; None where it was never held out.
    probabilities : (n, k) ndarray or None
        In the order of the comparison's `classes`.
    per_class : dict of class to dict of str to float
        Metrics of each class.
    fold_scores : tuple of float
        The main metric of each fold.
    fit_seconds : tuple of float
        Of each fold.
    latency : Latency or None
    memory_bytes : int or None
        The most memory that fitting and predicting took on top of what was in use before; see
        `vision.comparison_costs`.
    parameters : int or None
        Learned numbers.
    size_bytes : int or None
        Of the fitted pipeline's archive.
    notes : tuple of str
        What else is to be known.
    fitted : sequence
        The fitted pipeline of each fold, the one that never saw that fold's images.
    """

    name: str
    family: str
    text: str
    error: str | None = None
    scores: dict = field(default_factory=dict)
    per_image: np.ndarray | None = None
    predictions: object = None
    probabilities: np.ndarray | None = None
    per_class: dict = field(default_factory=dict)
    fold_scores: tuple = ()
    fit_seconds: tuple = ()
    latency: Latency | None = None
    memory_bytes: int | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    notes: tuple = ()
    fitted: object = ()

    @property
    def failed(self):
        """Whether it has an error instead of measures."""
        return self.error is not None


@dataclass(frozen=True, eq=False)
class Pair:
    """Two candidates against each other, on the same images.

    Parameters
    ----------
    first, second : str
        Names.
    test : PairedTest
        Its `difference` is first minus second in the main metric.
    p_adjusted : float
        After Holm's correction over all pairs of the comparison.
    only_first, only_second : (k,) ndarray of int
        Images on which only the one is right; where results are graded, the images on which it is
        better, the clearest first.
    words : str
        What that says.
    """

    first: str
    second: str
    test: object
    p_adjusted: float
    only_first: np.ndarray
    only_second: np.ndarray
    words: str


@dataclass(frozen=True)
class Duplicate:
    """Two pictures of the data that are the same, or nearly.

    Parameters
    ----------
    first, second : int
        Their places, `first` the lower.
    distance : float
        0 for equal pictures; see `vision.near_duplicates`.
    exact : bool
        Whether every pixel is equal.
    across : bool
        Whether a model learned from the one and was tested on the other.
    """

    first: int
    second: int
    distance: float
    exact: bool
    across: bool


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods side by side: the same data, folds and metric.

    Made by `vision.compare`; shows itself in a notebook.

    Parameters
    ----------
    task : str
        "classification", "segmentation", "instances", "edges", "restoration" or another of
        `vision.comparison_tasks`.
    metric : str
        The main one.
    measures : dict of str to Measure
        Every metric of the task, the main one first.
    classes : (k,) ndarray or None
        Of a classification.
    names : list of str
        Of the images.
    truth : sequence
        One entry an image, as it was given: of a classification the labels themselves.
    folds : (n,) ndarray of int
        In which fold each image was held out; -1 for never.
    candidates : tuple of Candidate
        In the order given.
    pairs : tuple of Pair
        Every two that finished.
    duplicates : tuple of Duplicate
    curves : LearningCurves or None
    robustness : Robustness or None
    faithfulness : Faithfulness or None
    provenance : dict
        ``command``, ``versions``, ``machine``, ``seed``, ``started`` (seconds since 1970),
        ``seconds``, ``budget`` (words), ``threads``, ``notes``.
    images : sequence
        The pictures, for views and explanations.
    """

    task: str
    metric: str
    measures: dict
    classes: np.ndarray | None
    names: list
    truth: object
    folds: np.ndarray
    candidates: tuple
    pairs: tuple = ()
    duplicates: tuple = ()
    curves: LearningCurves | None = None
    robustness: Robustness | None = None
    faithfulness: Faithfulness | None = None
    provenance: dict = field(default_factory=dict)
    images: object = None

    def __getitem__(self, name):
        """The candidate of that name."""
        names = [one.name for one in self.candidates]
        check_choice("name", name, names, owner=self)
        return self.candidates[names.index(name)]

    def __repr__(self):
        best = self.ranking()[:1]
        told = f", best {best[0]!r}" if best else ""
        failed = sum(candidate.failed for candidate in self.candidates)
        told += f", {failed} failed" if failed else ""
        return f"Comparison({self.task}, {len(self.candidates)} candidates{told})"

    def model(self, name, fold):
        """The fitted pipeline of a candidate that never saw the images of a fold.

        Parameters
        ----------
        name : str
            Of the candidate.
        fold : int
            As in `folds`.

        Returns
        -------
        estimator

        Raises
        ------
        ParameterError
            If there is no such fold, or no model of it: the candidate failed, or what it learned
            was not kept.
        """
        owner, last = "Comparison.model", int(self.folds.max())
        check_integer("fold", fold, owner=owner, at_least=0, at_most=last)
        one = self[name]
        if fold >= len(one.fitted):
            gone = f"failed: {one.error}" if one.failed else "is here without what it learned"
            hint = "compare(..., folder=...) keeps what no error ended."
            refuse("name", name, f"a candidate that was kept; {name!r} {gone}", owner, hint)
        return one.fitted[fold]

    def ranking(self):
        """The candidates that finished, the best first by the main metric.

        Returns
        -------
        list of str
        """
        sign = -1 if self.measures[self.metric].higher else 1
        done = [one for one in self.candidates if not one.failed]
        done.sort(key=lambda one: sign * one.scores[self.metric].value)
        return [one.name for one in done]

    def pareto(self, cost="latency"):
        """The candidates that no other one beats both in the main metric and in cost.

        Parameters
        ----------
        cost : {"latency", "size", "fit", "memory"}, default="latency"
            Milliseconds for one image, bytes of the archive, seconds to fit, bytes of memory.

        Returns
        -------
        list of str
            The cheapest first; where two are equal in both, both. Candidates whose cost is not
            known are left out.

        Raises
        ------
        ParameterError
            If `cost` is another.
        """
        check_choice("cost", cost, tuple(COSTS), owner="Comparison.pareto")
        sign = 1 if self.measures[self.metric].higher else -1
        points = [
            (COSTS[cost](one), sign * one.scores[self.metric].value, one.name)
            for one in self.candidates
            if not one.failed and _known(cost, one)
        ]
        front = [point for point in points if not any(_beats(other, point) for other in points)]
        return [name for _, _, name in sorted(front, key=lambda point: point[:2])]

    def to_records(self):
        """A row a candidate, in the order given, of plain values.

        Returns
        -------
        list of dict
            ``name``, ``family``, each metric with its ``_low`` and ``_high``, the costs, and
            ``error``; None where not known.
        """
        from vision.comparison_records import records

        return records(self)

    def table(self):
        """The rows of `to_records` as a table.

        Returns
        -------
        pandas.DataFrame
            Indexed by name.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed; `to_records` and ``save("table.csv")`` do without it.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingDependencyError(
                "Comparison.table gives a DataFrame and needs pandas: pip install pandas. "
                "to_records() gives the same rows as dictionaries, save('table.csv') as a file."
            ) from error
        return pandas.DataFrame(self.to_records()).set_index("name")

    def figure(self, name):
        """One figure of the report.

        Parameters
        ----------
        name : str
            See `vision.comparison_figures`.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from vision.comparison_figures import figure

        return figure(self, name)

    def save(self, path):
        """Write it to a file, atomically.

        Parameters
        ----------
        path : str or path-like
            ``.html`` is the report, one page that needs no other file; ``.csv`` the table;
            ``.json`` everything that is numbers and text, image by image.

        Raises
        ------
        ParameterError
            If the suffix is another.
        WriteError
            If the file cannot be written.
        """
        suffix = Path(path).suffix.lower()
        if suffix == ".html":
            from vision.comparison_report import write_comparison

            write_comparison(self, path)
        elif suffix in SUFFIXES:
            from vision import comparison_records

            comparison_records.write(self, path)
        else:
            refuse("path", str(path), "a file that ends in .html, .csv or .json", self)

    def _repr_html_(self):
        from vision.comparison_report import summary_html

        return summary_html(self)


def _known(cost, candidate):
    if cost == "latency":
        return candidate.latency is not None
    return bool(candidate.fit_seconds) if cost == "fit" else COSTS[cost](candidate) is not None


def _beats(other, point):
    """Whether `other` is as good in both and better in one."""
    return other[0] <= point[0] and other[1] >= point[1] and other[:2] != point[:2]
