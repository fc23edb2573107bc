"""Are the explanations of a comparison true? Each candidate's own method against two baselines.

Every picture is explained and judged by the model that never saw it. Beside the measures of
`vision.faithfulness_table` stands the sanity check that every classifier can take: maps that stay
as they are after the labels were shuffled tell nothing of what was learned (J. Adebayo et al.,
"Sanity Checks for Saliency Maps", NeurIPS 2018, arXiv:1810.03292, section 3.2).
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from vision.checks import refuse
from vision.comparison_candidates import by_place, fitted_clone, taken
from vision.comparison_extras import Faithfulness
from vision.comparison_folds import some_held_out
from vision.comparison_store import content_key
from vision.explanation import automatic, divided
from vision.explanation_table import faithfulness_table
from vision.map_checks import sanity_check

AT_MOST = 20  # pictures, unless told
MEANS = ("deletion", "insertion", "average_drop", "increase", "pointing")


@dataclass(frozen=True, eq=False)
class Explained:
    """The pictures whose explanations are judged.

    Parameters
    ----------
    places : (k,) ndarray of int
    regions : list of ndarray or None
        Where the object is in each of them.
    """

    places: np.ndarray
    regions: list | None

    @property
    def key(self):
        """What tells it from others, of plain values."""
        return [self.places.tolist(), None if self.regions is None else content_key(self.regions)]


def check_faithfulness(faithfulness, regions, study):
    """What `compare` was asked for.

    Parameters
    ----------
    faithfulness : bool or int
    regions : sequence or None
    study : Study

    Returns
    -------
    Explained or None

    Raises
    ------
    ParameterError
        If it is no number of pictures, the task names no classes, or the regions are not one a
        picture or not asked for.
    """
    if faithfulness is False:
        if regions is not None:
            hint = "faithfulness=True measures whether the explanations point there."
            refuse("regions", regions, "None without faithfulness", "compare", hint)
        return None
    if study.task.graded:
        name = study.task.name
        words = f"False for the task {name!r}: explanations are of a class that was named"
        refuse("faithfulness", faithfulness, words, "compare")
    places = some_held_out("faithfulness", faithfulness, study.folds, study.seed, AT_MOST)
    if regions is None:
        return Explained(places, None)
    came = len(regions) if hasattr(regions, "__len__") else regions
    if came != len(study.truth):
        refuse("regions", came, f"one entry an image, {len(study.truth)}", "compare")
    regions = by_place(regions)
    return Explained(places, [_region(regions[at], study.images[at].shape) for at in places])


def _region(entry, shape):
    region = np.asarray(getattr(entry, "boxes", entry))
    boxes = region.ndim in (1, 2) and region.shape[-1] == 4 and region.dtype.kind in "iuf"
    if not boxes and (region.dtype != np.uint8 or region.shape != shape[:2]):
        allowed = "boxes xyxy, Detections or a mask of its size for each image"
        refuse("regions", region, allowed, "compare")
    return region


def measure_faithfulness(study, estimator, fitted, explained):
    """The rows of one candidate.

    Parameters
    ----------
    study : Study
    estimator : estimator
        Unfitted.
    fitted : sequence of estimator
        One a fold.
    explained : Explained

    Returns
    -------
    list of dict
        As in `Faithfulness`, without ``candidate``.
    """
    folds = study.folds.held_out[explained.places]
    found, weights = [], []
    for fold in np.unique(folds):
        at = np.flatnonzero(folds == fold)
        images = list(taken(study.images, explained.places[at]))
        method = automatic(divided(fitted[int(fold)], images[0])[1])
        regions = None if explained.regions is None else [explained.regions[place] for place in at]
        seed = study.seed + int(at[0])
        found.append(
            faithfulness_table(fitted[int(fold)], images, [method], regions, random_state=seed)
        )
        weights.append(len(at))
    rows = [_pooled(of_folds, weights) | {"sanity": None} for of_folds in zip(*found, strict=True)]
    rows[0]["sanity"] = _sanity(study, estimator, fitted, explained)
    return rows


def _pooled(rows, weights):
    """The means over all pictures, from those of the folds."""
    pooled = {"method": rows[0]["method"]}
    for name in MEANS:
        values = [row[name] for row in rows]
        known = all(value is not None for value in values)
        pooled[name] = float(np.average(values, weights=weights)) if known else None
    return pooled


def _sanity(study, estimator, fitted, explained):
    """The correlation with the maps of what learned shuffled labels, in the largest fold alone."""
    folds = study.folds.held_out[explained.places]
    fold = int(np.bincount(folds).argmax())
    train = study.folds.splits[fold][0]
    shuffled = study.truth.copy()
    shuffled[train] = np.random.default_rng(study.seed).permutation(study.truth[train])
    other, _ = fitted_clone(dataclasses.replace(study, truth=shuffled), estimator, train)
    images = taken(study.images, explained.places[folds == fold])
    return float(sanity_check(fitted[fold], other, images).mean())


def faithfulness_of(found, explained):
    """The result of all candidates.

    Parameters
    ----------
    found : dict of str to list of dict, or None
        As `measure_faithfulness` gives it; None of one that failed.
    explained : Explained

    Returns
    -------
    Faithfulness
    """
    rows = [
        {"candidate": name, **row}
        for name, of_candidate in found.items()
        if of_candidate is not None
        for row in of_candidate
    ]
    return Faithfulness(
        tuple(rows),
        (
            f"{len(explained.places)} of the pictures that were held out, each explained by the "
            "model that never saw it, for the class that it named.",
            "The sanity check is of the fold with the most of them: the same candidate learned "
            "its labels in another order.",
        ),
    )
