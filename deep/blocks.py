"""Blocks that several architectures share: functions from tensor to tensor, layers named."""

import keras
from keras import layers, ops


def convolution(x, filters, size, name, *, stride=1, padding="same", use_bias=True, groups=1):
    """A linear convolution with He's initial weights.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    filters : int
        Channels of the output.
    size : int or tuple of int
        Side of the kernel, or its height and width.
    name : str
        Of the layer.
    stride : int, default=1
    padding : {"same", "valid"}, default="same"
        Keras' own: with stride 2 and an even size, "same" pads on the right and below only.
    use_bias : bool, default=True
    groups : int, default=1
        Number of parts into which the channels are split, each with its own kernels.

    Returns
    -------
    tensor

    References
    ----------
    K. He et al., "Delving Deep into Rectifiers", ICCV 2015, arXiv:1502.01852: the weights.

    Examples
    --------
    >>> import keras
    >>> convolution(keras.Input((32, 32, 3)), 8, 3, "conv", stride=2).shape
    (None, 16, 16, 8)
    """
    return layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding=padding,
        groups=groups,
        use_bias=use_bias,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def padded_convolution(x, filters, size, name, *, stride=1, use_bias=True):
    """A convolution with ``size // 2`` zeros on every side, as Caffe and the papers pad.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    filters, size, stride : int
        Channels of the output, odd side of the kernel, step.
    name : str
        Of the layer; the zeros are a layer of their own, ``<name>_pad``.
    use_bias : bool, default=True

    Returns
    -------
    tensor

    Examples
    --------
    >>> import keras
    >>> padded_convolution(keras.Input((224, 224, 3)), 64, 7, "conv1", stride=2).shape
    (None, 112, 112, 64)
    """
    x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return convolution(x, filters, size, name, stride=stride, padding="valid", use_bias=use_bias)


def relu(x, name):
    """The rectifier as a layer of its own.

    Examples
    --------
    >>> import keras
    >>> relu(keras.Input((4,)), "relu").shape
    (None, 4)
    """
    return layers.Activation("relu", name=name)(x)


def batch_normalization(x, name, *, epsilon=1e-3, momentum=0.99):
    """Batch normalisation with Keras' own defaults.

    Parameters
    ----------
    x : tensor
    name : str
    epsilon : float, default=1e-3
        Added to the variance.
    momentum : float, default=0.99
        Share of the old mean and variance that a training step keeps.

    Returns
    -------
    tensor

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch Normalization", ICML 2015, arXiv:1502.03167.

    Examples
    --------
    >>> import keras
    >>> batch_normalization(keras.Input((8, 8, 4)), "bn").shape
    (None, 8, 8, 4)
    """
    return layers.BatchNormalization(epsilon=epsilon, momentum=momentum, name=name)(x)


def dropped(x, rate, name="dropout"):
    """Dropout, or `x` itself where the rate is 0.

    Parameters
    ----------
    x : tensor
    rate : float
        Share of the values that a training step sets to 0, from 0 to below 1.
    name : str, default="dropout"

    Returns
    -------
    tensor

    References
    ----------
    N. Srivastava et al., "Dropout", JMLR 15, 2014.

    Examples
    --------
    >>> import keras
    >>> x = keras.Input((8,))
    >>> dropped(x, 0.0) is x
    True
    """
    return layers.Dropout(rate, name=name)(x) if rate else x


def predictions(x, classes, activation, name="predictions"):
    """The last dense layer; under mixed precision it computes in the precision of its weights.

    Parameters
    ----------
    x : tensor, (batch, features)
    classes : int
    activation : str or callable
    name : str, default="predictions"

    Returns
    -------
    tensor, (batch, classes)

    Examples
    --------
    >>> import keras
    >>> predictions(keras.Input((8,)), 10, "softmax").shape
    (None, 10)
    """
    precision = keras.config.dtype_policy().variable_dtype
    return layers.Dense(classes, activation=activation, dtype=precision, name=name)(x)


def pooled_head(x, classes, activation, *, dropout=0.0):
    """Global average pooling and one dense layer.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    classes : int
    activation : str or callable
    dropout : float, default=0.0
        Rate between the two.

    Returns
    -------
    tensor, (batch, classes)

    References
    ----------
    M. Lin et al., "Network In Network", ICLR 2014, arXiv:1312.4400.

    Examples
    --------
    >>> import keras
    >>> pooled_head(keras.Input((7, 7, 64)), 10, "softmax").shape
    (None, 10)
    """
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return predictions(dropped(x, dropout), classes, activation)


def flat_head(x, classes, activation, *, units=(4096, 4096), dropout=0.5):
    """Flatten, then dense layers with rectifier and dropout, then the scores.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
        Of fixed height and width.
    classes : int
    activation : str or callable
    units : tuple of int, default=(4096, 4096)
        Neurons of the hidden layers ``fc1``, ``fc2`` and so on.
    dropout : float, default=0.5
        Rate after each of them.

    Returns
    -------
    tensor, (batch, classes)

    Examples
    --------
    >>> import keras
    >>> flat_head(keras.Input((7, 7, 4)), 10, "softmax", units=(32,)).shape
    (None, 10)
    """
    x = layers.Flatten(name="flatten")(x)
    for number, neurons in enumerate(units, 1):
        x = layers.Dense(neurons, activation="relu", name=f"fc{number}")(x)
        x = dropped(x, dropout, f"dropout{number}")
    return predictions(x, classes, activation)


def depthwise_convolution(x, size, name, *, stride=1, padding="same"):
    """One kernel for each channel, without bias; He's initial weights for its own fan-out.

    Keras' default would count the channels into the fan-in, although none is summed over.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    size, stride : int
        Side of the kernels and step.
    name : str
    padding : {"same", "valid"}, default="same"

    Returns
    -------
    tensor

    Examples
    --------
    >>> import keras
    >>> depthwise_convolution(keras.Input((32, 32, 8)), 3, "dw", stride=2).shape
    (None, 16, 16, 8)
    """
    weights = keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")
    return layers.DepthwiseConv2D(
        size,
        strides=stride,
        padding=padding,
        use_bias=False,
        depthwise_initializer=weights,
        name=name,
    )(x)


def halving_zeros(x, size, name):
    """The zeros that let a "valid" convolution of stride 2 halve the size, rounding up.

    Odd sides are padded alike on both sides, even ones with one zero less above and to the left:
    what the networks that were published as TensorFlow code expect.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
        A side that is not known counts as odd.
    size : int
        Side of the kernel, odd.
    name : str

    Returns
    -------
    tensor

    Examples
    --------
    >>> import keras
    >>> halving_zeros(keras.Input((32, 33, 8)), 3, "pad").shape
    (None, 33, 35, 8)
    """
    half = size // 2
    zeros = tuple((half - (side is not None and side % 2 == 0), half) for side in x.shape[1:3])
    return layers.ZeroPadding2D(zeros, name=name)(x)


def round_channels(channels, divisor=8):
    """The nearest multiple of `divisor`, one step up where that would lose over a tenth.

    Parameters
    ----------
    channels : float
    divisor : int, default=8

    Returns
    -------
    int

    References
    ----------
    M. Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381: in the authors' code.

    Examples
    --------
    >>> round_channels(32 * 0.35), round_channels(24 * 0.5)
    (16, 16)
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def squeeze_excitation(x, reduced, name, *, activation="relu"):
    """Attention over channels: each is weighted by what all of them look like on average.

    ``s = sigmoid(W2 activation(W1 mean(x)))``, equations 2 and 3 of the paper, and ``s x``,
    equation 4. The two dense layers are 1 x 1 convolutions with biases.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    reduced : int
        Neurons between the two layers; the paper takes a sixteenth of the channels.
    name : str
        What the names of the four layers begin with.
    activation : str, default="relu"
        Between the two layers.

    Returns
    -------
    tensor
        Of the shape of `x`.

    References
    ----------
    J. Hu, L. Shen, G. Sun, "Squeeze-and-Excitation Networks", CVPR 2018, arXiv:1709.01507.

    Examples
    --------
    >>> import keras
    >>> squeeze_excitation(keras.Input((7, 7, 64)), 4, "se").shape
    (None, 7, 7, 64)
    """
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    weights = convolution(weights, reduced, 1, f"{name}_reduce")
    weights = layers.Activation(activation, name=f"{name}_activation")(weights)
    weights = convolution(weights, x.shape[-1], 1, f"{name}_expand")
    weights = layers.Activation("sigmoid", name=f"{name}_sigmoid")(weights)
    return layers.Multiply(name=f"{name}_excite")([x, weights])


def stochastic_depth(x, rate, name):
    """Drop the whole residual of a picture now and then while training, or `x` itself at rate 0.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    rate : float
        Share of the pictures, from 0 to below 1; the rest is scaled by ``1 / (1 - rate)``.
    name : str

    Returns
    -------
    tensor

    References
    ----------
    G. Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016, arXiv:1603.09382.

    Examples
    --------
    >>> import keras
    >>> stochastic_depth(keras.Input((7, 7, 64)), 0.2, "drop").shape
    (None, 7, 7, 64)
    """
    shape = (None,) + (1,) * (len(x.shape) - 1)
    return layers.Dropout(rate, noise_shape=shape, name=name)(x) if rate else x


def local_response_normalization(x, *, depth=5, bias=2.0, alpha=1e-4, beta=0.75):
    """Each value over a power of the squares in the channels around it (section 3.3).

    ``x / (bias + alpha * sum(x[j] ** 2 for the depth channels j around)) ** beta``: the paper's
    formula, in which the sum is not divided by `depth` (Caffe and PyTorch do that). It is made of
    plain Keras operations.

    Parameters
    ----------
    x : tensor, (batch, height, width, channels)
    depth : int, default=5
        Channels in the sum, odd; missing ones at the ends count as 0.
    bias, alpha, beta : float, default=2, 1e-4 and 0.75

    Returns
    -------
    tensor, of the same shape

    References
    ----------
    A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks", NIPS 2012, doi:10.1145/3065386.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones((1, 1, 1, 3), np.float32)
    >>> round(float(local_response_normalization(x, alpha=1.0)[0, 0, 0, 1]) ** (-1 / 0.75), 4)
    5.0
    """
    channels, reach = x.shape[-1], depth // 2
    squares = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (reach, reach)))
    total = squares[..., :channels]
    for first in range(1, depth):
        total = total + squares[..., first : first + channels]
    return x / ops.power(bias + alpha * total, beta)
