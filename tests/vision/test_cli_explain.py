"""`vision explain`, and `vision run --explain` over a folder."""

import numpy as np
import pytest
from skimage import data
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

import vision
from classical import HOG, Gray, RawPixels, Resize
from tests.vision.run_folders import put, put_broken, put_photos, stored, table
from vision.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with photographs and two fitted models, and the working folder of the test."""
    monkeypatch.chdir(tmp_path)
    put_photos(tmp_path / "photos")
    images = [data.chelsea(), data.coffee(), data.rocket(), data.astronaut()]
    front = Gray() >> Resize(48)
    names = ["cat", "thing", "thing", "thing"]
    vision.save((front >> HOG() >> LinearSVC()).fit(images, names), "hog.vision")
    vision.save((front >> RawPixels(8) >> GaussianNB()).fit(images, [3, 10, 10, 10]), "m.vision")
    (tmp_path / "mask.yaml").write_text("- Gray\n- Otsu\n")
    return tmp_path


def test_explain_writes_the_heat_over_the_picture_once(here, capsys):
    command = ["explain", "hog.vision", "photos/cat.png", "--out", "why.png"]
    assert main(command) == 0
    assert capsys.readouterr().out == "why.png: 'cat' by hog\n"
    heat = vision.explain(vision.load("hog.vision"), data.chelsea())
    assert np.array_equal(stored(here / "why.png"), heat.draw(data.chelsea()))
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--target", "thing", "--method", "occlusion"]) == 0
    assert capsys.readouterr().out == "why.png: 'thing' by occlusion\n"
    heat = vision.explain(vision.load("hog.vision"), data.chelsea(), "thing", "occlusion")
    assert main([*command, "--overwrite", "--method", "auto"]) == 0
    assert capsys.readouterr().out == "why.png: 'cat' by hog\n"
    assert vision.explain(vision.load("hog.vision"), data.chelsea(), method="auto").method == "hog"
    assert main([*command, "--overwrite", "--target", "thing", "--method", "occlusion"]) == 0
    assert np.array_equal(stored(here / "why.png"), heat.draw(data.chelsea()))


def test_a_small_picture_is_enlarged_by_a_whole_number(here):
    small = np.ascontiguousarray(data.chelsea()[::10, ::10])  # 30 x 46
    vision.write("small.png", small)
    assert main(["explain", "hog.vision", "small.png", "--out", "why.png"]) == 0
    drawn = vision.explain(vision.load("hog.vision"), small).draw(small)
    assert np.array_equal(stored(here / "why.png"), np.kron(drawn, np.ones((5, 5, 1), np.uint8)))


def test_a_class_that_is_a_number_is_found_by_its_digits(here, capsys):
    command = ["explain", "m.vision", "photos/cat.png", "--out", "why.png", "--target", "10"]
    assert main(command) == 0
    assert capsys.readouterr().out == "why.png: 10 by occlusion\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("explain hog.vision photos/cat.png", "required: --out"),
        ("explain hog.vision photos --out w.png", "A folder of them is what 'vision run' takes"),
        ("explain hog.vision photos/nix.png --out w.png", "there is no such file"),
        ("explain hog.vision photos/cat.png --out w.png --method gradcm", "mean 'gradcam'?"),
        ("explain hog.vision photos/cat.png --out w.png --target caat", "mean 'cat'?"),
        ("explain hog.vision photos/cat.png --out w.png --mode grey", "mean 'gray'?"),
        ("explain hog.vision photos/cat.png --out w.png --mthod x", "mean '--method'?"),
        ("explain mask.yaml photos/cat.png --out w.png", "asks a classifier or a regressor"),
        ("run hog.vision photos --out r --explain hgo", "mean 'hog'?"),
        ("run mask.yaml photos --out r --explain auto", "Explain needs a classifier"),
    ],
)
def test_wrong_usage_is_one_sentence(here, capsys, command, words):
    assert main(command.split()) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (here / "w.png").exists()
    assert not (here / "r").exists()


def test_a_folder_is_explained_by_one_run(here, capsys):
    put_broken(here / "photos")
    put(here / "photos", "sub/rocket.png", data.rocket())
    command = ["run", "hog.vision", "photos", "--out", "why", "--explain", "auto", "--quiet"]
    assert main(command) == 1  # the broken ones
    rows = {row["source"]: row for row in table(here / "why/results.csv")}
    rocket = next(row for source, row in rows.items() if source.endswith("rocket.png"))
    heat = vision.explain(vision.load("hog.vision"), data.rocket())
    assert (rocket["target"], rocket["method"]) == (heat.target, "hog")
    assert (int(rocket["x"]), int(rocket["y"])) == heat.peak
    drawn = stored(here / "why/overlays/sub/rocket.png")
    assert np.array_equal(drawn, heat.draw(data.rocket()))


def test_a_run_that_explains_goes_on_where_it_was(here, capsys):
    command = ["run", "m.vision", "photos", "--out", "why", "--explain", "occlusion"]
    assert main(command) == 0
    assert main(command) == 0
    assert "5 unchanged" in capsys.readouterr().out
