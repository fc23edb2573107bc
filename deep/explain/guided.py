"""Guided backpropagation: the gradient at the pixels, where only positive parts pass ReLUs."""

from deep.explain.base import Explainer, at_pixels, of_one_image


class GuidedBackpropagation(Explainer):
    """Guided backpropagation; activations other than ReLU pass the gradient as it is.

    Parameters as of `deep.explain.base.Explainer`; a `layer` means nothing here.

    References
    ----------
    J. T. Springenberg et al., "Striving for Simplicity: The All Convolutional Net", ICLR
    Workshops 2015, arXiv:1412.6806.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_guided(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[1., 1.],
           [1., 1.]], dtype=float32), 1)
    """

    what, guided = "pixels", True

    def heats(self, function, inputs, index, region):
        """The largest magnitude among a pixel's channels; the ReLU's rule is that of figure 1c."""
        found = function(inputs, index, region)
        return at_pixels(found["gradients"]), found["chosen"]


explain_guided = of_one_image(GuidedBackpropagation, "guided")
