"""Files with the weights of networks, read layer by layer without trusting them.

Three layouts are known: the ``.h5`` of Keras 2 and of `keras.applications`, which lists its layers
in order; the ``.weights.h5`` of Keras 3, which numbers them by class; and the ``.keras`` archive,
of which only the ``model.weights.h5`` in it is opened. The configuration of a network, the only
part that could name code, is never looked at.
"""

import contextlib
import dataclasses
import io
import itertools
import re
from pathlib import Path

import h5py
import numpy as np

from vision.errors import LoadError, VisionError
from vision.zip_checks import open_zip, read_member

MEMBER = "model.weights.h5"  # of a .keras archive
HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
FILTERS = {1, 2, 3}  # deflate, shuffle, checksum: what HDF5 itself brings
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)


@dataclasses.dataclass(frozen=True)
class SavedLayer:
    """The weights of one layer as a file has them.

    Parameters
    ----------
    name : str
        Of the layer when it was saved.
    arrays : tuple of h5py.Dataset
        Not read yet; they live as long as the file is open.
    """

    name: str
    arrays: tuple

    @property
    def shapes(self):
        """The shape of each array."""
        return [tuple(array.shape) for array in self.arrays]

    def read(self):
        """The arrays, float32 unless they hold whole numbers.

        Raises
        ------
        LoadError
            If one is packed in an unknown way, lies in another file, is larger packed than as it
            is, or holds infinities or no numbers.
        """
        return [_array(dataset, self.name) for dataset in self.arrays]


@contextlib.contextmanager
def open_weights(path, max_bytes):
    """The root of the layers in a file, while the context lasts.

    Parameters
    ----------
    path : path-like
        A regular file.
    max_bytes : int
        The most that a ``.keras`` archive may hold unpacked.

    Yields
    ------
    h5py.Group

    Raises
    ------
    LoadError
        If the file is no HDF5 and no Keras archive, is damaged, or holds no weights of Keras;
        damage found while the context lasts too.
    """
    name = Path(path).name
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise _refused(name, f"it cannot be read ({error.strerror})") from error
    try:
        with stream, _hdf5(stream, path, max_bytes) as file:
            yield _root(file, name)
    except VisionError:
        raise
    except _DAMAGE as error:
        raise _refused(name, f"it is damaged ({_first_line(error)}). Fetch it again") from error


def _hdf5(stream, path, max_bytes):
    name, start = Path(path).name, stream.read(len(HDF5))
    if start == HDF5:
        return h5py.File(path, "r")
    if not start.startswith(ZIP):
        hint = "give a .h5, .weights.h5 or .keras file"
        raise _refused(name, f"it is neither HDF5 nor a Keras archive: {hint}")
    with open_zip(stream, name, max_bytes=max_bytes) as archive:
        if MEMBER not in archive.namelist():
            raise _refused(name, f"it is a zip without {MEMBER!r}, so no Keras archive")
        return h5py.File(io.BytesIO(read_member(archive, MEMBER, name)), "r")


def _root(file, name):
    """The group that holds the layers: the file itself, or the part of a whole saved model."""
    if _is_ordered(file) or _numbered_group(file):
        return file
    if "model_weights" in file and _is_ordered(whole := _child(file, "model_weights")):
        return whole
    raise _refused(name, "it is HDF5, but holds no weights as Keras saves them")


def match_layers(root, layers):
    """The saved layer for each layer of a network, and how many more the file has.

    Parameters
    ----------
    root : h5py.Group
        From `open_weights`.
    layers : list of keras.Layer
        All layers of the network, in its own order.

    Returns
    -------
    saved : dict
        From each layer that has weights to its `SavedLayer`, or None where the file ends earlier.
    more : int
        Saved layers that no layer was found for.
    """
    weighted = [layer for layer in layers if layer.weights]
    if _is_ordered(root):
        ordered = _ordered_layers(root)
        ordered += [None] * (len(weighted) - len(ordered))
        return dict(zip(weighted, ordered)), len(ordered) - len(weighted)
    numbered = _numbered_layers(root)
    keys = _keys(layers)
    saved = {layer: numbered.pop(keys[layer], None) for layer in weighted}
    return saved, len(numbered)


def _is_ordered(group):
    return "layer_names" in group.attrs or "layer_names0" in group.attrs


def _ordered_layers(root):
    found = []
    for name in _names(root, "layer_names"):
        group = _child(root, name)
        weights = _names(group, "weight_names")
        if weights:
            found.append(SavedLayer(name, tuple(_child(group, weight) for weight in weights)))
    return found


def _names(group, attribute):
    """A list of names, which Keras cuts into pieces where it is too long for one attribute."""
    pieces = [attribute]
    if attribute not in group.attrs:
        numbered = (f"{attribute}{number}" for number in itertools.count())
        pieces = itertools.takewhile(group.attrs.__contains__, numbered)
    names = [name for piece in pieces for name in group.attrs[piece]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _numbered_group(file):
    for name in ("layers", "_layer_checkpoint_dependencies"):  # the second by early Keras 2.13
        if name in file:
            return _child(file, name)
    return None


def _numbered_layers(root):
    group, found = _numbered_group(root), {}
    for key in group:
        layer = _child(group, key)
        variables = _child(layer, "vars") if "vars" in layer else {}
        if len(variables):
            arrays = tuple(_child(variables, str(place)) for place in range(len(variables)))
            found[key] = SavedLayer(str(variables.attrs.get("name", key)), arrays)
    return found


def _keys(layers):
    """The names of Keras 3 for layers: the class in snake case, numbered from the second on."""
    keys, counts = {}, {}
    for layer in layers:
        kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
        kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()
        number = counts[kind] = counts.get(kind, -1) + 1
        keys[layer] = f"{kind}_{number}" if number else kind
    return keys


def _child(group, path):
    """A group or array within `group`, never by a link that could lead to another file."""
    for name in path.split("/"):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise LoadError(f"The weights are refused: {path!r} is missing, or only a link.")
        group = group[name]
    return group


def _array(dataset, name):
    reason = _unsound(dataset)
    if reason:
        raise LoadError(f"The weights of the layer {name!r} are refused: {reason}.")
    values = dataset[()]
    if values.dtype.kind == "f":
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise LoadError(f"The weights of the layer {name!r} are refused: they are not finite.")
    return values


def _unsound(dataset):
    """Why an array must not be read, before its data are touched; None if it may."""
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        return "they are no numbers"
    stored = dataset.id.get_create_plist()
    if dataset.is_virtual or stored.get_external_count():
        return "they lie in another file"
    if not {stored.get_filter(place)[0] for place in range(stored.get_nfilters())} <= FILTERS:
        return "they are packed by a filter that HDF5 does not bring"
    if dataset.chunks and any(chunk > side for chunk, side in zip(dataset.chunks, dataset.shape)):
        return "they are stored in pieces larger than themselves"
    return None


def _refused(name, reason):
    return LoadError(f"{name!r} is refused: {reason}.")


def _first_line(error):
    return str(error).strip().split("\n")[0]
