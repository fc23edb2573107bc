"""Grad-CAM++: gradients weighed by place, so that several objects of a class all count."""

import numpy as np

from deep.explain.base import ClassActivationMap, of_one_image


class GradCAMPlusPlus(ClassActivationMap):
    """Grad-CAM++.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    A. Chattopadhay et al., "Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep
    Convolutional Networks", WACV 2018, arXiv:1710.11063.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_gradcampp(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    def channel_weights(self, found):
        """Positive gradients by their pixel weights: equation 5, those by equation 19.

        The score is the exponential of the network's: its derivatives are the powers of the
        gradient times a factor that the normalisation takes away.
        """
        maps, gradients = found["maps"], found["gradients"]
        squared, cubed = gradients**2, gradients**3
        below = 2 * squared + maps.sum(axis=(1, 2), keepdims=True) * cubed  # equation 19
        alphas = np.divide(squared, below, out=np.zeros_like(squared), where=below != 0)
        return (alphas * np.maximum(gradients, 0)).sum(axis=(1, 2))


explain_gradcampp = of_one_image(GradCAMPlusPlus, "gradcampp")
