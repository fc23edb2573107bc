"""`vision steps`: what the catalogue holds, read from the source files without importing them.

Importing OpenCV and scikit-learn to print a list would take a second; parsing a file takes
milliseconds.
"""

import ast
import difflib
import functools
import importlib.util
import shutil
import sys
import textwrap
from pathlib import Path

OURS = ("vision", "classical", "deep")
VARIES = "varies"  # with the parameters or the image
SHOWN_KINDS = 2


class Described:
    """A class of the catalogue as its source file describes it.

    Parameters
    ----------
    name : str
        The class.
    module : str
        The module that defines it, of one of our packages.

    Examples
    --------
    >>> step = Described("Not", "vision.bitwise")
    >>> step.parameters, step.takes, step.gives
    ('', ['mask'], ['mask'])
    """

    def __init__(self, name, module):
        self.name, self.module = name, module
        self.lineage = list(_lineage(module, name))
        self.docstring = ast.get_docstring(self.lineage[0][1]) or ""

    @property
    def summary(self):
        """The first line of the docstring."""
        return self.docstring.partition("\n")[0]

    @property
    def parameters(self):
        """How the parameters are written, with their defaults."""
        for _, cls in self.lineage:
            for node in cls.body:
                if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                    return ast.unparse(node.args).removeprefix("self").removeprefix(", ")
        return ""

    @property
    def takes(self):
        """The kinds that it takes."""
        return self._kinds("takes")

    @property
    def gives(self):
        """The kinds that it gives."""
        return self._kinds("gives")

    def _kinds(self, attribute):
        for module, cls in self.lineage:
            value, computed = _declared(cls, attribute)
            if value is not None:
                return list(dict.fromkeys(_kinds_in(value, module))) or [VARIES]
            if computed:
                returned = dict.fromkeys(_kinds_returned(computed, module, attribute))
                return [kind for kind in returned if kind != "any"] or [VARIES]
        return [VARIES]


def _lineage(module, name):
    """The class and those of our packages that it is made from, nearest first."""
    tree = _tree(module)
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    if found:
        yield module, found[0]
        for base in found[0].bases:
            if isinstance(base, ast.Name):
                yield from _lineage(module, base.id)
    else:
        origin = _imported(tree, name)
        if origin is not None and origin.partition(".")[0] in OURS:
            yield from _lineage(origin, name)


def _imported(tree, name):
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            return node.module
    return None


def _declared(cls, attribute):
    """The expression that a class body assigns to a name, or the methods that compute it."""
    methods = []
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name in (attribute, f"{attribute}_for"):
            methods.append(node)
        elif isinstance(node, ast.Assign):
            for target, value in _pairs(node.targets[0], node.value):
                if isinstance(target, ast.Name) and target.id == attribute:
                    return value, []
    return None, methods


def _kinds_returned(methods, module, attribute):
    """The kinds that a property may return; none for a method of the kind that comes."""
    for method in methods:
        for node in ast.walk(method) if method.name == attribute else ():
            if isinstance(node, ast.Return):
                yield from _kinds_in(node.value, module)


def _pairs(target, value):
    together = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
    return zip(target.elts, value.elts) if together else [(target, value)]


def _kinds_in(value, module):
    for node in ast.walk(value):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "Kind":
                yield node.attr.lower()
        elif isinstance(node, ast.Name) and node.id in ("SAME", "BLENDED"):
            yield "same"
        elif isinstance(node, ast.Name) and node.id != "Kind":
            constant = _constant(module, node.id)
            if constant is not None:
                yield from _kinds_in(constant, module)


def _constant(module, name):
    tree = _tree(module)
    origin = _imported(tree, name)
    if origin is not None:
        return _constant(origin, name) if origin.partition(".")[0] in OURS else None
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node.targets[0], node.value):
                if isinstance(target, ast.Name) and target.id == name:
                    return value
    return None


@functools.cache
def _tree(module):
    package, _, rest = module.partition(".")
    folder = Path(importlib.util.find_spec(package).submodule_search_locations[0])
    path = folder.joinpath(*rest.split(".")).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def list_steps(names=None):
    """The catalogue as text: one line a step, by topic.

    Parameters
    ----------
    names : dict of str to str, optional
        Classes with their modules; the whole catalogue by default.

    Returns
    -------
    str
    """
    from vision.catalogue import STEPS

    described = [Described(*item) for item in (names or STEPS).items()]
    topics = dict.fromkeys(step.module for step in described)
    blocks = [
        "\n".join([_topic(module), *(_line(step) for step in described if step.module == module)])
        for module in topics
    ]
    closing = (
        "'vision steps NAME' shows one with its parameters. Every estimator of scikit-learn\n"
        "(SVC, PCA, StandardScaler, ...) is a step too."
    )
    return "\n\n".join([*blocks, closing])


def _topic(module):
    package, _, topic = module.partition(".")
    return f"{topic.replace('_', ' ')} ({package})"


def _line(step):
    start = f"  {step.name:<18} {_flow(step):<26} "
    if not sys.stdout.isatty():
        return start + step.summary
    width = max(60, shutil.get_terminal_size().columns - 1)
    return textwrap.fill(step.summary, width, initial_indent=start, subsequent_indent=" " * 48)


def _flow(step):
    takes = step.takes[:SHOWN_KINDS] + (["..."] if len(step.takes) > SHOWN_KINDS else [])
    return f"{', '.join(takes)} -> {' or '.join(step.gives)}"


def describe_step(name):
    """Everything about one step as text: how it is called, what it takes and gives, its docstring.

    Parameters
    ----------
    name : str
        A class of the catalogue, or a public estimator of scikit-learn.

    Returns
    -------
    str

    Raises
    ------
    UnknownNameError
        If there is no such step; the message suggests the nearest.
    """
    from vision.catalogue import STEPS
    from vision.sklearn_names import SKLEARN

    if name in SKLEARN:
        return _describe_sklearn(name, SKLEARN[name])
    if name not in STEPS:
        raise _unknown(name, [*STEPS, *SKLEARN])
    step = Described(name, STEPS[name])
    package = step.module.partition(".")[0]
    return "\n".join(
        [
            textwrap.fill(f"{name}({step.parameters})", 96, subsequent_indent="    "),
            f"    from {package} import {name}",
            f"    takes {', '.join(step.takes)}; gives {' or '.join(step.gives)}",
            "",
            step.docstring,
        ]
    )


def _describe_sklearn(name, module):
    page = f"https://scikit-learn.org/stable/modules/generated/{module}.{name}.html"
    return (
        f"{name} is scikit-learn's own.\n    from {module} import {name}\n"
        f"    its parameters: {page}"
    )


def _unknown(name, known):
    from vision.errors import UnknownNameError

    near = nearest(name, known)
    hint = f"Did you mean '{near}'?" if near else "'vision steps' lists them."
    return UnknownNameError(f"There is no step named '{name}'. {hint}")


def nearest(name, known):
    """The known name most like `name`, whatever the case, or None.

    Examples
    --------
    >>> nearest("gausianblur", ["Canny", "GaussianBlur"])
    'GaussianBlur'
    """
    lowered = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), lowered, n=1)
    return lowered[found[0]] if found else None
