"""From the plain data of a text to the pipeline that it describes."""

import inspect

from vision import catalogue
from vision.array_files import decode_array
from vision.branches import Branches, NamedBranches
from vision.composition import class_name, free_name
from vision.errors import LoadError, ParameterError, UnknownNameError, VisionError
from vision.nearest import did_you_mean
from vision.pipeline import Pipeline
from vision.text_rules import (
    ALIAS,
    CHAIN_IN_CHAIN,
    FILE,
    MAX_NESTED,
    MAX_STEPS,
    PASSTHROUGH,
    TABLE,
    TUPLE,
    is_refused,
    is_unbracketed,
    list_levels,
    parameters,
    placed,
    reads_as_more,
    refusal,
    wrong_names,
)

NO_OPERATORS = (
    "A text has no operators: a chain is a list, and 'vision steps Or' shows how masks are joined."
)


class Reader:
    """Builds steps from plain data.

    Parameters
    ----------
    read_file : callable, optional
        Gives the bytes of a file by the name that stands in the text.
    """

    def __init__(self, read_file=None):
        self._read_file = read_file
        self._depth = self._count = 0

    def part(self, data, where=()):
        """A list as a chain, a name or a table of one name as a step."""
        if isinstance(data, list):
            return self._build(Pipeline, data, where)
        name, custom, arguments = _head(data, where)
        if custom is not None:
            _refuse(where, f"Only the steps of a chain have names. Write {name!r} alone.")
        where = (*where, name)
        return self._build(_resolve(name, where), arguments, where)

    def _build(self, cls, arguments, where, cost=1):
        self._count += 1
        self._depth += cost
        if self._count > MAX_STEPS:
            _refuse(where, f"A text holds at most {MAX_STEPS} steps.")
        if self._depth > MAX_NESTED:
            _refuse(where, f"Steps are nested more than {MAX_NESTED} deep.")
        if cls is Pipeline:
            made = self._pipeline(arguments, where)
        elif issubclass(cls, NamedBranches):
            made = self._branches(cls, arguments, where)
        else:
            made = _make(cls, self._parameters(cls, arguments, where), where)
        self._depth -= cost
        return made

    def _pipeline(self, arguments, where):
        if isinstance(arguments, dict):
            others = dict(arguments)
            chain = others.pop("steps", None)
            others = self._parameters(Pipeline, others, where, given=("steps",))
        else:
            chain, others = arguments, {}
        if not isinstance(chain, list):
            _refuse(where, f"A chain is a list of steps. Got {chain!r}.")
        return _make(Pipeline, {"steps": self._chain(chain, where)} | others, where)

    def _chain(self, chain, where):
        pairs = []
        for number, data in enumerate(chain, 1):
            name, step = self._link(data, number, [taken for taken, _ in pairs], where)
            pairs.append((name, step))
            if len(pairs) > MAX_STEPS:
                break
        fault = wrong_names([name for name, _ in pairs])
        if fault:
            _refuse(where, fault)
        return pairs

    def _link(self, data, number, taken, where):
        if isinstance(data, list):
            data = {"Pipeline": data}
        name, custom, arguments = _head(data, (*where, f"step {number}"))
        place = (*where, f"step {number} ({name})")
        if name == PASSTHROUGH and arguments is None:
            step = PASSTHROUGH
        else:
            cls = _resolve(name, place)
            cost = CHAIN_IN_CHAIN if cls is Pipeline else 1
            step = self._build(cls, arguments, place, cost)
        return (free_name(class_name(step), step, taken) if custom is None else custom), step

    def _branches(self, cls, arguments, where):
        if not isinstance(arguments, dict) or not arguments:
            example = f"{{{cls.__name__}: {{otsu: Otsu, edges: Canny}}}}"
            _refuse(where, f"Branches have names, as in {example}. Got {arguments!r}.")
        parts = []
        for name, data in arguments.items():
            place = (*where, f"branch {name!r}")
            if not isinstance(name, str):
                _refuse(place, f"The name of a branch is a string: write '{name}' in quotes.")
            is_file = isinstance(data, dict) and list(data) == [FILE]
            parts.append((name, (self._array if is_file else self.part)(data, place)))
        return _make(cls, {"branches": dict(parts) if cls is Branches else parts}, where)

    def _parameters(self, cls, arguments, where, given=()):
        known = parameters(cls)
        if arguments is None:
            arguments = {}
        if not isinstance(arguments, dict):
            first = next(iter(known), "name")
            _refuse(where, f"Parameters have names: write {{{first}: ...}}. Got {arguments!r}.")
        values = {}
        for name, data in arguments.items():
            place = (*where, f"parameter {name!r}")
            if is_unbracketed(data, cls, known.get(name)):
                _refuse(place, f"A list is written [1, 2, 3], in square brackets. Got {data!r}.")
            if name not in known:
                _refuse(place, _unknown(cls, name, known))
            if is_refused(name) and data is not None and data != known[name]:
                _refuse(place, refusal(name))
            values[name] = self._value(data, list_levels(cls, name, known[name]), place)
        missing = [
            name
            for name, default in known.items()
            if default is inspect.Parameter.empty and name not in (*values, *given)
        ]
        if missing:
            _refuse(where, f"{cls.__name__} needs {' and '.join(map(repr, missing))}.")
        return values

    def _value(self, data, levels, where):
        if isinstance(data, list):
            return self._list(data, levels, where)
        if not isinstance(data, dict):
            return data
        if reads_as_more(data):
            return self._special(data, levels, where)
        for key, value in data.items():
            if is_refused(key) and value is not None:
                _refuse(where, refusal(key))
        return {
            key: self._value(value, levels, (*where, f"key {key!r}")) for key, value in data.items()
        }

    def _list(self, data, levels, where):
        inner = levels[1:] or levels
        return levels[0](self._value(item, inner, where) for item in data)

    def _special(self, data, levels, where):
        ((key, content),) = data.items()
        if key == FILE:
            return self._array(data, where)
        if key == TUPLE and isinstance(content, list):
            return self._list(content, (tuple, *(levels[1:] or levels)), where)
        if key == TABLE:
            return self._table(content, levels, where)
        if key.startswith("$"):
            _refuse(where, f"{key!r} is no special form. Known: '$table', '$tuple' and 'file'.")
        return self.part(data, where)

    def _table(self, content, levels, where):
        if not isinstance(content, list) or not all(
            isinstance(pair, list) and len(pair) == 2 for pair in content
        ):
            _refuse(where, f"{TABLE!r} is a list of pairs of a key and a value.")
        table = {}
        for key_data, value in content:
            key = self._value(key_data, (tuple,), where)
            if is_refused(key) and value is not None:
                _refuse(where, refusal(key))
            try:
                double = key in table
            except TypeError:
                _refuse(where, f"{key!r} cannot be a key.")
            if double:
                _refuse(where, f"The key {key!r} stands twice. Keep one of them.")
            table[key] = self._value(value, levels, (*where, f"key {key!r}"))
        return table

    def _array(self, data, where):
        name = data[FILE]
        if not isinstance(name, str):
            _refuse(where, f"'file' is the name of an .npy or .png file. Got {name!r}.")
        if self._read_file is None:
            _refuse(where, f"The text names the file {name!r}: say where with folder=.")
        try:
            return decode_array(name, self._read_file(name))
        except LoadError as error:
            return _refuse(where, str(error))


def _head(data, where):
    """The class name of a step, the name it has in the chain or None, and its arguments."""
    if isinstance(data, str):
        head, arguments = data, None
    elif isinstance(data, dict) and len(data) == 1:
        ((head, arguments),) = data.items()
    elif isinstance(data, dict) and data:
        first = next(iter(data))
        _refuse(
            where,
            f"A step is one name with its parameters inside, {{{first}: {{...}}}}, indented "
            f"further than the name. Got the names {', '.join(map(repr, data))} side by side.",
        )
    else:
        _refuse(where, f"A step is a name, such as Canny, or {{Canny: {{low: 50}}}}. Got {data!r}.")
    if not isinstance(head, str):
        _refuse(where, f"A step is a name, such as Canny. Got {head!r}.")
    name, found, custom = head.partition(ALIAS)
    return name, custom if found else None, arguments


def _resolve(name, where):
    try:
        return catalogue.resolve(name)
    except UnknownNameError as error:
        hint = NO_OPERATORS if any(sign in name for sign in (">>", *"|&^~()")) else ""
        raise UnknownNameError(placed(where, f"{error} {hint}".strip())) from None
    except AttributeError:
        raise UnknownNameError(
            placed(where, f"The installed scikit-learn has no {name}. Install a newer one.")
        ) from None


def _make(cls, values, where):
    try:
        return cls(**values)
    except ParameterError as error:
        raise LoadError(placed(where, str(error))) from error
    except (VisionError, ImportError):
        raise
    except Exception as error:  # whatever scikit-learn raises while a chain is looked through
        raise LoadError(placed(where, f"{cls.__name__} cannot be built: {error}")) from error


def _unknown(cls, name, known):
    names = ", ".join(known) or "none"
    return f"{cls.__name__} has no such parameter. {did_you_mean(name, known)} Known: {names}."


def _refuse(where, message):
    raise LoadError(placed(where, message))
