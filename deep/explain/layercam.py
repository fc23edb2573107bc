"""LayerCAM: every pixel of a map by its own gradient, which works in early layers too."""

import numpy as np

from deep.explain.base import ClassActivationMap, of_one_image


class LayerCAM(ClassActivationMap):
    """LayerCAM.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    P.-T. Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
    IEEE TIP 30, 2021, doi:10.1109/TIP.2021.3089943.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_layercam(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    def combined(self, found):
        """The sum of the maps by the positive part of the gradient: equations 5 to 7."""
        weights = np.maximum(found["gradients"], 0)
        return np.einsum("nhwk,nhwk->nhw", found["maps"], weights)


explain_layercam = of_one_image(LayerCAM, "layercam")
