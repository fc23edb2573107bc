"""What flows through a chain: the kinds that a step takes and gives, ours or scikit-learn's."""

from sklearn.utils import get_tags

from vision.composition import Composable
from vision.errors import KindError, ParameterError
from vision.kinds import Branched, Kind, listed


def takes_of(step):
    """The kinds that a step takes, the usual one first; ``(ANY,)`` where nobody can know."""
    if isinstance(step, Composable):
        return tuple(step.takes)
    if step is None or isinstance(step, str):
        return (Kind.ANY,)
    inner = _inner(step)
    if inner is not None:
        return takes_of(inner)
    tags = get_tags(step)
    return (Kind.FEATURES,) if _validates(tags) else (Kind.ANY,)


def gives_of(step, kind):
    """The kind that a step makes of `kind`; a `KindError` if it cannot take it."""
    if step is None or isinstance(step, str):
        return kind
    takes = takes_of(step)
    if not kind.fits(takes):
        raise KindError(f"{name_of(step)} takes {listed(takes)}, but is given {kind.described}.")
    if isinstance(step, Composable):
        return step.gives_for(kind)
    if hasattr(step, "predict") and not hasattr(step, "transform"):
        return _predicted(step)
    return Kind.FEATURES if _validates(get_tags(step)) or _inner(step) is not None else Kind.ANY


def final_kind(step, kind):
    """The kind that the last step of a chain gives: one that predicts does not transform there."""
    if not isinstance(step, Composable) and hasattr(step, "predict"):
        gives_of(step, kind)
        return _predicted(step)
    return gives_of(step, kind)


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
        one, the shortest repair.
    """
    if not steps:
        return {Kind.ANY: Kind.ANY}
    journeys = {entry: travel(steps, entry) for entry in takes_of(steps[0])}
    passing = {entry: kinds[-1] for entry, (kinds, error) in journeys.items() if error is None}
    if not passing:
        _refuse(steps, journeys)
    return passing


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


def _refuse(steps, journeys):
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
    if kind in (Kind.CLASS, Kind.VALUE):
        message = f"{name_of(before)} gives {kind.described}: nothing can follow it."
    repair = find_repair(steps, position, entry)
    if repair is not None:
        raise KindError(f"{message} {repair.advice}", repair.pipeline) from None
    raise KindError(message) from None


def name_of(step):
    """The class name of a step, for messages."""
    return step if isinstance(step, str) else type(step).__name__


def is_stateless(step):
    """Whether a step learns nothing, so that it works without `fit`."""
    if step is None or isinstance(step, str):
        return True
    return isinstance(step, Composable) and not get_tags(step).requires_fit


def _validates(tags):
    return tags.input_tags.two_d_array and not tags.no_validation


def _predicted(step):
    return Kind.VALUE if get_tags(step).estimator_type == "regressor" else Kind.CLASS


def _inner(step):
    """The part of a meta-estimator that sees its input first."""
    for attribute in ("estimator", "transformer_list", "estimators", "steps"):
        inner = getattr(step, attribute, None)
        if isinstance(inner, list) and inner:
            inner = inner[0][1]
        if inner is not None and hasattr(inner, "fit"):
            return inner
    return None


def pick(kinds, name, owner):
    """The kind of one branch."""
    if kinds is Kind.ANY:
        return Kind.ANY
    if not isinstance(kinds, Branched):
        raise KindError(f"{owner} takes the branches of Branches, but is given {kinds.described}.")
    if name not in kinds:
        raise KindError(f"{owner} finds no branch {name!r} among {', '.join(map(repr, kinds))}.")
    return kinds[name]
