"""Where the pictures of `vision.Images` lie: files, members of a zip archive, arrays in memory.

Each place knows its `root`, the names of its `members` relative to that, and for a position among
them the bytes (`data`), the picture made of these, with the number of their pages (`decoded`), and
numbers that change when it does (`state`). `take` gives the same place with some of its members.
Tar archives are in `vision.tar_source`, object stores in `vision.remote_source`.
"""

import glob
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vision.checks import refuse
from vision.errors import ImageError, ImageNotFoundError
from vision.file_listing import matches, only_pictures, walk
from vision.headers import EXTENSIONS
from vision.io import MAX_BYTES, decode_first, load_file
from vision.regular_file import file_state

MANIFESTS = frozenset({".txt", ".csv", ".parquet"})
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(://|::)")


class Files:
    """Files below a folder.

    Parameters
    ----------
    root : path-like
    members : list of str
    shown : str
        Where they are, in words that follow their number.
    """

    noun = "file"

    def __init__(self, root, members, shown):
        self.root, self.members, self.shown = str(root), members, shown

    def data(self, position, max_pixels):
        """The bytes of a file."""
        return load_file(self.path(position), max_pixels=max_pixels)[0]

    def loaded(self, position, max_pixels):
        """The bytes of a file, and its state before they were read."""
        if type(self) is Files:  # no second look at where it is
            return load_file(self.path(position), max_pixels=max_pixels)
        state = self.state(position)
        return self.data(position, max_pixels), state

    def decoded(self, position, data, mode, max_pixels):
        """The first picture that its bytes hold, and how many there are."""
        return decode_first(data, mode=mode, max_pixels=max_pixels, path=self.path(position))

    def state(self, position):
        """What changes when it does: plain values; None if they are not to be had."""
        return file_state(self.path(position))

    def path(self, position):
        """What it is called in messages."""
        return f"{self.root}/{self.members[position]}"

    def take(self, positions):
        """Only some of them."""
        return type(self)(self.root, [self.members[i] for i in positions], self.shown)


class ZipMembers(Files):
    """Members of a zip archive, which is opened on use and never unpacked."""

    def __init__(self, *args):
        super().__init__(*args)
        self.lock, self.zip = threading.Lock(), None

    def data(self, position, max_pixels):
        member = self.members[position]
        try:
            with self.lock:
                if self._info(member).file_size > MAX_BYTES:
                    raise ValueError(f"more than {MAX_BYTES:,} bytes")
                return self.zip.read(member)
        except Exception as error:  # zipfile lets some ten types through
            reason = f"cannot be taken out of the archive: {error}"
            raise ImageError(reason, self.path(position)) from error

    def state(self, position):
        try:
            with self.lock:
                found = self._info(self.members[position])
        except Exception:  # told, with its reason, when it is read
            return None
        return [found.file_size, found.CRC, 0]

    def _info(self, member):
        self.zip = self.zip or zipfile.ZipFile(self.root)
        return self.zip.getinfo(member)

    def __reduce__(self):
        return type(self), (self.root, self.members, self.shown)


class Arrays:
    """Pictures in memory: one array, or a list of them."""

    root, noun, shown = None, "array", ""

    def __init__(self, arrays, members=None):
        digits = max(6, len(str(len(arrays) - 1)))
        self.members = members or [f"{i:0{digits}d}" for i in range(len(arrays))]
        self.arrays = arrays

    def data(self, position, max_pixels):
        """The array."""
        return self.arrays[position]

    def loaded(self, position, max_pixels):
        """The array, and None."""
        return self.arrays[position], None

    def decoded(self, position, data, mode, max_pixels):
        """The array, which is one."""
        return data, 1

    def state(self, position):
        """None: only its content tells."""

    def take(self, positions):
        """Only some of them."""
        stacked = isinstance(self.arrays, np.ndarray)
        arrays = self.arrays[positions] if stacked else [self.arrays[i] for i in positions]
        return Arrays(arrays, [self.members[i] for i in positions])


def open_source(source):
    """The place that a source means, as `vision.Images` takes them.

    Raises
    ------
    ParameterError
        If it means none.
    ImageNotFoundError
        If there is no such folder or file, or no picture in it.
    ImageError
        If an archive or a manifest cannot be read.
    MissingDependencyError
        If what reads it is not installed.

    Examples
    --------
    >>> place = open_source(np.zeros((3, 4, 5), np.uint8))
    >>> place.members, place.data(0, None).shape
    (['000000', '000001', '000002'], (4, 5))
    """
    if isinstance(source, Files | Arrays):
        return source
    if isinstance(source, str | os.PathLike):
        return _open_path(os.fsdecode(source))
    if isinstance(source, Iterator):
        source = list(source)
    if isinstance(source, np.ndarray) and source.ndim == 3 and source.shape[2] in (3, 4):
        hint = "That looks like one picture, which is the collection [image]."
        refuse("source", source, "many pictures (n, H, W) or (n, H, W, 3)", "Images", hint)
    if isinstance(source, list | tuple | np.ndarray) and np.iterable(source) and len(source):
        if all(isinstance(item, str | os.PathLike) for item in source):
            return open_list([os.fsdecode(item) for item in source])
        if all(isinstance(item, np.ndarray) for item in source):
            return _open_arrays(source)
    allowed = (
        "a folder, pattern, archive (.zip, .tar), manifest (.txt, .csv, .parquet), URL, list of "
        "files or of arrays, or array (n, H, W[, 3])"
    )
    return refuse("source", source, allowed, "Images", "At least one picture is needed.")


def is_url(path):
    """Whether a path names an object in a store.

    Examples
    --------
    >>> [is_url(path) for path in ("s3://photos/a.jpg", "photos/a.jpg", "C:/a.jpg")]
    [True, False, False]
    """
    return _URL.match(path) is not None


def _open_arrays(source):
    for index, array in enumerate(source):
        if array.dtype == object or not (array.ndim == 2 or array.shape[2:] in ((3,), (4,))):
            allowed = "a picture (H, W), (H, W, 3) or, of four inks, (H, W, 4)"
            refuse(f"source[{index}]", array, allowed, "Images")
    stacked = isinstance(source, np.ndarray) and source.ndim > 1
    return Arrays(source if stacked else list(source))


def _open_path(path):
    place = Path(path)
    if is_url(path):
        from vision.remote_source import open_url

        store = open_url(path)
    elif place.is_dir():
        store = Files(place.absolute(), only_pictures(walk(place)), f" in {place}/")
    elif place.exists():
        store = _open_file(place)
    elif glob.has_magic(path):
        store = _open_pattern(path)
    else:
        raise ImageNotFoundError("there is no such folder or file", path)
    if not store.members:
        suffixes = ", ".join(sorted(EXTENSIONS))
        reason = f"no picture found, hidden ones aside; looked for files ending in {suffixes}"
        raise ImageNotFoundError(reason, path)
    return store


def _open_file(place):
    """A manifest, an archive or one picture: by the name, and where that says nothing by the
    content.
    """
    from vision.tar_source import check_unpacked, is_tar, open_tar

    suffix = place.suffix.lower()
    check_unpacked(place)
    if suffix in MANIFESTS:
        from vision.manifests import open_manifest

        return open_manifest(place)
    known = suffix in EXTENSIONS
    if suffix == ".zip" or (not known and suffix != ".tar" and zipfile.is_zipfile(place)):
        return _open_zip(place)
    if suffix == ".tar" or (not known and is_tar(place)):
        return open_tar(place)
    return open_list([str(place)])


def open_list(paths):
    """Files taken as they are, or objects of one store.

    Raises
    ------
    ParameterError
        If there are both.
    """
    urls = [path for path in paths if is_url(path)]
    if urls and len(urls) < len(paths):
        mixed = next(path for path in paths if not is_url(path))
        refuse("source", mixed, "all URLs or all files", "Images", f"There is also {urls[0]!r}.")
    if urls:
        from vision.remote_source import open_urls

        return open_urls(urls)
    paths = [str(Path(path).absolute()) for path in paths]
    root = os.path.commonpath(paths)
    if root in paths:
        root = str(Path(root).parent)
    members = [path[len(root) :].replace(os.sep, "/").lstrip("/") for path in paths]
    return Files(root, members, f" under {root}")


def _open_zip(path):
    try:
        with zipfile.ZipFile(path) as archive:
            members = only_pictures(dict.fromkeys(archive.namelist()))
    except Exception as error:  # zipfile lets some ten types through
        raise ImageError(f"not a zip archive that can be read: {error}", path) from error
    return ZipMembers(path.absolute(), members, f" in {path}")


def _open_pattern(pattern):
    parts, plain = Path(pattern).parts, 0
    while plain < len(parts) - 1 and (
        not glob.has_magic(parts[plain]) or Path(*parts[: plain + 1]).is_dir()
    ):
        plain += 1
    root, rest = Path(*parts[:plain]), parts[plain:] + ("*",) * (parts[-1] == "**")
    if not root.is_dir():
        raise ImageNotFoundError(f"there is no folder {str(root)!r}", pattern)
    names = walk(root, float("inf") if "**" in rest else len(rest))
    found = [name for name in names if matches(name.split("/"), rest)]
    return Files(root.absolute(), only_pictures(found), f" matching {pattern}")
