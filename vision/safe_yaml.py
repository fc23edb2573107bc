"""YAML that is only data: no tags, anchors or duplicate keys, of a bounded size and depth.

The reader builds numbers, strings, booleans, None, lists and dictionaries by itself and nothing
else, so that no document can name a class. YAML 1.1 as PyYAML reads it, with ``1e-3`` a number.
"""

import re

import yaml

from vision.errors import LoadError

MAX_CHARACTERS = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 50
MAX_DIGITS = 300

_PREFIX = "tag:yaml.org,2002:"
_EXPONENT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+\Z")
# Breaks and controls, which survive as escapes within double quotes only.
_ESCAPED = re.compile("[^\x20-\x7e\xa1-\u1fff\u2030-\ud7ff\ue000-\ufefe]")
_NUMBERS = (f"{_PREFIX}int", f"{_PREFIX}float")


class BlockList(list):
    """A list with an element a line; other lists are written within one line."""


class BlockDict(dict):
    """A dictionary with an entry a line; other dictionaries are written within one line."""


class _Loader(yaml.SafeLoader):
    """Composes nodes, refusing whatever is not plain data before it is built."""

    depth = nodes = 0

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise LoadError(
                f"Anchors and aliases (& and *) are not allowed{_at(event)}. Write it out."
            )
        if event.tag is not None:
            raise LoadError(
                f"Tags such as {event.tag!r} are not allowed{_at(event)}. Leave it out."
            )
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH:
            raise LoadError(
                f"The document is nested more than {MAX_DEPTH} levels deep{_at(event)}."
            )
        if self.nodes > MAX_NODES:
            raise LoadError(
                f"The document has more than {MAX_NODES} values. Put long lists into an .npy file."
            )
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def build(self, node):
        """The plain data of a node."""
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            return self._dictionary(node)
        return self._scalar(node)

    def _dictionary(self, node):
        result = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise LoadError(f"A key must be a name or a number{_at(key_node)}.")
            key = self.build(key_node)
            if key in result:
                raise LoadError(f"The key {key!r} stands twice{_at(key_node)}. Keep one of them.")
            result[key] = self.build(value_node)
        return result

    def _scalar(self, node):
        build = _SCALARS.get(node.tag)
        if build is None:
            raise LoadError(
                f"{node.value[:50]!r} is read as a {node.tag.removeprefix(_PREFIX)}, which is no "
                f"allowed value{_at(node)}. A string of that form stands in quotes."
            )
        if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS + 20:
            raise LoadError(f"A number has more than {MAX_DIGITS} digits{_at(node)}.")
        try:
            return build(self, node)
        except ValueError as error:
            raise LoadError(f"{node.value!r} is no number{_at(node)}: {error}.") from None


_SCALARS = {
    f"{_PREFIX}str": yaml.SafeLoader.construct_scalar,
    f"{_PREFIX}int": yaml.SafeLoader.construct_yaml_int,
    f"{_PREFIX}float": yaml.SafeLoader.construct_yaml_float,
    f"{_PREFIX}bool": yaml.SafeLoader.construct_yaml_bool,
    f"{_PREFIX}null": yaml.SafeLoader.construct_yaml_null,
}


class _Dumper(yaml.SafeDumper):
    """Writes plain data, one line to whatever is no block."""

    def ignore_aliases(self, data):
        return True

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


for _cls in (_Loader, _Dumper):
    _cls.add_implicit_resolver(f"{_PREFIX}float", _EXPONENT, list("-+.0123456789"))
for _type, _flow in ((list, True), (BlockList, False)):
    _Dumper.add_representer(
        _type,
        lambda dumper, data, flow=_flow: dumper.represent_sequence(f"{_PREFIX}seq", data, flow),
    )
for _type, _flow in ((dict, True), (BlockDict, False)):
    _Dumper.add_representer(
        _type,
        lambda dumper, data, flow=_flow: dumper.represent_mapping(
            f"{_PREFIX}map", list(data.items()), flow
        ),
    )


def _represent_string(dumper, text):
    style = '"' if _ESCAPED.search(text) else None
    return dumper.represent_scalar(f"{_PREFIX}str", text, style)


_Dumper.add_representer(str, _represent_string)


def _at(event):
    mark = event.start_mark
    return f" (line {mark.line + 1}, column {mark.column + 1})"


def parse(text):
    """The data of a YAML document.

    Parameters
    ----------
    text : str
        One document of at most a million characters and 20,000 values, 50 levels deep.

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    LoadError
        If it is no YAML, exceeds a limit, or holds a tag, an anchor, an alias, a date, a key
        twice, or a key that is no scalar; the message says where.

    Examples
    --------
    >>> parse("- Canny: {low: 50, high: 1e2}")
    [{'Canny': {'low': 50, 'high': 100.0}}]
    """
    loader, node = _composed(text)
    return None if node is None else loader.build(node)


def lines_of(text):
    """Where the values of a YAML document begin, for messages.

    Parameters
    ----------
    text : str
        What `parse` reads.

    Returns
    -------
    dict of tuple to int
        By keys and places in lists, from the outside in, the line of the key or the element; the
        first line is 1.

    Examples
    --------
    >>> lines_of("cv: 5\\ncurve:\\n- 20")[("curve", 0)]
    3
    """
    loader, node = _composed(text)
    return {} if node is None else dict(_lines(loader, node, ()))


def _lines(loader, node, where):
    if isinstance(node, yaml.MappingNode):
        pairs = [(loader.build(key), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(place, value, value) for place, value in enumerate(node.value)]
    else:
        return
    for key, marked, value in pairs:
        yield (*where, key), marked.start_mark.line + 1
        yield from _lines(loader, value, (*where, key))


def _composed(text):
    if len(text) > MAX_CHARACTERS:
        raise LoadError(f"The document has {len(text)} characters; {MAX_CHARACTERS} are allowed.")
    try:
        loader = _Loader(text)
        return loader, loader.get_single_node()
    except yaml.YAMLError as error:
        raise LoadError(f"This is no YAML document: {_reason(error)}.") from None


def _reason(error):
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).replace("\n", " ").strip()
    return f"{error.problem} at line {mark.line + 1}, column {mark.column + 1}"


def render(data):
    """Plain data as YAML, always the same for the same data.

    Parameters
    ----------
    data : dict, list, str, int, float, bool or None
        Lists and dictionaries stand in one line unless they are `BlockList` and `BlockDict`.

    Returns
    -------
    str
        Ends with a newline; what `parse` reads back as equal data.

    Examples
    --------
    >>> print(render(BlockList(["Gray", BlockDict({"Canny": {"low": 50}})])), end="")
    - Gray
    - Canny: {low: 50}
    """
    text = yaml.dump(data, Dumper=_Dumper, width=100, allow_unicode=True)
    return text.removesuffix("...\n")
