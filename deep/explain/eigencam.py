"""Eigen-CAM: the main direction of the maps, whatever the class."""

import numpy as np

from deep.explain.base import ClassActivationMap


class EigenCAM(ClassActivationMap):
    """Eigen-CAM: the same for every class, without gradients.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    M. B. Muhammad, M. Yeasin, "Eigen-CAM: Class Activation Map using Principal Components",
    IJCNN 2020, arXiv:2008.00299.
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


def explain_eigencam(
    classifier,
    image,
    target=None,
    *,
    layer=None,
    input=0,
    output=0,
    region=None,
):
    """Eigen-CAM of one image.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
    image, target
        See `deep.explain.base.Explainer.__call__`; the target changes the label alone.
    layer, input, output, region
        See `deep.explain.base.Explainer`.

    Returns
    -------
    ((H, W) ndarray of float32 in [0, 1], label)
    """
    made = EigenCAM(
        classifier,
        layer=layer,
        input=input,
        output=output,
        region=region,
    )
    return made(image, target)
