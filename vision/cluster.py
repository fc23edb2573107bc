"""Who does the chunks of a run: worker processes of Dask, of this machine or of a cluster."""

import contextlib
import copy
import functools
import os
import pickle
import queue
import threading
from collections import Counter
from concurrent.futures import CancelledError
from pathlib import Path

from vision.cluster_options import require_dask
from vision.errors import LoadError, ParameterError, VisionError, WriteError
from vision.executors import Again
from vision.ledger import Line
from vision.run_chunk import Chunk

SLOTS = 3  # chunks a worker: one is made visible, one computed, and one waits
TRIES = 3  # of a file at which workers die
LOSSES = 20  # deaths of workers that a chunk outlives which they had not begun
CONNECT = 10.0  # seconds in which a scheduler must answer
FOLLOW = 10.0  # seconds between two looks at how many workers there are
OPEN = 0.5  # seconds in which what was being opened is found open, and closed
RELEASE = 1.0  # seconds that a finished task has to be forgotten
LEAVE = 0.3  # seconds in which workers of a cluster are told that a run is over
WARN_ABOVE = "distributed.admin.large-graph-warning-threshold"  # pictures in memory travel


class Cluster:
    """Worker processes, one thread each; one that dies is replaced, and costs nothing.

    A chunk at which a worker died is tried again file by file. The file at which workers die three
    times becomes an error.

    Parameters
    ----------
    work : Work
        What threads would do; each worker makes its own of it.
    pipeline : Pipeline
        What runs; sent to each worker once.
    workers : int, optional
        Processes of this machine, which end with this one.
    address : str, optional
        Instead of these the scheduler of a Dask cluster, whose workers have the same files under
        the same names, and the same packages.
    timeout : float, optional
        Seconds that a file may take before its process is ended.
    memory_limit : int, optional
        Bytes that a worker may have.
    earlier : bool, default=True
        Whether what the ledger knows under another name is taken over from there.

    Raises
    ------
    ParameterError
        If the pipeline cannot be sent, or no scheduler answers.
    MissingDependencyError
        If Dask is not installed.
    """

    def __init__(
        self,
        work,
        pipeline,
        *,
        workers=None,
        address=None,
        timeout=None,
        memory_limit=None,
        earlier=True,
    ):
        require_dask()
        from vision.cluster_work import Shipped

        self.work, self.timeout, self.memory_limit = work, timeout, memory_limit
        self.workers, self.address = workers, address
        self.out = os.path.abspath(work.recorder.out)  # noqa: PTH100 (as text)
        limits = {"timeout": timeout, "memory_limit": memory_limit}
        payload = _payload(work, pipeline, self.out, earlier)
        self._shipped = Shipped(work.run, self.out, payload, own=address is None, **limits)
        self.slots = SLOTS * (workers or 1)
        self._client, self._processes = None, None
        self._lock, self._waiting, self._done = threading.Lock(), [], queue.SimpleQueue()
        self._count, self._futures, self._left = 0, {}, threading.Event()
        self._tries, self._losses, self._oversized = Counter(), Counter(), set()

    def __enter__(self):
        from vision.cluster_processes import LocalProcesses, quiet, signals_kept

        self._held = contextlib.ExitStack()
        self._held.enter_context(quiet())
        if self.address is None:
            self._processes = LocalProcesses(
                self.workers, self.work.run, self.memory_limit, self._failed
            )
            self._held.callback(self._processes.close)
        self._opening = threading.Thread(target=self._open, name="vision-cluster", daemon=True)
        with signals_kept():
            self._opening.start()
        return self

    def _open(self):
        """Get workers, while the run goes on; chunks wait for them."""
        from vision.cluster_processes import given_up_quietly

        try:
            client = self._processes.connect() if self._processes else _connected(self.address)
            client.loop.asyncio_loop.set_exception_handler(given_up_quietly)
            client.subscribe_topic("worker-restart-memory", self._note_oversized)
            client.register_plugin(self._shipped)
            with self._lock:
                self._client = client
                for chunk in self._waiting:
                    self._send(chunk)
            if self._processes:
                self._processes.start()
            else:
                self._follow_size(client)
        except ImportError as error:
            self._failed(LoadError(f"A worker of {self.address!r} lacks this package: {error}."))
        except BaseException as error:
            self._failed(error)

    def _failed(self, error):
        self._done.put((None, error))

    def _follow_size(self, client):
        """Workers of a cluster come and go."""
        while not self._left.is_set():
            self.slots = SLOTS * max(1, len(client.nthreads()))
            self._left.wait(FOLLOW)

    def _note_oversized(self, event):
        self._oversized.add(event[1]["pid"])

    def submit(self, chunk):
        """Have a chunk done."""
        with self._lock:
            if self._client is None:
                self._waiting.append(chunk)
            else:
                self._send(chunk)

    def _send(self, chunk):
        import cloudpickle
        import dask

        from vision.cluster_work import do

        self._count += 1
        number, run = self._count, self.work.run
        with dask.config.set({WARN_ABOVE: "1 TB"}):
            future = self._client.submit(
                do, run, number, cloudpickle.dumps(chunk), key=f"vision-{run}-{number}"
            )
        self._futures[number] = future  # Dask forgets what nobody holds
        future.add_done_callback(functools.partial(self._arrived, number, chunk))

    def _arrived(self, number, chunk, future):
        self._done.put(((number, chunk), future))

    def completed(self, timeout):
        """A chunk, what became of it, and seconds; None after `timeout`.

        What became of it is a list of entries, an `Again` if a worker died, or the error that ends
        the run.
        """
        try:
            attempt, future = self._done.get(timeout=timeout)
        except queue.Empty:
            return None
        if attempt is None:
            return None, future, 0.0
        try:
            given, seconds = self._outcome(*attempt, future, timeout)
        except TimeoutError:  # a step keeps the worker from sending it
            self._done.put((attempt, future))
            return None
        self._let_go(future.key)
        self._futures.pop(attempt[0], None)
        return attempt[1], given, seconds

    def _let_go(self, key):
        """Have a task not done again if the worker that did it dies: its result has been read.

        The client says so too, but some time later, and then its lines are in the ledger.
        """
        with contextlib.suppress(Exception):  # while everything ends nobody may answer
            self._client.sync(_released, self._client, key, callback_timeout=RELEASE)

    def _outcome(self, number, chunk, future, timeout):
        from distributed import KilledWorker

        if future.status not in ("error", "cancelled"):
            # A worker may die before it has sent what is done: then Dask does it again.
            with contextlib.suppress(KilledWorker, CancelledError):
                return self._read(chunk, _fetched(future, timeout))
        if future.status == "cancelled":
            return VisionError(f"The connection to {self.address or 'the workers'} was lost."), 0.0
        error = future.exception()
        if isinstance(error, KilledWorker):
            return self._after_death(number, chunk, error.allowed_failures + 1), 0.0
        return error, 0.0

    def _read(self, chunk, data):
        found, seconds, fatal = pickle.loads(data)  # noqa: S301 (from our own function)
        entries = [Line(entry) if isinstance(entry, bytes) else entry for entry in found]
        for name in chunk.names:
            self._tries.pop(name, None)
        if fatal is None:
            return entries, seconds
        error = WriteError(fatal[0])
        error.errno, error.entries = fatal[1], entries
        return error, seconds

    def _after_death(self, number, chunk, deaths):
        """The chunk again, in parts; or the entry of a file that was tried often enough."""
        words, pid = self._last_words(number)
        if words is None and self._losses[chunk.names[0]] < LOSSES:
            self._losses[chunk.names[0]] += 1  # another chunk was in work there
            return Again([chunk])
        self._tries.update(dict.fromkeys(chunk.names, deaths))
        if len(chunk) > 1:
            return Again([_part(chunk, index) for index in range(len(chunk))])
        if self._tries[chunk.names[0]] < TRIES:
            return Again([chunk])
        return [self.work.lost(chunk, 0, self._reason(words or "", pid))]

    def _last_words(self, number):
        """What a worker that died at this attempt left behind, and its process; else None."""
        from vision.cluster_work import note_prefix

        for path in Path(self.out).glob(f"{note_prefix(self.work.run)}*.tmp"):
            head, _, words = _text(path).partition("\n")
            if head == str(number):
                path.unlink(missing_ok=True)
                return words, int(path.stem.rpartition("-")[2])
        return None, None

    def _reason(self, words, pid):
        """The cells of the error of a file at which workers died."""
        if words.startswith("Timeout"):
            reason = f"not done after {self.timeout:g} seconds, the time limit of a file"
            return {"error": "TimeoutError", "reason": reason}
        if pid in self._oversized:
            reason = f"a worker needed more than its limit of {self.memory_limit:,} bytes"
            return {"error": "MemoryError", "reason": reason}
        how = "it ended itself, or was killed, as the system does where memory runs out"
        if words.startswith("Fatal Python error: "):
            how = f"it crashed: {words.splitlines()[0].partition(': ')[2]}"
        reason = f"each time that it was tried its worker process died: {how}"
        return {"error": "KilledWorker", "reason": reason}

    def stop(self):
        """Begin no further file."""
        self._mark("stopping")

    def abandon(self):
        """Let nothing of what is still in work become visible."""
        if self._processes:
            self._processes.kill()
        else:
            self._mark("abandoned").join(LEAVE)

    def _mark(self, flag):
        """Set a flag in all workers, from a thread: a step may keep them from answering."""
        thread = threading.Thread(target=self._tell, args=(flag,), daemon=True)
        thread.start()
        return thread

    def _tell(self, flag):
        from vision.cluster_work import mark

        with contextlib.suppress(Exception):
            self._client.run(mark, self.work.run, flag)

    def __exit__(self, *exception):
        self._left.set()
        self._opening.join(OPEN)
        with self._held:
            if self.address is not None and self._client is not None:
                self._leave()

    def _leave(self):
        """The workers of a cluster forget the run."""
        forgetting = threading.Thread(target=self._forget, daemon=True)
        forgetting.start()
        forgetting.join(LEAVE)
        self._client.close(timeout=LEAVE)

    def _forget(self):
        with contextlib.suppress(Exception):
            self._client.unregister_worker_plugin(self._shipped.name)


def _fetched(future, timeout):
    """What a worker sent; a `TimeoutError` if it does not come now."""
    try:
        return future.result(timeout=timeout)
    except UnboundLocalError as error:
        # Dask's own: the request before was given up just now, and its end took this one with it.
        raise TimeoutError from error


async def _released(client, key):
    """Once this returns, the scheduler has forgotten a task."""

    def release(key, client, dask_scheduler=None):  # sent by value: it may lack this package
        stimulus = f"vision-read-{key}"
        dask_scheduler.client_releases_keys(keys=[key], client=client, stimulus_id=stimulus)

    await client.run_on_scheduler(release, key, client.id)


def _connected(address):
    """A client of the scheduler at an address."""
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"No Dask scheduler answers at {address!r}: {error}. 'dask scheduler' starts one and "
            "prints its address, 'dask worker ADDRESS --nthreads 1' gives it workers."
        ) from error
    return client


def _payload(work, pipeline, out, earlier):
    """What `vision.cluster_work.Shipped` makes its work of."""
    import cloudpickle

    recorder = copy.copy(work.recorder)
    recorder.out = out
    options = {"durable": work.durable, "packs": work.packs}
    options["ledger"] = _earlier(work) if earlier else None
    try:
        return cloudpickle.dumps((pipeline, (recorder, work.run, work.key), options))
    except Exception as error:
        raise ParameterError(
            f"The pipeline cannot be sent to worker processes: {error}. Leave workers and dask out "
            "to run it on threads."
        ) from error


def _earlier(work):
    """The ledger for workers, if an earlier run did the same."""
    from vision.cluster_work import Earlier

    before = {run: head["key"] for run, head in work.ledger.runs.items() if run != work.run}
    return Earlier(work.ledger) if work.key in before.values() else None


def _text(path):
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # a shared folder shows what is gone for a while
        return ""


def _part(chunk, index):
    """One file of a chunk, as a chunk."""
    return Chunk(chunk.images[[index]], [chunk.names[index]], [chunk.tasks[index]])
