"""Zip archives that are looked through before anything is unpacked, and how ours are written."""

import io
import re
import struct
import zipfile
import zlib

from vision.errors import LoadError, WriteError

MAX_MEMBERS = 4_000
MAX_STORED_MEMBERS = 65_000  # a forest has thousands; below where the 64-bit extension begins
MAX_RATIO = 200  # deflate reaches 1032; what compresses better than this is stored as it is
FREE_BYTES = 1_000_000  # too little to matter at any ratio
MAX_ENTRY = 600  # bytes of one entry of the directory
PIECE = 16 << 20
SMALL = 256  # bytes that are not worth compressing

_END = 22  # bytes of the record that ends a zip without a comment
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def open_zip(stream, name, *, max_bytes, stored=False):
    """A zip archive, refused unless its whole directory is sound.

    Parameters
    ----------
    stream : binary file object
        The archive.
    name : str
        What it is called in messages.
    max_bytes : int
        The most that all its members may hold.
    stored : bool, default=False
        Whether its members must not be compressed, as in an archive within another.

    Returns
    -------
    zipfile.ZipFile

    Raises
    ------
    LoadError
        If it is no zip, has data around or between its members twice, an unsafe or double name,
        a method of its own, an encrypted member, too many of them, or claims too much.
    """
    size = stream.seek(0, io.SEEK_END)
    _check_directory(stream, size, name, MAX_STORED_MEMBERS if stored else MAX_MEMBERS)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _refused(name, f"it is no sound zip ({error})") from None
    infos = archive.infolist()
    for info in infos:
        _check_member(info, name, stored)
    if len({info.filename for info in infos}) < len(infos):
        raise _refused(name, "two members have one name")
    if sum(info.compress_size for info in infos) > size:
        raise _refused(name, "its members overlap")
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise _refused(name, f"it claims {total} bytes unpacked, over {max_bytes} (max_bytes)")
    return archive


def _check_directory(stream, size, name, most):
    """The record at the end and the number of entries, before an object is made of each."""
    stream.seek(max(0, size - _END - 20))
    tail = stream.read()
    end = tail[-_END:]
    if size < _END or not end.startswith(b"PK\x05\x06") or end[20:] != b"\0\0":
        raise _refused(name, "it is no zip as vision.save writes it")
    count = int.from_bytes(end[10:12], "little")
    length, offset = (int.from_bytes(end[at : at + 4], "little") for at in (12, 16))
    if tail[:-_END].startswith(b"PK\x06\x07") or count > most:
        raise _refused(name, f"it has more than {most} members")
    if offset + length + _END != size or length > count * MAX_ENTRY:
        raise _refused(name, "its directory is not where its end says")
    stream.seek(offset)
    if _count_entries(stream.read(length)) != count:
        raise _refused(name, "its directory has another number of entries than its end says")


def _count_entries(directory):
    count = at = 0
    while directory.startswith(b"PK\x01\x02", at) and at + 46 <= len(directory):
        at += 46 + sum(struct.unpack_from("<3H", directory, at + 28))
        count += 1
    return count if at == len(directory) else -1


def _check_member(info, name, stored):
    member = info.filename
    if member != info.orig_filename or not _NAME.fullmatch(member):
        raise _refused(name, f"the member name {info.orig_filename!r} is unsafe")
    if info.flag_bits & 0x41 or info.compress_type not in _METHODS:
        raise _refused(name, f"{member!r} is encrypted or packed by an unknown method")
    if info.compress_type == zipfile.ZIP_STORED:
        bomb = info.file_size != info.compress_size
    else:
        bomb = info.file_size > max(FREE_BYTES, MAX_RATIO * info.compress_size)
    if bomb or (stored and info.compress_type != zipfile.ZIP_STORED):
        raise _refused(
            name,
            f"{member!r} claims {info.file_size} bytes out of {info.compress_size}, as no honest "
            "archive does",
        )


def read_member(archive, member, name):
    """The bytes of one member: exactly as many as the directory says.

    Raises
    ------
    LoadError
        If there is no such member, its data are damaged, or it holds more or less.
    """
    try:
        info = archive.getinfo(member)
        with archive.open(info) as stream:
            # One byte more than claimed and no further: `read()` alone would unpack it all.
            data = _read_at_most(stream, info.file_size + 1)
    except KeyError:
        raise _refused(name, f"it has no {member!r}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _refused(name, f"{member!r} is damaged ({error})") from None
    if len(data) != info.file_size:
        raise _refused(name, f"{member!r} holds another number of bytes than it claims")
    return data


def _read_at_most(stream, limit):
    pieces = []
    while limit > 0 and (piece := stream.read(min(limit, PIECE))):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def write_zip(members, *, packed=True):
    """A zip archive of named bytes.

    Parameters
    ----------
    members : dict of str to bytes
    packed : bool, default=True
        Whether to compress those where it helps, and no reader would take them for a bomb.

    Returns
    -------
    bytes
        The same for the same members.

    Raises
    ------
    WriteError
        If they hold more than 2 GB.
    """
    tried = {name for name, data in members.items() if packed and len(data) > SMALL}
    data, infos = _zip(members, tried)
    helped = {info.filename for info in infos if _helps(info)}
    return data if helped >= tried else _zip(members, helped)[0]


def _zip(members, deflated):
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(buffer, "w", allowZip64=False) as archive:
            for name, data in members.items():
                info = zipfile.ZipInfo(name, _EPOCH)
                if name in deflated:
                    info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data)
    except zipfile.LargeZipFile:
        raise WriteError("An archive holds 2 GB at most, and this would be larger.") from None
    return buffer.getvalue(), archive.infolist()


def _helps(info):
    return info.compress_size < info.file_size <= MAX_RATIO // 2 * info.compress_size


def _refused(name, reason):
    return LoadError(f"{name} is refused: {reason}.")
