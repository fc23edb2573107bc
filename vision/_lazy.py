"""Lazy packages: a public name is imported from its module when it is first used."""

import importlib


def attach(package, table):
    """`__getattr__`, `__dir__` and `__all__` of a lazy package.

    Parameters
    ----------
    package : str
        The package's `__name__`.
    table : dict of str to str
        Public names with the modules that define them.

    Returns
    -------
    tuple
        The three, to be assigned in the package's ``__init__``.
    """

    def __getattr__(name):  # noqa: N807
        if name not in table:
            from vision.nearest import did_you_mean

            hint = did_you_mean(name, table)
            raise AttributeError(f"module {package!r} has no attribute {name!r}. {hint}".strip())
        return getattr(importlib.import_module(table[name]), name)

    def __dir__():  # noqa: N807
        return sorted(table)

    return __getattr__, __dir__, sorted(table)
