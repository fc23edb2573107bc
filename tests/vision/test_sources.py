"""Manifests, tar archives and object stores: the same pictures as from a folder."""

import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
import time

import numpy as np
import pytest

import vision
from classical import FindContours, Gray, Otsu
from tests.vision.run_folders import put, run, squares, stored, table
from vision.errors import (
    ImageError,
    ImageNotFoundError,
    MissingDependencyError,
    ParameterError,
)
from vision.images import Images

NAMES = ["1.png", "2.png", "10.png", "sub/3.png", "sub/deep/4.png"]
HOSTILE = ["../up.png", "/etc/root.png", "a/../../b.png", "C:\\c.png", "\u00fc \udcff.png"]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    for number, name in enumerate(NAMES):
        put(folder, name, squares(number + 1))
    return folder


def gray(images):
    return list(Images(images, mode="gray"))


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other))


# Manifests


def test_a_list_in_a_file_is_the_list(folder, tmp_path):
    order = ["sub/3.png", "10.png", "1.png"]
    manifest = folder / "some.txt"
    manifest.write_text("\n".join(order) + "\n\n")
    images = Images(manifest, mode="gray")
    assert images.sources == order
    assert images.paths == [str(folder / name) for name in order]
    assert same(list(images), gray([folder / name for name in order]))
    assert repr(images) == f"Images(3 files of {manifest}, mode='gray')"


def test_what_find_prints_is_a_manifest(folder):
    for option in ("-print", "-print0"):
        found = subprocess.run(
            ["find", ".", "-name", "*.png", option], cwd=folder, capture_output=True, check=True
        )
        (folder / "list.txt").write_bytes(found.stdout)
        assert sorted(Images(folder / "list.txt").sources) == sorted(NAMES)


def test_lines_of_windows_and_names_that_are_no_text(folder):
    odd = os.fsencode(folder) + b"/odd\xff.png"
    with open(odd, "wb") as file:  # noqa: PTH123 (bytes)
        file.write((folder / "1.png").read_bytes())
    (folder / "list.txt").write_bytes(b"\xef\xbb\xbf1.png\r\nodd\xff.png\r\n")
    images = Images(folder / "list.txt", mode="gray")
    assert images.sources == ["1.png", "odd\udcff.png"]
    assert np.array_equal(images[1], squares(1))


def test_a_table_may_hold_commas_labels_and_other_columns(folder):
    put(folder, "a, b.png", squares(7))
    (folder / "t.csv").write_text('id,path,label\n1,"a, b.png",cat\n2,10.png,dog\n')
    images, labels = Images.from_manifest(folder / "t.csv", mode="gray")
    assert images.sources == ["a, b.png", "10.png"]
    assert labels.tolist() == ["cat", "dog"]
    assert np.array_equal(images[0], squares(7))
    assert Images(folder / "t.csv").sources == images.sources


def test_parquet_lists_what_csv_lists_with_labels_as_they_are(folder):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"label": [3, 5], "path": NAMES[:2]}), folder / "t.parquet")
    images, labels = Images.from_manifest(folder / "t.parquet", mode="gray")
    assert images.sources == NAMES[:2]
    assert labels.dtype.kind == "i"
    assert labels.tolist() == [3, 5]
    assert same(list(images), [squares(1), squares(2)])


def test_paths_begin_at_the_folder_of_the_manifest(folder, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "up.txt").write_text("photos/1.png\n./photos/sub/../2.png\n")
    assert Images(tmp_path / "up.txt").sources == ["photos/1.png", "photos/2.png"]
    (folder / "sub/out.txt").write_text(f"../1.png\n{folder}/2.png\n")
    images = Images(folder / "sub/out.txt", mode="gray")
    assert images.root == str(folder)
    assert same(list(images), [squares(1), squares(2)])


def test_names_of_a_manifest_do_not_change_with_what_else_it_lists(folder):
    (folder / "list.txt").write_text("sub/3.png\n")
    assert Images(folder / "list.txt").sources == ["sub/3.png"]


def test_a_file_that_is_not_there_is_one_row_of_the_errors(folder, tmp_path):
    (folder / "list.txt").write_text("1.png\nmissing.png\n")
    summary = run(Gray(), folder / "list.txt", tmp_path / "out")
    assert (summary.done, summary.failed) == (1, 1)
    assert table(summary.errors_csv)[0]["error"] == "ImageNotFoundError"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "\n\n", "lists no picture"),
        ("a.csv", "", "needs a column 'path'; it has none at all"),
        ("a.csv", "file,label\n1.png,cat\n", "needs a column 'path'; it has 'file', 'label'"),
        ("a.csv", "path,label\n1.png\n", "row 1 has 1 cells, the header has 2"),
        ("a.csv", "path,label\n,cat\n", "row 1 has no path but ''"),
        ("a.csv", "path\na\0b.png\n", "row 1 has no path|line contains NUL"),
        ("a.parquet", "no parquet", "not a Parquet file that can be read"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(tmp_path, name, content, said):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_text(content)
    with pytest.raises(ImageError, match=said):
        Images(tmp_path / name)


def test_labels_that_are_missing_are_told(folder):
    (folder / "a.csv").write_text("path\n1.png\n")
    (folder / "b.csv").write_text("path,label\n1.png,cat\n2.png,\n")
    with pytest.raises(ImageError, match="no column 'label'"):
        Images.from_manifest(folder / "a.csv")
    with pytest.raises(ImageError, match="row 2 has no label"):
        Images.from_manifest(folder / "b.csv")
    with pytest.raises(ImageNotFoundError, match="no such file"):
        Images.from_manifest(folder / "c.csv")


# Tar archives


def pack(path, folder, names=NAMES, **options):
    with tarfile.open(path, "w", **options) as archive:
        for name in names:
            archive.add(folder / name, name)
    return path


@pytest.mark.parametrize(
    "format",
    [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT],
    ids=["ustar", "gnu", "pax"],
)
def test_members_of_a_tar_are_the_files(folder, tmp_path, format):
    long = "x" * 90 + "/" + "y" * 95 + ".png"
    put(folder, long, squares(9))
    archive = pack(tmp_path / "a.tar", folder, [*NAMES, long], format=format)
    images = Images(archive, mode="gray")
    assert images.sources == [*NAMES, long]
    assert images.paths is None
    assert same(list(images), gray(folder))
    assert repr(images) == f"Images(6 files in {archive}, mode='gray')"


def test_a_tar_as_the_tar_program_writes_it(folder, tmp_path):
    archive = tmp_path / "by-tar.tar"
    subprocess.run(["tar", "-C", folder, "-cf", archive, "."], check=True)
    assert Images(archive).sources == NAMES
    os.rename(archive, tmp_path / "nameless")  # noqa: PTH104
    assert Images(tmp_path / "nameless").sources == NAMES


def test_members_are_read_by_many_threads_at_any_place(folder, tmp_path):
    images = Images(pack(tmp_path / "a.tar", folder), mode="gray")
    wrong = []

    def read(seed):
        for index in np.random.default_rng(seed).integers(0, 5, 60):
            if not np.array_equal(
                images[int(index)], squares(NAMES.index(images.sources[index]) + 1)
            ):
                wrong.append(index)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_tar_travels_as_its_index(folder, tmp_path):
    images = Images(pack(tmp_path / "a.tar", folder), mode="gray")[[4, 1]]
    _ = images[0]
    again = pickle.loads(pickle.dumps(images))
    assert again.sources == ["sub/deep/4.png", "2.png"]
    assert same(list(again), [squares(5), squares(2)])


def member(name, data=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, io.BytesIO(data)


def write_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for info, data in members:
            archive.addfile(info, data if info.size else None)
    return path


def test_no_name_leads_out_and_no_link_is_followed(folder, tmp_path):
    data = (folder / "1.png").read_bytes()
    (tmp_path / "secret.png").write_bytes(data)
    members = [member(name, data) for name in HOSTILE]
    members += [
        member("soft.png", kind=tarfile.SYMTYPE, link="../secret.png"),
        member("hard.png", kind=tarfile.LNKTYPE, link="../secret.png"),
        member("pipe.png", kind=tarfile.FIFOTYPE),
        member("within.png", kind=tarfile.LNKTYPE, link=HOSTILE[0]),
        member("folder.png", kind=tarfile.DIRTYPE),
        member(".hidden.png", data),
    ]
    before = sorted(tmp_path.rglob("*"))
    images = Images(write_tar(tmp_path / "h.tar", members), mode="gray")
    names = {images.name(index) for index in range(len(images))}
    assert names == {
        *("up.png", "etc/root.png", "a/b.png", "c.png", "\u00fc \udcff.png"),
        *("soft.png", "hard.png", "pipe.png", "within.png"),
    }
    for index, source in enumerate(images.sources):
        if source in ("soft.png", "hard.png", "pipe.png"):
            with pytest.raises(ImageError, match="a link, a hole or a device"):
                _ = images[index]
        else:
            assert np.array_equal(images[index], squares(1))
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "h.tar"])


def test_of_two_members_of_one_name_the_last_counts_as_for_tar(folder, tmp_path):
    data = [(folder / name).read_bytes() for name in NAMES[:2]]
    archive = write_tar(tmp_path / "a.tar", [member("x.png", one) for one in data])
    with tarfile.open(archive) as peer:
        assert peer.extractfile("x.png").read() == data[1]
    images = Images(archive, mode="gray")
    assert len(images) == 1
    assert np.array_equal(images[0], squares(2))


def test_a_tar_cut_anywhere_is_refused_or_whole(folder, tmp_path):
    whole = pack(tmp_path / "a.tar", folder, NAMES[:3]).read_bytes()
    ends = []
    with tarfile.open(tmp_path / "a.tar") as archive:
        ends = [info.offset_data + (info.size + 511) // 512 * 512 for info in archive]
    cut = tmp_path / "cut.tar"
    for length in range(0, ends[-1] + 512, 97):
        cut.write_bytes(whole[:length])
        complete = sum(end <= length for end in ends)
        try:
            images = Images(cut, mode="gray")
        except ImageError:
            continue
        found = len(images)
        # A cut between two members cannot be told from an archive that ends there.
        assert found == complete or length > ends[-1]
        assert same(list(images), [squares(number + 1) for number in range(found)])


def test_a_tar_that_runs_in_a_circle_or_is_none_is_refused(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(ImageError, match=r"a\.tar': not a tar archive that can be read"):
        Images(tmp_path / "a.tar")
    # CVE-2025-8194: a size that is negative leads back.
    info = tarfile.TarInfo("a.png")
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = (256**12 - 1024).to_bytes(12, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    (tmp_path / "b.tar").write_bytes(bytes(head) * 3 + bytes(1024))
    started = time.monotonic()
    with pytest.raises(ImageError, match="not a tar archive that can be read"):
        Images(tmp_path / "b.tar")
    assert time.monotonic() - started < 10


def test_an_archive_that_was_changed_is_not_misread(folder, tmp_path):
    archive = pack(tmp_path / "a.tar", folder)
    images = Images(archive)
    pack(archive, folder, NAMES[::-1])
    os.utime(archive, ns=(1, 1))
    with pytest.raises(ImageError, match="changed since it was listed"):
        _ = images[0]


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.TAR.GZ"])
def test_a_compressed_tar_is_refused_with_the_way(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(
        ParameterError, match=r"a plain \.tar.*Unpack it once: (gunzip|bunzip2|unxz) /"
    ):
        Images(tmp_path / name)


def test_an_empty_tar_has_no_picture(tmp_path):
    with pytest.raises(ImageNotFoundError, match="no picture found"):
        Images(write_tar(tmp_path / "a.tar", []))


def test_a_run_over_a_tar_is_that_over_its_folder_and_resumes(folder, tmp_path):
    steps = Gray() >> Otsu() >> FindContours()
    archive = pack(tmp_path / "a.tar", folder)
    whole = run(steps, folder, tmp_path / "whole", overlay=True)
    packed = run(steps, archive, tmp_path / "packed", overlay=True)
    assert packed.results_csv.read_bytes() == whole.results_csv.read_bytes()
    assert run(steps, archive, tmp_path / "packed", overlay=True).unchanged == 5
    put(folder, "1.png", squares(8))
    pack(archive, folder)
    again = run(steps, archive, tmp_path / "packed", overlay=True)
    assert (again.done, again.unchanged) == (1, 4)  # the others are read and have not changed


# Object stores


@pytest.fixture
def bucket(folder):
    """The pictures as objects of fsspec's store in memory."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    for name in NAMES:
        system.pipe_file(f"/bucket/photos/{name}", (folder / name).read_bytes())
    system.pipe_file("/bucket/photos/notes.txt", b"no picture")
    system.pipe_file("/bucket/photos/.hidden.png", b"no picture")
    yield system
    system.rm("/bucket", recursive=True)


def test_objects_below_a_folder_are_its_files(bucket, folder):
    for url in ("memory://bucket/photos", "memory://bucket/photos/"):
        images = Images(url, mode="gray")
        assert images.sources == NAMES
        assert same(list(images), gray(folder))
    assert images.paths is None
    assert repr(images) == "Images(5 objects in memory://bucket/photos/, mode='gray')"
    assert images.root.startswith("memory://")


@pytest.mark.parametrize(
    "pattern", ["*.png", "**/*.png", "sub/*.png", "**", "?.png", "sub/**/*.png", "[0-9].png", "*/*"]
)
def test_patterns_mean_what_they_mean_on_a_disk(bucket, folder, pattern):
    expected = Images(f"{folder}/{pattern}")
    found = Images(f"memory://bucket/photos/{pattern}")
    prefix = found.root.rpartition("photos")[2].lstrip("/")
    assert [f"{prefix}/{name}".lstrip("/") for name in found.sources] == [
        os.path.relpath(path, folder) for path in expected.paths
    ]


def test_lists_and_manifests_of_urls(bucket, folder):
    urls = [f"memory://bucket/photos/{name}" for name in ("sub/3.png", "1.png")]
    images = Images(urls, mode="gray")
    assert images.sources == ["sub/3.png", "1.png"]
    assert same(list(images), [squares(4), squares(1)])
    (folder / "list.txt").write_text("\n".join(urls))
    assert Images(folder / "list.txt").sources == images.sources
    assert Images(urls[1], mode="gray").sources == ["1.png"]
    with pytest.raises(ParameterError, match="all URLs or all files"):
        Images([urls[0], folder / "1.png"])


def test_what_is_not_there_and_what_cannot_be_fetched(bucket, monkeypatch):
    with pytest.raises(ImageNotFoundError, match="no such object"):
        Images("memory://bucket/none")
    with pytest.raises(ImageNotFoundError, match="no picture found"):
        Images("memory://bucket/photos/*.gif")
    images = Images("memory://bucket/photos")
    bucket.rm("/bucket/photos/1.png")
    with pytest.raises(ImageNotFoundError, match=r"photos/1\.png': there is no such object"):
        _ = images[0]

    def broken(self, path, **options):
        raise ConnectionError("the line is dead")

    monkeypatch.setattr(type(bucket), "cat_file", broken)
    with pytest.raises(ImageError, match="cannot be fetched: ConnectionError: the line is dead"):
        _ = images[1]


def test_archives_in_a_store_are_refused_with_the_way(bucket):
    bucket.pipe_file("/bucket/a.tar", b"x")
    with pytest.raises(ParameterError, match="Fetch it first"):
        Images("memory://bucket/a.tar")
    with pytest.raises(ParameterError, match="a URL that fsspec knows"):
        Images("nosuch://bucket/a.png")


def test_a_run_over_a_store_is_that_over_its_folder_and_resumes(bucket, folder, tmp_path):
    steps = Gray() >> Otsu() >> FindContours()
    url = "memory://bucket/photos"
    whole = run(steps, folder, tmp_path / "whole", overlay=True)
    remote = run(steps, url, tmp_path / "remote", overlay=True)
    assert remote.results_csv.read_bytes() == whole.results_csv.read_bytes()
    fetched = []
    original = type(bucket).cat_file
    type(bucket).cat_file = lambda self, path, **o: (
        fetched.append(path) or original(self, path, **o)
    )
    try:
        assert run(steps, url, tmp_path / "remote", overlay=True, report=False).unchanged == 5
        assert fetched == []  # size and time were in the listing
        bucket.pipe_file("/bucket/photos/1.png", (folder / "2.png").read_bytes())
        again = run(steps, url, tmp_path / "remote", overlay=True, report=False)
    finally:
        type(bucket).cat_file = original
    assert (again.done, again.unchanged) == (1, 4)
    assert fetched == ["/bucket/photos/1.png"]
    drawn = [stored(tmp_path / "remote/overlays" / name) for name in ("1.png", "2.png")]
    assert np.array_equal(*drawn)


def test_objects_travel_to_other_processes_by_their_url(folder):
    pytest.importorskip("fsspec")
    images = Images(f"file://{folder}", mode="gray")[[3, 0]]
    script = (
        "import pickle, sys\n"
        "images = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "print(images.sources, [int(image.sum()) for image in images])"
    )
    command = [sys.executable, "-c", script, pickle.dumps(images).hex()]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    sums = [int(squares(4).sum()), int(squares(1).sum())]
    assert result.stdout.strip() == f"['sub/3.png', '1.png'] {sums}"


@pytest.mark.parametrize(
    ("info", "state"),
    [
        ({"size": 5, "ETag": '"ab"', "LastModified": "monday"}, [5, "monday", '"ab"']),  # s3fs
        ({"size": 5, "generation": "17", "mtime": 1.5}, [5, "1.5", "17"]),  # gcsfs
        ({"size": 5, "etag": "0x8D", "last_modified": "monday"}, [5, "monday", "0x8D"]),  # adlfs
        ({"size": 5, "created": "monday"}, [5, "monday", ""]),  # memory
        ({"size": 5}, []),  # many web servers: only the content tells
    ],
)
def test_what_stores_tell_becomes_a_state(info, state):
    from vision.remote_source import _state

    assert _state(info) == state


@pytest.mark.parametrize(
    ("module", "source", "extra"),
    [("fsspec", "memory://bucket/a.png", "remote"), ("pyarrow", "a.parquet", "parquet")],
)
def test_what_is_not_installed_is_named_with_its_extra(
    tmp_path, monkeypatch, module, source, extra
):
    (tmp_path / "a.parquet").touch()
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=rf"vision-pipelines\[{extra}\]"):
        Images(source)


def test_a_store_whose_library_is_missing_says_which(monkeypatch):
    fsspec = pytest.importorskip("fsspec")

    def missing(url, **options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingDependencyError, match="Install s3fs"):
        Images("s3://bucket/photos")


def test_sources_load_nothing_that_they_do_not_need(folder):
    script = (
        "import sys\nfrom vision import Images\nlen(Images(sys.argv[1]))\n"
        "print({'fsspec', 'pyarrow', 'tarfile'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
    assert vision.Images is Images
