"""A class for one image, with what speaks for each."""

import numbers
from dataclasses import dataclass

import numpy as np

from vision.canvas import INK, PAPER, draw_text, font_size, shortened, text_mask
from vision.checks import check_choice, refuse
from vision.conversions import as_python
from vision.mapping import check_shape
from vision.result_base import Result

SCORE_KINDS = ("probability", "decision")
_SMALLEST_FONT, _SECOND_INK = 8, (190, 190, 190)


@dataclass(frozen=True, eq=False, repr=False)
class Classification(Result):
    """The class of one image.

    Parameters
    ----------
    label : str or int
        The class.
    scores : dict of label to float, or None
        What speaks for each class.
    score_kind : {"probability", "decision"} or None
        Probabilities lie in [0, 1]; decision values have no fixed range. None without scores.
    shape : tuple of int or None
        The (height, width) of the image, where it is known.

    Raises
    ------
    ParameterError
        If a label is neither text nor a whole number, `label` has no score, a score is not
        finite or no probability, or one of `scores` and `score_kind` is given without the other.

    Examples
    --------
    >>> found = Classification("cat", {"cat": 0.9, "dog": 0.1}, "probability")
    >>> found
    Classification('cat', probability 0.900; then 'dog', 0.100)
    >>> found.to_records()
    [{'label': 'cat', 'score': 0.9, 'score_kind': 'probability', 'runner_up': 'dog',
      'runner_up_score': 0.1}]
    """

    label: str | int
    scores: dict | None = None
    score_kind: str | None = None
    shape: tuple | None = None

    columns = ("label", "score", "score_kind", "runner_up", "runner_up_score")
    kind = "class"

    def __post_init__(self):
        self._hold(label=_label(self.label))
        if (self.scores is None) != (self.score_kind is None):
            refuse("score_kind", self.score_kind, "given with scores, and with them alone", self)
        if self.scores is not None:
            check_choice("score_kind", self.score_kind, SCORE_KINDS, owner=self)
            self._hold(scores=self._checked_scores())
        if self.shape is not None:
            self._hold(shape=check_shape("shape", self.shape, self))

    def _checked_scores(self):
        if not isinstance(self.scores, dict):
            refuse("scores", self.scores, "a dictionary of labels to numbers", self)
        scores = {_label(label): _score(value) for label, value in self.scores.items()}
        if self.label not in scores:
            refuse("scores", self.scores, f"scores that include that of {self.label!r}", self)
        outside = not all(0 <= score <= 1 for score in scores.values())
        if self.score_kind == "probability" and outside:
            refuse("scores", self.scores, "probabilities from 0 to 1", self)
        return scores

    @property
    def score(self):
        """What speaks for the class, or None."""
        return None if self.scores is None else self.scores[self.label]

    @property
    def runner_up(self):
        """The other class with the highest score, or None."""
        scores = self.scores or {}
        others = [label for label in scores if label != self.label]
        return max(others, key=scores.get, default=None)

    def __repr__(self):
        if self.scores is None:
            return f"Classification({self.label!r})"
        words = f"{self.label!r}, {self.score_kind} {self.score:.3f}"
        if self.runner_up is not None:
            words += f"; then {self.runner_up!r}, {self.scores[self.runner_up]:.3f}"
        return f"Classification({words})"

    def _rows(self):
        second = self.runner_up
        second_score = None if second is None else self.scores[second]
        yield self.label, self.score, self.score_kind, second, second_score

    def _paint(self, canvas):
        """A caption band along the lower edge: the class, and the runner-up in grey.

        Only probabilities are written behind them: a decision value says nothing without its
        scale, and one such as 0.87 would be taken for a probability.
        """
        height, width = canvas.shape[:2]
        said, second = self._captions()
        size = font_size(canvas.shape) * 5 // 4
        while size > _SMALLEST_FONT and text_mask(said, size).shape[1] > width:
            size -= 1
        said = shortened(said, size, width)
        rows, used = text_mask(said, size).shape
        band = canvas[max(0, height - rows) :]
        band[:] = (0.25 * band + 0.75 * np.array(INK)).round().astype(np.uint8)
        draw_text(canvas, said, 0, height - rows, size, color=PAPER)
        if used + text_mask(second, size).shape[1] <= width:
            draw_text(canvas, second, used, height - rows, size, color=_SECOND_INK)

    def _captions(self):
        named = [label for label in (self.label, self.runner_up) if label is not None]
        probable = self.score_kind == "probability"
        said = [f"{label} {self.scores[label]:.2f}" if probable else str(label) for label in named]
        return said[0], "".join(said[1:])

    def _canvas_shape(self):
        return self.shape or (120, 480)

    def _mapped(self, matrix, shape):
        return type(self)(self.label, self.scores, self.score_kind, shape)


def classify(estimator, rows):
    """What a fitted scikit-learn classifier says of each row.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict``; scores come from its ``predict_proba``, else from its
        ``decision_function``, else there are none.
    rows : array or sequence
        As the classifier takes them.

    Returns
    -------
    list of Classification
        The labels are those of ``predict``. With two classes and one decision value, it counts
        for the second class and, negated, for the first.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> model = GaussianNB().fit([[0.0], [1.0], [9.0], [10.0]], ["low", "low", "high", "high"])
    >>> [found.label for found in classify(model, [[0.2], [9.9]])]
    ['low', 'high']
    """
    labels = np.asarray(estimator.predict(rows)).tolist()
    kind, table = _score_table(estimator, rows)
    if kind is None:
        return [Classification(label) for label in labels]
    classes = np.asarray(estimator.classes_).tolist()
    return [
        Classification(label, dict(zip(classes, scores, strict=True)), kind)
        for label, scores in zip(labels, table.tolist(), strict=True)
    ]


def _score_table(estimator, rows):
    if hasattr(estimator, "predict_proba"):
        # Sums of shares exceed 1 by a rounding error.
        table = np.asarray(estimator.predict_proba(rows), np.float64)
        return "probability", np.where(np.abs(table - 0.5) <= 0.5 + 1e-6, table.clip(0, 1), table)
    if hasattr(estimator, "decision_function") and hasattr(estimator, "classes_"):
        table = np.asarray(estimator.decision_function(rows), np.float64)
        count = len(estimator.classes_)
        if table.ndim == 1:
            table = np.column_stack([-table, table])
        # A column a pair of classes (SVC, one against one) speaks for no single class.
        pairs = count > 2 and getattr(estimator, "decision_function_shape", None) == "ovo"
        return (None, None) if pairs or table.shape[1] != count else ("decision", table)
    return None, None


def _label(value):
    value = as_python(value)
    if isinstance(value, float) and value.is_integer():  # a column of a table with gaps
        return int(value)
    if not isinstance(value, str | numbers.Integral):
        refuse("label", value, "text or a whole number", "Classification")
    return value


def _score(value):
    good = isinstance(value, numbers.Real) and np.isfinite(value)
    if not good:
        refuse("scores", value, "finite numbers", "Classification")
    return float(value)
