"""Grad-CAM: maps weighed by their mean gradient, for networks of any head."""

from deep.explain.base import ClassActivationMap, of_one_image


class GradCAM(ClassActivationMap):
    """Gradient-weighted class activation maps.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017, arXiv:1610.02391.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_gradcam(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    def channel_weights(self, found):
        """The mean gradient of each map: equation 1."""
        return found["gradients"].mean(axis=(1, 2))


explain_gradcam = of_one_image(GradCAM, "gradcam")
