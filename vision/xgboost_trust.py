"""Fitted XGBoost estimators as bytes: XGBoost's own JSON, looked through before XGBoost reads it.

A model is numbers in nested tables, but the library follows them without looking: a tree whose
child is node 10**9 would crash the interpreter when it predicts. So what it gets is written anew
from what was checked here. Trees with categories or vectors as leaves, which no image features
need, are refused.
"""

import json

import numpy as np

from vision.errors import LoadError, ParameterError

SUFFIX = "json"
_NO_PARENT = 2**31 - 1  # as XGBoost writes it
_MOST = 10_000_000  # features, classes or trees
_BY_NODE = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")


def is_xgboost(estimator):
    """Whether an estimator is one of XGBoost's; nothing is imported.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> is_xgboost(SVC())
    False
    """
    return type(estimator).__module__.partition(".")[0] == "xgboost"


def dump_model(estimator):
    """A fitted XGBoost estimator as bytes, which `restore_model` is known to accept.

    Raises
    ------
    ParameterError
        If it holds what would be refused when it is loaded.
    """
    name = type(estimator).__name__
    data = bytes(estimator.get_booster().save_raw("json"))
    try:
        _checked(data, name)
    except LoadError as error:
        raise ParameterError(
            f"A fitted {name} cannot be saved: {error} Use trees or a linear model on plain "
            "numbers, or save the pipeline unfitted and fit it where it is loaded."
        ) from None
    return data


def restore_model(estimator, data, name):
    """Give an unfitted XGBoost estimator what `dump_model` gave; its parameters stay.

    Parameters
    ----------
    estimator : XGBoost estimator
        Changed in place.
    data : bytes
    name : str
        What the bytes are called in messages.

    Raises
    ------
    LoadError
        If they are no sound model.
    """
    model, parameters = _checked(data, name), estimator.get_params(deep=False)
    try:
        estimator.load_model(bytearray(json.dumps(model).encode()))
    except Exception as error:  # XGBoost refuses by exceptions of its own
        raise LoadError(f"{name} is refused: {str(error).splitlines()[0]}") from error
    estimator.set_params(**parameters)  # loading sets some from the model


def _checked(data, name):
    """The model as plain data, refused unless it is sound."""
    try:
        model = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{name} is refused: it is no JSON ({error}).") from None
    try:
        return {"learner": _learner(model["learner"]), "version": _whole(model["version"], 0)}
    except _UnsoundError as error:
        raise LoadError(f"{name} is refused: {error}.") from None
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        reason = f"{type(error).__name__}, {error}"
        raise LoadError(f"{name} is refused: it is no model of XGBoost ({reason}).") from None


class _UnsoundError(Exception):
    """What is wrong with a model, in words."""


def _need(condition, message):
    if not condition:
        raise _UnsoundError(message)


def _learner(learner):
    sizes = learner["learner_model_param"]
    features, classes = _count(sizes["num_feature"]), _count(sizes["num_class"])
    groups = max(classes, _count(sizes.get("num_target", "1")), 1)
    scores = np.atleast_1d(_numbers(json.loads(sizes["base_score"])))
    _need(len(scores) in (1, groups), "its base score has not one number a class")
    objective = _texts(learner["objective"])
    for part in objective.values():
        told = part.get("num_class") if isinstance(part, dict) else None
        _need(told is None or _count(told) == classes, "it has two numbers of classes")
    names, types = (list(map(str, learner.get(f"feature_{key}", ()))) for key in ("names", "types"))
    _need({len(names), len(types)} <= {0, features}, "its features are not all named")
    _need(not {"c", "categorical"} & set(types), "it has categories")
    booster, rounds = _booster(learner["gradient_booster"], features, groups)
    attributes = _texts(learner.get("attributes", {}))
    best = attributes.get("best_iteration", "0")
    _need(_count(best) < max(rounds, 1), "its best iteration does not exist")
    return {
        "attributes": attributes,
        "feature_names": names,
        "feature_types": types,
        "gradient_booster": booster,
        "learner_model_param": _texts(sizes),
        "objective": objective,
    }


def _booster(booster, features, groups):
    """The checked booster, and its number of iterations."""
    kind = booster["name"]
    if kind == "gblinear":
        weights = _numbers(booster["model"]["weights"])
        _need(len(weights) == (features + 1) * groups, "its weights are not one a feature")
        return {"name": kind, "model": _linear(booster["model"], weights)}, _MOST
    if kind == "dart":
        inner, rounds = _booster(booster["gbtree"], features, groups)
        _need(inner["name"] == "gbtree", "it is nested")
        weights = _numbers(booster["weight_drop"])
        _need(len(weights) == len(inner["model"]["trees"]), "its weights are not one a tree")
        return {"name": kind, "gbtree": inner, "weight_drop": weights.tolist()}, rounds
    _need(kind == "gbtree", f"it has the booster {str(kind)[:40]!r}")
    model, rounds = _trees(booster["model"], features, groups)
    return {"name": kind, "model": model}, rounds


def _linear(model, weights):
    written = {"weights": weights.tolist()}
    if "boosted_rounds" in model:
        written["boosted_rounds"] = _count(model["boosted_rounds"])
    return written


def _trees(model, features, groups):
    """The checked trees, and their number of iterations."""
    trees, sizes = model["trees"], _texts(model["gbtree_model_param"])
    _need(isinstance(trees, list), "its trees are no list")
    _need(_count(sizes["num_trees"]) == len(trees), "it has not as many trees as it says")
    parallel = max(1, _count(sizes.get("num_parallel_tree", "1")))
    info = _whole(model["tree_info"], 0, groups - 1)
    _need(len(info) == len(trees), "its trees are not one a class")
    _need(not any(map(len, model.get("cats", {}).values())), "it has categories")
    written = {
        "gbtree_model_param": sizes,
        "trees": [_tree(tree, features, number) for number, tree in enumerate(trees)],
        "tree_info": info,
    }
    rounds = len(trees) // (parallel * groups)
    if "cats" in model:
        written["cats"] = {"enc": [], "feature_segments": [], "sorted_idx": []}
    if "iteration_indptr" in model:
        starts = _whole(model["iteration_indptr"], 0, len(trees))
        ordered = starts == sorted(starts) and starts[:1] == [0] and starts[-1:] == [len(trees)]
        _need(ordered, "its iterations do not follow each other")
        written["iteration_indptr"], rounds = starts, len(starts) - 1
    return written, rounds


def _tree(tree, features, number):
    """A checked tree: from its root each node is reached once, and each split has its feature."""
    sizes = _texts(tree["tree_param"])
    count = _count(sizes["num_nodes"])
    _need(count > 0 and _count(sizes["num_feature"]) == features, "a tree has another size")
    _need(_count(sizes.get("size_leaf_vector", "1")) <= 1, "its leaves are vectors")
    none = {f"categories{part}": [] for part in ("", "_nodes", "_segments", "_sizes")}
    _need(not any(len(tree.get(key, ())) for key in none), "it has categories")
    left, right = (
        np.array(_whole(tree[f"{side}_children"], -1, count - 1), np.int64)
        for side in ("left", "right")
    )
    _need(len(left) == len(right) == count, "a tree has another size")
    split = left >= 0
    _need(np.array_equal(split, right >= 0), "a node has one child alone")
    below = np.concatenate([left[split], right[split]])
    # Each node has one parent at most and the root none, so no way from there comes back.
    _need(0 not in below and len(np.unique(below)) == len(below), "a tree has a loop")
    parents = np.full(count, _NO_PARENT)
    parents[below] = np.tile(np.flatnonzero(split), 2)
    by_node = {key: _numbers(tree[key]).tolist() for key in _BY_NODE}
    by_node["split_indices"] = _whole(tree["split_indices"], 0, max(features - 1, 0))
    by_node["default_left"] = _whole(tree["default_left"], 0, 1)
    by_node["split_type"] = _whole(tree.get("split_type", [0] * count), 0, 0)
    _need(all(len(one) == count for one in by_node.values()), "a tree has another size")
    links = {"left_children": left, "right_children": right, "parents": parents}
    links = {key: array.tolist() for key, array in links.items()}
    return {"id": number, "tree_param": sizes, **by_node, **links, **none}


def _count(text):
    """A number that XGBoost writes as text."""
    value = int(text)
    _need(0 <= value <= _MOST, f"it has a size of {str(text)[:20]}")
    return value


def _whole(values, low, high=_MOST):
    _need(isinstance(values, list), "a table of it is no list")
    good = all(type(value) in (int, bool) and low <= value <= high for value in values)
    _need(good, "a number of it leads nowhere")
    return [int(value) for value in values]


def _numbers(values):
    array = np.asarray(values, np.float64)
    _need(array.ndim <= 1 and np.isfinite(array).all(), "a number of it is not finite")
    return array


def _texts(table):
    """A table of texts, or of such tables: parameters as XGBoost writes them."""
    good = isinstance(table, dict) and all(isinstance(v, str | dict) for v in table.values())
    _need(good, "its parameters are no texts")
    return {str(k): _texts(v) if isinstance(v, dict) else v for k, v in table.items()}
