"""Names of outputs: told from one name alone, and never the same for two."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.headers import FORMATS
from vision.output_names import output_name

PARTS = [
    "a",
    "b.c",
    "A",
    "ü",
    ".png",
    ".PNG",
    ".jpg",
    ".jpeg",
    ".gif",
    ".image",
    ".folder",
    ".",
    " ",
]
COMPONENTS = (
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=5)
    .map("".join)
    .filter(lambda name: name not in (".", "..") and name.strip())
)
NAMES = st.lists(COMPONENTS, min_size=1, max_size=3).map("/".join)


def paths_around(name):
    """All folders that a file of this name lies in."""
    while name := posixpath.dirname(name):
        yield name


def one_tree(names):
    """The names that can be files of one folder tree: none is a folder of another."""
    folders = {folder for name in names for folder in paths_around(name)}
    return sorted(set(names) - folders)


@given(names=st.lists(NAMES, min_size=2, max_size=12), format=st.sampled_from(["PNG", "JPEG"]))
def test_no_two_names_meet_and_none_is_called_like_a_folder(names, format):
    sources = one_tree(names)
    outputs = [output_name(name, format) for name in sources]
    assert len(set(outputs)) == len(sources)
    assert not {folder for name in outputs for folder in paths_around(name)} & set(outputs)


@given(names=st.lists(NAMES, min_size=2, max_size=12))
def test_no_two_names_meet_when_each_keeps_its_own_format(names):
    def own(name):
        suffix = posixpath.splitext(name)[1].lower()
        return "JPEG" if suffix in FORMATS["JPEG"] else "PNG"

    sources = one_tree(names)
    assert len({output_name(name, own(name)) for name in sources}) == len(sources)


@given(name=NAMES, format=st.sampled_from(sorted(FORMATS)))
def test_outputs_stay_inside_and_carry_their_format(name, format):
    output = output_name(name, format)
    assert posixpath.normpath(posixpath.join("/out", output)) == f"/out/{output}"
    assert output.count("/") == name.count("/")
    assert posixpath.splitext("x" + posixpath.basename(output))[1].lower() in FORMATS[format]


@pytest.mark.parametrize(
    ("name", "format", "expected"),
    [
        ("a.jpg", "PNG", "a.jpg.png"),
        ("a.png", "PNG", "a.png"),
        ("a.PNG", "PNG", "a.PNG"),
        ("a.jpeg", "JPEG", "a.jpeg"),
        ("a.tif", "TIFF", "a.tif"),
        ("a.jpg.png", "PNG", "a.jpg.png.png"),
        ("a.png.jpg", "PNG", "a.png.jpg.png"),
        ("2024.05.01.png", "PNG", "2024.05.01.png"),
        ("a", "PNG", "a.image.png"),
        ("a.txt", "PNG", "a.txt.image.png"),
        ("a.image.png", "PNG", "a.image.png.png"),
        ("x.y/ü b.webp", "JPEG", "x.y/ü b.webp.jpg"),
        ("a.jpg.png/b.png", "PNG", "a.jpg.png.folder/b.png"),
    ],
)
def test_by_hand(name, format, expected):
    assert output_name(name, format) == expected
