"""Score-CAM: maps weighed by the score of the image seen through them, without gradients."""

import numpy as np

from deep.explain.base import CHUNK, ClassActivationMap, of_one_image, repeated
from vision.checks import check_integer
from vision.opencv import cv2


class ScoreCAM(ClassActivationMap):
    """Score-CAM.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
    channels : int or None, default=128
        How many maps are tried, those that vary most; None tries all, as the paper does. Each
        costs one pass through the network.
    **options
        See `deep.explain.base.Explainer`.

    References
    ----------
    H. Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural
    Networks", CVPR Workshops 2020, arXiv:1910.01279.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_scorecam(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    def __init__(self, classifier, *, channels=128, **options):
        super().__init__(classifier, **options)
        if channels is not None:
            check_integer("channels", channels, owner="ScoreCAM", at_least=1)
        self.channels = channels

    def heats(self, function, inputs, index, region):
        """See `Explainer.heats`."""
        found = function(inputs, index, region)
        heats = []
        for at in range(len(index)):
            own = [each[at : at + 1] for each in inputs]
            part = None if region is None else region[at : at + 1]
            maps = self._varied(found["maps"][at])
            scores = self._scores(function, own, found["chosen"][at], part, maps)
            heats.append(maps @ _softmax(scores))
        return np.stack(heats), found["chosen"]

    def _varied(self, maps):
        """The maps that vary most, (h, w, channels)."""
        count = self.channels or maps.shape[-1]
        order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:count]
        return maps[..., np.sort(order)]

    def _scores(self, function, inputs, chosen, region, maps):
        """The class's score of the image behind each map: equation 6, without the constant."""
        image = inputs[self.input]
        scores = []
        for at in range(0, maps.shape[-1], CHUNK):
            masks = _masks(maps[..., at : at + CHUNK], image.shape[1:3])
            given = repeated(inputs, self.input, image * masks[..., None])
            index = np.full(len(masks), chosen, np.int32)
            regions = None if region is None else np.repeat(region, len(masks), axis=0)
            scores.append(function(given, index, regions)["scores"])
        return np.concatenate(scores)


def _masks(maps, shape):
    """Maps enlarged to the image, each from 0 to 1: equations 4 and 5."""
    enlarged = [
        cv2.resize(np.ascontiguousarray(each), shape[::-1]) for each in np.moveaxis(maps, -1, 0)
    ]
    low = np.array([each.min() for each in enlarged])[:, None, None]
    span = np.array([np.ptp(each) for each in enlarged])[:, None, None]
    return (np.stack(enlarged) - low) / np.where(span > 0, span, 1)


def _softmax(scores):
    """Weights of the maps: algorithm 1; the score of the empty image falls out of it."""
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


explain_scorecam = of_one_image(ScoreCAM, "scorecam")
