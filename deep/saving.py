"""Networks as bytes: Keras' own archive, looked through before anything of it is used."""

import io
import json
import tempfile
from pathlib import Path

import keras

from deep.own_model import copied
from vision.errors import LoadError, ParameterError
from vision.zip_checks import open_zip, read_member, write_zip

CONFIG, METADATA = "config.json", "metadata.json"
MAX_BYTES = 2_000_000_000
_ADDRESS = "shared_object_id"
_OURS = "vision-pipelines"  # the package under which our own layers are registered


def network_bytes(model):
    """A network as the bytes of a ``.keras`` file, equal for equal networks.

    What it was compiled with, and the state of an optimizer, is left out.

    Parameters
    ----------
    model : keras.Model
        Without ``Lambda`` layers and layers of classes that are not registered.

    Returns
    -------
    bytes

    Raises
    ------
    ParameterError
        If the network has a part that `load_network` would refuse.

    Examples
    --------
    >>> import deep
    >>> model = deep.build("lenet5", classes=10, random_state=0)
    >>> network_bytes(model) == network_bytes(load_network(network_bytes(model)))
    True
    """
    if model.compiled:
        model = copied(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.keras")
        model.save(path)
        with path.open("rb") as stream, open_zip(stream, path.name, max_bytes=MAX_BYTES) as archive:
            files = {name: read_member(archive, name, path.name) for name in archive.namelist()}
    try:
        _check_config(files[CONFIG], "The network")
    except LoadError as error:
        raise ParameterError(f"It could not be loaded again. {error}") from None
    files[CONFIG] = json.dumps(_without_addresses(json.loads(files[CONFIG]), {})).encode()
    metadata = json.loads(files[METADATA])
    metadata.pop("date_saved", None)
    files[METADATA] = json.dumps(metadata).encode()
    return write_zip(files, packed=False)


def _without_addresses(node, numbers):
    """The configuration with shared objects numbered: Keras names them by their address."""
    if isinstance(node, list):
        return [_without_addresses(inner, numbers) for inner in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_addresses(value, numbers) for key, value in node.items()}
    address = kept.pop(_ADDRESS, None)
    # Whether two layers share a policy of precision tells nothing, and loading forgets it.
    if address is not None and kept.get("class_name") != "DTypePolicy":
        kept[_ADDRESS] = numbers.setdefault(address, len(numbers) + 1)
    return kept


def load_network(data, name="network.keras"):
    """The network of a ``.keras`` file; nothing that the file brings is run.

    Parameters
    ----------
    data : bytes
        Of the file.
    name : str, default="network.keras"
        What it is called in messages.

    Returns
    -------
    keras.Model
        Not compiled.

    Raises
    ------
    LoadError
        If it is damaged, claims more bytes than an honest file, or has a part that is neither
        Keras' own nor registered by this package: a ``Lambda`` layer is code.
    """
    with open_zip(io.BytesIO(data), name, max_bytes=MAX_BYTES) as archive:
        _check_config(read_member(archive, CONFIG, name), name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.keras")
        path.write_bytes(data)
        try:
            return keras.saving.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # of many kinds, by what is wrong in it
            reason = str(error).strip().split("\n")[0]
            raise LoadError(f"{name} is refused: {reason}") from error


def _check_config(data, name):
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{name} is refused: {CONFIG} is damaged ({error}).") from None
    waiting = [config]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            _check_class(node, name)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_class(node, name):
    """Refuse what describes an object of a foreign class."""
    made, module = node.get("class_name"), node.get("module")
    if made is None or not isinstance(made, str):
        return
    registered = str(node.get("registered_name") or "")
    ours = registered.startswith(f"{_OURS}>")
    known = module is None or str(module).split(".")[0] in ("keras", "builtins")
    if made == "Lambda" or "__lambda__" in made:
        raise LoadError(
            f"{name} is refused: its {made} layer is code that the file brings. Write it with "
            "keras.ops or with a layer of its own class."
        )
    if not (ours or known) or (module == "builtins" and made not in _PLAIN):
        raise LoadError(f"{name} is refused: it asks for {module}.{made}, which is not Keras' own.")


_PLAIN = {"slice", "dict", "list", "tuple", "int", "float", "str", "bool", "NoneType", "Ellipsis"}
