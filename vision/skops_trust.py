"""Fitted scikit-learn estimators as bytes, by skops, trusting named types and nothing else.

skops decides by a list of names as well; the walk through its schema here comes before it and is
stricter: only these kinds of nodes, each with these types, and no functions but scikit-learn's own
defaults. Whatever is not below is refused when it is saved, as it would be when loaded.
"""

import importlib
import io
import json
import warnings

import numpy as np

from vision.array_files import check_npy
from vision.compiled_checks import METRICS, check_compiled
from vision.errors import LoadError, ParameterError
from vision.zip_checks import open_zip, read_member

SCHEMA = "schema.json"
MAX_SCHEMA = 100_000_000  # bytes; a forest of 300 trees has 5 million
MAX_DEPTH = 200
PROTOCOL = 2  # the first whose nodes all say their type in the same place

# Classes of scikit-learn that are no public estimators, but parts of fitted ones, by module.
PARTS = {
    "sklearn._loss.link": """
        HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit
    """,
    "sklearn._loss.loss": """
        AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss
        HalfPoissonLoss HalfSquaredError HalfTweedieLossIdentity HuberLoss PinballLoss
    """,
    "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.binning": "_BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.gaussian_process._gpc": "_BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels": "ConstantKernel Product RBF",
    "sklearn.multiclass": "_ConstantPredictor",
    "sklearn.metrics._dist_metrics": " ".join(METRICS),
    "sklearn.metrics._scorer": "_PassthroughScorer",
    "sklearn.model_selection._split": "KFold StratifiedKFold",
    "sklearn.neighbors._ball_tree": "BallTree",
    "sklearn.neighbors._kd_tree": "KDTree",
    "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
}
LOSSES = {
    "sklearn._loss._loss": """
        CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss
        CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss
    """,
    "sklearn.linear_model._sgd_fast": """
        EpsilonInsensitive Hinge ModifiedHuber SquaredEpsilonInsensitive SquaredHinge
    """,
}
FUNCTIONS = {
    "numpy": "mean",
    "sklearn.cluster._kmeans": "_kmeans_single_lloyd",
    "sklearn.feature_selection._univariate_selection": "f_classif",
}
SCALARS = {f"numpy.{kind.__name__}" for kind in set(np.sctypeDict.values())} - {
    "numpy.object_",
    "numpy.void",
}


def _named(table):
    return {f"{module}.{name}" for module, names in table.items() for name in names.split()}


# Each kind of node in a skops schema with the types that it may have.
TRUSTED = {
    "DictNode": {"builtins.dict", "sklearn.utils._bunch.Bunch"},
    "DTypeNode": {"numpy.dtype"},
    "FunctionNode": _named(FUNCTIONS),
    "JsonNode": {"builtins.str"},
    "ListNode": {"builtins.list"},
    "LossNode": _named(LOSSES),
    "MaskedArrayNode": {"numpy.ma.MaskedArray"},
    "NdArrayNode": {"numpy.ndarray", *SCALARS},
    "ObjectNode": _named(PARTS),
    "RandomGeneratorNode": {"numpy.random._generator.Generator"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState"},
    "SliceNode": {"builtins.slice"},
    "TreeNode": {"sklearn.tree._tree.Tree"},
    "TupleNode": {"builtins.tuple"},
    "TypeNode": {f"builtins.{name}" for name in ("bool", "float", "int", "str")} | SCALARS,
}


def dump_estimator(estimator):
    """A fitted scikit-learn estimator as bytes, which `load_estimator` is known to accept.

    Raises
    ------
    ParameterError
        If something in it is not trusted, or skops cannot write it.
    """
    from skops.io import dumps

    name = type(estimator).__name__
    try:
        data = dumps(estimator)
        load_estimator(data, name)
    except LoadError as error:
        raise ParameterError(f"A fitted {name} cannot be saved: {error} {_way_out(name)}") from None
    except Exception as error:  # skops refuses by exceptions of every kind
        raise ParameterError(
            f"A fitted {name} cannot be saved: {error} {_way_out(name)}"
        ) from error
    return data


def _way_out(name):
    if name.endswith("SearchCV"):
        return "Put its best_estimator_ into the pipeline instead, or leave 'scoring' out."
    return "Use another estimator, or save the pipeline unfitted and fit it where it is loaded."


def load_estimator(data, name):
    """The estimator in bytes that skops wrote; nothing that is not trusted is imported or built.

    Parameters
    ----------
    data : bytes
        The content of a ``.skops`` file.
    name : str
        What it is called in messages.

    Returns
    -------
    scikit-learn estimator

    Raises
    ------
    LoadError
        If it holds anything but the types above, or arrays that do not fit together.
    """
    with open_zip(io.BytesIO(data), name, max_bytes=len(data), stored=True) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                check_npy(read_member(archive, member, name), f"{name}/{member}")
            elif member != SCHEMA:
                raise LoadError(f"{name} is refused: it holds {member!r}, which is no array.")
        _audit(_schema(archive, name), {}, name)
    return _construct(data, name)


def _schema(archive, name):
    data = read_member(archive, SCHEMA, name)
    if len(data) > MAX_SCHEMA:
        raise LoadError(f"{name} is refused: its schema has {len(data)} bytes.")
    try:
        schema = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{name} is refused: its schema is no JSON ({error}).") from None
    protocol = schema.get("protocol") if isinstance(schema, dict) else None
    if type(protocol) is not int or protocol < PROTOCOL:
        raise LoadError(f"{name} is refused: its protocol is {protocol!r}.")
    return schema


def _audit(item, known, name, depth=0):
    """Refuse a schema with a node that is not trusted, before skops sees it; count its nodes."""
    if depth > MAX_DEPTH:
        raise LoadError(f"{name} is refused: its schema is nested over {MAX_DEPTH} levels deep.")
    if isinstance(item, list):
        return sum(_audit(part, known, name, depth + 1) for part in item)
    if not isinstance(item, dict):
        return 0
    count = 1 + sum(_audit(part, known, name, depth + 1) for part in item.values())
    if any(key in item for key in ("__loader__", "__class__", "__module__", "__id__")):
        _audit_node(item, name)
        # skops takes a second node of a number for the first, so that a few lists of lists could
        # stand for 2**40 of them; honest ones are written out and so have one size.
        if known.setdefault(item["__id__"], count) != count:
            raise LoadError(f"{name} is refused: two different parts of it share a number.")
    return count


def _audit_node(node, name):
    loader, found = node.get("__loader__"), f"{node.get('__module__')}.{node.get('__class__')}"
    trusted = isinstance(loader, str) and loader in TRUSTED and found in TRUSTED[loader]
    if not (trusted or (loader == "ObjectNode" and _is_estimator(found))):
        raise LoadError(f"{name} is refused: it holds {found} as {loader}, which is not trusted.")
    if type(node.get("__id__")) is not int:
        raise LoadError(f"{name} is refused: a part of it has no number.")
    content = node.get("content")
    if loader == "DictNode" and _sets_memory(content):
        raise LoadError(f"{name} is refused: it sets 'memory', which makes scikit-learn unpickle.")
    if loader == "RandomGeneratorNode" and _bit_generator(content) != '"PCG64"':
        raise LoadError(f"{name} is refused: its random generator is not NumPy's default.")


def _is_estimator(found):
    from vision.sklearn_names import SKLEARN

    module, _, name = found.rpartition(".")
    if name not in SKLEARN or not module.startswith("sklearn."):
        return False
    cls = getattr(importlib.import_module(SKLEARN[name]), name, None)
    return cls is not None and cls.__module__ == module


def _sets_memory(content):
    if not isinstance(content, dict):
        return True  # no such node comes from skops
    memory = content.get("memory", {"content": "null"})
    return not (isinstance(memory, dict) and memory.get("content") == "null")


def _bit_generator(content):
    try:
        return content["bit_generator"]["content"]["bit_generator"]["content"]
    except (KeyError, TypeError):
        return None


def _construct(data, name):
    from sklearn.exceptions import InconsistentVersionWarning
    from skops.io import loads

    trusted = sorted(set().union(*TRUSTED.values()))
    try:
        with warnings.catch_warnings():
            # `vision.load` says it once, with both versions.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            estimator = loads(data, trusted=trusted)
        check_compiled(estimator)
    except LoadError:
        raise
    except Exception as error:  # a sound schema with content that no class accepts
        raise LoadError(f"{name} is refused: {type(error).__name__}, {error}") from error
    return estimator
