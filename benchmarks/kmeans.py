"""K-means segmentation: `KMeansSegmenter` beside `cv2.kmeans` on all pixels.

    python -m benchmarks.kmeans            # or the names of some of the photographs

Five photographs that scikit-image and scikit-learn ship, resized to 640x480 and to 12 MP, into 4
and 8 clusters, one thread each. The peer is the call that everybody writes, its conversion to
float32 included; it runs once with each of five seeds. Ours includes the labels of every pixel.
A row has the medians of processor time, their ratio, and the sum of squared distances of our
labelling on the full picture over the lowest of the five. Exit status 1 if the ratio of times is
too low or that of the sums above its limit. Takes about six minutes.
"""

import statistics
import sys
import time

import cv2
import numpy as np
from skimage import data
from sklearn.datasets import load_sample_image
from threadpoolctl import threadpool_limits

from benchmarks.machine import describe_machine
from classical import KMeansSegmenter

PHOTOGRAPHS = {
    "astronaut": data.astronaut,
    "chelsea": data.chelsea,
    "coffee": data.coffee,
    "china": lambda: load_sample_image("china.jpg"),
    "flower": lambda: load_sample_image("flower.jpg"),
}
FASTER = {(640, 480): 8, (4000, 3000): 20}  # times at least
WORSE = 1.001  # sum of squares over the peer's best, at most
CLUSTERS = (4, 8)
SEEDS = range(5)
CRITERIA = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)


def by_opencv(image, clusters, seed):
    """The labels of `cv2.kmeans` on all pixels."""
    cv2.setRNGSeed(seed)
    pixels = image.reshape(-1, 3).astype(np.float32)
    return cv2.kmeans(pixels, clusters, None, CRITERIA, 1, cv2.KMEANS_PP_CENTERS)[1]


def sum_of_squares(image, labels):
    """Squared distances of all pixels to the mean colour of their label, summed."""
    labels, total = labels.ravel(), 0.0
    counts = np.maximum(np.bincount(labels), 1)
    for plane in cv2.split(image):
        sums = np.bincount(labels, plane.ravel())
        total += np.square(plane, dtype=np.float64).sum() - (sums * sums / counts).sum()
    return total


def timed(function, *arguments):
    """Seconds of the processor that a call takes, and its result."""
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def compare(image, clusters):
    """Seconds of both, and our sum of squares over the best of theirs."""
    step = KMeansSegmenter(clusters)
    step(image)
    ours, theirs, sums = [], [], []
    for seed in SEEDS:  # in turn, so that both meet the same weather
        seconds, labels = timed(by_opencv, image, clusters, seed)
        theirs.append(seconds)
        sums.append(sum_of_squares(image, labels))
        runs = [timed(step, image) for _ in range(3)]
        ours += [seconds for seconds, _ in runs]
    excess = sum_of_squares(image, runs[-1][1]) / min(sums)
    return statistics.median(ours), statistics.median(theirs), excess


def main(names):
    """Print the table; 1 if a limit is missed."""
    cv2.setNumThreads(1)
    print(describe_machine())
    print(f"{'photograph':<11}{'size':>10}{'k':>3}{'ours ms':>10}{'cv2 ms':>10}", end="")
    print(f"{'faster':>8}{'limit':>6}{'squares':>9}{'limit':>7}")
    failed = False
    for size, limit in FASTER.items():
        method = cv2.INTER_AREA if size[0] < 1000 else cv2.INTER_CUBIC
        for name in names or PHOTOGRAPHS:
            image = cv2.resize(PHOTOGRAPHS[name](), size, interpolation=method)
            for clusters in CLUSTERS:
                ours, theirs, excess = compare(image, clusters)
                bad = theirs < limit * ours or excess > WORSE
                failed |= bad
                print(
                    f"{name:<11}{f'{size[0]}x{size[1]}':>10}{clusters:>3}{ours * 1e3:>10.1f}"
                    f"{theirs * 1e3:>10.1f}{theirs / ours:>8.1f}{limit:>6}{excess:>9.5f}"
                    f"{WORSE:>7}{'  FAILED' if bad else ''}",
                    flush=True,
                )
    return int(failed)


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main(sys.argv[1:]))
