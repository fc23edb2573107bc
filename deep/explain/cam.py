"""CAM: what the last layer reads from each place of the last maps."""

from deep.explain.base import ClassActivationMap


class CAM(ClassActivationMap):
    """Class activation maps, for networks that end in average pooling and one dense layer.

    Parameters as of `deep.explain.base.Explainer`.

    References
    ----------
    B. Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016,
    arXiv:1512.04150.
    """

    what = "class_weights"

    def channel_weights(self, found):
        """The dense layer's weights of the class: equation 2."""
        return found["class_weights"]


def explain_cam(
    classifier,
    image,
    target=None,
    *,
    layer=None,
    input=0,
    output=0,
    region=None,
):
    """CAM of one image.

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

    Raises
    ------
    ParameterError
        If the network ends in another way.
    """
    made = CAM(
        classifier,
        layer=layer,
        input=input,
        output=output,
        region=region,
    )
    return made(image, target)
