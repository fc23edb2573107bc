"""`Images`: pictures of a folder, pattern, list, zip archive or array, each read when it is used."""

import contextlib
import fnmatch
import functools
import html
import lzma
import os
import posixpath
import re
import threading
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vision.checks import check_integer, refuse
from vision.errors import ImageError, ImageNotFoundError, KindError, VisionError
from vision.io import EXTENSIONS, decode, encode, read
from vision.prefetch import read_ahead

_SHOWN = 6  # thumbnails in a notebook
_THUMBNAIL = 120  # pixels, the longer side
# What zipfile is known to raise for damaged, encrypted and unsupported archives.
_ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError,
    KeyError,
)  # fmt: skip


class ImageIndexError(VisionError, IndexError):
    """An index that a collection of pictures does not have."""


class Images:
    """A lazy sequence of pictures: listed at once, each read when it is used.

    An integer index gives a picture; a slice, whole numbers or booleans give another `Images`
    and read nothing. Loops read ahead by threads, at most 24 pictures and about 256 MB. Pickles
    as its list of names (one over arrays: as its arrays).

    Parameters
    ----------
    source : str, path-like, list, iterator or ndarray
        - a folder, with its sub-folders; a link to a folder that was listed already, or to one
          around it, is left out;
        - a pattern such as ``"photos/**/*.jpg"``, where ``**`` stands for any sub-folders;
        - a zip archive, which is never unpacked;
        - one file, or a list of them, in the order given;
        - pictures in memory: ``(n, H, W)``, ``(n, H, W, 3)``, or a list of ``(H, W)`` and
          ``(H, W, 3)`` arrays, of any dtype and given out as they are.

        Folders, patterns and archives are in natural order (2 before 10, whatever the case),
        without hidden files, ``__MACOSX`` and files whose suffix is not in
        `vision.io.EXTENSIONS`. A list of files is taken as it is.
    mode : str, default="rgb"
        How files are read, see `vision.read`; pictures in memory allow the default only.
    max_pixels : int, optional
        The largest width times height that is read, see `vision.read`.

    Attributes
    ----------
    root : str or None
        The folder that names are relative to: for a list of files the one that holds them all,
        for an archive its path, for pictures in memory None.
    sources : list of str
        Where each picture comes from: its path relative to `root`, with ``/``.
    paths : list of str or None
        The files; None if pictures are in an archive or in memory.
    shape : tuple of int
        ``(n,)``.

    Raises
    ------
    ParameterError
        If `source` is none of these, an array is no picture, or a parameter makes no sense.
    ImageNotFoundError
        If there is no such folder or file, or no picture in it.
    ImageError
        If the archive is damaged; on use, if a picture cannot be read.

    Examples
    --------
    >>> images = Images(np.zeros((10, 4, 5), np.uint8))
    >>> images[3].shape, images[-3:], images[np.arange(10) % 2 == 0].shape
    ((4, 5), Images(3 arrays), (5,))
    >>> list(images[:3].map(np.mean))
    [0.0, 0.0, 0.0]
    """

    ndim = 1

    def __init__(self, source, *, mode="rgb", max_pixels=None):
        if max_pixels is not None:
            check_integer("max_pixels", max_pixels, owner=self, at_least=1)
        self._store = _open(source)
        if isinstance(self._store, _Arrays) and mode != "rgb":
            refuse("mode", mode, "'rgb' for arrays, which are given out as they are", self,
                   "Convert them with a step: images.map(Gray()).")  # fmt: skip
        self.mode, self.max_pixels = mode, max_pixels
        self._functions = ()
        self._chosen = np.arange(len(self._store.names))

    @classmethod
    def from_folders(cls, root, *, mode="rgb", max_pixels=None):
        """The pictures of a folder with one sub-folder a class, and their labels.

        Parameters
        ----------
        root : str or path-like
            The folder (or zip archive). Pictures that lie directly in it have no class and are
            left out, and so are sub-folders without a picture.
        mode, max_pixels
            As for `Images`.

        Returns
        -------
        images : Images
            Classes in natural order, and each class in natural order.
        labels : ndarray of shape (n,), str
            The name of each picture's sub-folder.

        Raises
        ------
        ImageNotFoundError
            If there is no sub-folder with a picture in it.
        """
        images = cls(root, mode=mode, max_pixels=max_pixels)
        folders = np.array([name.partition("/")[::2] for name in images.sources])
        inside = folders[:, 1] != ""
        if not inside.any():
            raise ImageNotFoundError(
                f"none of its {len(images)} pictures is in a sub-folder, but the sub-folders are "
                "the classes: cat/1.jpg, dog/1.jpg. Without classes use Images(root).",
                os.fspath(root),
            )
        return images[inside], folders[inside, 0]

    def __len__(self):
        return len(self._chosen)

    @property
    def shape(self):
        return self._chosen.shape

    @property
    def root(self):
        return self._store.root

    @property
    def sources(self):
        return [self._store.members[position] for position in self._chosen]

    @property
    def paths(self):
        if not isinstance(self._store, _Files):
            return None
        return [os.path.join(self.root, source) for source in self.sources]

    def __getitem__(self, key):
        """One picture for a whole number; another `Images` for everything else.

        Raises
        ------
        ImageIndexError
            If the key is out of range, of another type, or has another number of booleans.
        """
        chosen = self._choose(key)
        return self._with(_chosen=chosen) if chosen.ndim else self._produce(int(chosen))[0]

    def _choose(self, key):
        try:
            chosen = self._chosen[key]
            reason = f"It has {chosen.ndim} axes" if chosen.ndim > 1 else ""
        except (IndexError, ValueError) as error:
            reason = str(error).rstrip(".")
        if reason:
            count = len(self)
            raise ImageIndexError(
                f"The index of {count} pictures must be a whole number from {-count} to "
                f"{count - 1}, a slice, an array of such numbers, or {count} booleans. "
                f"Got {_brief(key)}: {reason[0].lower()}{reason[1:]}."
            )
        return chosen

    def _with(self, **changes):
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **changes)
        other.__dict__.pop("_names", None)
        return other

    def _produce(self, position):
        """The picture at a position of the store, mapped, and the bytes that it took."""
        value = self._store.read(position, self.mode, self.max_pixels)
        size = value.nbytes
        try:
            for function in self._functions:
                value = function(value)
        except Exception as error:
            error.add_note(f"The picture was {self._store.members[position]!r}.")
            raise
        return value, max(size, value.nbytes if isinstance(value, np.ndarray) else 0)

    def _groups(self, size):
        if isinstance(self._store, _Arrays) and not self._functions:
            starts = range(0, len(self), size)
            return ([self[i] for i in range(len(self))[start : start + size]] for start in starts)
        return read_ahead(lambda index: self._produce(self._chosen[index]), len(self), size=size)

    def __iter__(self):
        with contextlib.closing(self._groups(1)) as groups:
            for group in groups:
                yield group.pop()

    def chunks(self, size=16):
        """The pictures in lists of `size`, read ahead by threads; the last may be shorter.

        Parameters
        ----------
        size : int, default=16
            At most 64 pictures are held at a time for a size up to 32, with the list in use.

        Yields
        ------
        list
            Pictures, or what the mapped functions gave.

        Examples
        --------
        >>> [len(chunk) for chunk in Images(np.zeros((5, 4, 4), np.uint8)).chunks(2)]
        [2, 2, 1]
        """
        check_integer("size", size, owner="Images.chunks", at_least=1)
        return self._groups(size)

    def map(self, function):
        """The same collection with each picture passed through `function` when it is used.

        Parameters
        ----------
        function : callable
            Takes what the collection gave so far, gives anything; called from threads in loops.
            What it raises carries the picture's name as a note.

        Returns
        -------
        Images

        Examples
        --------
        >>> images = Images(np.zeros((2, 4, 5), np.uint8)).map(np.transpose)
        >>> images, images[0].shape
        (Images(2 arrays, mapped by transpose), (5, 4))
        """
        if not callable(function):
            refuse("function", function, "a step or another callable", "Images.map")
        return self._with(_functions=(*self._functions, function))

    def read_item(self, index):
        """The picture at `index`: ``images[index]`` for callers that count."""
        return self[index]

    def name(self, index):
        """A name for what is made from one picture: relative, with ``/``, never upwards.

        Parameters
        ----------
        index : int
            Which one, as in ``images[index]``.

        Returns
        -------
        str
            No other picture of this collection has it: one that is there again is ``a_2.jpg``.
            Pictures in memory are ``000000``, ``000001`` and so on.

        Examples
        --------
        >>> Images(np.zeros((3, 4, 4), np.uint8))[1:].name(0)
        '000001'
        """
        if "_names" not in self.__dict__:
            self._names = _unique([self._store.names[position] for position in self._chosen])
        return self._names[index]

    def __getstate__(self):
        """Only what was chosen travels, and nothing that was read from files."""
        state = {name: value for name, value in self.__dict__.items() if name != "_names"}
        everything = np.arange(len(self._store.names))
        if not np.array_equal(self._chosen, everything):
            state["_store"] = self._store.take(self._chosen)
            state["_chosen"] = np.arange(len(self))
        return state

    def __array__(self, dtype=None, copy=None):
        """Refused: it would read every picture at once, unnoticed."""
        raise KindError(
            f"{self!r} is not made an array by itself: that would read all of it at once. "
            "list(images) does so. An estimator that takes numbers needs a step that gives "
            "features in front of it, as in Gray() >> Resize(64) >> HOG() >> SVC()."
        )

    def __repr__(self):
        mode = "" if isinstance(self._store, _Arrays) else f", mode={self.mode!r}"
        names = [getattr(step, "__name__", type(step).__name__) for step in self._functions]
        mapped = f", mapped by {', '.join(names)}" if names else ""
        return f"Images({self._store.what(len(self))}{mode}{mapped})"

    def _repr_html_(self):
        cells = "".join(_cell(self, index) for index in range(min(len(self), _SHOWN)))
        title = html.escape(repr(self).encode("utf-8", "replace").decode())
        strip = f'<div style="display:flex;gap:4px;align-items:center">{cells}</div>'
        return f"<div><code>{title}</code>{strip}</div>"


def _brief(key):
    if isinstance(key, np.ndarray):
        return f"an array of shape {key.shape} and dtype {key.dtype}"
    shown = repr(key)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."


# Where pictures are: `members` are read, `names` are safe to write under and differ from each other.


class _Files:
    """Files below a folder."""

    def __init__(self, root, members, shown, names=None):
        self.root, self.members, self.shown = root, members, shown
        self.names = members if names is None else names

    def read(self, position, mode, max_pixels):
        path = os.path.join(self.root, self.members[position])
        return read(path, mode=mode, max_pixels=max_pixels)

    def take(self, positions):
        members = [self.members[position] for position in positions]
        same = self.names is self.members
        names = members if same else [self.names[position] for position in positions]
        return type(self)(self.root, members, self.shown, names)

    def what(self, count):
        return f"{count} file{'' if count == 1 else 's'} {self.shown}"


class _Archive(_Files):
    """Members of a zip archive, which is opened on use and never unpacked."""

    def __init__(self, root, members, shown, names=None):
        super().__init__(root, members, shown, names or _unique(map(_harmless, members)))
        self._lock, self._zip = threading.Lock(), None

    def read(self, position, mode, max_pixels):
        member = self.members[position]
        path = f"{self.root}/{member}"
        try:
            data = self._bytes(member)
        except _ZIP_ERRORS as error:
            raise ImageError(f"cannot be taken out of the archive: {error}", path) from error
        return decode(data, mode=mode, max_pixels=max_pixels, path=path)

    def _bytes(self, member):
        with self._lock:
            if self._zip is None:
                self._zip = zipfile.ZipFile(self.root)
            return self._zip.read(member)

    def __getstate__(self):
        return {**self.__dict__, "_lock": None, "_zip": None}

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())


class _Arrays:
    """Pictures in memory: one array, or a list of them."""

    root = None

    def __init__(self, arrays, names=None):
        self.arrays = arrays
        width = max(6, len(str(len(arrays) - 1)))
        self.names = self.members = names or [f"{i:0{width}d}" for i in range(len(arrays))]

    def read(self, position, mode, max_pixels):
        return self.arrays[position]

    def take(self, positions):
        stacked = isinstance(self.arrays, np.ndarray)
        arrays = self.arrays[positions] if stacked else [self.arrays[i] for i in positions]
        return _Arrays(arrays, [self.names[position] for position in positions])

    def what(self, count):
        return f"{count} array{'' if count == 1 else 's'}"


def _open(source):
    if isinstance(source, str | os.PathLike) and not isinstance(os.fspath(source), bytes):
        return _open_path(str(os.fspath(source)))
    if isinstance(source, Iterator):
        source = list(source)
    if isinstance(source, np.ndarray) and source.ndim != 1:
        return _Arrays(_checked_stack(source))
    if isinstance(source, list | tuple | np.ndarray) and len(source):
        items = list(source)
        if all(isinstance(item, np.ndarray) for item in items):
            return _Arrays([_checked(item, i) for i, item in enumerate(items)])
        if all(isinstance(item, str | os.PathLike) for item in items):
            return _open_list([os.path.abspath(str(os.fsdecode(item))) for item in items])
    allowed = (
        "a folder, a pattern such as 'photos/**/*.jpg', a zip archive, a list of at least one "
        "file or at least one array, or an array (n, H, W) or (n, H, W, 3)"
    )
    return refuse("source", source, allowed, "Images")


def _checked_stack(array):
    hint = ""
    if array.ndim == 3 and array.shape[2] in (3, 4):
        hint = "This is one picture; a collection of it is [image]."
    good = len(array) and array.dtype != object
    if hint or not good or not (array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3)):
        refuse("source", array, "at least one picture (n, H, W) or (n, H, W, 3)", "Images", hint)
    return array


def _checked(array, index):
    if array.dtype == object or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        hint = "Drop the alpha channel: image[:, :, :3]." if array.shape[2:] == (4,) else ""
        refuse(f"source[{index}]", array, "a picture (H, W) or (H, W, 3)", "Images", hint)
    return array


def _open_path(path):
    suffix = posixpath.splitext(path)[1].lower()
    if os.path.isdir(path):
        root = os.path.abspath(path)
        return _some(_Files(root, _pictures(_walk(root)), f"in {os.path.join(path, '')}"), path)
    if os.path.exists(path):
        if suffix == ".zip" or (suffix not in EXTENSIONS and zipfile.is_zipfile(path)):
            return _some(_open_zip(path), path)
        return _open_list([os.path.abspath(path)])
    if _has_wildcard(path):
        return _some(_open_pattern(path), path)
    raise ImageNotFoundError("there is no such folder or file.", path)


def _some(store, path):
    if not store.members:
        raise ImageNotFoundError(
            f"no picture found. Looked for files ending in {', '.join(sorted(EXTENSIONS))}, "
            "sub-folders included; files whose names begin with a dot do not count.",
            path,
        )
    return store


def _open_list(paths):
    root = os.path.commonpath([os.path.dirname(path) for path in paths])
    start = len(root.rstrip(os.sep)) + 1
    members = [path[start:].replace(os.sep, "/") for path in paths]
    return _Files(root, members, f"under {root}", _unique(members))


def _open_zip(path):
    try:
        with zipfile.ZipFile(path) as archive:
            members = dict.fromkeys(i.filename for i in archive.infolist() if not i.is_dir())
    except _ZIP_ERRORS as error:
        raise ImageError(f"not a zip archive that can be read: {error}", path) from error
    return _Archive(os.path.abspath(path), _pictures(members), f"in {path}")


def _open_pattern(pattern):
    parts = Path(pattern).parts
    plain = 0
    while plain < len(parts) - 1 and (
        not _has_wildcard(parts[plain]) or os.path.isdir(os.path.join(*parts[: plain + 1]))
    ):
        plain += 1
    root = os.path.abspath(os.path.join("", *parts[:plain]))
    if not os.path.isdir(root):
        raise ImageNotFoundError(f"there is no folder {root!r}.", pattern)
    rest = parts[plain:] + (("*",) if parts[-1] == "**" else ())
    names = _walk(root, None if "**" in rest else len(rest))
    found = [name for name in names if _matches(name.split("/"), rest)]
    return _Files(root, _pictures(found), f"matching {pattern}")


def _has_wildcard(text):
    return any(sign in text for sign in "*?[")


def _matches(parts, pattern):
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[skip:], pattern[1:]) for skip in range(len(parts)))
    return (
        bool(parts) and fnmatch.fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
    )


def _pictures(names):
    """Those that look like pictures and are not hidden, in natural order."""
    found = [name for name in names if posixpath.splitext(name)[1].lower() in EXTENSIONS]
    return sorted((n for n in found if not any(map(_hidden, n.split("/")))), key=_natural)


def _hidden(part):
    return part == "__MACOSX" or (part.startswith(".") and part not in (".", ".."))


def _natural(name):
    return [_natural_part(part) for part in name.split("/")]


@functools.lru_cache(maxsize=1024)
def _natural_part(part):
    # Digits stay text, longer ones later: int() refuses more than 4,300 of them.
    pieces = re.split("([0-9]+)", part.casefold())
    pieces[1::2] = [(len(bare := digits.lstrip("0")), bare) for digits in pieces[1::2]]
    return pieces, part


def _walk(root, depth=None):
    """Names of the files in a folder and its sub-folders, relative, each folder once.

    Links are followed last, so that a folder is listed where it lies. The folders around the
    root count as seen: a link to one of them leads back to where it stands.
    """
    seen = {_identity(folder) for folder in Path(root).resolve().parents}
    folders, links, names = [""], [], []
    while folders or links:
        folder = folders.pop() if folders else links.pop(links.index(min(links, key=_natural)))
        identity = _identity(os.path.join(root, folder))
        if identity in seen:
            continue
        seen.add(identity)
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                name = folder + entry.name
                if not _is_folder(entry):
                    names.append(name)
                elif not _hidden(entry.name) and (depth is None or name.count("/") + 1 < depth):
                    (links if entry.is_symlink() else folders).append(name + "/")
    return names


def _is_folder(entry):
    # DirEntry.is_dir raises where a link leads to itself.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _identity(folder):
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _harmless(member):
    """The name of an archive's member as a relative path that leads nowhere else."""
    parts = re.sub("^[A-Za-z]:", "", member.replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _unique(names):
    """The names, with _2, _3 and so on in those that are there again."""
    names = list(names)
    taken, times, unique = set(names), {}, []
    for name in names:
        times[name] = times.get(name, 0) + 1
        new = name
        while times[name] > 1 and new in taken:
            stem, suffix = posixpath.splitext(name)
            new = f"{stem}_{times[name]}{suffix}"
            times[name] += new in taken
        taken.add(new)
        unique.append(new)
    return unique


def _cell(images, index):
    try:
        value = images[index]
    except Exception as error:  # a notebook shows what is wrong with a picture in its place
        value = f"{type(error).__name__}: {error}"
    if isinstance(value, np.ndarray) and value.size and value.shape[2:] in ((), (3,)):
        from vision.drawing import thumbnail, to_display

        data = b64encode(encode(thumbnail(to_display(value), _THUMBNAIL), "png")).decode()
        return f'<img src="data:image/png;base64,{data}">'
    text = value if isinstance(value, str) else type(value).__name__
    return f'<div style="max-width:{_THUMBNAIL}px">{html.escape(text)}</div>'
