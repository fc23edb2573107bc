"""One manifest of results, however a run was done: on threads, by workers, in parts, stopped,
killed, retried, packed.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import vision
from classical import HOG, FindContours, Gray, InRange, Otsu, RawPixels, Resize, ToHSV
from tests.vision.run_folders import PHOTOS, Spy, files_below, put, put_broken, run, table

TABLES = ("results.csv", "errors.csv")
SEED = 11
WORKERS = pytest.mark.skipif(sys.platform != "linux", reason="needs what Linux kernels have")


def scene(number):
    """A colour picture of bars and squares: no two numbers give the same."""
    image = np.full((48, 96, 3), (20, 30, 40 + number), np.uint8)
    for index in range(number % 4 + 1):
        height = 10 if index % 2 else 24
        image[8 : 8 + height, 22 * index + 4 : 22 * index + 14] = 220, 200 - 9 * number % 90, 60
    return image


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Photographs, scenes in folders, the same content under two names, files that are none."""
    folder = tmp_path_factory.mktemp("source")
    for name, load in PHOTOS.items():
        put(folder, name, load()[::3, ::3])
    put_broken(folder)
    for number in range(14):
        put(folder, f"{'scenes/' * (number % 3)}{number}.png", scene(number))
    put(folder, "scenes/twin.png", scene(5))
    put(folder, "ünï codé/a b.jpg", scene(30))
    return folder


def classical():
    """Masks, regions, objects named one by one, and a table of features, side by side."""
    find = Gray() >> Otsu() >> FindContours()
    namer = Gray() >> RawPixels(6) >> KNeighborsClassifier(1)
    truths = [vision.Detections([[4, 8, 14, 32], [26, 8, 36, 18]], labels=["bar", "square"])]
    named = vision.ForEach(find, namer).fit([scene(1)], truths)
    warm = ToHSV() >> InRange("hsv", (0, 60, 60), (40, 255, 255))
    features = Gray() >> Resize(64) >> HOG()
    return vision.Branches({"warm": warm, "parts": find, "named": named, "hog": features})


def manifest(out):
    """Sorted names and hashes of the pictures, and the bytes of the tables."""
    names = [name for name in files_below(out) if name.startswith(("images/", "overlays/"))]
    found = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in sorted(names)}
    return found | {name: (out / name).read_bytes() for name in TABLES}


class Once:
    """Does something at one picture of a run, the first time that it comes to so many."""

    def __init__(self, at, what):
        self.left, self.what = at, what

    def __call__(self, image):
        self.left -= 1
        if self.left == 0:
            self.what()


def on_threads(pipeline, source, out, **options):
    run(pipeline, source, out, threads=5, **options)


def by_workers(pipeline, source, out, **options):
    pytest.importorskip("distributed", reason="worker processes are run by Dask")
    run(pipeline, source, out, workers=2, **options)


def in_shards(pipeline, source, out, **options):
    for shard in ("2/3", "3/3", "1/3"):
        run(pipeline, source, out, shard=shard, **options)
    vision.merge(out)


def stopped_and_resumed(pipeline, source, out, **options):
    def stop():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)  # until the main thread has told that no more is to be begun

    stopping = Spy(Once(8, stop)) >> pipeline
    with pytest.raises(SystemExit) as ended:
        run(stopping, source, out, threads=1, **options)
    assert 0 < ended.value.summary.done < len(vision.Images(source))
    assert run(stopping, source, out, **options).unchanged == ended.value.summary.done


def retried(pipeline, source, out, **options):
    def fail():
        raise OSError("not at hand just now")

    failing = Spy(Once(8, fail)) >> pipeline
    first = run(failing, source, out, threads=1, **options)
    second = run(failing, source, out, retry_failed=True, **options)
    assert (first.failed, second.failed) == (second.failed + second.done, 3)


def packed_and_unpacked(pipeline, source, out, **options):
    run(pipeline, source, out, threads=2, pack="tar", **options)
    unpack(out)


def packed_and_then_in_files(pipeline, source, out, **options):
    run(pipeline, source, out, pack="tar", **options)
    run(pipeline, source, out, **options)
    assert not list(out.glob("*.tar"))


def unpack(out):
    """What is packed as the files that it would have been, by the peer; the tables name them."""
    for path in out.glob("*.tar"):
        with tarfile.open(path) as archive:
            archive.extractall(out / path.name.partition("-")[0], filter="data")
    lines = (out / "results.csv").read_text()
    for path in out.glob("*.tar"):
        lines = lines.replace(f"{path.name}/", f"{path.name.partition('-')[0]}/")
        path.unlink()
    (out / "results.csv").write_text(lines)


WAYS = [
    on_threads,
    by_workers,
    in_shards,
    stopped_and_resumed,
    retried,
    packed_and_unpacked,
    packed_and_then_in_files,
]


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    run(classical(), source, out, threads=1, overlay=True)
    found = manifest(out)
    assert len(found) == 2 + 21 + 3 * 21  # tables, masks, and an overlay for all but features
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_classical_pipeline_gives_the_same_bytes(source, expected, tmp_path, way):
    way(classical(), source, tmp_path / "out", overlay=True)
    assert manifest(tmp_path / "out") == expected
    assert not list((tmp_path / "out").rglob(".vision-*"))


@pytest.fixture(scope="module")
def fitted():
    """A linear model on the pixels of photographs and scenes."""
    images = [scene(number) for number in range(24)]
    labels = ["few" if number % 4 < 2 else "many" for number in range(24)]
    return (Gray() >> Resize(32) >> RawPixels() >> LogisticRegression()).fit(images, labels)


@pytest.mark.parametrize("way", [by_workers, in_shards, stopped_and_resumed, retried])
def test_a_linear_model_gives_the_same_labels_and_scores(source, fitted, tmp_path, way):
    run(fitted, source, tmp_path / "expected", threads=1)
    way(fitted, source, tmp_path / "out")
    wanted, found = (table(tmp_path / name / "results.csv") for name in ("expected", "out"))
    assert len(wanted) == 21
    scores = {column for column in wanted[0] if column.endswith("score")}
    assert scores
    for column in wanted[0]:
        cells = [[row[column] for row in rows] for rows in (found, wanted)]
        if column in scores:
            np.testing.assert_allclose(*np.array(cells, float), rtol=0, atol=1e-4)
        else:
            assert cells[0] == cells[1]
    assert manifest(tmp_path / "out")["errors.csv"] == manifest(tmp_path / "expected")["errors.csv"]


SCRIPT = """
import json, sys, vision
from classical import FindContours, Gray, Otsu
from tests.vision.dangerous_steps import Noted

source, out, log, options = sys.argv[1:]
ends = {"mask": Gray() >> Otsu(), "parts": Gray() >> Otsu() >> FindContours()}
pipeline = Noted(log, 0.02) >> vision.Branches(ends)
print("begins", flush=True)
vision.run(pipeline, source, out, progress=False, **json.loads(options))
"""


def start(*arguments, **options):
    """The script in a process of its own, when its run begins."""
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments), json.dumps(options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begins\n"
    return process


def finished(out, numbers):
    """The numbers of the pictures that have a whole line in the ledger."""
    lines = []
    if (out / "ledger.jsonl").exists():
        lines = (out / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return {numbers[entry["name"]] for entry in entries if "name" in entry}


@WORKERS
def test_a_run_that_is_killed_at_any_moment_is_resumed_to_the_same(tmp_path):
    from tests.vision.dangerous_steps import marked

    numbers = {f"{'sub/' * (number % 2)}{number}.png": number for number in range(40)}
    for name, number in numbers.items():
        put(tmp_path / "in", name, marked(number))
    with start(tmp_path / "in", tmp_path / "whole", tmp_path / "log", threads=1) as process:
        process.communicate()
    expected, moments = manifest(tmp_path / "whole"), random.Random(SEED)
    for trial, options in enumerate([{}, {"pack": "tar"}]):
        out, log = tmp_path / f"out{trial}", tmp_path / f"log{trial}"
        log.touch()
        with start(tmp_path / "in", out, log, **options) as process:
            time.sleep(0.4 * moments.random())
            process.kill()
        done, seen = finished(out, numbers), log.stat().st_size
        with start(tmp_path / "in", out, log, **options) as process:
            assert process.communicate() == ("", None)
        assert process.returncode == 0
        again = {int(line) for line in log.read_bytes()[seen:].split()}
        assert not again & done
        assert again | done == set(range(40))
        unpack(out)
        assert manifest(out) == expected
        assert not list(out.rglob(".vision-*"))
