"""The shortest repair of a chain that does not fit, found in the catalogue and checked."""

from dataclasses import dataclass
from functools import cache

from vision import catalogue
from vision.composition import chain, class_name
from vision.errors import KindError
from vision.flow import gives_of, takes_of, travel
from vision.kinds import Branched, Kind

# What may stand in between: steps with honest defaults, the most natural first.
BRIDGES = (
    "Gray",
    "Otsu",
    "Canny",
    "ToRGB",
    "ToHSV",
    "HSVToRGB",
    "ToLab",
    "LabToRGB",
    "ToUint8",
    "Normalize",
    "FindContours",
    "ConnectedComponents",
    "KMeansSegmenter",
    "HoughLines",
    "RawPixels",
)
LONGEST = 4


@dataclass(frozen=True)
class Repair:
    """A chain that composes, and the sentence that advises it."""

    pipeline: object
    advice: str


def find_repair(steps, position, entry):
    """The shortest chain that joins the steps around a place where two do not fit.

    Parameters
    ----------
    steps : list
        The chain.
    position : int
        The step that cannot take what the one before it gives.
    entry : Kind or None
        What enters the chain; None for the first step's usual kind.

    Returns
    -------
    Repair or None
        None if the catalogue has no chain of up to four steps.
    """
    entry = takes_of(steps[0])[0] if entry is None else entry
    kinds, _ = travel(steps[:position], entry)
    # At the end of a chain a classifier's transform is not what leaves it.
    kinds = kinds if len(kinds) == position + 1 else [*kinds, Kind.ANY]
    candidates = []
    for kept in (position, position - 1):
        plain = Kind.GRAY in kinds[: kept + 1] or "gray" in map(class_name, steps[:kept])
        usual, *others = takes_of(steps[position])
        takes = (usual, *(one for one in others if one is not Kind.LABELS))
        for bridge in _bridges(kinds[kept], takes, Kind.GRAY if plain else Kind.RGB):
            candidates.append((_cost(bridge, kept < position), kept, bridge))
    for _, kept, bridge in sorted(candidates, key=lambda c: c[0]):
        between = [_make(name) for name in bridge]
        parts = [*steps[:kept], *between, *steps[position:]]
        if _fits(parts):
            return Repair(chain(*parts), _advice(steps, position, kept, between))
    return _with_defaults(steps, position) or _without(steps, position)


def _with_defaults(steps, position):
    """The chain with a step as it comes, if only what was written in its call does not fit."""
    step = steps[position]
    name = catalogue.name_of(type(step))
    if name not in catalogue.STEPS:
        return None
    usual = catalogue.make(name)
    parts = [*steps[:position], usual, *steps[position + 1 :]]
    fits = _fits(parts)
    return Repair(chain(*parts), f"{usual!r} would fit, {step!r} does not.") if fits else None


def _without(steps, position):
    rest = [*steps[:position], *steps[position + 1 :]]
    return Repair(chain(*rest), f"Leave out {_call(steps[position])}.") if _fits(rest) else None


def _cost(bridge, replaces):
    """How great a change is: a step that was written weighs more than one that was not.

    Three equal channels are no colours, so a step that took the colours away is left out first.
    """
    return len(bridge) + ("ToRGB" in bridge) + (0 if not replaces else 0.5 if bridge else 1.5)


def _fits(parts):
    return any(travel(parts, kind)[1] is None for kind in takes_of(parts[0]))


def _bridges(kind, takes, shown):
    """Names of steps that lead from a kind to one that is taken: all shortest, preferred first.

    A float image does not tell whether it has colours: `shown` is what it is in 8 bits.
    """
    if Kind.ANY in takes:
        return []
    if isinstance(kind, Branched):
        picks = [f"Pick:{name}" for name, given in kind.items() if given.fits(takes)]
        return [[pick] for pick in picks[:1]]
    return _paths(kind, takes, shown)


@cache
def _paths(kind, takes, shown):
    if kind.fits(takes) and kind is not Kind.ANY:
        return [[]]
    layers, seen = [([], kind)], {kind}
    for _ in range(LONGEST):
        following, found = [], []
        for path, reached in layers:
            if path and reached is Kind.LABELS:
                continue  # a bridge may begin or end at regions; none need be found on the way
            for name, given in _reachable(reached, shown):
                if given.fits(takes):
                    found.append(([*path, name], given))
                elif given not in seen:
                    following.append(([*path, name], given))
        if found:
            # The kind that the step names first is what it is usually given.
            found.sort(key=lambda item: takes.index(item[1]) if item[1] in takes else len(takes))
            return [path for path, _ in found]
        seen |= {given for _, given in following}
        layers = following
    return []


@cache
def _reachable(kind, shown):
    reached = []
    for name in BRIDGES:
        try:
            given = gives_of(_make(name), kind)
        except KindError:
            continue
        if name == "ToUint8" and kind is Kind.FLOAT:
            given = shown
        if given is not Kind.ANY:
            reached.append((name, given))
    return reached


def _make(name):
    if name.startswith("Pick:"):
        return catalogue.resolve("Pick")(name.removeprefix("Pick:"))
    return catalogue.make(name)


def _advice(steps, position, kept, between):
    added = " >> ".join(map(repr, between))
    step, before = steps[position], steps[position - 1]
    if kept == position:
        return f"Put {added} before {_call(step)}."
    if between:
        return f"Use {added} instead of {_call(before)}."
    return f"Leave out {_call(before)}."


def _call(step):
    return f"{type(step).__name__}()"
