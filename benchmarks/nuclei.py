"""Nuclei in microscope pictures: mean AP over IoU 0.5 to 0.95 of classical steps alone.

    VISION_DATA=... python -m benchmarks.nuclei [picture]

Reads ``instances_dsb2018_part1`` (413 pictures of the 2018 Data Science Bowl, 18,050 nuclei drawn
by hand). Of each kind of picture, glowing nuclei on black and stained ones, every second in order
of name was there to choose steps and settings; the others are the score. Beside it stands the
recipe that scikit-image's gallery teaches for nuclei: Otsu, distance, peaks 7 apart, watershed. The
competition's winning network had 0.631 on its own, harder test pictures. Takes about a minute and
saves a picture, ``build/nuclei.png`` unless told otherwise: outlines drawn by hand above, found
ones below.
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
from classical import (
    AdaptiveThreshold,
    Channel,
    DistanceWatershed,
    FillHoles,
    FilterRegions,
    GammaCorrection,
    GaussianBlur,
    Negative,
    Opening,
    Otsu,
    RemoveSmallObjects,
)
from vision.canvas import draw_text
from vision.opencv import cv2
from vision.regions import label_borders

SET, ARCHIVE = "instances_dsb2018_part1", "dsb2018_part1.zip"
LEVELS = np.arange(0.5, 0.96, 0.05)  # of intersection over union
SHOWN, TILE = 3, 420  # pictures of each kind, and the pixels of their longer side
LINE = (255, 120, 0)

# Bright nuclei by Otsu; dim ones beside them stand out from their surroundings.
GLOWING = (
    ((GammaCorrection(0.6) >> Otsu()) & AdaptiveThreshold(41, 0, "gaussian") | Otsu())
    >> FillHoles()
    >> Opening(4, "ellipse")
    >> RemoveSmallObjects(20)
    >> DistanceWatershed(0.75)
)
# The stain takes green away; what is as light as its surroundings is out of focus.
STAINED = (
    Channel("rgb", "g")
    >> Negative()
    >> (Otsu() & (GaussianBlur(3) >> AdaptiveThreshold(101, 0, "gaussian")))
    >> FillHoles()
    >> Opening(5, "ellipse")
    >> RemoveSmallObjects(40)
    >> DistanceWatershed(1)
    >> FilterRegions(area=(80, None), solidity=(0.8, None))
)


def load_set(folder):
    """For each picture its kind, its pixels and its label map, in order of name."""
    with zipfile.ZipFile(Path(folder, SET, ARCHIVE)) as archive:
        about = json.loads(archive.read("meta.json"))
        for name in sorted(about):
            image = vision.decode(archive.read(f"images/{about[name]['file']}"))
            encoded = np.frombuffer(archive.read(f"labels/{name}.png"), np.uint8)
            labels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED).astype(np.int32)
            stained = bool((image.max(axis=2) != image.min(axis=2)).any())
            yield stained, image if stained else image[..., 0].copy(), labels


def halves(pictures):
    """The pictures to choose with and those to score, every second of each kind."""
    kinds = [[p for p in pictures if p[0] is kind] for kind in (False, True)]
    return tuple([p for kind in kinds for p in kind[start::2]] for start in (0, 1))


def ours(stained, image):
    """A label map by the steps for this kind of picture."""
    return (STAINED if stained else GLOWING)(image)


def textbook(stained, image):
    """What scikit-image's gallery does with the nuclei of human cells, with one class of them."""
    from scipy import ndimage
    from skimage import color, feature, filters, measure, segmentation

    gray = 1 - color.rgb2gray(image) if stained else image
    mask = gray > filters.threshold_otsu(gray)
    distance = ndimage.distance_transform_edt(mask)
    peaks = feature.peak_local_max(distance, min_distance=7, labels=measure.label(mask))
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return segmentation.watershed(-distance, markers, mask=mask)


def average_precision(predicted, truth):
    """Objects found by objects found, missed and made up, averaged over the levels of IoU."""
    rows, columns = predicted.max() + 1, truth.max() + 1
    pairs = predicted.astype(np.int64) * columns + truth
    shared = np.bincount(pairs.ravel(), minlength=rows * columns).reshape(rows, columns)
    sizes, true_sizes = shared.sum(axis=1)[1:], shared.sum(axis=0)[1:]
    iou = shared[1:, 1:] / np.maximum(sizes[:, None] + true_sizes - shared[1:, 1:], 1)
    iou = iou[sizes > 0][:, true_sizes > 0]
    if not iou.size:
        return float(iou.shape == (0, 0))
    # Above one half, no object can match two.
    found = (iou.max(axis=0) > LEVELS[:, None]).sum(axis=1)
    return float(np.mean(found / (iou.shape[0] + iou.shape[1] - found)))


def scores(way, pictures):
    """The AP of each picture, and the seconds a picture."""
    start = time.perf_counter()
    found = [way(stained, image) for stained, image, _ in pictures]
    seconds = (time.perf_counter() - start) / len(pictures)
    rows = [average_precision(*pair) for pair in zip(found, (p[2] for p in pictures))]
    return np.array(rows), seconds


def report(title, way, parts):
    """Print a way's mean AP on both halves."""
    print(f"\n{title}")
    for name, pictures in zip(("chosen on", "scored on"), parts, strict=True):
        values, seconds = scores(way, pictures)
        stained = np.array([p[0] for p in pictures])
        error = 1.96 * values.std() / len(values) ** 0.5
        print(
            f"  {name} {len(values)}: mean AP {values.mean():.3f} +- {error:.3f}"
            f"  (glowing {values[~stained].mean():.3f}, stained {values[stained].mean():.3f}),"
            f" {seconds * 1000:.0f} ms a picture"
        )
    return values


def outlined(image, labels, caption):
    """A picture with the outlines of its labels, enlarged so that they stay thin."""
    canvas = image if image.ndim == 3 else cv2.cvtColor(brighter(image), cv2.COLOR_GRAY2RGB)
    scale = TILE / max(labels.shape)
    size = round(labels.shape[1] * scale), round(labels.shape[0] * scale)
    canvas = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    large = cv2.resize(labels.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    canvas[label_borders(large.astype(np.int32)) > 0] = LINE
    draw_text(canvas, caption, 8, 8, 18, background=(20, 20, 20))
    return cv2.copyMakeBorder(
        canvas, 0, TILE - size[1], 0, TILE - size[0], cv2.BORDER_CONSTANT, value=(20, 20, 20)
    )


def brighter(image):
    """A dark picture as one can look at it."""
    levels = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    return GammaCorrection(0.5)(levels)


def show(pictures, values):
    """Evenly spaced pictures of each kind: drawn by hand above, found below."""
    columns = []
    for kind in (False, True):
        rows = [row for row, picture in enumerate(pictures) if picture[0] is kind]
        for row in rows[len(rows) // (2 * SHOWN) :: len(rows) // SHOWN][:SHOWN]:
            stained, image, truth = pictures[row]
            found = ours(stained, image)
            by_hand = outlined(image, truth, f"by hand: {len(np.unique(truth)) - 1}")
            caption = f"found: {len(np.unique(found)) - 1}, AP {values[row]:.2f}"
            columns.append(np.vstack([by_hand, outlined(image, found, caption)]))
    return np.hstack(columns)


def main(arguments):
    """Print both ways' figures and save the picture; 1 if the recipe of the gallery is better."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit("VISION_DATA must name the folder that holds instances_dsb2018_part1.")
    print(describe_machine())
    parts = halves(list(load_set(folder)))
    peer = report("Peer, scikit-image: Otsu, distance, peaks, watershed", textbook, parts)
    print(f"\nGlowing:\n{vision.to_text(GLOWING)}\nStained:\n{vision.to_text(STAINED)}", end="")
    values = report("Ours", ours, parts)
    path = Path(arguments[0] if arguments else "build/nuclei.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    vision.write(path, show(parts[1], values), overwrite=True)
    print(f"\nPicture: {path}")
    return int(values.mean() <= peer.mean())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
