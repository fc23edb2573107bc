"""Figures for pages: drawn by matplotlib, shown as SVG in the colours of the page around them.

A figure is `WIDTH` points wide, so that on a page one point is about one pixel, on a telephone as
on paper. Colours of candidates and ink are looked up by the SVG in the page's style sheet, where
there is one for light and one for dark; on its own a figure has the light ones.
"""

import contextlib
import io
import re
import warnings
from html import escape

import numpy as np

WIDTH = 360  # points
COVERED = 0.04  # of its area that a name may cover of others
SIZE = 11  # points, of every text
INK, SOFT, LINE, PAPER = "#1c2126", "#5b6670", "#d9dee3", "#ffffff"
# Of the classical, the deep and the mixed candidates: at least 4.5:1 on white, so that they may be
# text too, and apart for colour-blind readers within a family as far as it goes; the dashes of
# lines, the marks of points and the labels beside them say it again.
COLORS = {
    "classical": ("#0072b2", "#00805c", "#1f2f86"),
    "deep": ("#c4500a", "#850d1e", "#b5478f"),
    "mixed": ("#5d6b7a",),
}
# The same on a dark page.
DARK = {
    "classical": ("#56b4e9", "#3bd9a0", "#7e8cff"),
    "deep": ("#ff9350", "#ffd25c", "#e2739f"),
    "mixed": ("#aab6c2",),
}
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
MARKS = {"classical": "o", "deep": "s", "mixed": "D"}
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.formatter.use_mathtext": False,
    "axes.grid": False,
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": SIZE,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": SIZE - 1,
    "ytick.labelsize": SIZE - 1,
}
_FONT = re.compile(r"font:\s*(?:(\d+)\s+)?([\d.]+)px [^;\"]+")


class Look:
    """The colour, dash and mark of each candidate, the same in every figure.

    Parameters
    ----------
    candidates : iterable of Candidate
        In the order in which colours are given out.

    Examples
    --------
    >>> from vision.comparison_result import Candidate
    >>> look = Look([Candidate("SVM", "classical", ""), Candidate("CNN", "deep", "")])
    >>> look.color("CNN"), look.mark("SVM")
    ('#c4500a', 'o')
    """

    def __init__(self, candidates):
        self._places, seen = {}, dict.fromkeys(COLORS, 0)
        for one in candidates:
            self._places[one.name] = one.family, seen[one.family]
            seen[one.family] += 1

    def color(self, name):
        """On white."""
        family, place = self._places[name]
        return COLORS[family][place % len(COLORS[family])]

    def style(self, name):
        """As a page's style sheet has it, light or dark."""
        family, place = self._places[name]
        return f"var(--{family}-{place % len(COLORS[family])}, {self.color(name)})"

    def dash(self, name):
        """Of lines: solid for the first of each colour."""
        family, place = self._places[name]
        return DASHES[place // len(COLORS[family]) % len(DASHES)]

    def mark(self, name):
        """Of points: round for the classical, square for the deep."""
        return MARKS[self._places[name][0]]


@contextlib.contextmanager
def drawing(**settings):
    """Within, matplotlib draws as these figures are drawn, whatever its user has set."""
    import matplotlib

    with matplotlib.rc_context(_STYLE | settings), warnings.catch_warnings():
        # The page's fonts draw a letter that matplotlib's own lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def new_figure(height, width=WIDTH):
    """An empty figure, of no interest to pyplot.

    Parameters
    ----------
    height, width : float
        In points.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    FigureCanvasAgg(figure)
    return figure


def new_axes(figure, left, bottom, right, top):
    """Axes with margins in points."""
    width, height = figure.get_size_inches() * 72
    place = (left / width, bottom / height)
    size = ((width - left - right) / width, (height - bottom - top) / height)
    return figure.add_axes((*place, *size))


def label(text, longest=22):
    """A name as a figure shows it: of printable characters, cut where it is long.

    Examples
    --------
    >>> label("a\\tvery long name of a candidate")
    'a very long name of a…'
    """
    clean = "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in str(text))
    return clean if len(clean) <= longest else clean[: longest - 1].rstrip() + "…"


def apart(heights, gap):
    """Heights moved as little as it takes to be `gap` apart, in their order.

    Parameters
    ----------
    heights : sequence of float
    gap : float

    Returns
    -------
    list of float

    Examples
    --------
    >>> apart([1, 1, 5], 2)
    [0.0, 2.0, 5.0]
    """
    order = np.argsort(heights, kind="stable")
    groups = []  # of [centre, count]: what touches moves together
    for height in np.asarray(heights, float)[order]:
        groups.append([height, 1])
        while len(groups) > 1 and _touch(*groups[-2:], gap):
            (a, n), (b, m) = groups[-2:]
            groups[-2:] = [[(a * n + b * m) / (n + m), n + m]]
    spread = [c + gap * (k - (n - 1) / 2) for c, n in groups for k in range(n)]
    placed = np.empty(len(spread))
    placed[order] = spread
    return placed.tolist()


def _touch(lower, upper, gap):
    return upper[0] - lower[0] < gap * (lower[1] + upper[1]) / 2 - 1e-9


def write_beside(axes, points, *, longest=18):
    """Names beside points, each where it covers no other name and no point.

    Parameters
    ----------
    axes : matplotlib axes
        With its limits set.
    points : list of (x, y, text, color)
        In data coordinates, those that most need a name first.
    longest : int
        Characters.

    Returns
    -------
    int
        How many have no name, for want of room.
    """
    nameless = 0
    renderer = axes.figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    pixels = axes.transData.transform([point[:2] for point in points])
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in pixels]
    for (x, y, text, color), (px, py) in zip(points, pixels):
        written = axes.annotate(
            label(text, longest),
            (x, y),
            xytext=(0, 0),
            textcoords="offset points",
            color=color,
            annotation_clip=False,
        )
        box = written.get_window_extent(renderer)
        width, height = box.width, box.height
        boxes = [_box(px + x, py + y, width, height) for x, y in _places(width, height)]
        chosen = min(boxes, key=lambda one: _cost(one, taken, frame))
        if _cost(chosen, taken, frame) > COVERED * width * height:
            written.remove()
            nameless += 1
        else:
            written.set_position((chosen[0] - px, chosen[1] - py))
            taken.append(chosen)
    return nameless


def _places(width, height):
    """Offsets of the lower left corner of a text from its point, the best first."""
    left, low = -9 - width, -height / 2 + 1
    yield from ((9, low), (left, low), (-width / 2, 8), (-width / 2, -8 - height))
    for up in (5, 18):
        yield from ((9, up), (9, -up - height), (left, up), (left, -up - height))


def _box(left, bottom, width, height):
    return left, bottom, left + width, bottom + height


def _cost(box, taken, frame):
    covered = sum(_overlap(box, other) for other in taken)
    outside = max(0, frame.x0 - box[0]) + max(0, box[2] - frame.x1 - 4)
    outside += max(0, frame.y0 - box[1]) + max(0, box[3] - frame.y1 - 8)
    return 10 * outside + covered


def _overlap(one, other):
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, wide) * max(0, high)


def key_height(count):
    """Points that `key_above` takes for so many names."""
    return 16 * -(-count // 2) + 10


def key_above(figure, entries, look):
    """Names in the colours of their lines, in two columns along the top.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    entries : list of (name, text)
    look : Look
    """
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches() * 72
    for place, (name, text) in enumerate(entries):
        x, y = (10 + place % 2 * width / 2) / width, 1 - (10 + 16 * (place // 2)) / height
        color = look.color(name)
        line = Line2D([x, x + 20 / width], [y, y], color=color, ls=look.dash(name), lw=2)
        figure.add_artist(line)
        figure.text(x + 26 / width, y, label(text, 22), color=color, va="center")


def svg(figure, name, words):
    """A figure as an element of a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Letters and digits, of its own within the page.
    words : str
        What it shows, for those who cannot see it.

    Returns
    -------
    str
        An ``<svg>`` with text as text, in the style of the page, that asks for no other file.
    """
    stream = io.StringIO()
    with drawing(**{"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = _head(text, words)
    text = _names(text, name)
    text = _FONT.sub(r"font: \1 \2px system-ui, sans-serif", text)
    for color, variable in _variables().items():
        text = text.replace(color, f"var({variable}, {color})")
    return re.sub(r"\n\s*", "\n", text).strip()


def _head(text, words):
    """The opening tag: its size is left to the page."""
    box = re.search(r'viewBox="([^"]+)"', text)[1]
    body = text[text.index(">") + 1 :]
    return f'<svg viewBox="{box}" role="img" aria-label="{escape(words)}">{body}'


def _names(text, name):
    """Names that are pointed at are the figure's own, others go, as a page has many figures."""
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(r'xlink:href="#', 'href="#', text)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)

    def renamed(found):
        return f' id="{name}-{found[1]}"' if found[1] in used else ""

    text = re.sub(r' id="([^"]*)"', renamed, text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text)


def _variables():
    """The style sheet's name of each colour."""
    found = {INK: "--ink", SOFT: "--soft", LINE: "--line", PAPER: "--paper"}
    for family, colors in COLORS.items():
        found |= {color: f"--{family}-{place}" for place, color in enumerate(colors)}
    return found


def style_sheet():
    """The colours of candidates as style sheet variables.

    Returns
    -------
    light, dark : str
        Declarations.

    Examples
    --------
    >>> style_sheet()[0][:23]
    '--classical-0: #0072b2;'
    """
    return tuple(
        " ".join(
            f"--{family}-{place}: {color};"
            for family, colors in chosen.items()
            for place, color in enumerate(colors)
        )
        for chosen in (COLORS, DARK)
    )
