"""The work of a run: chunks of files, from their bytes to the names of their outputs."""

import contextlib
import functools
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vision.errors import ImageError, WriteError
from vision.fingerprints import check_sum, content_hash
from vision.kinds import kinds_of
from vision.opencv import cv2
from vision.packing import PackedChunk, is_packed, packed_intact
from vision.regular_file import file_state
from vision.staging import HOPELESS, Staging
from vision.step_times import EVERY, Laps, run_many_timed, run_timed

SECONDS = 1.0  # of work, then a chunk ends: about what a crash costs a thread
BATCH = 16  # pictures that a network or a scikit-learn step gets at once ...
BATCH_BYTES = 32 << 20  # ... unless they hold more than this together


@dataclass(frozen=True)
class Chunk:
    """Files that are done, and become visible, together.

    Parameters
    ----------
    images : Images
        The files.
    names : list of str
        What their outputs are called after.
    tasks : list of (int, dict or None)
        For each its index in the run, and the ledger's entry that still holds if its content is
        the same.
    """

    images: object
    names: list
    tasks: list

    @functools.cached_property  # the list is made anew whenever it is asked for
    def sources(self):
        """Where each file comes from."""
        return self.images.sources

    def __len__(self):
        return len(self.names)


@dataclass
class _File:
    """One file of a chunk, on its way."""

    chunk: Chunk
    index: int
    started: float = field(default_factory=time.monotonic)
    state: list | None = None
    hash: str | None = None
    image: object = None
    laps: Laps | None = None  # of those whose steps are timed

    def __post_init__(self):
        if self.index % EVERY == 0:
            self.laps = Laps()

    def lap(self, title):
        """Note what was done, if it is watched."""
        if self.laps is not None:
            self.laps(title)

    @property
    def name(self):
        return self.chunk.names[self.index]

    @property
    def source(self):
        return self.chunk.sources[self.index]


class Work:
    """Everything that happens to a chunk. Called with one, it gives the entries of the ledger.

    An entry holds ``name`` and ``source``, ``state`` and ``hash`` of the file, ``run``, ``key``,
    ``seconds`` that it took and the time ``at`` its end, the ``rows`` of the table, the ``outputs``
    (path, size, time or place in an archive, and check sum of each), ``laps`` where its steps were
    timed and, where the file failed, ``error``. A file whose content is in work elsewhere has
    ``name`` and ``waits``: it is to be given again later. One that a chunk did not get to, in its
    second, has no entry.

    Parameters
    ----------
    plan : Plan
        What runs.
    recorder : Recorder
        What becomes of the results.
    run : str
        The identity of the run.
    key : str
        What the pipeline is, see `vision.fingerprints.pipeline_key`.
    durable : bool
        Whether entries are given only when their outputs are on the disk.
    ledger : Ledger, optional
        Where files of the same content may be found.
    packs : Packs, optional
        The archives that outputs go to; by default each is a file of its own.
    """

    def __init__(self, plan, recorder, run, key, *, durable, ledger=None, packs=None):
        self.plan, self.recorder, self.ledger, self.packs = plan, recorder, ledger, packs
        self.run, self.key, self.durable = run, key, durable
        self.stopping, self.abandoned = threading.Event(), threading.Event()
        self._lock, self._claimed = threading.Lock(), {}  # content to the name that is in work

    def __call__(self, chunk):
        return self.finish(self.begin(chunk))

    def begin(self, chunk):
        """Do everything but the waiting for the disk: entries, files put aside, and what ended it.

        The error is one with which no further file can be written, or None.
        """
        staging = self._staging()
        entries, fatal = [], None
        try:
            self._fill(entries, chunk, staging)
        except WriteError as error:  # what is done already still gets its place
            fatal = error
        except BaseException:
            staging.discard()
            raise
        return entries, staging, fatal

    def _staging(self):
        if self.packs is None:
            return Staging(self.recorder.out, self.run, durable=self.durable)
        return PackedChunk(self.packs, self.recorder.out)

    def finish(self, begun):
        """Make the outputs of a chunk visible; its entries."""
        entries, staging, fatal = begun
        if self.abandoned.is_set():
            staging.discard()
            return []
        failed = staging.publish()
        entries = [self._settled(entry, failed, staging) for entry in entries]
        if fatal is not None:
            fatal.entries = entries
            raise fatal
        return entries

    def _settled(self, entry, failed, staging):
        """The entry, its outputs as they are on the disk now."""
        if "waits" in entry:
            return entry
        out, errors = self.recorder.out, [failed[o[0]] for o in entry["outputs"] if o[0] in failed]
        if errors:
            for path, *_ in entry["outputs"]:
                Path(out, path).unlink(missing_ok=True)
            return entry | {"rows": [], "outputs": [], "error": described(errors[0])}
        for output in entry["outputs"]:
            output[1:3] = staging.state(output[0]) or output[1:3]
        return entry

    def _fill(self, entries, chunk, staging):
        batch = []
        started = time.monotonic()
        for index in range(len(chunk)):
            late = index and not batch and time.monotonic() - started > SECONDS
            if late or self.stopping.is_set():
                break
            file = _File(chunk, index)
            try:
                entry = self._begun(file, staging)
            except Exception as error:
                entry = self._failed(file, error)
            if entry is not None:
                entries.append(entry)
            elif file.image is not None:
                batch.append(file)
            held = sum(file.image.nbytes for file in batch)
            if not self.plan.batched or len(batch) == BATCH or held >= BATCH_BYTES:
                self._process(batch, entries, staging)
                batch = []
        self._process(batch, entries, staging)

    def _begun(self, file, staging):
        """Its entry, if it need not be computed; else its image, unless that is in work."""
        chunk, index = file.chunk, file.index
        file.state = chunk.images.state(index)
        data = chunk.images.data(index)
        file.hash = content_hash(data)
        file.lap("read")
        _, earlier = chunk.tasks[index]
        if earlier is not None and earlier["hash"] == file.hash:
            return {**earlier, "state": file.state, "kept": True}
        copied = self._copied(file, staging)
        if copied is not None:
            return copied
        if not self._claim(file):
            return {"name": file.name, "waits": True}
        image = chunk.images.decoded(index, data)
        self.plan.admit(image)
        file.lap("decode")
        file.image = image
        return None

    def _claim(self, file):
        """Whether no other file of this content is in work."""
        if self.ledger is None:
            return True
        with self._lock:
            owner = self._claimed.setdefault(file.hash, file.name)
        entry = self.ledger.get(owner)
        return owner == file.name or (entry is not None and entry["run"] == self.run)

    def _copied(self, file, staging):
        """The entry of a file whose content was done under another name; None if it was not."""
        other = None if self.ledger is None else self.ledger.name_of(file.hash)
        if other is None or other == file.name:
            return None
        found = self.ledger[other]
        if found["key"] != self.key or "error" in found:
            return None
        if not intact(self.recorder.out, found, verify=self.packs is not None):
            return None
        renamed = self.recorder.renamed(found, file.name, file.source, staging.folders)
        if renamed is None:
            return None
        rows, paths = renamed
        with _forgetting(staging, paths.values()):
            for output in found["outputs"]:
                staging.take_over(output, paths[output[0]])
        outputs = [[paths[path], *rest] for path, *rest in found["outputs"]]
        return self._entry(file, rows, outputs) | {"copied": other}

    def _process(self, batch, entries, staging):
        results = self._together(batch) if len(batch) > 1 else None
        for position, file in enumerate(batch):
            try:
                result = self._alone(file) if results is None else results[position]
                entries.append(self._recorded(file, result, staging))
            except Exception as error:
                entries.append(self._failed(file, error))
            file.image = None

    def _together(self, batch):
        """The results of a batch; None if it failed: then each picture is tried alone."""
        try:
            images, laps = [file.image for file in batch], batch[0].laps
            return run_many_timed(self.plan, images, laps) if laps else self.plan.run_many(images)
        except Exception:  # raised again, and reported, by the picture that it belongs to
            batch[0].laps = None
            return None

    def _alone(self, file):
        if file.laps is None:
            return self.plan.run(file.image)
        return run_timed(self.plan, file.image, file.laps)

    def _recorded(self, file, result, staging):
        kind = leaving(self.plan, kinds_of(file.image))
        rows, files = self.recorder.record(
            file.name, file.source, file.image, kind, result, staging.folders
        )
        file.lap("encode")
        with _forgetting(staging, files):
            for path, data in files.items():
                staging.add(path, data)
        file.lap("write")
        outputs = [[path, None, None, check_sum(data)] for path, data in files.items()]
        laps = {"laps": file.laps.found} if file.laps is not None else {}
        return self._entry(file, rows, outputs) | laps

    def lost(self, chunk, index, error):
        """The entry of a file of a chunk, with the cells of the error that nobody lived to tell."""
        return self._entry(_File(chunk, index), [], []) | {"error": error}

    def _failed(self, file, error):
        if getattr(error, "errno", None) in HOPELESS:
            raise error
        return self._entry(file, [], []) | {"error": described(error)}

    def _entry(self, file, rows, outputs):
        return {
            "name": file.name,
            "source": file.source,
            "state": file.state,
            "hash": file.hash,
            "run": self.run,
            "key": self.key,
            "seconds": round(time.monotonic() - file.started, 6),
            "at": round(time.time(), 3),
            "rows": rows,
            "outputs": outputs,
        }


@contextlib.contextmanager
def _forgetting(staging, paths):
    """If anything fails, none of the files stays."""
    try:
        yield
    except BaseException:
        staging.forget(paths)
        raise


def intact(out, entry, *, verify=False):
    """Whether the outputs of an entry are as they were written.

    Parameters
    ----------
    out : str
        The folder of the run.
    entry : dict
        Of the ledger.
    verify : bool, default=False
        Whether to read them even if size and time are the same.
    """
    for output in entry["outputs"]:
        path, size, changed, content = output
        if is_packed(path):
            if not packed_intact(out, output, verify=verify):
                return False
            continue
        found = file_state(f"{out}/{path}")
        if found is None or found[0] != size:
            return False
        if (verify or found[1] != changed) and _sum_of_file(f"{out}/{path}") != content:
            return False
    return True


def _sum_of_file(path):
    try:
        return check_sum(np.fromfile(path, np.uint8))
    except OSError:
        return None


def leaving(plan, likely):
    """The kind that leaves a plan when a picture of one of the `likely` kinds enters.

    Examples
    --------
    >>> from classical import Gray, Otsu
    >>> from vision.kinds import Kind
    >>> leaving((Gray() >> Otsu()).plan(), [Kind.RGB])
    <Kind.MASK: 'mask'>
    """
    exact = [kind for kind in likely if kind in plan.kinds]
    near = [kind for kind in plan.kinds if any(one.fits((kind,)) for one in likely)]
    return plan.kinds[(exact or near)[0]]


def described(error):
    """The cells of an error: its class, and its reason on one line."""
    cls = type(error)
    ours = cls.__module__.partition(".")[0] in ("builtins", "vision", "classical", "deep")
    reason = error.reason if isinstance(error, ImageError) else str(error)
    if not reason:
        reason = "not enough memory" if isinstance(error, MemoryError) else "no reason given"
    name = cls.__name__ if ours else f"{cls.__module__}.{cls.__name__}"
    if isinstance(error, MemoryError) or getattr(error, "code", None) == cv2.Error.StsNoMem:
        name = MemoryError.__name__  # of NumPy and OpenCV too
    return {"error": name, "reason": " ".join(reason.split())}


class _CvThreads:
    """How many runs hold OpenCV at one thread, and what it had before the first."""

    lock = threading.Lock()
    runs = before = 0


@contextlib.contextmanager
def one_cv2_thread():
    """OpenCV works on one thread within, since the files are on threads already.

    Examples
    --------
    >>> with one_cv2_thread():
    ...     cv2.getNumThreads()
    1
    """
    with _CvThreads.lock:
        if not _CvThreads.runs:
            _CvThreads.before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _CvThreads.runs += 1
    try:
        yield
    finally:
        with _CvThreads.lock:
            _CvThreads.runs -= 1
            if not _CvThreads.runs:
                cv2.setNumThreads(_CvThreads.before)
