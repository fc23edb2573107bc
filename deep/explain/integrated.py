"""Integrated gradients: what each pixel adds on the way from a baseline to the image."""

import numbers

import numpy as np

from deep.explain.base import CHUNK, Explainer, of_one_image, repeated
from vision.checks import check_integer, refuse


class IntegratedGradients(Explainer):
    """Integrated gradients; signed.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
    steps : int, default=64
        Points on the way.
    baseline : float or ndarray, default=0
        The image that stands for nothing: a level, or an image of the same shape. Black pixels
        have no part in the default's map.
    **options
        See `deep.explain.base.Explainer`; a `layer` means nothing here.

    References
    ----------
    M. Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017,
    arXiv:1703.01365.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_integrated(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    what, signed = "pixels", True

    def __init__(self, classifier, *, steps=64, baseline=0, **options):
        super().__init__(classifier, **options)
        check_integer("steps", steps, owner="IntegratedGradients", at_least=1)
        if not isinstance(baseline, numbers.Real | np.ndarray):
            refuse("baseline", baseline, "a level or an image", "IntegratedGradients")
        self.steps, self.baseline = steps, baseline

    def heats(self, function, inputs, index, region):
        """See `Explainer.heats`; the sum over a pixel's channels."""
        found = self.attributions(function, inputs, index, region)
        return found[0].sum(axis=-1), found[1]

    def attributions(self, function, inputs, index, region=None):
        """What each value of each image adds to the score, (n, H, W, C), and the classes.

        They sum up to the score of the image less that of the baseline (completeness,
        proposition 1), up to the error of the sum over steps.
        """
        chosen = np.where(index < 0, function(inputs, index, region)["chosen"], index)
        made = []
        for at in range(len(index)):
            own = [each[at : at + 1] for each in inputs]
            part = None if region is None else region[at : at + 1]
            made.append(self._attribution(function, own, int(chosen[at]), part))
        return np.stack(made), chosen

    def _attribution(self, function, inputs, chosen, region):
        image = inputs[self.input]
        start = np.broadcast_to(np.asarray(self.baseline, np.float32), image.shape[1:])
        way = image[0] - start
        total = np.zeros(image.shape[1:], np.float64)
        # Midpoints: an error of second order, where equation 3 takes right ends.
        shares = ((np.arange(self.steps) + 0.5) / self.steps).astype(np.float32)
        for at in range(0, self.steps, CHUNK):
            points = start + shares[at : at + CHUNK, None, None, None] * way
            index = np.full(len(points), chosen, np.int32)
            regions = None if region is None else np.repeat(region, len(points), axis=0)
            given = repeated(inputs, self.input, points)
            total += function(given, index, regions)["gradients"].sum(axis=0)
        return (way * total / self.steps).astype(np.float32)  # equation 3


explain_integrated = of_one_image(IntegratedGradients, "integrated")
