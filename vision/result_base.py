"""What every result shares: checks, equality by value, pickling, drawing, mapping, views."""

import base64
import dataclasses
import html

import numpy as np

from vision.canvas import blank, rgb_canvas
from vision.checks import refuse
from vision.drawing import thumbnail
from vision.errors import ImageError
from vision.mapping import check_matrix, check_shape

# Of the notebook view: pixels, rows of its table, grey level where no image was given.
_VIEW_SIZE, _VIEW_ROWS, _VIEW_GROUND = 640, 8, 48


class Result:
    """Base of the typed results: frozen dataclasses that check themselves when built.

    A subclass names its record keys in `columns` and writes ``_paint(canvas)``,
    ``_mapped(matrix, shape)`` and ``_rows()``.

    Attributes
    ----------
    columns : tuple of str
        The keys of every record, in order, known without an instance.
    shape : tuple of int
        The (height, width) of the image that the result refers to.
    """

    columns = ()
    kind = None
    # NumPy leaves comparison with arrays to us.
    __array_ufunc__ = None

    def draw(self, image, *, out=None):
        """The result drawn on its image.

        Parameters
        ----------
        image : ndarray of shape (H, W) or (H, W, 3), uint8
            Grey or RGB; left as it is.
        out : ndarray of shape (H, W, 3), uint8, optional
            What is drawn on instead of a new picture: `image` itself, where its pixels are not
            needed any more and a copy would cost time.

        Returns
        -------
        picture : ndarray of shape (H, W, 3), uint8
            A new RGB image, or `out`.

        Raises
        ------
        ImageError
            If it is no grey or RGB uint8 image, or not of the result's `shape`.
        """
        canvas = rgb_canvas(image, self.shape, type(self).__name__, out)
        painted = self._paint(canvas)
        return canvas if painted is None else painted

    def to_records(self):
        """Rows for a table: ``pandas.DataFrame(found.to_records(), columns=found.columns)``.

        Returns
        -------
        records : list of dict
            One an object, keyed by `columns`, of plain Python values; None where not known.
        """
        return [dict(zip(self.columns, row, strict=True)) for row in self.to_table()]

    def to_table(self):
        """The rows of `to_records` as lists, in the order of `columns`.

        Returns
        -------
        table : list of list
        """
        return [list(row) for row in self._rows()]

    def mapped(self, matrix, shape):
        """The same result in another image.

        Objects that lie outside that image altogether are left out; what crosses its border is
        cut there.

        Parameters
        ----------
        matrix : array-like of shape (3, 3)
            The homography from the pixel centres (x, y) of this image to those of the other.
        shape : tuple of int
            The (height, width) of the other image.

        Returns
        -------
        result
            A new one of the same class.

        Raises
        ------
        ParameterError
            If the matrix is no invertible homography, or `shape` no image's.
        """
        owner = f"{type(self).__name__}.mapped"
        return self._mapped(check_matrix(matrix, owner), check_shape("shape", shape, owner))

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return all(_same(mine, theirs) for mine, theirs in zip(_values(self), _values(other)))

    __hash__ = None  # equal by value, and the values are arrays

    def __reduce__(self):
        # Through the constructor: unpickled arrays would come back writeable.
        return type(self), _values(self)

    def __array__(self, dtype=None, copy=None):
        # One object, not a sequence: np.asarray(list of results) holds a result in each place,
        # as scikit-learn expects of truth and predictions.
        cell = np.empty((), object)
        cell[()] = self
        return cell

    def _repr_png_(self, image=None):
        from vision.io import encode

        canvas = blank(self._canvas_shape(), _VIEW_GROUND) if image is None else image
        return encode(thumbnail(self.draw(canvas), _VIEW_SIZE), "png")

    def _repr_html_(self, image=None):
        picture = base64.b64encode(self._repr_png_(image)).decode("ascii")
        caption = html.escape(self._caption())
        return (
            f'<figure><img src="data:image/png;base64,{picture}" alt="{caption}">'
            f"<figcaption>{caption}</figcaption></figure>{self._table()}"
        )

    def _caption(self):
        return repr(self)

    def _canvas_shape(self):
        return self.shape

    def _table(self):
        records = self.to_records()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        rows = "".join(
            f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in record.values())}</tr>"
            for record in records[:_VIEW_ROWS]
        )
        more = len(records) - _VIEW_ROWS
        rest = f"<p>and {more} more</p>" if more > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}"

    @classmethod
    def unchecked(cls, **values):
        """An instance of fields that are known to be right: what a library gave, say.

        Parameters
        ----------
        **values
            All fields, as the constructor leaves them: float64 arrays, a shape of two ints.
            Arrays become read-only.

        Returns
        -------
        result
        """
        self = object.__new__(cls)
        self._hold(**values)
        return self

    def _hold(self, **values):
        """Set fields of the frozen instance, from `__post_init__` alone."""
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)


class Rows(Result):
    """Base of results that are a table of objects: the fields in `row_fields` have n rows each.

    ``len(result)`` counts the objects; ``result[mask]``, ``result[indices]``, ``result[2:5]``
    and ``result[0]`` give a result of the chosen ones.
    """

    row_fields = ()

    def __len__(self):
        return len(getattr(self, self.row_fields[0]))

    def __getitem__(self, index):
        rows = np.atleast_1d(chosen(index, len(self), type(self).__name__))
        held = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in self.row_fields:
            if held[name] is not None:
                held[name] = held[name].take(rows, axis=0)
        return self.unchecked(**held)

    def __repr__(self):
        return f"{type(self).__name__}({len(self)} in {described(self.shape)})"


def described(shape):
    """An image's size in words.

    Examples
    --------
    >>> described((480, 640))
    '640 x 480 pixels'
    """
    return "an image of unknown size" if shape is None else f"{shape[1]} x {shape[0]} pixels"


def chosen(index, count, owner):
    """What an index chooses of `count` objects: their numbers, or the number of the one.

    Raises
    ------
    ParameterError
        If a mask has another length, or it is no number, slice, mask or list of whole numbers.
    IndexError
        If an object does not exist.

    Examples
    --------
    >>> chosen([True, False, True], 3, "Lines").tolist()
    [0, 2]
    """
    if isinstance(index, slice):
        return np.arange(count)[index]
    rows = np.asarray(index)
    if rows.ndim > 1 or (rows.size and rows.dtype.kind not in "biu"):
        refuse("index", index, "a whole number, a slice, a mask or whole numbers", owner)
    if rows.dtype.kind == "b":
        if rows.shape != (count,):
            refuse("index", index, f"a mask of {count} entries, one an object", owner)
        return np.flatnonzero(rows)
    return np.arange(count)[rows if rows.size else rows.astype(np.intp)]


def numbers_field(name, value, owner, *, columns=None, count=None, at_least=None):
    """A field of numbers as a new float64 array, (n,) or (n, `columns`).

    Raises
    ------
    ParameterError
        If it has another shape, another length than `count`, or an entry is not finite or below
        `at_least`.

    Examples
    --------
    >>> numbers_field("radii", [1, 2], "Circles").tolist()
    [1.0, 2.0]
    """
    form = "(n,)" if columns is None else f"(n, {columns})"
    allowed = f"finite numbers of shape {form}"
    if count is not None:
        allowed += f" with n = {count}, one row an object"
    if at_least is not None:
        allowed += f", at least {at_least}"
    array = _as_floats(value)
    if array is None:
        refuse(name, value, allowed, owner)
    if array.shape == (0,) and columns is not None:
        array = array.reshape(0, columns)
    fits = array.ndim == 1 if columns is None else array.shape[1:] == (columns,)
    fits = fits and (count is None or len(array) == count) and np.isfinite(array).all()
    if not fits or (at_least is not None and (array < at_least).any()):
        refuse(name, value, allowed, owner)
    return array


def check_map(name, value, dtype, owner):
    """Refuse what is no map over all pixels.

    Parameters
    ----------
    name : str
        The field.
    value : object
        What was given.
    dtype : type
        What its numbers must be.
    owner : str
        The class, for the message.

    Raises
    ------
    ImageError
        If it is no (H, W) array of that dtype with pixels.

    Examples
    --------
    >>> check_map("values", np.zeros((2, 3), np.float32), np.float32, "Heatmap")
    """
    if isinstance(value, np.ndarray) and value.dtype == dtype and value.ndim == 2 and value.size:
        return
    came = f"a value of type {type(value).__name__}"
    if isinstance(value, np.ndarray):
        came = f"an array of shape {value.shape} and dtype {value.dtype}"
    wanted = np.dtype(dtype).name
    raise ImageError(
        f"The '{name}' of {owner} must be an (H, W) {wanted} array with at least one pixel. "
        f"Got {came}; {name}.astype(np.{wanted}) changes the dtype."
    )


def _as_floats(value):
    try:
        array = np.array(value)
    except (TypeError, ValueError):  # rows of different lengths
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def plain(array, count):
    """An array's rows as plain Python values, or None `count` times.

    Examples
    --------
    >>> plain(np.array([1.5]), 1), plain(None, 2)
    ([1.5], [None, None])
    """
    return [None] * count if array is None else array.tolist()


def _values(result):
    return tuple(getattr(result, field.name) for field in dataclasses.fields(result))


def _same(one, other):
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        both = isinstance(one, np.ndarray) and isinstance(other, np.ndarray)
        return both and one.dtype.kind == other.dtype.kind and np.array_equal(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _cell(value):
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else html.escape(str(value))
