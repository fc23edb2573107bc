"""The folds of a comparison: made once, the same for every candidate."""

import math
import numbers
from dataclasses import dataclass

import numpy as np

from vision.checks import check_integer, refuse
from vision.conversions import as_python
from vision.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Folds:
    """Which images are learned from and which are held out.

    Parameters
    ----------
    splits : tuple of (train, test)
        Indices, arrays of int, sorted.
    held_out : (n,) ndarray of int
        The number of the fold in which each image is held out; -1 for never.
    words : str
        How they were made.
    """

    splits: tuple
    held_out: np.ndarray
    words: str


def make_folds(cv, truth, groups=None, *, stratified, random_state=0, owner="compare"):
    """The folds that `vision.compare` uses.

    Parameters
    ----------
    cv : int, float, splitter, sequence of n int, or iterable of (train, test)
        - a whole number from 2 on: so many folds, shuffled; of a classification with the classes
          in equal shares; with `groups` never one group in two of them;
        - a share below 1: one split, of which this is held out;
        - one of scikit-learn's splitters, or what it gives;
        - a number an image: the fold in which it is held out, from 0 on, -1 for never.
    truth : sequence
        One entry an image.
    groups : sequence of n, optional
        Images of one group are learned from or held out together.
    stratified : bool
        Whether `truth` holds labels, to be dealt in equal shares.
    random_state : int, default=0
        Seed of the shuffle.
    owner : str, default="compare"
        Who asks, for the messages.

    Returns
    -------
    Folds

    Raises
    ------
    ParameterError
        If `cv` is none of these or cannot be had, an image is held out twice or held out of what
        it is learned from, a group is in both or not known, or there are fewer images of a class
        than folds.

    Examples
    --------
    >>> folds = make_folds(2, [0, 0, 1, 1], stratified=True)
    >>> sorted(folds.held_out.tolist()), len(folds.splits)
    ([0, 0, 1, 1], 2)
    >>> make_folds([-1, -1, 0], [1, 2, 3], stratified=False).splits[0][1].tolist()
    [2]
    """
    count = len(truth)
    if groups is not None:
        groups = _checked_groups(groups, count, owner)
    labels = np.asarray(truth) if stratified else None
    splits, words = _splits(cv, labels, groups, count, random_state, owner)
    splits = tuple(_indices(pair, count, owner) for pair in splits)
    held_out = np.full(count, -1)
    for number, (train, test) in enumerate(splits):
        _check(number, train, test, held_out, groups)
        held_out[test] = number
    return Folds(splits, held_out, words)


def _checked_groups(groups, count, owner):
    # An array of a list would hold what is not known, and numbers among texts, as texts.
    entries = groups.tolist() if hasattr(groups, "tolist") else groups
    groups = np.asarray(groups)
    if groups.shape != (count,):
        refuse("groups", groups, f"one entry for each of {count} images", owner)
    entries = [as_python(one) for one in entries]
    for place, one in enumerate(entries):
        if one is None or (one == one) is not True:  # NaN, or a table's own word for it
            hint = "An image that belongs to no other is a group of its own."
            refuse("groups", one, f"known for each image, also for {place}", owner, hint)
    if len({isinstance(one, str) for one in entries}) > 1:
        refuse("groups", entries, "all texts or all numbers", owner)
    return groups


def some_held_out(name, number, folds, seed, unless_told):
    """So many of the pictures that were held out, spread evenly over them.

    Parameters
    ----------
    name : str
        Of the parameter that asks for them, for errors.
    number : True or int
        True: `unless_told`. Where there are fewer, all.
    folds : Folds
    seed : int
    unless_told : int

    Returns
    -------
    (k,) ndarray of int
        Places, ascending.

    Raises
    ------
    ParameterError
        If it is no number from 1 on.
    """
    held = np.flatnonzero(folds.held_out >= 0)
    if number is True:
        number = unless_told
    elif isinstance(number, str):
        refuse(name, number, "True, False or a number of pictures", "compare")
    check_integer(name, number, owner="compare", at_least=1)
    if len(held) <= number:
        return held
    return np.sort(np.random.default_rng(seed).choice(held, number, replace=False))


def _splits(cv, labels, groups, count, random_state, owner):
    if isinstance(cv, bool) or cv is None or isinstance(cv, str):
        _refuse_cv(cv, owner)
    if isinstance(cv, numbers.Integral):
        return _folds(int(cv), labels, groups, count, random_state, owner)
    if isinstance(cv, numbers.Real):
        return _one_split(float(cv), labels, groups, count, random_state, owner)
    if hasattr(cv, "split"):
        return _splitter(cv, labels, groups, count, owner), f"{type(cv).__name__}, as given"
    if not hasattr(cv, "__iter__"):
        _refuse_cv(cv, owner)
    listed = list(cv)
    if len(listed) == count and all(isinstance(one, numbers.Integral) for one in listed):
        return _numbered(np.array(listed), owner), "as given, by number"
    return listed, "as given"


def _splitter(cv, labels, groups, count, owner):
    """What one of scikit-learn's splitters gives."""
    places = np.arange(count)
    try:
        return list(cv.split(places, places if labels is None else labels, groups))
    except ValueError as error:  # it needs groups, or more of a class
        raise ParameterError(f"The 'cv' of {owner} cannot be had: {error}") from error


def _folds(number, labels, groups, count, random_state, owner):
    from sklearn import model_selection as ways

    most = count if groups is None else len(np.unique(groups))
    if not 2 <= number <= most:
        what = "images" if groups is None else "groups"
        refuse("cv", number, f"a number of folds from 2 to {most}, the number of {what}", owner)
    if labels is not None:
        _check_classes(labels, groups, number)
    kinds = {
        (True, False): ways.StratifiedKFold,
        (True, True): ways.StratifiedGroupKFold,
        (False, False): ways.KFold,
        (False, True): ways.GroupKFold,
    }
    kind = kinds[labels is not None, groups is not None]
    splitter = kind(number, shuffle=True, random_state=random_state)
    places = np.arange(count)
    words = f"{number} folds, shuffled with seed {random_state}"
    words += ", the classes in equal shares" * (labels is not None)
    words += ", no group in two of them" * (groups is not None)
    return list(splitter.split(places, labels, groups)), words


def _check_classes(labels, groups, number):
    """Fewer examples of a class than folds: then one fold tests nothing of it, or learns none."""
    classes, sizes = np.unique(labels, return_counts=True)
    if groups is not None:
        sizes = np.array([len(np.unique(groups[labels == one])) for one in classes])
    if sizes.min() < number:
        rarest, fewest = classes.tolist()[sizes.argmin()], sizes.min()
        what = "images" if groups is None else "groups"
        raise ParameterError(
            f"{number} folds (cv) need {number} {what} of each class. Of {rarest!r} there are "
            f"{fewest}. " + (f"cv={fewest} can be had." if fewest > 1 else "Leave that class out.")
        )


def _one_split(share, labels, groups, count, random_state, owner):
    """One held-out part, the first of as many folds as it goes into the whole."""
    if not (math.isfinite(share) and 0 < share < 1):
        _refuse_cv(share, owner)
    from sklearn import model_selection as ways

    places = np.arange(count)
    words = f"one split, {share:.0%} held out, shuffled with seed {random_state}"
    if groups is not None:
        kind, words = ways.GroupShuffleSplit, f"{words}, no group in both parts"
    elif labels is not None:
        kind, words = ways.StratifiedShuffleSplit, f"{words}, the classes in equal shares"
    else:
        kind = ways.ShuffleSplit
    splitter = kind(1, test_size=share, random_state=random_state)
    try:
        return list(splitter.split(places, labels, groups)), words
    except ValueError as error:  # too few of a class, or no image or group left for a part
        raise ParameterError(f"cv={share} cannot be had: {error}") from error


def _numbered(numbers_, owner):
    found = np.unique(numbers_[numbers_ >= 0])
    if not len(found) or numbers_.min() < -1 or not np.array_equal(found, np.arange(len(found))):
        _refuse_cv(numbers_, owner)
    return [(np.flatnonzero(numbers_ != k), np.flatnonzero(numbers_ == k)) for k in found]


def _indices(pair, count, owner):
    if not (isinstance(pair, tuple | list) and len(pair) == 2):
        _refuse_cv(pair, owner)
    parts = []
    for part in pair:
        part = np.asarray(part)
        part = np.flatnonzero(part) if part.dtype == bool and part.shape == (count,) else part
        good = part.ndim == 1 and part.size and part.dtype.kind in "iu"
        if not good or part.min() < 0 or part.max() >= count or len(set(part.tolist())) < len(part):
            allowed = f"made of parts with at least one of {count} images, each once"
            refuse("cv", part, allowed, owner)
        parts.append(np.sort(part.astype(np.intp)))
    return tuple(parts)


def _check(number, train, test, held_out, groups):
    shared = np.intersect1d(train, test)
    if len(shared):
        raise ParameterError(
            f"In fold {number} of 'cv', image {shared[0]} is both learned from and held out."
        )
    twice = test[held_out[test] >= 0]
    if len(twice):
        raise ParameterError(
            f"'cv' holds image {twice[0]} out twice, in folds {held_out[twice[0]]} and {number}: "
            "each image counts once. Take KFold instead of repeated or random splits."
        )
    if groups is not None:
        both = np.intersect1d(groups[train], groups[test])
        if len(both):
            raise ParameterError(
                f"In fold {number} of 'cv', group {both.tolist()[0]!r} is both learned from and "
                "held out. Take GroupKFold, or leave 'groups' out."
            )


def _refuse_cv(cv, owner):
    allowed = (
        "a number of folds from 2 on, a share to hold out, a splitter of scikit-learn, a fold "
        "number from 0 on for each image (-1: never held out), or pairs (train, test)"
    )
    refuse("cv", cv, allowed, owner)
