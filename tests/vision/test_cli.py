"""The command line: what it prints, what it writes, and how it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

import vision
from tests.vision.run_folders import PHOTOS, put, put_broken, put_photos, squares, stored, table
from vision import catalogue
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
    assert said.out.endswith(f"results{os.sep}results.csv\n")
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
        ("zzz", "There are run, trace, steps, check, demo."),
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
    (here / "learns.yaml").write_text("- Gray\n- RawPixels\n- SVC\n")
    assert main(command.split()) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.startswith("vision: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not (here / "r").exists()


def test_no_command_shows_the_help_and_ends_with_2(capsys):
    assert main([]) == 2
    assert "vision run parts.yaml photos/ --out results/" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "run", "trace", "steps", "check", "demo"])
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
    assert main(["trace", "grey.yaml", "photos/coins.png", "--out", "s.png"]) == 0
    assert main(["trace", "grey.yaml", "photos/cat.png", "--out", "t.png"]) == 2
    assert "Gray()" in capsys.readouterr().err


def test_check_shows_the_canonical_text_and_what_flows(here, capsys):
    assert main(["check", "parts.yaml"]) == 0
    text, _, flow = capsys.readouterr().out.partition("\n\n")
    assert text + "\n" == PARTS.partition("\n")[2]
    assert [" ".join(line.split()) for line in flow.splitlines()] == [
        "takes an rgb image",
        "ToHSV() -> an hsv image",
        "InRange(high=(10, 255, 255), low=(170, 120, 70), space='hsv') -> a mask",
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
    assert "SVC must be fitted" in capsys.readouterr().out


def test_steps_lists_every_step_with_its_summary(capsys):
    assert main(["steps"]) == 0
    listed = {
        line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line[:2] == "  "
    }
    assert set(catalogue.names()) <= set(listed)
    for name in catalogue.names():
        summary = catalogue.resolve(name).__doc__.strip().splitlines()[0]
        assert listed[name].endswith(summary)


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
