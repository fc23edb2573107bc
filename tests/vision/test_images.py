"""Images: which files, in which order, indexing, mapping, pickles and errors."""

import base64
import io
import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sklearn.svm import SVC
from sklearn.utils import _safe_indexing

import vision.images
import vision.prefetch
import vision.sources
from vision.errors import (
    ImageError,
    ImageIndexError,
    ImageNotFoundError,
    KindError,
    ParameterError,
)
from vision.images import Images

NATURAL = """1/b.png 2/a.png 10/a.png a.png B.png c.png img01.png img1.png img1b.png img2.png
img10/1.png img10.png IMG11.png img100.png éa.png 日本_2.png 日本_10.png"""
NATURAL = NATURAL.split()
HOSTILE = ["../up.png", "/root.png", "C:\\win\\1.png", "a/../../b.png", "a/./c.png", "up.png"]


def save(path, color=(10, 20, 30), size=(4, 3)):
    """A picture of one colour, written by Pillow; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def encoded(color):
    data = io.BytesIO()
    Image.new("RGB", (4, 3), color).save(data, "PNG")
    return data.getvalue()


def reds(images):
    return [int(picture.reshape(-1)[0]) for picture in images]


def repickled(images):
    return pickle.loads(pickle.dumps(images))


@pytest.fixture
def reads(monkeypatch):
    """The calls of the reader so far."""
    calls, decode = [], vision.sources.decode_first
    noting = lambda *args, **options: calls.append(args) or decode(*args, **options)  # noqa: E731
    monkeypatch.setattr(vision.sources, "decode_first", noting)
    return calls


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    """Ten files whose red value is ten times their number."""
    folder = tmp_path_factory.mktemp("ten")
    for number in range(10):
        save(folder / f"img{number}.png", (10 * number, 0, 0))
    return folder


def test_natural_order_against_a_list_by_hand(tmp_path):
    for name in reversed(NATURAL):
        save(tmp_path / name)
    assert Images(tmp_path).sources == NATURAL


def test_folders_that_differ_in_case_do_not_mix(tmp_path):
    if (save(tmp_path / "x.png").parent / "X.png").exists():
        pytest.skip("this file system does not tell upper case from lower case")
    for name in ("cat/1.png", "Cat/2.png", "cat/3.png", "Cat/4.png"):
        save(tmp_path / name)
    expected = ["Cat/2.png", "Cat/4.png", "cat/1.png", "cat/3.png", "x.png"]
    assert Images(tmp_path).sources == expected


def test_thousands_of_digits_in_a_name_are_ordered_by_value(tmp_path):
    small, large = f"{'9' * 5000}.png", f"1{'0' * 5000}.png"
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for name in (large, small, "007.png"):
            archive.writestr(name, encoded((0, 0, 0)))
    assert Images(tmp_path / "digits.zip").sources == ["007.png", small, large]


def test_hidden_files_and_what_is_no_picture_are_left_out(tmp_path):
    save(tmp_path / "a.PNG")
    for name in (".b.png", ".cache/c.png", "__MACOSX/d.png", "sub/._e.png", "sub/..f.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    for source in (tmp_path, tmp_path / "**", tmp_path / "*"):
        assert Images(source).sources == ["a.PNG"]


def test_sub_folders_are_mirrored_in_names_and_paths(tmp_path):
    save(tmp_path / "a" / "b" / "1.png", (7, 0, 0))
    images = Images(tmp_path)
    assert images.root == str(tmp_path)
    assert (images.sources, images.name(0)) == (["a/b/1.png"], "a/b/1.png")
    assert images.paths == [str(tmp_path / "a" / "b" / "1.png")]
    assert np.array_equal(images[0], np.full((3, 4, 3), (7, 0, 0)))


def test_each_folder_is_listed_once_whatever_links_lead_to_it(tmp_path):
    root = tmp_path / "photos"
    save(root / "2024" / "1.png")
    save(tmp_path / "elsewhere" / "2.png")
    save(tmp_path / "beside.png")
    links = {
        "2024/back": root,
        "around": tmp_path,
        "best": root / "2024",
        "self": root / "self",
        "shared": tmp_path / "elsewhere",
        "shared2": tmp_path / "elsewhere",
        "nowhere.png": root / "gone.png",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    images = Images(root)
    assert images.sources == ["2024/1.png", "nowhere.png", "shared/2.png"]
    with pytest.raises(ImageNotFoundError, match=re.escape("nowhere.png")):
        images[1]
    assert Images(f"{root}/**/*.png").sources == images.sources


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["c.png"]),
        ("*/*.png", ["a/1.png", "a/2.png", "b/1.png", "set [1]/4.png"]),
        ("*/1.*", ["a/1.png", "b/1.png"]),
        ("**/1.png", ["a/1.png", "a/deep/er/1.png", "b/1.png"]),
        ("a/**", ["1.png", "2.png", "deep/er/1.png"]),
        ("a/**/*.png", ["1.png", "2.png", "deep/er/1.png"]),
        ("**/deep/**/*.png", ["a/deep/er/1.png"]),
        ("[ab]/[!2].png", ["a/1.png", "b/1.png"]),
        ("set [1]/*.png", ["4.png"]),
    ],
)
def test_pattern(tmp_path, pattern, expected):
    names = ("a/1.png", "a/2.png", "a/deep/er/1.png", "b/1.png", "c.png", "set [1]/4.png")
    for name in names:
        save(tmp_path / name)
    images = Images(tmp_path / pattern)
    assert images.sources == expected
    # The standard library agrees, apart from the folder that it takes for a pattern.
    if "set" not in pattern:
        found = [p for p in tmp_path.glob(pattern + "/*" * pattern.endswith("**")) if p.is_file()]
        assert sorted(images.paths) == sorted(map(str, found))


def test_a_relative_folder_is_found_again_from_another_one(ten, monkeypatch):
    monkeypatch.chdir(ten.parent)
    images, matching = Images(ten.name), Images(f"{ten.name}/*7.png")
    monkeypatch.chdir("/")
    assert reds(images) == [10 * number for number in range(10)]
    assert reds(matching) == [70]


def test_a_list_of_files_is_taken_as_it_is(tmp_path, ten):
    other = save(tmp_path / "scan.png", (5, 0, 0)).rename(tmp_path / ".scan.data")
    images = Images([ten / "img3.png", str(other), ten / "img1.png", ten / "img3.png"])
    assert reds(images) == [30, 5, 10, 30]
    assert images.root == os.path.commonpath([ten, tmp_path])
    names = [images.name(i) for i in range(4)]
    assert len(set(names)) == 4
    assert names[3] == images.sources[0].replace("img3", "img3_2")
    assert Images(ten.glob("img1.png")).sources == ["img1.png"]
    assert Images(np.array([str(ten / "img1.png")])).paths == [str(ten / "img1.png")]
    assert reds(Images(ten / "img8.png")) == [80]


def test_a_list_that_goes_upwards_has_names_that_do_not(ten):
    images = Images([f"{ten}/../{ten.name}/img1.png", ten / "img2.png"])
    assert reds(images) == [10, 20]
    assert not any(".." in images.name(index).split("/") for index in range(2))


def test_repeated_names_stay_unique_next_to_names_that_look_repeated(ten, tmp_path):
    files = [save(tmp_path / name) for name in ("a.png", "a_2.png")]
    images = Images([files[0], files[0], files[1], files[0]])
    assert [images.name(i) for i in range(4)] == ["a.png", "a_3.png", "a_2.png", "a_4.png"]


def test_a_name_that_is_no_unicode(tmp_path, capsys):
    try:
        path = os.fsencode(tmp_path / "bad") + b"\xff.png"
        Path(os.fsdecode(path)).write_bytes(encoded((9, 0, 0)))
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    images = repickled(Images(tmp_path))
    assert reds(images) == [9]
    assert os.fsencode(images.paths[0]) == path
    print(repr(Images(images.paths)), Images(images.paths)._repr_html_())
    assert "1 file" in capsys.readouterr().out


def test_modes_and_limits_reach_the_reader(tmp_path):
    path = save(tmp_path / "a.png", (10, 20, 30))
    gray = np.asarray(Image.open(path).convert("L"))
    assert np.array_equal(Images(tmp_path, mode="gray")[0], gray)
    for mode in vision.images._MODES:
        assert Images(tmp_path, mode=mode, max_pixels=12)[0].shape[:2] == (3, 4)
    with pytest.raises(ImageError, match="4 x 3"):
        Images(tmp_path, max_pixels=11)[0]


def test_from_folders_gives_the_sub_folders_as_labels(tmp_path):
    for name in ("class 10/1.png", "class 2/10.png", "class 2/9.png", "class 2/x/y.png", "0.png"):
        save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    images, labels = Images.from_folders(tmp_path)
    expected = "class 2/9.png class 2/10.png class 2/x/y.png class 10/1.png"
    assert " ".join(images.sources) == expected
    assert labels.tolist() == ["class 2"] * 3 + ["class 10"]
    assert labels.dtype.kind == "U"
    with pytest.raises(ImageNotFoundError, match="class 10': no picture lies in a sub-folder"):
        Images.from_folders(tmp_path / "class 10")


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "inner" / "photos.zip"
    path.parent.mkdir()
    ignored = [".h.png", "x/.h/1.png", "__MACOSX/a.png", "notes.txt", "folder.png/"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number, name in enumerate(HOSTILE):
            file.writestr(name, encoded((number, 0, 0)))
        for name in ignored:
            file.writestr(name, encoded((99, 0, 0)))
    return path


def test_archive_members_are_read_by_name_and_nothing_is_unpacked(archive):
    images = Images(archive)
    assert dict(zip(images.sources, reds(images))) == {
        name: number for number, name in enumerate(HOSTILE)
    }
    assert sorted(archive.parent.parent.rglob("*")) == [archive.parent, archive]
    assert (images.root, images.paths) == (str(archive), None)


def test_names_for_outputs_stay_below_their_folder(archive):
    images = Images(archive)
    names = {images.name(index) for index in range(len(images))}
    assert len(names) == len(HOSTILE)
    folder = Path("/out")
    for name in names:
        assert Path(os.path.normpath(folder / name)).is_relative_to(folder)
        assert not {"", ".", "..", "C:"} & set(name.split("/"))
        assert "\\" not in name


def test_archive_is_read_by_many_threads_and_after_a_pickle(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(200):
            file.writestr(f"{number}.png", encoded((number, 0, 0)))
    images = Images(path)
    assert reds(images) == list(range(200))
    assert reds(repickled(images[::-1])) == list(range(200))[::-1]


def test_archive_with_damage(tmp_path, archive, monkeypatch):
    data = bytearray(archive.read_bytes())
    (tmp_path / "cut.zip").write_bytes(data[:-40])
    with pytest.raises(ImageError, match=r"cut\.zip': not a zip archive that can be read"):
        Images(tmp_path / "cut.zip")
    images = Images(archive)
    monkeypatch.setattr(vision.sources, "MAX_BYTES", 10)
    with pytest.raises(ImageError, match="cannot be taken out of the archive: more than 10 bytes"):
        images[0]
    monkeypatch.undo()
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # both headers: "is encrypted"
        for found in re.finditer(re.escape(mark), bytes(data)):
            data[found.start() + offset] |= 1
    (tmp_path / "secret.zip").write_bytes(data)
    with pytest.raises(ImageError, match=r"secret\.zip/.*\.png': cannot be taken .* encrypted"):
        Images(tmp_path / "secret.zip")[0]


def test_arrays_are_given_out_as_they_are():
    stack = np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3)
    images = Images(stack)
    assert all(np.shares_memory(picture, stack) for picture in images)
    assert np.array_equal(np.stack(list(images)), stack)
    ragged = [np.zeros((2, 3), np.float32), np.ones((4, 5, 3), np.uint16)]
    assert all(given is kept for given, kept in zip(Images(ragged), ragged))
    objects = np.empty(2, object)
    objects[:] = ragged
    assert Images(objects)[1] is ragged[1]
    assert [images[1:].name(i) for i in range(2)] == ["000001", "000002"]
    assert (images.root, images.paths, images.sources[0]) == (None, None, "000000")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "'source' of Images must be a folder, .* Got .* At least one picture"),
        (np.zeros((0, 4, 5)), "'source' of Images must be a folder"),
        (7, "Got 7"),
        ({"a.png"}, "Got {'a.png'}"),
        (["a.png", np.zeros((2, 2))], "list of files or of arrays"),
        (np.zeros((4, 5, 3)), r"many pictures .* one picture, which is the collection \[image\]"),
        (np.zeros((4, 5)), r"'source\[0\]' of Images must be a picture \(H, W\)"),
        (np.zeros((2, 4, 5, 5)), r"'source\[0\]' .* shape \(4, 5, 5\)"),
        ([np.zeros((2, 2)), np.zeros(3)], r"'source\[1\]' .* shape \(3,\)"),
        (np.array(5), "Got an array of shape"),
    ],
)
def test_a_source_that_is_none(source, message):
    with pytest.raises(ParameterError, match=message):
        Images(source)


def test_nothing_there_says_what_was_looked_for(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    message = r"no picture found, hidden ones aside; looked for files ending in .*\.jpg.*\.png"
    for source in (tmp_path, f"{tmp_path}/*.jpg", f"{tmp_path}/**/*.txt"):
        with pytest.raises(ImageNotFoundError, match=message):
            Images(source)
    with pytest.raises(ImageNotFoundError, match=r"gone': there is no such folder or file"):
        Images(tmp_path / "gone")
    with pytest.raises(ImageNotFoundError, match=r"there is no folder .*gone"):
        Images(f"{tmp_path}/gone/**/*.jpg")


def test_parameters_by_name(ten):
    with pytest.raises(ParameterError, match=r"'mode' of Images must be .* Did you mean 'gray'\?"):
        Images(ten, mode="grey")
    with pytest.raises(ParameterError, match="'mode' of Images must be 'rgb' for arrays"):
        Images(np.zeros((2, 4, 5)), mode="gray")
    with pytest.raises(ParameterError, match="'max_pixels' of Images must be a whole number"):
        Images(ten, max_pixels=0)
    with pytest.raises(ParameterError, match=r"'size' of Images\.chunks must be .* at least 1"):
        Images(ten).chunks(0)
    with pytest.raises(ParameterError, match=r"'function' of Images\.map must be a step"):
        Images(ten).map("Gray")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (10, "must be a whole number from -10 to 9, a slice.*Got 10: index 10 is out of bounds"),
        (-11, "Got -11"),
        (np.ones(9, bool), "10 booleans.*is 9"),
        ([3, 10], "index 10 is out of bounds"),
        ("img1.png", "Got 'img1.png': only integers"),
        (1.5, "Got 1.5"),
        (None, "more than one axis"),
        (True, "more than one axis"),
        ([[1, 2], [3, 4]], "more than one axis"),
        ((1, 2), "too many indices"),
    ],
)
def test_an_index_that_it_does_not_have(ten, reads, key, message):
    with pytest.raises(ImageIndexError, match=f"(?s){message}"):
        Images(ten)[key]
    assert len(reads) == 0


COUNT = 12
PICTURES = np.arange(COUNT, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
WHOLE = st.integers(-COUNT, COUNT - 1)
FLAGS = st.lists(st.booleans(), min_size=COUNT, max_size=COUNT)
ARRAY_KEYS = st.one_of(
    st.slices(COUNT),
    st.lists(WHOLE, max_size=20),
    st.lists(WHOLE, min_size=1, max_size=20).map(np.array),
    FLAGS,
    FLAGS.map(np.array),
)


@given(st.integers(-2 * COUNT, 2 * COUNT))
def test_a_whole_number_indexes_like_a_list(key):
    for index in (key, np.int16(key), np.array(key)):
        try:
            expected = list(range(COUNT))[key]
        except IndexError:
            with pytest.raises(IndexError):
                Images(PICTURES)[index]
        else:
            assert np.array_equal(Images(PICTURES)[index], PICTURES[expected])


@given(ARRAY_KEYS, st.booleans(), ARRAY_KEYS)
def test_other_keys_index_like_numpy(key, paired, second):
    expected = np.arange(COUNT)[key]
    chosen = Images(PICTURES)[(key, ...) if paired else key]
    assert isinstance(chosen, Images)
    assert reds(chosen) == expected.tolist()
    assert (chosen.shape, len(chosen), chosen.ndim) == (expected.shape, len(expected), 1)
    if isinstance(second, slice):
        assert reds(chosen[second]) == expected[second].tolist()
        assert reds(repickled(chosen)[second]) == expected[second].tolist()


def test_indexing_reads_nothing_and_iteration_all_once(ten, reads):
    images = Images(ten)
    part = images[2:8][[0, 3, 5]][np.array([True, False, True])]
    assert (len(part), part.sources, part.shape) == (2, ["img2.png", "img7.png"], (2,))
    assert len(reads) == 0
    assert reds(part) == [20, 70]
    assert len(reads) == 2
    assert reds([images[-1], images[np.int64(3)], images[4, ...]]) == [90, 30, 40]
    assert (len(reads), images.read_item(2)[0, 0, 0]) == (5, 20)


def brighter(picture):
    return picture + np.uint8(1)


def test_maps_compose_are_lazy_and_belong_to_slices(ten, reads):
    mapped = Images(ten).map(brighter).map(np.negative)[3:5].map(lambda picture: int(picture.max()))
    assert len(reads) == 0
    assert list(mapped) == [256 - 1, 256 - 1]  # green is 0, then 1, then 255
    assert mapped[0] == 255
    assert reds(Images(ten).map(brighter)[3:5]) == [31, 41]
    assert [len(chunk) for chunk in mapped.chunks(1)] == [1, 1]


def test_what_a_mapped_function_raises_names_the_picture(ten):
    def fails(picture):
        if picture[0, 0, 0] == 50:
            raise ArithmeticError("fifty")
        return picture

    with pytest.raises(ArithmeticError, match="fifty") as caught:
        list(Images(ten).map(fails))
    assert caught.value.__notes__ == ["The picture was 'img5.png'."]


def test_pickles_as_names_never_as_pictures(ten, reads):
    images = Images(ten, mode="gray", max_pixels=100)
    assert images.name(0) == "img0.png"
    list(images)
    part = pickle.dumps(images[4:6].map(brighter))
    assert b"img4.png" in part
    assert b"img3.png" not in part
    assert len(part) < 1000
    again = repickled(images[4:6].map(brighter))
    assert (again.sources, again.mode, again.max_pixels) == (["img4.png", "img5.png"], "gray", 100)
    assert np.array_equal(again[1], images[5] + np.uint8(1))


def test_arrays_pickle_what_was_chosen():
    part = repickled(Images(PICTURES)[[7, 3]])
    assert reds(part) == [7, 3]
    assert [part.name(0), part.name(1)] == ["000007", "000003"]
    assert len(pickle.dumps(Images(np.zeros((1000, 9, 9), np.uint8))[:2])) < 2000
    ragged = Images([np.zeros((2, 2)), np.ones((3, 3))])[1:]
    assert np.array_equal(repickled(ragged)[0], np.ones((3, 3)))


def test_safe_indexing_agrees_with_that_of_an_array():
    images, numbers = Images(PICTURES), np.arange(COUNT)
    for key in (slice(2, 9, 3), [1, 5], (4, 2), np.array([0, 3]), numbers > 5):
        assert reds(_safe_indexing(images, key)) == _safe_indexing(numbers, key).tolist()
    assert _safe_indexing(images, 4)[0, 0] == 4


def test_nothing_is_made_an_array_unnoticed(ten, reads):
    images = Images(ten)
    for convert in (np.asarray, lambda x: np.array([x]), lambda x: SVC().fit(x, range(10))):
        with pytest.raises(KindError, match=r"list\(images\)\) reads.*RawPixels\(\)"):
            convert(images)
    assert len(reads) == 0
    assert np.stack(list(images)).shape == (10, 3, 4, 3)


def test_repr(ten, tmp_path, monkeypatch):
    monkeypatch.chdir(ten.parent)
    assert repr(Images(ten.name)) == f"Images(10 files in {ten.name}/, mode='rgb')"
    one = Images(f"{ten.name}/*1.png").map(brighter)
    expected = f"1 file matching {ten.name}/*1.png, mode='rgb', mapped by brighter"
    assert repr(one) == f"Images({expected})"
    assert repr(Images(one.paths)) == f"Images(1 file under {ten}, mode='rgb')"
    assert repr(Images(PICTURES)) == "Images(12 arrays)"


def test_contact_strip_shows_the_first_pictures_and_what_is_wrong(ten, tmp_path):
    broken = tmp_path / "<b>.png"
    broken.write_bytes(b"no picture")
    images = Images([*sorted(ten.iterdir())[:2], broken, *sorted(ten.iterdir())[2:]])
    page = images._repr_html_()
    shown = re.findall(r"base64,([^\"]+)", page)
    colors = [Image.open(io.BytesIO(base64.b64decode(data))).getpixel((0, 0)) for data in shown]
    assert colors == [(0, 0, 0), (10, 0, 0), (20, 0, 0), (30, 0, 0), (40, 0, 0)]
    assert "ImageError" in page
    assert ("&lt;b&gt;.png" in page, "<b>.png" in page) == (True, False)
    assert ">dict<" in images.map(lambda picture: {})._repr_html_()
    assert Images(np.full((1, 2, 2), np.nan))._repr_html_().count("ImageError") == 1
