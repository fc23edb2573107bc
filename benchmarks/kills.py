"""Folder runs that are killed at random moments: is anything lost, partial, left, or done twice?

    python -m benchmarks.kills [KILLS]

SIGKILL of the parent at 50 random moments, with threads and with worker processes; SIGKILL of
worker processes at 50; and five files that kill or hold up whoever touches them. Outputs are single
files and packed by turns. Moments are drawn with a fixed seed over the time that an undisturbed run
of the same kind took. Exit status 1 if a rule is broken:

    lost      after resuming, the pictures by name and hash, and the tables, are those of a run that
              nobody disturbed
    partial   at the moment after the kill whatever is visible or in the ledger is whole and right
    again     no picture is computed once its line is in the ledger
    left      no temporary file stays, among the results or in the system's folder for such
    orphans   no process outlives its parent by five seconds
"""

import contextlib
import csv
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

KILLS, SEED = 50, 3
PICTURES, TWINS = 90, (3, 30, 60)  # files of a run; those of which there is a second one
IN_A_RUN = 2  # kills of workers: a file at which they die three times is an error
POISONED = 24  # files of the run with the five bad ones
LIMITS = {"timeout": 2, "memory_limit": "2GB"}
RULES = ("lost", "partial", "again", "left", "orphans")
TABLES = ("results.csv", "errors.csv")
GONE_WITHIN = 5.0  # seconds
MARK = "VISION_KILLS"  # the variable that tells the processes of a run
COLUMNS = f"{'kills of':<14}{'who computes':<26}{'kills':>6}{'hits':>6}{'lines then':>12}"


@dataclass
class Case:
    """A kind of run: who computes, and whether outputs are packed."""

    workers: int | None
    pack: str | None
    limits: dict = field(default_factory=dict)

    def __str__(self):
        who = f"{self.workers} workers" if self.workers else "2 threads"
        return f"{who}, {'packed' if self.pack else 'single files'}"

    @property
    def options(self):
        who = {"workers": self.workers} if self.workers else {"threads": 2}
        return {**who, "pack": self.pack, **self.limits}

    @property
    def seconds(self):
        """What a picture takes: worker processes need two seconds before they begin."""
        return 0.04 if self.workers else 0.015


class Place:
    """The folders of one run: its source, outputs, log of what was computed, and temporaries."""

    def __init__(self, folder, source):
        self.source, self.out, self.log = source, folder / "out", folder / "computed.log"
        self.scratch, self.mark = folder / "tmp", str(folder)
        self.scratch.mkdir(parents=True)
        self.log.touch()

    def start(self, case):
        """A run in a process of its own, which says when it begins."""
        asked = map(str, (self.source, self.out, self.log, case.seconds, json.dumps(case.options)))
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.kills", "--child", *asked],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, MARK: self.mark, "TMPDIR": str(self.scratch)},
        )
        if process.stdout.readline() != "begins\n":
            raise RuntimeError(process.stderr.read())
        return process

    def finish(self, case):
        """A run to its end; the seconds that it took."""
        with self.start(case) as process:
            return ended(process)

    def computed(self, start=0):
        """The numbers of the pictures that were computed, from a place of the log on."""
        return [int(line) for line in self.log.read_bytes()[start:].split()]

    def entries(self):
        """What the ledger says of each name, read without the toolkit: whole lines alone."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for line in (self.out / "ledger.jsonl").read_bytes().splitlines(keepends=True):
                with contextlib.suppress(ValueError):
                    entry = json.loads(line) if line.endswith(b"\n") else {}
                    if "name" in entry:
                        found[entry["name"]] = entry
        return found

    def files(self):
        """The hash of every picture that is a file and has its name."""
        paths = [path for path in self.out.glob("images/**/*") if path.is_file()]
        shown = [path for path in paths if not path.name.startswith(".")]
        return {path.relative_to(self.out).as_posix(): sum_of(path.read_bytes()) for path in shown}

    def members(self):
        """The hash of every picture in an archive, under the name that it would have as a file."""
        found = {}
        for path in sorted(self.out.glob("*.tar")):
            with tarfile.open(path) as archive:
                for info in archive:
                    found[f"images/{info.name}"] = sum_of(archive.extractfile(info).read())
        return found

    def manifest(self):
        """What a run gave: the hash of each picture, and the rows of its tables."""
        tables = {name: rows_of(self.out / name) for name in TABLES}
        return self.files() | self.members() | tables

    def temporaries(self):
        """What should not be there once a run has ended."""
        hidden = [path for path in self.out.rglob(".*") if path.is_file()]
        return [*hidden, *self.scratch.rglob("*")]

    def processes(self):
        """The processes of the run, without the one that was started here once it has ended."""
        import psutil

        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark:
                    found.append(process)
        return found

    def all_gone(self):
        """Whether no process is left soon after the end; those that are get killed."""
        deadline = time.monotonic() + GONE_WITHIN
        while found := self.processes():
            if time.monotonic() > deadline:
                for process in found:
                    process.kill()
                return False
            time.sleep(0.05)
        return True


def ended(process):
    """Wait for a run that must end well; the seconds that it says it took."""
    told, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(errors)
    return float(told)


def sum_of(data):
    return hashlib.sha256(data).hexdigest()


def rows_of(path):
    """The rows of a table, outputs named as if they were files."""
    with path.open(newline="", encoding="utf-8") as file:
        return [[as_file(cell) for cell in row] for row in csv.reader(file)]


def as_file(cell):
    """``images-00001.tar/a.png`` is ``images/a.png``."""
    archive, found, member = cell.partition(".tar/")
    return f"images/{member}" if found and archive.startswith("images-") else cell


def partial(place, expected):
    """How many pictures that are visible, or in the ledger, are not whole and right."""
    wrong = sum(expected.get(name) != content for name, content in place.files().items())
    for entry in place.entries().values():
        for path, size, offset, _ in entry["outputs"]:
            packed = ".tar/" in path
            target = place.out / (path.partition("/")[0] if packed else path)
            data = target.read_bytes() if target.exists() else b""
            data = data[offset : offset + size] if packed else data
            wrong += expected.get(as_file(path)) != sum_of(data)
    return wrong


class Killing:
    """Many runs of one case over one source, and the rules that were broken."""

    def __init__(self, title, case, folder, source, numbers, expected):
        self.title, self.case, self.folder, self.source = title, case, folder, source
        self.numbers, self.expected = numbers, expected
        self.kills = self.hits = self.runs = 0
        self.lines, self.broken = [], Counter()

    def place(self):
        self.runs += 1
        name = f"{self.title} {self.case} {self.runs}".replace(" ", "-")
        return Place(self.folder / name, self.source)

    def undisturbed(self):
        """A run that nobody kills gives what is expected; its seconds, and those of its work."""
        place = self.place()
        whole = place.finish(self.case)
        self.judge(place)
        self.whole, self.working = whole, PICTURES * self.case.seconds / 2

    def judge(self, place):
        """What holds once a run has come to its end."""
        self.broken["orphans"] += not place.all_gone()
        self.broken["lost"] += place.manifest() != self.expected
        self.broken["left"] += len(place.temporaries())

    def seen(self, place):
        """The pictures that the ledger has now, and then how far the log goes.

        One of which there are two files counts when both have their lines: worker processes do not
        see what others do in the same run, so that the second file may be computed as well.
        """
        finished = {name for name, entry in place.entries().items() if "error" not in entry}
        self.lines.append(len(finished))
        missing = {number for name, number in self.numbers.items() if name not in finished}
        return set(self.numbers.values()) - missing, place.log.stat().st_size

    def check_again(self, place, finished, start):
        """None of the finished pictures may have been computed since."""
        self.broken["again"] += sum(number in finished for number in place.computed(start))

    def parent(self, moment):
        """Kill a run after a share of its time, look at what is there, and resume it.

        Gives whether it was still there; if not, moments are drawn over a shorter time from now.
        """
        place, waited = self.place(), moment * self.whole
        with place.start(self.case) as process:
            time.sleep(waited)
            alive = process.poll() is None
            process.kill()
        self.kills += 1
        self.hits += alive
        self.whole = self.whole if alive else waited
        self.broken["orphans"] += not place.all_gone()
        self.broken["partial"] += partial(place, self.expected)
        seen = self.seen(place)
        place.finish(self.case)
        self.check_again(place, *seen)
        self.judge(place)
        return alive

    def workers(self, moments, generator):
        """Kill workers of one run, which comes to its end by itself."""
        place, seen = self.place(), []
        with place.start(self.case) as process:
            while process.poll() is None and not place.log.stat().st_size:
                time.sleep(0.005)
            started = time.monotonic()
            for moment in sorted(moments):
                time.sleep(max(0.0, started + moment * self.working - time.monotonic()))
                self._kill_worker(place, generator)
                seen.append(self.seen(place))
                self.broken["partial"] += partial(place, self.expected)
            ended(process)
        for finished, start in seen:
            self.check_again(place, finished, start)
        self.judge(place)

    def _kill_worker(self, place, generator):
        import psutil

        self.kills += 1
        with contextlib.suppress(psutil.Error):
            found = [one for one in place.processes() if "spawn_main" in " ".join(one.cmdline())]
            if found:
                generator.choice(sorted(found, key=lambda one: one.pid)).send_signal(signal.SIGKILL)
                self.hits += 1

    def poison(self, bad):
        """A run with files that no process survives; then with good ones in their place."""
        place = self.place()
        place.finish(self.case)
        self.kills = self.hits = len(bad)
        self.broken["orphans"] += not place.all_gone()
        self.broken["left"] += len(place.temporaries())
        failed = {self.numbers[row[0]] for row in rows_of(place.out / "errors.csv")[1:]}
        self.broken["lost"] += failed != bad
        self.broken["partial"] += partial(place, self.expected)
        seen = self.seen(place)
        for number in bad:
            put_picture(self.source, number)
        place.finish(self.case)
        self.check_again(place, *seen)
        self.judge(place)

    def row(self):
        lines = f"{min(self.lines)} to {max(self.lines)}"
        counts = "".join(f"{self.broken[rule]:>9}" for rule in RULES)
        start = f"{self.title:<14}{self.case!s:<26}{self.kills:>6}{self.hits:>6}"
        return f"{start}{lines:>12}{counts}"


def put_picture(folder, number, mark=0, *, twin=False):
    """Write a numbered picture into one of several sub-folders; its name."""
    from tests.vision.dangerous_steps import marked
    from tests.vision.run_folders import put

    name = f"{'twins/' if twin else number % 3 * 'sub/'}{number:03}.png"
    put(folder, name, marked(number, mark))
    return name


def expected_of(folder, source):
    """What a run gives that nobody disturbs, on one thread, in files."""
    place, case = Place(folder, source), Case(None, None)
    place.finish(case)
    return place.manifest()


def sources_of(folder):
    """The pictures of a run: folder, the number of each name, and what is expected."""
    numbers = {put_picture(folder / "in", number): number for number in range(PICTURES)}
    numbers |= {put_picture(folder / "in", number, twin=True): number for number in TWINS}
    return folder / "in", numbers, expected_of(folder / "expected", folder / "in")


def poisoned(folder):
    """The same with five bad files among them, and their numbers."""
    from tests.vision.dangerous_steps import CRASH, EXIT, HANG, HOARD, QUIT

    source, deadly = folder / "in", (CRASH, HANG, HOARD, EXIT, QUIT)
    marks = dict(zip(range(2, POISONED, 5), deadly))
    numbers = {put_picture(source, number): number for number in range(POISONED)}
    expected = expected_of(folder / "expected", source)
    for number, mark in marks.items():
        put_picture(source, number, mark)
    return (source, numbers, expected), set(marks)


def parents(folder, kills, generator):
    """Kills of the parent."""
    given = sources_of(folder / "parents")
    cases = [Case(workers, pack) for workers in (None, 2) for pack in (None, "tar")]
    for index, case in enumerate(cases):
        killing = Killing("parent", case, folder, *given)
        killing.undisturbed()
        for _ in range(index, kills, len(cases)):
            while not killing.parent(generator.random()):  # it had come to its end by then
                pass
        yield killing


def workers(folder, kills, generator):
    """Kills of worker processes."""
    given = sources_of(folder / "workers")
    for index, pack in enumerate((None, "tar")):
        killing = Killing("a worker", Case(2, pack), folder, *given)
        killing.undisturbed()
        for _ in range(index * IN_A_RUN, kills, 2 * IN_A_RUN):
            killing.workers([generator.random() for _ in range(IN_A_RUN)], generator)
        yield killing


def poisons(folder):
    """Files that kill those who touch them."""
    for pack in (None, "tar"):
        given, bad = poisoned(folder / f"poisoned {pack}")
        killing = Killing("by five files", Case(2, pack, LIMITS), folder, *given)
        killing.poison(bad)
        yield killing


def child(source, out, log, seconds, options):
    """One run; says when it begins, and how long it took."""
    import vision
    from classical import FindContours, Gray, Otsu
    from tests.vision.dangerous_steps import Dangerous, Noted

    ends = {"mask": Gray() >> Otsu(), "parts": Gray() >> Otsu() >> FindContours()}
    pipeline = Noted(log, float(seconds)) >> Dangerous() >> vision.Branches(ends)
    print("begins", flush=True)
    started = time.monotonic()
    vision.run(pipeline, source, out, progress=False, **json.loads(options))
    print(time.monotonic() - started)


def main(kills=KILLS):
    """Print the table; 1 if a rule is broken."""
    from benchmarks.machine import describe_machine

    print(describe_machine())
    print(COLUMNS + "".join(f"{rule:>9}" for rule in RULES))
    generator, broken, started = random.Random(SEED), 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for part in (
            parents(folder, kills, generator),
            workers(folder, kills, generator),
            poisons(folder),
        ):
            for killing in part:
                print(killing.row(), flush=True)
                broken += sum(killing.broken.values())
    print(f"{broken} rules broken, {time.monotonic() - started:.0f} seconds")
    return int(broken > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
