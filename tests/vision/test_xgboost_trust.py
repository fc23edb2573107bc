"""XGBoost in pipelines: saved and loaded to the bit, and damaged models refused."""

import json
import zipfile

import numpy as np
import pytest
from sklearn.datasets import load_digits

import vision
from classical import RawPixels
from tests.vision.archives import members, rewritten
from vision import LoadError, MissingDependencyError, ParameterError, catalogue, chain
from vision.xgboost_trust import dump_model, restore_model

xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")

IMAGES = [(16 * one).clip(0, 255).astype(np.uint8) for one in load_digits().images[:300]]
LABELS = load_digits().target[:300]
SMALL = {"n_estimators": 6, "max_depth": 3}
MODELS = {
    "trees": xgboost.XGBClassifier(**SMALL),
    "dart": xgboost.XGBClassifier(booster="dart", **SMALL),
    "linear": xgboost.XGBClassifier(booster="gblinear", n_estimators=5),
    "forest": xgboost.XGBRFClassifier(**SMALL),
    "regression": xgboost.XGBRegressor(subsample=0.5, random_state=3, **SMALL),
}


@pytest.fixture
def tmp_path(tmp_path_factory):
    """A folder whose name matches no message."""
    return tmp_path_factory.mktemp("a")


@pytest.mark.filterwarnings("ignore::UserWarning:xgboost")
@pytest.mark.parametrize("name", MODELS)
def test_a_pipeline_is_saved_and_predicts_the_same_to_the_bit(name, tmp_path):
    pipeline = chain(RawPixels(), MODELS[name]).fit(IMAGES[:200], LABELS[:200])
    vision.save(pipeline, tmp_path / "digits.vision")
    again = vision.load(tmp_path / "digits.vision")
    expected = pipeline.predict(IMAGES)
    assert np.array_equal(again.predict(IMAGES), expected)
    if hasattr(pipeline, "predict_proba"):
        assert np.array_equal(again.predict_proba(IMAGES), pipeline.predict_proba(IMAGES))
        assert np.mean(expected[200:] == LABELS[200:]) > 0.6
    kept = [{k: v for k, v in p[-1].get_params().items() if v == v} for p in (pipeline, again)]
    assert kept[0] == kept[1]
    names = zipfile.ZipFile(tmp_path / "digits.vision").namelist()
    assert [one for one in names if one.startswith("steps/")] == [
        f"steps/002-{type(MODELS[name]).__name__.lower()}.json"
    ]


def test_a_booster_that_was_stopped_early_keeps_its_best_round(tmp_path):
    rows = np.array([one.ravel() for one in IMAGES])
    model = xgboost.XGBClassifier(n_estimators=40, early_stopping_rounds=1, learning_rate=1)
    model.fit(rows[:200], LABELS[:200], eval_set=[(rows[200:], LABELS[200:])], verbose=False)
    vision.save(model, tmp_path / "stopped.vision")
    again = vision.load(tmp_path / "stopped.vision")
    assert again.best_iteration == model.best_iteration < 39
    assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))


def test_unfitted_it_is_text(tmp_path):
    text = vision.to_text(chain(RawPixels(), xgboost.XGBClassifier(max_depth=3)))
    assert text == "- RawPixels\n- XGBClassifier: {max_depth: 3}\n"
    with pytest.raises(ParameterError, match="has no parameter 'depht'"):
        vision.to_text(xgboost.XGBClassifier(depht=3))
    with pytest.raises(ParameterError, match="'n_jobs' has no place"):
        vision.to_text(xgboost.XGBClassifier(n_jobs=2))


def fitted():
    return xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(
        np.random.default_rng(0).random((60, 4)), np.arange(60) % 3
    )


def tree(model):
    return model["learner"]["gradient_booster"]["model"]["trees"][0]


def set_child(model):
    tree(model)["left_children"][0] = 10**6


def make_loop(model):
    tree(model)["left_children"][1] = 0


def share_child(model):
    tree(model)["left_children"][0] = tree(model)["right_children"][0]


def split_by_feature_nine(model):
    tree(model)["split_indices"][0] = 9


def cut_weights(model):
    tree(model)["split_conditions"].pop()


def lose_a_tree(model):
    model["learner"]["gradient_booster"]["model"]["trees"].pop()


def name_class_nine(model):
    model["learner"]["gradient_booster"]["model"]["tree_info"][0] = 9


def claim_classes(model):
    model["learner"]["objective"]["softmax_multiclass_param"]["num_class"] = "1000"


def ask_for_a_late_round(model):
    model["learner"]["attributes"]["best_iteration"] = "77"


def have_infinite_weights(model):
    tree(model)["split_conditions"][0] = float("inf")


def have_another_booster(model):
    model["learner"]["gradient_booster"]["name"] = "gbother"


def have_categories(model):
    tree(model)["split_type"][0] = 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (set_child, "leads nowhere"),
        (make_loop, "has a loop"),
        (share_child, "has a loop"),
        (split_by_feature_nine, "leads nowhere"),
        (cut_weights, "another size"),
        (lose_a_tree, "not as many trees"),
        (name_class_nine, "leads nowhere"),
        (claim_classes, "two numbers of classes"),
        (ask_for_a_late_round, "best iteration does not exist"),
        (have_infinite_weights, "not finite"),
        (have_another_booster, "the booster 'gbother'"),
        (have_categories, "leads nowhere"),
        (lambda model: model.pop("version"), "no model of XGBoost"),
        (lambda model: model["learner"].pop("objective"), "no model of XGBoost"),
    ],
)
def test_damaged_models_are_refused(damage, message):
    model = json.loads(dump_model(fitted()))
    damage(model)
    with pytest.raises(LoadError, match=f"model.json is refused: .*{message}"):
        restore_model(xgboost.XGBClassifier(), json.dumps(model).encode(), "model.json")


def test_parents_are_computed_anew():
    model = json.loads(dump_model(fitted()))
    tree(model)["parents"] = [10**8] * len(tree(model)["parents"])
    again = xgboost.XGBClassifier()
    restore_model(again, json.dumps(model).encode(), "model.json")
    written = json.loads(again.get_booster().save_raw("json"))
    assert tree(written)["parents"] == tree(json.loads(dump_model(fitted())))["parents"]


@pytest.mark.parametrize("data", [b"", b"\x00", b"[" * 100_000, b"[]", b'{"learner": 3}'])
def test_what_is_no_model_is_refused(data):
    with pytest.raises(LoadError, match="is refused"):
        restore_model(xgboost.XGBClassifier(), data, "model.json")


def test_a_pickle_in_its_place_is_refused(tmp_path):
    path = tmp_path / "a.vision"
    vision.save(chain(RawPixels(), fitted()), path)
    files = members(path)
    (name,) = [one for one in files if one.startswith("steps/")]
    rewritten(path, files | {name: b"\x80\x04cos\nsystem\n."})
    with pytest.raises(LoadError, match="is refused"):
        vision.load(path)


def test_models_with_categories_are_not_saved():
    rows = np.random.default_rng(0).integers(0, 5, (80, 2)).astype(float)
    model = xgboost.XGBClassifier(
        n_estimators=3, enable_categorical=True, feature_types=["c", "q"], max_depth=3
    ).fit(rows, (rows[:, 0] % 2).astype(int))
    with pytest.raises(ParameterError, match=r"XGBClassifier cannot be saved: .*categories"):
        dump_model(model)


def test_without_xgboost_the_message_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name, name="xgboost")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MissingDependencyError, match="pip install xgboost"):
        catalogue.resolve("XGBClassifier")
