"""Boundaries that people drew: ODS, OIS and AP of Roberts, Sobel, LoG and Canny on BSDS500.

    VISION_DATA=... python -m benchmarks.boundaries [picture]
    VISION_DATA=... python -m benchmarks.boundaries choose    # what the choices rest on

Reads ``boundary_bsds500_trainval``: 200 photographs, each drawn by about five people. The
smoothing was chosen on every fifth of the 100 training pictures; the 100 validation pictures are
the score. Published figures are those of the 200 test pictures, which are not there. The protocol
is that of `vision.boundary_f`: maps cut at 16 thresholds, thinned, and matched with each person's
within 0.0075 of the diagonal. The thresholds leave the same shares of the training pictures'
pixels whatever the detector; an edge is found again at each of them by the step itself. Gray is
the luma; in colour an edge is one in red, green or blue. Takes about 15 minutes on one core and
saves a picture, ``build/boundaries.png`` unless told otherwise: found boundaries that somebody
drew in green, others in red, missed ones in blue, each at the best threshold of the whole set.
Exit status 1 if an ODS in gray is more than 0.02 below the published one. The published Sobel does
not say whether it smooths; ours behind a Gaussian of 1 pixel comes within 0.02 of it. Those without
smoothing, and with the smoothing that was chosen, are here as well.
"""

import json
import os
import sys
import time
import zipfile
from pathlib import Path

import numpy as np

import vision
from benchmarks.machine import describe_machine
from classical import Canny, Channel, GaussianBlur, Gray, LoG, Roberts, Sobel
from vision.canvas import draw_text
from vision.opencv import cv2
from vision.thinning import thinned

SET = "boundary_bsds500_trainval"
SHARES = np.geomspace(0.4, 0.001, 16)  # of all pixels, as strong as each threshold
LIMIT = 0.02
CHOSEN_ON = slice(None, None, 5)  # of the training pictures
SHOWN, NEAR = (3, 40, 77), 4  # validation pictures; pixels, the tolerance of 321 x 481
RIGHT, WRONG, MISSED = (0, 190, 70), (235, 60, 40), (70, 130, 255)

# ODS, OIS and AP on the test pictures, from the curves that come with BSDS500.
PUBLISHED = {
    "Roberts": (0.483, 0.513, 0.413),
    "Sobel": (0.539, 0.575, 0.498),
    "Canny": (0.611, 0.676, 0.520),
}
SIGMAS = {  # pixels
    **{"Roberts": None, "Sobel": None, "Sobel, hardly smooth": 1, "Sobel, smooth": 2},
    **{"LoG": 4, "Canny": 3},
}
CANDIDATES = {"Sobel, smooth": (1, 2, 3), "LoG": (2, 3, 4), "Canny": (1, 1.5, 2, 3, 4)}


def detector(name, sigma, level=None):
    """The edges of a channel above a level, or without one, what the level is compared with."""
    if name == "Roberts":
        return Roberts() if level is None else Roberts("edges", level)
    if name == "LoG":
        return LoG(sigma, "strength") if level is None else LoG(sigma, "edges", level)
    if name == "Canny":
        found = Canny(l2=True, output="strength")
        found = found if level is None else Canny(0.4 * level, level, l2=True)
    else:
        found = Sobel() if level is None else Sobel(output="edges", threshold=level)
    return found if sigma is None else GaussianBlur(sigma=sigma) >> found


def load_set(folder, part):
    """The photographs of a part, in order of name, and for each the masks of its annotators."""
    archive = next(Path(folder, SET).glob(f"bsds500_{part}*.zip"))
    with zipfile.ZipFile(archive) as archive:
        for name in sorted(json.loads(archive.read(f"meta_{part}.json"))):
            image = vision.decode(archive.read(f"images/{part}/{name}.jpg"))
            drawn = np.frombuffer(archive.read(f"boundaries/{part}/{name}.png"), np.uint8)
            drawn = cv2.imdecode(drawn, cv2.IMREAD_GRAYSCALE)
            # One annotator below the other.
            yield image, list(drawn.reshape(-1, *image.shape[:2]) > 0)


def in_gray(step):
    """The edges of the luma."""
    return Gray() >> step


def in_color(step):
    """The edges of any channel."""
    red, green, blue = (Channel("rgb", name) >> step for name in "rgb")
    return red | green | blue


def levels(name, sigma, images):
    """Rising thresholds, each with its share of all pixels above it."""
    strength = Gray() >> detector(name, sigma)
    values = np.concatenate([strength(image)[::3, ::3].ravel() for image in images])
    # Of a thin map most pixels are 0.
    thin = np.quantile(values, 1 - SHARES[0]) == 0
    return np.quantile(values[values > 0] if thin else values, 1 - SHARES).tolist()


def boundary_map(image, steps):
    """For each pixel how many of the rising thresholds it passes."""
    return sum((step(image) > 0).astype(np.float32) for step in steps)


def measure(name, sigma, space, pictures, thresholds):
    """Score a detector over pictures and print its row; the score and the maps."""
    start = time.perf_counter()
    steps = [space(detector(name, sigma, level)) for level in thresholds]
    maps = [boundary_map(image, steps) for image, _ in pictures]
    truths = [truth for _, truth in pictures]
    score = vision.boundary_f(maps, truths, thresholds=range(1, len(steps) + 1))
    title = f"{name.partition(',')[0]}, {space.__name__.removeprefix('in_')}"
    title += "" if sigma is None else f", sigma {sigma}"
    known = PUBLISHED.get(name) if space is in_gray else None
    print(
        f"{title:<24}{score.ods:8.3f}{score.ois:8.3f}{score.ap:8.3f}"
        f"{' '.join(f'{figure:.3f}' for figure in known or ()):>22}"
        f"{time.perf_counter() - start:8.0f} s",
        flush=True,
    )
    return score, maps


def choose(train):
    """Print the scores on which the choices rest, at every second threshold."""
    for name, sigmas in CANDIDATES.items():
        for sigma in sigmas:
            thresholds = levels(name, sigma, [image for image, _ in train])[::2]
            measure(name, sigma, in_gray, train, thresholds)


def compared(found, truth):
    """What was found in the colours of right and wrong, and what was missed, on white."""
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEAR + 1, 2 * NEAR + 1))
    drawn = np.any(truth, axis=0).astype(np.uint8)
    # Missed is what most people drew.
    missed = (np.mean(truth, axis=0) >= 0.5) & (cv2.dilate(found, near) == 0)
    tile = np.full((*found.shape, 3), 255, np.uint8)
    tile[missed] = MISSED
    tile[found > 0] = WRONG
    tile[(found > 0) & (cv2.dilate(drawn, near) > 0)] = RIGHT
    return tile


def show(pictures, results):
    """Photographs, and below them what some detectors find at their best threshold."""
    columns = []
    for number in SHOWN:
        image, truth = pictures[number]
        tiles = [("photograph", image)]
        for title, (score, maps) in results.items():
            found = thinned(np.where(maps[number] >= score.threshold, 255, 0).astype(np.uint8))
            tiles.append((f"{title}, ODS {score.ods:.2f}", compared(found, truth)))
        column = []
        for caption, tile in tiles:
            # The middle: some photographs are upright.
            top, left = (tile.shape[0] - 321) // 2, (tile.shape[1] - 321) // 2
            tile = np.kron(tile[top : top + 321, left : left + 321], np.ones((2, 2, 1), np.uint8))
            draw_text(tile, caption, 8, 8, 22, background=(20, 20, 20))
            column.append(tile)
        columns.append(np.vstack(column))
    return np.hstack(columns)


def main(arguments):
    """Print the table and save the picture; 1 if an ODS in gray is too low."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit(f"VISION_DATA must name the folder that holds {SET}.")
    print(describe_machine())
    train, pictures = (list(load_set(folder, part)) for part in ("train", "val"))
    chosen_on = train[CHOSEN_ON]
    print(f"{'':<24}{'ODS':>8}{'OIS':>8}{'AP':>8}{'published':>22}")
    if arguments == ["choose"]:
        return choose(chosen_on)
    results, best = {}, {}
    for space in (in_gray, in_color):
        for name, sigma in SIGMAS.items():
            thresholds = levels(name, sigma, [image for image, _ in chosen_on])
            score, maps = measure(name, sigma, space, pictures, thresholds)
            if space is in_gray:
                kind = name.partition(",")[0]
                best[kind] = max(best.get(kind, 0), score.ods)
                if name in PUBLISHED:
                    results[name] = score, maps
    path = Path(arguments[0] if arguments else "build/boundaries.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    vision.write(path, show(pictures, results), overwrite=True)
    print(f"Picture: {path}")
    return int(any(best[name] < known[0] - LIMIT for name, known in PUBLISHED.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
