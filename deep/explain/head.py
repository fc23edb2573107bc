"""The head that CAM needs: global average pooling, then one dense layer."""

import tensorflow as tf
from keras import layers

from vision.errors import ParameterError

_SAME = ("Identity", "Cast", "Reshape", "Squeeze")


def class_weights(traced, calls, logits, index):
    """The maps in front of the pooling, and the weights that lead from it to a class.

    Parameters
    ----------
    traced : Traced
        Its `layer` is set to the one that gave the maps.
    calls : list of Seen
    logits : tf.Tensor
    index : tf.Tensor
        (n,) int32.

    Returns
    -------
    dict of str to tf.Tensor
        "maps", (n, h, w, channels), and "class_weights", (n, channels).

    Raises
    ------
    ParameterError
        If the network ends in another way.
    """
    pooled = [call for call in calls if isinstance(call.operation, layers.GlobalAveragePooling2D)]
    dense = _dense(calls, logits)
    if not pooled or dense is None or _source(dense.given[0]) is not _source(pooled[-1].made[0]):
        raise ParameterError(
            "CAM needs a network that ends in GlobalAveragePooling2D and one dense layer. "
            "Take 'gradcam', which gives the same there and works with every network."
        )
    maps = pooled[-1].given[0]
    giver = [call.path for call in calls if any(made is maps for made in call.made)]
    traced.layer = giver[0] if giver else None
    kernel = tf.cast(tf.convert_to_tensor(dense.operation.kernel), tf.float32)
    kernel = tf.reshape(kernel, (-1, kernel.shape[-1]))
    if traced.classes == 2 and kernel.shape[-1] == 1:
        kernel = tf.concat([-kernel, kernel], axis=-1)
    maps = tf.cast(maps, tf.float32)
    if pooled[-1].operation.data_format == "channels_first":
        maps = tf.transpose(maps, (0, 2, 3, 1))
    return {"maps": maps, "class_weights": tf.gather(tf.transpose(kernel), index)}


def _dense(calls, logits):
    """The dense layer, or the 1 x 1 convolution in its place, that gives the logits."""
    found = [call for call in calls if isinstance(call.operation, layers.Dense | layers.Conv2D)]
    if logits is None or not found:
        return None
    last, end = found[-1], _source(logits)
    # A layer with an activation of its own gives what comes behind the logits.
    gives = {id(_source(made)) for made in last.made}
    gives |= {id(_source(given)) for made in last.made for given in made.op.inputs}
    return last if id(end) in gives else None


def _source(tensor):
    while tensor.op.type in _SAME:
        tensor = tensor.op.inputs[0]
    return tensor
