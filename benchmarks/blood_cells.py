"""Blood cells: found by colour and contour, named by their colour or by a trained classifier.

    VISION_DATA=... python -m benchmarks.blood_cells [picture]

Reads ``detection_bccd_trainval`` (BCCD: 205 smears to learn from, 87 to validate, 640 x 480; red
cells, white cells and platelets in boxes). Settings were chosen, and the classifier is trained, on
the first part; the second is the score. A box is found if it overlaps a true one of its class by
at least half (intersection over union), each true one once. Two ways: one pipeline a class, by
colour and size alone; and `ForEach`, which finds whatever stands out and asks an SVM on shape and
colour what it is. Many red cells were left without a box, above all those cut by the border or
by others: what is found of these counts as wrong. Takes about a minute and saves a picture,
``build/blood_cells.png`` unless told otherwise: found boxes, red and white cells and platelets
in red, blue and green, above; those drawn by hand below. Exit status 1 if `ForEach` finds less
than half of the cells.
"""

import json
import os
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.svm import SVC

import vision
from benchmarks.machine import describe_machine
from classical import (
    HOG,
    AdaptiveThreshold,
    Channel,
    Closing,
    ColorHistogram,
    ConvexHulls,
    Dilation,
    DistanceWatershed,
    FillContours,
    FillHoles,
    FilterContours,
    FilterRegions,
    FindContours,
    GaussianBlur,
    InRange,
    LabelsToMask,
    Negative,
    Opening,
    RemoveSmallObjects,
    Resize,
    ToDetections,
    ToHSV,
)
from vision import Branches, Detections, ForEach
from vision.canvas import draw_text
from vision.detection_metrics import box_iou
from vision.opencv import cv2

SET = "detection_bccd_trainval"
COLORS = {"RBC": (225, 30, 30), "WBC": (30, 60, 235), "Platelets": (0, 150, 40)}
OVERLAP = 0.5
SHOWN = (5, 33, 62)  # validation pictures

# Nuclei and platelets are stained purple; the pale plasma around a nucleus is about 20 pixels wide.
PURPLE = ToHSV() >> InRange("hsv", (112, 45, 0), (142, 255, 255)) >> Opening(5, "ellipse")
NUCLEI = PURPLE >> Opening(9, "ellipse") >> Closing(25, "ellipse") >> RemoveSmallObjects(4000)
WHITE = NUCLEI >> FindContours() >> ConvexHulls() >> FillContours() >> Dilation(33, "ellipse")
SPECKS = (
    (PURPLE & ~(WHITE >> Dilation(9, "ellipse")))
    >> Dilation(15, "ellipse")
    >> FindContours(min_area=700, max_area=3500)
    >> FilterContours(circularity=(0.7, None))
    >> FillContours()
)
# Red cells let less green through than the glass around them; most have a pale middle.
CELLS = (
    Channel("rgb", "g")
    >> GaussianBlur(sigma=2)
    >> Negative()
    >> AdaptiveThreshold(301, -4, "mean")
    >> FillHoles(2500)
    >> Dilation(7, "ellipse")
    >> Opening(15, "ellipse")
)
PARTED = DistanceWatershed(0.5)
RED = (
    (CELLS & ~(WHITE >> Dilation(5, "ellipse")))
    >> PARTED
    >> FilterRegions(area=(4000, 20_000), solidity=(0.85, None))
)

BY_COLOR = {"RBC": RED, "WBC": WHITE >> FindContours(), "Platelets": SPECKS >> FindContours()}
FOUND = (
    ((RED >> LabelsToMask()) & ~(SPECKS >> Dilation(5, "ellipse")) | WHITE | SPECKS)
    >> PARTED
    >> FilterRegions(area=(700, None))
    >> ToDetections()
)
SHAPE_AND_COLOR = Branches({"shape": HOG(cells_per_block=2), "color": ColorHistogram()})
NAMED = (
    Resize(32)
    >> SHAPE_AND_COLOR
    >> PCA(0.9, svd_solver="covariance_eigh")
    >> CalibratedClassifierCV(SVC(C=10, class_weight="balanced"), ensemble=False)
)


def load_set(folder, part):
    """The pictures of a part, and their boxes, in order of name."""
    with zipfile.ZipFile(Path(folder, SET, f"bccd_{part}.zip")) as archive:
        drawn = json.loads(archive.read(f"annotations_{part}.json"))
        for name in sorted(drawn):
            image = vision.decode(archive.read(f"images/{name}"))
            yield image, detections(drawn[name]["boxes"], image.shape[:2])


def detections(rows, shape):
    """Boxes as we have them: PASCAL VOC counts pixels from 1 and names the last one inside."""
    boxes = np.array([row[1:] for row in rows], float).reshape(-1, 4) - (1, 1, 0, 0)
    boxes = boxes.clip(0, [*shape[::-1]] * 2)
    wide = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(boxes[wide], labels=np.array([row[0] for row in rows])[wide], shape=shape)


def by_color(image):
    """What each class's own pipeline finds."""
    parts = [(step >> ToDetections(name))(image) for name, step in BY_COLOR.items()]
    boxes = np.vstack([part.boxes for part in parts])
    labels = np.concatenate([part.labels.astype("U9") for part in parts])
    return Detections(boxes, labels=labels, shape=image.shape[:2])


def matched(found, true):
    """How many boxes of one class find a true one, the best overlaps first."""
    overlap, count = box_iou(found.boxes, true.boxes), 0
    while overlap.size and overlap.max() >= OVERLAP:
        row, column = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap[row], overlap[:, column], count = 0, 0, count + 1
    return count


def report(title, way, pictures):
    """Print recall, precision and AP of each class; what was found, and the recall of all."""
    start = time.perf_counter()
    found = [way(image) for image, _ in pictures]
    seconds = (time.perf_counter() - start) / len(pictures)
    truth = [true for _, true in pictures]
    score = vision.average_precision(found, truth, iou_thresholds=[OVERLAP])
    print(f"\n{title}, {seconds * 1000:.0f} ms a picture, mAP50 {score.map:.3f}")
    print(f"  {'':<10}{'true':>6}{'found':>7}{'right':>7}{'recall':>8}{'precision':>11}{'AP50':>7}")
    total = np.zeros(3, int)
    for name in COLORS:
        pairs = [
            (one[one.labels == name], true[true.labels == name]) for one, true in zip(found, truth)
        ]
        counts = np.sum([(len(b), len(a), matched(a, b)) for a, b in pairs], axis=0)
        total += counts
        print_row(name, counts, score.per_label[name])
    print_row("all", total, score.map)
    return found, total[2] / total[0]


def print_row(name, counts, precision):
    """One line of a table."""
    true, found, right = counts
    print(
        f"  {name:<10}{true:>6}{found:>7}{right:>7}{right / true:>8.3f}"
        f"{right / max(found, 1):>11.3f}{precision:>7.3f}"
    )


def boxed(image, found, caption):
    """A picture with boxes in the colours of their classes."""
    canvas = image.copy()
    for box, label in zip(np.rint(found.boxes).astype(int), found.labels):
        cv2.rectangle(canvas, box[:2].tolist(), box[2:].tolist(), COLORS[label], 3, cv2.LINE_AA)
    draw_text(canvas, caption, 10, 10, 24, background=(20, 20, 20))
    return canvas


def show(pictures, ways):
    """Some pictures: what each way finds, and below it what people drew."""
    columns = []
    for number in SHOWN:
        image, true = pictures[number]
        tiles = [boxed(image, found[number], title) for title, found in ways.items()]
        columns.append(np.vstack([*tiles, boxed(image, true, "by hand")]))
    return np.hstack(columns)


def main(arguments):
    """Print both tables and save the picture; 0 if `ForEach` finds at least half."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit(f"VISION_DATA must name the folder that holds {SET}.")
    print(describe_machine())
    learned, pictures = (list(load_set(folder, part)) for part in ("train", "val"))
    named = ForEach(FOUND, NAMED, padding=4).fit(*map(list, zip(*learned)))
    print(f"learned from {len(learned)} pictures, scored on {len(pictures)}")
    colors, _ = report("One pipeline a class", by_color, pictures)
    classes, recall = report("ForEach(find, SVM)", named, pictures)
    path = Path(arguments[0] if arguments else "build/blood_cells.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = show(pictures, {"one pipeline a class": colors, "ForEach": classes})
    vision.write(path, picture, overwrite=True)
    print(f"\nPicture: {path}")
    return int(recall < 0.5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
