"""What a comparison keeps in its folder, so that nothing that has finished is done again.

A file for each thing that was done with a candidate, named after it and a key: of the candidate as
it is written down, the pixels and truth, the folds, the seed and the versions of the libraries. A
change in any of them is another key. Code of steps of one's own is not in it.
"""

import contextlib
import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
from isal import isal_zlib

from vision.array_files import decode_npy, encode_npy, slug
from vision.atomic import write_bytes
from vision.checks import refuse
from vision.errors import LoadError, VisionError
from vision.fingerprints import content_hash, pipeline_key, versions_of
from vision.zip_checks import open_zip, read_member, write_zip

FORMAT = 2
MAX_BYTES = 50_000_000_000
META = "meta.json"


class Store:
    """A folder of finished work.

    Parameters
    ----------
    folder : str or path-like
        Made where it is missing.

    Raises
    ------
    ParameterError
        If it is no folder and cannot become one.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            refuse("folder", str(folder), "a folder that can be written to", "compare", str(error))

    def path(self, name, key, suffix):
        """The file of something done with the candidate `name`."""
        return self.folder / f"{slug(name)}-{key}{suffix}"

    def get(self, name, key):
        """What was kept.

        Returns
        -------
        dict or None
            None where there is nothing, or what is there is damaged.
        """
        path = self.path(name, key, ".zip")
        try:
            with path.open("rb") as file, open_zip(file, path.name, max_bytes=MAX_BYTES) as found:
                plain = json.loads(read_member(found, META, path.name))
                arrays = {
                    member.removesuffix(".npy"): decode_npy(
                        read_member(found, member, path.name), member
                    )
                    for member in found.namelist()
                    if member != META
                }
        except (OSError, ValueError, LoadError):
            return None
        return plain | arrays

    def put(self, name, key, values):
        """Keep arrays and plain values by name, atomically."""
        arrays = {member: one for member, one in values.items() if isinstance(one, np.ndarray)}
        plain = {member: one for member, one in values.items() if member not in arrays}
        files = {META: json.dumps(plain).encode()}
        files |= {f"{member}.npy": encode_npy(array) for member, array in arrays.items()}
        self.write(self.path(name, key, ".zip"), write_zip(files))

    def write(self, path, data):
        """What a power cut damages is noticed when it is read, and done again."""
        write_bytes(path, data, durable=False)


class Archived:
    """Fitted pipelines in files, each read when it is asked for.

    Parameters
    ----------
    paths : sequence of path-like
    """

    def __init__(self, paths):
        self.paths, self._read = tuple(paths), {}

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, place):
        from vision.archive import load

        if place not in self._read:
            self._read[place] = load(self.paths[place])
        return self._read[place]


def candidate_key(estimator):
    """What is the same for the same candidate under the same versions.

    Parameters
    ----------
    estimator : estimator
        Its parameters count, not what it may have learned.

    Returns
    -------
    str or None
        32 hexadecimal digits; None if the candidate cannot be written down in any form.
    """
    from sklearn.base import clone

    from vision.archive import members

    try:
        fresh = clone(estimator)
    except Exception:  # whatever a class of the user's own raises there: it has a row for that
        return None
    told = {"versions": versions_of(fresh), "format": FORMAT}
    with contextlib.suppress(VisionError):
        members(fresh)
        return pipeline_key(fresh, told)
    try:
        return told_key(told | {"pickle": content_hash(pickle.dumps(fresh))})
    except Exception:  # so too where it is pickled
        return None


def told_key(told):
    """What is the same for equal plain values.

    Examples
    --------
    >>> told_key({"a": 1, "b": [2]}) == told_key({"b": [2], "a": 1})
    True
    """
    return content_hash(json.dumps(told, sort_keys=True).encode())


def content_key(truth):
    """What is the same for the same entries: labels, arrays, and lists of them.

    Examples
    --------
    >>> content_key(["a", "b"]) == content_key(np.array(["a", "b"])) == content_key(["a", "c"])
    False
    >>> content_key(["a", "b"]) == content_key(["a", "b"])
    True
    """
    digest = hashlib.blake2b(digest_size=16)
    _add(digest, truth)
    return digest.hexdigest()


def _add(digest, value):
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif hasattr(value, "__len__") and not isinstance(value, str | bytes):
        digest.update(f"[{len(value)}".encode())
        for entry in value:
            _add(digest, entry)
    else:
        digest.update(f"{value!r};".encode())


KEPT = ("memory_bytes", "parameters", "size_bytes", "fit_seconds", "notes", "probabilities")


def keep_outcome(store, name, key, outcome):
    """Keep a candidate that has finished: what it said, and each fold's fitted pipeline.

    Parameters
    ----------
    store : Store
    name, key : str
    outcome : Outcome
        Without error.
    """
    archives = outcome.archives or ()
    if any(data is None for data in archives):  # a model belongs to its fold: all of them or none
        archives = ()
    for fold, data in enumerate(archives):
        store.write(store.path(name, key, f"-fold{fold}.vision"), data)
    values = {field: getattr(outcome, field) for field in KEPT}
    values["latency"] = vars(outcome.latency)
    values["archives"] = [isal_zlib.crc32(data) for data in archives]
    if any(isinstance(one, np.ndarray) for one in outcome.predictions):
        values |= _packed(outcome.predictions)
    else:
        values["predictions"] = outcome.predictions
    store.put(name, key, values)


def kept_outcome(store, name, key):
    """The candidate as it was kept.

    Returns
    -------
    Outcome or None
        None where there is nothing whole.
    """
    from vision.comparison_candidates import Outcome
    from vision.comparison_result import Latency

    found = store.get(name, key)
    if found is None:
        return None
    sums = found["archives"]
    paths = [store.path(name, key, f"-fold{fold}.vision") for fold in range(len(sums))]
    try:
        if [isal_zlib.crc32(path.read_bytes()) for path in paths] != sums:
            return None
    except OSError:
        return None
    return Outcome(
        **{field: found[field] for field in KEPT}
        | {field: tuple(found[field]) for field in ("fit_seconds", "notes")},
        latency=Latency(**found["latency"]),
        predictions=found["predictions"] if "predictions" in found else _unpacked(found),
        fitted=Archived(paths),
    )


def _packed(pictures):
    """Arrays of any shapes, None among them, as three arrays: one file for each would be many."""
    given = [np.zeros(0, bool) if one is None else np.asarray(one) for one in pictures]
    shapes = np.full((len(given), 4), -1)
    for row, one in zip(shapes, given, strict=True):
        row[: one.ndim] = one.shape
    return {
        "pictures": np.frombuffer(b"".join(one.tobytes() for one in given), np.uint8),
        "shapes": shapes,
        "dtypes": np.array([one.dtype.str for one in given]),
    }


def _unpacked(arrays):
    pictures, at = [], 0
    for shape, dtype in zip(arrays["shapes"], arrays["dtypes"].tolist(), strict=True):
        shape = tuple(shape[shape >= 0].tolist())
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        data = arrays["pictures"][at : at + size]
        picture = np.frombuffer(data.tobytes(), dtype).reshape(shape).copy()
        pictures.append(None if shape == (0,) else picture)
        at += size
    return pictures
