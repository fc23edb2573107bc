"""Denoising: PSNR and SSIM of every filter on 68 photographs, beside BM3D's published PSNR.

    VISION_DATA=... python -m benchmarks.denoising [picture]

Reads BSD68 of ``restoration_bsd68_set5`` and adds Gaussian noise of deviation 15, 25 and 50. As
for the published figures the noise is neither rounded nor cut off: the pictures are brought to the
middle third of a float image's range, and back before they are scored. For each deviation the
settings of each filter are chosen by the mean PSNR on the first 12 pictures in order of name,
within a grid; the other 56 are the score (the published one is on all 68). Saves a picture,
``build/denoising.png`` unless told otherwise. Takes about a minute on two cores. Exit status 1
if the best filter is more than 1 dB below BM3D.
"""

import itertools
import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.base import clone

import vision
from benchmarks.machine import describe_machine
from classical import (
    BilateralFilter,
    BoxBlur,
    GaussianBlur,
    GaussianNoise,
    MedianBlur,
    NonLocalMeans,
    ToFloat,
    TotalVariation,
    ToUint8,
)
from vision.canvas import draw_text
from vision.opencv import cv2

SET, ARCHIVE, FOLDER = "restoration_bsd68_set5", "restoration_shared.zip", "BSD68/"
TUNED = 12  # pictures
BM3D = {15: 31.07, 25: 28.57, 50: 25.62}  # dB, as the DnCNN paper gives them, arXiv:1608.03981
LIMIT = 1.0  # dB
SHOWN, CROP = 25, (slice(40, 260), slice(100, 400))  # the deviation and part of the picture
# The parameter of each step that is in the unit of the intensities.
UNITS = {BilateralFilter: "sigma_color", TotalVariation: "weight", NonLocalMeans: "sigma"}


def candidates(sigma):
    """For each filter the settings that are tried."""
    return {
        "BoxBlur": [BoxBlur(size) for size in (3, 5, 7)],
        "MedianBlur": [MedianBlur(size) for size in (3, 5)],
        "GaussianBlur": [GaussianBlur(sigma=s) for s in (0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0)],
        "BilateralFilter": [
            BilateralFilter(9, share * sigma, space)
            for share, space in itertools.product((2, 2.5, 3, 4, 5), (1, 1.5, 2, 3))
        ],
        "TotalVariation": [
            TotalVariation(round(share * sigma / 255, 3)) for share in (0.5, 0.6, 0.7, 0.8, 0.9)
        ],
        "NonLocalMeans": [
            NonLocalMeans(sigma, strength, patch)
            for strength, patch in itertools.product((0.4, 0.5, 0.6, 0.7, 0.8, 1.0), (3, 5, 7))
        ],
    }


def load_set(folder):
    """The names and pixels of the 68 gray pictures, in order of name."""
    with zipfile.ZipFile(Path(folder, SET, ARCHIVE)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith(FOLDER))
        pictures = {name: vision.decode(archive.read(name)) for name in names if name[-1] != "/"}
    return {Path(name).stem: gray(picture) for name, picture in pictures.items()}


def gray(picture):
    """One channel, of a file that may store three equal ones."""
    return picture if picture.ndim == 2 else np.ascontiguousarray(picture[:, :, 0])


def squeezed(picture):
    """A float image of an 8-bit one, in the middle third of its range."""
    return np.float32(1 / 3) + picture * np.float32(1 / 765)


def spread(image):
    """The whole range again; what lies outside is cut off."""
    return np.clip(3 * image - 1, 0, 1)


def denoise(step, noisy):
    """The result of a step on a squeezed picture, spread; None leaves the noise in."""
    if step is None:
        return spread(noisy)
    unit = UNITS.get(type(step))
    if unit is not None and getattr(step, unit) is not None:
        step = clone(step).set_params(**{unit: getattr(step, unit) / 3})
    return spread(step(noisy))


def scores(step, pairs, pool, metrics=(vision.psnr,)):
    """The mean of each metric over pairs of a noisy and a clean picture."""

    def score(pair):
        result = denoise(step, pair[0])
        return [metric(result, pair[1]) for metric in metrics]

    return np.mean(list(pool.map(score, pairs)), axis=0)


def choose(steps, pairs, pool):
    """The step with the best mean PSNR."""
    return max(steps, key=lambda step: scores(step, pairs, pool)[0])


def noisy(picture, sigma):
    """A squeezed picture with noise."""
    return GaussianNoise(sigma / 3)(squeezed(picture))


def measure(pictures, sigma, pool):
    """For each filter the step that was chosen, and its PSNR and SSIM on the rest."""
    pairs = [(noisy(picture, sigma), ToFloat()(picture)) for picture in pictures]
    tuned, scored, rows = pairs[:TUNED], pairs[TUNED:], {}
    metrics = vision.psnr, vision.ssim
    rows["none"] = (None, *scores(None, scored, pool, metrics))
    for name, steps in candidates(sigma).items():
        step = choose(steps, tuned, pool)
        rows[name] = (step, *scores(step, scored, pool, metrics))
    # No parameter: the noise is estimated from each picture.
    rows["NonLocalMeans, blind"] = (
        NonLocalMeans(),
        *scores(NonLocalMeans(), scored, pool, metrics),
    )
    return rows


def report(sigma, rows):
    """Print one table; return how far the best filter is below BM3D, in dB."""
    print(f"\nsigma {sigma}\n{'filter':<22}{'PSNR':>7}{'SSIM':>8}   settings")
    for name, (step, psnr, ssim) in rows.items():
        settings = "" if step is None else " ".join(repr(step).split())
        print(f"{name:<22}{psnr:7.2f}{ssim:8.4f}   {settings}")
    print(f"{'BM3D (published)':<22}{BM3D[sigma]:7.2f}")
    return BM3D[sigma] - max(psnr for _, psnr, _ in rows.values())


def show(picture, rows):
    """One part of a picture: clean, noisy, and by each filter, with its PSNR."""
    clean = ToFloat()(picture)
    panels = [caption(clean, "clean")]
    for name, (step, *_) in rows.items():
        result = denoise(step, noisy(picture, SHOWN))
        title = f"sigma {SHOWN}" if step is None else name
        panels.append(caption(result, f"{title}, {vision.psnr(result, clean):.2f} dB"))
    rest = [np.full_like(panels[0], 255)] * (-len(panels) % 3)
    panels += rest
    return np.vstack([np.hstack(panels[start : start + 3]) for start in range(0, len(panels), 3)])


def caption(image, text):
    """The part that is shown, twice as large, with a line of text."""
    part = ToUint8()(image)[CROP]
    large = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    canvas = cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)
    draw_text(canvas, text, 10, 10, 24, background=(20, 20, 20))
    return canvas


def main(arguments):
    """Print the tables and save the picture; 0 if the best filters are near BM3D."""
    folder = os.environ.get("VISION_DATA")
    if not folder:
        sys.exit(f"VISION_DATA must name the folder that holds {SET}.")
    cv2.setNumThreads(1)
    print(describe_machine())
    pictures = load_set(folder)
    named = list(pictures)
    print(f"{len(named)} pictures; tuned on {named[0]} to {named[TUNED - 1]}, scored on the rest")
    gaps, shown = [], None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for sigma in BM3D:
            rows = measure(list(pictures.values()), sigma, pool)
            gaps.append(report(sigma, rows))
            shown = rows if sigma == SHOWN else shown
    path = Path(arguments[0] if arguments else "build/denoising.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    vision.write(path, show(pictures[named[TUNED]], shown), overwrite=True)
    print(f"\nPicture: {path}")
    return int(max(gaps) > LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
