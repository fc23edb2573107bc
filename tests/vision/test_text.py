"""The text of pipelines: canonical, readable, the identity both ways, and only ever data."""

import inspect
import math
import os
import string
import subprocess
import sys

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators

import vision
from classical import (
    ApplyMask,
    Canny,
    FindContours,
    GaussianBlur,
    Gray,
    InRange,
    Opening,
    Otsu,
    Resize,
    Threshold,
    ToHSV,
)
from vision import (
    And,
    Branches,
    ForEach,
    KindError,
    LoadError,
    Or,
    ParameterError,
    Pick,
    Pipeline,
    UnknownNameError,
    chain,
    from_text,
    to_text,
)
from vision.catalogue import make, names
from vision.safe_yaml import parse
from vision.text import describe

RED = ToHSV() >> InRange("hsv", (170, 120, 70), (10, 255, 255))
FRAME = np.pad(np.zeros((6, 8), np.uint8), 2, constant_values=255)


def same(one, other):
    """Equal in value and in type all the way down, arrays and steps included."""
    if hasattr(one, "get_params") and not isinstance(one, type):
        return type(one) is type(other) and same(
            one.get_params(deep=False), other.get_params(deep=False)
        )
    one, other = (
        value.item() if isinstance(value, np.generic) else value for value in (one, other)
    )
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (
            math.isnan(one) and math.isnan(other)
        )
    return one is other or one == other


def round_trip(pipeline, folder=None):
    text = to_text(pipeline, folder)
    loaded = from_text(text, folder)
    assert to_text(loaded, folder) == text
    return loaded


# Written by hand, as a person reads the format's description.
FORMS = {
    "- Gray\n- Otsu\n": lambda: Gray() >> Otsu(),
    "Canny\n": lambda: Canny(),
    "Canny: {low: 50}\n": lambda: Canny(low=50),
    "- Gray\n- Canny as edges: {low: 50, high: 150.5}\n": lambda: Pipeline(
        [("gray", Gray()), ("edges", Canny(50, 150.5))]
    ),
    "- Gray\n- GaussianBlur\n- GaussianBlur: {sigma: 2}\n- Otsu\n": lambda: (
        Gray() >> GaussianBlur() >> GaussianBlur(sigma=2) >> Otsu()
    ),
    "- Gray\n- Pipeline as find:\n    - Otsu\n    - FindContours\n": lambda: Pipeline(
        [("gray", Gray()), ("find", Otsu() >> FindContours())]
    ),
    "- Gray\n- passthrough\n- Otsu\n": lambda: Pipeline(
        [("gray", Gray()), ("passthrough", "passthrough"), ("otsu", Otsu())]
    ),
    "Pipeline:\n  steps:\n    - Gray\n  verbose: true\n": lambda: Pipeline(
        [("gray", Gray())], verbose=True
    ),
    "- Or:\n"
    "    red:\n"
    "      - ToHSV\n"
    "      - InRange: {space: hsv, low: [170, 120, 70], high: [10, 255, 255]}\n"
    "    bright:\n"
    "      - Gray\n"
    "      - Threshold: {value: 200}\n"
    "- Opening\n": lambda: Or([("red", RED), ("bright", Gray() >> Threshold(200))]) >> Opening(),
    "- Branches:\n    edges: Canny\n    mask: Otsu\n- Pick: {branch: edges}\n": lambda: (
        Branches({"edges": Canny(), "mask": Otsu()}) >> Pick("edges")
    ),
    "ForEach:\n"
    "  find:\n"
    "    Pipeline:\n"
    "      - Otsu\n"
    "      - FindContours\n"
    "  then:\n"
    "    SVC: {C: 10}\n"
    "  padding: 3\n": lambda: ForEach(Otsu() >> FindContours(), SVC(C=10), padding=3),
    "CalibratedClassifierCV:\n  estimator:\n    SVC: {}\n  ensemble: false\n": lambda: (
        CalibratedClassifierCV(SVC(), ensemble=False)
    ),
    "VotingClassifier: {estimators: [[a, {SVC: {C: 2}}], [b, {GaussianNB: {}}]]}\n": lambda: (
        VotingClassifier([("a", SVC(C=2)), ("b", GaussianNB())])
    ),
    "SVC: {C: .inf, class_weight: {0: 1, 1: 2.5, cat: 3}}\n": lambda: SVC(
        C=math.inf, class_weight={0: 1, 1: 2.5, "cat": 3}
    ),
    "SimpleImputer: {missing_values: 0}\n": lambda: SimpleImputer(missing_values=0),
    "MLPClassifier: {hidden_layer_sizes: [32, 16]}\n": lambda: MLPClassifier((32, 16)),
}


@pytest.mark.parametrize("text", FORMS)
def test_the_documented_forms(text):
    pipeline = FORMS[text]()
    assert to_text(pipeline) == text
    assert same(from_text(text), pipeline)


def test_any_yaml_library_reads_the_same_data():
    for text in FORMS:
        assert yaml.safe_load(text) == parse(text)


@pytest.mark.parametrize("name", names())
def test_every_step_of_the_catalogue_comes_back(name, tmp_path):
    step = make(name)
    assert same(round_trip(step, tmp_path), step)


ESTIMATORS = dict(all_estimators())
INNER = {
    "estimator": LogisticRegression(C=0.5),
    "estimators": [("a", SVC(C=2)), ("b", LogisticRegression())],
    "param_grid": {"C": [1, 10.0], "class_weight": [None, {0: 1, 1: 2}]},
    "param_distributions": {"C": [1, 10]},
    "transformers": [("a", StandardScaler(), [0, 1]), ("rest", "passthrough", [2])],
    "transformer_list": [("a", MinMaxScaler((0, 2))), ("b", "drop")],
    "dictionary": np.eye(3),
    "steps": [("a", StandardScaler())],
}


@pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning")
@pytest.mark.parametrize("name", sorted(ESTIMATORS.keys() - {"Pipeline"}))
def test_every_public_estimator_of_scikit_learn_comes_back(name, tmp_path):
    parameters = inspect.signature(ESTIMATORS[name].__init__).parameters
    required = [
        item.name for item in parameters.values() if item.default is item.empty and item.kind == 1
    ]
    estimator = ESTIMATORS[name](**{item: INNER[item] for item in required if item != "self"})
    assert same(round_trip(estimator, tmp_path), estimator)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(st.characters(exclude_categories=[]), max_size=20),
    st.sampled_from(
        [
            "yes",
            "null",
            "1e3",
            "-1",
            "2026-01-01",
            "<<",
            "=",
            "a: b",
            "Canny",
            "a as b",
            " ",
            "file",
        ]
    ),
    st.sampled_from([np.float32(0.1), np.int64(3), np.True_, np.str_("x")]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(
            st.one_of(
                st.text(string.ascii_letters, max_size=5),
                st.integers(),
                st.booleans(),
                st.tuples(st.integers(), st.text(max_size=3)),
                st.sampled_from(["file", "$table", "Canny", "SVC as x"]),
            ),
            inner,
            max_size=3,
        ),
        st.builds(SVC, C=inner, class_weight=inner),
        st.just(Gray() >> Otsu()),
    ),
    max_leaves=10,
)
NAMES = st.text(min_size=1, max_size=12).filter(
    lambda name: "__" not in name and name not in ("steps", "memory", "verbose", "transform_input")
)


@given(VALUES, VALUES)
@settings(max_examples=300, deadline=None)
def test_any_plain_parameter_comes_back_as_it_was(one, other):
    forest = RandomForestClassifier(max_features=one, class_weight=other)
    assert same(round_trip(forest), forest)


FEATURE_STEPS = st.one_of(
    st.builds(StandardScaler, with_mean=st.booleans()),
    st.builds(MinMaxScaler, feature_range=st.tuples(st.integers(), st.floats(0, 1))),
    st.builds(SelectKBest, k=st.integers(1, 9)),
    st.builds(SimpleImputer, missing_values=st.floats(), fill_value=SCALARS),
    st.builds(FunctionTransformer, kw_args=st.dictionaries(st.text("abc"), VALUES, max_size=2)),
)
IMAGE_STEPS = st.one_of(
    st.builds(GaussianBlur, size=st.sampled_from([None, 3, 5]), sigma=st.floats(0.1, 9)),
    st.builds(Resize, st.integers(1, 500)),
    st.builds(Resize, width=st.integers(1, 99), height=st.integers(1, 99)),
    st.just("passthrough"),
)
MASKS = st.recursive(
    st.one_of(
        st.builds(Canny, st.integers(0, 90), st.floats(100, 200)),
        st.builds(Threshold, st.integers(0, 255)),
        st.just(Otsu()),
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a, b: a & b ^ a, inner, inner),
        st.builds(lambda a: ~a >> Opening(3), inner),
        st.builds(lambda name, a: Or([(name, a), ("frame", FRAME)]), NAMES, inner).filter(
            lambda joined: joined.branches[0][0] not in ("frame", "branches")
        ),
    ),
    max_leaves=6,
)


def named_chain(steps, own_names):
    pairs = vision.composition.named(steps)
    pairs = [
        (own or name, step)
        for (name, step), own in zip(pairs, [*own_names, *[None] * len(pairs)], strict=False)
    ]
    return (
        Pipeline(pairs)
        if len(dict(pairs)) == len(pairs)
        else Pipeline(vision.composition.named(steps))
    )


@given(
    st.lists(IMAGE_STEPS, max_size=3),
    MASKS,
    st.lists(st.one_of(st.none(), NAMES), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_any_composition_of_masks_comes_back(tmp_path_factory, before, mask, own_names):
    folder = tmp_path_factory.getbasetemp()
    pipeline = named_chain([Gray(), *before, mask], own_names)
    assert same(round_trip(pipeline, folder), pipeline)


@given(st.lists(FEATURE_STEPS, max_size=4), VALUES)
@settings(max_examples=100, deadline=None)
def test_any_composition_of_feature_steps_comes_back(steps, value):
    pipeline = chain(*steps, SVC(C=value))
    assert same(round_trip(pipeline), pipeline)


def test_lists_become_what_a_step_expects():
    loaded = from_text("- ToHSV\n- InRange: {space: hsv, low: [1, 2, 3], high: [4, 5, 6]}")
    assert loaded.named_steps["inrange"].low == (1, 2, 3)
    assert from_text("MinMaxScaler: {feature_range: [0, 2]}").feature_range == (0, 2)
    voting = from_text("VotingClassifier: {estimators: [[a, {SVC: {}}]], weights: [1, 2]}")
    assert isinstance(voting.estimators[0], tuple)
    assert voting.weights == [1, 2]


def test_a_whole_number_is_not_the_default_of_a_fraction():
    # scikit-learn: max_features=1 is one feature, 1.0 all of them.
    loaded = from_text(to_text(ESTIMATORS["RandomForestRegressor"](max_features=1)))
    assert type(loaded.max_features) is int
    assert to_text(ESTIMATORS["RandomForestRegressor"](max_features=1.0)) == (
        "RandomForestRegressor\n"
    )


def test_equal_pipelines_have_one_text():
    assert to_text(InRange("hsv", [1, 2, 3], [4, 5, 6])) == to_text(
        InRange(low=(np.int64(1), 2, 3), high=(4, 5, 6), space="hsv")
    )
    assert to_text(clone(RED | Gray() >> Otsu())) == to_text(RED | Gray() >> Otsu())


def test_a_written_text_is_one_that_other_names_would_change():
    other = Pipeline([("gray", Gray()), ("canny_2", Canny())])
    assert to_text(other) == "- Gray\n- Canny as canny_2\n"
    assert to_text(Gray() >> Canny()) == "- Gray\n- Canny\n"


def test_exponents_without_a_point_are_numbers():
    # YAML 1.2; PyYAML alone reads the string "1e-3".
    loaded = from_text("SVC: {C: 1e3, gamma: 1e-3}")
    assert (loaded.C, loaded.gamma) == (1000.0, 0.001)
    assert from_text("SVC: {kernel: '1e3'}").kernel == "1e3"


# --- arrays -------------------------------------------------------------------------------------


def test_a_fixed_mask_is_a_png_that_another_library_reads(tmp_path):
    pipeline = Gray() >> (Otsu() & FRAME)
    text = to_text(pipeline, tmp_path)
    (file,) = tmp_path.iterdir()
    assert f"{{file: {file.name}}}" in text
    with Image.open(file) as picture:
        assert np.array_equal(np.asarray(picture), FRAME)
    assert same(from_text(text, tmp_path), pipeline)


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.25, 0.75]),
        np.float32([[0.1, np.nan]]),
        np.array(["a", "bc"]),
        np.array([[True, False]]),
        np.array(3 + 1j),
        np.zeros((0, 3)),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(6, dtype=">i2"),
        np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_arrays_stand_in_files_beside_the_text(array, tmp_path):
    loaded = from_text(to_text(GaussianNB(priors=array), tmp_path), tmp_path).priors
    assert loaded.dtype == array.dtype
    assert np.array_equal(loaded, array, equal_nan=array.dtype.kind == "f")
    (file,) = tmp_path.iterdir()
    if file.suffix == ".npy":
        assert np.array_equal(np.load(file), array, equal_nan=array.dtype.kind == "f")


def test_the_text_says_which_content_it_means(tmp_path):
    texts = {to_text(GaussianNB(priors=np.full(2, value)), tmp_path) for value in (0.1, 0.2, 0.1)}
    assert len(texts) == 2
    assert to_text(GaussianNB(priors=np.float32([0.1, 0.1])), tmp_path) not in texts
    assert describe(GaussianNB(priors=np.full(2, 0.1)))[0] in texts


def test_an_array_needs_a_folder(tmp_path):
    with pytest.raises(ParameterError, match=r"folder=\.\.\."):
        to_text(Otsu() & FRAME)
    with pytest.raises(LoadError, match="folder="):
        from_text("And: {otsu: Otsu, mask: {file: mask.png}}")


def test_a_file_may_lie_in_a_sub_folder_and_be_of_any_make(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(FRAME).save(tmp_path / "masks" / "a.png")
    loaded = from_text("And: {otsu: Otsu, mask: {file: masks/a.png}}", tmp_path)
    assert np.array_equal(loaded.branches[1][1], FRAME)


@pytest.fixture
def secret(tmp_path):
    """A file outside the folder of the text."""
    np.save(tmp_path / "secret.npy", np.arange(3.0))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.npy").symlink_to(tmp_path / "secret.npy")
    (inside / "up").symlink_to(tmp_path, target_is_directory=True)
    (inside / "null.npy").symlink_to("/dev/null")
    os.mkfifo(inside / "pipe.npy")
    (inside / "folder.npy").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.npy", "link.npy", "up/secret.npy", "./../secret.npy", "a/../../secret.npy"),
        *("/etc/hostname", "null.npy", "pipe.npy", "folder.npy", "missing.npy", "", "."),
        *("C:\\\\secret.npy", "..\\\\secret.npy", "a\\0.npy", "//secret.npy", "secret.txt"),
    ],
)
def test_paths_out_of_the_folder_and_devices_are_refused(secret, name):
    with pytest.raises(LoadError, match=r"step 1 .GaussianNB., parameter 'priors'"):
        from_text(f'- GaussianNB: {{priors: {{file: "{name}"}}}}', secret / "inside")
    with pytest.raises(LoadError, match="refused"):
        from_text(f'GaussianNB: {{priors: {{file: "{secret}/secret.npy"}}}}', secret / "inside")


class Planted:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_a_pickle_within_an_array_is_never_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([Planted(tmp_path / "mark")]), allow_pickle=True)
    with pytest.raises(LoadError, match="Python objects"):
        from_text("GaussianNB: {priors: {file: a.npy}}", tmp_path)
    assert not (tmp_path / "mark").exists()


# --- what is refused ----------------------------------------------------------------------------

UNWRITABLE = {
    "callables": (SelectKBest(chi2), r"step 2 \(SelectKBest\), parameter 'score_func'.*chi2"),
    "lambdas": (FunctionTransformer(lambda rows: rows), r"'func'.*lambda"),
    "classes": (FunctionTransformer(kw_args={"dtype": int}), r"key 'dtype'.*int"),
    "jobs": (RandomForestClassifier(n_jobs=2), r"parameter 'n_jobs'.*set_params"),
    "nested jobs": (
        VotingClassifier([("a", RandomForestClassifier(n_jobs=-1))]),
        r"step 2 .*'estimators', RandomForestClassifier, parameter 'n_jobs'",
    ),
    "memory": (ESTIMATORS["FeatureAgglomeration"](memory="cache"), "'memory'.*unpickle"),
    "memory in a grid": (GridSearchCV(SVC(), {"pca__memory": ["cache"]}), "'pca__memory'"),
    "generators": (SVC(random_state=np.random.RandomState(0)), "whole number"),
    "splitters": (GridSearchCV(SVC(), {}, cv=StratifiedKFold(2)), "StratifiedKFold"),
    "other pipelines": (VotingClassifier([("a", make_pipeline(SVC()))]), r"vision\.chain"),
    "objects": (SVC(C=Planted("x")), "Planted"),
    "sets": (SVC(class_weight={"a": {1, 2}}), "set"),
    "complex numbers": (SVC(C=1j), "complex"),
    "object arrays": (GaussianNB(priors=np.array([None])), "dtype object"),
    "masked arrays": (GaussianNB(priors=np.ma.array([1.0])), "filled"),
    "long numbers": (SVC(C=10**400), "digits"),
}


@pytest.mark.parametrize("what", UNWRITABLE)
def test_what_no_text_holds_is_refused_by_place(what):
    step, message = UNWRITABLE[what]
    with pytest.raises(ParameterError, match=message):
        describe(chain(StandardScaler(), step))


def test_own_classes_none_and_empty_chains_are_refused():
    class Mine(vision.Step):
        pass

    for step, message in ((Mine(), "catalogue"), (None, "passthrough")):
        with pytest.raises(ParameterError, match=message):
            to_text(Pipeline([("gray", Gray()), ("x", step), ("otsu", Otsu())]))
    with pytest.raises(ParameterError, match="at least one"):
        to_text(Pipeline([]))
    with pytest.raises(ParameterError, match="not written"):
        to_text("Canny")


def test_what_contains_itself_is_refused():
    table = {}
    table["again"] = [table]
    with pytest.raises(ParameterError, match="contains itself"):
        to_text(SVC(class_weight=table))


def test_what_is_too_large_is_refused():
    with pytest.raises(ParameterError, match="too large"):
        to_text(SVC(class_weight=list(range(30_000))))
    deep = []
    for _ in range(80):
        deep = [deep]
    with pytest.raises(ParameterError, match="nested"):
        to_text(SVC(class_weight=deep))


UNREADABLE = {
    "empty": ("", "empty"),
    "a comment": ("# nothing", "empty"),
    "no steps": ("[]", "at least one step"),
    "a number": ("3", "A step is a name"),
    "no yaml": ("- Gray\n -Canny: {", "no YAML.*line 2"),
    "two documents": ("- Gray\n---\n- Canny", "no YAML"),
    "an object": ("!!python/object/apply:os.mkdir [mark]", "Tags"),
    "an object as value": ("- SVC: {C: !!python/name:os.system }", r"Tags.*line 1, column 12"),
    "a tag of YAML itself": ("- SVC: {C: !!binary aGk=}", "Tags"),
    "an alias": ("a: &a [1]\nb: *a", "aliases"),
    "a merge": ("SVC: {<<: {C: 1}}", "merge"),
    "a date": ("SVC: {C: 2026-01-01}", "timestamp.*quotes"),
    "double keys": ("- SVC: {C: 1, C: 2}", "'C' stands twice.*line 1"),
    "keys that are lists": ("SVC: {[1]: 2}", "key"),
    "jobs": ("- Gray\n- RandomForestClassifier: {n_jobs: 2}", r"step 2 .*'n_jobs'.*set_params"),
    "memory": ("- FeatureAgglomeration: {memory: cache}", "'memory'.*unpickle"),
    "memory of a chain": ("Pipeline: {steps: [Gray], memory: cache}", "'memory'"),
    "memory within": (
        "VotingClassifier: {estimators: [[a, {FeatureAgglomeration: {memory: x}}]]}",
        "FeatureAgglomeration, parameter 'memory'",
    ),
    "memory in a grid": (
        "GridSearchCV: {estimator: {SVC: {}}, param_grid: {a__memory: [x]}}",
        "a__memory",
    ),
    "memory in a table": (
        "GridSearchCV: {estimator: {SVC: {}}, param_grid: {$table: [[memory, [x]]]}}",
        "memory",
    ),
    "dispatch": (
        "GridSearchCV: {estimator: {SVC: {}}, param_grid: {}, pre_dispatch: 9**9**9}",
        "dispatch",
    ),
    "unknown parameters": ("- Gray\n- Canny: {lwo: 3}", r"step 2 \(Canny\).*Did you mean 'low'"),
    "missing parameters": ("- Pick", "needs 'branch'"),
    "a bare value": ("- Canny: 50", r"write \{low: \.\.\.\}"),
    "side by side": ("- Canny:\n  low: 50", "indented further"),
    "a name for one step": ("Canny as edge", "Only the steps of a chain"),
    "double names": ("- Gray as a\n- Canny as a", "Two steps are named 'a'"),
    "bad names": ("- Gray as a__b", "a__b"),
    "no branches": ("Or: [Otsu]", "table of named branches"),
    "branch names": ("Or: {1: Otsu}", "in quotes"),
    "special forms": ("SVC: {C: {$frob: 1}}", "no special form"),
    "a bad table": ("SVC: {C: {$table: 3}}", "pairs"),
    "a bad key": ("SVC: {C: {$table: [[{a: 1}, 2]]}}", "cannot be a key"),
    "a double key": ("SVC: {C: {$table: [[1, 2], [1, 3]]}}", "twice"),
    "a file that is no name": ("SVC: {C: {file: 3}}", "name of an"),
    "a nested chain": ("[" * 9 + "Gray" + "]" * 9, "nested more than"),
    "depth": ("[" * 100_000, "levels deep"),
    "length": ("- Gray\n" * 200_000, "characters"),
    "values": ("SVC: {C: [" + "1," * 30_000 + "]}", "npy"),
    "steps": ("- Gray\n" * 600, "500 steps"),
    "digits": ("SVC: {C: " + "1" * 1_000 + "}", "digits"),
    "bytes": ("- Gray\x00", "no YAML"),
    "an estimator that is none": ("- GridSearchCV: {estimator: x, param_grid: {}}", "built"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_no_text_may_hold_is_refused_by_place(what, tmp_path, monkeypatch):
    text, message = UNREADABLE[what]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoadError, match=message):
        from_text(text, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_laughs_stay_a_handful():
    laughs = "a: &a [x, x]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefghijk", "bcdefghijkl")
    )
    with pytest.raises(LoadError, match="aliases"):
        from_text(laughs)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match=r"step 2 \(Cany\): .*Did you mean 'Canny'"):
        from_text("- Gray\n- Cany")
    with pytest.raises(UnknownNameError, match=r"branch 'a', step 1 \(SVCC\): .*'SVC'"):
        from_text("Or: {a: [SVCC]}")
    for name in ("system", "os.system", "builtins.eval", "__import__", "MaskOperation"):
        with pytest.raises(UnknownNameError):
            from_text(f"- '{name}'")


def test_a_chain_that_cannot_work_keeps_its_repair():
    with pytest.raises(KindError) as raised:
        from_text("- Gray\n- HoughLines")
    assert to_text(raised.value.suggestion).startswith("- Gray\n- Canny")


def test_a_text_is_a_string():
    with pytest.raises(LoadError, match="bytes"):
        from_text(b"- Gray")


def test_the_planted_cache_of_a_memory_is_never_read(tmp_path):
    """`memory: dir` alone makes scikit-learn unpickle what lies there: so no text may say it."""
    text = f"- StandardScaler\n- FeatureAgglomeration: {{n_clusters: 2, memory: '{tmp_path}'}}"
    with pytest.raises(LoadError, match="memory"):
        from_text(text, tmp_path)
    allowed = from_text("- StandardScaler\n- FeatureAgglomeration: {memory: null}")
    assert allowed.steps[1][1].memory is None


def test_reading_loads_no_tensorflow_and_works_in_a_fresh_interpreter():
    code = (
        "import sys, vision; p = vision.from_text('- Gray\\n- Otsu'); "
        "assert vision.to_text(p) == '- Gray\\n- Otsu\\n'; "
        "assert 'tensorflow' not in sys.modules and 'skops' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_mask_and_a_chain_as_parameters():
    step = ApplyMask(Gray() >> Otsu())
    assert to_text(step) == ("ApplyMask:\n  mask:\n    Pipeline:\n      - Gray\n      - Otsu\n")
    assert same(from_text(to_text(step)), step)


def test_and_or_xor_read_the_same_table():
    for joined in (Otsu() & Canny(), Otsu() | Canny(), Otsu() ^ Canny()):
        assert to_text(joined) == f"{type(joined).__name__}:\n  otsu: Otsu\n  canny: Canny\n"
        assert type(from_text(to_text(joined))) is type(joined)
    assert isinstance(from_text("And: {a: Otsu, b: Canny}"), And)
