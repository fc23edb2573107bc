"""Where two candidates disagree: the pictures, what each said, and what each looked at."""

import time

import numpy as np

from vision.comparison_words import best_of_each_family, pair_of, shown
from vision.errors import ImageError
from vision.pages import data_uri

EACH = 4  # pictures of each side
SECONDS = 30.0  # that explanations may take altogether


def disagreements(comparison, *, each=EACH, seconds=SECONDS):
    """Pictures on which two candidates disagree, for the pairs that matter most.

    Parameters
    ----------
    comparison : Comparison
        Its `images` and the `fitted` pipelines are used as far as they are there.
    each : int, default=4
        Pictures of each side: of right and wrong answers chosen evenly, of graded ones the
        clearest.
    seconds : float, default=30
        No explanation is begun after that.

    Returns
    -------
    list of dict
        For each pair ``names`` and ``sides``, each with ``winner``, ``count``, ``figures`` and, of
        pictures that cannot be read any more, the errors in ``unread``.
    """
    if comparison.images is None:
        return []
    ends = time.monotonic() + seconds
    found = []
    for first, second in _pairs(comparison):
        pair = pair_of(comparison, first, second)
        if pair is None:
            continue
        only = {pair.first: pair.only_first, pair.second: pair.only_second}
        sides = [
            _side(comparison, (first, second), name, np.asarray(only[name]), each, ends)
            for name in (first, second)
        ]
        found.append({"names": (first, second), "sides": sides})
    return found


def _pairs(comparison):
    """The best of each family, and the best two."""
    ranking = comparison.ranking()
    pairs = [best_of_each_family(comparison), tuple(ranking[:2]) if len(ranking) > 1 else None]
    found = []
    for pair in pairs:
        if pair is not None and set(pair) not in map(set, found):
            found.append(tuple(sorted(pair, key=ranking.index)))
    return found


def _side(comparison, names, winner, indices, each, ends):
    graded = comparison.classes is None
    chosen = indices[:each] if graded else spread(indices, each)
    make = _graded if graded else _named
    figures, unread = [], []
    for index in map(int, chosen):
        try:
            image = comparison.images[index]
        except ImageError as error:  # deleted or changed since: the rest is as good as before
            unread.append(str(error))
        else:
            figures.append(make(comparison, names, index, image, ends))
    return {"winner": winner, "count": len(indices), "figures": figures, "unread": unread}


def spread(indices, count):
    """So many of them, evenly.

    Examples
    --------
    >>> spread(np.arange(10), 3).tolist()
    [0, 4, 9]
    """
    places = np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)
    return np.asarray(indices)[places]


def _named(comparison, names, index, image, ends):
    """A picture with the class that each said and its explanation."""
    truth = comparison.truth[index]
    sides = []
    for name in names:
        said = comparison[name].predictions[index]
        data, trouble = _explained(comparison, comparison[name], index, image, ends)
        right = bool(said == truth)
        sides.append(
            {"name": name, "said": str(said), "right": right, "data": data, "trouble": trouble}
        )
    return {
        "name": comparison.names[index],
        "truth": str(truth),
        "small": max(np.shape(image)[:2]) < 64,
        "data": _data(image),
        "sides": sides,
    }


def _explained(comparison, candidate, index, image, ends):
    """The heat map over the picture, or why there is none."""
    from vision.drawing import to_display
    from vision.explanation import explain

    if not len(candidate.fitted):
        return None, "the fitted pipeline was not kept"
    if time.monotonic() > ends:
        return None, "left out, as the time for explanations was over"
    try:
        heat = explain(candidate.fitted[comparison.folds[index]], image)
        return data_uri(heat.draw(to_display(image)), "png"), heat.method
    except Exception as error:  # whatever estimators raise; the page says it
        return None, f"cannot be explained: {_short(error)}"


def _short(error, longest=160):
    words = " ".join(str(error).split()) or type(error).__name__
    return words if len(words) <= longest else words[: longest - 1] + "…"


def _graded(comparison, names, index, image, ends):
    """A picture with its truth and what each made of it."""
    measure = comparison.measures[comparison.metric]
    sides = []
    for name in names:
        candidate = comparison[name]
        data, trouble = _shown(candidate.predictions, index, image)
        value = shown(float(candidate.per_image[index]), measure)
        sides.append({"name": name, "said": value, "right": None, "data": data, "trouble": trouble})
    data, trouble = _shown(comparison.truth, index, image)
    truth = {"name": "truth", "said": "", "right": None, "data": data, "trouble": trouble}
    return {
        "name": comparison.names[index],
        "truth": None,
        "small": max(np.shape(image)[:2]) < 64,
        "data": _data(image),
        "sides": [truth, *sides],
    }


def _shown(results, index, image):
    """A result as a picture: an array as it is, another drawn on the image."""
    from vision.drawing import to_display

    try:
        result = results[index]
        if result is None:
            return None, "not kept"
        drawn = (
            result.draw(to_display(image))
            if hasattr(result, "draw")
            else to_display(np.asarray(result))
        )
    except Exception as error:  # a truth of a form that has no picture
        return None, f"cannot be shown: {_short(error)}"
    return data_uri(drawn, "png"), None


def _data(image):
    from vision.drawing import to_display

    picture = to_display(np.asarray(image))
    return data_uri(picture, "png" if max(picture.shape[:2]) < 64 else "jpg")
