"""A classical and a deep classifier stand in for each other in a pipeline file."""

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.svm import LinearSVC

import vision
from classical import HOG, Resize
from deep import CNNClassifier
from vision.cli import main

NETWORK = CNNClassifier("logistic_regression", epochs=3, learning_rate=0.01, verbose=False)
LAST = {"classical": HOG() >> LinearSVC(), "deep": NETWORK}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Bars that lie and bars that stand, a sub-folder each."""
    folder = tmp_path_factory.mktemp("photos")
    generator = np.random.default_rng(0)
    for number in range(12):
        picture = generator.integers(0, 60, (40, 40), np.uint8)
        picture[18:23] += 150
        for name, image in (("level", picture), ("upright", picture.T)):
            (folder / name).mkdir(exist_ok=True)
            vision.write(folder / name / f"{number}.png", np.ascontiguousarray(image))
    return folder


@pytest.mark.parametrize("side", LAST)
def test_one_command_each(side, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images, labels = vision.Images.from_folders(photos, mode="gray")
    pipeline = (Resize(32) >> LAST[side]).fit(images, labels)
    vision.save(pipeline, "bars.vision")
    command = ["run", "bars.vision", str(photos), "--mode", "gray", "--out", side, "--quiet"]
    assert main(command) == 0
    with Path(side, "results.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 24
    assert all(row["label"] == row["source"].split("/")[0] for row in rows)
    assert all(float(row["score"]) > 0.5 for row in rows)
    assert "error" not in capsys.readouterr().err


def test_the_files_differ_in_the_classifier_alone():
    for side, last in LAST.items():
        pipeline = Resize(32) >> last
        text = vision.to_text(pipeline)
        steps = yaml.safe_load(text)
        assert steps[0] == {"Resize": {"size": 32}}, side
        assert len(steps) == {"classical": 3, "deep": 2}[side]
        assert repr(vision.from_text(text)) == repr(pipeline)
