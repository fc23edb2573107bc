"""LayerCAM: every pixel of a map by its own gradient, which works in early layers too."""

import numpy as np

from deep.explain.base import ClassActivationMap


class LayerCAM(ClassActivationMap):
    """LayerCAM.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    P.-T. Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
    IEEE TIP 30, 2021, doi:10.1109/TIP.2021.3089943.
    """

    def combined(self, found):
        """The sum of the maps by the positive part of the gradient: equations 5 to 7."""
        weights = np.maximum(found["gradients"], 0)
        return np.einsum("nhwk,nhwk->nhw", found["maps"], weights)


def explain_layercam(
    classifier,
    image,
    target=None,
    *,
    layer=None,
    input=0,
    output=0,
    region=None,
):
    """LayerCAM of one image.

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
    made = LayerCAM(
        classifier,
        layer=layer,
        input=input,
        output=output,
        region=region,
    )
    return made(image, target)
