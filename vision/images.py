"""`Images`: pictures of a folder, pattern, list, archive or array, each read when it is used."""

import contextlib
import html
import reprlib
from base64 import b64encode
from pathlib import Path

import numpy as np

from vision.checks import check_choice, check_integer, refuse
from vision.drawing import thumbnail, to_display
from vision.errors import ImageIndexError, ImageNotFoundError, KindError
from vision.file_listing import harmless, natural, unique
from vision.io import encode
from vision.prefetch import read_ahead
from vision.sources import Arrays, Files, open_source

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
        - a zip or tar archive, which is never unpacked (tar not compressed);
        - a file or a list of files, taken as it is;
        - a manifest, taken as it is: a ``.txt`` with a path a line, a ``.csv`` or ``.parquet`` with
          a column ``path``, each from the folder of the manifest;
        - a URL such as ``"s3://bucket/photos/"`` of a folder, pattern or object, or a list of
          them, read by fsspec (the extra ``remote``, and what that store needs);
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
        The folder that all files are in, its URL, or the archive; None for arrays.
    sources : list of str
        Where each picture comes from: its path relative to `root`, with ``/``.
    paths : list of str or None
        The files; None in an archive, in a store or for arrays.
    shape : tuple of int
        ``(n,)``.

    Raises
    ------
    ParameterError
        If `source` is none of these, or a parameter makes no sense.
    ImageNotFoundError
        If there is no such folder or file, or no picture in it.
    ImageError
        If the archive or manifest, or on use a picture, cannot be read.
    MissingDependencyError
        If what reads Parquet or a store is not installed.
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
        self._store = open_source(source)
        if isinstance(self._store, Arrays) and mode != "rgb":
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

    @classmethod
    def from_manifest(cls, manifest, *, mode="rgb", max_pixels=None):
        """The pictures that a table lists in its column ``path``, and their labels.

        Parameters
        ----------
        manifest : str or path-like
            A ``.csv`` or ``.parquet`` with the columns ``path`` and ``label``.
        mode, max_pixels
            As for `Images`.

        Returns
        -------
        images : Images
            In the order of the table.
        labels : (n,) ndarray
            Text from a CSV file; from Parquet as it is.

        Raises
        ------
        ImageNotFoundError
            If there is no such file, or no picture in it.
        ImageError
            If it cannot be read, has no such columns, or a picture has no label.
        MissingDependencyError
            If pyarrow, which reads Parquet, is not installed.

        Examples
        --------
        >>> import tempfile
        >>> manifest = Path(tempfile.mkdtemp()) / "pets.csv"
        >>> _ = manifest.write_text("path,label\\ncats/a.jpg,cat\\nb.jpg,dog\\n")
        >>> images, labels = Images.from_manifest(manifest)
        >>> images.sources, labels.tolist()
        (['cats/a.jpg', 'b.jpg'], ['cat', 'dog'])
        """
        from vision.manifests import open_labelled

        if not Path(manifest).is_file():
            raise ImageNotFoundError("there is no such file", manifest)
        store, labels = open_labelled(manifest)
        return cls(store, mode=mode, max_pixels=max_pixels), labels

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
        on_disk = type(self._store) is Files
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

    def loaded(self, index):
        """What `data` gives, and what `state` gave before that.

        Raises
        ------
        ImageError
            As `data`.
        """
        return self._store.loaded(int(self._chosen[index]), self.max_pixels)

    def decoded(self, index, data):
        """The picture at `index`, made from what `data` gave, and how many pages its file has."""
        value, _, pages = self._produce(int(self._chosen[index]), data)
        return value, pages

    def state(self, index):
        """Numbers that change when the file at `index` does: size, time, inode; None in memory."""
        return self._store.state(int(self._chosen[index]))

    def _produce(self, position, data=None):
        """The picture at a position of the store, mapped; the bytes that it took, and its pages."""
        data = self._store.data(position, self.max_pixels) if data is None else data
        value, pages = self._store.decoded(position, data, self.mode, self.max_pixels)
        try:
            size = value.nbytes
            for function in self._functions:
                value = function(value)
        except Exception as error:
            error.add_note(f"The picture was {self._store.members[position]!r}.")
            raise
        return value, max(size, value.nbytes if isinstance(value, np.ndarray) else 0), pages

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
        if isinstance(self._store, Arrays) and not self._functions:
            starts = range(0, len(self), size)
            return ([self[i] for i in range(len(self))[start : start + size]] for start in starts)
        return read_ahead(
            lambda index: self._produce(self._chosen[index])[:2], len(self), size=size
        )

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
        mode = "" if isinstance(self._store, Arrays) else f", mode={self.mode!r}"
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
