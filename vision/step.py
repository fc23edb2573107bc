"""`Step`, a scikit-learn transformer of images with one method to write, and what is under it."""

import os
from collections.abc import Sized

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from vision.composition import Composable
from vision.errors import KindError
from vision.kinds import BLENDED, PARENT, SAME, Kind, check_input, check_of_values, has_pixels

_BATCH = "images must be a list of images, an array of them or vision.Images."


class ImageEstimator(Composable, BaseEstimator):
    """What works on one image at a time: its parameters, its checks, and calling it.

    `Step` transforms; an estimator that predicts derives from this class and from scikit-learn's
    mixin, such as ``ClassifierMixin``. A subclass declares `takes` and `gives`, writes an
    `__init__` that only stores, and `apply(image)`; `check_params()` and `prepare()` where there is
    something to check or to build.

    Attributes
    ----------
    takes : tuple of Kind
        What is accepted, the usual kind first.
    gives : Kind, SAME or BLENDED
        What comes out. Where it depends on more, `gives_for(kind)` is overridden.
    dtypes : tuple of str
        The dtypes of images that are taken; 8 bits unless it says more.
    example : dict
        Parameters of a working instance, for a class without an honest default.
    numbers_regions : bool or None
        Whether the labels that come out number regions, and mean nothing else; None: if those that
        came did.
    revision : int
        Raised when the result changes: runs that resume tell what another revision did.
    """

    takes = (Kind.RGB, Kind.GRAY)
    gives = SAME
    dtypes = ("uint8",)
    example = {}
    numbers_regions = False
    revision = 1
    _ready = (None,)  # a list where all is prepared: of the form of the last image that was let in
    _PREPARED = ("_ready", "_tables", "_accepted")

    def __getstate__(self):
        state = dict(super().__getstate__())
        for name in self._PREPARED:
            state.pop(name, None)
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def check_params(self):
        """Refuse parameters that make no sense, each by name."""

    def prepare(self):
        """What is built once from the parameters (kernels, tables): found in `self._tables`."""

    def apply(self, image):
        """The operation on one image that was checked."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(image).")

    def gives_for(self, kind):
        """The kind that comes out when `kind` goes in."""
        if self.gives == SAME:
            return kind
        if self.gives == BLENDED:
            return PARENT[Kind.MASK] if kind in PARENT else kind
        return self.gives

    def to_input(self, image):
        """The 3x3 matrix that takes the result's pixels (x, y) to those of `image`.

        None where the step leaves every pixel in its place.
        """

    def make_ready(self):
        """Check the parameters and build what depends on them, if either changed."""
        if "_ready" in self.__dict__:
            return
        for value in self.get_params(deep=False).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.check_params()
        self.__dict__["_tables"] = self.prepare()
        self.__dict__["_accepted"] = {}
        self.__dict__["_ready"] = [None]

    def __call__(self, image):
        """Apply the step to one image.

        Parameters
        ----------
        image : ndarray
            One image of a kind in `takes`, ``(H, W)`` or ``(H, W, 3)``; never modified.

        Returns
        -------
        ndarray or result
            Of the kind that the step gives.

        Raises
        ------
        ParameterError
            If a parameter makes no sense.
        KindError
            If `image` is a batch, or of a kind or dtype that the step does not take.
        ImageError
            If `image` has no pixels.
        """
        # A threshold takes 8 us: what has the form of the last good image is let in without a call.
        if type(image) is not np.ndarray or (image.dtype, image.shape) != self._ready[0]:
            self.make_ready()
            self.admit(image)
        return self.apply(image)

    def admit(self, image):
        """Refuse what the step does not take; what has the form of a good image passes at once.

        An override judges by dtype and shape alone: it is not asked about what passes.
        """
        if type(image) is np.ndarray:
            ready = self.__dict__.get("_ready")  # not one that other parameters bring meanwhile
            signature = image.dtype if image.ndim == 2 else (image.dtype, image.shape[2:])
            holds = self._accepted.get(signature)
            if holds is None or not holds(image):
                self._check_input(image)
                holds = self._accepted[signature] = check_of_values(image, self.takes)
            if holds is has_pixels and ready:
                ready[0] = image.dtype, image.shape
        elif isinstance(image, np.ndarray) or type(image) not in self._accepted:
            self._check_input(image)
            self._accepted[type(image)] = None  # of a result nothing but its class counts

    def _check_input(self, image):
        of_many = "transform" if hasattr(self, "transform") else "predict"
        check_input(image, self.takes, self.dtypes, type(self).__name__, of_many)


class Step(TransformerMixin, ImageEstimator):
    """One operation on one image, and with it on any number of images.

    Examples
    --------
    >>> class Darker(Step):
    ...     takes, gives = (Kind.GRAY,), Kind.GRAY
    ...     def __init__(self, by=2):
    ...         self.by = by
    ...     def apply(self, image):
    ...         return image // self.by
    >>> Darker(by=4)(np.full((1, 2), 200, np.uint8)).tolist()
    [[50, 50]]
    >>> [image.tolist() for image in Darker().transform([np.full((1, 1), 8, np.uint8)])]
    [[[4]]]
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def fit(self, images=None, truth=None):
        """Check the parameters; nothing is learned.

        Returns
        -------
        Step
            Itself.
        """
        self.make_ready()
        return self

    def __sklearn_is_fitted__(self):
        return True

    def set_output(self, *, transform=None):
        """Accepted as scikit-learn's transformers do, and ignored: images are no table."""
        return self

    def transform(self, images):
        """Apply the step to many images.

        Parameters
        ----------
        images : list, Images, (n, H, W, 3) or (n, H, W) ndarray
            The batch.

        Returns
        -------
        list, Images, or ndarray
            One result per image: lazy for `Images`; one array if `images` was one and all
            results are arrays of one shape and dtype.

        Raises
        ------
        KindError
            If `images` is one image.
        """
        return map_batch(self, images)


class FeatureStep(Step):
    """A step that gives a row of numbers: ``(d,)`` float32 for one image, ``(n, d)`` for many."""

    gives = Kind.FEATURES
    set_output = TransformerMixin.set_output

    def get_feature_names_out(self, input_features=None):
        """The names of the ``d`` features, in order.

        Returns
        -------
        ndarray of str
        """
        raise NotImplementedError(f"{type(self).__name__} must define get_feature_names_out().")

    def transform(self, images):
        """The features of many images.

        Returns
        -------
        ndarray
            ``(n, d)`` float32, one row an image.

        Raises
        ------
        KindError
            If `images` is one image.
        ImageError
            If the images give rows of different lengths.
        """
        return stack_rows(map_batch(self, images), type(self).__name__)


def stack_rows(rows, owner):
    """One ``(n, d)`` array of the rows; refused if their lengths differ."""
    from vision.errors import ImageError

    rows = list(rows)
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ImageError(
            f"{owner} gave rows of different lengths, from {lengths[0]} to {lengths[-1]}: "
            "its images have different sizes. Put Resize(64) in front."
        )
    return np.stack(rows) if rows else np.empty((0, 0), np.float32)


def map_batch(function, images):
    """Apply a function of one image to a batch, in the batch's own form."""
    if is_lazy(images):
        return images.map(function)
    results = [function(image) for image in as_batch(images)]
    if isinstance(images, np.ndarray) and images.dtype != object:
        return _stacked(results)
    return results


def is_lazy(images):
    """Whether the batch is an `Images`: pictures read on use."""
    return callable(getattr(images, "map", None)) and hasattr(images, "sources")


def as_batch(images):
    """The batch as something to iterate over; one image is refused.

    Parameters
    ----------
    images : list, Images, or ndarray
        The batch.

    Returns
    -------
    sequence
        `images` itself.

    Raises
    ------
    KindError
        If it is one image, a file or a list of files, or no collection of known length.
    """
    if isinstance(images, np.ndarray):
        return _as_array_batch(images)
    if isinstance(images, str | bytes | dict | set | frozenset) or not isinstance(images, Sized):
        _refuse_batch(images)
    first = next(iter(images), None) if isinstance(images, list | tuple) else None
    if isinstance(first, str | os.PathLike):
        raise KindError(
            f"{_BATCH} Got a list of {len(images)} files; vision.Images(paths) reads them, one at "
            "a time."
        )
    return images


def _as_array_batch(images):
    if images.ndim == 4 or (images.dtype == object and images.ndim == 1):
        return images
    if images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (3, 4)):
        other = f"{len(images)} gray images {images.shape[-1]} pixels wide are list(images)."
        if images.ndim == 2:
            other = "Rows of pixels are images.reshape(-1, H, W)."
        raise KindError(
            f"{_BATCH} Got one, of shape {images.shape}: for one image call the step or pipeline "
            f"itself, as in step(image). {other}"
        )
    if images.ndim != 3:
        files = "Files are read by vision.Images(list(paths))." if images.dtype.kind == "U" else ""
        raise KindError(f"{_BATCH} Got an array of shape {images.shape}. {files}".strip())
    return images


def _refuse_batch(images):
    from vision.conversions import to_batch, what_came

    raise KindError(f"{_BATCH} Got {what_came(images)}. {to_batch(images)}".strip())


def _stacked(results):
    first = results[0] if results else None
    if isinstance(first, np.ndarray) and all(
        isinstance(result, np.ndarray)
        and result.shape == first.shape
        and result.dtype == first.dtype
        for result in results
    ):
        return np.stack(results)
    return results
