"""Grad-CAM++: gradients weighed by place, so that several objects of a class all count."""

import numpy as np

from deep.explain.base import ClassActivationMap


class GradCAMPlusPlus(ClassActivationMap):
    """Grad-CAM++.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    A. Chattopadhay et al., "Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep
    Convolutional Networks", WACV 2018, arXiv:1710.11063.
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


def explain_gradcampp(
    classifier,
    image,
    target=None,
    *,
    layer=None,
    input=0,
    output=0,
    region=None,
):
    """Grad-CAM++ of one image.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
    image, target
        See `deep.explain.base.Explainer.__call__`.
    layer, input, output, region
        See `deep.explain.base.Explainer`.

    Returns
    -------
    ((H, W) ndarray of float32 in [0, 1], label)
    """
    made = GradCAMPlusPlus(
        classifier,
        layer=layer,
        input=input,
        output=output,
        region=region,
    )
    return made(image, target)
