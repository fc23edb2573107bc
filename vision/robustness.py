"""How much is lost when pictures are spoiled? Six corruptions at five strengths, as steps.

The models are those of the comparison, fitted on good pictures; each is given the spoiled ones that
its fold held out. What is true of a picture follows it where it is turned or scaled.
"""

import numpy as np
from sklearn.base import clone

from vision.catalogue import resolve
from vision.comparison_candidates import Said, predict, taken
from vision.comparison_extras import Robustness
from vision.kinds import Kind
from vision.metrics import DATA_RANGE
from vision.plan import Plan
from vision.step import Step

AT_MOST = 200  # pictures, unless told
REFERENCE = 100  # pixels of the shorter side at which the blurs are as they are listed

NOISE = (5, 10, 20, 40, 60)  # standard deviation, gray levels
BLUR = (0.5, 1.0, 1.5, 2.0, 3.0)  # sigma, pixels at the reference size and below
JPEG = (60, 30, 15, 8, 4)  # quality
BRIGHTNESS = (20, 40, 60, 80, 100)  # gray levels, brighter and darker in turn
ROTATION = (5, 10, 15, 30, 45)  # degrees, to the left and to the right in turn
IN_8_BITS = ("JPEGCompression", "BrightnessContrast")  # what is in levels of 8 bits
SCALE = (0.9, 0.8, 0.7, 0.6, 0.5)  # of the size, within a frame that stays


def corruptions(side):
    """The table: each corruption's strengths in words, and the steps of each.

    Parameters
    ----------
    side : int
        The shorter side of the pictures, in pixels.

    Returns
    -------
    dict of str to list of (str, tuple of step)
        By name; where there are two steps, every second picture gets the second.

    Examples
    --------
    >>> corruptions(32)["noise"][0]
    ('sigma 5', (GaussianNoise(sigma=5),))
    """
    noise, blur, jpeg, tone, turn = map(
        resolve,
        ("GaussianNoise", "GaussianBlur", "JPEGCompression", "BrightnessContrast", "Rotate"),
    )
    width = max(1.0, side / REFERENCE)
    return {
        "noise": [(f"sigma {sigma}", (noise(sigma=sigma),)) for sigma in NOISE],
        "blur": [(f"sigma {sigma * width:.3g} px", (blur(sigma=sigma * width),)) for sigma in BLUR],
        "jpeg": [(f"quality {quality}", (jpeg(quality=quality),)) for quality in JPEG],
        "brightness": [
            (f"± {levels} levels", (tone(brightness=levels), tone(brightness=-levels)))
            for levels in BRIGHTNESS
        ],
        "rotation": [
            (f"± {angle}°", (turn(angle, border="edge"), turn(-angle, border="edge")))
            for angle in ROTATION
        ],
        "scale": [(f"{factor:.0%}", (_Scaled(factor),)) for factor in SCALE],
    }


class _Scaled:
    """The picture smaller or larger about its centre, in a frame of the same size.

    The matrix depends on the size of the picture, so the step is made for each.
    """

    def __init__(self, factor):
        self.factor = factor

    def __repr__(self):
        return f"_Scaled({self.factor})"

    def step_for(self, image):
        """The `Affine` for pictures of this size."""
        y, x = ((side - 1) / 2 * (1 - self.factor) for side in image.shape[:2])
        matrix = ((self.factor, 0, x), (0, self.factor, y))
        return resolve("Affine")(matrix, border="edge")


def spoiled(images, truth, steps, *, carry=None):
    """Pictures through a corruption, each with what is then true of it.

    Parameters
    ----------
    images, truth : sequence
    steps : tuple of step
        Taken in turn.
    carry : callable, optional
        ``carry(step, image, entry)`` gives what is true of a picture that was turned or scaled;
        None where that changes nothing.

    Returns
    -------
    images, truth : list
    """
    pictures, true = [], []
    for place, (image, entry) in enumerate(zip(images, truth, strict=True)):
        step = steps[place % len(steps)]
        step = step.step_for(image) if isinstance(step, _Scaled) else step
        pictures.append(_spoil(step, image))
        moves = carry is not None and type(step).to_input is not Step.to_input
        true.append(carry(step, image, entry) if moves else entry)
    return pictures, true


def _spoil(step, image):
    """The picture through a step; one of another depth goes through 8 bits where it must."""
    if image.dtype == np.uint8 or type(step).__name__ not in IN_8_BITS:
        return step(image)
    white = DATA_RANGE[image.dtype.name]
    levels = step(np.rint(image / white * 255).astype(np.uint8))
    back = levels / 255 * white
    return (np.rint(back) if image.dtype.kind == "u" else back).astype(image.dtype)


def carrier_of(task):
    """What takes the truth of a task along, see `spoiled`."""
    if Kind.CLASS in task.kinds:
        return None
    if Kind.EDGES in task.kinds:
        return _edges
    return _regions if Kind.LABELS in task.kinds else lambda step, image, entry: step(entry)


def _regions(step, image, entry):
    """A mask or label map goes through the same step, each pixel taking its nearest one's."""
    if not isinstance(entry, np.ndarray):
        return Plan([step]).carry(image, entry)
    nearest = clone(step).set_params(interpolation="nearest")
    if entry.dtype in (np.uint8, bool):
        return nearest(entry.astype(np.uint8)).astype(entry.dtype)
    return nearest(entry.astype(np.int32)).astype(entry.dtype)


def _edges(step, image, entry):
    """Every edge pixel goes where it comes to lie: taken the other way, thin lines would break."""
    if isinstance(entry, list | tuple) or np.ndim(entry) == 3:
        return [_edges(step, image, one) for one in entry]
    rows, columns = np.nonzero(entry)
    onward = np.linalg.inv(step.to_input(image))
    x, y, scale = onward @ np.array([columns, rows, np.ones(len(rows))])
    places = np.rint([y / scale, x / scale]).astype(int)
    moved = np.zeros_like(entry)
    inside = ((places >= 0) & (places < np.array(entry.shape)[:, None])).all(axis=0)
    moved[tuple(places[:, inside])] = entry.max() if entry.size else 0
    return moved


def measure_robustness(study, fitted, places):
    """One candidate's main metric on spoiled pictures.

    Parameters
    ----------
    study : Study
    fitted : sequence of estimator
        One a fold.
    places : (k,) ndarray of int

    Returns
    -------
    (corruptions, 6) ndarray of float64
        Column 0 is the untouched pictures.
    """
    folds = study.folds.held_out[places]
    order = np.argsort(folds, kind="stable")
    places, folds = places[order], folds[order]
    images = list(taken(study.images, places))
    truth = taken(study.truth, places)

    def measured(pictures, true):
        said = Said(study)
        for fold in np.unique(folds):
            at = np.flatnonzero(folds == fold)
            said.add(places[at], *predict(study, fitted[int(fold)], taken(pictures, at)))
        found = [said.predictions[place] for place in places]
        table = None if said.probabilities is None else said.probabilities[places]
        return study.task.rate(found, table, true, study.classes).value(study.task.metric)

    table = corruptions(shorter_side(images))
    untouched = measured(images, truth)
    scores = np.full((len(table), 1 + len(NOISE)), untouched)
    for row, levels in enumerate(table.values()):
        for column, (_, steps) in enumerate(levels, start=1):
            pictures, true = spoiled(images, truth, steps, carry=carrier_of(study.task))
            scores[row, column] = measured(pictures, true)
    return scores


def shorter_side(images):
    """The median of the shorter sides, in pixels."""
    return int(np.median([min(image.shape[:2]) for image in images]))


def robustness_of(found, images, places):
    """The result of all candidates.

    Parameters
    ----------
    found : dict of str to ndarray or None
        As `measure_robustness` gives it; None of one that failed.
    images : sequence
        All pictures.
    places : (k,) ndarray of int

    Returns
    -------
    Robustness
    """
    table = corruptions(shorter_side(list(taken(images, places))))
    missing = np.full((len(table), 1 + len(NOISE)), np.nan)
    return Robustness(
        corruptions=tuple(table),
        strengths=tuple(
            ("untouched", *(words for words, _ in levels)) for levels in table.values()
        ),
        scores={name: missing if one is None else one for name, one in found.items()},
        notes=(
            f"{len(places)} of the pictures that were held out; every model was fitted on good "
            "pictures.",
            "Brightness and rotation go one way and the other in turn; the frame of a turned or "
            "scaled picture is filled with the colours at its edge.",
        ),
    )
