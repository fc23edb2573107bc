"""Which layer is looked at: every call is recorded while a model is traced, nested ones too."""

import contextlib
import dataclasses
import math
import threading

import keras
from keras import layers, tree

from vision.checks import refuse
from vision.errors import ParameterError, UnknownNameError
from vision.nearest import did_you_mean_or_last

CONVOLUTIONS = (
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
)
_TRACING = threading.RLock()  # layers are changed for the time of a trace


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """One call of a layer.

    Parameters
    ----------
    path : str
        The layer's name, behind those of the models that it is in: ``"mobilenet.conv1"``.
    operation : keras.Operation
        A layer, or one of `keras.ops`.
    given, made : tuple of tf.Tensor
        What it got and what came out.
    """

    path: str
    operation: keras.Operation
    given: tuple
    made: tuple

    @property
    def is_map(self):
        """Whether the output is (batch, height, width, channels) and wider than one pixel."""
        shape = self.made[0].shape if self.made else ()
        return len(shape) == 4 and any(side is None or side > 1 for side in self.sides)

    @property
    def sides(self):
        """The (height, width) of the output, None where a size is open."""
        shape = tuple(self.made[0].shape)
        return shape[2:] if self.channels_first else shape[1:3]

    @property
    def channels(self):
        """The number of channels of the output."""
        return self.made[0].shape[1 if self.channels_first else -1]

    @property
    def channels_first(self):
        """Whether channels come before height and width."""
        own = getattr(self.operation, "data_format", None)
        return (own or keras.config.image_data_format()) == "channels_first"


def operations(model, prefix=""):
    """Every layer and operation in a model and in the models and layers within it.

    Parameters
    ----------
    model : keras.Layer
    prefix : str
        In front of all paths.

    Yields
    ------
    (str, keras.Operation)
        The path, names joined by dots, and the layer.

    Examples
    --------
    >>> inner = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="out")], name="inner")
    >>> outer = keras.Sequential([keras.Input((2,)), inner])
    >>> [path for path, _ in operations(outer)]
    ['inner', 'inner.out']
    """
    for operation in _children(model):
        if isinstance(operation, layers.InputLayer):
            continue
        path = f"{prefix}{operation.name}"
        yield path, operation
        yield from operations(operation, f"{path}.")


def _children(model):
    if isinstance(model, keras.Sequential):
        return model.layers
    if hasattr(model, "operations"):
        return model.operations
    if isinstance(model, layers.Layer):
        # Keras has no public way to the layers that a layer holds.
        return model._flatten_layers(include_self=False, recursive=False)
    return ()


@contextlib.contextmanager
def recording(model):
    """Record the calls of all layers of a model, in the order in which they end.

    Unlike a model rebuilt up to a layer, this works wherever the layer is: within nested models,
    layers that hold layers, and models with a ``call`` of their own.

    Parameters
    ----------
    model : keras.Model

    Yields
    ------
    list of Seen
        Empty; filled by calls of the model within the context, in this thread.
    """
    calls, thread, changed = [], threading.get_ident(), {}
    with _TRACING:
        try:
            for path, operation in operations(model):
                if id(operation) not in changed:
                    changed[id(operation)] = operation
                    _listen(path, operation, calls, thread)
            yield calls
        finally:
            for operation in changed.values():
                _stop_listening(operation)


def _listen(path, operation, calls, thread):
    own = operation.call

    def call(*args, **kwargs):
        made = own(*args, **kwargs)
        if threading.get_ident() == thread:
            given = tuple(tree.flatten((args, kwargs)))
            calls.append(Seen(path, operation, given, tuple(tree.flatten(made))))
        return made

    call.before = operation.__dict__.get("call")
    # Keras tracks what is set on a layer in the usual way, and may refuse it.
    object.__setattr__(operation, "call", call)


def _stop_listening(operation):
    listener = operation.__dict__.get("call")
    if listener is None or not hasattr(listener, "before"):
        return
    object.__delattr__(operation, "call")
    if listener.before is not None:
        object.__setattr__(operation, "call", listener.before)


def last_maps(calls, outputs):
    """The maps that an explanation looks at by default, the best first.

    The last convolution whose maps are wider than one pixel, and of what follows it at that size
    (normalisation, activation, sum) the last. Where the output itself is a map (segmentation),
    the smallest maps: the bottleneck, as Seg-Grad-CAM does.

    Parameters
    ----------
    calls : list of Seen
    outputs : list of tf.Tensor
        What the model gave; they are no candidates.

    Returns
    -------
    list of Seen

    Raises
    ------
    ParameterError
        If there is no map at all.

    References
    ----------
    K. Vinogradova et al., "Towards Interpretable Semantic Segmentation via Gradient-weighted Class
    Activation Mapping", AAAI 2020, arXiv:2002.11434.
    """
    taken = {id(tensor) for tensor in outputs}
    maps = []
    for call in calls:  # a model gives what its last layer gave: that layer is told
        if call.is_map and id(call.made[0]) not in taken:
            taken.add(id(call.made[0]))
            maps.append(call)
    convolutions = [call for call in maps if isinstance(call.operation, CONVOLUTIONS)]
    if not maps:
        raise ParameterError(
            "The network has no layer whose output is (batch, height, width, channels) with more "
            "than one pixel. Methods on pixels work: 'integrated', 'smoothgrad', 'guided'."
        )
    anchors = convolutions or maps
    if any(len(output.shape) == 4 for output in outputs):
        anchors = _smallest(anchors, {output.shape[-1] for output in outputs})
    found = []
    for anchor in reversed(anchors):
        behind = [call for call in maps[maps.index(anchor) :] if call.sides == anchor.sides]
        found += [call for call in reversed(behind) if call not in found]
    return found


def _smallest(calls, classes):
    """Those of the smallest maps, without the maps of the classes themselves."""
    calls = [call for call in calls if call.channels not in classes] or calls
    if any(None in call.sides for call in calls):
        return calls
    least = min(math.prod(call.sides) for call in calls)
    return [call for call in calls if math.prod(call.sides) == least]


def paths_named(paths, name):
    """Those of some paths that a name means.

    Parameters
    ----------
    paths : iterable of str
    name : str or keras.Layer
        A layer, its own name, or its path: ``"mobilenet.conv1"`` or ``"mobilenet/conv1"``.

    Returns
    -------
    list of str
        Each once, in order.

    Raises
    ------
    UnknownNameError
        If there is none.
    ParameterError
        If `name` is neither text nor a layer.

    Examples
    --------
    >>> paths_named(["one.conv", "two.conv", "two.pool"], "conv")
    ['one.conv', 'two.conv']
    """
    name = getattr(name, "name", name)
    if not isinstance(name, str):
        hint = "A place is model.layers[place].name."
        refuse("layer", name, "the name or the path of a layer", "the network", hint)
    path, known = name.replace("/", "."), list(dict.fromkeys(paths))
    if path in known:
        return [path]
    found = [each for each in known if each.endswith(f".{path}")]
    if not found:
        hint = did_you_mean_or_last(path, known)
        raise UnknownNameError(f"The network has no layer {name!r}. {hint}")
    return found


def named_maps(calls, name):
    """The calls of a layer with a name.

    Parameters
    ----------
    calls : list of Seen
    name : str
        As for `paths_named`.

    Returns
    -------
    list of Seen
        The last call first.

    Raises
    ------
    UnknownNameError
        If there is no such layer.
    ParameterError
        If several layers have the name, or its output is no map.
    """
    paths = paths_named((call.path for call in calls), name)
    if len(paths) > 1:
        raise ParameterError(f"The network has several layers {name!r}: {', '.join(paths)}.")
    found = [call for call in calls if call.path == paths[0]]
    if not found[0].made or len(found[0].made[0].shape) != 4:
        shape = tuple(found[0].made[0].shape) if found[0].made else ()
        raise ParameterError(
            f"The output of layer {name!r} must be (batch, height, width, channels). Got {shape}."
        )
    return found[::-1]
