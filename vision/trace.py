"""What every stage of a pipeline makes of one image: for a notebook, a contact sheet, a report."""

import base64
import html
import itertools
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import NotFittedError

from vision.catalogue import make
from vision.conversions import FROM_RGB
from vision.errors import VisionError
from vision.flow import name_of
from vision.kinds import Branched, Kind, kinds_of
from vision.opencv import cv2

# Their channels say more side by side than as colours.
CHANNELS = frozenset({Kind.HSV, Kind.HLS, Kind.YCRCB, Kind.CMYK})
THUMBNAIL = 240  # pixels, the longest side of a stage in the HTML view


@dataclass(frozen=True)
class Stage:
    """One stage of a trace.

    Parameters
    ----------
    title : str
        The step as it is written, with the names of the branches in front.
    kind : Kind or Branched
        What the step gave.
    value : object
        What it gave, on the stage's own grid.
    picture : (H, W, 3) ndarray of uint8
        The value as a person sees it.
    """

    title: str
    kind: object
    value: object
    picture: np.ndarray


class Trace:
    """Every stage that one image went through; shows itself in a notebook.

    Parameters
    ----------
    stages : list of Stage
        In order; the image itself is the first.

    Examples
    --------
    >>> import vision
    >>> from classical import Canny, Gray
    >>> trace = (Gray() >> Canny()).trace(np.zeros((40, 60, 3), np.uint8))
    >>> [stage.title for stage in trace.stages]
    ['image', 'Gray()', 'Canny()']
    """

    def __init__(self, stages):
        self.stages = stages

    def __len__(self):
        return len(self.stages)

    def __getitem__(self, index):
        return self.stages[index]

    def __repr__(self):
        return "Trace: " + ", then ".join(f"{s.title} ({_kind_text(s.kind)})" for s in self.stages)

    def sheet(self, width=1200):
        """All stages as one picture, titled.

        Parameters
        ----------
        width : int
            Its width in pixels, about.

        Returns
        -------
        (H, W, 3) ndarray of uint8
        """
        from vision.drawing import contact_sheet

        return contact_sheet([(stage.title, stage.picture) for stage in self.stages], width=width)

    def save(self, path):
        """Write the contact sheet as a picture."""
        from vision.io import write

        write(path, self.sheet())

    def _repr_html_(self):
        cells = "".join(_cell(stage.title, stage.kind, stage.picture) for stage in self.stages)
        return f'<div style="display:flex;flex-wrap:wrap;gap:12px">{cells}</div>'


def trace(pipeline, image):
    """Run a pipeline on one image and keep every stage.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, if it learns anything.
    image : ndarray
        One image.

    Returns
    -------
    Trace
        Every stage on its own grid: nothing is brought back to the image's.

    Raises
    ------
    KindError, ParameterError, ImageError
        As calling the pipeline does.
    """
    plan = pipeline.plan()
    plan.admit(image)
    kind = next((k for k in kinds_of(image) if k in plan.kinds), Kind.ANY)
    if kind is Kind.ANY:
        kind = next((k for k in kinds_of(image) if k.fits(tuple(plan.kinds))), Kind.ANY)
    first = Stage("image", kind, image, picture_of(image, kind, None))
    stages = [first]
    _follow(plan, image, kind, first.picture, "", stages)
    return Trace(stages)


def _follow(plan, value, kind, canvas, prefix, stages):
    for part in plan.parts:
        if hasattr(part.step, "branch_plans"):
            for name, branch in part.step.branch_plans():
                _follow(branch, value, kind, canvas, f"{prefix}{name}: ", stages)
        elif hasattr(part, "plan"):
            inner = f"{prefix}{name_of(part.step).lower()}: "
            _follow(part.plan, value, kind, canvas, inner, stages)
        kind = part.gives(kind)
        before, value = value, part.one(value)
        if part.moves:
            canvas = _moved_canvas(part, before, value, canvas)
        picture = picture_of(value, kind, canvas)
        if kind in (Kind.RGB, Kind.GRAY, Kind.FLOAT):
            canvas = picture
        stages.append(Stage(prefix + _written(part.step), kind, value, picture))


def _moved_canvas(part, before, value, canvas):
    """The picture to draw on, taken through a geometric step."""
    if not isinstance(value, np.ndarray) or canvas is None:
        return canvas
    back = part.step.to_input(before) if hasattr(part.step, "to_input") else None
    if back is None:
        return canvas if value.shape[:2] == canvas.shape[:2] else None
    size = value.shape[1], value.shape[0]
    return cv2.warpPerspective(canvas, back, size, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_AREA)


def picture_of(value, kind, canvas):
    """What a person sees of a stage.

    Parameters
    ----------
    value : object
        What a step gave.
    kind : Kind or Branched
        Its kind.
    canvas : (H, W, 3) ndarray of uint8 or None
        The picture on which contours and the like are drawn.

    Returns
    -------
    (H, W, 3) ndarray of uint8
    """
    from vision.drawing import to_display

    if isinstance(value, dict):
        return _side_by_side(
            [picture_of(part, _branch_kind(kind, name), canvas) for name, part in value.items()]
        )
    if kind in CHANNELS:
        return _side_by_side([to_display(channel.copy()) for channel in cv2.split(value)])
    if kind is Kind.LABELS:
        return _labels(value, canvas)
    if isinstance(value, np.ndarray) and value.ndim >= 2:
        return to_display(value, kind)
    if isinstance(value, np.ndarray):
        return _bars(value)
    if hasattr(value, "draw") and canvas is not None:
        return value.draw(canvas)
    return _text(str(value))


def _branch_kind(kind, name):
    return kind[name] if isinstance(kind, Branched) else Kind.ANY


def _labels(labels, canvas):
    """The regions in the mean colour of what they cover."""
    from vision.drawing import to_display

    if canvas is None or canvas.shape[:2] != labels.shape or labels.min() < 0:
        return to_display(labels)
    flat = labels.ravel()
    counts = np.maximum(np.bincount(flat), 1)
    means = [np.bincount(flat, channel.ravel()) / counts for channel in cv2.split(canvas)]
    return np.stack(means, axis=1).round().astype(np.uint8)[labels]


def _side_by_side(pictures):
    height = max(picture.shape[0] for picture in pictures)
    gap = np.full((height, max(2, height // 60), 3), 255, np.uint8)
    tiles = []
    for picture in pictures:
        rows = height - picture.shape[0]
        padded = np.pad(picture, ((0, rows), (0, 0), (0, 0)), constant_values=255)
        tiles += [padded, gap]
    return np.hstack(tiles[:-1])


def _bars(row, height=120, width=240):
    """A row of features as a bar chart."""
    chart = np.full((height, width, 3), 255, np.uint8)
    values = np.nan_to_num(np.asarray(row, np.float64))
    edges = np.linspace(0, len(values), min(width, max(1, len(values))) + 1).astype(int)
    tops = np.array([values[a:b].max() for a, b in itertools.pairwise(edges) if b > a])
    low, high = min(tops.min(), 0.0), max(tops.max(), 0.0)
    scale = (height - 8) / ((high - low) or 1)
    zero = height - 4 + int(low * scale)
    lefts = np.linspace(0, width, len(tops) + 1).astype(int)
    for (left, right), value in zip(itertools.pairwise(lefts), tops):
        top, bottom = sorted((zero, zero - int(value * scale)))
        end = max(left + 1, right - (right - left > 3))  # a gap between wide bars
        chart[top : bottom + 1, left:end] = (70, 110, 170)
    return chart


def _text(words):
    from vision.drawing import contact_sheet

    return contact_sheet([(words, np.full((60, 240, 3), 255, np.uint8))], width=260)


def _written(step):
    return repr(step) if len(repr(step)) <= 90 else f"{name_of(step)}(...)"


def _kind_text(kind):
    return "branches" if isinstance(kind, Branched) else str(kind)


def _cell(title, kind, picture):
    from vision.drawing import thumbnail
    from vision.io import encode

    data = base64.b64encode(encode(thumbnail(picture, THUMBNAIL), "png")).decode("ascii")
    return (
        f'<figure style="margin:0;max-width:{THUMBNAIL}px">'
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(title)}" '
        'style="max-width:100%;border:1px solid #8884">'
        f'<figcaption style="font:12px monospace;overflow-wrap:anywhere">{html.escape(title)}'
        f'<br><span style="opacity:.65">{html.escape(_kind_text(kind))}</span>'
        "</figcaption></figure>"
    )


def describe_html(step):
    """The HTML view of a step or pipeline: its stages on a photograph that scikit-image ships.

    Where the chain cannot run on it (it must be fitted first, say) the stages up to there.
    """
    from vision.composition import chain

    whole = chain(step)
    sample = sample_image(whole.takes)
    reason = ""
    for length in range(len(whole.steps), 0, -1):
        try:
            shown = trace(type(whole)(whole.steps[:length]), sample)
        except (VisionError, NotFittedError) as error:
            reason = f"<p>{html.escape(str(error))}</p>"
            continue
        return (
            f'{shown._repr_html_()}{reason}<p style="font:11px sans-serif;opacity:.65">'
            "on the coffee cup that scikit-image ships; trace(image) shows your own</p>"
        )
    return f"<pre>{html.escape(repr(step))}</pre>{reason}"


def sample_image(takes=(Kind.RGB,)):
    """A small photograph that scikit-image ships, as a chain that takes `takes` wants it.

    Returns
    -------
    ndarray
        ``(160, 240, 3)``, or ``(160, 240)`` gray, thresholded or its edges.
    """
    from skimage import data

    image = cv2.resize(data.coffee(), (240, 160), interpolation=cv2.INTER_AREA)
    if Kind.RGB in takes or Kind.ANY in takes:
        return image
    way = next((FROM_RGB[kind] for kind in takes if kind in FROM_RGB), FROM_RGB[Kind.MASK])
    for step in way.split(" >> "):
        image = make(step.removesuffix("()"))(image)
    return image
