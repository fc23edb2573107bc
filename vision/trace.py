"""What every stage of a pipeline makes of one image: for a notebook, a contact sheet, a report."""

import base64
import html
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from vision.catalogue import make
from vision.conversions import FROM_RGB
from vision.errors import UnknownNameError
from vision.flow import name_of
from vision.kinds import Branched, Kind, kinds_of
from vision.nearest import did_you_mean
from vision.opencv import cv2
from vision.stage_pictures import canvas_of, moved_canvas, picture_of
from vision.text_rules import parameters

THUMBNAIL = 240  # pixels, the longest side of a stage in the HTML view


@dataclass(frozen=True, repr=False)
class Stage:
    """One stage of a trace.

    Parameters
    ----------
    name : str
        "image", then what `set_params` calls the step: ``"canny"``, ``"branches__edges__canny"``.
    title : str
        The step as it is written, with the names of the branches in front.
    kind : Kind or Branched
        What the step gave.
    value : object
        What it gave, on the stage's own grid.
    picture : (H, W, 3) ndarray of uint8
        The value as a person sees it.
    """

    name: str
    title: str
    kind: object
    value: object
    picture: np.ndarray

    def __repr__(self):
        return f"Stage({self.name!r}: {self.title}, {_kind_text(self.kind)})"

    def _repr_html_(self):
        return _cell(self.title, self.kind, self.picture)


class Trace:
    """Every stage that one image went through; shows itself in a notebook.

    ``trace[-1]`` is the last stage, ``trace["gray"]`` that of the step of this name.

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
    >>> trace["gray"].value.shape
    (40, 60)
    """

    def __init__(self, stages):
        self.stages = stages

    def __len__(self):
        return len(self.stages)

    def __getitem__(self, index):
        if not isinstance(index, str):
            return self.stages[index]
        named = {stage.name: stage for stage in reversed(self.stages)}
        if index not in named:
            hint = f"{did_you_mean(index, named)} There are {', '.join(reversed(named))}.".lstrip()
            raise UnknownNameError(f"There is no stage named {index!r}. {hint}")
        return named[index]

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
        Every stage on its own grid: nothing is brought back to the image's. What was found is
        drawn on the image that was given, on the grid of the stage.

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
    return Trace(_Tracer(pipeline, image, kind).stages)


class _Tracer:
    """Follows one image through a pipeline and all that is within it."""

    def __init__(self, pipeline, image, kind):
        self.given = canvas_of(image, kind)
        self.stages = []
        self.add("image", "image", kind, image, self.given)
        self.follow(pipeline.plan(), pipeline, (), "", (image, kind, self.given))

    def add(self, name, title, kind, value, canvas):
        # A class is of the image, not of the few pixels that a classifier saw of it.
        canvas = self.given if kind is Kind.CLASS else canvas
        self.stages.append(Stage(name, title, kind, value, picture_of(value, kind, canvas)))

    def follow(self, plan, owner, path, prefix, state):
        """The stages of `owner`, a step or pipeline to which `path` leads."""
        value, kind, canvas = state
        names = defaultdict(list)  # by identity; one step may stand in several places
        for name, step in getattr(owner, "steps", ()):
            names[id(step)].append(name)
        for part in plan.parts:
            step = getattr(part, "pick", part.step)
            inner = _path_to(part.step, names, path)
            self.enter(part, inner, prefix, (value, kind, canvas))
            own = inner if step is part.step else _path_to(step, names, path)
            kind = part.gives(kind)
            before, (value, back) = value, part.moved(value, None)
            if isinstance(kind, Branched) and isinstance(value, np.ndarray):
                kind = Kind.FEATURES  # those of all branches as one row
            canvas = moved_canvas(canvas, before, value, back)
            if not _is_pipeline(part):
                self.add("__".join(own), prefix + written(step), kind, value, canvas)
            elif part.joined or (part.moves and back is None):
                how = "side by side" if part.joined else "brought back"
                self.add("__".join(own), f"{prefix}{own[-1]}: {how}", kind, value, canvas)
            canvas = canvas_of(value, kind) if canvas is None else canvas

    def enter(self, part, path, prefix, state):
        """The stages within a part: those of its branches, or of a pipeline."""
        branches = dict(getattr(part.step, "branches", {}))
        if hasattr(part, "pick"):
            name = part.pick.branch
            self.follow(part.plan, branches[name], (*path, name), f"{prefix}{name}: ", state)
        elif _is_pipeline(part):
            self.follow(part.plan, part.step, path, f"{prefix}{path[-1]}: ", state)
        elif hasattr(part.step, "branch_plans"):
            plans = dict(part.step.branch_plans())
            for name, branch in branches.items():
                within = (*path, name)
                if name in plans:
                    self.follow(plans[name], branch, within, f"{prefix}{name}: ", state)
                else:
                    title = f"{prefix}{name}: a fixed mask"
                    self.add("__".join(within), title, Kind.MASK, branch, state[-1])


def _path_to(step, names, path):
    """The path to a step of a pipeline; of what is no pipeline, its own."""
    own = names[id(step)]
    return (*path, own.pop(0)) if own else path


def _is_pipeline(part):
    """Whether a part is a pipeline: the last stage within it is what it gives."""
    return hasattr(part, "plan") and not hasattr(part, "pick")


def written(step, longest=90):
    """The step as it is written, what differs from the defaults in the order of the parameters.

    Of what holds branches or steps only their names are written.

    Examples
    --------
    >>> from classical import Canny, InRange, Otsu
    >>> from vision import Branches
    >>> written(InRange("gray", 10, 20)), written(Branches({"mask": Otsu(), "edges": Canny()}))
    ("InRange(space='gray', low=10, high=20)", 'Branches(mask, edges)')
    """
    name = name_of(step)
    if hasattr(step, "branch_plans"):
        return f"{name}({', '.join(dict(step.branches))})"
    if hasattr(step, "plan"):
        return f"{name}({', '.join(part for part, _ in step.steps)})"
    values = step.get_params(deep=False)
    changed = [
        f"{parameter}={values[parameter]!r}"
        for parameter, default in parameters(type(step)).items()
        if parameter in values and repr(values[parameter]) != repr(default)
    ]
    words = " ".join(f"{name}({', '.join(changed)})".split())
    return words if len(words) <= longest else f"{name}(...)"


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
        except Exception as error:  # a notebook shows what is wrong in place of the stages
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
