"""Comparisons made by hand, for the tests of what shows them."""

import numpy as np

from vision.comparison_classes import rate_classes
from vision.comparison_extras import Crossing, LearningCurves, Robustness
from vision.comparison_result import Candidate, Comparison, Duplicate, Latency, Pair
from vision.comparison_tasks import TASKS
from vision.intervals import Estimate
from vision.paired_tests import PairedTest


def around(value, width=0.02):
    """A value with an interval."""
    return Estimate(value, value - width, value + width)


def classification(accuracies=None, *, n=300, k=4, seed=0, names=None, **changed):
    """A comparison of classifiers that are right as often as told, with all parts filled."""
    accuracies = accuracies or {"HOG + SVM": 0.93, "raw pixels": 0.80, "small CNN": 0.90}
    generator = np.random.default_rng(seed)
    classes = np.array(["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay"])[:k]
    true = generator.integers(0, k, n)
    task = TASKS["classification"]
    found = [
        _classifier(name, place, accuracy, true, classes, generator)
        for place, (name, accuracy) in enumerate(accuracies.items())
    ]
    parts = {
        "task": "classification",
        "metric": "accuracy",
        "measures": {one.name: one for one in task.measures},
        "classes": classes,
        "names": names or [f"image {i}" for i in range(n)],
        "truth": classes[true],
        "folds": np.arange(n) % 3,
        "candidates": tuple(found),
        "pairs": tuple(pairs(found)),
        "duplicates": (Duplicate(3, 7, 0.0, True, True), Duplicate(10, 11, 0.02, False, False)),
        "curves": curves(list(accuracies)),
        "robustness": robustness(accuracies),
        "provenance": provenance(),
        "images": None,
    }
    return Comparison(**(parts | changed))


def _classifier(name, place, accuracy, true, classes, generator):
    n, k = len(true), len(classes)
    logits = generator.normal(0, 1, (n, k))
    logits[np.arange(n), true] += 4 * accuracy - 0.5
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    predictions = classes[said.argmax(axis=1)]
    ratings = rate_classes(predictions, said, classes[true], classes)
    deep = "CNN" in name or "net" in name
    return Candidate(
        name,
        "deep" if deep else "classical",
        "- Gray\n- HOG\n- SVC\n",
        scores={metric: around(value) for metric, value in ratings.values().items()},
        per_image=ratings.per_image,
        predictions=predictions,
        probabilities=said,
        per_class=ratings.per_class,
        fold_scores=(accuracy, accuracy - 0.01, accuracy + 0.01),
        fit_seconds=(0.2 + 9 * deep, 0.3 + 9 * deep, 0.25 + 9 * deep),
        latency=Latency(0.4 * 3**place, 0.6 * 3**place, 0.1 * 3**place, 32),
        memory_bytes=40_000_000 * (place + 1),
        parameters=12_345 * (place + 1),
        size_bytes=80_000 * 5**place,
        notes=("It was told so.",) if place == 1 else (),
    )


def pairs(found):
    """Every two, told apart where they differ by more than two points."""
    for i, one in enumerate(found):
        for other in found[i + 1 :]:
            right, wrong = one.per_image > other.per_image, one.per_image < other.per_image
            metric = next(iter(one.scores))
            difference = one.scores[metric].value - other.scores[metric].value
            test = PairedTest(
                Estimate(difference, difference - 0.02, difference + 0.02),
                0.001 if abs(difference) > 0.02 else 0.4,
                int(right.sum()),
                int(wrong.sum()),
                "mid-p McNemar",
            )
            words = f"{one.name} against {other.name}: {100 * difference:.1f} points."
            only = np.flatnonzero(right), np.flatnonzero(wrong)
            yield Pair(one.name, other.name, test, test.p_value * 2, *only, words)


def curves(names):
    """Learning curves that cross where the last overtakes the first."""
    sizes = np.array([20, 40, 80, 160, 240])
    scores = {}
    for place, name in enumerate(names):
        mean = 0.95 - (0.5 - 0.1 * place) * (sizes / 10.0) ** -(0.4 + 0.2 * place)
        scores[name] = mean + np.array([[-0.02], [0.0], [0.02]])
    words = f"{names[-1]} overtakes {names[0]} at about 90 images (95% interval 55 to 150)."
    found = Crossing(names[0], names[-1], Estimate(90, 55, 150), words)
    return LearningCurves(sizes, scores, (found,), ("3 repeats.",))


def robustness(accuracies):
    """Scores that fall with strength."""
    corruptions = ("noise", "blur", "jpeg", "brightness", "rotation", "scale")
    levels = ("none", "5", "10", "20", "40", "80 levels")
    scores = {
        name: np.array([[top - 0.02 * (1 + c) * s for s in range(6)] for c in range(6)])
        for name, top in accuracies.items()
    }
    return Robustness(corruptions, (levels,) * 6, scores, ("On 300 images.",))


def provenance():
    """What `vision.compare` writes down."""
    return {
        "command": "vision compare study.yaml --out report.html",
        "versions": {"vision-pipelines": "0.1.0", "numpy": "2.4.6"},
        "machine": "a processor, 2 cores",
        "seed": 0,
        "started": 1_790_000_000.0,
        "seconds": 42.0,
        "budget": "2 threads, no limit of time",
        "threads": 2,
        "notes": (),
    }


def segmentation(**changed):
    """A comparison of three segmenters."""
    generator = np.random.default_rng(1)
    n, measures = 40, {one.name: one for one in TASKS["segmentation"].measures}
    found = []
    for place, name in enumerate(("Otsu", "watershed", "U-Net")):
        values = generator.beta(8 + 6 * place, 3, n)
        found.append(
            Candidate(
                name,
                "deep" if place == 2 else "classical",
                "- Gray\n- Otsu\n",
                scores={
                    metric: around(values.mean() - 0.01 * i) for i, metric in enumerate(measures)
                },
                per_image=values,
                predictions=[None] * n,
                fold_scores=(0.7, 0.8),
                fit_seconds=(0.1, 0.1),
                latency=Latency(1.0 + 20 * place, 2.0 + 20 * place, 1.0, 16),
                size_bytes=1000 * 30**place,
            )
        )
    parts = {
        "task": "segmentation",
        "metric": "mean IoU",
        "measures": measures,
        "classes": None,
        "names": [f"cell_{i}.png" for i in range(n)],
        "truth": [None] * n,
        "folds": np.arange(n) % 2,
        "candidates": tuple(found),
        "pairs": tuple(pairs(found)),
        "provenance": provenance(),
    }
    return Comparison(**(parts | changed))
