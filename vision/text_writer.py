"""From a pipeline to the plain data of its text."""

import inspect
import math

import numpy as np

from vision.array_files import encode_array
from vision.branches import NamedBranches
from vision.catalogue import name_of
from vision.composition import Composable, class_name, free_name
from vision.errors import ParameterError
from vision.pipeline import Pipeline
from vision.safe_yaml import MAX_DIGITS, BlockDict, BlockList
from vision.text_rules import (
    ALIAS,
    CHAIN_IN_CHAIN,
    FILE,
    MAX_NESTED,
    PASSTHROUGH,
    REFUSED,
    TABLE,
    TUPLE,
    is_refused,
    list_levels,
    parameters,
    placed,
    reads_as_more,
    refusal,
    wrong_names,
)


class Writer:
    """Turns steps into plain data.

    Attributes
    ----------
    files : dict of str to bytes
        The arrays that were met, as the files that must stand beside the text.
    """

    def __init__(self):
        self.files = {}
        self._depth = 0

    def part(self, part, where=()):
        """A chain as a list; one step as its name, or as a table of its name."""
        where = where if type(part) is Pipeline else (*where, _shown(part))
        arguments = self._arguments(part, where)
        if isinstance(arguments, BlockList):
            return arguments
        return _entry(self._name(part, where), arguments)

    def _link(self, step, where):
        if isinstance(step, str) and step == PASSTHROUGH:
            return PASSTHROUGH
        if step is None:
            _refuse(where, "None is not written as a step. Put 'passthrough' instead.")
        cost = CHAIN_IN_CHAIN if type(step) is Pipeline else 1
        return _entry(self._name(step, where), self._arguments(step, where, cost))

    def _name(self, step, where):
        name = name_of(type(step)) if hasattr(step, "get_params") else None
        if name is None:
            _refuse(where, _no_step(step))
        return name

    def _arguments(self, step, where, cost=1):
        self._name(step, where)
        self._depth += cost
        if self._depth > MAX_NESTED:
            _refuse(where, f"Steps are nested more than {MAX_NESTED} deep.")
        if isinstance(step, NamedBranches):
            arguments = self._branches(step, where)
        elif type(step) is Pipeline:
            arguments = self._pipeline(step, where)
        else:
            arguments = self._parameters(step, where)
        self._depth -= cost
        return arguments

    def _pipeline(self, pipeline, where):
        names = [name for name, _ in pipeline.steps]
        if wrong_names(names):
            _refuse(where, wrong_names(names))
        chain, taken = BlockList(), []
        for number, (name, step) in enumerate(pipeline.steps, 1):
            entry = self._link(step, (*where, f"step {number} ({_shown(step)})"))
            if name != free_name(class_name(step), step, taken):
                entry = _renamed(entry, name)
            chain.append(entry)
            taken.append(name)
        others = self._parameters(pipeline, where)
        return BlockDict({"steps": chain} | others) if others else chain

    def _branches(self, step, where):
        if not step._well_formed():
            _refuse(where, f"Branches are pairs of a name and a step. Got {step.branches!r}.")
        written = BlockDict()
        for name, part in step._items:
            place = (*where, f"branch {name!r}")
            if isinstance(part, np.ndarray):
                written[name] = self._array(part, f"{class_name(step)}-{name}", place)
            else:
                written[name] = self.part(part, place)
        return written

    def _parameters(self, step, where):
        cls, given, written = type(step), _given(step, where), {}
        for name in getattr(step, "kwargs", None) or ():  # XGBoost's take whatever is given
            _refuse(where, f"{cls.__name__} has no parameter {name!r}.")
        for name, default in parameters(cls).items():
            value = given[name]
            if _is_default(value, default) or (cls is Pipeline and name == "steps"):
                continue
            place = (*where, f"parameter {name!r}")
            if name in REFUSED:
                _refuse(place, refusal(name))
            stem = f"{class_name(step)}-{name}"
            written[name] = self._value(value, list_levels(cls, name, default), stem, place)
        blocks = any(isinstance(value, BlockDict | BlockList) for value in written.values())
        return BlockDict(written) if blocks else written

    def _value(self, value, levels, stem, where):
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, str | int | float):
            return _scalar(value, where)
        if isinstance(value, list | tuple):
            return self._list(value, levels, stem, where)
        if isinstance(value, dict):
            return self._table(value, levels, stem, where)
        if isinstance(value, np.ndarray):
            return self._array(value, stem, where)
        if hasattr(value, "get_params") and not inspect.isclass(value):
            place = (*where, _shown(value))
            return BlockDict({self._name(value, place): self._arguments(value, place)})
        return _refuse(where, _no_value(value))

    def _list(self, values, levels, stem, where):
        inner = levels[1:] or levels
        written = [self._value(value, inner, stem, where) for value in values]
        if isinstance(values, tuple) and levels[0] is list:
            return {TUPLE: written}
        return written

    def _table(self, table, levels, stem, where):
        pairs = []
        for key, value in table.items():
            if is_refused(key) and value is not None:
                _refuse(where, refusal(key))
            place = (*where, f"key {key!r}")
            written = self._value(key, (tuple,), stem, place)
            pairs.append([written, self._value(value, levels, stem, place)])
        plain = all(not isinstance(key, list | dict) for key, _ in pairs)
        if plain and not reads_as_more(table):
            return dict(pairs)
        return {TABLE: pairs}

    def _array(self, array, stem, where):
        try:
            name, data = encode_array(array, stem)
        except ParameterError as error:
            _refuse(where, str(error))
        self.files[name] = data
        return {FILE: name}


def _given(step, where):
    """The parameters of a step; one that cannot write all of them defines `text_params`."""
    if not isinstance(step, Composable) or not hasattr(step, "text_params"):
        return step.get_params(deep=False)
    try:
        return step.text_params()
    except ParameterError as error:
        _refuse(where, str(error))


def _entry(name, arguments):
    return BlockDict({name: arguments}) if arguments else name


def _renamed(entry, name):
    if isinstance(entry, str):
        return f"{entry}{ALIAS}{name}"
    ((head, arguments),) = entry.items()
    return BlockDict({f"{head}{ALIAS}{name}": arguments})


def _scalar(value, where):
    """The value as exactly one of Python's own types."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        _refuse(where, f"A number has more than {MAX_DIGITS} digits.")
    return next(kind(value) for kind in (str, int, float) if isinstance(value, kind))


def _is_default(value, default):
    """Whether a value is the default, whole numbers apart from others (``max_features=1`` is one
    feature, ``1.0`` all of them)."""
    if value is default:
        return True
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(default, list | tuple):
        return (
            isinstance(value, (type(default), list))
            and len(value) == len(default)
            and all(map(_is_default, value, default))
        )
    if isinstance(value, float) and isinstance(default, float):
        return value == default or (math.isnan(value) and math.isnan(default))
    plain = isinstance(default, str | bool | int | type(None))
    return plain and isinstance(value, type(default)) and _same_kind(value, default)


def _same_kind(value, default):
    return isinstance(value, bool) == isinstance(default, bool) and value == default


def _shown(step):
    return repr(step) if isinstance(step, str) else type(step).__name__


def _no_step(step):
    cls = type(step)
    if cls.__name__ == "Pipeline":
        hint = "Compose it with vision.chain(...) instead."
    else:
        hint = (
            "The catalogue has the steps of this toolkit and scikit-learn's public estimators; "
            "keep a pipeline with others as a Python script."
        )
    return f"An object of type {cls.__module__}.{cls.__qualname__} is not written. {hint}"


def _no_value(value):
    allowed = "numbers, strings, booleans, None, lists, tables of these, steps and arrays"
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return "An object that makes random numbers is not written. Give a whole number."
    if callable(value):
        name = getattr(value, "__qualname__", type(value).__qualname__)
        return f"The function or class {name} is not written: a text holds {allowed}."
    cls = type(value)
    return f"A value of type {cls.__module__}.{cls.__qualname__} is not written: only {allowed}."


def _refuse(where, message):
    raise ParameterError(placed(where, message))
