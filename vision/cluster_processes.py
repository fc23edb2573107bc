"""Dask's scheduler within this process and its workers around it: started, killed, closed."""

import asyncio
import contextlib
import copy
import logging
import os
import shutil
import signal
from multiprocessing import resource_tracker, spawn

from vision.errors import VisionError
from vision.staging import scratch_folder
from vision.stopping import SIGNALS

SETTINGS = {
    "distributed.scheduler.worker-ttl": None,  # a step may keep Dask waiting as long as it likes
    "distributed.scheduler.worker-saturation": "inf",  # the next chunk waits at the worker
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.use-file-locking": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 1.0,
}
STARTS = 10  # in a row that may fail
HERE = "127.0.0.1"
CLOSE = 0.5  # seconds that each part has to close


class LocalProcesses:
    """A scheduler in a thread of this process, and worker processes that are replaced if they die.

    Parameters
    ----------
    count : int
        Worker processes.
    run : str
        The identity of the run.
    memory_limit : int or None
        Bytes that each may have.
    failed : callable
        Called with the error when workers cannot be started.
    """

    def __init__(self, count, run, memory_limit, failed):
        self.count, self.run, self.memory_limit, self.failed = count, run, memory_limit, failed
        self.scheduler, self.client, self.loop = None, None, None
        self.nannies, self._keepers, self._closing = {}, [], False
        self._surroundings = contextlib.ExitStack()
        for context in (_environment_kept(), _script_left_alone()):
            self._surroundings.enter_context(context)
        # Python starts it with the first process, and lets signals through to that one.
        resource_tracker.ensure_running()

    def connect(self):
        """Start the scheduler; gives a client of it."""
        from distributed import Client
        from distributed.utils import LoopRunner

        self.loop = LoopRunner()
        self.loop.start()
        self.loop.run_sync(self._start_scheduler)
        self.client = Client(self.scheduler.address, loop=self.loop.loop, set_as_default=False)
        return self.client

    async def _start_scheduler(self):
        import dask
        from distributed import Scheduler

        scratch = scratch_folder(self.run, "scheduler")
        with dask.config.set(SETTINGS | {"temporary-directory": scratch}):
            self.scheduler = await Scheduler(
                host=HERE, dashboard=False, dashboard_address=f"{HERE}:0", allowed_failures=0
            )
        shutil.rmtree(scratch, ignore_errors=True)  # nothing is ever put there

    def start(self):
        """Start the workers, without waiting for them."""
        self.loop.run_sync(self._start_keepers)

    async def _start_keepers(self):
        self._keepers = [asyncio.create_task(self._keep(name)) for name in range(self.count)]

    async def _keep(self, number):
        """Have a worker at any time. Its nanny replaces it, but gives up if it dies too early."""
        failures = 0
        while not self._closing:
            nanny = self.nannies[number] = self._nanny(number)
            try:
                await nanny
                failures = 0
                await nanny.finished()
            except Exception as error:
                failures += 1
                if failures == STARTS:
                    self.failed(VisionError(f"No worker process can be started: {error}"))
                    return

    def _nanny(self, number):
        import dask
        from distributed import Nanny

        with dask.config.set(SETTINGS):
            return Nanny(
                self.scheduler.address,
                nthreads=2,  # only one computes, see `vision.cluster_work.Shipped`
                name=number,
                host=HERE,
                dashboard_address=f"{HERE}:0",
                local_directory=scratch_folder(self.run, number),
                memory_limit=self.memory_limit or 0,
                silence_logs=logging.CRITICAL,
                config=copy.deepcopy(dask.config.config),  # as it is within this block
            )

    def kill(self):
        """End the workers at once; none is replaced."""
        self._closing = True
        for nanny in list(self.nannies.values()):
            nanny.close_gracefully()
            _kill(nanny)

    def close(self):
        """End everything."""
        try:
            if self.loop is not None:
                self.kill()
                if self.client is not None:
                    self.client.close(timeout=CLOSE)
                self.loop.run_sync(self._close)
                self.loop.stop()
        finally:
            self._surroundings.close()
            for number in range(self.count):  # a worker removes its own, unless it had no time
                shutil.rmtree(scratch_folder(self.run, number), ignore_errors=True)

    async def _close(self):
        while any(not keeper.done() for keeper in self._keepers):
            self.kill()  # what was just being started too
            closing = [nanny.close(timeout=0.1) for nanny in self.nannies.values() if _idle(nanny)]
            await _within(CLOSE, asyncio.gather(*closing))
            await asyncio.sleep(0.01)
        if self.scheduler is not None:
            await _within(CLOSE, self.scheduler.close())


def _idle(nanny):
    """Whether a nanny has no process left, and waits for its end."""
    from distributed.core import Status

    return nanny.status == Status.closing_gracefully and not _kill(nanny)


def _kill(nanny):
    """Kill the process of a nanny; gives whether there may be one still."""
    import psutil
    from distributed.core import Status

    keeper = nanny.process
    if keeper is None or keeper.status == Status.stopped or keeper.process is None:
        return False
    if keeper.process.pid is not None:
        with contextlib.suppress(psutil.Error):
            psutil.Process(keeper.process.pid).kill()
    return True


async def _within(seconds, closing):
    with contextlib.suppress(Exception):
        await asyncio.wait_for(closing, seconds)


@contextlib.contextmanager
def quiet():
    """Within, Dask's loggers say nothing: what is to be known, the run says.

    Examples
    --------
    >>> with quiet():
    ...     logging.getLogger("distributed").error("a worker died")
    """
    names = [name for name in logging.root.manager.loggerDict if _of_dask(name)]
    loggers = [logging.getLogger(name) for name in {"distributed", *names}]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def given_up_quietly(loop, context):
    """What an event loop of Dask says of a failure that nobody waited for.

    Reading a result that does not come in time is given up; if its task fails after that, Dask
    leaves behind an `AllExit`, which asyncio would print.
    """
    from distributed.client import AllExit

    if not isinstance(context.get("exception"), AllExit):
        loop.default_exception_handler(context)


def _of_dask(name):
    return name.partition(".")[0] in ("distributed", "tornado")


@contextlib.contextmanager
def signals_kept():
    """Threads that are started within, and processes that these start, get no Ctrl-C.

    It is sent to all processes of a terminal, but workers shall finish what they have begun.
    """
    mask = getattr(signal, "pthread_sigmask", None)
    if mask is None:
        yield
        return
    before = mask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _environment_kept():
    """Take back the variables that Dask sets for the processes that it starts."""
    import dask
    import distributed  # noqa: F401 (has its settings read)

    names = ("PYTHONHASHSEED", *dask.config.get("distributed.nanny.pre-spawn-environ"))
    before = {name: os.environ[name] for name in names if name in os.environ}
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


@contextlib.contextmanager
def _script_left_alone():
    """Workers do not run the user's script again, which would start a run in each.

    Python runs the main module in every process that it spawns, in case something in it is sent
    there by name. Nothing is: cloudpickle sends whatever is of the script by value.
    """
    prepared = spawn.get_preparation_data

    def without_script(name):
        found = prepared(name)
        if name.startswith("Dask Worker"):
            found.pop("init_main_from_path", None)
            found.pop("init_main_from_name", None)
        return found

    spawn.get_preparation_data = without_script
    try:
        yield
    finally:
        spawn.get_preparation_data = prepared
