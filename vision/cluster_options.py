"""Options of runs on worker processes, checked before Dask is needed for anything else."""

from vision.checks import check_integer, check_number, refuse
from vision.errors import MissingDependencyError

SMALLEST = 512 << 20  # bytes: what a worker needs for itself, with room for pictures


def require_dask():
    """Import Dask's scheduler and workers.

    Returns
    -------
    module
        ``distributed``.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingDependencyError(
            "Worker processes are run by Dask, which is not installed: "
            "pip install 'vision-pipelines[dask]'."
        ) from error
    return distributed


def check_cluster(*, threads, workers, dask, timeout, memory_limit):
    """Refuse options of `vision.run` that do not go together, or make no sense.

    Returns
    -------
    int or None
        The memory limit in bytes.

    Raises
    ------
    ParameterError
        If one is refused.
    MissingDependencyError
        If Dask is needed and not installed.

    Examples
    --------
    >>> options = dict.fromkeys(("threads", "workers", "dask", "timeout", "memory_limit"))
    >>> check_cluster(**options | {"timeout": 60})
    Traceback (most recent call last):
    ...
    vision.errors.ParameterError: The 'timeout' of run must be left out with threads: only a
    process can be ended. Got 60. With workers=2 (--workers 2) it works.
    """
    given = {"threads": threads, "workers": workers, "dask": dask}
    named = [name for name, value in given.items() if value is not None]
    for name in named[1:]:
        refuse(name, given[name], f"left out with {named[0]}", "run")
    if workers is None and dask is None:
        _refuse_limits(timeout=timeout, memory_limit=memory_limit)
        return None
    if workers is not None:
        check_integer("workers", workers, owner="run", at_least=1)
    elif not (isinstance(dask, str) and dask):
        refuse("dask", dask, "the address of a scheduler, such as 'tcp://10.0.0.5:8786'", "run")
    if timeout is not None:
        check_number("timeout", timeout, owner="run", above=0)
    require_dask()
    return None if memory_limit is None else _bytes_of(memory_limit)


def _refuse_limits(**limits):
    for name, limit in limits.items():
        if limit is not None:
            allowed = "left out with threads: only a process can be ended"
            refuse(name, limit, allowed, "run", "With workers=2 (--workers 2) it works.")


def _bytes_of(limit):
    from dask.utils import parse_bytes

    try:
        found = 0 if isinstance(limit, bool) else parse_bytes(limit)
    except (AttributeError, TypeError, ValueError):
        found = 0
    if found < SMALLEST:
        refuse("memory_limit", limit, "at least '512MiB', such as '2GB', or bytes", "run")
    return found
