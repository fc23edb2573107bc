"""Membranes in an electron microscope: mean IoU of a trained pixel classifier, no network.

    VISION_DATA=... python -m benchmarks.membranes [picture]

Reads ``segmentation_membrane_train20`` (20 neighbouring slices of the ISBI 2012 challenge, 512 x
512 pixels, the insides of cells drawn by hand). The first ten slices were there to choose steps
and settings, by training on seven of them and looking at three; now all ten are learned from, and
the other ten are the score. Two recipes stand beside it: the local threshold that was best on the
first ten, and `PixelClassifier()` as it is. Ours looks three times: what it believed of a slice
the last time, spread over its surroundings, is described like the slice itself (auto-context); it
learns from beliefs about slices that it was not shown. Takes about six minutes on two cores and
saves a picture, ``build/membranes.png`` unless told otherwise: found membranes in orange, missed
ones in blue, made up ones in white.

References: Z. Tu and X. Bai, "Auto-Context and Its Application to High-Level Vision Tasks and 3D
Brain Image Segmentation", IEEE TPAMI 32(10), 2010, doi:10.1109/TPAMI.2009.186.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
from skimage.metrics import adapted_rand_error
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier

import vision
from benchmarks.machine import describe_machine
from classical import CLAHE, AdaptiveThreshold, GaussianBlur, PixelClassifier
from vision.canvas import draw_text
from vision.opencv import cv2

SET, ARCHIVE = "segmentation_membrane_train20", "membrane.npz"
LEARNED = 10  # slices
INSIDE = 0.5  # probability from which a pixel is inside a cell
SHOWN = 3  # slices
FOUND, MISSED, MADE_UP = (255, 140, 0), (40, 110, 255), (255, 255, 255)

EVEN = CLAHE(clip_limit=3)
LOCAL = GaussianBlur(5, sigma=3) >> AdaptiveThreshold(101, 16, "gaussian")
BOOSTING = HistGradientBoostingClassifier(max_iter=150, random_state=0)
LINES = ("intensity", "hessian", "structure", "lines")
MANY = 100_000  # pixels to learn from: boosting is quick
# The first look sees the slice alone, the others also what was believed before.
LOOKS = (
    PixelClassifier(BOOSTING, (1, 2, 4), LINES, MANY),
    PixelClassifier(BOOSTING, (2, 4, 8), LINES, MANY),
    PixelClassifier(BOOSTING, (2, 4, 8), LINES, MANY),
)


def load_set(folder):
    """The slices, and the masks of what is inside a cell."""
    with np.load(Path(folder, SET, ARCHIVE)) as archive:
        images = archive["x"]
        inside = np.unpackbits(archive["y"], axis=-1)[..., : images.shape[2]]
    return list(images), list(inside * np.uint8(255))


class AutoContext:
    """Pixel classifiers in a row, each shown what the one before believed."""

    def fit(self, images, masks):
        """Learn one look after the other."""
        self.looks, beliefs = [], [None] * len(images)
        for look in LOOKS:
            seen = [shown(*pair) for pair in zip(images, beliefs)]
            self.looks.append(clone(look).fit(seen, masks))
            if look is not LOOKS[-1]:
                beliefs = unseen_beliefs(look, seen, masks)
        return self

    def believe(self, image):
        """For each pixel the probability that it is inside a cell."""
        belief = None
        for look in self.looks:
            belief = inside_probability(look, shown(image, belief))
        return belief

    def __call__(self, image):
        """The mask of what is inside a cell."""
        return np.where(self.believe(image) > INSIDE, 255, 0).astype(np.uint8)


def shown(image, belief):
    """What a look sees: a slice of even contrast, with the last belief as another channel."""
    even = EVEN(image)
    if belief is None:
        return even
    belief = np.rint(belief * 255).astype(np.uint8)
    return np.dstack([even, belief, cv2.GaussianBlur(belief, (0, 0), 16)])


def unseen_beliefs(look, seen, masks):
    """What a look believes of each slice when it has learned from the others, every second one."""
    beliefs = [None] * len(seen)
    for part in (0, 1):
        known = [row for row in range(len(seen)) if row % 2 != part]
        half = clone(look).fit([seen[row] for row in known], [masks[row] for row in known])
        for row in range(part, len(seen), 2):
            beliefs[row] = inside_probability(half, seen[row])
    return beliefs


def inside_probability(look, image):
    """The probability of the mask's foreground."""
    return look.probabilities(image)[..., 1]


def rand_f(found, truth):
    """The adapted Rand F-score of the cells' cross-sections, as connected regions."""
    regions = [cv2.connectedComponents(mask, connectivity=4)[1] for mask in (truth, found)]
    return 1 - adapted_rand_error(*regions)[0]


def report(title, masks, truth, seconds):
    """Print how good the masks are, and return their mean IoU."""
    pairs = list(zip(masks, truth, strict=True))
    ious = np.array([vision.mean_iou(*pair) for pair in pairs])
    right = np.mean([np.mean(found == true) for found, true in pairs])
    rand = np.mean([rand_f(*pair) for pair in pairs])
    print(
        f"{title:<42}{ious.mean():>9.4f} +- {1.96 * ious.std() / len(ious) ** 0.5:.4f}"
        f"{right:>10.4f}{rand:>8.3f}{seconds:>10.1f}",
        flush=True,
    )
    return ious.mean()


def measured(title, step, images, truth):
    """Report a way, with the seconds that a slice takes; its masks and its mean IoU."""
    start = time.perf_counter()
    masks = [step(image) for image in images]
    seconds = (time.perf_counter() - start) / len(images)
    return masks, report(title, masks, truth, seconds)


def show(images, masks, truth):
    """Slices side by side, membranes found, missed and made up in colours."""
    tiles = []
    for image, found, true in list(zip(images, masks, truth))[:: len(images) // SHOWN][:SHOWN]:
        tile = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
        ours, theirs = found == 0, true == 0
        for where, color in (
            (ours & theirs, FOUND),
            (~ours & theirs, MISSED),
            (ours & ~theirs, MADE_UP),
        ):
            tile[where] = tile[where] // 2 + np.array(color, np.uint8) // 2
        words = f"mean IoU {vision.mean_iou(found, true):.3f}"
        draw_text(tile, words, 8, 8, 18, background=(20, 20, 20))
        tiles.append(np.vstack([cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), tile]))
    return np.hstack(tiles)


def main(arguments):
    """Print all figures and save the picture; 1 if a simpler recipe is better."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit(f"VISION_DATA must name the folder that holds {SET}.")
    print(describe_machine())
    start = time.perf_counter()
    images, truth = load_set(folder)
    learned, rest = slice(LEARNED), slice(LEARNED, None)
    title = f"scored on {len(images) - LEARNED} slices"
    print(f"{title:<42}{'mean IoU':>9}{'accuracy':>20}{'Rand F':>8}{'s a slice':>10}")
    _, local = measured("GaussianBlur >> AdaptiveThreshold", LOCAL, images[rest], truth[rest])
    plain = PixelClassifier().fit(images[learned], truth[learned])
    _, single = measured("PixelClassifier()", plain, images[rest], truth[rest])
    ours = AutoContext().fit(images[learned], truth[learned])
    masks, best = measured("PixelClassifier, lines, three looks", ours, images[rest], truth[rest])
    path = Path(arguments[0] if arguments else "build/membranes.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    vision.write(path, show(images[rest], masks, truth[rest]), overwrite=True)
    print(f"{(time.perf_counter() - start) / 60:.1f} minutes. Picture: {path}")
    return int(best <= max(local, single))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
