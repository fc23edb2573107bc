"""Guided backpropagation: the gradient at the pixels, where only positive parts pass ReLUs."""

from deep.explain.base import Explainer, at_pixels


class GuidedBackpropagation(Explainer):
    """Guided backpropagation; activations other than ReLU pass the gradient as it is.

    Parameters as of `deep.explain.base.Explainer`; a `layer` means nothing here.

    References
    ----------
    J. T. Springenberg et al., "Striving for Simplicity: The All Convolutional Net", ICLR
    Workshops 2015, arXiv:1412.6806.
    """

    what, guided = "pixels", True

    def heats(self, function, inputs, index, region):
        """The largest magnitude among a pixel's channels; the ReLU's rule is that of figure 1c."""
        found = function(inputs, index, region)
        return at_pixels(found["gradients"]), found["chosen"]


def explain_guided(
    classifier,
    image,
    target=None,
    *,
    input=0,
    output=0,
    region=None,
):
    """Guided backpropagation of one image.

    Parameters
    ----------
    classifier : CNNClassifier or keras.Model
    image, target
        See `deep.explain.base.Explainer.__call__`.
    input, output, region
        See `deep.explain.base.Explainer`.

    Returns
    -------
    ((H, W) ndarray of float32 in [0, 1], label)
    """
    made = GuidedBackpropagation(
        classifier,
        input=input,
        output=output,
        region=region,
    )
    return made(image, target)
