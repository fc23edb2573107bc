"""HOG beside `skimage.feature.hog`: times and the largest difference.

    python -m benchmarks.hog

Four photographs that scikit-image and scikit-learn ship, gray and in colour, resized to 640x480,
and digits of 28x28 pixels; one thread each, medians of processor time. Exit status 1 if ours is
less than 8 times faster on a gray image of 640x480, or any number differs by more than 1e-6.
Takes about half a minute.
"""

import functools
import statistics
import sys
import time

import cv2
import numpy as np
from skimage import data, feature
from sklearn.datasets import load_sample_image
from threadpoolctl import threadpool_limits

from benchmarks.machine import describe_machine
from classical import HOG

PHOTOGRAPHS = {
    "astronaut": data.astronaut,
    "coffee": data.coffee,
    "china": lambda: load_sample_image("china.jpg"),
    "flower": lambda: load_sample_image("flower.jpg"),
}
NORMS = ("L2-Hys", "L2", "L1", "L1-sqrt")
FASTER, TOLERANCE = 8, 1e-6
RUNS = 7


def images():
    """For each name an image, its pixels a cell, and whether our speed there is promised."""
    for name, load in PHOTOGRAPHS.items():
        color = cv2.resize(load(), (640, 480), interpolation=cv2.INTER_AREA)
        yield f"{name}, gray", cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), 8, True
        yield f"{name}, rgb", color, 8, False
    small = cv2.resize(data.camera(), (28, 28), interpolation=cv2.INTER_AREA)
    yield "camera, 28x28", small, 4, False


def timed(function, image):
    """The median of the milliseconds of the processor that a call takes."""
    spans, calls = [], max(1, 100_000 // image.size)
    for _ in range(RUNS):
        start = time.process_time()
        for _ in range(calls):
            function(image)
        spans.append((time.process_time() - start) * 1000 / calls)
    return statistics.median(spans)


def theirs(image, side, norm="L2-Hys"):
    """scikit-image's."""
    channel_axis = -1 if image.ndim == 3 else None
    cells = (side, side)
    return feature.hog(image, 9, cells, block_norm=norm, channel_axis=channel_axis)


def main():
    """Print a row an image; 1 if a promise is broken."""
    cv2.setNumThreads(1)
    print(describe_machine())
    print(f"{'image':<18}{'ours ms':>9}{'scikit-image ms':>17}{'faster':>8}{'difference':>12}")
    failed = False
    for name, image, side, promised in images():
        apart = max(
            np.abs(HOG(9, side, block_norm=norm)(image) - theirs(image, side, norm)).max()
            for norm in NORMS
        )
        ours, peer = timed(HOG(9, side), image), timed(functools.partial(theirs, side=side), image)
        bad = apart > TOLERANCE or (promised and peer < FASTER * ours)
        failed |= bad
        print(
            f"{name:<18}{ours:>9.2f}{peer:>17.2f}{peer / ours:>8.1f}{apart:>12.1e}"
            f"{'  FAILED' if bad else ''}",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main())
