"""Files of a chunk: all of them whole, or the older ones intact, whatever call fails."""

import errno
import os
from pathlib import Path

import pytest

from vision.errors import WriteError
from vision.regular_file import file_state
from vision.staging import MANY, Staging, remove_left, remove_replaced, scratch_folder

FILES = {"masks/a.png": b"first", "masks/b.png": b"second", "edges/a.png": b"third"}


def staged(out, durable=True):
    staging = Staging(out, "0a1b", durable=durable)
    for path, data in FILES.items():
        staging.add(path, data)
    return staging


def files(out):
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_nothing_has_its_name_before_all_is_published(tmp_path):
    staging = staged(tmp_path)
    assert all(Path(name).name.startswith(".vision-0a1b-") for name in files(tmp_path))
    assert len(files(tmp_path)) == len(staging) == 3
    staging.publish()
    assert files(tmp_path) == FILES


def test_everything_is_on_the_disk_before_the_first_name_and_folders_after(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def noted(*arguments, name=name, real=real):
            calls.append(name)
            return real(*arguments)

        monkeypatch.setattr(os, name, noted)
    staged(tmp_path).publish()
    assert calls == ["fsync"] * 3 + ["replace"] * 3 + ["fsync"] * 2
    calls.clear()
    staged(tmp_path, durable=False).publish()
    assert calls == ["replace"] * 3


@pytest.mark.parametrize("answers", [True, False])
def test_many_files_are_flushed_by_one_call_or_where_that_fails_each(
    tmp_path, monkeypatch, answers
):
    calls, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync") or real(descriptor))
    monkeypatch.setattr(
        "vision.staging.flush_system", lambda folder: calls.append(folder) or answers
    )
    staging = Staging(tmp_path, "0a1b", durable=True)
    for number in range(MANY + 1):
        staging.add(f"{'masks' if number % 2 else 'edges'}/{number}.png", b"data")
    staging.publish()
    folders = [f"{tmp_path}/edges", f"{tmp_path}/masks"]
    each = ["fsync"] * (MANY + 1)
    assert calls == (folders if answers else [*folders[:1], *each]) + ["fsync"] * 2
    assert len(files(tmp_path)) == MANY + 1


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize("number", range(1, 10))
def test_any_failing_call_leaves_older_files_or_whole_new_ones(tmp_path, monkeypatch, call, number):
    older = dict.fromkeys(FILES, b"older")
    for path, data in older.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    real, count = getattr(os, call), 0

    def failing(*arguments, **options):
        nonlocal count
        count += 1
        if count == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing)
        failed = None
        try:
            staging = Staging(tmp_path, "0a1b", durable=True)
            for path, data in FILES.items():
                staging.add(path, data)
            staging.publish()
        except WriteError as error:
            failed = error
            staging.discard()
    assert (failed is not None) == (count >= number)
    found = files(tmp_path)
    assert set(found) == set(FILES)
    assert all(found[path] in (older[path], FILES[path]) for path in FILES)
    if failed is None:
        assert found == FILES
    else:
        assert "No space left" in str(failed)
        assert failed.errno == errno.ENOSPC


def test_what_a_picture_waited_with_is_forgotten_when_it_fails(tmp_path):
    staging = staged(tmp_path)
    staging.forget(["masks/a.png"])
    staging.publish()
    assert files(tmp_path) == {path: FILES[path] for path in ("masks/b.png", "edges/a.png")}


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path):
    staged(tmp_path)
    Staging(tmp_path, "ffff", durable=False).add("masks/c.png", b"another run's")
    (tmp_path / "masks" / ".vision-notes").write_text("a user's own")
    assert remove_left([tmp_path], ["0a1b"]) == 3
    left = sorted(Path(name).name for name in files(tmp_path))
    assert len(left) == 2
    assert left[0].startswith(".vision-ffff-")
    assert left[1] == ".vision-notes"


def test_folders_of_worker_processes_are_removed_with_what_killed_runs_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for run in ("0a1b", "ffff"):
        Path(scratch_folder(run, 0), "dask").mkdir(parents=True)
    remove_left([], ["0a1b"])
    assert [path.name for path in tmp_path.iterdir()] == ["vision-ffff-0"]


def test_an_output_that_is_replaced_goes_unless_another_file_has_its_name(tmp_path):
    staged(tmp_path).publish()
    path = next(iter(FILES))
    state = file_state(tmp_path / path)[:2]
    remove_replaced(tmp_path, [path, state[0], state[1] - 1, ""])
    assert (tmp_path / path).exists()
    remove_replaced(tmp_path, [path, *state, ""])
    assert not (tmp_path / path).exists()
    (tmp_path / path).mkdir()
    remove_replaced(tmp_path, [path, *state, ""])
