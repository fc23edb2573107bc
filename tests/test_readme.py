"""What the README says is what happens."""

import re
from pathlib import Path

import numpy as np
import pytest
from skimage import data

import classical
import vision

README = (Path(__file__).parent.parent / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_ten_lines_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photos = {"photo.jpg": data.coffee()}
    for kind, load in (("cup", data.coffee), ("cat", data.chelsea)):
        for number in range(5):
            photo = load()[20 * number : 20 * number + 200, :300]
            photos |= {f"photos/{kind}{number}.jpg": photo, f"flowers/{kind}/{number}.jpg": photo}
    for name, photo in photos.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        vision.write(name, photo)
    names = {}
    exec(blocks("python")[0], names)
    assert len(names["found"]) > 0
    assert Path("stages.png").exists()
    assert len(Path("results/results.csv").read_text().splitlines()) > 10
    assert names["labels"].tolist() == ["cat"] * 5 + ["cup"] * 5
    loaded = vision.load("flowers.vision")
    assert list(loaded.named_steps) == ["resize", "hog", "pca", "svc"]
    assert loaded.predict([data.coffee()[:200, :300]]).tolist() == ["cup"]


def test_a_network_takes_the_place_of_the_svm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (20, 40, 50, 3)).astype(np.uint8)
    names = {"vision": vision, "images": list(images), "labels": ["a", "b"] * 10}
    exec(blocks("python")[1].replace("epochs=20", "epochs=1"), names)
    assert "val_loss" in names["network"][-1].history_
    loaded = vision.load("flowers_cnn.vision")
    assert loaded.predict(images[:3]).tolist() == names["network"].predict(images[:3]).tolist()


def test_the_refusal_is_said_in_these_words():
    with pytest.raises(vision.KindError) as caught:
        classical.ToHSV() >> classical.HoughLines()
    assert f"KindError: {caught.value}" in README


def test_the_text_is_the_canonical_one(tmp_path):
    (text,) = blocks("yaml")
    (tmp_path / "parts.yaml").write_text(text)
    assert vision.to_text(vision.load(tmp_path / "parts.yaml")) == text


def test_a_step_of_ones_own_is_written_like_that():
    names = {"vision": vision}
    exec(blocks("python")[2], names)
    image = np.array([[0, 63, 64, 255]], np.uint8)
    assert names["Posterize"]()(image).tolist() == [[0, 0, 64, 192]]
    assert (names["Posterize"](2) >> classical.Otsu())(image).tolist() == [[0, 0, 0, 255]]
