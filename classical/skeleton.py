"""Regions thinned to their middle lines."""

from vision.kinds import Kind
from vision.step import Step
from vision.thinning import thinned


class Skeleton(Step):
    """Regions thinned from all sides to lines one pixel wide that keep their connections.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a mask: the middle lines of its regions,
    with as many parts and holes, as ``skimage.morphology.thin`` gives them. What lies outside the
    image is background. Small bumps of an outline grow branches: `Opening` or `MedianBlur` in
    front saves them.

    Raises
    ------
    KindError
        If the image is no mask.

    References
    ----------
    Z. Guo and R. W. Hall, "Parallel thinning with two-subiteration algorithms", Communications of
    the ACM 32(3), 1989, doi:10.1145/62065.62074.

    Examples
    --------
    >>> import numpy as np
    >>> bar = np.zeros((5, 9), np.uint8)
    >>> bar[1:4, 1:8] = 255
    >>> Skeleton()(bar)[2].tolist()
    [0, 0, 255, 255, 255, 255, 255, 0, 0]
    """

    takes, gives = (Kind.MASK,), Kind.MASK

    def apply(self, image):
        """See `Step.apply`."""
        return thinned(image)
