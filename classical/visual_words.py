"""A bag of visual words: how often each kind of local patch, learned from images, occurs."""

import functools

import numpy as np
from sklearn.exceptions import NotFittedError

from classical.keypoints import SIFT
from vision.checks import check_integer, check_random_state, refuse
from vision.composition import Composable
from vision.errors import ParameterError
from vision.flow import chain_kinds
from vision.kinds import Kind
from vision.step import FeatureStep, as_batch

_BATCH = 4096  # descriptors that K-means sees at once


class BagOfVisualWords(FeatureStep):
    """How often each kind of local patch occurs, the kinds being learned: what a picture shows.

    Parameters
    ----------
    detector : step, pipeline or None, default=None
        Finds and describes keypoints in a gray image, such as `ORB`; None: ``SIFT()``.
    n_words : int, default=100
        Kinds of patches, at least 1: cluster centres of descriptors.
    max_descriptors : int, default=100_000
        Learned from at most, about as many of each image, drawn at random; at least 1.
    random_state : int, default=0
        Seed of the draw and of the clusters, 0 to 2**32 - 1.

    `fit` needs images alone. Descriptors in bits, such as those of ORB, are taken as rows of zeros
    and ones.

    Takes a gray image, ``(H, W)``, uint8. Gives features, ``(n_words,)`` float32: shares of the
    image's keypoints, which sum to 1, named ``word_<number>``; all 0 where it has none.

    Attributes
    ----------
    words_ : (n_words, d) ndarray of float32
        The mean descriptor of each word.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, or the images of `fit` have fewer keypoints than words.
    KindError
        If the image is of another kind or dtype.
    sklearn.exceptions.NotFittedError
        If it was not fitted.

    References
    ----------
    G. Csurka, C. Dance, L. Fan, J. Willamowski and C. Bray, "Visual categorization with bags of
    keypoints", ECCV workshop on statistical learning in computer vision, 2004; J. Sivic and
    A. Zisserman, "Video Google", ICCV 2003, doi:10.1109/ICCV.2003.1238663.

    Examples
    --------
    >>> from skimage import data
    >>> bag = BagOfVisualWords(n_words=10).fit([data.camera()[::2, ::2], data.coins()])
    >>> row = bag(data.coins())
    >>> row.shape, round(float(row.sum()), 5)
    ((10,), 1.0)
    """

    takes = (Kind.GRAY,)
    example = {"n_words": 8}  # small pictures have few keypoints

    def __init__(self, detector=None, n_words=100, max_descriptors=100_000, random_state=0):
        self.detector = detector
        self.n_words = n_words
        self.max_descriptors = max_descriptors
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "words_")

    def check_params(self):
        """See `Step.check_params`."""
        if self.detector is not None and not _describes_gray(self.detector):
            allowed = "a step or pipeline that finds keypoints in a gray image, or None"
            refuse("detector", self.detector, allowed, self)
        check_integer("n_words", self.n_words, owner=self, at_least=1)
        check_integer("max_descriptors", self.max_descriptors, owner=self, at_least=1)
        check_random_state("random_state", self.random_state, owner=self)

    def get_feature_names_out(self, input_features=None):
        """See `FeatureStep.get_feature_names_out`."""
        self.make_ready()
        return np.array([f"word_{number}" for number in range(self.n_words)], object)

    def fit(self, images, truth=None):
        """Learn the words from the descriptors of all images.

        Parameters
        ----------
        images : list, Images, or ndarray
            Gray.
        truth : object, optional
            Not looked at.

        Returns
        -------
        BagOfVisualWords
            Itself.
        """
        from sklearn.cluster import MiniBatchKMeans
        from threadpoolctl import threadpool_limits

        self.make_ready()
        rows = self._sampled(as_batch(images))
        if len(rows) < self.n_words:
            raise ParameterError(
                f"The 'n_words' of BagOfVisualWords must be at most the number of keypoints that "
                f"it learns from. Got n_words={self.n_words} and {len(rows)} keypoints: lower "
                "n_words, or give more or larger images."
            )
        clusters = MiniBatchKMeans(
            self.n_words, batch_size=_BATCH, n_init=3, random_state=int(self.random_state)
        )
        with threadpool_limits(1):  # its batches are small: threads wait for each other longer
            self.words_ = clusters.fit(rows).cluster_centers_.astype(np.float32)
        return self

    def _sampled(self, images):
        """About as many descriptors of each image, `max_descriptors` in all."""
        random = np.random.default_rng(self.random_state)
        most = max(1, self.max_descriptors // max(1, len(images)))
        tables = []
        for image in images:
            self.admit(image)
            rows = self._described(image)
            if len(rows) > most:
                rows = rows[np.sort(random.choice(len(rows), most, replace=False))]
            tables.append(rows)
        full = [rows for rows in tables if len(rows)]
        return np.concatenate(full)[: self.max_descriptors] if full else np.empty((0, 1))

    def _described(self, image):
        return _as_floats(self._found(image).descriptors)

    def _found(self, image):
        found = (_sift() if self.detector is None else self.detector)(image)
        if found.descriptors is None:
            hint = "ORB() and SIFT() describe what they find."
            refuse("detector", self.detector, "one that gives descriptors", self, hint)
        return found

    def apply(self, image):
        """See `Step.apply`."""
        _, numbers = self.words_of(image)
        counts = np.bincount(numbers, minlength=len(self.words_))
        return (counts / max(1, len(numbers))).astype(np.float32)

    def words_of(self, image):
        """The keypoints of an image, and which word each of them is.

        Parameters
        ----------
        image : (H, W) ndarray of uint8

        Returns
        -------
        keypoints : Keypoints
        numbers : (n,) ndarray of intp
        """
        if not hasattr(self, "words_"):
            raise NotFittedError("BagOfVisualWords is not fitted yet: call fit(images) first.")
        found, words = self._found(image), self.words_
        # The squared distance without the part that is the same for all words.
        rows = _as_floats(found.descriptors)
        return found, (np.einsum("wd,wd->w", words, words) - 2 * (rows @ words.T)).argmin(axis=1)


@functools.cache
def _sift():
    """What finds keypoints by default: made once, for a new step anywhere has all checked again."""
    return SIFT()


def _as_floats(rows):
    return np.unpackbits(rows, axis=1).astype(np.float32) if rows.dtype == np.uint8 else rows


def _describes_gray(detector):
    if not isinstance(detector, Composable):
        return False
    made = chain_kinds([detector])
    return any(Kind.GRAY.fits((kind,)) and made[kind].fits((Kind.KEYPOINTS,)) for kind in made)
