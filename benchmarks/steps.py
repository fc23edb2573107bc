"""Every step of the catalogue beside the best call elsewhere that gives the same.

    python -m benchmarks.steps                    # all of them
    python -m benchmarks.steps Canny Sobel        # some
    python -m benchmarks.steps --csv steps.csv    # the table once more, as a file

The rows are those of `benchmarks/peers/`: a step, and the one call of OpenCV, scikit-image, SciPy
or scikit-learn that comes closest, one thread both. Both see the same photograph in turn, at
640x480, and at 12 MP where the peer takes less than 50 ms at 640x480; times are medians of
processor time, ratios medians over rounds. Both results are compared first. A row without a peer
has its time per megapixel instead.

A step that takes a mask (or edges) is timed as a pipeline runs it: whether a mask holds 0 and 255
alone is looked at only where it enters, so a step behind the one that made it does not pay for
that. What it costs where a mask does enter has a row of its own: the milliseconds at 640x480, and
per megapixel at 12 MP. Nothing else is left out of the timed call.

A row above its limit is measured once more when all others are done, at length: a few rounds of a
long call tell little on a machine that others use. Both lines are printed, the second counts. Exit
status 1 if then a ratio is above its limit, two results are further apart than the row allows, or a
step of the catalogue has no row. Takes about six minutes.
"""

import argparse
import csv
import functools
import importlib
import pkgutil
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from skimage import data
from threadpoolctl import threadpool_limits

from benchmarks import peers
from benchmarks.machine import describe_machine
from vision import Pipeline, catalogue
from vision.kinds import Kind, check_of_values
from vision.plan import Plan

# These run other steps: benchmarks/overhead.py has what that costs.
EXEMPT = {"Pipeline", "Branches", "Pick", "ForEach", "Explain"}
ELSEWHERE = "deep."  # modules of networks: benchmarks/augmentation.py, inference.py, training.py
SMALL, LARGE = (640, 480), (4000, 3000)
LIMITS = {SMALL: 1.10, LARGE: 1.05}
QUICK = 0.05  # seconds of a peer at 640x480, below which 12 MP are looked at too
ROUNDS = 3  # at least
SPAN = 0.004  # seconds that one measurement takes at least
SECONDS, PATIENCE = 0.25, 1.5  # of a row: where all is clear, and where it is close to the limit
AGAIN = 8.0  # of a row that was above it, and then at least MANY rounds
MANY = 25  # two calls of a second each differ by a tenth, from one time to the next
MASKS = {"mask", "edges"}  # what a row takes whose step is timed as a pipeline runs it
CLEAR = 0.97  # of the limit: what is below is no close call


@dataclass(frozen=True)
class Row:
    """One line of the table: milliseconds, ratios and the difference; None where not measured."""

    step: str
    peer: str
    ours_ms: float
    peer_ms: float | None = None
    ratio: float | None = None
    ratio_12mp: float | None = None
    difference: float | None = None
    tolerance: float | None = None
    ms_per_megapixel: float | None = None
    note: str = ""

    @property
    def excess(self):
        """The larger of both ratios, to a hundredth, over its limit."""
        ratios = {SMALL: self.ratio, LARGE: self.ratio_12mp}
        return max(round(ratios[size] or 0, 2) / limit for size, limit in LIMITS.items())

    @property
    def faults(self):
        """What is wrong with it, in words."""
        above = ["ABOVE"] if self.excess > 1 else []
        return above + (["DIFFERS"] if (self.difference or 0) > (self.tolerance or 0) else [])


def all_peers():
    """The rows of every topic."""
    for module in pkgutil.iter_modules(peers.__path__):
        yield from importlib.import_module(f"{peers.__name__}.{module.name}").PEERS


def name_of(peer):
    """The catalogue's name of the row's step; of a pipeline, of its last one."""
    step = peer.step[-1] if isinstance(peer.step, Pipeline) else peer.step
    return type(step).__name__


@functools.cache
def photograph(size):
    """A shipped photograph, never written to."""
    method = cv2.INTER_AREA if size == SMALL else cv2.INTER_CUBIC
    image = cv2.resize(data.coffee(), size, interpolation=method)
    image.flags.writeable = False
    return image


def bright(image):
    """The mask of what Otsu's threshold finds bright."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[1]


MAKERS = {
    "rgb": lambda image: image,
    "gray": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY),
    "hsv": lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2HSV),
    "float": lambda image: image.astype(np.float32) / 255,
    "mask": bright,
}


def input_of(peer, size):
    """What both sides get."""
    make = peer.prepare or MAKERS[peer.takes]
    return make(photograph(size))


def furthest(ours, theirs):
    """The largest difference of two arrays of one shape."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return float("inf")
    return cv2.norm(ours.astype(np.float64), theirs.astype(np.float64), cv2.NORM_INF)


def fresh(value):
    """An image as it is, a result without the measures that it has kept."""
    if isinstance(value, np.ndarray):
        return value
    cls, copy = type(value), object.__new__(type(value))
    for name, held in vars(value).items():
        if not isinstance(getattr(cls, name, None), functools.cached_property):
            copy.__dict__[name] = held
    return copy


def timed(function, value, repeats):
    """Seconds of the processor that a call takes."""
    values = [fresh(value) for _ in range(repeats)]
    start = time.process_time()
    for one in values:
        function(one)
    return (time.process_time() - start) / repeats


def compare(step, call, image, limit, patience=PATIENCE, rounds=ROUNDS):
    """Median seconds of both, and the median of their ratio over rounds in which they take turns.

    What is close to the limit or above it is looked at longer, whatever the outcome.
    """
    repeats = max(1, int(SPAN / max(timed(call, image, 1), 1e-9)))
    pairs, ratio, start = [], limit, time.perf_counter()
    while True:
        spent = time.perf_counter() - start
        enough = SECONDS if ratio < CLEAR * limit else patience
        if len(pairs) >= rounds and spent > enough:
            break
        first, second = (step, call) if len(pairs) % 2 else (call, step)
        pair = timed(first, image, repeats), timed(second, image, repeats)
        pairs.append(pair if first is step else pair[::-1])
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    return *map(statistics.median, zip(*pairs, strict=True)), ratio


def alone(step, image, repeats=1):
    """Median seconds of a step that has no peer."""
    times, start = [], time.perf_counter()
    while len(times) < ROUNDS or time.perf_counter() - start < SECONDS:
        times.append(timed(step, image, repeats))
    return statistics.median(times)


def timed_of(peer):
    """What is called for the step: of one that takes masks, what a pipeline calls."""
    return Plan([peer.step]).run if peer.takes in MASKS else peer.step


def entrance():
    """The row of what looking at a mask costs where it enters."""
    seconds = {}
    for size in (SMALL, LARGE):
        mask = bright(photograph(size))
        seconds[size] = alone(check_of_values(mask, (Kind.MASK,)), mask, 9)
    megapixels = LARGE[0] * LARGE[1] / 1e6
    return Row(
        "a mask looked at where it enters",
        "none",
        seconds[SMALL] * 1e3,
        ms_per_megapixel=seconds[LARGE] * 1e3 / megapixels,
        note="whether it holds 0 and 255 alone",
    )


def measured(peer, *patience):
    """The row of a peer; what is given is `compare`'s patience and rounds."""
    if peer.learn is not None:
        peer.learn(peer.step)
    image, name = input_of(peer, SMALL), shown(peer)
    result, step = peer.step(image), timed_of(peer)
    if peer.call is None:
        seconds = alone(step, image)
        megapixels = SMALL[0] * SMALL[1] / 1e6
        return Row(
            name,
            "none",
            seconds * 1e3,
            ms_per_megapixel=seconds * 1e3 / megapixels,
            note=peer.note,
        )
    difference = (peer.compare or furthest)(result, peer.call(image))
    ours, theirs, ratio = compare(step, peer.call, image, LIMITS[SMALL], *patience)
    large = None
    if theirs < QUICK:
        image = input_of(peer, LARGE)
        worse = (peer.compare or furthest)(peer.step(image), peer.call(image))
        difference = max(difference, worse)
        large = compare(step, peer.call, image, LIMITS[LARGE], *patience)[2]
    return Row(
        name,
        peer.name,
        ours * 1e3,
        theirs * 1e3,
        ratio,
        large,
        difference,
        peer.tolerance,
        note=peer.note,
    )


def shown(peer):
    """The step with its parameters, in one line; of a pipeline, its steps."""
    parts = (
        [part for _, part in peer.step.steps] if isinstance(peer.step, Pipeline) else [peer.step]
    )
    text = " >> ".join(" ".join(repr(part).split()) for part in parts)
    return text if len(text) <= 44 else f"{text[:41]}..."


def line_of(row):
    """The row as text."""
    if row.peer == "none":
        return f"{row.step:<45}{row.ours_ms:>10.3f}{row.ms_per_megapixel:>50.2f} ms/MP  none"
    large = "" if row.ratio_12mp is None else f"{row.ratio_12mp:.2f}"
    return (
        f"{row.step:<45}{row.ours_ms:>10.3f}{row.peer_ms:>10.3f}{row.ratio:>8.2f}{large:>8}"
        f"{row.difference:>12.2g}{row.tolerance:>8g}  {'  '.join([row.peer, *row.faults])}"
    )


def missing(rows):
    """The names of the catalogue's steps that have no row and are measured nowhere else."""
    known = {name_of(peer) for peer in rows} | EXEMPT
    wanted = [name for name, module in catalogue.STEPS.items() if not module.startswith(ELSEWHERE)]
    return [name for name in wanted if name not in known]


def chosen(names):
    """The rows of some steps, or of all."""
    rows = list(all_peers())
    unknown = sorted(set(names) - {name_of(peer) for peer in rows})
    if unknown:
        sys.exit(f"No row for {', '.join(unknown)}.")
    return rows, [peer for peer in rows if not names or name_of(peer) in names]


def save(path, rows):
    """The table as CSV."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(rows[0])))
        writer.writeheader()
        writer.writerows(map(asdict, rows))


def report(rows, absent):
    """The worst five, and all that is wrong; whether anything is."""
    worst = sorted((row for row in rows if row.ratio), key=lambda row: -row.excess)[:5]
    print("\nThe worst five:")
    for row in worst:
        print(line_of(row))
    faulty = [row for row in rows if row.faults]
    for name in absent:
        print(f"{name} has no row in benchmarks/peers/.")
    print(f"{len(rows)} rows, {len(faulty)} faulty, {len(absent)} steps without a row.")
    return bool(faulty or absent)


def main():
    """Print a line a row; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps")
    parser.add_argument("names", nargs="*", metavar="STEP", help="only these steps")
    parser.add_argument("--csv", metavar="FILE", help="save the table there, too")
    options = parser.parse_args()
    everything, wanted = chosen(options.names)
    cv2.setNumThreads(1)
    print(describe_machine())
    print(f"{'step':<45}{'ours ms':>10}{'peer ms':>10}{'ratio':>8}{'12 MP':>8}", end="")
    print(f"{'difference':>12}{'allowed':>8}  peer")
    rows = []
    for peer in wanted:
        rows.append(measured(peer))
        print(line_of(rows[-1]), flush=True)
    for place, peer in enumerate(wanted):
        if rows[place].excess > 1:
            rows[place] = measured(peer, AGAIN, MANY)
            print(f"Again:\n{line_of(rows[place])}", flush=True)
    if any(peer.takes in MASKS for peer in wanted):
        rows.append(entrance())
        print(line_of(rows[-1]))
    if options.csv:
        save(options.csv, rows)
    return int(report(rows, [] if options.names else missing(everything)))


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main())
