"""Fitted models whose arrays would lead compiled code astray: refused, or built anew."""

import json

import numpy as np
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tests.vision.archives import (
    DIGITS,
    ROWS,
    members,
    rewritten,
    saved,
    scores,
    skops_files,
    stored_zip,
)
from vision import LoadError, ParameterError, chain, load, save


@pytest.fixture
def tmp_path(tmp_path_factory):
    """A folder whose name matches no message: pytest's own has the words of the test."""
    return tmp_path_factory.mktemp("a")


def tampered(path, place, change):
    """The archive whose fitted step was changed, written by skops itself."""
    name = f"steps/{place}.skops"
    trusted = skops.io.get_untrusted_types(data=members(path)[name])
    estimator = skops.io.loads(members(path)[name], trusted=trusted)
    change(estimator)
    return rewritten(path, {name: skops.io.dumps(estimator)})


def tree_nodes(field, value, *, inner=True):
    """Change a field of a node of the first decision tree."""

    def change(forest):
        tree = (
            forest.estimators_.ravel()[0].tree_
            if isinstance(forest.estimators_, np.ndarray)
            else forest.estimators_[0].tree_
        )
        state = tree.__getstate__()
        nodes = state["nodes"].copy()
        nodes[field][0 if inner else -1] = value
        tree.__setstate__(state | {"nodes": nodes})

    return change


def histogram_nodes(field, value):
    def change(model):
        model._predictors[0][0].nodes[field][0] = value

    return change


def attribute(name, function):
    def change(model):
        setattr(model, name, function(getattr(model, name)))

    return change


FOREST = RandomForestClassifier(3, random_state=0)
BOOSTED = GradientBoostingClassifier(n_estimators=2, random_state=0)
HISTOGRAM = HistGradientBoostingClassifier(max_iter=2, random_state=0)
TAMPERED = {
    "a child far away": (FOREST, tree_nodes("left_child", 10**9)),
    "a child before": (FOREST, tree_nodes("right_child", 0)),
    "a child below nothing": (FOREST, tree_nodes("right_child", -5)),
    "a feature far away": (FOREST, tree_nodes("feature", 10**9)),
    "a negative feature": (FOREST, tree_nodes("feature", -3)),
    "boosted": (BOOSTED, tree_nodes("left_child", 10**9)),
    "histogram child": (HISTOGRAM, histogram_nodes("left", 2**31)),
    "histogram loop": (HISTOGRAM, histogram_nodes("right", 0)),
    "histogram feature": (HISTOGRAM, histogram_nodes("feature_idx", 10**6)),
    "histogram categories": (HISTOGRAM, histogram_nodes("is_categorical", 1)),
    "trees for more features": (FOREST, attribute("n_features_in_", lambda n: n - 1)),
    "support vectors": (SVC(), attribute("_n_support", lambda n: n + 1000)),
    "negative support": (SVC(), attribute("_n_support", lambda n: n * np.where(n > 0, -1, 1))),
    "coefficients": (SVC(), attribute("_dual_coef_", lambda c: c[:, :2].copy())),
    "intercepts": (SVC(), attribute("_intercept_", lambda c: c[:1].copy())),
    "support": (SVC(), attribute("support_", lambda c: c + 10**6)),
    "centres": (KMeans(3, random_state=0), attribute("cluster_centers_", lambda c: c[:, :2])),
    "labels": (KNeighborsClassifier(), attribute("_y", lambda y: y[:3])),
    "depth of a tree": (DecisionTreeClassifier(), attribute("n_features_in_", lambda n: n + 1)),
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_arrays_that_compiled_code_follows_are_checked(kind, tmp_path):
    estimator, change = TAMPERED[kind]
    model = chain(StandardScaler(), estimator).fit(ROWS, DIGITS)
    place = f"002-{type(estimator).__name__.lower()}"
    path = saved(model, tmp_path)
    assert np.array_equal(scores(load(path)), scores(model))
    with pytest.raises(LoadError, match="A fitted model is refused"):
        load(tampered(path, place, change))


def with_node_count(path, added):
    name = "steps/002-decisiontreeclassifier.skops"
    files = skops_files(members(path)[name])
    schema = json.loads(files["schema.json"])
    count = schema["content"]["content"]["tree_"]["content"]["content"]["node_count"]
    count["content"] = str(int(count["content"]) + added)
    changed = stored_zip(files | {"schema.json": json.dumps(schema).encode()})
    return rewritten(path, {name: changed})


def test_a_tree_that_miscounts_its_nodes_is_refused_or_counted(tmp_path):
    model = chain(StandardScaler(), DecisionTreeClassifier()).fit(ROWS, DIGITS)
    with pytest.raises(LoadError, match="miscounts"):
        load(with_node_count(saved(model, tmp_path), -1))
    # scikit-learn itself lowers a count to the nodes that there are.
    loaded = load(with_node_count(saved(model, tmp_path), 10**9))
    assert np.array_equal(scores(loaded), scores(model))


def test_a_distance_with_weights_is_refused_when_saved(tmp_path):
    weights = {"w": np.linspace(1, 2, ROWS.shape[1])}
    model = KNeighborsClassifier(algorithm="ball_tree", p=3, metric_params=weights)
    with pytest.raises(ParameterError, match=r"KNeighborsClassifier cannot be saved.*weighs"):
        save(model.fit(ROWS, DIGITS), tmp_path / "a.vision")


def test_neighbour_trees_are_built_anew(tmp_path):
    model = chain(StandardScaler(), KNeighborsClassifier(algorithm="kd_tree")).fit(ROWS, DIGITS)

    def change(estimator):
        state = list(estimator._tree.__getstate__())
        state[1] = np.full_like(state[1], 10**9)
        estimator._tree.__setstate__(tuple(state))

    path = tampered(saved(model, tmp_path), "002-kneighborsclassifier", change)
    assert np.array_equal(scores(load(path)), scores(model))
