"""Candidates whose answers are known."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

import vision

SEEN = []  # (images that were learned from, images that were asked about), by `Recorder`


def numbered(count, side=8):
    """Pictures that carry their own number, and noise so that no two are alike."""
    images = np.random.default_rng(0).integers(0, 256, (count, side, side), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
    return images


def number_of(image):
    """The number that a picture carries."""
    return int(image[0, 0]) * 256 + int(image[0, 1])


class Recorder(ClassifierMixin, BaseEstimator):
    """Notes what it saw, and says what it is told to: ``answers[number of the picture]``."""

    def __init__(self, answers=None, crash_at=None):
        self.answers = answers
        self.crash_at = crash_at

    def fit(self, images, labels):
        self.classes_ = np.unique(labels)
        self.asked_ = []
        SEEN.append(([number_of(image) for image in images], self.asked_))
        if self.crash_at is not None and len(SEEN) > self.crash_at:
            raise RuntimeError("the disk of the stub is full")
        return self

    def predict(self, images):
        numbers = [number_of(image) for image in images]
        self.asked_ += numbers
        return np.array([self.answers[number % len(self.answers)] for number in numbers])


class Sure(Recorder):
    """With probabilities: `certainty` for its answer."""

    def __init__(self, answers=None, certainty=0.8):
        self.answers = answers
        self.certainty = certainty

    crash_at = None

    def predict_proba(self, images):
        said = self.predict(images)
        rest = (1 - self.certainty) / (len(self.classes_) - 1)
        table = np.full((len(said), len(self.classes_)), rest)
        table[np.arange(len(said)), np.searchsorted(self.classes_, said)] = self.certainty
        return table


class Learner(ClassifierMixin, BaseEstimator):
    """Right on a share of the pictures that grows with the logarithm of what it learned from.

    Which pictures it is right on is drawn once: the same at every size, a larger share with more.
    """

    def __init__(self, start=0.5, gain=0.1, truth=None):
        self.start = start
        self.gain = gain
        self.truth = truth

    def share(self, size):
        """The true share."""
        return np.clip(self.start + self.gain * np.log2(size), 0, 1)

    def fit(self, images, labels):
        self.classes_, self.size_ = np.unique(labels), len(images)
        return self

    def predict(self, images):
        numbers = np.array([number_of(image) for image in images])
        luck = np.random.default_rng(int(self.start * 1000)).random(70_000)[numbers]
        true = np.asarray(self.truth)[numbers]
        return np.where(luck < self.share(self.size_), true, 1 - true)


COUNT = 60
IMAGES = numbered(COUNT)
LABELS = np.arange(COUNT) % 3


def answers(wrong):
    """Right but for some pictures."""
    said = LABELS.copy()
    said[list(wrong)] = (said[list(wrong)] + 1) % 3
    return said


def compared(candidates, **options):
    """A comparison on the numbered pictures."""
    options = {"cv": 5, "progress": False} | options
    return vision.compare(candidates, IMAGES, LABELS, **options)
