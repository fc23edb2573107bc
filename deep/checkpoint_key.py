"""What a training is of: the state of one is of no use to another."""

import hashlib
import json

import keras
import numpy as np

from deep.transfer import flat_layers, head_start

SAMPLE = 32  # pictures of a collection on the disk that are looked at
_NO_MATTER = ("checkpoint", "verbose", "engine")


def training_key(estimator, feed, validation, classes):
    """What is the same for a training that goes on, and another for any other.

    Every pixel of arrays counts, at about two seconds a gigabyte; of files their size and time,
    and the pixels of 32 of them, behind the steps in front of the network. Random weights of a
    model of one's own do not: it is another one whenever it is made.

    Parameters
    ----------
    estimator : CNNClassifier
    feed, validation : Feed
        The second may be None.
    classes : (k,) ndarray

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=16)
    parameters = {k: repr(v) for k, v in estimator.get_params(deep=False).items()}
    for name in _NO_MATTER:
        parameters.pop(name)
    model = estimator.architecture
    if isinstance(model, keras.Model):
        parameters["architecture"] = network_layout(model)
        _add_frozen(digest, model, estimator)
    digest.update(json.dumps([parameters, classes.tolist()], sort_keys=True).encode())
    for each in (feed, validation):
        if each is not None:
            digest.update(f"{len(each.images)}{each.shape}".encode())
            digest.update(np.ascontiguousarray(each.targets).data)
            _add_images(digest, each.images)
    return digest.hexdigest()


def _add_frozen(digest, model, estimator):
    """The weights that training may leave as they are, so that no saved state replaces them."""
    kept = model.non_trainable_weights
    if estimator.freeze is not None or estimator.transfer is not None:
        body = flat_layers(model)[: head_start(model)]
        kept = [weight for _, layer in body for weight in layer.weights]
    for weight in kept:
        digest.update(weight.numpy().tobytes())  # bfloat16 has no buffer


def _add_images(digest, images):
    if isinstance(images, np.ndarray):
        for image in images:
            digest.update(np.ascontiguousarray(image).data)
        return
    for index in range(len(images)):
        state = images.state(index)
        if state is None:
            digest.update(np.ascontiguousarray(images.data(index)).data)
        else:
            digest.update(f"{state[:2]};".encode())
    for index in np.linspace(0, len(images) - 1, min(SAMPLE, len(images))).astype(int):
        digest.update(np.ascontiguousarray(images[int(index)]).data)


def network_layout(model):
    """The layers of a network, their settings and how they are joined, without their names.

    Keras counts its names up with every layer that is made.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    str
        The same for a network that is made again in the same way.

    Examples
    --------
    >>> from keras import layers
    >>> one, other, wider = (
    ...     keras.Sequential([keras.Input((4,)), layers.Dense(width)]) for width in (2, 2, 3)
    ... )
    >>> network_layout(one) == network_layout(other), network_layout(one) == network_layout(wider)
    (True, False)
    """
    written = keras.saving.serialize_keras_object(model)["config"]
    config = json.loads(json.dumps(written, default=repr))
    numbers = {}
    _number_names(config, numbers)
    return json.dumps(_renamed(config, numbers), sort_keys=True)


def _number_names(node, numbers):
    if isinstance(node, dict):
        name = node.get("name")
        if isinstance(name, str):
            numbers.setdefault(name, f"#{len(numbers)}")
        if node.get("class_name") == "DTypePolicy":  # its name says what it is
            return
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            _number_names(inner, numbers)


def _renamed(node, numbers):
    if isinstance(node, dict):
        return {key: _renamed(value, numbers) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(inner, numbers) for inner in node]
    return numbers.get(node, node) if isinstance(node, str) else node
