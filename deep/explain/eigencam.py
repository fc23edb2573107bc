"""Eigen-CAM: the main direction of the maps, whatever the class."""

import numpy as np

from deep.explain.base import ClassActivationMap, of_one_image


class EigenCAM(ClassActivationMap):
    """Eigen-CAM: the same for every class (a target changes the label alone), without gradients.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    M. B. Muhammad, M. Yeasin, "Eigen-CAM: Class Activation Map using Principal Components",
    IJCNN 2020, arXiv:2008.00299.

    Examples
    --------
    >>> import numpy as np
    >>> from keras import Input, Sequential, layers
    >>> maps, pool = layers.Conv2D(1, 1, kernel_initializer="ones"), layers.GlobalAveragePooling2D()
    >>> last = layers.Dense(1, "sigmoid", kernel_initializer="ones")
    >>> model = Sequential([Input((2, 2, 1)), maps, pool, last])  # whether it is bright
    >>> explain_eigencam(model, np.array([[0, 40], [0, 80]], np.uint8))
    (array([[0. , 0.5],
           [0. , 1. ]], dtype=float32), 1)
    """

    def channel_weights(self, found):
        """The first right singular vector of the maps: equations 3 and 4.

        Of its two signs the one for which the maps' sum is positive.
        """
        pixels = found["maps"].reshape(len(found["maps"]), -1, found["maps"].shape[-1])
        vectors = np.stack([_first_direction(each) for each in pixels])
        sums = np.einsum("npk,nk->n", pixels, vectors)
        return vectors * np.where(sums < 0, -1, 1)[:, None]


def _first_direction(pixels):
    # By the smaller of the two products; a large decomposition costs more than the network.
    if len(pixels) >= pixels.shape[1]:
        return np.linalg.eigh(pixels.T @ pixels)[1][:, -1]
    found = pixels.T @ np.linalg.eigh(pixels @ pixels.T)[1][:, -1]
    return found / max(np.linalg.norm(found), np.finfo(np.float32).tiny)


explain_eigencam = of_one_image(EigenCAM, "eigencam")
