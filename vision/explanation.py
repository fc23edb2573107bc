"""`explain`: which parts of a picture made a classifier say so."""

import importlib
import inspect

from vision.catalogue import EXPLAINERS, check_method
from vision.checks import refuse
from vision.composition import chain
from vision.errors import KindError
from vision.flow import name_of, takes_of, travel
from vision.heatmap import Heatmap
from vision.kinds import PIXELS, Kind, kinds_of
from vision.nearest import did_you_mean
from vision.plan import Plan
from vision.target_scores import flat_steps, is_network

AUTOMATIC = "auto"
# Parts of the picture may speak against the class too.
SIGNED = frozenset({"occlusion", "integrated", "hog", "histogram", "words"})
# What draws the contributions of features back to the picture, by the step that gives them.
_BY_FEATURES = {"HOG": "hog", "ColorHistogram": "histogram", "BagOfVisualWords": "words"}


def explain(estimator, image, target=None, method=None, **options):
    """Which parts of a picture made a classifier say so, as a `Heatmap`.

    The steps that make a picture of a picture run first; the method explains what they give to the
    rest. The map is brought back through every resize and crop.

    Parameters
    ----------
    estimator : pipeline, step, scikit-learn estimator or keras.Model
        Fitted: a classifier, or a regressor.
    image : ndarray of shape (H, W) or (H, W, 3)
        What it takes; never modified.
    target : str or int, optional
        The class that is explained, by default the one that it names; of a bare keras.Model the
        number of the output.
    method : str, optional
        One of ``vision.catalogue.EXPLAINERS``. By default, or "auto": "gradcam" for a network;
        "hog" for a linear model on `HOG`; "histogram" and "words" on `ColorHistogram` and
        `BagOfVisualWords`; else "occlusion".
    **options
        Of the method.

    Returns
    -------
    Heatmap
        On the grid of `image`, the largest magnitude being 1 where the method measured it.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    ParameterError
        If `target` is none of the classes, or the method has no such option.
    KindError
        If `image` is of a kind that cannot enter, or the method cannot explain such an estimator.
    sklearn.exceptions.NotFittedError
        If something is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import LinearSVC
    >>> from classical import Gray, HOG
    >>> bar = np.zeros((64, 64, 3), np.uint8)
    >>> bar[:, 42:46] = 255
    >>> images, labels = [bar, bar.transpose(1, 0, 2)], ["upright", "level"]
    >>> pipeline = Gray() >> HOG(cells_per_block=1) >> LinearSVC()
    >>> pipeline = pipeline.fit(images, labels)
    >>> heat = explain(pipeline, bar)
    >>> heat.target, heat.method, heat.shape
    ('upright', 'hog', (64, 64))
    >>> 40 <= heat.peak[0] < 48
    True
    """
    chosen = method is None or method == AUTOMATIC
    if not chosen:
        check_method(method)
    front, last = divided(estimator, image)
    method = automatic(last) if chosen else method
    check_fits(method, last)
    explainer = explainer_of(method)
    check_options(explainer, options, method)
    given, matrix = front.walk(image, None)
    values, label = explainer(last, given, target, **options)
    signed = True if method in SIGNED else None
    heat = Heatmap.scaled(values, target=label, method=method, signed=signed)
    return front.restore(heat, matrix, image)


def divided(estimator, image):
    """The part of an estimator that makes a picture of the picture, and the rest.

    Parameters
    ----------
    estimator : pipeline, step, scikit-learn estimator or keras.Model
    image : ndarray
        One image, refused where the estimator does not take it.

    Returns
    -------
    front : Plan
        Ready to run, possibly without steps.
    last : estimator or Pipeline
        What gets its pictures: one estimator where no features come between.
    """
    if is_network(estimator):
        return Plan([]), estimator
    whole = chain(estimator)
    plan = whole.plan()
    plan.admit(image)
    fitting = (kind for kind in kinds_of(image) if kind.fits(tuple(plan.kinds)))
    entry = next(fitting, Kind.ANY)
    steps = flat_steps(whole)
    kinds = travel(steps, entry)[0]
    place = max(p for p, step in enumerate(steps) if p == 0 or _gets_pictures(step, kinds[p]))
    rest = steps[place:]
    return Plan(steps[:place]), rest[0] if len(rest) == 1 else chain(*rest)


def _gets_pictures(step, kind):
    if kind is Kind.ANY:
        return PIXELS.issuperset(takes_of(step))
    return isinstance(kind, Kind) and kind in PIXELS


def automatic(last):
    """The method for an estimator where none is named.

    Examples
    --------
    >>> from sklearn.svm import LinearSVC, SVC
    >>> from classical import GLCM, HOG
    >>> automatic(GLCM() >> SVC())
    'occlusion'
    """
    if is_network(last) or (hasattr(last, "model_") and hasattr(last, "classes_")):
        return "gradcam"
    first, *between = flat_steps(last)
    method = _BY_FEATURES.get(type(first).__name__) if between else None
    if method is None or (method == "hog" and not hasattr(between[-1], "coef_")):
        return "occlusion"
    return method


def explainer_of(method):
    """The function of a method: ``explainer(classifier, image, target, **options)``.

    Raises
    ------
    ParameterError
        If `method` is no text.
    UnknownNameError
        If there is none of that name; the message suggests the nearest.

    Examples
    --------
    >>> explainer_of("gradcm")
    Traceback (most recent call last):
    ...
    vision.errors.UnknownNameError: There is no method of explaining named 'gradcm'.
    Did you mean 'gradcam'?
    """
    check_method(method)
    name = method.replace("+", "p")
    return getattr(importlib.import_module(EXPLAINERS[method]), f"explain_{name}")


def check_fits(method, last):
    """Refuse a method for networks where there is none, before TensorFlow is loaded.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> check_fits("gradcam", SVC())
    Traceback (most recent call last):
    ...
    vision.errors.KindError: The method 'gradcam' explains networks, but gets SVC.
    method='occlusion' explains anything.
    """
    network = is_network(last) or hasattr(last, "model_")
    if EXPLAINERS[method].startswith("deep.") and not network:
        raise KindError(
            f"The method {method!r} explains networks, but gets {name_of(last)}. "
            "method='occlusion' explains anything."
        )


def check_options(explainer, options, method):
    """Refuse an option that a method does not have."""
    parameters = list(inspect.signature(explainer).parameters)[3:]
    for name in options:
        if name not in parameters:
            known = f"one of {', '.join(parameters)}" if parameters else "left out: there are none"
            hint = did_you_mean(name, parameters)
            refuse("options", name, known, f"the method {method!r}", hint)
