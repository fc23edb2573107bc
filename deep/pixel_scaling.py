"""What pixels of 0-255 become before a network sees them, as plain Keras layers."""

import keras
from keras import layers

# ImageNet's mean and deviation, RGB of 0..1: as torchvision takes them.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # BGR of 0-255, of the VGG authors' models


def scaled(x):
    """0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> float(scaled(np.full((1, 1, 1, 3), 255.0))[0, 0, 0, 0])
    1.0
    """
    return layers.Rescaling(1 / 255, name="preprocess")(x)


def centred(x):
    """-1 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> float(centred(np.zeros((1, 1, 1, 3)))[0, 0, 0, 0])
    -1.0
    """
    return layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocess")(x)


def standardized(x):
    """0 to 1, less ImageNet's mean and over its deviation.

    Examples
    --------
    >>> import numpy as np
    >>> pixel = np.full((1, 1, 1, 3), 255 * 0.485)
    >>> round(float(standardized(pixel)[0, 0, 0, 0]), 5)
    0.0
    """
    scale = [1 / (255 * deviation) for deviation in DEVIATION]
    offset = [-mean / deviation for mean, deviation in zip(MEAN, DEVIATION)]
    scale, offset = _for_channels(x, scale), _for_channels(x, offset)
    return layers.Rescaling(scale, offset=offset, name="preprocess")(x)


def caffe(x):
    """BGR of 0-255, less ImageNet's mean.

    Examples
    --------
    >>> import numpy as np
    >>> red = np.array([[[[255.0, 0, 0]]]])
    >>> [round(float(value), 2) for value in caffe(red)[0, 0, 0]]
    [-103.94, -116.78, 131.32]
    """
    if x.shape[-1] == 3:
        x = keras.ops.flip(x, axis=-1)
    offset = _for_channels(x, [-mean for mean in CAFFE_MEAN])
    return layers.Rescaling(1.0, offset=offset, name="preprocess")(x)


def unchanged(x):
    """The pixels themselves, for a network that scales them itself.

    Examples
    --------
    >>> unchanged("pixels")
    'pixels'
    """
    return x


def _for_channels(x, constants):
    """One constant a channel, or their mean where the channels are not red, green and blue."""
    return constants if x.shape[-1] == 3 else sum(constants) / 3


SCALINGS = {
    "scale": scaled,
    "tf": centred,
    "torch": standardized,
    "caffe": caffe,
    "none": unchanged,
}
