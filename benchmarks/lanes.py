"""Lane lines on roads: how many degrees both are off in six photographs.

    VISION_DATA=... python -m benchmarks.lanes [picture]

Reads ``lines_lanes_a`` (six photographs of 960 x 540 pixels with the left and the right line of
the lane measured). The settings were chosen on the first three in order of name; the other three
are the score. Beside it stands the recipe that courses teach, in bare OpenCV. Saves a picture,
``build/lanes.png`` unless told otherwise: found lines cyan, measured ones orange. Exit status 1
if a line is missed by more than 3 degrees.
"""

import json
import os
import sys
import zipfile
from pathlib import Path

import numpy as np

import vision
from benchmarks.machine import describe_machine
from classical import AdaptiveThreshold, Crop, Gray, RANSACLines
from vision.canvas import draw_text
from vision.opencv import cv2

SET, ARCHIVE = "lines_lanes_a", "lines_a.zip"
HORIZON = 330  # the row from which on lanes were measured
TUNED = 3  # photographs
STEEPNESS = 25  # degrees from level at least: other lanes and kerbs are flatter
LIMIT = 3  # degrees
SIDES = ("left", "right")
FOUND, MEASURED = (0, 229, 255), (255, 140, 0)

# Paint is brighter than the road around it; its pixels, dashes far away included, choose the line.
LANES = (
    Crop(top=HORIZON)
    >> Gray()
    >> AdaptiveThreshold(51, offset=-35, method="mean")
    >> RANSACLines(4, max_trials=3000, min_inliers=100, max_lines=8)
)


def load_set(folder):
    """For each photograph its name, its pixels, and x1, y1, x2, y2 of the lane's two lines."""
    with zipfile.ZipFile(Path(folder, SET, ARCHIVE)) as archive:
        truth = json.loads(archive.read("lines.json"))
        for name, photograph in sorted(truth.items()):
            lanes = {side: tuple(photograph["lanes"][side]) for side in SIDES}
            yield Path(name).stem, vision.decode(archive.read(name)), lanes


def ours(image):
    """The steep line with most paint on it, to the left and to the right."""
    lines = LANES(image)
    lines = lines[np.abs(lines.angles - 90) < 90 - STEEPNESS]
    sides = lines[lines.angles > 90], lines[lines.angles < 90]
    # The line with most paint, not the one found first: the first found may be a poorer trial.
    return [side[[side.votes.argmax()]].rho_theta[0] if len(side) else None for side in sides]


def textbook(image):
    """Canny, a trapezium, probabilistic Hough, and one straight line through each side's ends."""
    height, width = image.shape[:2]
    gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    corners = [(50, height), (450, HORIZON), (510, HORIZON), (width, height)]
    road = cv2.fillPoly(np.zeros_like(gray), [np.array(corners)], 255)
    edges = cv2.Canny(gray, 50, 150) & road
    found = cv2.HoughLinesP(edges, 2, np.pi / 180, 15, None, 40, 20)
    found = np.empty((0, 4)) if found is None else found.reshape(-1, 4).astype(float)
    slopes = (found[:, 3] - found[:, 1]) / (found[:, 2] - found[:, 0] + 1e-9)
    return [_through(found[chosen]) for chosen in (slopes < -0.5, slopes > 0.5)]


def _through(segments):
    if not len(segments):
        return None
    y, x = segments[:, 1::2].ravel(), segments[:, ::2].ravel()
    lean, start = np.polyfit(y, x, 1)  # x = lean * y + start
    length = np.hypot(1, lean)
    theta = np.arctan2(-lean, 1)
    return np.array([start / length, theta])


def ends(line, low, high):
    """x1, y1, x2, y2 of a line between two rows."""
    rho, theta = line
    rows = np.array([low, high])
    x = (rho - rows * np.sin(theta)) / np.cos(theta)
    return x[0], low, x[1], high


def errors(line, truth):
    """Degrees between a line and the measured one, and pixels between them at its two ends."""
    if line is None:
        return np.inf, np.inf
    x1, y1, x2, y2 = truth
    found = ends(line, y1, y2)
    turns = [np.rad2deg(np.arctan2(a - b, y1 - y2)) for a, b in ((found[0], found[2]), (x1, x2))]
    return abs(turns[0] - turns[1]), max(abs(found[0] - x1), abs(found[2] - x2))


def show(name, image, lines, truth):
    """The photograph with found and measured lines, and what they differ by."""
    canvas = image.copy()
    for side, line in zip(SIDES, lines, strict=True):
        measured = ends_as_points(truth[side])
        cv2.line(canvas, *measured, MEASURED, 9, cv2.LINE_AA)
        if line is not None:
            found = ends_as_points(ends(line, image.shape[0], HORIZON))
            cv2.line(canvas, *found, FOUND, 3, cv2.LINE_AA)
    degrees = [errors(line, truth[side])[0] for side, line in zip(SIDES, lines, strict=True)]
    caption = f"{name}: {degrees[0]:.1f} and {degrees[1]:.1f} degrees off"
    draw_text(canvas, caption, 12, 12, 26, background=(20, 20, 20))
    return canvas


def ends_as_points(segment):
    """The ends of a segment in whole pixels, as OpenCV draws them."""
    x1, y1, x2, y2 = (round(value) for value in segment)
    return (x1, y1), (x2, y2)


def report(way, title, photographs):
    """Print a way's errors in a table; return the degrees, one row a photograph."""
    print(f"\n{title}\n{'photograph':<20}{'left':>14}{'right':>14}")
    rows = []
    for number, (name, image, truth) in enumerate(photographs):
        found = [errors(line, truth[side]) for side, line in zip(SIDES, way(image), strict=True)]
        rows.append([degrees for degrees, _ in found])
        cells = "".join(f"{degrees:6.2f}° {pixels:4.0f} px" for degrees, pixels in found)
        print(f"{name:<20}{cells}{'  (tuned on)' if number < TUNED else ''}")
    degrees = np.array(rows)
    for part, chosen in (("tuned on", degrees[:TUNED]), ("scored on", degrees[TUNED:])):
        good = (chosen <= LIMIT).all(axis=1).sum()
        print(f"{part}: both lines within {LIMIT}° in {good} of {len(chosen)}", end="")
        print(f", {chosen.max():.2f}° off at most")
    return degrees


def main(arguments):
    """Print both tables and save the picture; 0 if no line of ours is off by over 3 degrees."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit("VISION_DATA must name the folder that holds lines_lanes_a.")
    print(describe_machine())
    photographs = list(load_set(folder))
    report(textbook, "Peer, bare OpenCV: Canny, trapezium, HoughLinesP, polyfit", photographs)
    steps = " >> ".join(repr(step) for _, step in LANES.steps)
    degrees = report(ours, f"Ours: {' '.join(steps.split())}", photographs)
    pictures = [show(name, image, ours(image), truth) for name, image, truth in photographs]
    rows = [np.hstack(pictures[start : start + 2]) for start in range(0, len(pictures), 2)]
    path = Path(arguments[0] if arguments else "build/lanes.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    vision.write(path, np.vstack(rows), overwrite=True)
    print(f"\nPicture: {path}")
    return int(degrees.max() > LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
