"""Corners of a checkerboard in ten photographs, and the camera that they calibrate.

    VISION_DATA=... python -m benchmarks.checkerboard [picture]

Reads ``calibration_checkerboard``: nine photographs of a board of 19 x 13 inner corners, held by
hand and bent, with corners that were looked at, and one that shows no whole board. Prints how far
each corner is from the given one, and the root mean square reprojection error of a pinhole camera
fitted to ours beside that of the fit that comes with the data (5.4 pixels: the paper is bent, which
no camera explains). `CheckerboardCorners` has its defaults. Beside it stands OpenCV's older
detector with `cv2.cornerSubPix`. Saves a picture, ``build/checkerboard.png`` unless told otherwise.
Exit status 1 if a board is missed, one is found where none is, or a corner is off by more than a
pixel.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import vision
from benchmarks.machine import describe_machine
from classical import CheckerboardCorners
from vision.drawing import contact_sheet
from vision.opencv import cv2

SET = "calibration_checkerboard"
LIMIT = 1  # pixel
ROUNDS = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 40, 0.001)


def load_set(folder):
    """The board's columns and rows, the given fits, and each photograph with its corners."""
    folder = Path(folder, SET)
    truth = json.loads((folder / "corners.json").read_text())
    photographs = {
        path.stem: (vision.read(path, mode="gray"), truth["found"].get(path.stem))
        for path in sorted(folder.glob("*.jpg"))
    }
    return truth["pattern"], truth["fits"], photographs


def older(image, size):
    """OpenCV's first detector, its corners refined in windows of 11 pixels."""
    found, corners = cv2.findChessboardCorners(image, size)
    if not found:
        return np.empty((0, 2))
    return cv2.cornerSubPix(image, corners, (5, 5), (-1, -1), ROUNDS).reshape(-1, 2)


def largest_error(points, truth):
    """The farthest corner from its given place; a board has two ends to begin at."""
    truth = np.reshape(truth, (-1, 2))
    if len(points) != len(truth):
        return np.inf
    return min(float(np.abs(points - order).max()) for order in (truth, truth[::-1]))


def reprojection_error(corners, size, shape):
    """Root mean square of the distances from a fitted pinhole camera's corners, in pixels."""
    columns, rows = size
    grid = np.zeros((columns * rows, 3), np.float32)
    grid[:, :2] = np.mgrid[:columns, :rows].T.reshape(-1, 2)
    views = [points.astype(np.float32).reshape(-1, 1, 2) for points in corners]
    return cv2.calibrateCamera([grid] * len(views), views, shape[::-1], None, None)[0]


def main(place="build/checkerboard.png"):
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit(f"VISION_DATA must name the folder that holds {SET}.")
    print(describe_machine())
    size, fits, photographs = load_set(folder)
    step, good, corners, tiles = CheckerboardCorners(*size), True, [], []
    seconds = 0
    for name, (image, truth) in photographs.items():
        start = time.perf_counter()
        found = step(image)
        seconds += time.perf_counter() - start
        tiles.append((name, _drawn(found, image, size)))
        if truth is None:
            print(f"{name}: no board to be found, {len(found)} corners found")
            good &= len(found) == 0
            continue
        off, old = (
            largest_error(found.points, truth),
            largest_error(older(image, tuple(size)), truth),
        )
        corners.append(found.points)
        good &= off <= LIMIT
        print(f"{name}: {len(found)} corners, at most {off:.2f} px off; older detector {old:.2f}")
    height, width = image.shape
    print(f"{1e3 * seconds / len(photographs):.0f} ms a photograph of {width} x {height} pixels")
    if good:
        error = reprojection_error(corners, size, image.shape)
        print(f"reprojection error of a pinhole camera {error:.2f} px, ", end="")
        print(f"of the one given with the data {fits['plain']['rms']:.2f} px")
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    vision.write(place, contact_sheet(tiles, columns=3, width=1500), overwrite=True)
    print(f"Saved {place}")
    return int(not good)


def _drawn(found, image, size):
    """The corners joined row by row, each row in its colour, as OpenCV shows boards."""
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if not len(found):
        return canvas
    corners = found.points.astype(np.float32).reshape(-1, 1, 2)
    return cv2.drawChessboardCorners(canvas, tuple(size), corners, True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
