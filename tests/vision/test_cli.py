"""The command line: what it prints, what it writes, and how it ends."""

import importlib.metadata
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import vision
from classical import Canny, Gray, Otsu, RawPixels
from tests.vision.run_folders import PHOTOS, put, put_broken, put_photos, squares, stored, table
from vision import Branches, catalogue
from vision.cli import main
from vision.cli_steps import Described

PARTS = """\
# red things
- ToHSV
- InRange: {space: hsv, low: [170, 120, 70], high: [10, 255, 255]}
- Opening: {size: 5}
- FindContours: {min_area: 150}
"""
MASK = "- Gray\n- Otsu\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with pipelines and photographs, and the working folder of the test."""
    monkeypatch.chdir(tmp_path)
    put_photos(tmp_path / "photos")
    (tmp_path / "parts.yaml").write_text(PARTS)
    (tmp_path / "mask.yaml").write_text(MASK)
    return tmp_path


def fresh(code):
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


# run


def test_run_does_the_folder_and_says_where_everything_is(here, capsys):
    assert main(["run", "mask.yaml", "photos", "--out", "results"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("5 files done in ")
    page = f"results{os.sep}index.html"
    assert said.out.endswith(f"results{os.sep}results.csv\nreport: {page}\n")
    assert said.err.startswith("5 of 5 files, ")
    grey = cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2GRAY)
    expected = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1]
    assert np.array_equal(stored(here / "results/images/cat.png"), expected)


def test_run_takes_the_files_that_a_shell_made_of_a_pattern(here):
    files = [f"photos{os.sep}cat.png", f"photos{os.sep}coins.png"]
    assert main(["run", "mask.yaml", *files, "--out", "results", "--quiet"]) == 0
    sources = [row["source"] for row in table(here / "results/results.csv")]
    assert sources == ["cat.png", "coins.png"]


def test_run_ends_with_1_if_a_file_failed(here, capsys):
    put_broken(here / "photos")
    assert main(["run", "mask.yaml", "photos", "--out", "results"]) == 1
    assert f"3 failed: results{os.sep}errors.csv" in capsys.readouterr().out
    assert len(table(here / "results/errors.csv")) == 3
    assert len(table(here / "results/results.csv")) == len(PHOTOS)


def test_every_option_of_run_arrives(here, capsys):
    options = "--overlay --format jpg --quality 50 --threads 1 --max-pixels 150000 --quiet"
    assert main(["run", "parts.yaml", "photos", "--out", "results", *options.split()]) == 1
    assert capsys.readouterr() == ("", "")
    assert {path.name for path in (here / "results/overlays").rglob("*.*")} == {
        *("cat.jpg", "cat.png.jpg", "coins.png.jpg", "page.png.jpg")
    }
    assert [row["source"] for row in table(here / "results/errors.csv")] == [
        "sub/deep/kaffee ünï.tif"
    ]
    command = ["run", "mask.yaml", "photos", "--out", "results"]
    assert main([*command, "--quiet"]) == 0
    assert main(command) == 0
    assert "5 unchanged" in capsys.readouterr().out
    assert main([*command, "--restart", "--durable", "none", "--mode", "rgb"]) == 0
    assert "5 files done" in capsys.readouterr().out


def test_a_fitted_archive_runs(here):
    from sklearn.naive_bayes import GaussianNB

    from classical import Gray, RawPixels

    images = vision.Images(here / "photos")
    pipeline = (Gray() >> RawPixels(4) >> GaussianNB()).fit(images, ["a", "a", "b", "b", "b"])
    vision.save(pipeline, here / "named.vision")
    assert main(["run", "named.vision", "photos", "--out", "results", "--quiet"]) == 0
    labels = [row["label"] for row in table(here / "results/results.csv")]
    assert labels == pipeline.predict(images).tolist()


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_with_130_and_one_word(here, capsys, monkeypatch):
    def interrupted(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("vision.runner.run", interrupted)
    assert main(["run", "mask.yaml", "photos", "--out", "results"]) == 130
    assert capsys.readouterr().err == "vision: Interrupted.\n"


# Wrong usage: 2, one sentence, no traceback


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("rum mask.yaml photos --out r", "no command 'rum'. Did you mean 'run'?"),
        ("zzz", "There are run, status, merge, replay, compare, explain, trace, steps, check,"),
        ("run mask.yaml photos --out r --overlai", "Did you mean '--overlay'?"),
        ("run --overlai", "'vision run' has no option '--overlai'."),
        ("run mask.yaml photos --outt=r", "no option '--outt'. Did you mean '--out'?"),
        ("run mask.yaml photos", "required: --out. 'vision run --help'"),
        ("run mask.yaml photos more --out r", "must be one folder, or files. Got 'photos'."),
        ("check mask.yaml more", "Unrecognized arguments: more."),
        ("run mask.yaml photos --out r --threads two", "must be a whole number, not 'two'"),
        ("run mask.yaml photos --out r --threads -1", "'threads' of run"),
        ("run mask.yaml photos --out r --format bmpp", "Did you mean 'bmp'?"),
        ("run mask.yaml photso --out r", "'photso': there is no such folder or file"),
        ("run mask.yml photos --out r", "mask.yml"),
        ("run wrong.yaml photos --out r", "no step named 'Cany'. Did you mean 'Canny'?"),
        ("run pair.yaml photos --out r", "Use Gray() >> Canny() instead of ToHSV()."),
        ("run map.yaml photos --out r", "end it with Normalize()"),
        ("run learns.yaml photos --out r", "SVC is not fitted"),
        ("run learns.yaml photos --out r", "vision.save(pipeline, 'learns.vision')"),
        ("trace learns.yaml photos/cat.png --out s.png", "vision.save(pipeline, 'learns.vision')"),
        ("run mask.yaml photos --out mask.yaml", "'out' of run must be a folder"),
        ("run mask.yaml photos --out mask.yaml/r", "mask.yaml' is a file"),
        ("demo --out mask.yaml", "'out' of vision demo must be a folder"),
        ("run mask.yaml photos/cat.png photos/nix.png --out r", "there is no such file"),
        ("run mask.yaml photos --out r --mode grey", "Did you mean 'gray'?"),
        ("trace mask.yaml photos --out s.png", "one picture. Got 'photos'. A folder of them is"),
        ("trace mask.yaml photos/cat.png --out photos", "a file, in a folder that is there"),
        ("trace mask.yaml photos/cat.png --out nix/s.png", "a file, in a folder that is there"),
        ("trace mask.yaml photos/cat.png --out mask.yaml/s.png", "in a folder that is there"),
        ("trace mask.yaml photos/cat.png --out s.png --mode grey", "Did you mean 'gray'?"),
        ("run tuple.yaml photos --out r", "A list is written [1, 2, 3], in square brackets."),
        ("check wrong.yaml", "no step named 'Cany'. Did you mean 'Canny'?"),
        ("check pair.yaml", "Use Gray() >> Canny() instead of ToHSV()."),
        ("check order.yaml", "The 'low' of Canny must not exceed 'high'."),
        ("trace mask.yaml photos/nix.png --out s.png", "there is no such file"),
        ("trace mask.yaml photos/cat.png --out s.txt", "s.txt"),
        ("steps Cany", "no step named 'Cany'. Did you mean 'Canny'?"),
        ("steps gausianblur", "Did you mean 'GaussianBlur'?"),
        ("--versoin", "Did you mean '--version'?"),
    ],
)
def test_wrong_usage_is_one_sentence_with_the_way_out(here, capsys, command, words):
    (here / "wrong.yaml").write_text("- Gray\n- Cany\n")
    (here / "pair.yaml").write_text("- ToHSV\n- HoughLines\n")
    (here / "map.yaml").write_text("- Gray\n- LoG\n")
    (here / "order.yaml").write_text("- Gray\n- Canny: {low: 300}\n")
    (here / "tuple.yaml").write_text("- ToHSV\n- InRange: {space: hsv, low: (1,2,3)}\n")
    (here / "learns.yaml").write_text("- Gray\n- RawPixels\n- SVC\n")
    assert main(command.split()) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.startswith("vision: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (here / "r").exists()


@pytest.mark.parametrize(
    "command",
    [
        "run nix.yaml photos --out r",
        "run nix.vision photos --out r",
        "run nix/nix.yaml photos --out r",
        "run mask.yaml nix.png --out r",
        "run mask.yaml nix.png photos/cat.png --out r",
        "check nix.yaml",
        "check nix.yaml/nix.yaml",
        "trace mask.yaml nix.png --out s.png",
        "trace nix.vision photos/cat.png --out s.png",
    ],
)
def test_a_missing_file_is_named_once(here, capsys, command):
    missing = next(word for word in command.split() if "nix" in word)
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(rf"vision: '{missing}': there is no such (folder or )?file\.?\n", said)


def test_a_file_that_is_no_pipeline_is_named_once(here, capsys):
    (here / "bad.yaml").write_bytes(b"\xff\xfe")
    (here / "bad.vision").write_bytes(b"no zip")
    (here / "folder.yaml").mkdir()
    for name in ("bad.yaml", "bad.vision", "folder.yaml"):
        assert main(["check", name]) == 2
        assert capsys.readouterr().err.count(name) == 1


def test_a_folder_that_may_not_be_read_is_one_sentence(here, capsys, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("vision.file_listing.os.scandir", refuse)
    assert main(["run", "mask.yaml", "photos", "--out", "r"]) == 1
    assert capsys.readouterr().err == "vision: 'photos': Permission denied\n"


def test_no_command_shows_the_help_and_ends_with_2(capsys):
    assert main([]) == 2
    assert "vision run parts.yaml photos/ --out results/" in capsys.readouterr().err


COMMANDS = ["", "run", "compare", "explain", "trace", "steps", "check", "demo"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_the_screen_and_ends_with_0(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: vision {command}".rstrip())
    assert "example" in said or command == "demo"
    assert max(map(len, said.splitlines())) <= 80


def test_the_parts_of_the_help_are_a_pipeline_that_works(here, capsys):
    main(["--help"])
    text = capsys.readouterr().out.partition("parts.yaml, one step a line:\n")[2]
    lines = [line.removeprefix("  ") for line in text.splitlines() if line.startswith("  - ")]
    (here / "help.yaml").write_text("\n".join(lines))
    assert main(["check", "help.yaml"]) == 0


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vision {vision.__version__}\n"


# trace, check, steps, demo


def test_trace_writes_a_sheet_once(here, capsys):
    command = ["trace", "parts.yaml", "photos/cat.jpg", "--out", "sheet.png"]
    assert main([*command, "--width", "800"]) == 0
    assert capsys.readouterr().out == "sheet.png\n"
    assert stored(here / "sheet.png").shape[1] == 800
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert stored(here / "sheet.png").shape[1] == 1200


def test_trace_of_a_broken_picture_ends_with_1(here, capsys):
    put_broken(here / "photos")
    assert main(["trace", "mask.yaml", "photos/empty.png", "--out", "s.png"]) == 1
    assert "empty" in capsys.readouterr().err


def test_trace_reads_as_a_run_does(here, capsys):
    (here / "grey.yaml").write_text("- Otsu\n")
    command = ["trace", "grey.yaml", "photos/cat.png", "--out", "s.png"]
    assert main(command) == 2
    assert "mode='gray' (--mode gray), or put Gray() in front" in capsys.readouterr().err
    assert main([*command, "--mode", "gray"]) == 0
    grey = cv2.cvtColor(data.chelsea(), cv2.COLOR_RGB2GRAY)
    assert np.array_equal(stored(here / "s.png"), vision.chain(Otsu()).trace(grey).sheet(1200))
    run = ["run", "grey.yaml", "photos", "--out", "r"]
    assert main(run) == 2
    assert "mode='gray' (--mode gray), or put Gray() in front" in capsys.readouterr().err
    assert main([*run, "--mode", "gray", "--quiet"]) == 0
    expected = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)[1]
    assert np.array_equal(stored(here / "r/images/cat.png"), expected)


def test_check_shows_the_canonical_text_and_what_flows(here, capsys):
    assert main(["check", "parts.yaml"]) == 0
    text, _, flow = capsys.readouterr().out.partition("\n\n")
    assert text + "\n" == PARTS.partition("\n")[2]
    assert [" ".join(line.split()) for line in flow.splitlines()] == [
        "takes an rgb image",
        "ToHSV() -> an hsv image",
        "InRange(space='hsv', low=(170, 120, 70), high=(10, 255, 255)) -> a mask",
        "Opening(size=5) -> a mask",
        "FindContours(min_area=150) -> contours",
    ]


def test_check_goes_into_branches_and_says_what_is_still_to_do(here, capsys):
    (here / "two.yaml").write_text(
        "- Branches:\n    strength: [Gray, LoG]\n    mask: [Gray, Otsu]\n"
    )
    assert main(["check", "two.yaml"]) == 0
    said = capsys.readouterr().out
    assert "LoG() -> a map" in " ".join(said.split())
    assert "end it with Normalize()" in said
    (here / "learns.yaml").write_text("- Gray\n- RawPixels\n- SVC\n")
    assert main(["check", "learns.yaml"]) == 0
    said = capsys.readouterr().out
    assert "SVC is not fitted yet. In Python: pipeline = vision.load('learns.yaml').fit(" in said


def test_check_says_what_is_fitted_for_which_classes_and_by_which_versions(here, capsys):
    images, truth = vision.Images(here / "photos"), ["cat", "cat", "coins", "cup", "page"]
    model = Gray() >> Branches({"small": RawPixels(2), "large": RawPixels(4)}) >> StandardScaler()
    vision.save((model >> SVC()).fit(images, truth), here / "model.vision")
    assert main(["check", "model.vision"]) == 0
    said = capsys.readouterr().out
    assert "\nStandardScaler and SVC are fitted, for the classes 'cat', 'coins', 'cup' and " in said
    assert "not fitted" not in said
    for name in ("scikit-learn", "vision-pipelines", "numpy"):
        assert f" {name} {importlib.metadata.version(name)}" in said
    assert f"Saved by python {platform.python_version()}," in said


def test_check_of_an_archive_of_other_versions_says_which(here, capsys, monkeypatch):
    model = (RawPixels(2) >> SVC()).fit(
        vision.Images(here / "photos", mode="gray"), [0, 0, 1, 1, 2]
    )
    running = {"python": "3.11.0", "scikit-learn": "1.5.2"}
    with monkeypatch.context() as other:
        other.setattr("vision.archive.running", lambda: running)
        vision.save(model, here / "old.vision")
    assert main(["check", "old.vision"]) == 0
    said = capsys.readouterr()
    here_version = importlib.metadata.version("scikit-learn")
    assert f"and scikit-learn 1.5.2 (here {here_version})." in said.out
    assert said.err.startswith("vision: The fitted steps were saved by scikit-learn 1.5.2")
    assert said.err.count("\n") == 1


def test_check_of_many_classes_names_the_first(here, capsys):
    images = [np.full((4, 4), level, np.uint8) for level in range(15)]
    vision.save((RawPixels(2) >> GaussianNB()).fit(images, range(15)), here / "m.vision")
    assert main(["check", "m.vision"]) == 0
    assert "for the classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 5 more." in capsys.readouterr().out


def test_check_looks_into_branches_and_foreach_for_what_is_to_be_fitted(here, capsys):
    (here / "deep.yaml").write_text(
        "- Branches:\n"
        "    name: [Gray, RawPixels, SVC]\n"
        "    parts:\n"
        "      ForEach:\n"
        "        find: {Pipeline: [Gray, Otsu, FindContours]}\n"
        "        then: {Pipeline: [Gray, RawPixels, StandardScaler, GaussianNB]}\n"
    )
    assert main(["check", "deep.yaml"]) == 0
    assert "SVC, StandardScaler and GaussianNB are not fitted yet." in capsys.readouterr().out


def test_what_is_fitted_is_checked_through_and_through(here, capsys):
    images = vision.Images(here / "photos")
    model = (Gray() >> Canny() >> RawPixels(2) >> SVC()).fit(images, list("aabbb"))
    model.named_steps["canny"].low = 300
    vision.save(model, here / "model.vision")
    assert main(["check", "model.vision"]) == 2
    assert "The 'low' of Canny must not exceed 'high'." in capsys.readouterr().err


def test_the_way_to_fit_that_run_names_works(here, capsys):
    (here / "learns.yaml").write_text("- Gray\n- RawPixels\n- SVC\n")
    assert main(["run", "learns.yaml", "photos", "--out", "results"]) == 2
    said = capsys.readouterr().err
    assert "SVC is not fitted: 'learns.yaml' holds nothing learned." in said
    assert said.endswith(", and then give that file.\n")
    words = re.search("In Python: (.*), then (.*), and then", said)
    names = {"vision": vision, "images": vision.Images("photos"), "truth": ["a", *"bbbb"]}
    exec("; ".join(words.groups()), names)
    assert main(["run", "learns.vision", "photos", "--out", "results", "--quiet"]) == 0
    labels = [row["label"] for row in table(here / "results/results.csv")]
    assert labels == names["pipeline"].predict(names["images"]).tolist()


def test_steps_lists_every_step_with_its_summary(capsys):
    assert main(["steps"]) == 0
    listed = {
        line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line[:2] == "  "
    }
    assert set(catalogue.names()) <= set(listed)
    for name in catalogue.names():
        summary = catalogue.resolve(name).__doc__.strip().splitlines()[0]
        assert listed[name].endswith(summary)


@pytest.mark.parametrize(
    "name", ["And", "Or", "Xor", "Not", "Branches", "Pick", "ForEach", "Explain"]
)
def test_what_holds_steps_is_shown_as_a_file_has_it(capsys, name):
    assert main(["steps", name]) == 0
    said = capsys.readouterr().out
    text = said.partition("In a pipeline file\n------------------\n")[2]
    assert f"- {name}" in text
    pipeline = vision.from_text(text)
    assert vision.to_text(pipeline) == text
    assert name in [type(step).__name__ for _, step in pipeline.steps]


@pytest.mark.parametrize("name", catalogue.names())
def test_what_is_read_from_the_source_is_what_python_sees(name):
    import inspect

    cls = catalogue.resolve(name)
    described = Described(name, catalogue.STEPS[name])
    assert described.docstring == inspect.getdoc(cls)
    written = eval(f"lambda {described.parameters}: 0", {"np": np})  # noqa: S307
    assert inspect.signature(cls) == inspect.signature(written)
    for attribute, found in (("takes", described.takes), ("gives", described.gives)):
        declared = inspect.getattr_static(cls, attribute)
        if isinstance(declared, tuple):
            assert found == list(map(str, declared))
        elif isinstance(declared, str) and found != ["varies"]:
            assert found == [str(declared).replace("blended", "same")]


def test_a_step_is_shown_with_its_defaults(capsys):
    assert main(["steps", "Canny"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Canny(low=100, high=200, ")
    assert "\n    from classical import Canny\n" in said
    assert "doi:10.1109/TPAMI.1986.4767851" in said
    assert main(["steps", "SVC"]) == 0
    assert "from sklearn.svm import SVC" in capsys.readouterr().out


def test_demo_says_what_to_open(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vision.demo.run_demo", lambda out: Path(out) / "index.html")
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"Open {tmp_path / 'index.html'} in a browser.\n"


# Fresh interpreters


@pytest.mark.parametrize(
    "command", ["--help", "run --help", "steps", "steps Canny", "steps SVC", "rum", "run --overlai"]
)
def test_what_answers_at_once_loads_no_library(command):
    heavy = ("numpy", "cv2", "sklearn", "skimage", "scipy", "tensorflow", "rich", "yaml")
    code = (
        f"import sys; from vision.cli import main; main({command.split()!r}); "
        f"print('loaded', [name for name in {heavy} if name in sys.modules])"
    )
    assert fresh(code).splitlines()[-1] == "loaded []"


def test_python_m_vision_is_the_same_command(here):
    command = [sys.executable, "-m", "vision"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"vision {vision.__version__}\n")
    done = subprocess.run([*command, "rum"], capture_output=True, text=True)
    assert done.returncode == 2
    put(here / "one", "a.png", squares(2))
    run = ["run", "mask.yaml", "one", "--out", "r"]
    done = subprocess.run([*command, *run], capture_output=True, text=True)
    assert done.returncode == 0
    assert np.array_equal(stored(here / "r/images/a.png"), squares(2))


def test_a_reader_that_has_gone_is_no_error():
    code = "import sys; from vision.cli import main; sys.exit(main(['steps']))"
    pipe = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    pipe.stdout.close()
    assert pipe.wait() == 0
    assert pipe.stderr.read() == b""
    pipe.stderr.close()
