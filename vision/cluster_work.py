"""What runs in a worker process of `vision.cluster`: chunks of files, watched and limited."""

import bisect
import contextlib
import ctypes
import faulthandler
import gc
import logging
import os
import pickle
import signal
import socket
import sys
import threading
import time
from array import array
from pathlib import Path

from vision.allocator import memory_kept
from vision.atomic import write_named_error
from vision.errors import LoadError, WriteError
from vision.ledger import Ledger, line_of
from vision.run_work import Work, one_cv2_thread
from vision.staging import PREFIX

try:
    from distributed import WorkerPlugin, get_worker
except ImportError:  # only those who have Dask get here on purpose
    WorkerPlugin = object

SLACK = 0.05  # of the time limit: by so much it may come later, and is not set for each file
COLD = 10.0  # seconds at most that the first file of a process has beyond the limit
PARENT_DIED = 1  # prctl's PR_SET_PDEATHSIG (linux/prctl.h)


def plugin_name(run):
    """What Dask knows a run's `Shipped` by."""
    return f"vision-{run}"


def do(run, number, data):
    """The task that Dask runs: a chunk, pickled, by the number of its attempt."""
    return get_worker().plugins[plugin_name(run)](number, data)


def mark(run, flag, dask_worker):
    """Set a flag of a run in a worker: ``"stopping"`` or ``"abandoned"``."""
    shipped = dask_worker.plugins.get(plugin_name(run))
    if shipped is not None:
        getattr(shipped, flag).set()


class Shipped(WorkerPlugin):
    """A run as it travels to each worker, once; there it makes its chunks.

    Parameters
    ----------
    run : str
        The identity of the run.
    out : str
        Its folder, which the worker has under the same name.
    payload : bytes
        The pipeline and what else `Work` takes, pickled by cloudpickle.
    own : bool
        Whether the process is there for this run alone.
    timeout : float, optional
        Seconds that a file may take.
    memory_limit : int, optional
        Bytes that the process may ask for.
    """

    def __init__(self, run, out, payload, *, own, timeout=None, memory_limit=None):
        self.run, self.out, self.payload, self.own = run, out, payload, own
        self.timeout, self.memory_limit = timeout, memory_limit
        self.name = plugin_name(run)

    def setup(self, worker):
        """Called by Dask when the plugin reaches a worker."""
        self.stopping, self.abandoned = threading.Event(), threading.Event()
        self._lock, self._held = threading.Lock(), contextlib.ExitStack()
        self._work = self._note = None
        if self.own:
            _settle(worker)

    def teardown(self, worker):
        """Called by Dask when the run is over: the process is as it was."""
        self._held.close()

    def __call__(self, number, data):
        """The outcome of a chunk, pickled: entries, seconds, and what ended the run, if anything.

        Entries are lines of the ledger already, where nothing is to be added to them.

        One chunk is computed at a time, however many threads the process has, while another waits
        for the disk.
        """
        with self._lock:
            work = self._ready(number)
            chunk, started = pickle.loads(data), time.monotonic()  # noqa: S301
            begun = work.begin(chunk)
            seconds = time.monotonic() - started
        if not self._note.stands():  # another run began: the one that sent this was killed
            self.abandoned.set()
        try:
            entries, fatal = work.finish(begun), None
        except WriteError as error:
            entries, fatal = getattr(error, "entries", []), (str(error), error.errno)
        found = [entry if _unsettled(entry) else line_of(entry) for entry in entries]
        return pickle.dumps((found, seconds, fatal), 5)

    def _ready(self, number):
        if self._note is None:
            self._note = self._held.enter_context(Note(self.out, self.run))
        self._note.begin(number)
        if self._work is None:
            self._work = self._loaded()
        return self._work

    def _loaded(self):
        if self.memory_limit is not None:
            self._held.enter_context(memory_limited(self.memory_limit))
        self._held.enter_context(one_cv2_thread())
        self._held.enter_context(memory_kept())
        if self.own:
            gc.freeze()  # what was imported is not looked through for cycles again and again
            faulthandler.enable(self._note.descriptor, all_threads=False)
        try:
            pipeline, arguments, options = pickle.loads(self.payload)  # noqa: S301
            watch = Watch(self._note.descriptor, self.timeout)
            work = Watched(watch, pipeline.plan(), *arguments, **options)
        except Exception as error:
            raise LoadError(
                f"A worker cannot load the pipeline: {type(error).__name__}: {error}. It needs "
                "the same packages and modules as the process that started the run."
            ) from error
        work.stopping, work.abandoned = self.stopping, self.abandoned
        return work


def _unsettled(entry):
    """Whether the process that writes the ledger has to look at an entry first."""
    return "kept" in entry or "error" in entry


class Watched(Work):
    """`Work` under a time limit for each file, without sight of what other processes do."""

    def __init__(self, watch, *args, **options):
        super().__init__(*args, **options)
        self.watch = watch

    def _claim(self, file):
        return True

    def _fill(self, entries, chunk, staging):
        try:
            super()._fill(entries, chunk, staging)
        finally:
            self.watch.end()

    def _together(self):
        if self.watch.timeout is None or self.plan.batched:
            return super()._together()
        return 1, 0  # the limit is that of one file

    def _begun(self, file, staging):
        self.watch.begin()
        return super()._begun(file, staging)

    def _run_many(self, files):
        self.watch.begin(len(files))
        super()._run_many(files)


class Watch:
    """Ends the process where files take too long: C code cannot be interrupted in another way.

    By a timer of Python's fault handler, which needs no lock of the interpreter, and writes down
    where the process was.

    Parameters
    ----------
    descriptor : int
        The file that it writes to.
    timeout : float or None
        Seconds a file.
    """

    def __init__(self, descriptor, timeout):
        self.descriptor, self.timeout = descriptor, timeout
        self._ends = self._extra = 0.0
        if timeout is not None:
            self._extra = min(timeout, COLD)

    def begin(self, files=1):
        """So many files are worked on from now."""
        if self.timeout is None:
            return
        now, slack = time.monotonic(), SLACK * self.timeout
        due = now + self.timeout * files + self._extra
        if not due <= self._ends <= due + slack:
            self._ends = due + slack
            faulthandler.dump_traceback_later(self._ends - now, file=self.descriptor, exit=True)
        self._extra = 0.0

    def end(self):
        """Nothing is worked on."""
        if self._ends:
            faulthandler.cancel_dump_traceback_later()
            self._ends = 0.0


class Note:
    """A file in which a worker process says what it does, for those who find it dead.

    Parameters
    ----------
    out : str
        The folder of the run.
    run : str
        Its identity: a part of the name, as of all temporary files, so that none is left.

    Attributes
    ----------
    descriptor : int
        Of the file, for the fault handler.
    """

    def __init__(self, out, run):
        self.path = f"{out}/{note_prefix(run)}{socket.gethostname()}-{os.getpid()}.tmp"
        with write_named_error(self.path):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            self.descriptor = os.open(self.path, flags, 0o666)

    def begin(self, number):
        """The attempt of this number begins."""
        with write_named_error(self.path):
            os.lseek(self.descriptor, 0, os.SEEK_SET)
            os.ftruncate(self.descriptor, 0)
            os.write(self.descriptor, b"%d\n" % number)

    def stands(self):
        """Whether it is there: the next run into the folder removes it."""
        return os.path.exists(self.path)  # noqa: PTH110 (as text)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        faulthandler.cancel_dump_traceback_later()
        os.close(self.descriptor)


def note_prefix(run):
    """How the names of a run's notes begin."""
    return f"{PREFIX}{run}-note-"


class Earlier:
    """The ledger as it was when the run began, opened where a content may be known to it.

    Parameters
    ----------
    ledger : Ledger
        As the process that started the run has it. What travels is its path, and 8 bytes for each
        content.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/ledger.jsonl"
    >>> with Ledger(path, write=True) as ledger:
    ...     ledger.append([{"name": "a.jpg", "hash": 32 * "a"}])
    ...     earlier = Earlier(ledger)
    >>> earlier.name_of(32 * "a"), earlier.name_of(32 * "b")
    ('a.jpg', None)
    """

    def __init__(self, ledger):
        self.path = ledger.path.absolute()
        self.marks = array("Q", sorted(map(_mark, ledger.contents())))
        self._ledger = None

    def __del__(self):
        if self._ledger is not None:
            self._ledger.close()

    def name_of(self, content):
        """A name whose content had this hash, or None."""
        wanted = _mark(content)
        place = bisect.bisect_left(self.marks, wanted)
        if place == len(self.marks) or self.marks[place] != wanted:
            return None
        if self._ledger is None:
            self._ledger = Ledger(self.path)
        return self._ledger.name_of(content)

    def __getitem__(self, name):
        """The entry of a name."""
        return self._ledger[name]


def _mark(content):
    return int(content[:16], 16)


@contextlib.contextmanager
def memory_limited(limit):
    """Within, asking for more than so many bytes is a `MemoryError`, where the system has that.

    Examples
    --------
    >>> with memory_limited(1 << 40):
    ...     pass
    """
    try:
        import resource
    except ImportError:  # Windows: the nanny's limit must do
        yield
        return
    # Address space is no measure: libraries reserve much of it that they never use.
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def _settle(worker):
    """Make a process the run's own: quiet, without files, and gone with its parent."""
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(line_buffering=True)  # the process is killed in the end
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    scratch = Path(worker.local_directory)  # nothing is ever put there
    for folder in (scratch, scratch.parent, scratch.parent.parent):
        with contextlib.suppress(OSError):
            folder.rmdir()
    if sys.platform.startswith("linux"):
        # Dask's own watch over the parent is a thread, which native code may keep from running.
        ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGKILL)
