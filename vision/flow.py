"""What flows through a chain: the kinds that a step takes and gives, ours or scikit-learn's."""

import copy

import sklearn.pipeline
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from vision.composition import Composable
from vision.errors import KindError, ParameterError
from vision.kinds import BLENDED, PARENT, SAME, Branched, Kind, listed

# No image of these kinds has 16 bits.
NARROW = frozenset(Kind) - {Kind.RGB, Kind.GRAY, Kind.ANY}


def core_of(step):
    """What does the work: a frozen estimator and the one that a search tunes, unwrapped."""
    if isinstance(step, FrozenEstimator) or hasattr(step, "refit"):
        inner = getattr(step, "best_estimator_", getattr(step, "estimator", None))
        return core_of(inner) if hasattr(inner, "fit") else step
    return step


def numbers_regions(step):
    """Whether the labels that a step or chain gives number regions, and mean nothing else.

    Examples
    --------
    >>> from classical import DistanceWatershed, KMeansSegmenter, Otsu, Resize
    >>> numbers_regions(Otsu() >> DistanceWatershed() >> Resize(32))
    True
    >>> numbers_regions(KMeansSegmenter())
    False
    """
    return bool(_numbering(step))


def _numbering(step):
    """The same, or None of what leaves the labels that come as they are."""
    core = core_of(step)
    if core is None or isinstance(core, str):
        return None
    if not hasattr(core, "steps"):
        passes = getattr(core, "gives", None) in (SAME, BLENDED)
        return None if passes else getattr(core, "numbers_regions", False)
    steps = [one for _, one in core.steps]
    while steps:
        last = steps.pop()
        if steps and hasattr(last, "branch") and hasattr(steps[-1], "branches"):
            return _numbering(dict(steps[-1].branches).get(last.branch))
        found = _numbering(last)
        if found is not None:
            return found
    return None


def takes_of(step):
    """The kinds that a step takes, the usual one first; ``(ANY,)`` where nobody can know."""
    step = core_of(step)
    if isinstance(step, Composable):
        return tuple(step.takes)
    if step is None or isinstance(step, str):
        return (Kind.ANY,)
    members = _members(step)
    if members:
        return _common([takes_of(member) for member in members.values()], step)
    return (Kind.FEATURES,) if _validates(get_tags(step)) else (Kind.ANY,)


def _common(tables, step):
    """The kinds that all members of a meta-estimator take."""
    kinds = [kind for kind in dict.fromkeys(sum(tables, ())) if all(map(kind.fits, tables))]
    if not kinds:
        takes = "; ".join(listed(table) for table in tables)
        raise KindError(
            f"The parts of {name_of(step)} get the same images, but take different ones: {takes}. "
            "Put the conversion inside the part that needs it."
        )
    return tuple(kind for kind in kinds if kind is not Kind.ANY) or (Kind.ANY,)


def gives_of(step, kind):
    """The kind that a step makes of `kind`; a `KindError` if it cannot take it."""
    step = core_of(step)
    if step is None or isinstance(step, str):
        return kind
    takes = takes_of(step)
    if not kind.fits(takes):
        raise KindError(f"{name_of(step)} takes {listed(takes)}, but is given {kind.described}.")
    if isinstance(step, Composable):
        return step.gives_for(kind)
    if isinstance(step, sklearn.pipeline.Pipeline):
        for _, part in step.steps:
            kind = gives_of(part, kind)
        return kind
    if hasattr(step, "predict") and not hasattr(step, "transform"):
        return _predicted(step)
    members = _members(step)
    if hasattr(step, "transformer_list"):
        _check_union(members, kind)
    return Kind.FEATURES if members or _validates(get_tags(step)) else Kind.ANY


def _check_union(members, kind):
    for name, part in members.items():
        given = gives_of(part, kind)
        if not given.fits((Kind.FEATURES,)):
            raise KindError(
                f"FeatureUnion joins features, but its part {name!r} gives {given.described}. "
                "End it with a step that gives features, such as RawPixels()."
            )


def final_kind(step, kind):
    """The kind that the last step of a chain gives: one that predicts does not transform there."""
    step = core_of(step)
    if isinstance(step, Composable) or not hasattr(step, "predict"):
        return gives_of(step, kind)
    if isinstance(step, sklearn.pipeline.Pipeline):
        for _, part in step.steps[:-1]:
            kind = gives_of(part, kind)
        return final_kind(step.steps[-1][1], kind)
    gives_of(step, kind)
    return _predicted(step)


def kind_given(estimator):
    """The kind that an estimator gives for the usual one that it takes.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> kind_given(Gray() >> Otsu())
    <Kind.MASK: 'mask'>
    """
    core = core_of(estimator)
    if isinstance(core, Composable):
        return core.gives_for(next(iter(core.takes)))
    return final_kind(core, Kind.ANY)


def chain_kinds(steps):
    """Each kind that may enter a chain, with the kind that leaves it.

    Parameters
    ----------
    steps : list
        The steps, in order.

    Returns
    -------
    dict of Kind to Kind or Branched

    Raises
    ------
    KindError
        If no kind passes, naming the two steps that do not fit and, where the catalogue knows
        one, the shortest repair; or if augmentation stands in front of what learns.
    """
    if not steps:
        return {Kind.ANY: Kind.ANY}
    entries = takes_of(steps[0])
    finer = [] if Kind.ANY in entries else _finer(entries)
    journeys = {entry: travel(steps, entry) for entry in (*entries, *finer)}
    passing = {entry: kinds[-1] for entry, (kinds, error) in journeys.items() if error is None}
    if not passing:
        refuse_chain(steps, {entry: journeys[entry] for entry in entries})
    for kind in finer:  # edges, then masks: named only where they fare otherwise than their parent
        if kind in passing and passing[kind] == passing.get(PARENT[kind]):
            del passing[kind]
    _refuse_augmentation(steps)
    return passing


def _finer(entries):
    return [k for k in (Kind.EDGES, Kind.MASK) if k not in entries and k.fits(entries)]


def entering(passing, kind):
    """What a kind becomes, by a table of `chain_kinds`; the usual result where it is not there."""
    if isinstance(kind, Kind):
        while kind not in passing and kind in PARENT:
            kind = PARENT[kind]
        if kind in passing:
            return passing[kind]
    return next(iter(passing.values()))


def travel(steps, kind):
    """What a kind becomes, step by step.

    Returns
    -------
    kinds : list of Kind or Branched
        The kind itself, then what each step gives, as far as the chain takes it.
    error : KindError or None
        Why it got no further.
    """
    kinds = [kind]
    for position, step in enumerate(steps):
        last = position == len(steps) - 1
        try:
            given = final_kind(step, kind) if last else gives_of(step, kind)
        except ParameterError:
            given = Kind.ANY  # bad parameters are refused on use
        except KindError as error:
            return kinds, error
        kinds.append(given)
        if not last and given in (Kind.CLASS, Kind.VALUE):
            words = f"{name_of(step)} gives {given.described}: nothing can follow it."
            return kinds, KindError(words)
        kind = given
    return kinds, None


def refuse_chain(steps, journeys):
    """Raise the `KindError` of a chain that no kind passes, with the shortest repair."""
    from vision.repair import find_repair

    # The kind that gets furthest is the one that was meant; the usual one if several do.
    entry = max(journeys, key=lambda kind: len(journeys[kind][0]))
    kinds, error = journeys[entry]
    position, kind = len(kinds) - 1, kinds[-1]
    if error.suggestion is not None or position == 0:
        raise error
    before, step = steps[position - 1], steps[position]
    message = (
        f"{name_of(step)} takes {listed(takes_of(step))}, "
        f"but {name_of(before)} gives {kind.described}."
    )
    if kind.fits(takes_of(step)):
        message = str(error)  # not the kind is wrong, but what is in it
    if kind in (Kind.CLASS, Kind.VALUE):
        message = f"{name_of(before)} gives {kind.described}: nothing can follow it."
    repair = find_repair(steps, position, entry)
    if repair is not None:
        raise KindError(f"{message} {repair.advice}", repair.pipeline) from None
    raise KindError(message) from None


def _refuse_augmentation(steps):
    """Refuse what draws anew in training alone where a step of the chain learns.

    There it would draw the same for every picture, and go on when the chain predicts. What is
    frozen learns nothing: in front of it, augmentation shows how robust it is.
    """
    from vision.composition import chain

    drawn = [step for step in steps if getattr(step, "augments", False)]
    learner = next(filter(_learns, reversed(steps)), None) if drawn else None
    if learner is None:
        return
    rest = [step for step in steps if step not in drawn]
    hint = "CNNClassifier(augmentation=...) draws for each picture. Leave it out here."
    if getattr(learner, "augmentation", drawn) is None and learner is rest[-1]:
        augmentation = drawn[0] if len(drawn) == 1 else chain(*drawn)
        rest[-1] = copy.copy(learner).set_params(augmentation=augmentation)
        written = " >> ".join(map(repr, drawn))
        hint = f"Give it to the network: {name_of(learner)}(augmentation={written})."
    raise KindError(
        f"{name_of(drawn[0])} in front of {name_of(learner)} would change every picture in the "
        f"same way, and in predict too: augmentation belongs to training. {hint}",
        chain(*rest),
    )


def _learns(step):
    if step is None or isinstance(step, str | FrozenEstimator):
        return False
    return get_tags(step).requires_fit


def name_of(step):
    """The class name of a step, for messages."""
    return step if isinstance(step, str) else type(step).__name__


def is_stateless(step):
    """Whether a step learns nothing, so that it works without `fit`."""
    step = step.estimator if isinstance(step, FrozenEstimator) else step
    if step is None or isinstance(step, str):
        return True
    return isinstance(step, Composable) and not get_tags(step).requires_fit


def _validates(tags):
    return tags.input_tags.two_d_array and not tags.no_validation


def _predicted(step):
    return Kind.VALUE if get_tags(step).estimator_type == "regressor" else Kind.CLASS


def _members(step):
    """The parts of a meta-estimator that get its own input, by name."""
    for attribute in ("steps", "transformer_list", "estimators", "estimator", "regressor"):
        inner = getattr(step, attribute, None)
        if isinstance(inner, list) and inner:
            members = {name: part for name, part, *_ in inner if not isinstance(part, str | None)}
            return dict([*members.items()][:1]) if attribute == "steps" else members
        if hasattr(inner, "fit"):
            return {attribute: inner}
    return {}


def pick(kinds, name, owner):
    """The kind of one branch."""
    if kinds is Kind.ANY:
        return Kind.ANY
    if not isinstance(kinds, Branched):
        raise KindError(f"{owner} takes the branches of Branches, but is given {kinds.described}.")
    if name not in kinds:
        raise KindError(f"{owner} finds no branch {name!r} among {', '.join(map(repr, kinds))}.")
    return kinds[name]


def first_narrow(steps):
    """The first step that cannot take what 16-bit images become on the way; None if all can."""
    return _narrow(steps)[0]


def _narrow(steps):
    """That step, and whether what leaves the chain may still have 16 bits."""
    for step, following in zip(steps, [*steps[1:], None]):
        step = core_of(step)
        if not isinstance(step, Composable):
            return None, False
        if hasattr(step, "branch_steps"):
            offender, wide = _narrow_branch(step, following)
        elif hasattr(step, "plan"):
            offender, wide = _narrow(step._parts())
        else:
            offender = None if "uint16" in step.dtypes else step
            wide = not (getattr(step, "narrows", False) or step.gives in NARROW)
        if offender is not None or not wide:
            return offender, wide
    return None, True


def _narrow_branch(step, following):
    found = {name: _narrow(steps) for name, steps in step.branch_steps().items()}
    offenders = [offender for offender, _ in found.values() if offender is not None]
    picked = getattr(following, "branch", None)
    return (offenders[0] if offenders else None), picked in found and found[picked][1]
