"""A folder of hostile files, always the same: damaged pictures, bombs, odd names, pipes, links.

    python -m tests.hostile_files FOLDER [--most FILES] [--seed NUMBER]

Some 2,500 files of more than 200 kinds, each in a folder of its kind. Prints how many there are of
every kind, and what is expected of them: `good` files are to be read, `bad` ones refused, of
`either` nobody can tell, and `unlisted` ones are none that a folder's pictures are looked for in.
"""

import argparse
import os
import re
import socket
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from tests import hostile_contents as damage
from tests.hostile_bombs import bombs
from tests.hostile_contents import BAD, GOOD, bases, is_text
from tests.hostile_edits import jpeg_edits, other_edits, png_edits

UNLISTED = "unlisted"
OF_EVERY_BASE = (
    "cut",
    "flipped",
    "edited",
    "resized",
    "zeroed",
    "mangled",
    "spliced",
    "followed",
    "misnamed",
)
SPARSE = 3 << 30  # bytes, of which the disk holds next to none


@dataclass(frozen=True)
class HostileFile:
    """A file of the corpus.

    Parameters
    ----------
    name : str
        Relative to the folder, with ``/``.
    kind, expected, reference, source
        As of `tests.hostile_contents.Content`; `expected` may also be ``"unlisted"``.
    """

    name: str
    kind: str
    expected: str
    reference: np.ndarray | None = None
    source: bytes | None = None


def contents(seed=0):
    """All contents, in an order that does not change; their chance comes from the seed.

    Yields
    ------
    Content
    """
    every = [getattr(damage, name) for name in OF_EVERY_BASE]
    makers = [partial(make, name) for make in every for name in bases() if _fits(make, name)]
    makers += [partial(damage.turned, orientation) for orientation in range(1, 9)]
    makers += [
        damage.confused,
        damage.empty,
        damage.no_picture,
        png_edits,
        jpeg_edits,
        other_edits,
        bombs,
    ]
    for number, make in enumerate(makers):
        rng = np.random.default_rng([seed, number])
        yield from (content for content in make(rng) if content is not None)


def _fits(make, name):
    """Headers of a BigTIFF, and of pictures that are text, are edited byte by byte alone."""
    return make is not damage.resized or not (name == "tiff big" or is_text(name))


def make_hostile_files(folder, *, seed=0, most=None):
    """Write the files.

    Parameters
    ----------
    folder : path-like
        Made if it is not there.
    seed : int, default=0
        Of what is drawn.
    most : int, optional
        Files of a kind, at most, evenly chosen; links lead to files of their own.

    Returns
    -------
    list of HostileFile
    """
    folder = Path(folder)
    kinds = defaultdict(list)
    for content in contents(seed):
        kinds[content.kind].append(content)
    files = [made for kind in kinds.values() for made in _written(folder, _some(kind, most))]
    for name, data, expected, reference, kind in _some_named(most):
        path = folder / _folder_of(kind) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.append(_file(folder, path, kind, expected, reference))
    return files + list(_special(folder))


def _some(items, most):
    """At most so many, evenly chosen."""
    step = 1 if most is None else -(-len(items) // most)
    return items[::step]


def _folder_of(kind):
    return re.sub("[^A-Za-z0-9]+", "_", kind).strip("_").lower()


def _file(folder, path, kind, expected, reference=None, source=None):
    name = os.path.relpath(path, folder).replace(os.sep, "/")
    return HostileFile(name, kind, expected, reference, source)


def _written(folder, found):
    for number, content in enumerate(found):
        path = folder / _folder_of(content.kind) / f"{number:03}{content.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.data)
        yield _file(folder, path, content.kind, content.expected, content.reference, content.source)


NAMES = {  # by kind; each name is given to a good picture and, with a 2 in front, to a bad one
    "name that is no UTF-8": (
        b"\xff.jpg",
        b"caf\xe9.jpg",
        b"\xc3\x28\xed\xa0\x80.jpg",
        b"\x80/a.jpg",
    ),
    "name of line ends": (b"a\nb.jpg", b"a\r\n.jpg", b"\n.jpg", b"a\n/b.jpg"),
    "name of control characters": (b"\x1b[31mred.jpg", b"\x07.jpg", b"a\tb.jpg", b"\x7f.jpg"),
    "name like a table's cell": (b'"a",b.jpg', b"a,b,c.jpg", b"a;b.jpg", b"'.jpg", b'"""".jpg'),
    "name like a formula": (b"=1+1.jpg", b"@SUM(A1).jpg", b"+a.jpg", b"=cmd|' /C calc'!A0.jpg"),
    "name like an option": (b"-rf.jpg", b"--help.jpg", b"-.jpg"),
    "name like a pattern": (b"*.jpg", b"[ab].jpg", b"?.jpg", b"{a,b}.jpg", b"**/a.jpg"),
    "name like a template": (b"{name}.jpg", b"%s%n.jpg", b"${HOME}.jpg", b"$(id).jpg", b"`id`.jpg"),
    "name like a page": (b"<script>a.jpg", b"a&amp;.jpg", b"<img src=x onerror=a>.jpg"),
    "name like another path": (
        b"a..jpg",
        b"a...jpg",
        b"C:\\a.jpg",
        b"\\\\server\\a.jpg",
        b"file:..jpg",
    ),
    "name that Windows reserves": (b"con.jpg", b"nul.jpg", b"aux.jpg", b"a:b.jpg", b"lpt1.jpg"),
    "name of spaces": (b" .jpg", b"a b .jpg", b"\xc2\xa0.jpg", b"  a/ b /c.jpg"),
    "name of many scripts": tuple(
        text.encode()
        for text in (
            "日本語.jpg",
            "мир.jpg",
            "سلام.jpg",
            "👨‍👩‍👧.jpg",
            "é.jpg",
            "e\u0301.jpg",
            "\u202egpj.exe.jpg",
        )
    ),
    "name of capitals": (b"A.JPG", b"a.jpg", b"A.jpg", b"a.JPG"),
    "name of several suffixes": (b"a.png.jpg", b"a.jpg.jpg", b"a.jpg.png.jpg", b"a.folder.jpg"),
    "name of 250 bytes": (b"a" * 246 + b".jpg", b"\xc3\xa4" * 123 + b".jpg"),
    "name deep below": (b"d/" * 50 + b"a.jpg", (b"e" * 100 + b"/") * 9 + b"a.jpg"),
    "name of many digits": (b"9" * 200 + b".jpg", b"007.jpg", b"7.jpg", b"\xd9\xa7.jpg"),
    "folder called like a picture": (b"x.jpg/a.jpg", b"x.png/y.gif/a.jpg", b"x.jpg.folder/a.jpg"),
}
HIDDEN = (b".a.jpg", b".git/a.jpg", b"__MACOSX/._a.jpg", b"notes.txt", b"Thumbs.db", b"a.jpg~")


def _some_named(most):
    """Files whose names are odd, but of no surprising content."""
    good, pixels = bases()["png"]
    torn = good[: len(good) // 2]
    for kind, names in NAMES.items():
        for number, name in enumerate(_some(names, most)):
            # Trailing bytes keep any two files from being the same, which would not be computed.
            data = good + name
            yield os.fsdecode(name), data, GOOD, pixels, kind
            if b"/" not in name and len(name) < 250:
                bad = torn[: -1 - number]
                yield os.fsdecode(b"2" + name), bad, BAD, None, kind
    for name in _some(HIDDEN, most):
        yield os.fsdecode(name), good, UNLISTED, None, "hidden, or no picture by its name"


def _special(folder):
    """What is there under a name, but is no file as others."""
    places = {}

    def place(kind, name):
        path = folder / _folder_of(kind) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        places[path] = kind
        return path

    good, pixels = bases()["jpeg"]
    for number in range(3):
        os.mkfifo(place("pipe", f"{number}.jpg"))
        path = place("link to nothing", f"{number}.png")
        path.symlink_to(f"nowhere/{number}.png")
        path = place("link to itself", f"{number}.jpg")
        path.symlink_to(path.name)
        first, second = (place("links in a circle", f"{number}{name}.gif") for name in "ab")
        first.symlink_to(second.name)
        second.symlink_to(first.name)
    for name in ("null", "zero", "full", "tty", "random"):
        place("link to a device", f"{name}.jpg").symlink_to(f"/dev/{name}")
    with socket.socket(socket.AF_UNIX) as opened:
        _bound(opened, place("socket", "a.jpg"))
    for suffix in (".jpg", ".tif", ".png", ".pgm"):
        _sparse(place("sparse, of gigabytes", f"empty{suffix}"), b"")
    for name in ("jpeg", "png", "tiff raw", "webp", "gif"):
        data, _ = bases()[name]
        _sparse(
            place("sparse, behind a header", f"a.{name.split()[0]}"[:6]), data[: len(data) // 2]
        )
    if os.geteuid():
        for number in range(2):
            path = place("unreadable", f"{number}.jpg")
            path.write_bytes(good)
            path.chmod(0)
    yield from (_file(folder, path, kind, BAD) for path, kind in places.items())
    yield from _linked(folder, good, pixels)


def _bound(opened, path):
    """A socket by a name relative to its folder: an absolute one may be too long."""
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        opened.bind(path.name)
    finally:
        os.fchdir(before)
        os.close(before)


def _sparse(path, head):
    with path.open("wb") as file:
        file.write(head)
        file.truncate(SPARSE)


def _linked(folder, good, pixels):
    """Links that lead to pictures, and links to folders, which are listed once."""
    place = folder / "links_that_lead_to_pictures"
    (place / "deep").mkdir(parents=True)
    for number in range(4):
        path = place / f"{number}.jpg"
        path.write_bytes(good + b"%d" % number)
        (place / "deep" / f"link{number}.jpg").symlink_to(f"../{number}.jpg")
        os.link(path, place / "deep" / f"hard{number}.jpg")
        for found, kind in (
            (path, "file that links lead to"),
            (place / "deep" / f"link{number}.jpg", "link to a picture"),
            (place / "deep" / f"hard{number}.jpg", "second name of a file"),
        ):
            yield _file(folder, found, kind, GOOD, pixels)
    for name, target in (("above", ".."), ("self", "."), ("top", "../.."), ("deep.jpg", "deep")):
        (place / name).symlink_to(target)


def main():
    """Write the files into a folder and count them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, help="files of a kind")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print_counts(make_hostile_files(asked.folder, seed=asked.seed, most=asked.most))


def print_counts(files):
    """Print how many files there are of each kind."""
    counts = Counter(file.kind for file in files)
    expected = {file.kind: Counter() for file in files}
    for file in files:
        expected[file.kind][file.expected] += 1
    for kind, count in sorted(counts.items()):
        told = ", ".join(f"{number} {what}" for what, number in sorted(expected[kind].items()))
        print(f"{kind:<44}{count:>5}   {told}")
    largest = max(counts.values()) / len(files)
    print(f"{len(files):,} files of {len(counts)} kinds; the largest kind is {largest:.1%} of them")


if __name__ == "__main__":
    main()
