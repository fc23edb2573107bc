"""What each feature of a picture contributes to the score of a class."""

import itertools

import numpy as np

from vision.composition import Composable, chain
from vision.errors import KindError
from vision.flow import name_of
from vision.plan import Plan
from vision.target_scores import TargetScores, flat_steps

_AT_ONCE = 256  # rows that the rest of a pipeline gets together


def feature_contributions(classifier, image, target=None):
    """What each feature of a picture contributes to the score of a class.

    That is by how much the score falls when this feature alone becomes 0: no such edge, colour or
    patch. Of a linear model, scaled or not, the contributions and the base sum to the score.

    Parameters
    ----------
    classifier : Pipeline
        Fitted: a step that makes features of a picture, then what makes a class or a value of
        them.
    image : ndarray
        What that step gets.
    target : str or int, optional
        The class; by default the one that the classifier names.

    Returns
    -------
    contributions : (d,) ndarray of float64
    base : float
        The score where all features are 0. Scores are the classifier's decision values, else its
        probabilities; of two classes with one decision value, it counts for the second and,
        negated, for the first; of a regressor the value.
    target : str, int or None
        The class; None of a regressor.

    Raises
    ------
    KindError
        If the classifier has no features of a picture, or gives no scores.
    ParameterError
        If `target` is none of its classes.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from classical import RawPixels
    >>> model = RawPixels(1) >> LinearRegression().fit([[0], [10]], [5, 25])
    >>> contributions, base, _ = feature_contributions(model, np.full((3, 3), 4, np.uint8))
    >>> contributions.round(6).tolist(), round(base, 6)
    ([8.0], 5.0)
    """
    head = Head(classifier, image, target)
    weights = head.weights()
    if weights is not None:
        return weights * head.row, head.base, head.target
    present = np.flatnonzero(head.row)
    contributions = np.zeros(len(head.row))
    rows = (replaced(head.row, place, 0) for place in present)
    contributions[present] = head.scores([head.row])[0] - head.scores(rows)
    return contributions, head.base, head.target


class Head:
    """What follows the features of a picture: scores of a class for rows of features.

    Parameters
    ----------
    classifier : Pipeline
        As for `feature_contributions`.
    image : ndarray
    target : str, int or None

    Attributes
    ----------
    row : (d,) ndarray of float64
        The features of the image.
    base : float
        The score where all features are 0.
    target : str, int or None
    """

    def __init__(self, classifier, image, target):
        features, *rest = flat_steps(classifier)
        if not rest or not isinstance(features, Composable):
            raise KindError(
                f"This explanation needs features of a picture and a classifier behind them, but "
                f"{name_of(classifier)} has none; method='occlusion' works without."
            )
        self.target = TargetScores(classifier, image, target).target
        self.row = np.asarray(chain(features).transform([image])[0], np.float64)
        self.middle, self.last = Plan(rest[:-1]), rest[-1]
        self.base = float(self.scores([np.zeros_like(self.row)])[0])

    def scores(self, rows):
        """The score of the target for each of many rows, taken in groups."""
        rows = iter(rows)
        found = []
        while group := list(itertools.islice(rows, _AT_ONCE)):
            found.append(self._scores(np.stack(self.middle.run_many(group))))
        return np.concatenate(found) if found else np.empty(0)

    def weights(self):
        """What one unit of each feature adds to the score, or None where the score is not linear.

        Returns
        -------
        (d,) ndarray of float64, or None
        """
        found = self._coefficients()
        for step in reversed(self.middle.steps):
            found = None if found is None else _pulled_back(step, found)
        if found is None or not self._holds(found):
            return None
        return found

    def _coefficients(self):
        table = getattr(self.last, "coef_", None)
        if table is None or hasattr(table, "toarray"):
            return None
        table = np.atleast_2d(np.asarray(table, np.float64))
        place = 0 if self.target is None else self.last.classes_.tolist().index(self.target)
        if len(table) == 1:
            return table[0] if place or self.target is None else -table[0]
        return table[place]

    def _holds(self, weights):
        """Whether the scores are what the weights say: some have `coef_` for something else."""
        if weights.shape != self.row.shape:
            return False
        rows = [self.row, self.row / 2]
        expected = [self.base + weights @ row for row in rows]
        # scikit-learn computes in float32 what was fitted so.
        slack = 1e-4 * (np.abs(weights * self.row).sum() + abs(self.base))
        return bool(np.abs(self.scores(rows) - expected).max() <= slack)

    def _scores(self, rows):
        if self.target is None:
            return np.asarray(self.last.predict(rows), np.float64)
        place = self.last.classes_.tolist().index(self.target)
        if not hasattr(self.last, "decision_function"):
            return np.asarray(self.last.predict_proba(rows), np.float64)[:, place]
        decisions = np.asarray(self.last.decision_function(rows), np.float64)
        if decisions.ndim == 1:
            return decisions if place else -decisions
        return decisions[:, place]


def _pulled_back(step, weights):
    """Weights of what a linear transformer gives as weights of what it takes; None of others."""
    name = type(step).__name__
    if name in ("StandardScaler", "RobustScaler", "MaxAbsScaler"):
        return weights if step.scale_ is None else weights / step.scale_
    if name == "MinMaxScaler":
        return weights * step.scale_
    if name == "PCA":
        weights = weights / np.sqrt(step.explained_variance_) if step.whiten else weights
        return weights @ step.components_
    if hasattr(step, "get_support"):
        return step.inverse_transform(weights[None])[0]
    return None


def replaced(row, place, value):
    """A copy of a row with one number replaced."""
    changed = row.copy()
    changed[place] = value
    return changed


def first_step(classifier, name, method):
    """The step that makes the features, a `KindError` if it is of another class than `name`."""
    step = flat_steps(classifier)[0]
    if type(step).__name__ != name:
        raise KindError(
            f"The method {method!r} explains what follows {name}, but gets {name_of(step)}. "
            "method='occlusion' explains anything."
        )
    return step
