"""What a pipeline costs above the same OpenCV calls by hand.

    python benchmarks/overhead.py

Two chains on a photograph at three sizes, one OpenCV thread. The hand-written side makes its
structuring elements once; ours includes every check and the typed result. Both are run in turn,
many times, and the ratio is the median over rounds of the ratio of their times. Exit status 1 if
a ratio is above its limit.
"""

import statistics
import sys
import time

import cv2
import numpy as np
from skimage import data

from benchmarks.machine import describe_machine
from classical import Canny, Dilation, FindContours, GaussianBlur, Gray, InRange, Opening, ToHSV

LIMITS = {
    ("contours", (64, 64)): 1.20,
    ("contours", (640, 480)): 1.03,
    ("contours", (4000, 3000)): 1.01,
    ("edges", (64, 64)): 1.08,
    ("edges", (640, 480)): 1.03,
    ("edges", (4000, 3000)): 1.01,
}
SQUARE = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))
SMALL = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
LOW, HIGH = np.array([5, 60, 60], np.uint8), np.array([25, 255, 255], np.uint8)


def contours_by_hand(image):
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    mask = cv2.inRange(hsv, LOW, HIGH)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, SQUARE)
    return cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)


def edges_by_hand(image):
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(cv2.GaussianBlur(gray, (5, 5), 0), 100, 200)
    return cv2.dilate(edges, SMALL)


CHAINS = {
    "contours": (
        ToHSV() >> InRange("hsv", (5, 60, 60), (25, 255, 255)) >> Opening(5) >> FindContours(),
        contours_by_hand,
    ),
    "edges": (Gray() >> GaussianBlur(5) >> Canny(100, 200) >> Dilation(3), edges_by_hand),
}


def check_equal(name, image):
    """Both sides must give the same."""
    ours, by_hand = (function(image) for function in CHAINS[name])
    if name == "edges":
        assert np.array_equal(ours, by_hand)
        return
    points = [contour.reshape(-1, 2) for contour in by_hand[0]]
    assert len(ours) == len(points)
    assert all(np.array_equal(a, b) for a, b in zip(ours.points, points, strict=True))


def timed(function, image, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        function(image)
    return (time.perf_counter() - start) / repeats


def compare(ours, by_hand, image, seconds=6.0):
    """Medians of the ratio and of both times, from rounds in which the two take turns."""
    once = timed(by_hand, image, 3)
    repeats = max(1, int(0.004 / once))
    ratios, ours_times, hand_times = [], [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(ratios) < 15:
        pair = [timed(ours, image, repeats), timed(by_hand, image, repeats)]
        if len(ratios) % 2:
            pair = [timed(by_hand, image, repeats), timed(ours, image, repeats)][::-1]
        ours_times.append(pair[0])
        hand_times.append(pair[1])
        ratios.append(pair[0] / pair[1])
    return tuple(map(statistics.median, (ratios, ours_times, hand_times)))


def main():
    cv2.setNumThreads(1)
    print(describe_machine())
    print(f"{'chain':<10}{'size':>12}{'ours us':>12}{'by hand us':>12}{'ratio':>8}{'limit':>8}")
    failed = False
    for (name, (width, height)), limit in LIMITS.items():
        image = cv2.resize(data.coffee(), (width, height), interpolation=cv2.INTER_AREA)
        check_equal(name, image)
        ratio, ours, by_hand = compare(*CHAINS[name], image)
        failed |= ratio > limit
        print(
            f"{name:<10}{f'{width}x{height}':>12}{ours * 1e6:>12.1f}{by_hand * 1e6:>12.1f}"
            f"{ratio:>8.3f}{limit:>8.2f}{'  ABOVE' if ratio > limit else ''}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
