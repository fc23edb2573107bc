"""Methods of explanation side by side, with the baselines that each must beat."""

import numpy as np

from vision.checks import check_random_state, refuse
from vision.explanation import explain
from vision.faithfulness import confidence_change, deletion_curve, insertion_curve
from vision.heatmap import Heatmap
from vision.map_checks import pointing_game
from vision.target_scores import TargetScores

BASELINES = ("random", "centre")
_COLUMNS = "method", "deletion", "insertion", "average_drop", "increase", "pointing"


def baseline_map(name, shape, *, target=None, random_state=0):
    """What every method must beat: a map that knows nothing of the picture.

    Parameters
    ----------
    name : {"random", "centre"}
        Every pixel at random; or a hill in the middle, where photographers put things.
    shape : tuple of int
        The (height, width).
    target : str or int, optional
        The class, for the map.
    random_state : int, default=0
        Seed, 0 to 2**32 - 1.

    Returns
    -------
    Heatmap

    Raises
    ------
    ParameterError
        If `name` is none of these, or `random_state` makes no sense.

    Examples
    --------
    >>> baseline_map("centre", (5, 9)).peak
    (4, 2)
    """
    check_random_state("random_state", random_state, owner="baseline_map")
    if name == "random":
        values = np.random.default_rng(random_state).random(shape, np.float32)
    elif name == "centre":
        hills = [np.linspace(-1, 1, length + 2)[1:-1] ** 2 for length in shape]
        values = np.exp(-2 * np.add.outer(*hills)).astype(np.float32)
    else:
        refuse("name", name, "'random' or 'centre'", "baseline_map")
    return Heatmap(values, target=target, method=name)


def faithfulness_table(estimator, images, methods, regions=None, *, steps=32, random_state=0):
    """All measures for several methods and both baselines, on the same pictures.

    Parameters
    ----------
    estimator : pipeline, step, scikit-learn estimator or keras.Model
        Fitted.
    images : sequence of ndarray
    methods : dict of str to dict, or iterable of str
        Names of methods, or names with the options of each.
    regions : sequence, optional
        Where the objects are, as for `pointing_game`.
    steps : int, default=32
        Of the curves.
    random_state : int, default=0
        Seed of the random baseline.

    Returns
    -------
    records : list of dict
        One a method: ``method``; means over the pictures of the areas ``deletion`` (lower is
        better) and ``insertion`` (higher is better); ``average_drop`` and ``increase``, None where
        the estimator gives no probabilities; ``pointing``, the share of hits, None without
        `regions`. The baselines "random" and "centre" come last.

    Raises
    ------
    UnknownNameError, ParameterError, KindError
        As for `vision.explain` and the measures.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from classical import RawPixels
    >>> first = RawPixels(2) >> LinearRegression().fit(np.eye(4), [1, 0, 0, 0])
    >>> image = np.full((2, 2), 200, np.uint8)
    >>> table = faithfulness_table(first, [image], {"occlusion": {"window": 1, "fill": 0}}, steps=4)
    >>> [row["method"] for row in table]
    ['occlusion', 'random', 'centre']
    """
    return list(faithfulness_rows(estimator, images, methods, regions, steps, random_state))


def faithfulness_rows(estimator, images, methods, regions=None, steps=32, random_state=0):
    """The records of `faithfulness_table`, each as soon as it is known."""
    images = list(images)
    options = methods if isinstance(methods, dict) else {name: {} for name in methods}
    targets = [TargetScores(estimator, image) for image in images]
    probable = all(one.score_kind == "probability" for one in targets)
    for name in (*options, *BASELINES):
        maps = [
            _map_of(name, estimator, image, one.target, options, random_state + number)
            for number, (image, one) in enumerate(zip(images, targets, strict=True))
        ]
        pairs = list(zip(images, maps, strict=True))
        drop, increase = confidence_change(estimator, images, maps) if probable else (None, None)
        areas = [
            float(np.mean([curve(estimator, *pair, steps=steps).area for pair in pairs]))
            for curve in (deletion_curve, insertion_curve)
        ]
        hits = None if regions is None else float(pointing_game(maps, regions).mean())
        yield dict(zip(_COLUMNS, (name, *areas, drop, increase, hits), strict=True))


def _map_of(name, estimator, image, target, options, seed):
    if name in options:
        return explain(estimator, image, target, name, **options[name])
    return baseline_map(name, image.shape[:2], target=target, random_state=seed)
