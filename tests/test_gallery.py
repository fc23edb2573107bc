"""The gallery shows every classical step, and says what the code says."""

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import vision
from vision.catalogue import STEPS
from vision.cli import main

DOCS = Path(__file__).parent.parent / "docs"
GALLERY = DOCS / "gallery"
PAGES = sorted(path for path in GALLERY.glob("*.md") if path.name != "README.md")
ANEW = "python docs/make_gallery.py --pages"


@pytest.fixture(scope="module")
def gallery():
    """The script that makes it; its folder is on the path while these tests run."""
    sys.path.insert(0, str(DOCS))
    import make_gallery

    yield make_gallery
    sys.path.remove(str(DOCS))


def titles(path):
    return re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def linked(path):
    text = path.read_text(encoding="utf-8")
    return re.findall(r'(?:\]\(|src="|href=")([^)"]+)', text)


def test_every_classical_step_is_on_one_page():
    shown = Counter(title for path in PAGES for title in titles(path))
    elsewhere = ("deep.", "vision.explaining")  # what needs a trained classifier
    classical = {name for name, home in STEPS.items() if not home.startswith(elsewhere)}
    missing = classical - set(shown)
    assert not missing, f"add an example to docs/gallery_examples.py for {sorted(missing)}"
    assert max(shown.values()) == 1


def test_every_link_leads_somewhere_and_every_picture_is_shown():
    for path in (GALLERY / "README.md", *PAGES):
        # Links inside the texts of steps are addresses, none of them a file.
        files = [link for link in linked(path) if "://" not in link]
        assert files
        assert [link for link in files if not (GALLERY / link).is_file()] == []
    assert {f"{path.stem}.md" for path in PAGES} <= set(linked(GALLERY / "README.md"))
    pictures = {link for path in PAGES for link in linked(path) if link.startswith("pictures/")}
    assert pictures == {f"pictures/{path.name}" for path in (GALLERY / "pictures").iterdir()}


def test_each_title_is_followed_by_its_own_picture():
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"^!\[(.+)\]\(pictures/(.+)\.(?:png|jpg)\)$", text, re.MULTILINE)
        assert [picture for _, picture in named] == titles(path)
        assert all(name == picture for name, picture in named)


def test_pictures_are_small_and_whole():
    sizes = [path.stat().st_size for path in (GALLERY / "pictures").iterdir()]
    assert sum(sizes) < 6_000_000
    assert max(sizes) < 80_000
    for path in (GALLERY / "pictures").iterdir():
        width = vision.probe(path).width
        assert 400 <= width <= 1100


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_page_says_what_the_code_says(path, gallery):
    current = path.read_text(encoding="utf-8") == gallery.page(path.stem)
    assert current, f"{path.name} is out of date: {ANEW}"


def test_the_index_is_current(gallery):
    written = (GALLERY / "README.md").read_text(encoding="utf-8")
    assert written == gallery.index(), f"out of date: {ANEW}"


def test_the_page_of_other_names_is_current_and_leads_somewhere(gallery):
    written = gallery.NAMES_PAGE.read_text(encoding="utf-8")
    assert written == gallery.names(), f"out of date: {ANEW}"
    for page, anchor in re.findall(r"\]\((gallery/\w+\.md)#(\w+)\)", written):
        assert anchor in map(str.lower, titles(DOCS / page))


@pytest.mark.parametrize(
    ("topic", "name"), [("edges", "Canny"), ("morphology", "TopHat"), ("recognition", "Pipeline")]
)
def test_the_text_is_the_one_that_the_command_line_prints(topic, name, capsys):
    main(["steps", name])
    printed = capsys.readouterr().out.strip()
    assert printed.startswith(f"{name}(")
    assert f"```text\n{printed}\n```" in (GALLERY / f"{topic}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("topic", ["edges", "geometry", "contours"])
@pytest.mark.usefixtures("gallery")
def test_the_lines_of_a_page_run_as_they_stand(topic):
    text = (GALLERY / f"{topic}.md").read_text(encoding="utf-8")
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 1 + len(titles(GALLERY / f"{topic}.md"))
    for block in blocks:
        exec(block, names)


@pytest.mark.cv2
@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("colour", "ToHSV"),
        ("threshold", "Otsu"),
        ("morphology", "Skeleton"),
        ("contours", "ConnectedComponents"),
        ("lines", "HoughCircles"),
        ("filters", "BoxBlur"),
        ("features", "RawPixels"),
        ("detection", "FindQRCodes"),
    ],
)
def test_a_picture_is_what_its_line_makes_today(topic, name, gallery):
    kept = vision.read(GALLERY / gallery.picture_file(name))
    made = gallery.sheet(gallery.TOPICS[topic].examples[name])
    assert made.shape == kept.shape
    # JPEG keeps text and thin lines coarsely; another step's picture is at 15 dB and below.
    assert vision.psnr(kept, made) > 27


@pytest.mark.parametrize("name", ["Gray", "CLAHE", "Opening", "Frangi", "hog_svm"])
def test_after_is_not_before(name, gallery):
    picture = vision.read(GALLERY / gallery.picture_file(name)).astype(int)
    left, right = np.array_split(picture, 2, axis=1)
    width = min(left.shape[1], right.shape[1])
    assert np.abs(left[30:, :width] - right[30:, -width:]).mean() > 3


@pytest.mark.parametrize("along", [0, 1], ids=["upright", "level"])
def test_the_lines_of_the_hog_picture_lie_along_the_edges(along, gallery):
    from gallery_pictures import directions

    from classical import HOG

    image = np.zeros((64, 64), np.uint8)
    image[:, 32:] = 200
    image = np.ascontiguousarray(image.T) if along else image
    seen = directions(HOG(pixels_per_cell=16)(image), image)[:10, :10, 0]
    extent = np.ptp(np.argwhere(seen > 100), axis=0)
    # A bin spans 20 degrees, so its line may lean by 10.
    assert extent[along] >= 9
    assert extent[1 - along] <= 2


def test_an_unknown_topic_is_refused(gallery, capsys):
    with pytest.raises(SystemExit):
        gallery.main(["cats"])
    assert "no topic cats; there are colour" in capsys.readouterr().err
