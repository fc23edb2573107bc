"""The ledger: whatever happens to its file, a line holds whole or counts for nothing."""

import datetime
import errno
import json
import os
import subprocess
import sys
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.errors import LedgerInUseError, WriteError
from vision.ledger import Ledger, line_of, parsed

ENTRIES = [
    {"name": "a.jpg", "hash": "0f", "rows": [{"area": 1.5}]},
    {"name": "b\udcff.jpg", "hash": "1e", "rows": []},
    {"name": "a.jpg", "hash": "2d", "rows": [{"area": 2.5}]},
]


@pytest.fixture
def path(tmp_path):
    """A ledger of three entries."""
    path = tmp_path / "ledger.jsonl"
    with Ledger(path, write=True) as ledger:
        ledger.append([{"run": "r1", "key": "k"}, *ENTRIES])
    return path


def content(path):
    with Ledger(path) as ledger:
        return {name: ledger[name] for name in ledger}, ledger.damaged


def test_every_line_is_json_with_the_sum_of_what_stands_before_it(path):
    import zlib

    for line in path.read_bytes().splitlines():
        entry = json.loads(line)
        before = line[: line.rindex(b',"sum"')]
        assert entry["sum"] == f"{zlib.crc32(before):08x}"


def test_the_last_line_of_a_name_holds(path):
    found, damaged = content(path)
    assert found == {"a.jpg": ENTRIES[2], "b\udcff.jpg": ENTRIES[1]}
    assert not damaged
    with Ledger(path) as ledger:
        assert ledger.runs["r1"]["key"] == "k"
        assert ledger.name_of("1e") == "b\udcff.jpg"
        assert ledger.get("c.jpg") is None


def test_cut_at_any_byte_the_whole_lines_before_hold_and_writing_goes_on(path, tmp_path):
    data = path.read_bytes()
    cut = tmp_path / "cut.jsonl"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        whole = data[:length].count(b"\n") + data[:length].endswith(b'"}')
        begun = length > 0 and not data[:length].endswith((b"\n", b'"}'))
        expected = {}
        for entry in ENTRIES[: max(0, whole - 1)]:
            expected[entry["name"]] = entry
        assert content(cut) == (expected, begun)
        with Ledger(cut, write=True) as ledger:
            ledger.append([{"name": "new", "hash": "3c"}])
        found, damaged = content(cut)
        assert found == expected | {"new": {"name": "new", "hash": "3c"}}
        assert damaged == begun


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_costs_its_line_alone(tmp_path_factory, draws):
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    entries = [{"name": f"{i}.jpg", "hash": f"{i:02x}"} for i in range(5)]
    data = bytearray(b"".join(map(line_of, entries)))
    at = draws.draw(st.integers(0, len(data) - 1))
    data[at] ^= draws.draw(st.integers(1, 255))
    path.write_bytes(data)
    hit = bytes(b"".join(map(line_of, entries)))[:at].count(b"\n")
    found, _ = content(path)
    lost = {entries[hit]["name"]}
    if hit + 1 < 5 and at == len(b"".join(map(line_of, entries[: hit + 1]))) - 1:
        lost.add(entries[hit + 1]["name"])  # the line end itself: two lines became one
    assert set(found) == {entry["name"] for entry in entries} - lost


def test_numbers_of_numpy_come_back_as_a_table_shows_them():
    entry = {"area": np.float32(0.1), "count": np.int64(3), "good": np.bool_(True)}
    assert parsed(line_of(entry)) == {"area": 0.1, "count": 3, "good": True}
    with pytest.raises(TypeError, match="ndarray"):
        line_of({"picture": np.zeros(3)})


@pytest.mark.parametrize(
    "text", ["[" * 5000, '{"rows":{"x":1}', '{"a":' + "[" * 5000, '[{"name":1}', '{"name":NaN,']
)
def test_a_line_of_something_else_is_none_whatever_its_sum(text):
    data = text.encode()
    assert parsed(data + b',"sum":"%08x"}' % zlib.crc32(data)) is None


@pytest.mark.parametrize("name", ["grün.jpg", "a\x00\x7f\n.jpg", "\U0001f600", "b\udcff.jpg"])
def test_lines_of_earlier_versions_are_read(name):
    entry = {"name": name, "state": [1, 2**64 - 1, -(2**63)], "seconds": 1e-6}
    text = json.dumps(entry, separators=(",", ":"))[:-1].encode()
    old = text + b',"sum":"%08x"}\n' % zlib.crc32(text)
    assert parsed(old) == parsed(line_of(entry)) == entry


@pytest.mark.parametrize("value", [datetime.date(2026, 1, 1), {1, 2}, object()])
def test_a_ledger_takes_plain_values_alone(value):
    with pytest.raises(TypeError):
        line_of({"name": "a.jpg", "at": value})


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_leaves_the_ledger_as_it_was(path, monkeypatch, call):
    before = path.read_bytes()
    real = os.write
    with Ledger(path, write=True) as ledger:

        def failing(descriptor, *data):
            if data:
                real(descriptor, bytes(data[0])[:5])  # some of it lands
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, call, failing)
        with pytest.raises(WriteError, match="No space left") as caught:
            ledger.append([{"name": "c.jpg", "hash": "4b"}], durable=True)
        assert caught.value.errno == errno.ENOSPC
        assert "c.jpg" not in ledger
        monkeypatch.undo()
        assert path.read_bytes() == before
        ledger.append([{"name": "d.jpg", "hash": "5a"}], durable=True)
        assert ledger["d.jpg"]["hash"] == "5a"
    assert content(path)[1] == 0


def test_two_writers_at_once_are_refused_and_readers_are_not(path):
    code = (
        "import sys; from vision.ledger import Ledger\n"
        "from vision.errors import LedgerInUseError\n"
        "assert len(Ledger(sys.argv[1])) == 2\n"
        "try: Ledger(sys.argv[1], write=True)\n"
        "except LedgerInUseError as error: print(error)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(path)]
    with Ledger(path, write=True):
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "Another run is writing" in result.stdout
        with pytest.raises(LedgerInUseError):
            Ledger(path, write=True)
    assert not subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_look_at_the_lock_does_not_refuse_a_run_that_begins_then(path):
    fcntl = pytest.importorskip("fcntl", reason="Windows has no such locks")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as `vision status` does, for a moment
        threading.Timer(0.05, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        with Ledger(path, write=True) as ledger:
            assert len(ledger) == 2


def test_what_the_last_chunk_replaced_is_told_with_what_replaced_it(path):
    with Ledger(path, write=True) as ledger:
        ledger.append([{"name": "a.jpg", "hash": "99"}, {"name": "new.jpg", "hash": "98"}])
    with Ledger(path) as ledger:
        pairs = [(older["hash"], entry["hash"]) for older, entry in ledger.replaced_last()]
    assert pairs == [("0f", "2d"), ("2d", "99")]
