"""The work of a run: chunks of files, from their bytes to the names of their outputs."""

import contextlib
import functools
import threading
import time

from vision.errors import ImageError, WriteError
from vision.fingerprints import check_sum, content_hash
from vision.kinds import kinds_of
from vision.opencv import cv2
from vision.packing import PackedChunk
from vision.run_chunk import ChunkFile
from vision.run_outputs import intact, unaltered
from vision.staging import HOPELESS, Staging
from vision.step_times import run_many_timed, run_timed

SECONDS = 1.0  # of work, then a chunk ends: about what a crash costs a thread
BATCH = 16  # pictures that a network or a scikit-learn step gets at once ...
BATCH_BYTES = 32 << 20  # ... unless they hold more than this together
# So many other small files go through a stage before the next one: the processor's caches hold the
# code of a stage, not that of all, which is a quarter of the time of a picture of 64x64.
STAGED = 48
STAGED_BYTES = 1 << 20
STAGED_SECONDS = 0.02
# Seconds below which a file is not worth a second thread, measured while one is at work, and while
# several are in each other's way.
TINY, TINY_SHARED = 0.0004, 0.0008
TURN = 0.5  # seconds that a thread waits for another at most: one that is stuck stops no other


class Work:
    """Everything that happens to a chunk. Called with one, it gives the entries of the ledger.

    An entry holds ``name`` and ``source``, ``state`` and ``hash`` of the file, ``run``, ``key``,
    ``seconds`` that it took and the time ``at`` its end, the ``rows`` of the table, the ``outputs``
    (path, size, time or place in an archive, and check sum of each), ``laps`` where its steps were
    timed, ``pages`` where it has several and, where the file failed, ``error``; ``made`` are
    outputs that got their names before another one of the file did not. A file whose content is in
    work elsewhere has ``name`` and ``waits``: it is to be given again later. One that a chunk did
    not get to, in its second, has no entry.

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
    fresh : bool, default=False
        Whether nothing is taken over from earlier runs.
    """

    def __init__(self, plan, recorder, run, key, *, durable, ledger=None, packs=None, fresh=False):
        self.plan, self.recorder, self.ledger, self.packs = plan, recorder, ledger, packs
        self.run, self.key, self.durable, self.fresh = run, key, durable, fresh
        self.stopping, self.abandoned = threading.Event(), threading.Event()
        self._claimed = {}  # content to the name that is in work
        self._leaving = functools.cache(functools.partial(leaving, plan))
        self._staged = 1  # files that go through a stage together
        self.tiny, self._python = True, threading.Lock()  # until it is known better

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
        failed = staging.publish(self._turn)
        entries = [self._settled(entry, failed, staging) for entry in entries]
        if fatal is not None:
            fatal.entries = entries
            raise fatal
        return entries

    def _settled(self, entry, failed, staging):
        """The entry, its outputs as they are on the disk now."""
        if "waits" in entry:
            return entry
        outputs = entry["outputs"]
        errors = [failed[path] for path, *_ in outputs if path in failed] if failed else []
        if errors:
            made = [path for path, *_ in outputs if path not in failed]
            error = described(errors[0])
            return entry | {"rows": [], "outputs": [], "made": made, "error": error}
        for output in outputs:
            output[1:3] = staging.state(output[0]) or output[1:3]
        return entry

    def _fill(self, entries, chunk, staging):
        started, done, spent = time.monotonic(), 0, 0.0
        while done < len(chunk) and not self.stopping.is_set():
            if done and time.monotonic() - started > SECONDS:
                break
            with self._turn():
                before = time.monotonic()
                count = self._do_some(entries, chunk, done, staging)
                seconds = max(time.monotonic() - before, 1e-6)
            fitting = int(STAGED_SECONDS * count / seconds)
            self._staged = max(1, min(STAGED, 2 * self._staged, fitting))
            done, spent = done + count, spent + seconds
        self._note_tiny(spent, done)

    def _do_some(self, entries, chunk, done, staging):
        """The next files of a chunk, through all stages together; how many they were."""
        files = []
        try:
            self._begin_some(files, chunk, done, staging)
            self._compute(files, staging)
            for stage in (self._encoded, self._written):
                for file in files:
                    self._stage(file, stage, staging)
        finally:
            entries += [file.entry for file in files if file.entry is not None]
        return len(files)

    def _note_tiny(self, seconds, files):
        """So many files took so long: whether the next chunk is for one thread at a time."""
        each = seconds / max(files, 1)
        if files >= STAGED or each > STAGED_SECONDS:  # the first files of a run tell little
            self.tiny = each < (TINY if self.tiny else TINY_SHARED)

    def _together(self):
        """How many files are worked on together, at most, and how many bytes they hold."""
        return (BATCH, BATCH_BYTES) if self.plan.batched else (self._staged, STAGED_BYTES)

    @contextlib.contextmanager
    def _turn(self):
        """Where files are tiny, one thread at a time.

        Nearly all of their time needs Python's own lock, and threads that want it wake each other
        at every call of the system: two take longer than one.
        """
        held = self.tiny and self._python.acquire(timeout=TURN)
        try:
            yield
        finally:
            if held:
                self._python.release()

    def _begin_some(self, files, chunk, first, staging):
        """Read and decode the next files."""
        count, most = self._together()
        held = 0
        for index in range(first, min(first + count, len(chunk))):
            if files and (held >= most or self.stopping.is_set()):
                break
            file = ChunkFile(chunk, index)
            files.append(file)
            self._stage(file, self._begun, staging)
            held += getattr(file.image, "nbytes", 0)

    def _compute(self, files, staging):
        """From pictures to results; files for which there is no time any more are dropped."""
        pending = [file for file in files if file.entry is None]
        if self.plan.batched and len(pending) > 1:
            self._run_many(pending)
        for place, file in enumerate(files):
            if place and file.result is None and self.stopping.is_set():
                del files[place:]
                break
            self._stage(file, self._run, staging)

    def _stage(self, file, stage, staging):
        """One stage of one file, unless it has its entry already: an error becomes that."""
        if file.entry is not None:
            return
        file.start()
        try:
            file.entry = stage(file, staging)
        except (Exception, SystemExit) as error:
            file.entry = self._failed(file, error)
        file.stop()

    def _begun(self, file, staging):
        """The entry of a file that need not be computed; else None, and it has its image."""
        data, file.state = file.chunk.images.loaded(file.index)
        file.hash = content_hash(data)
        file.lap("read")
        _, earlier = file.chunk.tasks[file.index]
        if earlier is not None and earlier["hash"] == file.hash:
            return {**earlier, "state": file.state, "kept": True}
        copied = self._copied(file, staging)
        if copied is not None:
            return copied
        if not self._claim(file):
            return {"name": file.name, "waits": True}
        file.image, file.pages = file.chunk.images.decoded(file.index, data)
        self.plan.admit(file.image)
        file.lap("decode")
        return None

    def _claim(self, file):
        """Whether no other file of this content is in work."""
        if self.ledger is None:
            return True
        owner = self._claimed.setdefault(file.hash, file.name)  # at once, whoever else does it
        if owner == file.name:
            return True
        entry = self.ledger.get(owner)
        return entry is not None and entry["run"] == self.run

    def _copied(self, file, staging):
        """The entry of a file whose content was done under another name; None if it was not."""
        other = None if self.ledger is None else self.ledger.name_of(file.hash)
        if other is None or other == file.name:
            return None
        found = self.ledger[other]
        if found["hash"] != file.hash or found["key"] != self.key or "error" in found:
            return None
        if self.fresh and found["run"] != self.run:
            return None
        if not intact(self.recorder.out, found, verify=self.packs is not None):
            return None
        renamed = self.recorder.renamed(found, file.name, file.source, staging.folders)
        if renamed is None:
            return None
        rows, paths = renamed
        with _forgetting(staging, paths.values()):
            for output in found["outputs"]:
                taken = staging.take_over(output, paths[output[0]])
                if taken is not None and not unaltered(taken, output):  # replaced meanwhile
                    staging.forget(paths.values())
                    return None
        outputs = [[paths[path], *rest] for path, *rest in found["outputs"]]
        file.pages = found.get("pages", 1)
        return self._entry(file, rows, outputs) | {"copied": other}

    def _run_many(self, files):
        """The results of a batch, unless it fails: then each picture is tried alone."""
        started, laps = time.monotonic(), files[0].laps
        try:
            images = [file.image for file in files]
            found = run_many_timed(self.plan, images, laps) if laps else self.plan.run_many(images)
        except (Exception, SystemExit):  # raised again, and told, by the picture it belongs to
            files[0].laps = None
            return
        share = (time.monotonic() - started) / len(files)
        for file, result in zip(files, found):
            file.result = result
            file.seconds += share

    def _run(self, file, staging):
        if file.result is not None:
            return
        if file.laps is None:
            file.result = self.plan.run(file.image)
        else:
            file.result = run_timed(self.plan, file.image, file.laps)

    def _encoded(self, file, staging):
        kind = self._leaving(kinds_of(file.image))
        file.rows, file.outputs = self.recorder.record(
            file.name, file.source, file.image, kind, file.result, staging.folders
        )
        file.image = file.result = None
        file.lap("encode")

    def _written(self, file, staging):
        outputs = []
        try:
            for path, data in file.outputs.items():
                staging.add(path, data)
                outputs.append([path, None, None, check_sum(data)])
        except BaseException:
            staging.forget(file.outputs)
            raise
        file.lap("write")
        entry = self._entry(file, file.rows, outputs)
        if file.laps is not None:
            entry["laps"] = file.laps.found
        return entry

    def lost(self, chunk, index, error):
        """The entry of a file of a chunk, with the cells of the error that nobody lived to tell."""
        return self._entry(ChunkFile(chunk, index), [], []) | {"error": error}

    def _failed(self, file, error):
        if getattr(error, "errno", None) in HOPELESS:
            raise error
        return self._entry(file, [], []) | {"error": described(error)}

    def _entry(self, file, rows, outputs):
        entry = {
            "name": file.name,
            "source": file.source,
            "state": file.state,
            "hash": file.hash,
            "run": self.run,
            "key": self.key,
            "seconds": round(file.seconds + time.monotonic() - file.started, 6),
            "at": round(time.time(), 3),
            "rows": rows,
            "outputs": outputs,
        }
        if file.pages > 1:
            entry["pages"] = file.pages
        return entry


@contextlib.contextmanager
def _forgetting(staging, paths):
    """If anything fails, none of the files stays."""
    try:
        yield
    except BaseException:
        staging.forget(paths)
        raise


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
