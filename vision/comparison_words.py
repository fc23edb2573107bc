"""What a comparison says, in words: who wins, by how much, and what it costs."""

import math
from dataclasses import dataclass

from vision.comparison_result import COSTS
from vision.paired_tests import ALPHA
from vision.quantities import in_bytes, took

FAMILIES = ("classical", "deep")
SPREAD = (
    "The intervals hold what other images of the same kind would change. What training anew, with "
    "another seed or on other images, would change is not in them; the scores of the folds give "
    "an idea of it."
)


@dataclass(frozen=True)
class Verdict:
    """What a comparison found, in one headline and a few sentences.

    Parameters
    ----------
    headline : str
    sentences : tuple of str
    warnings : tuple of str
        What casts doubt on it.
    """

    headline: str
    sentences: tuple
    warnings: tuple


def verdict(comparison):
    """Who wins, by how much with its interval, and what that costs.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Verdict
    """
    ranking, warnings = comparison.ranking(), tuple(_warnings(comparison))
    if not ranking:
        return Verdict("No candidate finished", (), warnings)
    best, *others = ranking
    sentences = [_measured(comparison, best), _between(comparison, best, others)]
    sentences += [_costs(comparison, best), _families(comparison), _crossing(comparison)]
    said = tuple(sentence for sentence in sentences if sentence)
    return Verdict(_headline(comparison, best, others), said, warnings)


def _headline(comparison, best, others):
    if not others:
        return f"{best}: {score(comparison[best].scores[comparison.metric], _main(comparison))}"
    rivals = [name for name in others if not _told_apart(comparison, best, name)]
    if not rivals:
        won = _ahead(comparison, best, others[0])
        return f"{best} wins, {gap(won.value, _main(comparison))} ahead of {others[0]}"
    if len(rivals) == len(others) == 1:
        return f"{best} and {rivals[0]} are not told apart"
    if len(rivals) == len(others):
        return f"{best} leads, but nothing is certain"
    if len(rivals) == 1:
        return f"{best} and {rivals[0]} lead together"
    return f"{best} leads, not told apart from {len(rivals)} others"


def _measured(comparison, best):
    measure = _main(comparison)
    one = comparison[best].scores[measure.name]
    held = int((comparison.folds >= 0).sum())
    ends = f"95% interval {shown(one.low, measure)} to {shown(one.high, measure)}"
    known = "no interval" if math.isnan(one.low) else ends
    over = f"over {held:,} image{'' if held == 1 else 's'}"
    return f"{_capital(measure.name)} of {best}: {shown(one.value, measure)}, {known}, {over}."


def _between(comparison, best, others):
    """The best against the next, and whom else it is not told apart from."""
    if not others:
        return ""
    measure, following = _main(comparison), others[0]
    won = _ahead(comparison, best, following)
    if won is None:
        return ""
    rivals = [name for name in others if not _told_apart(comparison, best, name)]
    words = (
        f"The next is {following}, {gap(won.value, measure)} behind (95% interval "
        f"{gap(won.low, measure, unit=False)} to {gap(won.high, measure)})"
    )
    if not rivals:
        return f"{words}."
    said = "which may be chance" if following in rivals else "which is no chance"
    rest = [name for name in rivals if name != following]
    more = f" It is not told apart from {listed(rest)} either." if rest else ""
    return f"{words}, {said}.{more}"


def _costs(comparison, best):
    """What the best costs, and who is cheaper for how much less."""
    one, measure = comparison[best], _main(comparison)
    parts = []
    if one.latency is not None:
        parts.append(f"{took_ms(one.latency.one_ms)} an image")
    if one.size_bytes is not None:
        parts.append(f"{in_bytes(one.size_bytes)} on disk")
    if one.fit_seconds:
        parts.append(f"{took(COSTS['fit'](one))} to train")
    if not parts:
        return ""
    words = f"{best} takes {listed(parts)}."
    front = [name for name in comparison.pareto("latency") if name != best]
    if one.latency is None or not front:
        return words
    cheap = comparison[front[-1]]  # the best of those that are faster
    times = one.latency.one_ms / cheap.latency.one_ms
    less = abs(one.scores[measure.name].value - cheap.scores[measure.name].value)
    if times < 1.2 or not math.isfinite(less):
        return words
    return f"{words} {cheap.name} is {_times(times)} as fast, and {gap(less, measure)} worse."


def _times(ratio):
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def _families(comparison):
    """The best of each family against each other, where the winner's rival was of its own."""
    pair = best_of_each_family(comparison)
    if pair is None or set(pair) == set(comparison.ranking()[:2]):
        return ""
    measure = _main(comparison)
    ranking = comparison.ranking()
    first, second = sorted(pair, key=ranking.index)
    won = _ahead(comparison, first, second)
    if won is None:
        return ""
    family = comparison[second].family
    sure = "" if _told_apart(comparison, first, second) else ", which may be chance"
    return f"The best {family} one, {second}, is {gap(won.value, measure)} behind {first}{sure}."


def _crossing(comparison):
    crossing = chosen_crossing(comparison)
    return "" if crossing is None else crossing.words


def chosen_crossing(comparison):
    """The crossing of learning curves that answers from how many images deep pays off.

    Returns
    -------
    Crossing or None
        Of the best of each family; without two families, of the best two.
    """
    if comparison.curves is None:
        return None
    pair = best_of_each_family(comparison) or tuple(comparison.ranking()[:2])
    for crossing in comparison.curves.crossings:
        if {crossing.first, crossing.second} == set(pair):
            return crossing
    return None


def best_of_each_family(comparison):
    """The best classical and the best deep candidate; None without both."""
    found = {}
    for name in comparison.ranking():
        found.setdefault(comparison[name].family, name)
    return tuple(found[f] for f in FAMILIES) if set(FAMILIES) <= set(found) else None


def _warnings(comparison):
    across = [one for one in comparison.duplicates if one.across]
    if across:
        exact = sum(one.exact for one in across)
        same = f" ({exact:,} equal pixel by pixel)" if exact else ""
        stand = "pair stands" if len(across) == 1 else "pairs stand"
        yield (
            f"The same or nearly the same picture was both learned from and tested on: "
            f"{len(across):,} such {stand} on both sides of a split{same}. The scores may flatter "
            "those who learn by heart."
        )
    failed = [one.name for one in comparison.candidates if one.failed]
    if failed:
        yield f"{listed(failed)} failed; the reason is in the table."
    held = int((comparison.folds >= 0).sum())
    if held < 100:
        yield f"{held} image{'s tell' if held > 1 else ' tells'} only large differences apart."


def pair_of(comparison, first, second):
    """The `Pair` of two candidates in whatever order, or None."""
    for pair in comparison.pairs:
        if {pair.first, pair.second} == {first, second}:
            return pair
    return None


def _ahead(comparison, first, second):
    """The `Estimate` by which the first is ahead, or None."""
    pair = pair_of(comparison, first, second)
    if pair is None:
        return None
    difference = pair.test.difference if pair.first == first else -pair.test.difference
    return difference if _main(comparison).higher else -difference


def _told_apart(comparison, first, second):
    pair = pair_of(comparison, first, second)
    return pair is not None and pair.p_adjusted < ALPHA


def _main(comparison):
    return comparison.measures[comparison.metric]


def _capital(text):
    return text[:1].upper() + text[1:]


def shown(value, measure):
    """One value of a metric.

    Examples
    --------
    >>> from vision.comparison_result import Measure
    >>> shown(0.9741, Measure("accuracy", "", unit="points"))
    '97.4%'
    >>> shown(27.314, Measure("PSNR", "", unit="dB"))
    '27.31 dB'
    """
    if measure.percent:
        return f"{100 * value:.1f}%"
    return f"{value:.2f} dB" if measure.unit == "dB" else f"{value:.3f}"


def score(estimate, measure):
    """A metric with its interval, short.

    Examples
    --------
    >>> from vision.comparison_result import Measure
    >>> from vision.intervals import Estimate
    >>> score(Estimate(0.9741, 0.966, 0.981), Measure("accuracy", "", unit="points"))
    '97.4% (96.6 to 98.1)'
    """
    if measure.unit == "dB":
        ends = "" if math.isnan(estimate.low) else f" ({estimate.low:.2f} to {estimate.high:.2f})"
        return shown(estimate.value, measure) + ends
    return estimate.text(percent=measure.percent)


def gap(value, measure, unit=True):
    """A difference of two values of a metric.

    Examples
    --------
    >>> from vision.comparison_result import Measure
    >>> gap(0.031, Measure("accuracy", "", unit="points"))
    '3.1 points'
    """
    if measure.percent:
        return f"{round(100 * value, 1) + 0.0:.1f}" + (" points" if unit else "")  # no -0.0
    digits = 2 if measure.unit == "dB" else 3
    number = f"{round(value, digits) + 0.0:.{digits}f}"
    tail = " dB" if unit and measure.unit == "dB" else ""
    return number + tail


def took_ms(milliseconds):
    """Milliseconds as people say them.

    Examples
    --------
    >>> took_ms(0.213)
    '213 µs'
    """
    return took(milliseconds / 1000)


def listed(words):
    """Words in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
