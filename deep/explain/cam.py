"""CAM: what the last layer reads from each place of the last maps."""

from deep.explain.base import ClassActivationMap, of_one_image


class CAM(ClassActivationMap):
    """Class activation maps, for networks that end in average pooling and one dense layer.

    Parameters as of `deep.explain.base.Explainer`.

    Raises
    ------
    ParameterError
        If the network ends in another way.

    References
    ----------
    B. Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016,
    arXiv:1512.04150.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_cam(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    what = "class_weights"

    def channel_weights(self, found):
        """The dense layer's weights of the class: equation 2."""
        return found["class_weights"]


explain_cam = of_one_image(CAM, "cam")
