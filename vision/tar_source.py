"""Pictures in a tar archive: found by an index of where they lie, read at any place by threads."""

import os
import weakref
from pathlib import Path

import numpy as np

from vision.checks import refuse
from vision.errors import ImageError
from vision.file_listing import only_pictures
from vision.regular_file import check_bytes, file_state, open_regular
from vision.sources import Files

PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
MAGIC, MAGIC_AT = b"ustar", 257  # POSIX.1-1988, in the header of the first member
ABSENT = -1  # where a member has no data of its own


class TarMembers(Files):
    """Members of a tar archive, which is never unpacked.

    Parameters
    ----------
    root : path-like
        The archive.
    members : list of str
    shown : str
    places : (n, 2) ndarray of int64
        For each member where its data begin, and how many bytes they are.
    stamp : list of int
        The state of the archive when that was found out.
    """

    def __init__(self, root, members, shown, places, stamp):
        super().__init__(root, members, shown)
        self.places, self.stamp, self._descriptor = places, stamp, None

    def data(self, position, max_pixels):
        offset, size = map(int, self.places[position])
        path = self.path(position)
        if offset == ABSENT:
            raise ImageError("it is a link, a hole or a device in the archive, not a file", path)
        check_bytes(size, path)
        return _read_at(self._opened(), size, offset, path)

    def state(self, position):
        """Its size and place, and the time of the archive: nothing else tells of new content."""
        offset, size = map(int, self.places[position])
        return [size, self.stamp[1], offset]

    def _opened(self):
        if self._descriptor is None:
            descriptor = open_regular(self.root)[0]
            weakref.finalize(self, os.close, descriptor)
            # Between the listing and now; a later change of its name or content is that of files.
            if file_state(descriptor) != self.stamp:
                raise ImageError("the archive was changed since it was listed", self.root)
            self._descriptor = descriptor
        return self._descriptor

    def take(self, positions):
        members = [self.members[i] for i in positions]
        return type(self)(self.root, members, self.shown, self.places[positions], self.stamp)

    def __reduce__(self):
        return type(self), (self.root, self.members, self.shown, self.places, self.stamp)


def _read_at(descriptor, size, offset, path):
    try:
        data = os.pread(descriptor, size, offset)
        while len(data) < size:
            more = os.pread(descriptor, size - len(data), offset + len(data))
            if not more:
                raise ImageError("the archive ends before it", path)
            data += more
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror}", path) from error
    return data


def check_unpacked(path):
    """Refuse a compressed tar archive: it can only be read from its beginning.

    Examples
    --------
    >>> check_unpacked(Path("photos.tar.gz"))
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'source' of Images must be a plain .tar, which can be read at
    any place. Got 'photos.tar.gz'. Unpack it once: gunzip photos.tar.gz
    """
    if path.name.lower().endswith(PACKED):
        tools = {"gz": "gunzip", "bz2": "bunzip2", "xz": "unxz", "zst": "unzstd"}
        tool = next(tool for end, tool in tools.items() if path.name.lower().endswith(end[-2:]))
        hint = f"Unpack it once: {tool} {path}"
        refuse("source", str(path), "a plain .tar, which can be read at any place", "Images", hint)


def is_tar(path):
    """Whether a file begins like a tar archive."""
    try:
        with Path(path).open("rb") as file:
            file.seek(MAGIC_AT)
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def open_tar(path):
    """The pictures in a tar archive; of several members of one name the last, as tar unpacks it.

    Reads the headers alone. Links that name a file in the archive are that file; any other, which
    might lead out of it, and devices are listed and cannot be read.

    Raises
    ------
    ImageError
        If it is no tar archive, damaged or cut off.
    """
    import tarfile

    found, stamp = {}, file_state(path)
    try:
        with tarfile.open(path, "r:", encoding="utf-8", errors="surrogateescape") as archive:
            before = -1
            while (info := archive.next()) is not None:
                if info.offset <= before or info.size < 0:
                    raise tarfile.ReadError("its members run in a circle")
                before = info.offset
                if not info.isdir():
                    found[_plain(info.name)] = _place(info, found)
                archive.members.clear()  # half a kilobyte each
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        raise ImageError(f"not a tar archive that can be read: {error}", path) from error
    members = only_pictures(found)
    places = np.array([found[name] for name in members], np.int64).reshape(-1, 2)
    return TarMembers(path.absolute(), members, f" in {path}", places, stamp)


def _plain(name):
    while name.startswith("./"):
        name = name[2:]
    return name


def _place(info, found):
    if info.islnk():
        return found.get(_plain(info.linkname), (ABSENT, 0))
    if not info.isreg() or info.issparse():
        return ABSENT, 0
    return info.offset_data, info.size
