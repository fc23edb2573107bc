"""The table that a lecturer draws of a network: every layer with its sizes and its costs."""

import dataclasses
import html

from vision.checks import refuse
from vision.errors import ParameterError

COLUMNS = {
    "layer": "layer",
    "kind": "type",
    "filters": "filters",
    "kernel": "kernel",
    "stride": "stride",
    "padding": "padding",
    "output": "output",
    "activation": "activation",
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "receptive_field": "receptive field",
    "receptive_stride": "its stride",
}
NUMBERS = {"filters", "parameters", "multiply_adds"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer of a `LayerTable`; sizes as tuples, None where it has none.

    Parameters
    ----------
    layer, kind : str
        The layer's name, behind those of the models it is in (``"mobilenet/conv1"``), and its
        class.
    input, output : tuple of int
        Shapes without the batch, in front of the padding.
    filters : int or None
        Channels that a convolution makes; neurons of a dense layer.
    kernel, stride : tuple of int or None
        In pixels, (height, width).
    padding : tuple of (int, int) or None
        Zeros before and after, for height and width; those of a padding layer in front included.
        None for a transposed convolution.
    activation : str or None
        The layer's own, or that of the activation layer which alone follows.
    parameters, trainable : int
        All numbers that the layer holds, and those that training changes; 0 where a layer is used
        a second time.
    multiply_adds : int or None
        For one picture; None where they are not known.
    receptive_field, receptive_stride : tuple of int or None
        Pixels of the input that one value depends on, and the step to its neighbour's, (height,
        width); None where a value depends on the whole picture.
    """

    layer: str
    kind: str
    input: tuple
    output: tuple
    filters: int | None = None
    kernel: tuple | None = None
    stride: tuple | None = None
    padding: tuple | None = None
    activation: str | None = None
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int | None = 0
    receptive_field: tuple | None = None
    receptive_stride: tuple | None = None

    def texts(self):
        """The row as it is printed: column name to text, None where there is nothing.

        Returns
        -------
        dict of str to (str, int or None)

        Examples
        --------
        >>> LayerRow(layer="pool", kind="MaxPooling2D", input=(8, 8, 3), output=(4, 4, 3),
        ...          kernel=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0))).texts()["kernel"]
        '2x2'
        """
        shown = {name: getattr(self, name) for name in COLUMNS}
        shown["kernel"] = _times(self.kernel)
        shown["stride"] = _one(self.stride)
        shown["padding"] = None if self.padding is None else _one(map(_pair, self.padding))
        shown["output"] = _times(self.output)
        shown["receptive_field"] = _times(self.receptive_field)
        shown["receptive_stride"] = _one(self.receptive_stride)
        return shown


def _times(sizes):
    return None if sizes is None else "x".join(f"{size:g}" for size in sizes)


def _one(values):
    """A value that all axes share, once."""
    if values is None:
        return None
    shown = [value if isinstance(value, str) else f"{value:g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else "x".join(shown)


def _pair(padding):
    before, after = padding
    return f"{before}" if before == after else f"{before}+{after}"


@dataclasses.dataclass(frozen=True)
class LayerTable:
    """The layers of a network, from `describe`.

    It prints as a table of text and shows as one in a notebook; ``table["conv1"]`` is one row,
    ``table[0]`` the first.

    Parameters
    ----------
    name : str
        Of the model.
    input_shape : tuple of int
        (height, width, channels).
    rows : tuple of LayerRow
        In the order of the calls.
    """

    name: str
    input_shape: tuple
    rows: tuple

    @property
    def parameters(self):
        """int: All numbers that the network holds."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self):
        """int: Those that training changes."""
        return sum(row.trainable for row in self.rows)

    @property
    def multiply_adds(self):
        """int: Of one picture through all layers whose work is known."""
        return sum(row.multiply_adds or 0 for row in self.rows)

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return iter(self.rows)

    def __getitem__(self, key):
        if not isinstance(key, str):
            return self.rows[key]
        for row in self.rows:
            if row.layer == key:
                return row
        from vision.errors import UnknownNameError
        from vision.nearest import did_you_mean

        hint = did_you_mean(key, [row.layer for row in self.rows])
        raise UnknownNameError(f"{self.name} has no layer {key!r}. {hint}".strip())

    def to_records(self):
        """The rows as dictionaries of texts and numbers, for a table.

        Returns
        -------
        list of dict
            The printed columns, with ``input`` and ``trainable``.
        """
        return [
            row.texts() | {"input": _times(row.input), "trainable": row.trainable}
            for row in self.rows
        ]

    def totals(self):
        """The sums in one sentence.

        Returns
        -------
        str
        """
        unknown = [row.layer for row in self.rows if row.multiply_adds is None]
        without = f" (not known: {', '.join(unknown)})" if unknown else ""
        return (
            f"{self.name} on {_times(self.input_shape)}: {self.parameters:,} parameters, "
            f"{self.trainable:,} trainable; {self.multiply_adds:,} multiply-adds{without}"
        )

    def _cells(self):
        for row in self.rows:
            yield [_cell(name, value) for name, value in row.texts().items()]

    def __repr__(self):
        table = [list(COLUMNS.values()), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*table)]
        lines = [_line(cells, widths) for cells in table]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], self.totals()])

    def _repr_html_(self):
        head = "".join(f"<th>{title}</th>" for title in COLUMNS.values())
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
            for cells in self._cells()
        )
        caption = f"<caption>{html.escape(self.totals())}</caption>"
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(name, value):
    if value is None:
        return {"multiply_adds": "?", "receptive_field": "all"}.get(name, "")
    return f"{value:,}" if name in NUMBERS else str(value)


def _line(cells, widths):
    aligned = [
        cell.rjust(width) if name in NUMBERS else cell.ljust(width)
        for name, cell, width in zip(COLUMNS, cells, widths)
    ]
    return "  ".join(aligned)


def describe(model, input_shape=None):
    """The table of a network's layers: sizes, parameters, multiply-adds, receptive fields.

    Nothing is computed with pictures. Layers of nested models are listed too. A padding layer is
    told in the row of the window that follows, an activation layer in the row before it;
    operations without weights and without multiply-adds have no row.

    Parameters
    ----------
    model : str, keras.Model or CNNClassifier
        A name of `deep.list_architectures`, built for the size with 1000 classes; or a functional
        or Sequential model with one input; or a fitted classifier with such a network.
    input_shape : tuple of int, optional
        (height, width, channels); by default the model's own, or the paper's.

    Returns
    -------
    LayerTable

    Raises
    ------
    UnknownNameError
        If no architecture has the name.
    ParameterError
        If the size is not known or does not fit the weights, or the layers cannot be listed.

    Notes
    -----
    The output of a window is floor((W - F + 2P) / S) + 1, with W the input, F the kernel, P the
    padding and S the stride. Multiply-adds are those of convolutions, dense layers, attention and
    matrix products, as papers count them; biases, normalisation and pooling are left out.

    References
    ----------
    A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill, 2019, doi:10.23915/distill.00021.

    Examples
    --------
    >>> import deep
    >>> table = deep.describe("lenet5")
    >>> row = table["C1"]
    >>> row.output, row.parameters, row.multiply_adds, row.receptive_field
    ((28, 28, 6), 156, 117600, (5, 5))
    >>> table.parameters  # with 1000 classes
    145856
    """
    from deep.layer_rows import rows_of

    if isinstance(model, str):
        from deep.building import build

        model = build(model, input_shape)
    model = getattr(model, "model_", model)
    if not hasattr(model, "layers"):
        allowed = "a name, a keras.Model or a fitted CNNClassifier"
        refuse("model", model, allowed, "describe")
    shape = _input_shape(model, input_shape)
    return LayerTable(model.name, shape, rows_of(model, shape))


def _input_shape(model, given):
    inputs = getattr(model, "inputs", None) or ()
    if len(inputs) > 1:
        raise ParameterError(f"describe takes a model with one input. {model.name} has several.")
    own = tuple(inputs[0].shape[1:]) if inputs else ()
    shape = tuple(given or own)
    if not shape or None in shape:
        raise ParameterError(
            f"The size of {model.name}'s input is not known: {shape or 'it is not built'}. Give "
            "describe an input_shape=(height, width, channels)."
        )
    return shape
