"""`vision steps`: what the catalogue holds, read from the source files without importing them.

Importing OpenCV and scikit-learn to print a list would take a second; parsing a file takes
milliseconds.
"""

import ast
import functools
import importlib.util
import re
import shutil
import sys
import textwrap
from pathlib import Path

from vision.catalogue import STEPS, unknown_step
from vision.sklearn_names import SKLEARN

OURS = ("vision", "classical", "deep")
_FUNCTION = re.compile(r" *def (\w+)\(")
_TELLING = ("__init__", "takes", "gives", "gives_for")
VARIES = "varies"  # with the parameters or the image
SHOWN_KINDS = 2


# Steps that hold others, as the text of a pipeline has them.
IN_A_FILE = {
    "MaskOperation": """\
- MaskOperation:
    red:
      - ToHSV
      - InRange: {space: hsv, low: [170, 120, 70], high: [10, 255, 255]}
    bright:
      - Gray
      - Threshold: {value: 200}
- Opening: {size: 5}
""",
    "Not": """\
- Gray
- Otsu
- Not
""",
    "Branches": """\
- Gray
- Branches:
    edges: Canny
    regions:
      - GaussianBlur: {size: 7}
      - Otsu
- Pick: {branch: regions}
""",
    "ForEach": """\
- ForEach:
    find:
      Pipeline:
        - Gray
        - Otsu
        - FindContours: {min_area: 150}
    then:
      Pipeline:
        - Gray
        - RawPixels
        - SVC
    padding: 3
""",
    "Explain": """\
- Explain:
    estimator:
      Pipeline:
        - Gray
        - HOG
        - SVC
    method: occlusion
""",
}
IN_A_FILE["Pick"] = IN_A_FILE["Branches"]


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
        for module, cls in self.lineage:
            for node in cls.body:
                if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                    written = ast.unparse(_Spelled(module).visit(node.args))
                    return written.removeprefix("self").removeprefix(", ")
        return ""

    @property
    def in_a_file(self):
        """How a pipeline file holds the step, for one that holds others; else empty."""
        names = [cls.name for _, cls in self.lineage]
        key = next((name for name in names if name in IN_A_FILE), None)
        return IN_A_FILE[key].replace(key, self.name) if key else ""

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
            value, methods = _declared(cls, attribute)
            values = [value] if value is not None else list(_returned(methods, attribute))
            if values:
                kinds = dict.fromkeys(kind for one in values for kind in _kinds_in(one, module))
                return [VARIES] if VARIES in kinds else list(kinds)
        return [VARIES]


class _Spelled(ast.NodeTransformer):
    """Constants of a module, used as defaults, as the module spells them."""

    def __init__(self, module):
        self.module = module

    def visit_Name(self, node):
        for line in _tree(self.module).body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == node.id:
                return line.value
        return node


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


def _returned(methods, attribute):
    """What a property returns; nothing to be read where it depends on the kind that comes."""
    for method in methods:
        if method.name == attribute:
            yield from (node.value for node in ast.walk(method) if isinstance(node, ast.Return))
        else:
            yield ast.Name("kind")


def _pairs(target, value):
    together = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
    return zip(target.elts, value.elts) if together else [(target, value)]


def _kinds_in(node, module):
    """The kinds that an expression stands for, as far as it can be read."""
    parts = {
        ast.Tuple: lambda: node.elts,
        ast.IfExp: lambda: (node.body, node.orelse),
        ast.BinOp: lambda: (node.left, node.right),
        ast.Starred: lambda: (node.value,),
    }
    if type(node) in parts:
        for part in parts[type(node)]():
            yield from _kinds_in(part, module)
    elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Kind":
        yield node.attr.lower()
    elif isinstance(node, ast.Name) and node.id in ("SAME", "BLENDED"):
        yield "same"
    else:
        constant = _constant(module, node.id) if isinstance(node, ast.Name) else None
        yield from [VARIES] if constant is None else _kinds_in(constant, module)


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
    return ast.parse(_outline(path.read_text(encoding="utf-8")))


def _outline(source):
    """A module without the functions that say nothing about a step: three quarters of the work."""
    kept, skipped = [], None
    for line in source.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" "))
        if skipped is not None:
            if line.isspace() or indent > skipped or line.lstrip().startswith(")"):
                continue
            skipped = None
        found = _FUNCTION.match(line)
        if found and found[1] not in _TELLING:
            skipped = indent
            while kept and kept[-1].startswith(" " * indent + "@"):
                kept.pop()
            kept.append(f"{' ' * indent}pass\n")
        else:
            kept.append(line)
    return "".join(kept)


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

    Examples
    --------
    >>> print(describe_step("Not").partition("Examples")[0])
    Not()
        from vision import Not
        takes mask; gives mask
    <BLANKLINE>
    The opposite of a mask: ``~a``.
    ...
    """
    if name in SKLEARN and name not in STEPS:  # our own Pipeline goes before scikit-learn's
        return _describe_sklearn(name, SKLEARN[name])
    if name not in STEPS:
        raise unknown_step(name)
    step = Described(name, STEPS[name])
    package = step.module.partition(".")[0]
    return "\n".join(
        [
            textwrap.fill(f"{name}({step.parameters})", 96, subsequent_indent="    "),
            f"    from {package} import {name}",
            f"    takes {', '.join(step.takes)}; gives {' or '.join(step.gives)}",
            "",
            step.docstring,
            *_shown_in_a_file(step),
        ]
    )


def _shown_in_a_file(step):
    if step.in_a_file:
        yield "\nIn a pipeline file\n------------------"
        yield step.in_a_file.rstrip()


def _describe_sklearn(name, module):
    if module == "xgboost":
        page = f"https://xgboost.readthedocs.io/en/stable/python/python_api.html#xgboost.{name}"
        return f"{name} is XGBoost's.\n    from xgboost import {name}\n    its parameters: {page}"
    page = f"https://scikit-learn.org/stable/modules/generated/{module}.{name}.html"
    return (
        f"{name} is scikit-learn's own.\n    from {module} import {name}\n"
        f"    its parameters: {page}"
    )
