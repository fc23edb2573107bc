"""`vision demo`: three pipelines over photographs, two comparisons, and a page; all pictures are
those that the dependencies ship."""

import csv
import time
from dataclasses import dataclass
from pathlib import Path

ROWS = 8  # of each table, on the page


@dataclass(frozen=True)
class Example:
    """One pipeline of the demo.

    Parameters
    ----------
    name : str
        The name of its folder.
    title, words : str
        What the page says about it.
    photograph : str
        The photograph whose stages are shown.
    pipeline : Pipeline
        What runs.
    """

    name: str
    title: str
    words: str
    photograph: str
    pipeline: object


def photographs():
    """The photographs by file name, RGB: six of scikit-image, two of scikit-learn."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    found = {
        "astronaut.png": data.astronaut(),
        "cat.png": data.chelsea(),
        "coffee.png": data.coffee(),
        "galaxies.png": data.hubble_deep_field(),
        "retina.png": data.retina(),
        "rocket.png": data.rocket(),
    }
    samples = load_sample_images()
    named = zip(samples.filenames, samples.images, strict=True)
    return found | {Path(name).with_suffix(".png").name: image for name, image in named}


def examples():
    """The three pipelines."""
    from vision.catalogue import resolve

    Canny = resolve("Canny")
    Closing = resolve("Closing")
    FindContours = resolve("FindContours")
    GaussianBlur = resolve("GaussianBlur")
    Gray = resolve("Gray")
    HoughSegments = resolve("HoughSegments")
    InRange = resolve("InRange")
    KMeansSegmenter = resolve("KMeansSegmenter")
    MedianBlur = resolve("MedianBlur")
    Opening = resolve("Opening")
    ToHSV = resolve("ToHSV")

    red = ToHSV() >> InRange("hsv", (170, 150, 60), (8, 255, 255))
    return [
        Example(
            "red",
            "Where is something red?",
            "A range of hue that wraps around 0, cleaned by morphology; each piece is a row with "
            "its place and size.",
            "coffee.png",
            MedianBlur(5) >> red >> Opening(5) >> Closing(9) >> FindContours(min_area=200),
        ),
        Example(
            "lines",
            "Which lines is the building made of?",
            "Canny's edges, then the probabilistic Hough transform: each line is a row with its "
            "ends.",
            "china.png",
            Gray()
            >> GaussianBlur(7)
            >> Canny(60, 180)
            >> HoughSegments(threshold=0.04, min_length=0.04, max_gap=0.004, unit="diagonal"),
        ),
        Example(
            "clusters",
            "Which colours is the picture made of?",
            "K-means on the colours, weighted by a histogram; each cluster is a row with its area.",
            "flower.png",
            GaussianBlur(5) >> KMeansSegmenter(5),
        ),
    ]


def run_demo(out="demo", progress=None, studies=None):
    """Write the photographs, run the pipelines over them as folder jobs, compare, make the page.

    Parameters
    ----------
    out : path
        The folder to make; an earlier demo in it is replaced.
    progress : bool, optional
        As in `vision.run`.
    studies : iterable of str, optional
        Which of the comparisons: "faces" and "digits", all by default.

    Returns
    -------
    Path
        The page, ``index.html``.

    Raises
    ------
    WriteError
        If the folder cannot be written.
    """
    from vision.demo_comparison import run_studies
    from vision.io import write, write_bytes
    from vision.run_folder import make_folder

    start = time.perf_counter()
    out = Path(out)
    make_folder(out / "photographs")
    pictures = photographs()
    for name, image in pictures.items():
        write(out / "photographs" / name, image, durable=False)
    shown = [_run(example, pictures, out, progress) for example in examples()]
    write(out / "overview.png", _overview(shown, pictures))
    compared = run_studies(out, studies, progress)
    seconds = time.perf_counter() - start
    page = _page(shown, list(pictures), compared, seconds)
    write_bytes(out / "index.html", page.encode("utf-8"))
    return out / "index.html"


def _run(example, pictures, out, progress):
    """Run one example over the folder; what the page shows of it."""
    from vision.io import write
    from vision.run_folder import make_folder
    from vision.runner import run
    from vision.text import to_text

    folder = out / example.name
    summary = run(
        example.pipeline,
        out / "photographs",
        folder,
        overlay=True,
        restart=True,
        progress=progress,
    )
    trace = example.pipeline.trace(pictures[example.photograph])
    make_folder(folder / "stages")
    stages = []
    for index, stage in enumerate(trace.stages):
        file = f"stages/{index:02d}.png"
        write(folder / file, _fitted(stage.picture, 640), durable=False)
        stages.append({"title": stage.title, "kind": str(stage.kind), "file": file})
    with (folder / "results.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {
        "example": example,
        "text": to_text(example.pipeline),
        "summary": summary,
        "stages": stages,
        "rows": _of_photograph(rows, example.photograph),
        "count": len(rows),
        "columns": [column for column in rows[0] if any(row[column] for row in rows)],
        "last": _drawn(example, pictures[example.photograph], trace),
        "middle": trace.stages[-2].picture,
    }


def _drawn(example, image, trace):
    """The result on the photograph itself; clusters in the colours that they stand for."""
    result = example.pipeline(image)
    return result.draw(image) if hasattr(result, "draw") else trace.stages[-1].picture


def _of_photograph(rows, name):
    """The first rows of one photograph, numbers cut to what is worth reading."""
    found = [row for row in rows if row["source"] == name][:ROWS]
    return [{key: _short(value) for key, value in row.items()} for row in found]


def _short(value):
    try:
        return value if value.isdigit() else f"{float(value):.4g}"
    except ValueError:
        return value


def _fitted(picture, longest):
    from vision.drawing import thumbnail

    return thumbnail(picture, longest)


def _overview(shown, pictures):
    from vision.drawing import contact_sheet

    tiles = []
    for one in shown:
        example = one["example"]
        tiles += [
            (example.photograph.removesuffix(".png"), pictures[example.photograph]),
            (example.pipeline[-2].__class__.__name__, one["middle"]),
            (example.pipeline[-1].__class__.__name__, one["last"]),
        ]
    return contact_sheet(tiles, columns=3, width=1200)


def _page(shown, names, compared, seconds):
    import vision
    from vision.figure_svg import style_sheet
    from vision.pages import environment

    return (
        environment()
        .get_template("demo.html")
        .render(
            shown=shown,
            names=names,
            compared=compared,
            light=style_sheet()[0],
            dark=style_sheet()[1],
            seconds=seconds,
            version=vision.__version__,
        )
    )
