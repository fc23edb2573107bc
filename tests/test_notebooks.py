"""The notebooks: stored as they ran, and running still, in a smaller form."""

import ast
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="the extra 'test' brings nbformat")
pytest.importorskip("nbclient", reason="the extra 'test' brings nbclient")
pytest.importorskip("ipykernel", reason="the extra 'test' brings ipykernel")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = {
    "classical_vs_deep_classification",
    "compose",
    "folders",
    "from_neuron_to_network",
    "segmentation",
    "transfer",
    "what_do_they_see",
}
LARGEST = 1_600_000  # bytes of a notebook with its pictures
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind):
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    return [cell for cell in book.cells if cell.cell_type == kind]


@pytest.fixture(scope="module")
def maker():
    """The script that stores them; its folder is on the path while these tests run."""
    sys.path.insert(0, str(ROOT / "docs"))
    import make_notebooks

    yield make_notebooks
    sys.path.remove(str(ROOT / "docs"))


def test_there_is_one_for_each_question():
    assert {path.stem for path in NOTEBOOKS} == NAMES


@each
def test_it_opens_with_its_question_and_ends_with_the_answer(path):
    book = nbformat.read(path, as_version=4)
    first, last = book.cells[0], book.cells[-1]
    title, _, words = first.source.partition("\n")
    assert first.cell_type == last.cell_type == "markdown"
    assert re.fullmatch(r"# [A-Z].*\?", title)
    assert re.search(r"takes\s+about (a|half a|\d+) (second|minute)s?", words)
    assert last.source.startswith("## The answer\n\n")
    assert len(last.source.split()) > 40


@each
def test_it_defines_nothing(path):
    code = re.sub(r"(?m)^%.*", "", "\n".join(cell.source for cell in cells(path, "code")))
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert [node.name for node in ast.walk(ast.parse(code)) if isinstance(node, defined)] == []


@each
def test_it_is_stored_as_it_ran_with_its_pictures(path):
    ran = cells(path, "code")
    assert [cell.execution_count for cell in ran] == list(range(1, len(ran) + 1))
    outputs = [output for cell in ran for output in cell.outputs]
    assert not [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"]
    held = [one.get("data", {}) for one in outputs]
    pictures = [one for one in held if any(name.startswith("image/") for name in one)]
    assert len(pictures) >= 1
    assert not [one for one in held if any("widget" in name for name in one)]
    assert path.stat().st_size < LARGEST


@each
def test_it_tells_nothing_of_the_machine_that_stored_it(path):
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            said = re.sub(r"base64,[^\"]+", "", f"{output.get('text', '')} {data}")
            places = str(Path.home()), str(ROOT), tempfile.gettempdir(), sys.prefix
            assert not [place for place in places if place in said]
            assert not re.search(r"(?<![\w.])/(home|root|Users|tmp|mnt|opt)/|[A-Z]:\\\\", said)


@each
def test_it_says_what_it_skips_without_the_image_sets(path):
    code = "\n".join(cell.source for cell in cells(path, "code"))
    if "VISION_DATA" in code:
        assert re.search(r"VISION_DATA names no folder", code)
        assert "VISION_DATA" in nbformat.read(path, as_version=4).cells[0].source


@each
def test_it_runs_without_a_warning(path, maker):
    book = maker.executed(path, timeout=300, VISION_NOTEBOOKS="quick")
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert [one.text for one in outputs if one.get("name") == "stderr"] == []
    pictures = [one for one in outputs if "image/" in str(one.get("data", {}).keys())]
    assert pictures or (path.stem == "transfer" and "VISION_DATA" not in os.environ)
