"""Folder runs in which everything goes wrong: hostile files, killed processes, full disks.

    VISION_DATA=... python -m benchmarks.faults [corpus|kills|disk]

Without a word it does all three parts. Exit status 1 if a rule is broken.

`corpus`: the files of `tests.hostile_files`, with good pictures in between and, where VISION_DATA
is set, the 664 of ``hostile_images_a``, run through on threads and on worker processes:

    the run comes to its end, within ten minutes
    every file is in results.csv or errors.csv, once, with a reason there; nothing else is
    good files are done, and equal within 2 grey levels to what Pillow or their maker has
    files of which everybody can tell that they are bad are refused
    no other file is done, with other pixels than before its damage, that Pillow, when it loads all
    of it, or `cv2.imdecode` refuses and read before
    bombs are refused in 10 ms and 10 MB, each, in a process that has imported what it needs

`kills`: see `benchmarks.kills`.

`disk`: over the results of an older run, and into a new folder, every write, sync, rename, link and
every creation of a file or folder fails once with no space left, and by turns for good or after
half a write: see `tests.failing_runs` for the rules.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

GOOD_PICTURES, SEED = 300, 5
PATIENCE = 600  # seconds after which a run counts as hanging
MAX_PIXELS = 50_000_000  # the largest picture of the 664 that is no bomb has fewer
BOMB_SECONDS, BOMB_MEGABYTES = 0.010, 10
REFUSED = ("truncated", "empty", "not_image")  # kinds of the 664


def corpus():
    """Part (a); the number of broken rules."""
    from tests.hostile_files import make_hostile_files, print_counts

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in")
        files = make_hostile_files(source)
        files += with_good(source, files) + with_set(source)
        print_counts(files)
        broken = judged_bombs(source, files)
        manifests = []
        for title, options in executors():
            out = Path(folder, title.replace(" ", "_"))
            ended = run_child(source, out, options)
            if ended:
                print(f"BROKEN on {title}: {ended}")
                broken += 1
                continue
            broken += judged(source, files, out, title)
            manifests.append(manifest_of(out))
        if any(found != manifests[0] for found in manifests):
            print("BROKEN: threads and workers gave different things")
            broken += 1
    return broken


def with_good(source, files):
    """Pieces of photographs, laid between the hostile files."""
    import numpy as np
    from PIL import Image

    from benchmarks.corpus import photographs
    from tests.hostile_contents import GOOD
    from tests.hostile_files import HostileFile

    generator, pictures, found = np.random.default_rng(SEED), photographs(), []
    folders = sorted({file.name.rpartition("/")[0] for file in files if "\n" not in file.name})
    for number in range(GOOD_PICTURES):
        picture = pictures[number % len(pictures)]
        y, x = (int(generator.integers(0, size - 96)) for size in picture.shape[:2])
        image = Image.fromarray(picture[y : y + 96, x : x + 96])
        suffix = (".png", ".jpg", ".webp", ".tif", ".bmp")[number % 5]
        name = f"{folders[number * 7 % len(folders)]}/good_{number:03}{suffix}"
        image.save(source / name)
        with Image.open(source / name) as stored:
            pixels = np.asarray(stored.convert("RGB"))
        found.append(HostileFile(name, "photograph", GOOD, pixels))
    return found


def with_set(source):
    """The 664 files, each in a folder of its own; those without a picture's suffix get one."""
    from benchmarks.hostile import load_set, unpack
    from tests.hostile_contents import BAD, EITHER, GOOD
    from tests.hostile_files import HostileFile
    from vision.headers import EXTENSIONS

    if "VISION_DATA" not in os.environ:
        print("without VISION_DATA: its 664 files are left out")
        return []
    rows, contents = load_set(os.environ["VISION_DATA"])
    (source / "set").mkdir()
    found = []
    for row, path in zip(rows, unpack(rows, contents, source / "set")):
        if path.suffix.lower() not in EXTENSIONS or path.name.startswith("."):
            path = path.rename(path.with_name(f"x{path.name}.jpg"))
        known = row["cv2_dtype"] in ("uint8", "uint16")  # what a run can write as PNG
        read = row["kind"] == "valid" and known and row["pillow_ok"] == row["cv2_ok"] == "1"
        expected = GOOD if read else BAD if row["kind"] in REFUSED else EITHER
        name = path.relative_to(source).as_posix()
        kind = f"set: {row['kind']} {path.suffix.lower() if row['kind'] == 'unlabelled' else ''}"
        found.append(HostileFile(name, kind.strip(), expected))
    return found


def executors():
    """Threads, and worker processes where Dask is there."""
    yield "two threads", {"threads": 2}
    if importlib.util.find_spec("distributed"):
        yield "two workers", {"workers": 2}


def run_child(source, out, options):
    """A run in a process of its own; what became of it, or nothing if it ended well."""
    asked = [sys.executable, "-m", "benchmarks.faults", "--child", str(source), str(out)]
    try:
        result = subprocess.run(
            [*asked, json.dumps(options)], capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"it hangs: not done after {PATIENCE} seconds"
    if result.returncode:
        return f"status {result.returncode}: {result.stderr[-2000:]}"
    print(result.stdout.splitlines()[-1])
    return None


def child(source, out, options):
    import vision
    from classical import Flip

    summary = vision.run(
        Flip(),
        source,
        out,
        format="png",
        max_pixels=MAX_PIXELS,
        progress=False,
        **json.loads(options),
    )
    print(summary)


def judged(source, files, out, title):
    """Print what came of the files; how many rules are broken."""
    from tests.hostile_rules import Judged

    found = Judged(source, files, out)
    for what in found.broken:
        print(f"BROKEN on {title}: {what}")
    counts = sorted(found.counts.items())
    told = ", ".join(f"{count} {expected} {what}" for (expected, what), count in counts)
    print(f"{title}: {told}; errors: {dict(found.classes.most_common())}")
    return len(found.broken)


def manifest_of(out):
    """Names and hashes of the pictures, and the tables."""
    from tests.hostile_rules import TABLES, below

    found = {name: (out / name).read_bytes() for name in TABLES}
    for path in below(out, "images"):
        found[path] = hashlib.sha256((out / path).read_bytes()).digest()
    return found


def judged_bombs(source, files):
    """What refusing each bomb costs; how many rules are broken."""
    from benchmarks.hostile import run

    bombs = [file for file in files if file.kind.startswith(("bomb", "sparse"))]
    if not Path("/proc/self/clear_refs").exists():
        print("bombs are measured on Linux alone")
        return 0
    measured = run([source / file.name for file in bombs])
    broken = 0
    for file, found in zip(bombs, measured):
        late = found["seconds"] > BOMB_SECONDS or found["megabytes"] > BOMB_MEGABYTES
        if found["outcome"] != "refused" or late:
            broken += 1
            print(f"BROKEN {file.kind}: {file.name!a}: {found}")
    slowest = max(found["seconds"] for found in measured) * 1000
    largest = max(found["megabytes"] for found in measured)
    print(f"{len(bombs)} bombs refused, each in at most {slowest:.2f} ms and {largest:.1f} MB")
    return broken


def disk():
    """Part (c); the number of broken rules."""
    from tests.failing_runs import KINDS, Trials, sweep

    broken, titles = 0, {None: "single files", "tar": "packed"}
    print(f"\n{'what fails':<34}{'outputs':<14}{'folder':<16}{'calls':>6}{'broken':>8}")
    for pack, title in titles.items():
        for older in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                trials = Trials(Path(folder), pack, older=older, overlay=True)
                for name, how in KINDS:
                    calls, found = sweep(trials, name, **how)
                    where = "older results" if older else "new"
                    print(f"{told(name, how):<34}{title:<14}{where:<16}{calls:>6}{len(found):>8}")
                    for what in found:
                        print(f"BROKEN {what}")
                    broken += len(found)
    return broken


def told(name, how):
    """What fails, in words."""
    code = os.strerror(how["code"]).lower() if "code" in how else "no space left"
    more = [word for word in ("lasting", "short") if how.get(word)]
    return ", ".join([name, code, *more])


def kills():
    """Part (b); the number of broken rules."""
    from benchmarks.kills import main as killed

    return killed()


PARTS = {"corpus": corpus, "kills": kills, "disk": disk}


def main(parts):
    """Do the parts; 1 if a rule is broken."""
    from benchmarks.machine import describe_machine

    print(describe_machine())
    broken = 0
    for part in parts or PARTS:
        found = PARTS[part]()
        print(f"{part}: {found} rules broken\n", flush=True)
        broken += found
    return int(broken > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    elif set(sys.argv[1:]) - set(PARTS):
        sys.exit(__doc__)
    else:
        sys.exit(main(sys.argv[1:]))
