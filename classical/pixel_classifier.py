"""Segmentation learned from examples: each pixel named by a classifier of what lies around it."""

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from classical.pixel_features import GROUPS, feature_blocks, feature_names
from vision.checks import check_choice, check_integer, check_number, check_random_state, refuse
from vision.errors import LoadError, ParameterError
from vision.kinds import Kind, check_input
from vision.step import Step, as_batch
from vision.truth import check_truth

_MODEL = "classifier.skops"


class PixelClassifier(Step):
    """Each pixel named by a classifier, trained on images with masks or label maps.

    Parameters
    ----------
    classifier : scikit-learn classifier or None, default=None
        Any; None: ``RandomForestClassifier(50, max_depth=12)`` with `random_state`.
        ``HistGradientBoostingClassifier()`` is often a little better.
    sigmas : sequence of float, default=(1, 2, 4, 8)
        The scales at which pixels are described, in pixels, above 0.
    features : sequence of str, default=("intensity", "gradient", "hessian", "structure")
        What describes a pixel at each scale, besides its own value: the blurred image; the length
        of its gradient; the eigenvalues of its second derivatives; those of the structure tensor;
        and "lines", how dark and how bright the best straight line through it is, for membranes,
        vessels and cracks. Of an rgb image, each channel by itself.
    n_samples : int, default=20_000
        How many pixels are learned from at most, as many of each image, drawn at random. The
        default forest learns from so many in a few seconds; five times as many took it seven
        times as long, and overlaps with the truth rose by 0.001, on membranes and on coins.
    random_state : int, default=0
        Seed of the draw, and of the default classifier, 0 to 2**32 - 1.

    `fit` learns from masks, then the step gives masks; or from label maps, then it gives labels.

    Takes an rgb image, ``(H, W, 3)``, or a gray one, ``(H, W)``, uint8; once fitted, only the kind
    that it was trained on. Gives a mask, ``(H, W)``, uint8, or labels, ``(H, W)``, int32.

    Attributes
    ----------
    classifier_ : scikit-learn classifier
        The fitted one.
    channels_ : int
        Of the images it was trained on, 1 or 3.
    gives_mask_ : bool
        Whether it was trained on masks.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, or the truth of `fit` does not fit its images.
    KindError
        If the image is of another kind or dtype.
    sklearn.exceptions.NotFittedError
        If it was not fitted.

    References
    ----------
    I. Arganda-Carreras et al., "Trainable Weka Segmentation: a machine learning tool for
    microscopy pixel classification", Bioinformatics 33(15), 2017,
    doi:10.1093/bioinformatics/btx180; S. Berg et al., "ilastik: interactive machine learning for
    (bio)image analysis", Nature Methods 16, 2019, doi:10.1038/s41592-019-0582-9.

    Examples
    --------
    >>> from skimage.data import coins
    >>> image = coins()
    >>> truth = np.where(image > 120, 255, 0).astype(np.uint8)
    >>> step = PixelClassifier(sigmas=(1, 3), n_samples=2000).fit([image[:150]], [truth[:150]])
    >>> found = step(image[150:])
    >>> bool((found == truth[150:]).mean() > 0.98)
    True
    """

    def __init__(
        self,
        classifier=None,
        sigmas=(1, 2, 4, 8),
        features=("intensity", "gradient", "hessian", "structure"),
        n_samples=20_000,
        random_state=0,
    ):
        self.classifier = classifier
        self.sigmas = sigmas
        self.features = features
        self.n_samples = n_samples
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "classifier_")

    @property
    def takes(self):
        """Color and gray images; once fitted, those that it was trained on."""
        both = Kind.RGB, Kind.GRAY
        return {1: both[1:], 3: both[:1]}.get(getattr(self, "channels_", None), both)

    @property
    def gives(self):
        """A mask or labels, by what it was trained on; before that nobody can know."""
        if not self.__sklearn_is_fitted__():
            return Kind.ANY
        return Kind.MASK if self.gives_mask_ else Kind.LABELS

    def check_params(self):
        """See `Step.check_params`."""
        if self.classifier is not None and not hasattr(self.classifier, "predict"):
            refuse("classifier", self.classifier, "None or a scikit-learn classifier", self)
        _check_sequence("sigmas", self.sigmas, "scales in pixels", self)
        for sigma in self.sigmas:
            check_number("sigmas", sigma, owner=self, above=0)
        _check_sequence("features", self.features, "names of features", self)
        for group in self.features:
            check_choice("features", group, tuple(GROUPS), owner=self)
        check_integer("n_samples", self.n_samples, owner=self, at_least=2)
        check_random_state("random_state", self.random_state, owner=self)

    def get_feature_names_out(self, input_features=None):
        """What describes each pixel, in the order in which the classifier gets it.

        Returns
        -------
        ndarray of str

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If it was not fitted.
        """
        self._check_fitted()
        return np.array(feature_names(self.sigmas, self.features, self.channels_), object)

    def fit(self, images, truth):
        """Learn from pixels of all images.

        Parameters
        ----------
        images : list, Images, or ndarray
            All rgb or all gray.
        truth : sequence of ndarray
            For each image its mask, ``(H, W)`` uint8 of 0 and 255, or its label map, ``(H, W)``
            int32; all of one kind. Pixels of a label below 0 are left out: nobody said what they
            are.

        Returns
        -------
        PixelClassifier
            Itself.

        Raises
        ------
        ParameterError
            If the truth is no such sequence, of another size than its image, or of one class only.
        """
        self.make_ready()
        images, kind = as_batch(images), _kind_of(truth)
        check_truth(truth, kind, len(images))
        random = np.random.default_rng(self.random_state)
        rows, names, channels = [], [], set()
        for index, image in enumerate(images):
            # Whatever kind it was trained on before.
            check_input(image, (Kind.RGB, Kind.GRAY), self.dtypes, "PixelClassifier")
            true = np.asarray(truth[index])
            _check_size(image, true, index)
            channels.add(1 if image.ndim == 2 else 3)
            chosen = _drawn(true, self.n_samples // len(images), random)
            rows.append(self._rows_of(image, chosen))
            names.append(true.ravel()[chosen])
        if len(channels) > 1:
            raise ParameterError("The images of PixelClassifier must be all rgb or all gray.")
        self._learn(np.concatenate(rows), np.concatenate(names))
        self.channels_, self.gives_mask_ = channels.pop(), kind is Kind.MASK
        return self

    def _learn(self, rows, names):
        found = np.unique(names).tolist()
        if len(found) < 2:
            raise ParameterError(
                f"The 'truth' of PixelClassifier must have pixels of two classes. Got {found} "
                "alone among those drawn; raise n_samples if another is rare."
            )
        self.classifier_ = self._unfitted().fit(rows, names)

    def _unfitted(self):
        if self.classifier is not None:
            return clone(self.classifier)
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(50, max_depth=12, random_state=self.random_state)

    def _rows_of(self, image, chosen):
        """The features of some pixels, given by their flat numbers, ascending: one row each."""
        width, parts = image.shape[1], []
        for top, block in feature_blocks(image, self.sigmas, self.features):
            first, last = np.searchsorted(chosen, [top * width, (top + block.shape[1]) * width])
            flat = block.reshape(len(block), -1)
            parts.append(flat[:, chosen[first:last] - top * width].T)
        return np.concatenate(parts)

    def apply(self, image):
        """See `Step.apply`."""
        found = self._predicted(image, self._check_fitted().predict)
        return found.astype(np.uint8 if self.gives_mask_ else np.int32)

    def probabilities(self, image):
        """How probable each class is at each pixel.

        Parameters
        ----------
        image : ndarray
            As the step takes it.

        Returns
        -------
        (H, W, n) ndarray of float32
            In the order of ``classifier_.classes_``; of masks the last is the foreground's.

        Raises
        ------
        AttributeError
            If the classifier gives no probabilities.
        """
        model = self._check_fitted()
        self.make_ready()
        self.admit(image)
        return self._predicted(image, model.predict_proba).astype(np.float32)

    def _predicted(self, image, predict):
        parts = []
        for _, block in feature_blocks(image, self.sigmas, self.features):
            rows = np.ascontiguousarray(block.reshape(len(block), -1).T)
            parts.append(predict(rows))
        found = np.concatenate(parts)
        return found.reshape(*image.shape[:2], *found.shape[1:])

    def _check_fitted(self):
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                "This PixelClassifier is not fitted yet. Call fit(images, masks) first, or "
                "vision.load one that was saved fitted."
            )
        return self.classifier_

    def archive_files(self):
        """What was learned, as bytes by file name: see `vision.save`.

        Returns
        -------
        dict of str to bytes

        Raises
        ------
        ParameterError
            If the classifier holds what may not be loaded again.
        """
        if not self.__sklearn_is_fitted__():
            return {}
        from vision.array_files import encode_npy
        from vision.skops_trust import dump_estimator

        learned = np.array([self.channels_, self.gives_mask_], np.int64)
        return {_MODEL: dump_estimator(self.classifier_), "learned.npy": encode_npy(learned)}

    def restore_files(self, files):
        """Take what `archive_files` gave: see `vision.load`.

        Parameters
        ----------
        files : dict of str to bytes

        Raises
        ------
        LoadError
            If they are not what this step would have saved.
        """
        from vision.array_files import decode_npy
        from vision.skops_trust import load_estimator
        from vision.text import describe

        if set(files) != {_MODEL, "learned.npy"}:
            raise LoadError(f"a PixelClassifier has {_MODEL} and learned.npy, not {sorted(files)}.")
        learned, model = decode_npy(files["learned.npy"], "learned.npy"), files[_MODEL]
        loaded = load_estimator(model, _MODEL)
        if learned.tolist() not in [[c, m] for c in (1, 3) for m in (0, 1)]:
            raise LoadError("learned.npy is refused: it holds neither channels nor a kind.")
        if describe(loaded) != describe(self._unfitted()):
            raise LoadError(f"{_MODEL} is refused: it is not the classifier that the text says.")
        self.classifier_ = loaded
        self.channels_, self.gives_mask_ = int(learned[0]), bool(learned[1])


def _check_sequence(name, value, what, owner):
    if not (isinstance(value, list | tuple | np.ndarray) and len(value)):
        refuse(name, value, f"a list of {what}, at least one", owner)


def _kind_of(truth):
    """What the truth is about: label maps are whole numbers with a sign, anything else masks."""
    first = truth[0] if isinstance(truth, list | tuple | np.ndarray) and len(truth) else None
    signed = isinstance(first, np.ndarray) and first.dtype.kind == "i"
    return Kind.LABELS if signed else Kind.MASK


def _check_size(image, true, index):
    if true.shape != image.shape[:2]:
        raise ParameterError(
            f"The 'truth' of PixelClassifier must have the size of its image, "
            f"{image.shape[:2]} at index {index}. Got the shape {true.shape}."
        )


def _drawn(true, count, random):
    """The flat numbers of so many pixels that have a name, ascending."""
    known = np.flatnonzero(np.asarray(true).ravel() >= 0)
    if len(known) > count:
        known = np.sort(random.choice(known, max(count, 1), replace=False))
    return known
