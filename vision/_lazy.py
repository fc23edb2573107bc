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
            hint = "" if name.startswith("_") else _hint(name, table)
            raise AttributeError(f"module {package!r} has no attribute {name!r}. {hint}".strip())
        return getattr(importlib.import_module(table[name]), name)

    def __dir__():  # noqa: N807
        return sorted(table)

    return __getattr__, __dir__, sorted(table)


def _hint(name, table):
    import vision
    from vision.catalogue import STEPS
    from vision.names_elsewhere import called_here
    from vision.nearest import did_you_mean

    here = dict.fromkeys(vision.__all__, "vision") | STEPS
    spelled = {public.lower(): public for public in here}.get(name.lower(), name)
    home = here.get(spelled, "").partition(".")[0]
    if home and spelled not in table:
        return f"{home!r} has {spelled}."
    return called_here(name) or did_you_mean(name, table)
