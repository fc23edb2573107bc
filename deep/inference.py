"""Prediction by a traced function that is kept: `model.predict` builds a loop around each call."""

import threading

import numpy as np
import tensorflow as tf

from vision.checks import check_choice
from vision.errors import KindError, MissingDependencyError, ParameterError

ENGINES = ("keras", "openvino")
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def compile_for_inference(model, *, engine="keras", precision="float32"):
    """A fast function of the same outputs as ``model(images, training=False)``.

    Parameters
    ----------
    model : keras.Model
        With one input of known rank.
    engine : {"keras", "openvino"}, default="keras"
        What computes. OpenVINO (the extra ``openvino``) takes a copy of the weights as they are
        now; the other follows the model.
    precision : {"float32", "bfloat16"}, default="float32"
        Of OpenVINO's arithmetic. The faster bfloat16 holds 3 significant digits. Keras has the
        precision that the model was made in.

    Returns
    -------
    CompiledNetwork

    Raises
    ------
    ParameterError
        If the model has several inputs, an engine or precision is unknown, or Keras is asked for
        bfloat16.
    MissingDependencyError
        If OpenVINO is asked for and not installed.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("lenet5", classes=10, random_state=0)
    >>> network = compile_for_inference(model)
    >>> network(np.zeros((2, 32, 32, 1), np.uint8)).shape
    (2, 10)
    """
    check_choice("engine", engine, ENGINES, owner="compile_for_inference")
    check_choice("precision", precision, tuple(PRECISIONS), owner="compile_for_inference")
    if len(model.inputs) != 1:
        raise ParameterError(
            f"compile_for_inference takes a model with one input. Got {len(model.inputs)}: "
            "tf.function(lambda images: model(images, training=False)) is the same for several."
        )
    if engine == "keras":
        if precision != "float32":
            raise ParameterError(
                "The 'precision' is OpenVINO's: engine='openvino', or build the model in "
                "keras.config.set_dtype_policy('mixed_bfloat16')."
            )
        return CompiledNetwork(model, traced)
    return CompiledNetwork(model, lambda *given: _by_openvino(*given, PRECISIONS[precision]))


class CompiledNetwork:
    """What `compile_for_inference` gives: called with a batch, it gives the outputs as arrays.

    Threads may call it at the same time.

    Parameters
    ----------
    model : keras.Model
    make : callable
        ``make(model, dtype)`` gives the function for images of a dtype, made on first use.
    """

    def __init__(self, model, make):
        self.model, self._make = model, make
        self._functions, self._lock = {}, threading.Lock()

    def __call__(self, images):
        """The outputs for a batch.

        Parameters
        ----------
        images : (n, ...) ndarray of uint8 or float32
            As the model takes them.

        Returns
        -------
        ndarray of float32, or list of them
            A list for a model with several outputs.

        Raises
        ------
        KindError
            If `images` is no array of such a dtype and of the model's shape.
        """
        self._check(images)
        function = self._functions.get(images.dtype)
        if function is None:
            with self._lock:
                if images.dtype not in self._functions:
                    self._functions[images.dtype] = self._make(self.model, images.dtype)
                function = self._functions[images.dtype]
        return function(images)

    def _check(self, images):
        expected = tuple(self.model.inputs[0].shape)
        fits = isinstance(images, np.ndarray) and images.ndim == len(expected)
        fits = fits and all(want in (None, got) for want, got in zip(expected, images.shape))
        if not fits or images.dtype not in (np.uint8, np.float32):
            came = type(images).__name__
            if isinstance(images, np.ndarray):
                came = f"an array of shape {images.shape} and dtype {images.dtype}"
            raise KindError(
                f"The network takes a batch of shape {expected}, uint8 or float32. Got {came}."
            )


def traced(model, dtype):
    """The model as a function that was traced once, for any number of images."""
    shape = tuple(model.inputs[0].shape)
    signature = [tf.TensorSpec((None, *shape[1:]), dtype)]
    function = tf.function(
        lambda images: model(tf.cast(images, model.inputs[0].dtype), training=False),
        input_signature=signature,
    ).get_concrete_function()

    def run(images):
        outputs = function(tf.constant(images))
        if isinstance(outputs, list | tuple):
            return [output.numpy() for output in outputs]
        return outputs.numpy()

    run.graph = function
    return run


def _by_openvino(model, dtype, precision):
    try:
        import openvino
    except ImportError as error:
        raise MissingDependencyError(
            "engine='openvino' needs OpenVINO: pip install vision-pipelines[openvino]."
        ) from error
    graph = traced(model, dtype).graph
    converted = openvino.convert_model(graph)
    # It takes what has a gradient of its own, such as swish, for outputs as well.
    kept = [converted.output(tensor.name) for tensor in graph.outputs]
    converted = openvino.Model(kept, converted.get_parameters())
    # Left to itself OpenVINO takes bfloat16 where the processor has it.
    compiled = openvino.Core().compile_model(
        converted, "CPU", {"INFERENCE_PRECISION_HINT": precision}
    )

    own = threading.local()  # a request serves one thread at a time, and to make one costs

    def run(images):
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        outputs = own.request.infer([images], share_inputs=True)
        found = [outputs[place].astype(np.float32) for place in range(len(compiled.outputs))]
        return found[0] if len(found) == 1 else found

    return run
