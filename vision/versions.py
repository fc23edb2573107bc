"""Which version of a library is installed."""

from functools import cache
from importlib import metadata


@cache
def version_of(distribution):
    """The version of an installed distribution; it is looked up once.

    Parameters
    ----------
    distribution : str

    Returns
    -------
    str or None
        None if it is not installed.

    Examples
    --------
    >>> version_of("numpy").count("."), version_of("no-such-thing") is None
    (2, True)
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
