"""`Explain`: explanations as a step, for runs over folders and for pipelines."""

from sklearn.base import clone

from vision.catalogue import check_method
from vision.checks import refuse
from vision.composition import Edits, chain
from vision.errors import KindError
from vision.explanation import AUTOMATIC, explain
from vision.flow import chain_kinds, is_stateless, name_of
from vision.kinds import Kind
from vision.plan import Plan
from vision.step import Step


class Explain(Step):
    """Which parts of each picture made a classifier say so, as a heat map: `vision.explain`.

    Parameters
    ----------
    estimator : estimator or pipeline
        A classifier or a regressor, fitted, or fitted by `fit`.
    target : str, int or None, default=None
        The class that is explained; None: in each picture the one that it names.
    method : str or None, default=None
        One of ``vision.catalogue.EXPLAINERS``; None or "auto": as for `vision.explain`.
    options : dict or None, default=None
        Of the method.

    Takes what the estimator takes. Gives a `Heatmap`, which ``vision.run(..., overlay=True)`` draws
    on the pictures.

    Raises
    ------
    ParameterError
        If `estimator` predicts nothing, `target` is none of its classes, or `method` has no such
        option.
    UnknownNameError
        If there is no such method.
    KindError
        If the image is of another kind or dtype.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from classical import RawPixels
    >>> dark, bright = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    >>> bright[4:] = 0
    >>> why = Explain(RawPixels(2) >> KNeighborsClassifier(1), method="occlusion")
    >>> why.fit([dark, bright], ["dark", "bright"])(bright).peak[1] < 4
    True
    """

    gives = Kind.HEATMAP
    _PREPARED = (*Step._PREPARED, "_compiled")

    def __init__(self, estimator, target=None, method=None, options=None):
        self.estimator = estimator
        self.target = target
        self.method = method
        self.options = options

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue, its classifier to be fitted."""
        from sklearn.neighbors import KNeighborsClassifier

        from vision.catalogue import make

        return cls(chain(make("Gray"), make("RawPixels"), KNeighborsClassifier(1)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = not is_stateless(self.estimator)
        return tags

    def __sklearn_is_fitted__(self):
        from sklearn.exceptions import NotFittedError

        try:
            Plan([self.estimator])
        except NotFittedError:
            return False
        return True

    def check_params(self):
        """See `Step.check_params`."""
        if not hasattr(self.estimator, "predict"):
            refuse("estimator", self.estimator, "a classifier or a pipeline that ends in one", self)
        if not isinstance(self.target, str | int | None):
            refuse("target", self.target, "text, a whole number or None", self)
        if not (self.method is None or self.method == AUTOMATIC):
            check_method(self.method, self)
        if not isinstance(self.options, dict | None):
            refuse("options", self.options, "a dictionary or None", self)

    @property
    def takes(self):
        """What the estimator takes."""
        kinds = chain_kinds([self.estimator])
        for given in kinds.values():
            if not given.fits((Kind.CLASS, Kind.VALUE)):
                raise KindError(
                    f"Explain needs a classifier, but {name_of(self.estimator)} gives "
                    f"{given.described}. End it with one, for example >> SVC()."
                )
        return tuple(kinds)

    def make_ready(self):
        """Check everything, if any step changed."""
        if self.__dict__.get("_compiled") != Edits.count:
            edits = Edits.count
            self.check_params()
            super().make_ready()
            _ = self.takes
            self.__dict__["_compiled"] = edits

    def fit(self, images, truth=None):
        """Train the estimator.

        Parameters
        ----------
        images : list, Images, or ndarray
            The images.
        truth : sequence
            What the estimator learns: a label an image.

        Returns
        -------
        Explain
            Itself.
        """
        self.check_params()
        self.estimator = clone(self.estimator).fit(images, truth)
        return self

    def apply(self, image):
        """See `Step.apply`."""
        options = self.options or {}
        return explain(self.estimator, image, self.target, self.method, **options)

    def __call__(self, image):
        self.make_ready()
        self.admit(image)
        return self.apply(image)


def explained(pipeline, method=None):
    """A pipeline that gives heat maps in place of the answers of another.

    Parameters
    ----------
    pipeline : Pipeline
        Ends in a classifier or a regressor, or in `Explain` already.
    method : str, optional
        As in `vision.explain`.

    Returns
    -------
    Pipeline

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from classical import HOG
    >>> [name for name, _ in explained(HOG() >> SVC()).steps]
    ['explain']
    """
    return chain(Explain(pipeline, method=method))
