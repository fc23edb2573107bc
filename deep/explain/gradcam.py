"""Grad-CAM: maps weighed by their mean gradient, for networks of any head."""

from deep.explain.base import ClassActivationMap


class GradCAM(ClassActivationMap):
    """Gradient-weighted class activation maps.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", ICCV 2017, arXiv:1610.02391.
    """

    def channel_weights(self, found):
        """The mean gradient of each map: equation 1."""
        return found["gradients"].mean(axis=(1, 2))


def explain_gradcam(
    classifier,
    image,
    target=None,
    *,
    layer=None,
    input=0,
    output=0,
    region=None,
):
    """Grad-CAM of one image.

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

    Examples
    --------
    >>> import deep
    >>> import numpy as np
    >>> model = deep.build("resnet20", (32, 32, 3), classes=4, pixels=True, random_state=0)
    >>> values, label = explain_gradcam(model, np.zeros((32, 32, 3), np.uint8), 2)
    >>> values.shape, label
    ((32, 32), 2)
    """
    made = GradCAM(
        classifier,
        layer=layer,
        input=input,
        output=output,
        region=region,
    )
    return made(image, target)
