"""How much each feature matters to a fitted pipeline: permutation importance, by name."""

import itertools

import numpy as np

from vision.checks import check_integer, check_random_state
from vision.composition import chain
from vision.errors import KindError
from vision.flow import name_of, takes_of, travel
from vision.kinds import Kind
from vision.target_scores import flat_steps


def feature_importance(estimator, images, truth, *, repeats=5, random_state=0):
    """How much worse a fitted pipeline is when one feature is shuffled among the images.

    It fits tree ensembles, which have no weights to look at, as any other model. Features that say
    the same stand in for each other: each of them seems to matter little.

    Parameters
    ----------
    estimator : Pipeline
        Fitted, with features and a classifier or a regressor.
    images : list, Images, or ndarray
        Best others than those that it learned from.
    truth : sequence
        One an image.
    repeats : int, default=5
        How often each feature is shuffled, at least 1.
    random_state : int, default=0
        Seed, 0 to 2**32 - 1.

    Returns
    -------
    records : list of dict
        ``feature``, its name; ``importance``, the mean fall of the score (accuracy, of a regressor
        R squared), and its standard ``deviation``; the most important first.

    Raises
    ------
    KindError
        If no features go through the pipeline.
    ParameterError
        If a parameter makes no sense.

    References
    ----------
    L. Breiman, "Random Forests", Machine Learning 45, 2001, doi:10.1023/A:1010933404324,
    section 10.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from classical import ColorHistogram
    >>> images = [np.full((2, 2, 3), (red, 9, 9), np.uint8) for red in (10, 20, 200, 250)]
    >>> forest = ColorHistogram(2) >> RandomForestClassifier(10, random_state=0)
    >>> forest = forest.fit(images, ["dark", "dark", "red", "red"])
    >>> table = feature_importance(forest, images, ["dark", "dark", "red", "red"])
    >>> sorted(row["feature"] for row in table if row["importance"] > 0)
    ['red_0', 'red_1']
    """
    from sklearn.inspection import permutation_importance
    from sklearn.pipeline import make_pipeline

    check_integer("repeats", repeats, owner="feature_importance", at_least=1)
    check_random_state("random_state", random_state, owner="feature_importance")
    steps = flat_steps(estimator)
    kinds = travel(steps, takes_of(steps[0])[0])[0]
    rows = (kind is not Kind.ANY and kind.fits((Kind.FEATURES,)) for kind in kinds)
    place = next(itertools.compress(itertools.count(), rows), len(steps))
    if not 0 < place < len(steps):
        raise KindError(
            f"feature_importance needs features of pictures and a classifier behind them. "
            f"{name_of(estimator)} has none."
        )
    makers = chain(*steps[:place])
    rows = np.asarray(makers.transform(images))
    found = permutation_importance(
        make_pipeline(*steps[place:]), rows, truth, n_repeats=repeats, random_state=random_state
    )
    table = zip(makers.get_feature_names_out(), found.importances_mean, found.importances_std)
    records = [
        {"feature": str(name), "importance": float(mean), "deviation": float(deviation)}
        for name, mean, deviation in table
    ]
    return sorted(records, key=lambda record: -record["importance"])
