"""Atomic writing: every call that can fail is made to fail."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from vision.atomic import write_bytes
from vision.errors import WriteError

OLD, NEW = b"the older file", b"the new content"


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(OLD)
    return path


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def failing(code):
    def fail(*args, **options):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("open", errno.EACCES),
        ("open", errno.EROFS),
        ("write", errno.ENOSPC),
        ("write", errno.EDQUOT),
        ("fsync", errno.EIO),
        ("close", errno.EIO),
        ("replace", errno.EACCES),
        ("replace", errno.ENOSPC),
    ],
)
def test_a_failure_leaves_the_older_file_and_nothing_else(target, monkeypatch, call, code):
    with monkeypatch.context() as patch:
        original = getattr(os, call)
        fail = failing(code)
        if call == "close":  # closed all the same, as close(2) says
            patch.setattr(os, call, lambda descriptor: (original(descriptor), fail()))
        else:
            patch.setattr(os, call, fail)
        with pytest.raises(WriteError, match="could not be written") as caught:
            write_bytes(target, NEW)
    assert caught.value.errno == code
    assert os.strerror(code) in str(caught.value)
    assert str(target) in str(caught.value)
    assert isinstance(caught.value, OSError)
    assert target.read_bytes() == OLD
    assert listing(target.parent) == [target.name]


def test_a_failure_of_a_new_file_leaves_nothing(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing(errno.ENOSPC))
        with pytest.raises(WriteError, match="No space left on device"):
            write_bytes(tmp_path / "new.csv", NEW)
    assert not list(tmp_path.iterdir())


def test_a_real_limit_on_the_file_system_leaves_nothing(tmp_path):
    code = (
        "import resource, signal, sys\n"
        "from vision.atomic import write_bytes\n"
        "from vision.errors import WriteError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_bytes(sys.argv[1], bytes(5000))\n"
        "except WriteError as error:\n"
        "    print(error.errno)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x.bin")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert not list(tmp_path.iterdir())
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_an_interrupt_leaves_nothing_and_is_passed_on(target, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_bytes(target, NEW)
    assert listing(target.parent) == [target.name]
    assert target.read_bytes() == OLD


def test_short_writes_are_completed(target, monkeypatch):
    original = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: original(fd, bytes(data)[:4]))
    write_bytes(target, NEW)
    assert target.read_bytes() == NEW


def test_a_reader_sees_the_older_file_until_the_new_one_is_whole(target, monkeypatch):
    seen, original = [], os.fsync

    def look(descriptor):
        seen.append(target.read_bytes())
        return original(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    write_bytes(target, NEW)
    assert seen == [OLD, NEW]  # before the rename the file is flushed, after it the folder


def test_only_a_durable_write_waits_for_the_disk(target, monkeypatch):
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    write_bytes(target, NEW, durable=False)
    assert (calls, target.read_bytes()) == ([], NEW)


def test_a_folder_that_cannot_be_flushed_is_told(target, monkeypatch):
    original, calls = os.fsync, []

    def second_fails(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            failing(errno.EIO)()
        return original(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", second_fails)
        with pytest.raises(WriteError, match="it is written, but its folder"):
            write_bytes(target, NEW)
    assert target.read_bytes() == NEW


def test_overwriting_can_be_refused_even_when_the_file_appears_meanwhile(target, monkeypatch):
    with pytest.raises(WriteError, match="exists already"):
        write_bytes(target, NEW, overwrite=False)
    fresh = target.with_name("fresh.csv")
    original = os.fsync

    def another_was_quicker(descriptor):
        fresh.write_bytes(OLD)
        return original(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", another_was_quicker)
        with pytest.raises(WriteError, match="exists already"):
            write_bytes(fresh, NEW, overwrite=False)
    assert fresh.read_bytes() == OLD
    write_bytes(target.with_name("other.csv"), NEW, overwrite=False)
    assert listing(target.parent) == ["fresh.csv", "other.csv", "table.csv"]


def test_a_file_system_without_hard_links(target, monkeypatch):
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    write_bytes(target.with_name("new.csv"), NEW, overwrite=False)
    with pytest.raises(WriteError, match="exists already"):
        write_bytes(target, NEW, overwrite=False)
    assert target.read_bytes() == OLD
    assert listing(target.parent) == ["new.csv", "table.csv"]


def test_a_link_is_followed_and_what_is_no_file_is_not_replaced(target):
    link, broken = target.with_name("link"), target.with_name("broken")
    link.symlink_to(target)
    broken.symlink_to(target.with_name("made.csv"))
    write_bytes(link, NEW)
    write_bytes(broken, NEW)
    assert link.is_symlink()
    assert target.read_bytes() == target.with_name("made.csv").read_bytes() == NEW
    os.mkfifo(target.with_name("pipe"))
    loop = target.with_name("loop")
    loop.symlink_to(loop)
    for path in (target.with_name("pipe"), target.parent, "/dev/null", loop):
        with pytest.raises(WriteError, match=r"no regular file|symbolic link|Symlink loop"):
            write_bytes(path, NEW)
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("path", ["missing/x.csv", "table.csv/x.csv", "nul\0.csv", "x" * 300, ""])
def test_impossible_paths_are_named(target, monkeypatch, path):
    monkeypatch.chdir(target.parent)
    with pytest.raises(WriteError, match="could not be written") as caught:
        write_bytes(path, NEW)
    assert caught.value.path == path
    assert listing(target.parent) == [target.name]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "x", NEW)
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640
