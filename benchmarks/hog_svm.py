"""Recognition by the recipes of `classical.recipes` on MNIST and CIFAR-10, beside published scores.

    VISION_DATA=/path/to/data python -m benchmarks.hog_svm            # scores, on both
    VISION_DATA=/path/to/data python -m benchmarks.hog_svm cifar
    VISION_DATA=/path/to/data python -m benchmarks.hog_svm choose     # what the choices rest on

Of the pictures there, in file order, the last sixth is the test: 10,000 of MNIST's training set and
3,334 of 20,000 pictures of CIFAR-10's. It is not the official test set. ``choose`` learns from the
first half of the rest, at most 10,000, and scores parameters on the 4,000 pictures after these;
each recipe is scored once on the test, fitted on all of the rest. The interval is the 95% one of a
share. Exit status 1 if `hog_svm` has less than 0.985 on MNIST, or `hog_linear_svm` less than 0.457
on CIFAR-10. Takes some 20 minutes on two cores.
"""

import itertools
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

import vision
from benchmarks.machine import describe_machine
from classical.recipes import (
    histogram_forest,
    hog_color_svm,
    hog_linear_svm,
    hog_svm,
    lbp_knn,
    pixels_bayes,
    words_svm,
)

PUBLISHED = {
    "mnist": (
        "LeCun et al. 1998, all of the official test set: linear 0.880, 3-NN 0.950, SVM with a "
        "Gaussian kernel 0.986, LeNet-5 0.9905"
    ),
    "cifar": (
        "HOG 8x8 and a linear SVM, trained on these 20,000, official test set: 0.487; recalled "
        "for 50,000: raw pixels 0.40, HOG and a linear SVM 0.50 to 0.60, k-means features 0.796"
    ),
}
DIGITS = {"size": 28, "pixels_per_cell": 4, "cells_per_block": 3}
RECIPES = {
    "mnist": {
        "pixels_bayes": pixels_bayes(14),
        "lbp_knn": lbp_knn(),
        "hog_linear_svm": hog_linear_svm(**DIGITS),
        "hog_svm": hog_svm(**DIGITS),
    },
    "cifar": {
        "pixels_bayes": pixels_bayes(),
        "histogram_forest": histogram_forest(),
        "lbp_knn": lbp_knn(),
        "words_svm": words_svm(),
        "hog_linear_svm": hog_linear_svm(),
        "hog_svm": hog_svm(),
        "hog_color_svm": hog_color_svm(),
    },
}
CHOICES = {
    "mnist": {
        **{
            f"hog_svm, cells of {cell}, blocks of {block}": hog_svm(28, cell, block)
            for cell, block in ((7, 2), (4, 2), (4, 3))
        },
        "hog_svm, C=10": hog_svm(**DIGITS, C=10),
    },
    "cifar": {
        **{
            f"hog_svm, cells of {cell}, C={C}": hog_svm(32, cell, C=C)
            for cell, C in ((8, 1), (8, 3), (8, 10), (4, 3))
        },
        **{f"hog_color_svm, {bins} bins": hog_color_svm(bins=bins) for bins in (8, 16, 32)},
        **{f"lbp_knn, grid of {grid}": lbp_knn(grid=grid) for grid in (1, 2, 4)},
    },
}
LEAST = {("mnist", "hog_svm"): 0.985, ("cifar", "hog_linear_svm"): 0.457}


def load_set(folder, name):
    """The pictures, gray or rgb, and their labels, in file order."""
    if name == "mnist":
        with np.load(Path(folder, "digits_mnist_train", "mnist_train60k.npz")) as file:
            return list(file["x"]), file["y"]
    with np.load(Path(folder, "objects_cifar10_train", "cifar10_train20k.npz")) as file:
        ends, data, labels = file["offset"].tolist(), file["jpeg"].tobytes(), file["y"]
    images = [vision.decode(data[start:end]) for start, end in itertools.pairwise(ends)]
    # A few are gray files.
    return [np.dstack([one] * 3) if one.ndim == 2 else one for one in images], labels


def scored(pipeline, learned, tested):
    """Accuracy, and the seconds of fitting and of predicting."""
    start = time.perf_counter()
    pipeline.fit(*learned)
    fitted = time.perf_counter()
    share = pipeline.score(*tested)
    return share, fitted - start, time.perf_counter() - fitted


def report(title, pipelines, learned, tested):
    """Print a row for each pipeline as soon as it is known; their scores by name."""
    print(f"\n{title}: learned from {len(learned[0])}, scored on {len(tested[0])}")
    shares = {}
    for name, pipeline in pipelines.items():
        share, fit, predict = scored(pipeline, learned, tested)
        half = 1.96 * (share * (1 - share) / len(tested[0])) ** 0.5
        seconds = f"fit {fit:.0f} s, {1000 * predict / len(tested[0]):.2f} ms a picture"
        print(f"  {name:<40}{share:.4f} +- {half:.4f}   {seconds}", flush=True)
        shares[name] = share
    return shares


def main(arguments):
    """Print the tables; 1 if a score is below its limit."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit("VISION_DATA must name the folder with MNIST's and CIFAR-10's pictures.")
    print(describe_machine())
    failed = False
    for name in [one for one in RECIPES if one in arguments] or RECIPES:
        images, labels = load_set(folder, name)
        rest = len(images) * 5 // 6
        if "choose" in arguments:
            half = min(10_000, rest // 2)
            learned = images[:half], labels[:half]
            part = slice(half, half + 4000)
            report(f"{name}, to choose", CHOICES[name], learned, (images[part], labels[part]))
            continue
        learned, tested = (images[:rest], labels[:rest]), (images[rest:], labels[rest:])
        shares = report(f"{name}, not the official test set", RECIPES[name], learned, tested)
        print(f"  published: {PUBLISHED[name]}")
        failed |= any(shares[one] < LEAST.get((name, one), 0) for one in shares)
    return int(failed)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    with threadpool_limits(1):
        sys.exit(main(sys.argv[1:]))
