"""What a layer does to a map: its window, its multiply-adds, how far each value sees."""

import dataclasses
import math

from keras import layers

TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
PADDINGS = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
RESIZINGS = (layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D, layers.Resizing)
# A value after these depends on the whole picture.
GLOBAL = (
    layers.Flatten,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalMaxPooling3D,
    layers.MultiHeadAttention,
)
GLOBAL_OPERATIONS = ("Matmul", "Einsum", "Dot", "Tensordot")


@dataclasses.dataclass(frozen=True)
class Window:
    """A kernel that slides over a map; one entry a spatial axis.

    Parameters
    ----------
    kernel, stride, dilation : tuple of int
    padding : tuple of (int, int)
        Zeros before and after; Keras' "same" may put more of them after.

    Examples
    --------
    >>> Window((11, 11), (4, 4), ((0, 0), (0, 0)), (1, 1)).output((227, 227))
    (55, 55)
    """

    kernel: tuple
    stride: tuple
    padding: tuple
    dilation: tuple

    def output(self, size):
        """The size of the map that comes out: floor((W - F + 2P) / S) + 1."""
        return tuple(
            (side - reach + sum(around)) // step + 1
            for side, reach, around, step in zip(size, self.reach, self.padding, self.stride)
        )

    @property
    def reach(self):
        """The side of the kernel in pixels, gaps of the dilation included."""
        return tuple((k - 1) * gap + 1 for k, gap in zip(self.kernel, self.dilation))

    def padded(self, padding):
        """The same window with zeros put around the map before."""
        total = [(a + c, b + d) for (a, b), (c, d) in zip(self.padding, padding)]
        return dataclasses.replace(self, padding=tuple(total))


@dataclasses.dataclass(frozen=True)
class Field:
    """The receptive field: pixels of the input that a value sees, and the step to its neighbour's.

    Parameters
    ----------
    size, stride : tuple of int or float
        One entry a spatial axis, in pixels of the input.

    References
    ----------
    A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill, 2019, doi:10.23915/distill.00021.
    """

    size: tuple
    stride: tuple

    def through(self, reach, step):
        """The field behind a window of this reach and step: equation 2 of the reference."""
        size = [s + (r - 1) * jump for s, r, jump in zip(self.size, reach, self.stride)]
        return Field(tuple(size), tuple(_whole(j * s) for j, s in zip(self.stride, step)))


def _whole(number):
    return int(number) if number == int(number) else number


def sides(operation, shape):
    """The spatial part of a tensor's shape."""
    if getattr(operation, "data_format", None) == "channels_first":
        return tuple(shape[2:])
    return tuple(shape[1:-1])


def window(call):
    """The window of a convolution or pooling, or None.

    Parameters
    ----------
    call : Call

    Returns
    -------
    Window or None
    """
    operation = call.operation
    kernel = getattr(operation, "kernel_size", None) or getattr(operation, "pool_size", None)
    if kernel is None:
        return None
    size = sides(operation, call.inputs[0].shape)
    kernel, stride = _each(kernel, size), _each(operation.strides or kernel, size)
    dilation = _each(getattr(operation, "dilation_rate", 1), size)
    none = Window(kernel, stride, ((0, 0),) * len(size), dilation)
    if isinstance(operation, TRANSPOSED):
        return none
    return none.padded(_padding(operation.padding, size, none))


def _each(value, size):
    return (value,) * len(size) if isinstance(value, int) else tuple(value)


def _padding(mode, size, unpadded):
    pairs = []
    for side, reach, step in zip(size, unpadded.reach, unpadded.stride):
        if mode == "same":
            missing = max((math.ceil(side / step) - 1) * step + reach - side, 0)
            pairs.append((missing // 2, missing - missing // 2))
        else:
            pairs.append((reach - 1, 0) if mode == "causal" else (0, 0))
    return tuple(pairs)


def zeros_around(call):
    """The zeros that a padding layer puts around a map, one pair an axis, or None."""
    if not isinstance(call.operation, PADDINGS):
        return None
    padding = call.operation.padding
    return (tuple(padding),) if isinstance(padding[0], int) else tuple(padding)


def receptive_field(call, fields):
    """The receptive field behind a call.

    Parameters
    ----------
    call : Call
    fields : list of (Field or None)
        Those of its inputs.

    Returns
    -------
    Field or None
        None where a value depends on the whole picture.
    """
    operation, field = call.operation, _joined(fields)
    if field is None or isinstance(operation, GLOBAL) or _name(operation) in GLOBAL_OPERATIONS:
        return None
    found = window(call)
    if found is not None and isinstance(operation, TRANSPOSED):
        reach = [math.ceil(k / step) for k, step in zip(found.reach, found.stride)]
        return field.through(reach, [1 / step for step in found.stride])
    if found is not None:
        return field.through(found.reach, found.stride)
    if isinstance(operation, RESIZINGS):
        return _resized(call, field)
    if _name(operation) == "GetItem":
        return field.through((1,) * len(field.size), _steps(call, field))
    return field


def _name(operation):
    return type(operation).__name__


def _joined(fields):
    """The field of several maps together; a step is that of the coarsest."""
    if not fields or any(field is None for field in fields):
        return None
    sizes, strides = [f.size for f in fields], [f.stride for f in fields]
    return Field(tuple(map(max, zip(*sizes))), tuple(map(max, zip(*strides))))


def _resized(call, field):
    operation = call.operation
    before, after = (sides(operation, each[0].shape) for each in (call.inputs, call.outputs))
    reach = 1 if getattr(operation, "interpolation", "nearest") == "nearest" else 2
    return field.through((reach,) * len(before), [b / a for b, a in zip(before, after)])


def _steps(call, field):
    """The steps of an indexing ``x[:, ::2, ::2]`` along the spatial axes."""
    positional, named = call.arguments
    key = named["key"] if "key" in named else positional[1]
    key = key if isinstance(key, tuple) else (key,)
    given = [each.step or 1 if isinstance(each, slice) else 1 for each in key[1:]]
    given = [] if Ellipsis in key else given
    return (given + [1] * len(field.size))[: len(field.size)]


def multiply_adds(call):
    """Multiplications of a call for one picture, each with its addition.

    Counted are convolutions, dense layers, attention and matrix products, as in the papers;
    biases, normalisation, pooling and what works value by value are not.

    Parameters
    ----------
    call : Call

    Returns
    -------
    int or None
        None for a layer with weights whose work is not known.
    """
    layer = call.operation
    given, made = call.inputs[0].shape[1:], call.outputs[0].shape[1:]
    if isinstance(layer, SEPARABLE):
        positions = math.prod(sides(layer, call.outputs[0].shape))
        kernels = layer.depthwise_kernel, layer.pointwise_kernel
        return positions * sum(math.prod(kernel.shape) for kernel in kernels)
    if isinstance(layer, TRANSPOSED):
        return math.prod(sides(layer, call.inputs[0].shape)) * math.prod(layer.kernel.shape)
    if hasattr(layer, "kernel_size"):
        positions = math.prod(sides(layer, call.outputs[0].shape))
        return positions * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(given) * made[-1]
    if isinstance(layer, layers.MultiHeadAttention):
        return _attention(call)
    if _name(layer) == "Matmul":
        return math.prod(made) * given[-1]
    if isinstance(layer, layers.EinsumDense) or _name(layer) == "Einsum":
        return _einsum(call)
    return None if _has_matrices(layer) else 0


def _has_matrices(layer):
    weights = getattr(layer, "weights", ())
    return not isinstance(layer, layers.Embedding) and any(len(w.shape) > 1 for w in weights)


def _attention(call):
    """The four projections, then the scores and the weighted sums of every head."""
    layer, (query, value, *rest) = call.operation, call.inputs
    key = rest[0] if rest else value
    projections = (
        (query, layer.query_dense),
        (key, layer.key_dense),
        (value, layer.value_dense),
        (query, layer.output_dense),
    )
    total = sum(
        math.prod(tensor.shape[1:-1]) * math.prod(dense.kernel.shape)
        for tensor, dense in projections
    )
    pairs = math.prod(query.shape[1:-1]) * math.prod(key.shape[1:-1])
    return total + layer.num_heads * pairs * (layer.key_dim + layer.value_dim)


def _einsum(call):
    """The product of the sizes of all letters, and of the axes that an ellipsis stands for."""
    layer, shapes = call.operation, [tensor.shape for tensor in call.inputs]
    text = getattr(layer, "equation", None) or layer.subscripts
    if hasattr(layer, "kernel"):
        shapes.append(tuple(layer.kernel.shape))
    sizes = {}
    for term, shape in zip(text.replace(" ", "").split("->")[0].split(","), shapes):
        front, _, back = term.partition("...")
        sizes |= dict(zip(front, shape)) | dict(zip(reversed(back), reversed(shape)))
        if "..." in term:
            sizes["..."] = math.prod(filter(None, shape[len(front) : len(shape) - len(back)]))
    return math.prod(size for size in sizes.values() if size is not None)
