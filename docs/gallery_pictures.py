"""The pictures of the gallery: what the line of an example makes, as titled panels."""

import ast
import math
import textwrap

import numpy as np
from gallery_examples import HOMES, NAMES

from vision.canvas import INK, blank, draw_text, text_mask
from vision.catalogue import STEPS
from vision.composition import chain
from vision.drawing import contact_sheet, to_display
from vision.kinds import Branched, Kind
from vision.opencv import cv2
from vision.palette import heat_table
from vision.stage_pictures import BY_CHANNEL, picture_of

# The width of one panel by how many stand in a row.
PANEL = {1: 480, 2: 330, 3: 280, 4: 210, 5: 170, 8: 110}
GAP = 12  # that of `contact_sheet`


def used(*sources):
    """The names that code uses, those that these are made of included."""
    trees = [ast.walk(ast.parse(source)) for source in sources]
    found = {node.id for tree in trees for node in tree if isinstance(node, ast.Name)}
    made = [NAMES[name] for name in found if name in NAMES]
    return found | used(*made) if made else found


def preamble(*sources):
    """The lines that code needs before it: imports, and the pictures by name."""
    names = used(*sources)
    homes = {}
    for name in sorted(names, key=str.lower):
        home = STEPS[name].partition(".")[0] if name in STEPS else HOMES.get(name)
        if home:
            homes.setdefault(home, []).append(name)
    imports = [import_lines(home, homes[home]) for home in sorted(homes)]
    made = [f"{name} = {how}" for name, how in NAMES.items() if name in names]
    return "\n".join([*imports, "", *made])


def import_lines(home, names):
    """Imports of many names, as lines that are not too long."""
    wrapped = textwrap.wrap(", ".join(names), 70)
    return "\n".join(f"from {home} import {part.rstrip(',')}" for part in wrapped)


def evaluated(example):
    """The fitted pipeline of an example, and what it is called with."""
    names = {}
    sources = (example.given, example.code, example.image)
    exec(f"{preamble(*sources)}\n{example.given}", names)
    exec(f"_line = ({example.code}), ({example.image})", names)
    return names["_line"]


def panels(example):
    """The titled pictures of an example."""
    if example.show == "tiles":
        return tiles(example)
    pipeline, image = evaluated(example)
    trace = chain(pipeline).trace(image)
    chosen = [index % len(trace) for index in example.show]
    titles = example.titles or [trace[index].title.partition("(")[0] for index in chosen]
    ranges = any(is_float(trace[index].value) for index in chosen)
    found = []
    for index, title in zip(chosen, titles):
        title = title if index else example.image
        last = index == len(trace) - 1
        found += panel(title, trace[index], example, ranges, example.channels and last)
    if trace[-1].kind is Kind.FEATURES and example.code.startswith(tuple(AS_PICTURES)):
        draw_features = AS_PICTURES[example.code.partition("(")[0]]
        found[-1] = found[-1][0], draw_features(trace[-1].value, image)
    return found


def is_float(value):
    """Whether a value is a float image or a map, whose range is worth saying."""
    return isinstance(value, np.ndarray) and value.dtype == np.float32 and value.ndim == 2


def panel(title, stage, example, ranges, by_channel):
    """A stage as one titled picture, or as several: of its channels, or of its branches."""
    value, kind = stage.value, stage.kind
    if isinstance(kind, Branched) and isinstance(value, dict):
        return [(name, seen(part, kind[name], None, example)) for name, part in value.items()]
    if kind in BY_CHANNEL or kind is Kind.LAB or by_channel:
        names = letters(kind)
        names[0] = f"{title}: {names[0]}"
        channels = [to_display(np.ascontiguousarray(channel)) for channel in cv2.split(value)]
        if kind in (Kind.HSV, Kind.HLS):
            channels[0] = hues(value)
        return list(zip(names, channels))
    if ranges and isinstance(value, np.ndarray):
        title = f"{title}: {value.dtype}, {value.min():.3g} to {value.max():.3g}"
    return [(title, seen(value, kind, stage.picture, example))]


def seen(value, kind, picture, example):
    """A value as a picture; maps, labels and some features otherwise than a trace has them."""
    if kind is Kind.MAP and value.min() >= 0:
        return heat(value)
    if kind is Kind.LABELS and not example.means:
        return to_display(value)
    if kind is Kind.FEATURES and value.size == 1:
        return number(float(value[0]))
    return picture_of(value, kind, None) if picture is None else picture


def heat(values):
    """A map without negative values, from black over red to yellow."""
    scaled = cv2.convertScaleAbs(values, alpha=255 / (float(values.max()) or 1))
    return cv2.applyColorMap(scaled, heat_table())


def letters(kind):
    """The names of the channels of a colour space."""
    named = {Kind.YCRCB: ["Y", "Cr", "Cb"], Kind.LAB: ["L", "a", "b"]}
    return named.get(kind) or list(str(kind).upper())


def hues(image):
    """The hue of an hsv or hls image as pure colours: as a gray level it says little."""
    full = np.full(image.shape, 255, np.uint8)
    full[..., 0] = image[..., 0]
    return to_display(full, Kind.HSV)


def number(value):
    """A number as a picture."""
    picture, text = blank((125, 160)), f"{value:.1f}"
    height, width = text_mask(text, 40).shape
    draw_text(picture, text, (160 - width) // 2, (125 - height) // 2, 40, color=INK)
    return picture


def squares(row, image):
    """The features of `RawPixels` as the small picture that they are."""
    side = math.isqrt(row.size)
    return to_display(row.reshape(side, side).astype(np.uint8))


def directions(row, image, cell=16, shown=10, bins=9):
    """The features of `HOG`, of blocks of 3 x 3 cells: in each cell a line along every edge."""
    height, width = image.shape[0] // cell - 2, image.shape[1] // cell - 2
    blocks = row.reshape(height, width, 3, 3, bins)[:, :, 1, 1]
    picture = np.zeros((height * shown, width * shown), np.uint8)
    for down, right, number in np.argwhere(blocks > 0.05):
        # An edge lies across its gradient.
        angle = math.pi * ((number + 0.5) / bins + 0.5)
        reach = np.array([math.cos(angle), math.sin(angle)]) * shown / 2
        center = (np.array([right, down]) + 0.5) * shown
        ends = np.rint([center - reach, center + reach]).astype(int).tolist()
        level = min(255, int(700 * blocks[down, right, number]))
        line = cv2.line(np.zeros_like(picture), *ends, level)
        picture = np.maximum(picture, line)
    return to_display(picture)


AS_PICTURES = {"RawPixels": squares, "HOG": directions}


def tiles(example):
    """What a classifier says of pictures that it has not seen, wrong answers marked."""
    pipeline, (images, labels) = evaluated(example)
    said = pipeline.predict(images)
    return [
        (str(answer) if answer == label else f"{answer}, not {label}", image)
        for answer, image, label in zip(said, images, labels)
    ]


def sheet(example):
    """The panels of an example as one picture."""
    shown = panels(example)
    columns = example.columns or len(shown)
    width = PANEL[columns] * columns + GAP * (columns + 1)
    return contact_sheet(shown, columns=columns, width=width)
