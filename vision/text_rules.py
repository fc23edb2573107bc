"""What the writer and the reader of a pipeline's text agree on."""

import inspect
import re
from collections import Counter

from vision.catalogue import STEPS
from vision.composition import Composable

ALIAS = " as "  # `Canny as edge`: a step and its name in the chain
FILE, TABLE, TUPLE = "file", "$table", "$tuple"
PASSTHROUGH = "passthrough"
MAX_STEPS = 500
MAX_NESTED = 12  # steps within steps
CHAIN_IN_CHAIN = 3  # what it counts for: checking the kinds of such a nest is the costliest

# How scikit-learn runs, not what it computes; `memory` alone makes it unpickle files.
REFUSED = {
    "memory": "scikit-learn unpickles whatever files lie in that folder",
    "n_jobs": "how many processes run is no part of a pipeline",
    "pre_dispatch": "how jobs are handed out is no part of a pipeline",
}
_UNBRACKETED = re.compile(r"\(\s*[-+.\w]*\s*(,|\Z)|[-+]?[.\d]+\s*,")
# Parameters of scikit-learn's meta-estimators that hold tuples of a name and a part.
PAIRS = ("estimators", "steps", "transformer_list", "transformers")


def parameters(cls):
    """The parameters of a class by name, each with its default or `inspect.Parameter.empty`."""
    found = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        items = list(inspect.signature(base.__init__).parameters.values())[1:]
        passed_on = [item for item in items if item.kind is item.VAR_KEYWORD]
        own = {item.name: item.default for item in items if item not in passed_on}
        found = own | found
        if not passed_on:  # else, as in XGBoost's, the base has the others
            break
    return found


def list_levels(cls, name, default):
    """What a list in the text becomes, level by level from the outside, the last for all below.

    Tuples in our steps, unless the default is a list; in scikit-learn's estimators lists, but a
    tuple where the default is one, and lists of tuples where names go with parts.

    Examples
    --------
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> list_levels(MinMaxScaler, "feature_range", (0, 1))
    (<class 'tuple'>, <class 'list'>)
    """
    if issubclass(cls, Composable):
        return (list, tuple) if isinstance(default, list) else (tuple,)
    if name in PAIRS:
        return (list, tuple, list)
    return (tuple, list) if isinstance(default, tuple) else (list,)


def is_unbracketed(data, cls, default):
    """Whether a list stands in round brackets, as in Python, or in none: YAML reads a string.

    Within a line it ends at the first comma: ``{low: (1, 2)}`` has the keys ``low`` and ``2)``.
    A string parameter of ours never begins so; of scikit-learn's one might, unless the default is
    a tuple or a list.

    Examples
    --------
    >>> from classical import InRange
    >>> is_unbracketed("(170, 120, 70)", InRange, None), is_unbracketed("hsv", InRange, None)
    (True, False)
    """
    listed = issubclass(cls, Composable) or isinstance(default, tuple | list)
    return listed and isinstance(data, str) and _UNBRACKETED.match(data) is not None


def is_known(name):
    """Whether the catalogue holds a name; nothing is imported."""
    from vision.sklearn_names import SKLEARN

    return name in STEPS or name in SKLEARN


def reads_as_more(table):
    """Whether a table would be read as a step, a file or another special form."""
    key = next(iter(table)) if len(table) == 1 else None
    return isinstance(key, str) and (
        key == FILE or key.startswith("$") or is_known(key.split(ALIAS, 1)[0])
    )


def is_refused(key):
    """Whether a parameter, or a key such as ``svc__n_jobs``, is one that no text may set."""
    return isinstance(key, str) and key.rpartition("__")[2] in REFUSED


def refusal(key):
    """Why a text may not set it, and the way out."""
    reason = REFUSED[key.rpartition("__")[2]]
    return (
        f"{key!r} has no place in the text of a pipeline: {reason}. Leave it out here, and set it "
        "with set_params once the pipeline is loaded."
    )


def wrong_names(names):
    """What is wrong with the names of a chain's steps, or None."""
    if len(names) > MAX_STEPS:
        return f"A chain has {len(names)} steps; {MAX_STEPS} are allowed."
    if not names:
        return "A chain needs at least one step."
    count = Counter(map(repr, names))
    for name in names:
        if not isinstance(name, str) or not name:
            return f"The name of a step must be a string that is not empty. Got {name!r}."
        if "__" in name or name in ("steps", "memory", "verbose", "transform_input"):
            return f"A step cannot be named {name!r}: scikit-learn uses that. Choose another name."
        if count[repr(name)] > 1:
            return f"Two steps are named {name!r}. Name one of them otherwise: 'Canny as edges'."
    return None


def placed(where, message):
    """A message behind its place in the document, outermost first."""
    return f"{', '.join(where)}: {message}" if where else message
