"""`vision compare` and study files: what they say is done, what is wrong is named with its line."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import vision
from classical import Gray, Otsu, hog_svm
from tests.vision.test_comparison_report import Page
from vision.catalogue import RECIPES
from vision.cli import main
from vision.demo_comparison import STUDIES, pictures_of, run_study, study_text
from vision.errors import LoadError
from vision.study import read_study

BAYES = "    - RawPixels: {size: 8}\n    - GaussianNB\n"
TWO = f"candidates:\n  bayes:\n{BAYES}  nearest:\n    - RawPixels: 8\n    - KNeighborsClassifier\n"
TWO = TWO.replace("RawPixels: 8", "RawPixels: {size: 8}")


def put_digits(folder, count=90):
    """Digits as a user has them: a folder with a sub-folder a class."""
    digits = load_digits()
    for number in range(count):
        label = folder / str(digits.target[number] % 3)
        label.mkdir(parents=True, exist_ok=True)
        pixels = np.rint(digits.images[number] * 255 / 16).astype(np.uint8)
        Image.fromarray(pixels).save(label / f"{number:03d}.png")
    return folder


def put_study(folder, text):
    """A study beside a folder `digits`."""
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder, text):
    """What is said of a study that is refused."""
    if not (folder / "digits").exists():
        put_digits(folder / "digits", 12)
    with pytest.raises(LoadError) as caught:
        read_study(put_study(folder, text))
    return str(caught.value).removeprefix(f"{folder}/")


# The study file


def test_candidates_are_recipes_texts_and_files(tmp_path):
    put_digits(tmp_path / "digits", 12)
    vision.save(Gray() >> Otsu(), tmp_path / "mine.yaml")
    text = (
        "candidates:\n  recipe: hog_svm\n  larger: {hog_svm: {size: 48, C: 2}}\n"
        f"  text:\n{BAYES}  one: {{SVC: {{C: 5}}}}\n  mine: {{file: mine.yaml}}\n"
        "images: digits/\nmode: gray\ncv: 4\nrobustness: true\n"
    )
    study = read_study(put_study(tmp_path, text))
    assert list(study.candidates) == ["recipe", "larger", "text", "one", "mine"]
    expected = [
        hog_svm(),
        hog_svm(size=48, C=2),
        vision.from_text("- RawPixels: {size: 8}\n- GaussianNB"),
        vision.from_text("SVC: {C: 5}"),
        Gray() >> Otsu(),
    ]
    for found, wanted in zip(study.candidates.values(), expected, strict=True):
        assert vision.to_text(found) == vision.to_text(wanted)
    assert study.options == {"cv": 4, "robustness": True}
    assert study.images[0].shape == (8, 8)
    digits = load_digits().target[:12] % 3
    assert sorted(study.truth) == sorted(str(label) for label in digits)


def test_every_recipe_of_the_catalogue_is_one():
    import classical

    for name, module in RECIPES.items():
        made = getattr(classical, name)
        assert made.__module__ == module
        assert isinstance(made(), vision.Pipeline)


def test_a_table_gives_labels_and_groups(tmp_path):
    put_digits(tmp_path / "digits", 12)
    files = sorted((tmp_path / "digits").glob("*/*.png"))
    with (tmp_path / "all.csv").open("w", newline="", encoding="utf-8") as lines:
        rows = csv.writer(lines)
        rows.writerow(["path", "label", "patient"])
        rows.writerows([file, file.parent.name, number // 2] for number, file in enumerate(files))
    study = read_study(put_study(tmp_path, f"{TWO}images: all.csv\nmode: gray\ngroups: patient\n"))
    assert study.groups == [str(number // 2) for number in range(12)]
    assert list(study.truth) == [file.parent.name for file in files]
    wrong = f"{TWO}images: all.csv\ngroups: person\n"
    assert refusal(tmp_path, wrong) == "study.yaml, line 9: all.csv has no column 'person'."
    (tmp_path / "gaps.csv").write_text("path,label,patient\ndigits/a.png,0,1\ndigits/b.png,1, \n")
    for name in "ab":
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / f"digits/{name}.png")
    gaps = f"{TWO}images: gaps.csv\ngroups: patient\n"
    assert "line 9: row 2 of gaps.csv has nothing in the column" in refusal(tmp_path, gaps)
    assert "'images' must be a .csv" in refusal(tmp_path, f"{TWO}images: digits/\ngroups: x\n")


def test_truth_belongs_to_images_by_name(tmp_path):
    for folder, shape in (("photos", (20, 30, 3)), ("masks", (20, 30)), ("maps", (20, 30))):
        (tmp_path / folder).mkdir()
        for number in range(4):
            value = 255 * (number % 2) if folder == "masks" else number
            dtype = np.uint16 if folder == "maps" else np.uint8
            image = Image.fromarray(np.full(shape, value, dtype))
            image.save(tmp_path / folder / f"{number}.png")
    masks = "candidates:\n  otsu: [Gray, Otsu]\nimages: photos/\ntruth: masks/\n"
    study = read_study(put_study(tmp_path, masks))
    assert [int(one.max()) for one in study.truth] == [0, 255, 0, 255]
    study = read_study(put_study(tmp_path, masks.replace("masks", "maps")))
    assert [(one.dtype, int(one.max())) for one in study.truth] == [(np.int32, n) for n in range(4)]
    study = read_study(put_study(tmp_path, masks.replace("masks", "photos") + "task: restoration"))
    assert study.truth[3].shape == (20, 30, 3)
    for number in range(4):  # labels in 8 bits, the first without any object
        image = Image.fromarray(np.full((20, 30), number, np.uint8))
        image.save(tmp_path / f"maps/{number}.png")
    study = read_study(put_study(tmp_path, masks.replace("masks", "maps")))
    assert [(one.dtype, int(one.max())) for one in study.truth] == [(np.int32, n) for n in range(4)]
    said = refusal(tmp_path, masks.replace("masks", "photos"))
    assert said.startswith("study.yaml, line 4: 'truth': the truth has 3 channels")
    (tmp_path / "masks/2.png").unlink()
    said = refusal(tmp_path, masks)
    assert said == "study.yaml, line 4: 'masks/' holds nothing that belongs to '2.png'."


WRONG = {
    f"{TWO}images: digits/\ncvv: 3\n": "line 9: There is no key 'cvv'. Did you mean 'cv'?",
    f"{TWO}images: nowhere/\n": "line 8: 'images': ",
    f"{TWO}images: 5\n": "line 8: 'images' is a folder or a table. Got 5.",
    f"{TWO}images: digits/\nmode: bgr\n": "line 9: 'mode' is rgb or gray. Got 'bgr'.",
    TWO: "study.yaml: the key 'images' is missing.",
    "images: digits/\n": "study.yaml: the key 'candidates' is missing.",
    "- Gray\n": "study.yaml: a study is a table with the keys candidates, images, ...",
    "candidates: [hog_svm]\nimages: digits/\n": "line 1: 'candidates' is a table",
    "candidates:\n  a: hog_svm\n  b: hog_swm\nimages: digits/\n": (
        "line 3: candidate 'b': there is no recipe 'hog_swm'. Did you mean 'hog_svm'?"
    ),
    "candidates:\n  1: hog_svm\n  '1': hog_svm\nimages: digits/\n": (
        "line 3: there is a candidate '1' already."
    ),
    "candidates:\n  a: {hog_svm: {sise: 3}}\nimages: digits/\n": (
        "line 2: candidate 'a': hog_svm has no argument 'sise'. Did you mean 'size'?"
    ),
    "candidates:\n  a: {hog_svm: {size: -3}}\nimages: digits/\n": "line 2: candidate 'a': ",
    "candidates:\n  a: {hog_svm: 3}\nimages: digits/\n": "line 2: candidate 'a': the arguments of",
    "candidates:\n  a:\n  - Gray\n  - Cany\nimages: digits/\n": "Did you mean 'Canny'?",
    "candidates:\n  a: [HoughLines, SVC]\nimages: digits/\n": "line 2: candidate 'a': ",
    "candidates:\n  a: {file: x.pkl}\nimages: digits/\n": "a file is a pipeline, .yaml,",
    "candidates:\n  a: {file: x.yaml}\nimages: digits/\n": "line 2: candidate 'a': ",
    "candidates:\n  a: !!python/object:os.system x\n": "Tags such as",
    "candidates: [\n": "study.yaml: This is no YAML document",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text):
    assert WRONG[text] in refusal(tmp_path, text)


def test_no_study_and_no_text_are_refused(tmp_path):
    with pytest.raises(LoadError, match="cannot be read"):
        read_study(tmp_path / "nothing.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(LoadError, match="UTF-8"):
        read_study(tmp_path / "odd.yaml")


# The command


def test_a_study_becomes_a_report_a_table_and_numbers(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put_digits(tmp_path / "digits")
    put_study(tmp_path, f"{TWO}images: digits/\nmode: gray\ncv: 3\nrandom_state: 4\n")
    outs = ["--out", "report.html", "--out", "table.csv", "--out", "all.json"]
    assert main(["compare", "study.yaml", *outs]) == 0
    said = capsys.readouterr().out
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.headings[0][1] + "." == said.splitlines()[0]
    assert "vision compare study.yaml --out report.html --out table.csv --out all.json" in page.text
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as lines:
        rows = {row["name"]: row for row in csv.DictReader(lines)}
    assert list(rows) == ["bayes", "nearest"]
    for name, row in rows.items():
        assert re.search(rf"{name} +{100 * float(row['accuracy']):.1f}% \(", said)
    assert json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert said.splitlines()[-3:] == ["report.html", "table.csv", "all.json"]


def test_a_candidate_that_fails_is_said_and_the_status_tells(tmp_path, capsys):
    put_digits(tmp_path / "digits", 30)
    text = f"{TWO}  broken:\n    - RawPixels: {{size: 8}}\n    - KNeighborsClassifier: "
    text += "{n_neighbors: 500}\nimages: digits/\nmode: gray\ncv: 2\n"
    out = tmp_path / "report.html"
    assert main(["compare", str(put_study(tmp_path, text)), "--out", str(out)]) == 1
    assert "broken" in capsys.readouterr().out
    assert "n_neighbors" in Page(out.read_text(encoding="utf-8")).text


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, capsys, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError

    monkeypatch.setattr("vision.comparison.compare", never)
    put_digits(tmp_path / "digits", 12)
    study = str(put_study(tmp_path, f"{TWO}images: digits/\n"))
    there = tmp_path / "report.html"
    there.write_text("mine")
    for out, words in (
        (there, "exists. --overwrite replaces it."),
        (tmp_path / "report.pdf", "a file that ends in .html, .csv or .json"),
        (tmp_path / "no/report.html", "a file, in a folder that is there"),
    ):
        assert main(["compare", study, "--out", str(out)]) == 2
        assert words in capsys.readouterr().err
    assert there.read_text() == "mine"


@pytest.mark.parametrize(("line", "name"), [("cv: 1", "cv"), ("task: naming", "task")])
def test_what_compare_refuses_is_named_with_its_line(tmp_path, capsys, line, name):
    put_digits(tmp_path / "digits", 12)
    study = put_study(tmp_path, f"{TWO}images: digits/\nmode: gray\n{line}\n")
    assert main(["compare", str(study), "--out", str(tmp_path / "x.html"), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert f"study.yaml, line 10: The '{name}' of compare" in said


def test_help_shows_a_study(capsys):
    assert main(["compare", "--help"]) == 0
    said = capsys.readouterr().out
    assert "candidates:" in said and "exit status" in said
    assert all(name in said for name in RECIPES)


# The studies of the demo


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_the_studies_of_the_demo_can_be_read_with_and_without_networks(tmp_path, study):
    (tmp_path / study.name / "a").mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / study.name / "a/1.png")
    for deep in (True, False):
        file = put_study(tmp_path, study_text(study, deep))
        found = read_study(file)
        names = ["logistic regression", "HOG + SVM", *(["LeNet-5"] if deep else [])]
        assert list(found.candidates) == names
    assert "pip install" in study_text(study, deep=False)


def test_the_pictures_of_the_demo_are_those_that_are_shipped():
    faces, labels = pictures_of("faces")
    assert faces.shape == (200, 25, 25) and faces.max() == 255
    assert labels.count("face") == 100
    digits, labels = pictures_of("digits")
    assert digits.shape == (1797, 8, 8) and digits.max() == 255
    assert labels[:4] == ["0", "1", "2", "3"]


def test_the_demo_compares_faces_without_networks_where_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr("vision.demo_comparison.has_deep", lambda: False)
    found = run_study(STUDIES[0], tmp_path, progress=False)
    assert [one.family for one in found.candidates] == ["classical", "classical"]
    assert min(one.scores["accuracy"].value for one in found.candidates) > 0.9
    page = Page((tmp_path / "faces.html").read_text(encoding="utf-8"))
    assert "vision compare faces.yaml --out faces.html --overwrite" in page.text
    assert len(read_study(tmp_path / "faces.yaml").images) == 200
