"""Which files a folder or pattern means, in which order, and the names of what is made of them."""

import fnmatch
import functools
import os
import posixpath
import re
from collections import Counter
from pathlib import Path

from vision.headers import EXTENSIONS

_HIDDEN = re.compile(r"(^|/)(\.(?!\.?(/|$))|__MACOSX(/|$))")
_DIGITS = re.compile("([0-9]+)")
_ODD = re.compile(r"\\|^[A-Za-z]:|(^|/)\.{0,2}(/|$)")  # what leads elsewhere, or says nothing


def matches(parts, pattern):
    """Whether the folders and the name of a file are those of a pattern.

    Parameters
    ----------
    parts, pattern : list of str
        Between the slashes; ``**`` stands for any number of folders.

    Returns
    -------
    bool

    Examples
    --------
    >>> matches(["a", "b", "c.png"], ["**", "*.png"]), matches(["a", "c.png"], ["*.png"])
    (True, False)
    """
    if not (parts and pattern):
        return not (parts or pattern)
    if pattern[0] == "**":
        return matches(parts, pattern[1:]) or matches(parts[1:], pattern)
    return fnmatch.fnmatch(parts[0], pattern[0]) and matches(parts[1:], pattern[1:])


def walk(root, depth=float("inf")):
    """Names of the files in a folder and its sub-folders, relative, each folder once.

    Links are followed last, so that a folder is listed where it lies. The folders around the
    root count as seen: a link to one of them leads back to where it stands.

    Parameters
    ----------
    root : Path
    depth : int, optional
        How many names a path may have.

    Returns
    -------
    list of str
        With ``/``, in no order.

    Raises
    ------
    OSError
        If a folder cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "sub").mkdir()
    >>> (root / "sub" / "a.png").touch()
    >>> walk(root), walk(root, depth=1)
    (['sub/a.png'], [])
    """
    seen = {folder.stat()[1:3] for folder in root.resolve().parents}  # inode and device
    folders, links, names = [""], [], []
    while folders or links:
        folder = folders.pop() if folders else links.pop(links.index(min(links, key=natural)))
        place = root / folder
        if place.stat()[1:3] in seen:
            continue
        seen.add(place.stat()[1:3])
        with os.scandir(place) as entries:
            for entry in entries:
                name, link = folder + entry.name, entry.is_symlink()
                # DirEntry.is_dir raises where a link leads to itself.
                if not (Path(entry).is_dir() if link else entry.is_dir()):
                    names.append(name)
                elif name.count("/") + 1 < depth and not _HIDDEN.match(entry.name):
                    (links if link else folders).append(f"{name}/")
    return names


def only_pictures(names):
    """Those that look like pictures and are not hidden, in natural order.

    Examples
    --------
    >>> only_pictures(["b/10.png", "b/9.png", ".hidden.png", "notes.txt", "A.jpg"])
    ['A.jpg', 'b/9.png', 'b/10.png']
    """
    found = [name for name in names if posixpath.splitext(name)[1].lower() in EXTENSIONS]
    return sorted((name for name in found if not _HIDDEN.search(name)), key=natural)


def natural(name):
    """A key that sorts names as people count: img2 before img10, folder by folder.

    Examples
    --------
    >>> sorted(["img10.png", "img2.png"], key=natural)
    ['img2.png', 'img10.png']
    """
    folders, slash, file = name.rpartition("/")
    return (_natural_folders(folders) if slash else "") + _natural_part(file)


@functools.lru_cache(maxsize=1024)  # they come again and again
def _natural_folders(folders):
    return "".join([_natural_part(part) + "\0" for part in folders.split("/")])


def _natural_part(part):
    # Digits stay text, more of them later: int() refuses more than 4,300.
    pieces = _DIGITS.split(part.casefold())
    for place in range(1, len(pieces), 2):
        digits = pieces[place].lstrip("0") or "0"
        pieces[place] = f"{len(digits):05}{digits}"
    # One text for all of it is a fifth of the memory of pairs; nothing sorts before its separator.
    return "".join([*pieces, "\0", part])


def harmless(member):
    """The name as a relative path that leads nowhere else.

    Examples
    --------
    >>> harmless("../../etc/a.png"), harmless("C:\\\\b.png")
    ('etc/a.png', 'b.png')
    """
    if not _ODD.search(member):
        return member
    parts = re.sub("^[A-Za-z]:", "", member.replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def unique(names):
    """The names, with _2, _3 and so on in those that are there again.

    Examples
    --------
    >>> unique(["a.jpg", "a.jpg", "a_2.jpg"])
    ['a.jpg', 'a_3.jpg', 'a_2.jpg']
    """
    names = list(names)
    if len(set(names)) == len(names):
        return names
    taken, times, found = set(names), Counter(), []
    for name in names:
        times[name] += 1
        new, (stem, suffix) = name, posixpath.splitext(name)
        while times[name] > 1 and (new := f"{stem}_{times[name]}{suffix}") in taken:
            times[name] += 1
        taken.add(new)
        found.append(new)
    return found
