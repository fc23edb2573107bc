"""What a fitted classifier says of one class, image by image: what an explanation explains."""

import numpy as np
import sklearn.pipeline

from vision.checks import refuse
from vision.classification import Classification
from vision.conversions import as_python
from vision.errors import ImageError, KindError
from vision.flow import core_of, name_of
from vision.nearest import did_you_mean
from vision.plan import Plan, passes_through

AT_ONCE = 32  # images that pass a classifier together


class TargetScores:
    """A classifier's score of one class; of a regressor the value itself.

    Parameters
    ----------
    classifier : pipeline, step, scikit-learn estimator or keras.Model
        Fitted. It gives a `Classification` with scores, or a value. The classes of a bare model
        are 0, 1, ..., its outputs; with one output 0 and 1, the output being the score of 1.
    image : ndarray
        The image whose winning class is meant where `target` is None.
    target : str or int, optional
        The class.

    Attributes
    ----------
    target : str, int or None
        The class; None of a regressor.
    score_kind : str
        "probability", "decision" or "value".

    Raises
    ------
    KindError
        If the classifier gives no scores.
    ParameterError
        If `target` is none of its classes.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from classical import RawPixels
    >>> dark, bright = np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)
    >>> pipeline = RawPixels(2) >> GaussianNB()
    >>> pipeline.fit([dark, dark + 9, bright, bright - 9], ["dark", "dark", "bright", "bright"])
    Pipeline(steps=[('rawpixels', RawPixels(size=2)), ('gaussiannb', GaussianNB())])
    >>> scores = TargetScores(pipeline, bright)
    >>> scores.target, scores([dark, bright]).tolist()
    ('bright', [0.0, 1.0])
    """

    def __init__(self, classifier, image, target=None):
        self.owner = name_of(classifier)
        network = is_network(classifier)
        # Flat, so that all images pass every step together.
        runner = BareNetwork(classifier) if network else Plan(flat_steps(classifier))
        self._run_many = runner.run_many
        said = self._said([image])[0]
        self.score_kind, self.target = "value", None
        if isinstance(said, Classification):
            self.score_kind = said.score_kind
            self.target = self._checked(said, target)
        elif target is not None:
            refuse("target", target, f"None: {self.owner} gives a value, no class", "explain")

    def __call__(self, images):
        """The scores of the target.

        Parameters
        ----------
        images : iterable of ndarray
            Taken in groups of at most `AT_ONCE`.

        Returns
        -------
        scores : (n,) ndarray of float64
        """
        scores, group = [], []
        for image in images:
            group.append(image)
            if len(group) == AT_ONCE:
                scores += self._scores(group)
                group = []
        return np.array(scores + (self._scores(group) if group else []), np.float64)

    def _scores(self, images):
        said = self._said(images)
        return [one if self.target is None else one.scores[self.target] for one in said]

    def _said(self, images):
        said = self._run_many(images)
        first = said[0]
        if isinstance(first, Classification):
            if first.scores is None:
                hint = "CalibratedClassifierCV around it gives probabilities."
                raise KindError(f"explain needs scores, but {self.owner} gives none. {hint}")
        elif not np.isscalar(first):
            came = type(first).__name__
            raise KindError(
                f"explain asks a classifier or a regressor, but {self.owner} gives {came}."
            )
        return said

    def _checked(self, said, target):
        if target is None:
            return said.label
        target = as_python(target)
        known = list(said.scores)
        if target not in known:
            shown = ", ".join(map(repr, known[:10])) + ", ..." * (len(known) > 10)
            hint = did_you_mean(target, known) if isinstance(target, str) else ""
            refuse("target", target, f"one of the classes: {shown}", "explain", hint)
        return target


def flat_steps(estimator):
    """The steps that do the work, those of pipelines and the winners of searches among them.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from classical import Canny, Gray
    >>> flat_steps(Gray() >> FrozenEstimator(Canny()))
    [Gray(), Canny()]
    """
    core = core_of(estimator)
    if not isinstance(core, sklearn.pipeline.Pipeline):
        return [core]
    parts = [step for _, step in core.steps if not passes_through(step)]
    return [step for part in parts for step in flat_steps(part)]


def is_network(estimator):
    """Whether it is a keras.Model; Keras is not loaded to tell.

    Examples
    --------
    >>> is_network(object())
    False
    """
    lineage = [f"{cls.__module__}.{cls.__name__}" for cls in type(estimator).__mro__]
    return any(name.startswith("keras.") and name.endswith(".Model") for name in lineage)


class BareNetwork:
    """A keras.Model as something that says of images what a classifier would.

    Parameters
    ----------
    model : keras.Model
        Takes a batch of float32 pictures, gives one row an image; of several outputs the first
        counts.
    """

    def __init__(self, model):
        self.model = model

    def run_many(self, images):
        """A `Classification` an image."""
        batch = np.stack([image[..., None] if image.ndim == 2 else image for image in images])
        outputs = self.model(batch.astype(np.float32), training=False)
        outputs = outputs[0] if isinstance(outputs, list | tuple) else outputs
        table = np.asarray(outputs, np.float64)
        if table.ndim != 2:
            raise KindError(
                f"explain needs a network that gives one row an image. This gives {table.shape}."
            )
        if not np.isfinite(table).all():
            raise ImageError("The network gives NaN or infinity for this image.")
        return [_classified(row) for row in table]


def _classified(row):
    # Within a rounding error of [0, 1], numbers that sum to 1 are probabilities.
    clipped = row.clip(0, 1)
    probable = np.abs(row - clipped).max() <= 1e-6
    if len(row) == 1:
        row = np.array([1 - row[0], row[0]]) if probable else np.array([-row[0], row[0]])
        probable = probable and row.min() >= 0
    probable = bool(probable and abs(row.sum() - 1) <= 1e-3)
    scores = row.clip(0, 1) if probable else row
    kind = "probability" if probable else "decision"
    return Classification(int(row.argmax()), dict(enumerate(scores.tolist())), kind)
