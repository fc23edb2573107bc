"""The text of pipelines: canonical, readable, the identity both ways, and only ever data."""

import inspect
import itertools
import math
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
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
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
    LoadError,
    Or,
    ParameterError,
    Pick,
    Pipeline,
    Xor,
    chain,
    from_text,
    to_text,
)
from vision.catalogue import make, names
from vision.composition import class_name
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
# Names that scikit-learn or the branches use themselves, or that the tests add.
RESERVED = ("steps", "memory", "verbose", "transform_input", "branches", "frame")
NAMES = st.text(min_size=1, max_size=12).filter(
    lambda name: "__" not in name and name not in RESERVED
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
        st.builds(lambda name, a: Or([(name, a), ("frame", FRAME)]), NAMES, inner),
    ),
    max_leaves=6,
)


def named_chain(steps, own_names):
    names = []
    for step in steps:
        names.append(vision.composition.free_name(class_name(step), step, names))
    own = [own or name for name, own in itertools.zip_longest(names, own_names[: len(names)])]
    return Pipeline(list(zip(own if len(set(own)) == len(own) else names, steps, strict=True)))


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


def test_a_boolean_is_not_the_default_of_a_number():
    assert to_text(LogisticRegression(verbose=False)) == "LogisticRegression: {verbose: false}\n"
    assert to_text(StandardScaler(with_mean=1)) == "StandardScaler: {with_mean: 1}\n"
    assert to_text(StandardScaler(with_mean=np.True_)) == "StandardScaler\n"


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
        assert np.array_equal(np.asarray(picture.convert("L")), FRAME)
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


@pytest.mark.parametrize("joiner", [And, Or, Xor])
def test_branches_in_a_dictionary_have_the_text_of_pairs_and_come_back(joiner, tmp_path):
    parts = {"red": RED, "0": Gray() >> (Otsu() ^ Canny()), "frame": FRAME, "and": ~RED}
    text = to_text(joiner(parts), tmp_path)
    assert to_text(joiner(list(parts.items())), tmp_path) == text
    loaded = round_trip(joiner(parts), tmp_path)
    assert [name for name, _ in loaded.branches] == list(parts)
    image = np.random.default_rng(0).integers(0, 256, (*FRAME.shape, 3), np.uint8)
    assert np.array_equal(loaded(image), joiner(parts)(image))
    chained = Resize(9) >> joiner(parts | {"frame": RED}) >> Opening(3)
    assert to_text(round_trip(chained)) == to_text(chained)


def test_and_or_xor_read_the_same_table():
    for joined in (Otsu() & Canny(), Otsu() | Canny(), Otsu() ^ Canny()):
        assert to_text(joined) == f"{type(joined).__name__}:\n  otsu: Otsu\n  canny: Canny\n"
        assert type(from_text(to_text(joined))) is type(joined)
    assert isinstance(from_text("And: {a: Otsu, b: Canny}"), And)
