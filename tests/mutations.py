"""How closely the tests look: every classical step is made wrong in several ways, and must fail.

``python -m tests.mutations [STEP ...]`` swaps the colour order, transposes x and y (of the result,
and of the kernel alone), shifts each numeric default by 20% and changes the border of each step,
and runs the tests that name it; with ``--own`` those of its own file alone. A mutant is equivalent
if it survives and changes nothing on photographs; one that finds nothing to change, such as the
border of a step that has none, is no mutant.
"""

import ast
import collections
import contextlib
import functools
import gc
import inspect
import io
import re
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from tests import test_contract as contract
from tests.mutants import mutants_of
from vision import catalogue
from vision.errors import VisionError
from vision.kinds import Kind

FOLDER = Path(__file__).parent / "classical"
FATES = ("killed", "hung", "equivalent", "survived")
_DRAWN = "noise drawn in another order is noise as good"
# Why no test need kill a mutant: (step, start of the mutant's name) to the reason.
ACCEPTED = {
    ("GaussianNoise", "kernel"): _DRAWN,
    ("SaltAndPepperNoise", "kernel"): _DRAWN,
    ("SpeckleNoise", "kernel"): _DRAWN,
    ("PoissonNoise", "kernel"): _DRAWN,
    ("FindBarcodes", "border"): "a code keeps a quiet zone, wider than what the border can change",
    ("HOGDetector", "colour"): "of each pixel the strongest channel counts, in whatever order; "
    "that boxes and scores are the same is tested",
    ("Felzenszwalb", "kernel"): "the same regions, numbered in another order; that they are the "
    "same is tested",
    ("ChanVese", "tolerance"): "it stops some rounds earlier on the way to the same minimum; the "
    "energy that the default leaves above it is tested",
    ("TotalVariation", "iterations"): "more iterations come nearer to the same minimum; the "
    "documented distance of the default from it is tested",
}


class Outcomes:
    """What pytest tells of each test: how long it took, and which failed."""

    def __init__(self):
        self.seconds, self.failed = collections.Counter(), []

    def pytest_runtest_logreport(self, report):
        """Called by pytest for set-up, call and tear-down."""
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report):
        """Called by pytest for each file."""
        if report.failed:
            self.failed.append(report.nodeid)


def run(tests):
    """Run tests by their pytest names, up to the first that fails, on freshly loaded modules."""
    forget()
    outcomes = Outcomes()
    options = ["-x", "-p", "no:cacheprovider", "-o", "addopts=", "--capture=sys"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = pytest.main([*options, *tests], plugins=[outcomes])
    if code > pytest.ExitCode.INTERRUPTED:
        raise AssertionError(f"pytest could not run {tests}: {code!r}")
    return outcomes


def forget():
    """Drop what modules keep of an earlier run: test modules, and results in caches."""
    for name in [name for name in sys.modules if name.startswith("tests.classical.")]:
        del sys.modules[name]
    for thing in gc.get_objects():
        cached = isinstance(thing, functools._lru_cache_wrapper)
        if cached and (thing.__module__ or "").startswith(("vision", "classical")):
            thing.cache_clear()


def killers_of(name):
    """The tests that name a step, in themselves or in what they use of their own file."""
    found = []
    for path in sorted(FOLDER.glob("test_*.py")):
        text = path.read_text()
        if re.search(rf"\b{name}\b", text):
            found += [f"{path}::{test}" for test in _functions_naming(ast.parse(text), name)]
    return found


def _functions_naming(module, step):
    """Test functions that reach a name, through helpers and constants of their module."""
    words = {}
    for node in module.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            inside = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            inside |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
            inside |= {n.value for n in ast.walk(node) if _is_word(n)}
            names = [getattr(node, "name", None)]
            names += [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
            words |= {name: inside for name in names if name}
    reached, grown = {step}, True
    while grown:
        more = {name for name, inside in words.items() if inside & reached} - reached
        reached, grown = reached | more, bool(more)
    return [name for name in words if name.startswith("test_") and name in reached]


def _is_word(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def photographs():
    """Two of them, not square, one of odd width."""
    return [data.coffee()[100:220, 200:360].copy(), data.astronaut()[0:161, 120:277].copy()]


def results(name, mutant=None):
    """What a step makes of photographs as every kind that it takes."""
    step = instance(name, mutant)
    takes = step.takes if hasattr(step, "takes") else ()
    if contract.needs_fit(step):
        taken = takes[:1]
        pictures = [contract.photograph(), contract.other_photograph(step, 60, 50)]
        images = [contract.stand_in(taken[0], picture) for picture in pictures]
        step.fit(images, contract.truth_of(step, pictures, images))
    known = [kind for kind in takes if kind in (Kind.RGB, Kind.ANY, *contract.RECIPES)]
    inputs = [contract.stand_in(kind, p) for kind in known for p in photographs()]
    return [outcome(step, given) for given in inputs]


def instance(name, mutant=None):
    """The working example of a step, the default under test left to the class."""
    example = catalogue.make(name)
    given = given_of(example)
    if mutant:
        given.pop(mutant.parameter, None)
    return type(example)(**given)


def given_of(example):
    """The parameters of a step that are not the defaults of its class."""
    defaults = inspect.signature(type(example).__init__).parameters
    params = example.get_params(deep=False)
    return {key: value for key, value in params.items() if value is not defaults[key].default}


def outcome(step, given):
    """The result, or the refusal, of one input."""
    try:
        return step(given)
    except VisionError as error:
        return str(error)


def changes(name, mutant, right):
    """Whether a mutant is seen in the results; also where it fails, or nothing is found in them."""
    try:
        with mutant.install():
            wrong = results(name, mutant)
    except Exception:
        return True
    if mutant.name == "xy" and all(isinstance(one, np.ndarray) and one.ndim > 1 for one in right):
        return True
    if not all(alike(a, b, mutant.name == "kernel") for a, b in zip(right, wrong, strict=True)):
        return True
    nothing = [hasattr(one, "__len__") and len(one) == 0 for one in right]
    return bool(right) and all(nothing) and mutant.name != "kernel"


def alike(one, other, rounded=False):
    """Whether results are equal, but for the order of sums."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape:
            return False
        if one.dtype.kind != "f":
            slack = 1 if rounded else 0
        else:
            slack = 1e-5 * max(1.0, np.abs(one).max(initial=0))
        return bool(np.allclose(one.astype(float), other.astype(float), rtol=0, atol=slack))
    return contract.same(one, other)


def fate_under(mutant, tests, patience):
    """ "killed" if a test fails under a mutant, "hung" if they take too long, else "survived"."""

    def give_up(*_):
        raise TimeoutError("The mutant does not come to an end.")

    signal.signal(signal.SIGALRM, give_up)
    # Again and again: what is raised within a callback is lost.
    signal.setitimer(signal.ITIMER_REAL, patience, 5)
    start = time.perf_counter()
    try:
        with mutant.install():
            failed = run(tests).failed
    except TimeoutError:
        return "hung"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if failed:
        return "hung" if time.perf_counter() - start > patience else "killed"
    return "survived"


def check(name, own_only=False):
    """The mutants of one step: name of the mutant to one of `FATES`."""
    tests = Killers(name, own_only)
    example = instance(name)
    right = results(name)
    found = {}
    for mutant in mutants_of(type(example), given_of(example)):
        changed = changes(name, mutant, right)
        if not mutant.used or (not changed and mutant.name == "kernel"):
            continue  # no colour, no border, or a symmetric kernel
        fate = tests.fate(mutant)
        found[mutant.name] = "equivalent" if fate == "survived" and not changed else fate
    return found


class Killers:
    """The tests of a step, the quickest of its own file first, the others where those let it go."""

    def __init__(self, name, own_only=False):
        tests = killers_of(name)
        own = f"test_{catalogue.STEPS[name].split('.')[1]}.py"
        self._groups = [[t for t in tests if (own in t) is mine] for mine in (True, False)]
        self._groups = [group for group in self._groups if group][: 1 if own_only else 2]
        self._passed, self._patience = {}, {}

    def fate(self, mutant):
        """What becomes of a mutant: "killed", "hung" or "survived"."""
        for group in range(len(self._groups)):
            fate = fate_under(mutant, self._ready(group), self._patience[group])
            if fate != "survived":
                return fate
        return "survived"

    def _ready(self, group):
        if group not in self._passed:
            outcomes = run(self._groups[group])
            if outcomes.failed:
                raise AssertionError(f"The tests of the right step fail: {outcomes.failed}")
            # By function: the names of parameters may change with a default.
            seconds = collections.Counter()
            for test, spent in outcomes.seconds.items():
                seconds[test.partition("[")[0]] += spent
            self._passed[group] = sorted(seconds, key=seconds.get)
            self._patience[group] = 60 + 5 * sum(seconds.values())
        return self._passed[group]


def reason(name, mutant):
    """Why a mutant may survive, or None."""
    whys = [
        why for (step, start), why in ACCEPTED.items() if step == name and mutant.startswith(start)
    ]
    return whys[0] if whys else None


def report(name, found, spent):
    """Print the fates of one step's mutants; the number that survive without a reason."""
    counts = collections.Counter(found.values())
    print(name, ", ".join(f"{count} {fate}" for fate, count in counts.items()), f"{spent:.0f} s")
    unexplained = 0
    for mutant, fate in found.items():
        if fate != "killed":
            why = reason(name, mutant) if fate == "survived" else None
            unexplained += fate not in ("equivalent", "hung") and why is None
            print(f"    {mutant}: {fate}{f': {why}' if why else ''}", flush=True)
    return unexplained


def main(arguments):
    """Check the steps named, or all classical ones; 1 if a mutant survives without a reason."""
    classical = [name for name, module in catalogue.STEPS.items() if module.startswith("classical")]
    own_only = "--own" in arguments
    names = [name for name in arguments if name != "--own"] or classical
    total, unexplained = collections.Counter(), 0
    for name in names:
        start = time.perf_counter()
        try:
            found = check(name, own_only)
        except Exception as error:
            found = {f"not checked: {type(error).__name__}: {error}": "survived"}
        unexplained += report(name, found, time.perf_counter() - start)
        total.update(found.values())
    print(", ".join(f"{total[fate]} {fate}" for fate in FATES), f"of {total.total()} mutants")
    print(f"{unexplained} survive without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
