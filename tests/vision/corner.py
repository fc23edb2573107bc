"""Classifiers whose answer is known: they look at one part of the picture alone."""

import numpy as np
from sklearn.base import ClassifierMixin

from vision import Classification
from vision.kinds import Kind
from vision.step import ImageEstimator


class Corner(ClassifierMixin, ImageEstimator):
    """The probability of "bright" is the mean level of the upper left quarter of each side."""

    takes = (Kind.RGB, Kind.GRAY)
    gives = Kind.CLASS

    def __init__(self, share=4):
        self.share = share
        self.classes_ = np.array(["bright", "dark"])
        self.batches = []

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, images=None, labels=None):
        return self

    def predict(self, images):
        return np.array([self.apply(image).label for image in images])

    def apply_many(self, images):
        self.batches.append(len(images))
        return [self.apply(image) for image in images]

    def apply(self, image):
        height, width = image.shape[0] // self.share, image.shape[1] // self.share
        bright = float(image[:height, :width].mean() / 255)
        label = "bright" if bright >= 0.5 else "dark"
        return Classification(label, {"bright": bright, "dark": 1 - bright}, "probability")
