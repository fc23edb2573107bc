"""Make the gallery: ``python docs/make_gallery.py [TOPIC ...] [--pages]``.

One page a topic in ``docs/gallery``, from the lines of ``gallery_examples.py``: the text of each
step as ``vision steps`` prints it, the line of code, and the picture that this line makes.
``--pages`` writes the text anew and leaves the pictures alone.
"""

import argparse
import ast
import inspect
import sys
import textwrap
from pathlib import Path

from gallery_examples import TOPICS
from gallery_pictures import preamble, sheet

import classical
from vision.catalogue import STEPS
from vision.cli_steps import Described, describe_step
from vision.io import encode
from vision.names_elsewhere import NAMES

FOLDER = Path(__file__).parent / "gallery"
NAMES_PAGE = Path(__file__).parent / "names.md"
QUALITY = 74
COVER = 400  # width of a picture in the index


def draw(name, example):
    """Write the picture of a step: JPEG or PNG, whichever is smaller."""
    picture = sheet(example)
    files = {
        "png": encode(picture, "png"),
        "jpg": encode(picture, "jpg", quality=QUALITY),
    }
    suffix = min(files, key=lambda one: len(files[one]))
    for old in (FOLDER / "pictures").glob(f"{name}.*"):
        old.unlink()
    (FOLDER / "pictures" / f"{name}.{suffix}").write_bytes(files[suffix])


def picture_file(name):
    """Where the picture of a step lies, as its page links it."""
    found = sorted((FOLDER / "pictures").glob(f"{name}.*"))
    return f"pictures/{found[0].name}" if found else f"pictures/{name}.jpg"


def line(example):
    """The line of code that makes the picture, and what it needs before."""
    simple = isinstance(ast.parse(example.code, mode="eval").body, ast.Call)
    called = example.code if simple else f"({example.code})"
    ending = f".predict({example.image}[0])" if example.show == "tiles" else f"({example.image})"
    return "\n".join([*example.given.splitlines(), called + ending])


def described(name):
    """The text about a step or recipe: of a step what ``vision steps NAME`` prints."""
    if name in STEPS:
        return describe_step(name)
    function = getattr(classical, name)
    head = f"{name}{inspect.signature(function)}\n    from classical import {name}"
    return f"{head}\n\n{inspect.getdoc(function)}"


def summary(name):
    """Its first line."""
    if name in STEPS:
        return Described(name, STEPS[name]).summary
    return inspect.getdoc(getattr(classical, name)).partition("\n")[0]


def page(topic):
    """The page of a topic, as Markdown."""
    shown = TOPICS[topic]
    entries = "\n".join(entry(name, example) for name, example in shown.examples.items())
    code = [part for one in shown.examples.values() for part in (one.given, one.code, one.image)]
    needed = preamble(*code)
    scenes = " (`gallery_scenes` is `docs/gallery_scenes.py`)" if "gallery_scenes" in needed else ""
    return (
        f"# {shown.title}\n\n{shown.words}\n\n[All topics](README.md)\n\n"
        f"The lines below need these before them{scenes}:\n\n"
        f"```python\n{needed}\n```\n\n{entries}"
    )


def entry(name, example):
    """What a page says of one step or recipe."""
    source = f"vision steps {name}" if name in STEPS else f"help({name})"
    return (
        f"## {name}\n\n{summary(name)}\n\n"
        f"![{name}]({picture_file(name)})\n\n"
        f"```python\n{line(example)}\n```\n\n"
        f"<details><summary>Parameters and references: <code>{source}</code></summary>\n\n"
        f"```text\n{described(name)}\n```\n\n</details>\n"
    )


def index():
    """The page of all topics, as Markdown."""
    cells = [
        f'<td align="center" valign="top"><a href="{topic}.md">'
        f'<img src="{picture_file(shown.cover)}" width="{COVER}" alt="{shown.title}"><br>'
        f"{shown.title}</a></td>"
        for topic, shown in TOPICS.items()
    ]
    rows = "\n".join(
        "<tr>\n" + "\n".join(cells[start : start + 2]) + "\n</tr>"
        for start in range(0, len(cells), 2)
    )
    words = textwrap.dedent("""\
        # Gallery

        Every classical step, what it makes of a photograph, and the line of code that made the
        picture. The photographs are those that scikit-image and scikit-learn ship; the pictures
        are made by the steps themselves: `python docs/make_gallery.py`. If you know a step by
        another name, [look there](../names.md).
        """)
    return f"{words}\n<table>\n{rows}\n</table>\n"


def names():
    """The page of what other libraries call the things that are here, as Markdown."""
    topics = {name: topic for topic, shown in TOPICS.items() for name in shown.examples}

    def linked(ours):
        topic = topics.get(ours)
        return f"[`{ours}`](gallery/{topic}.md#{ours.lower()})" if topic else f"`{ours}`"

    words = textwrap.dedent("""\
        # If you know it by another name

        What stands here for a function of OpenCV, scikit-image or SciPy, or comes nearest: the
        parameters have names of their own (`vision steps NAME`), and a function that returned
        numbers may be a step with a result that holds them. What has the same name in all but its
        spelling, as `cv2.medianBlur`, `cv2.findContours` or `skimage.segmentation.slic`, is not
        listed: it is `MedianBlur`, `FindContours`, `SLIC`. Asked for by any of these names, in a
        terminal, a pipeline's text or as `classical.erode`, the toolkit answers with its own:

        ```text
        $ vision steps erode
        vision: There is no step named 'erode'. OpenCV's 'erode' is Erosion here.
        ```

        Estimators of scikit-learn keep their own names and are imported from there.
        """)
    tables = [
        f"\n## {library}\n\n| {library} | here |\n|---|---|\n"
        + "".join(
            f"| `{theirs}` | {', '.join(map(linked, ours.split(', ')))} |\n"
            for theirs, ours in listed.items()
        )
        for library, listed in NAMES.items()
    ]
    return words + "".join(tables)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Make the gallery, or the pages of some topics.")
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"of {', '.join(TOPICS)}")
    parser.add_argument("--pages", action="store_true", help="the text alone, no pictures")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.topics) - set(TOPICS)
    if unknown:
        parser.error(f"no topic {', '.join(sorted(unknown))}; there are {', '.join(TOPICS)}")
    (FOLDER / "pictures").mkdir(parents=True, exist_ok=True)
    for topic in chosen.topics or TOPICS:
        for name, example in TOPICS[topic].examples.items():
            if not chosen.pages:
                draw(name, example)
        (FOLDER / f"{topic}.md").write_text(page(topic), encoding="utf-8")
    (FOLDER / "README.md").write_text(index(), encoding="utf-8")
    NAMES_PAGE.write_text(names(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
