"""Tables of a run, read back by Python's own reader."""

import csv
import errno

import pytest

from vision.errors import WriteError
from vision.tables import Table


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_column_that_comes_later_is_empty_above(tmp_path):
    path = tmp_path / "t.csv"
    with Table(path, ["source"]) as table:
        table.add([{"source": 'a, "b"'}])
        table.add([{"source": "c", "x": 1.5}, {"source": "d", "y": None, "x": 0}])
        table.add([{"y": True}])
    assert read(path) == [
        ["source", "x", "y"],
        ['a, "b"', "", ""],
        ["c", "1.5", ""],
        ["d", "0", ""],
        ["", "", "True"],
    ]


def test_without_rows_there_is_the_header(tmp_path):
    with Table(tmp_path / "t.csv", ["source", "reason"]):
        pass
    assert read(tmp_path / "t.csv") == [["source", "reason"]]


def test_every_row_is_one_line_whatever_the_name(tmp_path):
    path = tmp_path / "t.csv"
    odd = b"two\nlines\r\xff.jpg".decode("utf-8", "surrogateescape")
    with Table(path) as table:
        table.add([{"source": odd}, {"source": "ü"}])
    assert path.read_bytes().decode("utf-8").splitlines() == [
        "source",
        "two\\nlines\\r\\udcff.jpg",
        "ü",
    ]


def test_an_older_table_is_there_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("old")
    with Table(path, ["source"]) as table:
        table.add([{"source": "a"}] * 10_000)
        assert path.read_text() == "old"
        assert len(list(tmp_path.iterdir())) == 2
    assert len(read(path)) == 10_001
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_table_stays_when_writing_is_interrupted_or_given_up(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), Table(path, ["source"]) as table:
        table.add([{"source": "a"}])
        raise KeyboardInterrupt
    with Table(path, ["source"]) as table:
        table.add([{"source": "a"}])
        assert table.rows == 1
        table.discard()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named_and_leaves_the_older_table(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vision.tables.os.fsync", full)
    with pytest.raises(WriteError, match=r"t\.csv.*No space left") as caught, Table(path) as table:
        table.add([{"source": "a"}])
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(WriteError, match="nowhere"):
        Table(tmp_path / "nowhere" / "t.csv")
