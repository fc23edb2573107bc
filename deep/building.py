"""Networks by name: any input size and number of classes, as plain Keras models."""

import contextlib
import functools
import inspect
import random

from deep.architectures import MODULES, find
from vision.checks import check_bool, check_integer, check_random_state, refuse
from vision.errors import ParameterError, VisionError
from vision.nearest import did_you_mean


def list_architectures():
    """The names that `build` knows, sorted; TensorFlow is not loaded for it.

    Returns
    -------
    list of str

    Examples
    --------
    >>> import deep
    >>> deep.list_architectures()[:3]
    ['alexnet', 'alexnet_owt', 'densenet121']
    """
    return sorted(MODULES)


def build(
    name,
    input_shape=None,
    classes=1000,
    *,
    weights=None,
    include_top=True,
    pixels=False,
    activation=None,
    options=None,
    random_state=None,
):
    """A network as a plain functional `keras.Model`, not compiled.

    It takes float32 pictures already preprocessed as the architecture wants them, exactly as the
    one of `keras.applications` does where there is one; with ``pixels=True`` it takes RGB of
    0-255, and `preprocessing` is its first layer.

    Parameters
    ----------
    name : str
        One of `list_architectures`.
    input_shape : tuple of int, optional
        (height, width, channels) in pixels; the paper's by default. Height and width may be None
        (any size) where the network ends in global pooling.
    classes : int, default=1000
        Number of outputs.
    weights : str or path, optional
        ``"imagenet"`` for the official file, or a path to a ``.h5``, ``.weights.h5`` or
        ``.keras`` file. Random by default.
    include_top : bool, default=True
        False gives the body alone: its output is the last feature map.
    pixels : bool, default=False
        Whether preprocessing is part of the model.
    activation : str or callable, optional
        Of the last layer. None is softmax, and sigmoid with one class; ``"linear"`` gives logits.
    options : dict, optional
        The architecture's own settings, under Keras' names where Keras has them
        (``{"alpha": 0.25}``).
    random_state : int, optional
        Seeds the initial weights and dropout; the global generators are left as they were.

    Returns
    -------
    keras.Model

    Raises
    ------
    UnknownNameError
        If no architecture has the name.
    ParameterError
        If an option is unknown or has no effect, or the network cannot work at the size: the
        message gives the smallest that it can.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("resnet20", (32, 32, 3), classes=10, random_state=0)
    >>> model.output_shape
    (None, 10)
    >>> model.count_params()
    271098
    """
    architecture = find(name)
    _check_build(input_shape, classes, include_top, random_state)
    check_bool("pixels", pixels, owner="build")
    shape = tuple(input_shape or architecture.input_shape)
    parts = _options(architecture, options or {}, include_top)
    activation = _activation(activation, classes)
    with _seeded(random_state):
        make = functools.partial(_model, architecture, classes, activation, parts, pixels)
        model, features = _assembled(make, architecture, shape, include_top)
    if weights is not None:
        from deep.weights import load_weights

        load_weights(model, architecture, weights, features=features, options=options)
    return model


def _check_build(input_shape, classes, include_top, random_state):
    check_integer("classes", classes, owner="build", at_least=1)
    check_bool("include_top", include_top, owner="build")
    if random_state is not None:
        check_random_state("random_state", random_state, owner="build")
    if input_shape is None:
        return
    if not isinstance(input_shape, tuple | list) or len(input_shape) != 3:
        hint = "Grey pictures have 1 channel: (height, width, 1)."
        refuse("input_shape", input_shape, "(height, width, channels)", "build", hint)
    *sides, channels = input_shape
    check_integer("channels of input_shape", channels, owner="build", at_least=1)
    for name, side in zip(("height", "width"), sides):
        if side is not None:
            check_integer(f"{name} of input_shape", side, owner="build", at_least=1)


def _keywords(function):
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]


def _options(architecture, options, include_top):
    """The options of the body and those of the head, by the parameters that they have."""
    body, head = _keywords(architecture.body), _keywords(architecture.head)
    known = sorted({*body, *head})
    for option in options:
        if option not in known:
            hint = did_you_mean(option, known) or f"It has: {', '.join(known) or 'none'}."
            raise ParameterError(f"{architecture.name} has no option {option!r}. {hint}")
        if not include_top and option not in body:
            raise ParameterError(
                f"The option {option!r} of {architecture.name} belongs to its head, "
                "which include_top=False leaves out. Leave the option out too."
            )
    return [{key: options[key] for key in part if key in options} for part in (body, head)]


@contextlib.contextmanager
def _seeded(random_state):
    """Within it, Keras draws the seeds of weights and dropout from a generator of our own."""
    if random_state is None:
        yield
        return
    state = random.getstate()
    random.seed(random_state)
    try:
        yield
    finally:
        random.setstate(state)


def _activation(activation, classes):
    import keras

    if activation is None:
        return "sigmoid" if classes == 1 else "softmax"
    try:
        keras.activations.get(activation)
    except ValueError:
        refuse("activation", activation, "a name that Keras knows, or a function", "build")
    return activation


def _model(architecture, classes, activation, parts, pixels, shape, include_top):
    import keras

    from deep.pixel_scaling import SCALINGS

    inputs = keras.Input(shape, name="image")
    body_options, head_options = parts
    prepared = SCALINGS[architecture.preprocessing](inputs) if pixels else inputs
    features = architecture.body(prepared, **body_options)
    if include_top:
        outputs = architecture.head(features, classes, activation, **head_options)
    else:
        outputs = features = features[0] if isinstance(features, list) else features
    return keras.Model(inputs, outputs, name=architecture.name), features


def _assembled(make, architecture, shape, include_top):
    """The model and its last feature map, or why there can be none of this size."""
    try:
        return make(shape, include_top)
    except VisionError:
        raise
    except (ValueError, TypeError) as error:
        reason = _reason(make, architecture, shape, include_top, error)
        raise ParameterError(reason) from error


def _reason(make, architecture, shape, include_top, error):
    """Why Keras refused: the size, where the paper's own size works, else in Keras' words."""
    usual = min(architecture.input_shape[:2])
    known = [side for side in shape[:2] if side is not None]
    too_small = bool(known) and min(known) < usual
    # The body is the cheaper half to try; only where it works is the head to blame.
    top = include_top and _made(make, shape, False) is not None
    model = _made(make, (usual, usual, shape[-1]), top) if too_small or None in shape else None
    if model is None:
        return f"{architecture.name} cannot be built for {shape}: {_first_line(error)}"
    if not too_small:
        return (
            f"{architecture.name} needs a fixed height and width. Got input_shape={shape}; "
            f"the paper's is {architecture.input_shape}."
        )

    def works(side):
        size = (side, side, shape[-1])
        return _made(make, size, top) is not None if top else _takes(model, size)

    smallest = _smallest(min(known), usual, works)
    small = ", ".join(name for name in ("lenet5", "resnet20") if name != architecture.name)
    return (
        f"{architecture.name} cannot work on pictures as small as {shape[0]}x{shape[1]}: "
        f"the smallest are {smallest}x{smallest}. Resize them, or take a network for small ones "
        f"({small})."
    )


def _made(make, shape, include_top):
    try:
        return make(shape, include_top)[0]
    except (ValueError, TypeError):
        return None


def _takes(body, shape):
    """Whether the convolutions of a body work at a size, without building it again."""
    from deep.layer_graph import calls_of

    try:
        calls_of(body, shape)
    except ParameterError:
        return False
    return True


def _smallest(fails, good, works):
    while good - fails > 1:
        middle = (fails + good) // 2
        if works(middle):
            good = middle
        else:
            fails = middle
    return good


def _first_line(error):
    return str(error).strip().split("\n")[0]


def check_takes_pixels(model):
    """Refuse a network of `build` that was made for pictures already preprocessed.

    It is known by its name, which saving keeps, and by the layer that ``pixels=True`` puts first.

    Parameters
    ----------
    model : keras.Model

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> import deep
    >>> check_takes_pixels(deep.build("lenet5", pixels=True))
    """
    if model.name not in MODULES or find(model.name).preprocessing == "none":
        return
    if "preprocess" not in [layer.name for layer in model.layers]:
        raise ParameterError(
            f"The network {model.name!r} takes pictures already preprocessed, and would get pixels "
            f"of 0-255. Build it with deep.build({model.name!r}, ..., pixels=True). One that "
            "learned from 0-255 itself goes in under another name: "
            "keras.Sequential([keras.Input(model.input_shape[1:]), model])."
        )


def preprocessing(name):
    """What an architecture wants done to pixels of 0-255, as a function of a tensor.

    It is made of plain Keras layers, so that a model which has it inside loads without this
    package. Pictures of other than 3 channels take the mean of the channels' constants.

    Parameters
    ----------
    name : str
        One of `list_architectures`.

    Returns
    -------
    callable
        From a tensor (batch, height, width, channels), RGB, 0-255, to the tensor that the model
        of `build` takes.

    Raises
    ------
    UnknownNameError
        If no architecture has the name.

    Examples
    --------
    >>> import keras, numpy as np, deep
    >>> pixels = keras.Input((2, 2, 3))
    >>> model = keras.Model(pixels, deep.preprocessing("mobilenet")(pixels))
    >>> float(keras.ops.max(model(np.full((1, 2, 2, 3), 255.0))))
    1.0
    """
    architecture = find(name)
    from deep.pixel_scaling import SCALINGS

    return SCALINGS[architecture.preprocessing]
