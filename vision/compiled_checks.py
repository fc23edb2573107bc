"""Fitted scikit-learn models whose arrays compiled code follows without looking.

A type says nothing about content: a tree whose child is node 10**9 would crash the interpreter
when it predicts. What is followed blindly is checked here, or computed anew.
"""

import inspect

import numpy as np

from vision.errors import LoadError

# Stored distances of neighbour trees, by the name under which a fresh one is made.
METRICS = {
    "EuclideanDistance64": "euclidean",
    "ManhattanDistance64": "manhattan",
    "ChebyshevDistance64": "chebyshev",
    "MinkowskiDistance64": "minkowski",
}
FORESTS = {
    *("ExtraTreesClassifier", "ExtraTreesRegressor", "GradientBoostingClassifier"),
    *("GradientBoostingRegressor", "IsolationForest", "RandomForestClassifier"),
    *("RandomForestRegressor", "RandomTreesEmbedding"),
}


def check_compiled(model):
    """Refuse a model that could make compiled code read outside its arrays.

    Decision trees and histogram trees lead forwards, to nodes and features that exist; the trees
    of nearest neighbours are built anew from their points; the arrays of support vector machines
    and K-means have the sizes that belong together.

    Parameters
    ----------
    model : scikit-learn estimator
        Fitted; neighbour trees inside it are replaced.

    Raises
    ------
    LoadError
        Naming what is wrong.
    """
    for item in list(_objects(model)):
        name = type(item).__name__
        if name == "Tree":
            _check_tree(item)
        elif name in ("KDTree", "BallTree"):
            _rebuild(item)
        elif hasattr(item, "__dict__"):
            held = vars(item)
            for attribute, check in _BY_ATTRIBUTE.items():
                if attribute in held:
                    check(item, held)


def _objects(root):
    """Everything that a model is made of, each once."""
    seen, waiting = set(), [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list | tuple | set):
            waiting += item
        elif isinstance(item, np.ndarray):
            waiting += item.flat if item.dtype == object else []
        elif not inspect.isclass(item):
            waiting += getattr(item, "__dict__", {}).values()


def _demand(good, what):
    if not good:
        raise LoadError(f"A fitted model is refused: {what}.")


def _check_tree(tree):
    count = tree.node_count
    _demand(0 < count == tree.capacity, "a decision tree miscounts its nodes")
    left, right = tree.children_left, tree.children_right
    inner = np.flatnonzero(left != -1)
    forwards = (left[inner] > inner) & (right[inner] > inner)
    _demand(
        np.all(forwards & (left[inner] < count) & (right[inner] < count)),
        "a decision tree leads back or nowhere",
    )
    feature = tree.feature[inner]
    _demand(
        np.all((feature >= 0) & (feature < tree.n_features)),
        "a decision tree asks for a feature that it does not have",
    )


def _check_single_tree(model, held):
    _demand(
        getattr(held["tree_"], "n_features", held["n_features_in_"]) == held["n_features_in_"],
        "a decision tree has another number of features than its model",
    )


def _check_forest(model, held):
    """Forests hand their input on to the trees unchecked; an isolation forest, columns of it."""
    if type(model).__name__ not in FORESTS:
        return
    members = np.asarray(held["estimators_"], dtype=object).ravel()
    columns = held.get("estimators_features_")
    for number, member in enumerate(members):
        width = held["n_features_in_"] if columns is None else len(columns[number])
        _demand(member.tree_.n_features == width, "a forest has trees for other features")


def _check_histogram_trees(model, held):
    width = held.get("n_features_in_", 0)
    for predictor in (one for stage in held["_predictors"] for one in stage):
        nodes = predictor.nodes
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        _demand(len(nodes) > 0, "a histogram tree is empty")
        for side in ("left", "right"):
            child = nodes[side][inner].astype(np.int64)
            _demand(
                np.all((child > inner) & (child < len(nodes))),
                "a histogram tree leads back or nowhere",
            )
        _demand(
            np.all((nodes["feature_idx"][inner] >= 0) & (nodes["feature_idx"][inner] < width)),
            "a histogram tree asks for a feature that it does not have",
        )
        _demand(not nodes["is_categorical"].any(), "a histogram tree splits by categories")


def _rebuild(tree):
    state = tree.__getstate__()
    points, leaf_size, metric, weights = state[0], state[4], state[11], state[12]
    name = METRICS.get(type(metric).__name__)
    _demand(name is not None, f"a neighbour tree measures by {type(metric).__name__}")
    p, vector, _ = metric.__getstate__()
    _demand(not np.any(vector), "a neighbour tree weighs its features")
    options = {"p": p} if name == "minkowski" else {}
    try:
        fresh = type(tree)(points, leaf_size, metric=name, sample_weight=weights, **options)
    except ValueError as error:
        raise LoadError(f"A fitted model is refused: its neighbour tree has {error}.") from None
    tree.__setstate__(fresh.__getstate__())


def _check_neighbours(model, held):
    labels = held.get("_y")
    _demand(
        labels is None or len(labels) == len(held["_fit_X"]),
        "a neighbour model has another number of points than of labels",
    )


def _check_centres(model, held):
    centres = held["cluster_centers_"]
    _demand(
        centres.ndim == 2 and centres.shape[1] == held.get("n_features_in_"),
        "cluster centres have another number of features than their model",
    )


def _check_machine(model, held):
    """What libsvm is given as bare pointers, sized by the number of classes."""
    classes = len(held.get("classes_", ())) or 2
    pairs = classes * (classes - 1) // 2
    vectors, each = held["support_vectors_"], held["_n_support"]
    count = len(vectors)
    good = (
        held["_sparse"] is False
        and vectors.ndim == 2
        and held["support_"].shape == (count,)
        and held["_dual_coef_"].shape == (classes - 1, count)
        and held["_intercept_"].shape == (pairs,)
        and all(held[name].shape in ((0,), (pairs,)) for name in ("_probA", "_probB"))
        and each.shape == (classes,)
        and np.all((each >= 0) & (each <= count))
        and ("classes_" not in held or each.sum() == count)
        and np.all((held["support_"] >= 0) & (held["support_"] < held["shape_fit_"][0]))
    )
    _demand(good, "the arrays of a support vector machine do not belong together")


_BY_ATTRIBUTE = {
    "tree_": _check_single_tree,
    "estimators_": _check_forest,
    "_predictors": _check_histogram_trees,
    "_fit_X": _check_neighbours,
    "cluster_centers_": _check_centres,
    "_n_support": _check_machine,
}
