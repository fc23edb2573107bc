"""What makes a result the same: the content of the file, what the pipeline says and has learned.

The versions of libraries and of our own steps are kept beside a result, not in its key: another
version is reported, and computed again only when asked for.
"""

import hashlib
import io
import json
import zipfile

from isal import isal_zlib

from vision.composition import Composable
from vision.errors import ParameterError
from vision.versions import version_of

BYTES = 16
# The distributions behind the modules that steps work with; both OpenCVs count as one.
LIBRARIES = {"classical": ("opencv", "numpy"), "vision": ("opencv", "numpy"), "deep": ("keras",)}
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")


def content_hash(data):
    """The BLAKE2 hash of bytes or of an array: 32 hexadecimal digits.

    Examples
    --------
    >>> content_hash(b"a")
    '27c35e6e9373877f29e562464e46497e'
    """
    return hashlib.blake2b(data, digest_size=BYTES).hexdigest()


def check_sum(data):
    """The CRC-32 of bytes: whether our own output was altered, at next to no cost.

    Examples
    --------
    >>> check_sum(b"a")
    'e8b7be43'
    """
    return f"{isal_zlib.crc32(data):08x}"


def pipeline_key(pipeline, options):
    """The key of what a run computes: the pipeline's text, what it learned, and the options.

    Parameters
    ----------
    pipeline : Pipeline
        What runs.
    options : dict
        The options of the run that change its outputs: plain values.

    Returns
    -------
    str
        32 hexadecimal digits. Equal for a pipeline that was saved and loaded.

    Examples
    --------
    >>> from classical import Canny, Gray
    >>> key = pipeline_key(Gray() >> Canny(), {"format": None})
    >>> key == pipeline_key(Gray() >> Canny(), {"format": None})
    True
    >>> key == pipeline_key(Gray() >> Canny(low=99), {"format": None})
    False
    """
    from vision.archive import members

    digest = hashlib.blake2b(json.dumps(options, sort_keys=True).encode(), digest_size=BYTES)
    try:
        files = members(pipeline)
    except ParameterError:  # a step of the user's own: what it says of itself must do
        files = {"repr": repr(pipeline).encode()}
    for name in sorted(files):
        if name != "versions.json":
            digest.update(f"\0{name}\0".encode())
            digest.update(_canonical(files[name]))
    return digest.hexdigest()


def _canonical(data):
    """Bytes that are equal for equal state: archives without times, addresses and file names."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    hashes = {name: content_hash(part) for name, part in parts.items()}
    schema = parts.get("schema.json")
    if schema is not None:
        return json.dumps(_without_addresses(json.loads(schema), hashes, {})).encode()
    return json.dumps(sorted(hashes.items())).encode()


def _without_addresses(node, hashes, seen):
    if isinstance(node, list):
        return [_without_addresses(inner, hashes, seen) for inner in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key in sorted(node):
        value = node[key]
        if key == "__id__":
            value = seen.setdefault(value, len(seen))
        elif key == "file":
            value = hashes.get(value, value)
        elif key in ("_skops_version", "protocol"):
            continue
        kept[key] = _without_addresses(value, hashes, seen)
    return kept


def versions_of(pipeline):
    """The revisions of our steps, and the versions (major and minor) of the libraries they use.

    Returns
    -------
    dict of str to str or int

    Examples
    --------
    >>> from classical import Canny, Gray
    >>> sorted(versions_of(Gray() >> Canny()))
    ['Canny', 'Gray', 'numpy', 'opencv']
    """
    found = {}
    for step in all_steps(pipeline):
        module = type(step).__module__.partition(".")[0]
        if isinstance(step, Composable) and hasattr(type(step), "revision"):
            found[type(step).__name__] = type(step).revision
        used = LIBRARIES.get(module, ("scikit-learn",) if module == "sklearn" else (module,))
        for name in (*used, *getattr(type(step), "libraries", ())):
            found[name] = _version(name)
    return {name: found[name] for name in sorted(found)}


def all_steps(step):
    """A step and everything in it that is a step."""
    inner = step.get_params(deep=True).values() if hasattr(step, "get_params") else ()
    parts = [part for part in inner if hasattr(part, "get_params") and not isinstance(part, type)]
    whole = [] if type(step).__name__ == "Pipeline" else [step]
    return [*whole, *(part for part in parts if type(part).__name__ != "Pipeline")]


def _version(name):
    for distribution in OPENCV if name == "opencv" else (name,):
        version = version_of(distribution)
        if version is not None:
            return ".".join(version.split(".")[:2])
    return "unknown"
