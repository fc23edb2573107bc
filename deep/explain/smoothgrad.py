"""SmoothGrad: the gradient at the pixels, averaged over noisy copies of the image."""

import numpy as np

from deep.explain.base import CHUNK, Explainer, at_pixels, of_one_image, repeated
from vision.checks import check_integer, check_number, check_random_state


class SmoothGrad(Explainer):
    """SmoothGrad.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
    samples : int, default=32
        Noisy copies.
    noise : float, default=0.15
        Standard deviation of the noise, as a share of the image's range of values.
    random_state : int, default=0
        Seed of the noise, which is the same for every image.
    **options
        See `deep.explain.base.Explainer`; a `layer` means nothing here.

    References
    ----------
    D. Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017, arXiv:1706.03825.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_smoothgrad(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[1., 1.],
           [1., 1.]], dtype=float32), 1)
    """

    what = "pixels"

    def __init__(self, classifier, *, samples=32, noise=0.15, random_state=0, **options):
        super().__init__(classifier, **options)
        check_integer("samples", samples, owner="SmoothGrad", at_least=1)
        check_number("noise", noise, owner="SmoothGrad", at_least=0)
        check_random_state("random_state", random_state, owner="SmoothGrad")
        self.samples, self.noise, self.random_state = samples, noise, random_state

    def heats(self, function, inputs, index, region):
        """See `Explainer.heats`; the largest magnitude among a pixel's channels."""
        chosen = np.where(index < 0, function(inputs, index, region)["chosen"], index)
        made = []
        for at in range(len(index)):
            own = [each[at : at + 1] for each in inputs]
            part = None if region is None else region[at : at + 1]
            made.append(self._mean_gradient(function, own, int(chosen[at]), part))
        return at_pixels(np.stack(made)), chosen

    def _mean_gradient(self, function, inputs, chosen, region):
        """The mean over the copies: the equation of section 3."""
        image = inputs[self.input]
        generator = np.random.default_rng(self.random_state)
        deviation = self.noise * np.ptp(image)
        total = np.zeros(image.shape[1:], np.float64)
        for at in range(0, self.samples, CHUNK):
            count = min(CHUNK, self.samples - at)
            noise = generator.standard_normal((count, *image.shape[1:]), np.float32)
            given = repeated(inputs, self.input, image + deviation * noise)
            regions = None if region is None else np.repeat(region, count, axis=0)
            index = np.full(count, chosen, np.int32)
            total += function(given, index, regions)["gradients"].sum(axis=0)
        return total / self.samples


explain_smoothgrad = of_one_image(SmoothGrad, "smoothgrad")
