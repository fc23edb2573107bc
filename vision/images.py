"""`Images`: pictures of a folder, pattern, list, archive or array, each read when it is used."""

import contextlib
import glob
import html
import os
import reprlib
import threading
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vision.checks import check_choice, check_integer, refuse
from vision.drawing import thumbnail, to_display
from vision.errors import ImageError, ImageIndexError, ImageNotFoundError, KindError
from vision.file_listing import harmless, matches, natural, only_pictures, unique, walk
from vision.io import EXTENSIONS, MAX_BYTES, decode, encode, load_bytes
from vision.prefetch import read_ahead
from vision.regular_file import file_state

__all__ = ["Images", "natural"]

_MODES = ("rgb", "gray", "rgba", "unchanged")  # of vision.read
_SHOWN = 6  # thumbnails in a notebook
_THUMBNAIL = 120  # pixels, the longer side


class Images:
    """A lazy sequence of pictures: listed at once, each read when it is used.

    A whole number as index gives a picture; a slice, an array of numbers or of booleans gives
    another `Images` and reads nothing. Loops read ahead by threads, at most 16 pictures and
    about 256 MB. Pickles as its list of names, or the arrays that it was made of.

    Parameters
    ----------
    source : str, path-like, list, iterator or ndarray
        - a folder, with its sub-folders (each once, though links may lead to it again);
        - a pattern such as ``"photos/**/*.jpg"``, where ``**`` stands for any sub-folders;
        - a zip archive, which is never unpacked;
        - a file or a list of files, taken as it is;
        - arrays ``(n, H, W)`` or ``(n, H, W, 3)``, or a list of ``(H, W)`` and ``(H, W, 3)``,
          of any dtype, given out as they are.

        Folders, patterns and archives are in natural order (2 before 10, whatever the case),
        without hidden files and suffixes that `vision.io.EXTENSIONS` does not have.
    mode : str, default="rgb"
        How files are read, see `vision.read`; arrays allow the default only.
    max_pixels : int, optional
        The largest width times height that is read, see `vision.read`.

    Attributes
    ----------
    root : str or None
        The folder that all files are in, or the archive; None for arrays.
    sources : list of str
        Where each picture comes from: its path relative to `root`, with ``/``.
    paths : list of str or None
        The files; None in an archive or for arrays.
    shape : tuple of int
        ``(n,)``.

    Raises
    ------
    ParameterError
        If `source` is none of these, or a parameter makes no sense.
    ImageNotFoundError
        If there is no such folder or file, or no picture in it.
    ImageError
        If the archive, or on use a picture, cannot be read.
    ImageIndexError
        On an index out of range, of another type, or of another number of booleans.

    Examples
    --------
    >>> images = Images(np.zeros((10, 4, 5), np.uint8))
    >>> images[3].shape, images[-3:], images[np.arange(10) % 2 == 0].shape
    ((4, 5), Images(3 arrays), (5,))
    >>> list(images[:3].map(np.size))
    [20, 20, 20]
    """

    ndim = 1

    def __init__(self, source, *, mode="rgb", max_pixels=None):
        check_choice("mode", mode, _MODES, owner=self)
        if max_pixels is not None:
            check_integer("max_pixels", max_pixels, owner=self, at_least=1)
        self._store = _open(source)
        if isinstance(self._store, _Arrays) and mode != "rgb":
            hint = "Convert them with a step: images.map(Gray())."
            refuse("mode", mode, "'rgb' for arrays: they are given out as they are", self, hint)
        self.root, self.mode, self.max_pixels = self._store.root, mode, max_pixels
        self._functions, self._names = (), None
        self._chosen = np.arange(len(self._store.members))

    @classmethod
    def from_folders(cls, root, *, mode="rgb", max_pixels=None):
        """The pictures of a folder with one sub-folder a class, and their labels.

        Parameters
        ----------
        root, mode, max_pixels
            As for `Images`. A picture that lies directly in `root` has no class and is left
            out, and so is a sub-folder without pictures.

        Returns
        -------
        images : Images
            Class after class, both in natural order.
        labels : (n,) ndarray of str
            Each picture's sub-folder.

        Raises
        ------
        ImageNotFoundError
            If there is no sub-folder with a picture in it.
        """
        images = cls(root, mode=mode, max_pixels=max_pixels)
        inside = np.array(["/" in source for source in images.sources])
        if not inside.any():
            reason = "no picture lies in a sub-folder, and these are the classes"
            raise ImageNotFoundError(reason, images.root)
        images = images[inside]
        return images, np.array([source.partition("/")[0] for source in images.sources])

    def __len__(self):
        return len(self._chosen)

    @property
    def shape(self):
        return self._chosen.shape

    @property
    def sources(self):
        return [self._store.members[position] for position in self._chosen]

    @property
    def paths(self):
        on_disk = type(self._store) is _Files
        return [str(Path(self.root, source)) for source in self.sources] if on_disk else None

    @property
    def fixed_mode(self):
        """`mode` where it says of what kind every picture is: not of arrays, nor after `map`."""
        return None if self.root is None or self._functions else self.mode

    def __getitem__(self, key):
        try:
            chosen = self._chosen[key]
            if chosen.ndim > 1:
                raise IndexError("it has more than one axis")
        except (IndexError, ValueError) as error:
            count = len(self)
            raise ImageIndexError(
                f"The index of {count} pictures must be a whole number from {-count} to "
                f"{count - 1}, a slice, an array of such numbers, or {count} booleans. "
                f"Got {reprlib.repr(key)}: {error}."
            ) from None
        return self._with(_chosen=chosen) if chosen.ndim else self._produce(int(chosen))[0]

    def _with(self, **changes):
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _names=None, **changes)
        return other

    def data(self, index):
        """What the picture at `index` is decoded from: the bytes of its file, or the array.

        Raises
        ------
        ImageError
            If the file cannot be read.
        """
        return self._store.data(int(self._chosen[index]), self.max_pixels)

    def decoded(self, index, data):
        """The picture at `index`, made from what `data` gave."""
        return self._produce(int(self._chosen[index]), data)[0]

    def state(self, index):
        """Numbers that change when the file at `index` does: size, time, inode; None in memory."""
        return self._store.state(int(self._chosen[index]))

    def _produce(self, position, data=None):
        """The picture at a position of the store, mapped, and the bytes that it took."""
        data = self._store.data(position, self.max_pixels) if data is None else data
        value = self._store.decoded(position, data, self.mode, self.max_pixels)
        try:
            size = value.nbytes
            for function in self._functions:
                value = function(value)
        except Exception as error:
            error.add_note(f"The picture was {self._store.members[position]!r}.")
            raise
        return value, max(size, value.nbytes if isinstance(value, np.ndarray) else 0)

    def __iter__(self):
        with contextlib.closing(self.chunks(1)) as groups:
            for group in groups:
                yield group.pop()

    def chunks(self, size=16):
        """The pictures in lists of `size`, read ahead by threads; the last may be shorter.

        Parameters
        ----------
        size : int, default=16
            As many again, but at least 16, are read while a list is in use.

        Returns
        -------
        iterator of list

        Examples
        --------
        >>> [len(chunk) for chunk in Images(np.zeros((5, 4, 6), np.uint8)).chunks(2)]
        [2, 2, 1]
        """
        check_integer("size", size, owner="Images.chunks", at_least=1)
        if isinstance(self._store, _Arrays) and not self._functions:
            starts = range(0, len(self), size)
            return ([self[i] for i in range(len(self))[start : start + size]] for start in starts)
        return read_ahead(lambda index: self._produce(self._chosen[index]), len(self), size=size)

    def map(self, function):
        """The same collection with each picture passed through `function` when it is used.

        Parameters
        ----------
        function : callable
            Takes what the collection gave so far, gives anything; loops call it from threads.
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
        """A name for what is made from ``images[index]``: relative, with ``/``, never upwards.

        Returns
        -------
        str
            No other picture of this collection has it: one that is there again is ``a_2.jpg``.
            Pictures in memory are ``000000``, ``000001`` and so on.

        Examples
        --------
        >>> Images(np.zeros((3, 4, 6), np.uint8))[1:].name(0)
        '000001'
        """
        if self._names is None:
            self._names = unique(map(harmless, self.sources))
        return self._names[index]

    def __getstate__(self):
        """Only what was chosen travels, and nothing that was read from files."""
        state = {**self.__dict__, "_names": None}
        if not np.array_equal(self._chosen, np.arange(len(self._store.members))):
            state["_store"] = self._store.take(self._chosen)
            state["_chosen"] = np.arange(len(self))
        return state

    def __array__(self, dtype=None, copy=None):
        raise KindError(
            f"{self!r} is no array: np.stack(list(images)) reads all of it at once. An estimator "
            "of numbers, such as SVC, follows a step that gives some: RawPixels() >> SVC()."
        )

    def __repr__(self):
        mode = "" if isinstance(self._store, _Arrays) else f", mode={self.mode!r}"
        names = [getattr(step, "__name__", type(step).__name__) for step in self._functions]
        mapped = f", mapped by {', '.join(names)}" if names else ""
        noun = self._store.noun + "s" * (len(self) != 1)
        text = f"Images({len(self)} {noun}{self._store.shown}{mode}{mapped})"
        return text.encode("utf-8", "backslashreplace").decode()  # some names cannot be printed

    def _repr_html_(self):
        cells = "".join(_cell(self, index) for index in range(min(len(self), _SHOWN)))
        title = html.escape(repr(self))
        strip = f'<div style="display:flex;gap:4px;align-items:center">{cells}</div>'
        return f"<div><code>{title}</code>{strip}</div>"


class _Files:
    """Files below a folder."""

    noun = "file"

    def __init__(self, root, members, shown):
        self.root, self.members, self.shown = str(root), members, shown

    def data(self, position, max_pixels):
        return load_bytes(f"{self.root}/{self.members[position]}", max_pixels=max_pixels)

    def decoded(self, position, data, mode, max_pixels):
        path = f"{self.root}/{self.members[position]}"
        return decode(data, mode=mode, max_pixels=max_pixels, path=path)

    def state(self, position):
        return file_state(f"{self.root}/{self.members[position]}")

    def take(self, positions):
        return type(self)(self.root, [self.members[i] for i in positions], self.shown)


class _Archive(_Files):
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
            path = f"{self.root}/{member}"
            raise ImageError(f"cannot be taken out of the archive: {error}", path) from error

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
        return _Archive, (self.root, self.members, self.shown)


class _Arrays:
    """Pictures in memory: one array, or a list of them."""

    root, noun, shown = None, "array", ""

    def __init__(self, arrays, members=None):
        digits = max(6, len(str(len(arrays) - 1)))
        self.members = members or [f"{i:0{digits}d}" for i in range(len(arrays))]
        self.arrays = arrays

    def data(self, position, max_pixels):
        return self.arrays[position]

    def decoded(self, position, data, mode, max_pixels):
        return data

    def state(self, position):
        return None

    def take(self, positions):
        stacked = isinstance(self.arrays, np.ndarray)
        arrays = self.arrays[positions] if stacked else [self.arrays[i] for i in positions]
        return _Arrays(arrays, [self.members[i] for i in positions])


def _open(source):
    if isinstance(source, str | os.PathLike):
        return _open_path(os.fsdecode(source))
    if isinstance(source, Iterator):
        source = list(source)
    if isinstance(source, np.ndarray) and source.ndim == 3 and source.shape[2] in (3, 4):
        hint = "That looks like one picture, which is the collection [image]."
        refuse("source", source, "many pictures (n, H, W) or (n, H, W, 3)", "Images", hint)
    if isinstance(source, list | tuple | np.ndarray) and np.iterable(source) and len(source):
        if all(isinstance(item, str | os.PathLike) for item in source):
            return _open_list([str(Path(item).absolute()) for item in source])
        if all(isinstance(item, np.ndarray) for item in source):
            return _open_arrays(source)
    allowed = "a folder, pattern, zip archive, list of files or of arrays, or array (n, H, W[, 3])"
    return refuse("source", source, allowed, "Images", "At least one picture is needed.")


def _open_arrays(source):
    for index, array in enumerate(source):
        if array.dtype == object or not (array.ndim == 2 or array.shape[2:] in ((3,), (4,))):
            allowed = "a picture (H, W), (H, W, 3) or, of four inks, (H, W, 4)"
            refuse(f"source[{index}]", array, allowed, "Images")
    stacked = isinstance(source, np.ndarray) and source.ndim > 1
    return _Arrays(source if stacked else list(source))


def _open_path(path):
    place, suffix = Path(path), Path(path).suffix.lower()
    if place.is_dir():
        store = _Files(place.absolute(), only_pictures(walk(place)), f" in {place}/")
    elif place.exists():
        if suffix != ".zip" and (suffix in EXTENSIONS or not zipfile.is_zipfile(place)):
            return _open_list([str(place.absolute())])
        store = _open_zip(place)
    elif glob.has_magic(path):
        store = _open_pattern(path)
    else:
        raise ImageNotFoundError("there is no such folder or file", path)
    if not store.members:
        suffixes = ", ".join(sorted(EXTENSIONS))
        reason = f"no picture found, hidden ones aside; looked for files ending in {suffixes}"
        raise ImageNotFoundError(reason, path)
    return store


def _open_list(paths):
    root = os.path.commonpath(paths)
    if root in paths:
        root = str(Path(root).parent)
    members = [path[len(root) :].replace(os.sep, "/").lstrip("/") for path in paths]
    return _Files(root, members, f" under {root}")


def _open_zip(path):
    try:
        with zipfile.ZipFile(path) as archive:
            members = only_pictures(dict.fromkeys(archive.namelist()))
    except Exception as error:  # zipfile lets some ten types through
        raise ImageError(f"not a zip archive that can be read: {error}", path) from error
    return _Archive(path.absolute(), members, f" in {path}")


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
    return _Files(root.absolute(), only_pictures(found), f" matching {pattern}")


def _cell(images, index):
    try:
        value = images[index]
        if isinstance(value, np.ndarray) and value.ndim in (2, 3):
            picture = to_display(value[:, :, :3] if value.ndim == 3 else value)
            data = b64encode(encode(thumbnail(picture, _THUMBNAIL), "png")).decode()
            return f'<img src="data:image/png;base64,{data}">'
        text = type(value).__name__
    except Exception as error:  # a notebook shows what is wrong with a picture in its place
        text = f"{type(error).__name__}: {error}"
    return f'<div style="max-width:{_THUMBNAIL}px">{html.escape(text)}</div>'
