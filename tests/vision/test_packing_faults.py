"""Archives of packed outputs on a disk that fails, and in two processes at once."""

import errno
import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import WriteError
from vision.packing import PackedChunk, Packs, header, read_output, trim


def members(out):
    return {name: data for path in sorted(out.glob("*.tar")) for name, data in listed(path)}


def listed(path):
    with tarfile.open(path) as archive:
        return [(info.name, archive.extractfile(info).read()) for info in archive]


@pytest.mark.parametrize("call", ["write", "fsync", "lseek"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_call_that_fails_names_the_archive_and_harms_nothing(tmp_path, monkeypatch, call, code):
    """For every n the n-th call fails; half of a write gets to the disk."""
    for number in range(1, 12):
        out = tmp_path / str(number)
        out.mkdir()
        failed = attempt(out, monkeypatch, call, code, number)
        known = {"a.png": b"a" * 700, **({} if failed else {"b.png": b"b" * 900})}
        trim(out, "", Known(out, known))
        assert members(out) == known
        if not failed:
            return
    raise AssertionError("it never stopped failing")


def attempt(out, monkeypatch, call, code, number):
    """Two chunks into an archive, of which the first succeeds; whether the second failed."""
    packs = Packs("0a1b", durable=True)
    publish(packs, out, "a.png", b"a" * 700)
    done = {"calls": 0}
    original = getattr(os, call)

    def failing(descriptor, *arguments):
        done["calls"] += 1
        if done["calls"] == number:
            if call == "write":
                original(descriptor, arguments[0][: len(arguments[0]) // 2])
            raise OSError(code, os.strerror(code))
        return original(descriptor, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing)
        try:
            publish(packs, out, "b.png", b"b" * 900)
        except WriteError as error:
            assert "images-00001.tar" in str(error)
            assert error.errno == code
            return True
    return False


class Known:
    """A ledger that knows certain members."""

    def __init__(self, out, names):
        self.runs, self.packed = {"0a1b": {}}, {}
        with tarfile.open(out / "images-00001.tar") as archive:
            for info in archive:
                if info.name in names:
                    end = info.offset_data + (info.size + 511) // 512 * 512
                    self.packed["images-00001.tar"] = end


def publish(packs, out, name, data):
    chunk = PackedChunk(packs, out)
    path = f"{chunk.folders[0]}/{name}"
    chunk.add(path, data)
    chunk.publish()
    return [path, *chunk.state(path), None]


def test_after_a_write_that_failed_the_next_chunk_lies_where_it_should(tmp_path, monkeypatch):
    packs = Packs("0a1b", durable=False)
    publish(packs, tmp_path, "a.png", b"a" * 700)
    original, fails = os.write, [True]

    def failing(descriptor, data):
        if fails:
            fails.pop()
            original(descriptor, data[:600])
            raise OSError(errno.ENOSPC, "full")
        return original(descriptor, data)

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(WriteError):
        publish(packs, tmp_path, "b.png", b"b" * 5000)
    output = publish(packs, tmp_path, "c.png", b"c" * 10)
    assert read_output(tmp_path, output) == b"c" * 10
    assert members(tmp_path) == {"a.png": b"a" * 700, "c.png": b"c" * 10}


def test_no_two_processes_go_on_with_one_archive(tmp_path):
    publish(Packs("0a1b", durable=False), tmp_path, "a.png", b"a" * 100)
    ledger = Known(tmp_path, {"a.png"})
    unfilled = trim(tmp_path, "", ledger)
    assert unfilled == ledger.packed
    one, two = (Packs("2c3d", durable=False, unfilled=unfilled) for _ in range(2))
    at_once = [PackedChunk(packs, tmp_path).folders[0] for packs in (one, two)]
    assert at_once == ["images-00001.tar", "images-00002.tar"]
    # Of exactly the size of the end of an archive, which it overwrites.
    first = publish(one, tmp_path, "b.png", b"b" * 512)
    second = publish(two, tmp_path, "c.png", b"c" * 512)
    third = publish(Packs("2c3d", durable=False, unfilled=unfilled), tmp_path, "d.png", b"d")
    assert [output[0].partition("/")[0] for output in (first, second, third)] == [
        *("images-00001.tar", "images-00002.tar", "images-00003.tar")
    ]
    del one
    late = publish(Packs("2c3d", durable=False, unfilled=unfilled), tmp_path, "e.png", b"e")
    assert late[0].startswith("images-00004.tar")
    assert read_output(tmp_path, first) == b"b" * 512


def test_packs_travel_to_another_process_without_their_archives(tmp_path):
    import pickle

    packs = Packs("0a1b", durable=False, overlay=True, label="1-of-2")
    publish(packs, tmp_path, "a.png", b"a")
    again = pickle.loads(pickle.dumps(packs))
    assert publish(again, tmp_path, "b.png", b"b")[0] == "images-1-of-2-00002.tar/b.png"


@given(
    name=st.text(
        st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=300
    ),
    odd=st.sampled_from(["", "\udcff"]),
    size=st.integers(0, 3000),
)
def test_headers_are_read_back_by_tarfile(name, odd, size):
    name = name + odd + "x"
    data = os.urandom(size)
    head = header(name, size, 1_700_000_000)
    assert len(head) % 512 == 0
    whole = head + data + bytes(-size % 512) + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        info = archive.next()
        assert info.name == name.rstrip("/")
        assert (info.size, info.mtime, info.mode, info.isreg()) == (
            size,
            1_700_000_000,
            0o644,
            True,
        )
        assert archive.extractfile(info).read() == data
        assert archive.next() is None
