"""A warped picture found and rectified: how many pixels its corners are off in 64 queries.

    VISION_DATA=... python -m benchmarks.matching [picture]

Reads ``matching_bsds_warps_a``: 16 photographs, each seen in four queries through a known
homography (turned and scaled; tilted; cropped, blurred; darkened and compressed). The steps have
their defaults. Beside them stands the recipe of tutorials in bare OpenCV, ORB with cross-check and
RANSAC; the data's own README reports 1.00, 0.94, 0.81 and 1.00 of corners within 10 pixels for
it. Saves a picture, ``build/matching.png`` unless told otherwise: of each kind the query in which
SIFT is worst, with the outline that was found (cyan), rectified, and the reference. Exit status 1
if SIFT misses a query by more than 10 pixels.
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
from classical import ORB, AlignTo, FindObject
from vision.drawing import contact_sheet
from vision.mapping import map_points
from vision.opencv import cv2

SET, ARCHIVE = "matching_bsds_warps_a", "matching_a.zip"
LIMIT = 10  # pixels


def load_set(folder):
    """For each query its kind, its pixels, the reference's and the matrix between the two."""
    with zipfile.ZipFile(Path(folder, SET, ARCHIVE)) as archive:
        for pair in json.loads(archive.read("pairs.json")):
            reference = vision.decode(archive.read(f"reference/{pair['reference']}.jpg"))
            query = vision.decode(archive.read(pair["query"]))
            yield pair["kind"], query, reference, np.array(pair["H"])


def by_sift(query, reference):
    """From the reference's pixels to the query's."""
    return FindObject(reference).homography(query)


def by_orb(query, reference):
    return FindObject(reference, ORB(2000), ratio=None).homography(query)


def tutorial(query, reference):
    """ORB, mutual nearest neighbours and RANSAC, as tutorials have it."""
    detector = cv2.ORB_create(2000)
    sides = [
        detector.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        for image in (reference, query)
    ]
    (points, rows), (others, other_rows) = sides
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(rows, other_rows)
    start = np.float32([points[one.queryIdx].pt for one in pairs]).reshape(-1, 1, 2)
    end = np.float32([others[one.trainIdx].pt for one in pairs]).reshape(-1, 1, 2)
    return cv2.findHomography(start, end, cv2.RANSAC, 3)[0]


WAYS = {"FindObject, SIFT": by_sift, "FindObject, ORB": by_orb, "OpenCV, ORB": tutorial}


def corner_error(matrix, truth, shape):
    """How far the reference's four corners are off, in pixels of the query, on average."""
    if matrix is None:
        return np.inf
    height, width = shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]])
    off = map_points(matrix, corners) - map_points(truth, corners)
    return float(np.linalg.norm(off, axis=1).mean())


def measure(pairs):
    """The errors of each way, and the seconds that it took."""
    errors, seconds = {}, {}
    for name, way in WAYS.items():
        start = time.perf_counter()
        matrices = [way(query, reference) for _, query, reference, _ in pairs]
        seconds[name] = time.perf_counter() - start
        errors[name] = np.array(
            [
                corner_error(matrix, truth, reference.shape)
                for matrix, (_, _, reference, truth) in zip(matrices, pairs)
            ]
        )
    return errors, seconds


def report(pairs, errors, seconds):
    kinds = np.array([kind for kind, *_ in pairs])
    print(f"{len(pairs)} queries; mean error of the four corners in pixels of the query")
    print(
        f"{'':<18}{'kind':<15}{'<= 10 px':>9}{'<= 3 px':>9}{'<= 1 px':>9}{'median':>9}{'worst':>9}"
    )
    for name, values in errors.items():
        for kind in [*dict.fromkeys(kinds), "all"]:
            here = values if kind == "all" else values[kinds == kind]
            shares = "".join(f"{(here <= limit).mean():9.2f}" for limit in (LIMIT, 3, 1))
            print(f"{name:<18}{kind:<15}{shares}{np.median(here):9.2f}{here.max():9.2f}")
        print(
            f"{name:<18}{1e3 * seconds[name] / len(pairs):.0f} ms a query, both pictures included"
        )


def picture(pairs, errors):
    """The hardest query of each kind: what was found, rectified, and the reference."""
    kinds, tiles = [kind for kind, *_ in pairs], []
    for kind in dict.fromkeys(kinds):
        at = max((i for i, one in enumerate(kinds) if one == kind), key=errors.__getitem__)
        _, query, reference, _ = pairs[at]
        found = FindObject(reference)(query)
        tiles += [
            (f"{kind}, off by {errors[at]:.2f} px", found.draw(query)),
            ("rectified", AlignTo(reference, missing="blank")(query)),
            ("reference", reference),
        ]
    return contact_sheet(tiles, columns=3, width=1200)


def main(place="build/matching.png"):
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit(f"VISION_DATA must name the folder that holds {SET}.")
    print(describe_machine())
    pairs = list(load_set(folder))
    errors, seconds = measure(pairs)
    report(pairs, errors, seconds)
    best = errors["FindObject, SIFT"]
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    vision.write(place, picture(pairs, best), overwrite=True)
    print(f"Saved {place}")
    return int(not (best <= LIMIT).all())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
