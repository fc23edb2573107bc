"""Saved pipelines: what was learned comes back to the bit, and nothing in a file is ever run."""

import importlib.metadata
import io
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import Normalizer, SplineTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import vision
from classical import Canny, Gray, InRange, Otsu, Resize, ToHSV
from vision import (
    Branches,
    Kind,
    LoadError,
    Or,
    ParameterError,
    Pick,
    Pipeline,
    Step,
    UnknownNameError,
    WriteError,
    catalogue,
    chain,
    load,
    save,
    to_text,
)
from vision.archive import VersionWarning

ROWS, DIGITS = load_digits(return_X_y=True)
ROWS, DIGITS = ROWS[:300].astype(np.float32), DIGITS[:300]


def scores(model, rows=ROWS):
    for method in ("predict_proba", "decision_function", "predict", "transform"):
        if hasattr(model, method):
            return getattr(model, method)(rows)
    raise AssertionError(model)


def saved(pipeline, folder, name="model.vision"):
    save(pipeline, folder / name)
    return folder / name


MODELS = {
    "SVC": SVC(),
    "calibrated": CalibratedClassifierCV(SVC(), ensemble=False, cv=2),
    "LinearSVC": LinearSVC(),
    "LogisticRegression": LogisticRegression(max_iter=500),
    "RandomForest": RandomForestClassifier(20, random_state=0),
    "ExtraTrees": ExtraTreesClassifier(10, random_state=0),
    "HistGradientBoosting": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "GradientBoosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
    "AdaBoost": AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=3),
    "IsolationForest": IsolationForest(n_estimators=5, max_features=0.5, random_state=0),
    "KNN brute": KNeighborsClassifier(3),
    "KNN tree": KNeighborsClassifier(3, algorithm="kd_tree", leaf_size=7),
    "KNN ball": KNeighborsClassifier(3, algorithm="ball_tree", p=3),
    "GaussianNB": GaussianNB(),
    "MLP": MLPClassifier((16,), solver="lbfgs", max_iter=2000, random_state=0),
    "Ridge": RidgeClassifier(),
    "SGD": SGDClassifier(random_state=0),
    "voting": VotingClassifier(
        [("a", SVC()), ("b", RandomForestClassifier(5, random_state=0))], voting="hard"
    ),
    "stacking": StackingClassifier(
        [("a", GaussianNB()), ("b", DecisionTreeClassifier(random_state=0))], cv=2
    ),
    "search": GridSearchCV(SVC(), {"C": [1, 10]}, cv=2),
    "tree": DecisionTreeClassifier(random_state=0),
    "clusters": KMeans(4, random_state=0),
    "kernel map": chain(Nystroem(n_components=20, random_state=0), SVC()),
    "reduced": chain(PCA(8, random_state=0), SelectKBest(k=4), KNeighborsClassifier()),
    "frozen": FrozenEstimator(SVC().fit(ROWS, DIGITS)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_fitted_pipeline_scores_to_the_bit_as_before(name, tmp_path):
    model = chain(StandardScaler(), MODELS[name]) if name != "frozen" else MODELS[name]
    model.fit(ROWS, DIGITS)
    loaded = load(saved(model, tmp_path))
    assert np.array_equal(scores(loaded), scores(model))
    assert to_text(loaded) == to_text(model)


def test_strings_as_classes_and_unseen_rows(tmp_path):
    names = np.array(["zero", "one", "two", "many"])[np.minimum(DIGITS, 3)]
    model = chain(StandardScaler(), SVC()).fit(ROWS[:200], names[:200])
    loaded = load(saved(model, tmp_path))
    assert np.array_equal(loaded.predict(ROWS[200:]), model.predict(ROWS[200:]))


def test_a_fresh_interpreter_reads_it(tmp_path):
    model = chain(StandardScaler(), PCA(8), RandomForestClassifier(5, random_state=0))
    path = saved(model.fit(ROWS, DIGITS), tmp_path)
    np.save(tmp_path / "rows.npy", ROWS)
    code = (
        "import sys, numpy as np, vision\n"
        "folder = sys.argv[1]\n"
        "model = vision.load(folder + '/model.vision')\n"
        "np.save(folder + '/scores.npy', model.predict_proba(np.load(folder + '/rows.npy')))\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], check=True)
    assert path.exists()
    assert np.array_equal(np.load(tmp_path / "scores.npy"), model.predict_proba(ROWS))


def test_a_loaded_pipeline_can_be_fitted_again(tmp_path):
    model = chain(StandardScaler(), SVC()).fit(ROWS, DIGITS)
    loaded = load(saved(model, tmp_path))
    assert np.array_equal(loaded.fit(ROWS, DIGITS).decision_function(ROWS), scores(model))


def test_an_unfitted_pipeline_holds_its_text_alone(tmp_path):
    pipeline = Gray() >> Resize(8) >> Otsu()
    path = saved(pipeline, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["pipeline.yaml", "versions.json"]
        assert archive.read("pipeline.yaml").decode() == to_text(pipeline)
    assert to_text(load(path)) == to_text(pipeline)
    for unfitted in (SVC(), Normalizer(), chain(StandardScaler(), RandomForestClassifier())):
        path = saved(unfitted, tmp_path)
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if name.startswith("steps")]
        assert to_text(load(path)) == to_text(unfitted)


def test_steps_are_found_by_their_place(tmp_path):
    model = chain(StandardScaler(), PCA(4), SVC()).fit(ROWS, DIGITS)
    with zipfile.ZipFile(saved(model, tmp_path)) as archive:
        assert set(archive.namelist()) == {
            "pipeline.yaml",
            "steps/001-standardscaler.skops",
            "steps/002-pca.skops",
            "steps/003-svc.skops",
            "versions.json",
        }
        versions = json.loads(archive.read("versions.json"))
    assert versions["numpy"] == np.__version__
    assert versions["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))


def test_arrays_of_the_text_are_inside(tmp_path):
    mask = np.eye(9, dtype=np.uint8) * 255
    loaded = load(saved(Otsu() & mask, tmp_path))
    assert list(tmp_path.iterdir()) == [tmp_path / "model.vision"]
    assert np.array_equal(loaded.branches[1][1], mask)


def test_the_text_form_by_suffix(tmp_path):
    mask = np.eye(9, dtype=np.uint8) * 255
    for suffix in (".yaml", ".yml", ".YAML"):
        path = saved(Gray() >> (Otsu() & mask), tmp_path, f"a{suffix}")
        assert to_text(load(path), tmp_path) == path.read_text()
        assert np.array_equal(load(path).steps[1][1].branches[1][1], mask)


def test_two_texts_in_a_folder_do_not_share_a_mask(tmp_path):
    masks = [np.full((4, 4), value, np.uint8) for value in (0, 255)]
    paths = [saved(Otsu() & mask, tmp_path, f"{n}.yaml") for n, mask in enumerate(masks)]
    for path, mask in zip(paths, masks, strict=True):
        assert np.array_equal(load(path).branches[1][1], mask)


def test_a_text_may_have_a_mark_of_its_encoding(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf- Gray\r\n- Otsu\r\n")
    assert to_text(load(tmp_path / "a.yaml")) == "- Gray\n- Otsu\n"


# --- our own steps ------------------------------------------------------------------------------


class Average(Step):
    """Learns numbers, a string and arrays."""

    takes, gives = (Kind.ANY,), Kind.ANY

    def __init__(self, times=1):
        self.times = times

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "mean_")

    def fit(self, images, truth=None):
        self.mean_ = np.mean(images, axis=0, dtype=np.float32)
        self.count_ = len(images)
        self.level_ = float(self.mean_.mean())
        self.exact_ = np.float32(0.1)
        self.dark_ = bool(self.level_ < 100)
        self.label_ = "mean ä"
        self.names_ = np.array(["a", "bc"])
        self._scratch = object()
        return self

    def apply(self, image):
        return image - self.mean_ * self.times


class Network(Step):
    """Keeps what it learned in files of its own."""

    takes, gives = (Kind.ANY,), Kind.ANY

    def archive_files(self):
        return {"network.keras": self.weights_} if hasattr(self, "weights_") else {}

    def restore_files(self, files):
        self.weights_ = files["network.keras"]

    def apply(self, image):
        return image


@pytest.fixture
def own_steps(monkeypatch):
    monkeypatch.setitem(catalogue.STEPS, "Average", __name__)
    monkeypatch.setitem(catalogue.STEPS, "Network", __name__)


def average(times=1):
    return Average(times).fit([np.full((2, 3), value, np.uint8) for value in (10, 25)])


def test_fitted_attributes_of_our_steps_come_back_in_kind(own_steps, tmp_path):
    step = average(2)
    loaded = load(saved(Pipeline([("a", step)]), tmp_path)).steps[0][1]
    learned = {name: value for name, value in vars(step).items() if name.endswith("_")}
    assert len(learned) == 7
    for name, value in learned.items():
        assert type(getattr(loaded, name)) is type(value)
        assert np.array_equal(getattr(loaded, name), value)
    assert loaded.mean_.dtype == np.float32
    assert loaded.times == 2
    assert not hasattr(loaded, "_scratch")


def test_steps_within_branches_chains_and_parameters_come_back(own_steps, tmp_path):
    parts = {"one": average(1), "two": Pipeline([("x", average(2)), ("network", Network())])}
    parts["two"].steps[1][1].weights_ = b"learned"
    pipeline = Branches(parts) >> Pick("two")
    path = saved(pipeline, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert [name for name in archive.namelist() if name.startswith("steps/")] == [
            "steps/001-branches/001-one.npz",
            "steps/001-branches/002-two/001-x.npz",
            "steps/001-branches/002-two/002-network/files/network.keras",
        ]
    loaded = load(path)
    image = np.full((2, 3), 40, np.float32)
    assert np.array_equal(loaded(image), pipeline(image))
    assert loaded.steps[0][1].branches["two"].steps[1][1].weights_ == b"learned"


def test_a_classifier_for_each_object_comes_back(tmp_path):
    from classical import FindContours, RawPixels

    image = np.zeros((20, 40, 3), np.uint8)
    image[5:15, 5:15], image[8:12, 22:38] = 255, 255
    truth = vision.Detections([[5, 5, 15, 15], [22, 8, 38, 12]], labels=["square", "bar"])
    namer = Gray() >> RawPixels(4) >> KNeighborsClassifier(1)
    pipeline = vision.ForEach(Gray() >> Otsu() >> FindContours(), namer, padding=3)
    pipeline.fit([image], [truth])
    loaded = load(saved(pipeline, tmp_path))
    assert loaded(image).labels.tolist() == pipeline(image).labels.tolist()
    assert sorted(loaded(image).labels.tolist()) == ["bar", "square"]


def test_what_our_step_learned_must_be_plain(own_steps, tmp_path):
    for value in ([1, 2], None, {"a": 1}, np.array([object()]), 2**70, 1j, lambda: 0):
        step = average()
        step.level_ = value
        with pytest.raises(ParameterError, match=r"'level_' of Average.*archive_files"):
            save(step, tmp_path / "bad.vision")
    assert not (tmp_path / "bad.vision").exists()


def test_files_of_a_step_have_plain_names(own_steps, tmp_path, monkeypatch):
    for files in ({"../x": b""}, {".hidden": b""}, {"a/b": b""}, {"x": "text"}, {3: b""}):
        monkeypatch.setattr(Network, "archive_files", lambda self, files=files: files)
        with pytest.raises(ParameterError, match=r"Network\.archive_files"):
            save(Network(), tmp_path / "a.vision")


# --- what cannot be saved, and where ------------------------------------------------------------


def test_a_meta_estimator_over_image_steps_is_refused_once_fitted(tmp_path):
    from classical import RawPixels

    images = [np.full((8, 8), value, np.uint8) for value in (0, 10, 200, 250)]
    search = GridSearchCV(RawPixels(4) >> SVC(), {"svc__C": [1, 10]}, cv=2)
    assert to_text(load(saved(search, tmp_path))) == to_text(search)
    with pytest.raises(ParameterError, match=r"GridSearchCV.*best_estimator_"):
        save(search.fit(images, [0, 0, 1, 1]), tmp_path / "a.vision")
    fitted = load(saved(search.best_estimator_, tmp_path))
    assert fitted.predict(images).tolist() == [0, 0, 1, 1]


def test_what_is_not_trusted_is_refused_when_saved(tmp_path):
    with pytest.raises(ParameterError, match=r"SplineTransformer cannot be saved.*another"):
        save(chain(SplineTransformer(), SVC()).fit(ROWS[:, 20:24], DIGITS), tmp_path / "a.vision")
    with pytest.raises(ParameterError, match=r"step 2 .*'n_jobs'"):
        save(chain(StandardScaler(), RandomForestClassifier(n_jobs=2)), tmp_path / "a.vision")
    assert not list(tmp_path.iterdir())


def test_other_suffixes_and_missing_files(tmp_path):
    for name in ("a.pkl", "a", "a.zip", "a.vision.gz"):
        for call in (lambda path: save(Gray(), path), load):
            with pytest.raises(ParameterError, match=r"\.vision .* \.yaml"):
                call(tmp_path / name)
    for name in ("a.vision", "a.yaml"):
        with pytest.raises(LoadError, match=name):
            load(tmp_path / name)
        (tmp_path / name).mkdir()
        with pytest.raises(LoadError, match="regular"):
            load(tmp_path / name)
        with pytest.raises(WriteError):
            save(Gray(), tmp_path / name)
        (tmp_path / name).rmdir()
        os.mkfifo(tmp_path / name)
        with pytest.raises(LoadError, match="regular"):
            load(tmp_path / name)


def test_errors_in_a_text_name_the_file(tmp_path):
    (tmp_path / "a.yaml").write_text("- Cany")
    with pytest.raises(UnknownNameError, match=r"a\.yaml.*step 1 \(Cany\).*Canny"):
        load(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_bytes(b"- \xff")
    with pytest.raises(LoadError, match="UTF-8"):
        load(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_bytes(b"#" * 5_000_000)
    with pytest.raises(LoadError, match="5000000"):
        load(tmp_path / "a.yaml")


# --- files that mean harm -----------------------------------------------------------------------


@pytest.fixture
def model(tmp_path):
    return saved(chain(StandardScaler(), SVC()).fit(ROWS, DIGITS), tmp_path)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path, changes, **options):
    """The archive with members replaced, added or (None) removed."""
    found = members(path) | changes
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in found.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def stored_zip(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def skops_files(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


class Planted:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_the_planted_pickle_would_work_where_it_were_loaded(tmp_path):
    data = npy(np.array([Planted(tmp_path / "mark")]), allow_pickle=True)
    np.load(io.BytesIO(data), allow_pickle=True)
    assert (tmp_path / "mark").exists()


def test_pickles_are_never_opened(own_steps, model, tmp_path):
    mark = tmp_path / "mark"
    data = npy(np.array([Planted(mark)]), allow_pickle=True)
    name = "steps/002-svc.skops"
    files = skops_files(members(model)[name])
    array = next(file for file in files if file.endswith(".npy"))
    for changed in (files | {array: data}, files | {"model.pkl": data}, files | {"1.npy": data}):
        with pytest.raises(LoadError, match="refused"):
            load(rewritten(model, {name: stored_zip(changed)}))
    own = saved(average(), tmp_path, "own.vision")
    npz = "steps/001-average.npz"
    with pytest.raises(LoadError, match="Python objects"):
        load(rewritten(own, {npz: stored_zip({"mean_.npy": data})}))
    mask = saved(Otsu() & np.eye(3, dtype=np.uint8) * 255, tmp_path, "mask.vision")
    with pytest.raises(LoadError, match="Python objects"):
        load(
            rewritten(
                mask,
                {"pipeline.yaml": b"And: {a: Otsu, b: {file: x.npy}}", "arrays/x.npy": data},
            )
        )
    assert not mark.exists()


def node(loader, path, **content):
    module, _, name = path.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1} | content


def listed(number, *content):
    return node("ListNode", "builtins.list", content=list(content)) | {"__id__": number}


def said(value, number=2):
    found = node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)
    return found | {"__id__": number}


def arguments(*values):
    return node(
        "TupleNode", "builtins.tuple", content=[said(v, 9 + n) for n, v in enumerate(values)]
    )


def laughing(levels=40):
    """Lists of which each holds the one before it twice, by its number alone."""
    found = listed(100, said(0))
    for number in range(101, 101 + levels):
        found = listed(number, found, listed(number - 1))
    return found


ATTACKS = {
    "os.system": lambda mark: node("FunctionNode", "posix.system"),
    "eval": lambda mark: node("TypeNode", "builtins.eval"),
    "a lambda": lambda mark: node("FunctionNode", "__main__.<lambda>"),
    "operator": lambda mark: node(
        "OperatorFuncNode", "operator.methodcaller", attrs=arguments("mkdir", str(mark))
    ),
    "partial": lambda mark: node(
        "PartialNode",
        "functools.partial",
        content={"func": node("FunctionNode", "os.mkdir"), "args": arguments(str(mark))},
    ),
    "a constructor": lambda mark: node(
        "ConstructorFromReduceNode", "subprocess.Popen", content=arguments(f"mkdir {mark}")
    ),
    "an object": lambda mark: node("ObjectNode", "subprocess.Popen", content=arguments()),
    "a method": lambda mark: node(
        "MethodNode", "builtins.dict", content={"func": "clear", "obj": arguments()}
    ),
    "a mapping type": lambda mark: node("DictNode", "os.mkdir", content={}, key_types=arguments()),
    "a list type": lambda mark: node("ListNode", "os.mkdir", content=[said(str(mark))]),
    "an array type": lambda mark: node("NdArrayNode", "os.mkdir", type="json", content=[]),
    "a generator": lambda mark: node(
        "RandomGeneratorNode",
        "numpy.random._generator.Generator",
        content={
            "bit_generator": node(
                "DictNode", "builtins.dict", content={"bit_generator": said("seed")}
            ),
            "seed_seq": arguments(),
        },
    ),
    "an estimator of another module": lambda mark: node("ObjectNode", "os.SVC", content=None),
    "a key type": lambda mark: node(
        "DictNode",
        "builtins.dict",
        content={str(mark): said(1)},
        key_types=listed(5, node("TypeNode", "posix.mkdir")),
    ),
    "a loader that is no name": lambda mark: node("ObjectNode", "a.b") | {"__loader__": ["x"]},
    "no type": lambda mark: {"__loader__": "ListNode", "content": []},
    "a number that is none": lambda mark: listed([1]),
    "a memory": lambda mark: node(
        "ObjectNode",
        "sklearn.cluster._agglomerative.FeatureAgglomeration",
        content=node(
            "DictNode",
            "builtins.dict",
            content={"memory": said(str(mark))},
            key_types=listed(5, node("TypeNode", "builtins.str") | {"__id__": 6}),
        )
        | {"__id__": 7},
    ),
    "laughs": lambda mark: laughing(),
    "itself": lambda mark: listed(3, listed(3)),
    "depth": lambda mark: json.loads("[" * 400 + "]" * 400),
}


REASONS = {
    "a generator": "not NumPy's default",
    "a memory": "'memory'",
    "laughs": "share a number",
    "itself": "share a number",
    "depth": "nested",
    "a number that is none": "no number",
}


def with_schema(path, schema):
    """The archive whose fitted classifier has another schema."""
    name = "steps/002-svc.skops"
    files = skops_files(members(path)[name])
    if not isinstance(schema, bytes):
        schema = json.dumps(schema(json.loads(files["schema.json"]))).encode()
    return rewritten(path, {name: stored_zip(files | {"schema.json": schema})})


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_schema_that_names_anything_else_is_refused(kind, model, tmp_path):
    mark = tmp_path / "mark"
    planted, whole = ATTACKS[kind](mark), model.read_bytes()
    reason = REASONS.get(kind, "not trusted")

    def within(schema):
        """As one more attribute of the classifier."""
        schema["content"]["content"]["extra_"] = planted
        schema["content"]["key_types"]["content"].append(said("x"))
        return schema

    def instead(schema):
        return {"content": planted, "protocol": 2}

    for change in (within, instead):
        model.write_bytes(whole)
        with pytest.raises(LoadError, match=reason):
            load(with_schema(model, change))
    for protocol in (0, 1, -1, 99, "2", None, True):
        model.write_bytes(whole)
        with pytest.raises(LoadError, match="refused"):
            load(with_schema(model, lambda schema, p=protocol: within(schema) | {"protocol": p}))
    assert not mark.exists()


def test_an_older_protocol_is_refused(model):
    """Its nodes may say what they are in other places."""
    with pytest.raises(LoadError, match="protocol is 1"):
        load(with_schema(model, lambda schema: schema | {"protocol": 1}))


@pytest.mark.parametrize(
    "schema",
    [b"[" * 100_000, b"{", b"[]", b"3", b'{"protocol": true}', b'{"protocol": 99}', b"\xff", b""],
)
def test_a_schema_that_is_none_is_refused(schema, model):
    with pytest.raises(LoadError, match="refused"):
        load(with_schema(model, schema))


@pytest.mark.parametrize(
    "text",
    [
        b"!!python/object/apply:os.mkdir [mark]",
        b"- FeatureAgglomeration: {memory: mark}\n- SVC",
        b"- StandardScaler\n- SVC: {C: 2}",
        b"- StandardScaler\n- LinearSVC",
        b"- StandardScaler\n- NuSVC",
        b"- Gray",
        b"- os.system",
        b"And: {a: Otsu, b: {file: ../model.npy}}",
        b"And: {a: Otsu, b: {file: /etc/hostname.npy}}",
        b"",
    ],
)
def test_another_text_is_refused(text, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((LoadError, UnknownNameError)):
        load(rewritten(model, {"pipeline.yaml": text}))
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.py", "/tmp/evil.py", "steps/../../evil", "a\\b", "C:evil", ".hidden", "steps/"),
        *("evil.py", "steps/009-svc.skops", "steps/002-svc.npz", "arrays/extra.npy", "a b"),
        *("steps/002-svc/files/x.keras", "steps/002-svc.pkl", "pipeline.yml", "steps/x\u202e.npz"),
    ],
)
def test_members_that_do_not_belong_are_refused(name, model, tmp_path):
    with pytest.raises(LoadError):
        load(rewritten(model, {name: b"x"}))
    assert list(tmp_path.iterdir()) == [model]


def test_members_that_lack_are_refused_or_not_fitted(model):
    whole = members(model)
    for name in ("pipeline.yaml", "versions.json"):
        with pytest.raises(LoadError, match=name):
            load(rewritten(model, whole | {name: None}))
    for versions in (b"[]", b"{", b'{"format": 2}', b"[" * 99_999):
        with pytest.raises(LoadError, match=r"versions\.json"):
            load(rewritten(model, whole | {"versions.json": versions}))
    loaded = load(rewritten(model, whole | {"steps/002-svc.skops": None}))
    assert not hasattr(loaded.named_steps["svc"], "support_")


def test_every_cut_and_most_flipped_bytes_are_refused(model, tmp_path):
    data, bad = model.read_bytes(), tmp_path / "bad.vision"
    for length in [*range(0, 60), *range(60, len(data), 4001), len(data) - 1]:
        bad.write_bytes(data[:length])
        with pytest.raises(LoadError):
            load(bad)
    for around in (data + b"x", b"x" + data, data + data):
        bad.write_bytes(around)
        with pytest.raises(LoadError):
            load(bad)


def patched(path, member, *, size=None, packed=None, flags=None, method=None):
    """The archive with another claim about one member in its directory and before its data."""
    data = bytearray(path.read_bytes())
    for signature, at, name_at in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = data.find(signature)
        while start >= 0:
            if data[start + name_at :].startswith(member.encode()):
                for value, offset, form in (
                    (flags, at, "<H"),
                    (method, at + 2, "<H"),
                    (packed, at + 12, "<I"),
                    (size, at + 16, "<I"),
                ):
                    if value is not None:
                        struct.pack_into(form, data, start + offset, value)
            start = data.find(signature, start + 4)
    path.write_bytes(data)
    return path


def refused_cheaply(path, match, **options):
    """The refusal, for less memory than a picture."""
    tracemalloc.start()
    try:
        with pytest.raises(LoadError, match=match):
            load(path, **options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


BOMB = b"\0" * 300_000_000


def test_bombs_are_refused_unpacked(model):
    path = rewritten(
        model, {"steps/002-svc.skops": BOMB}, compression=zipfile.ZIP_DEFLATED, compresslevel=9
    )
    refused_cheaply(path, "no honest")
    # The same with a lie about what it holds: unpacking must stop where the claim ends.
    refused_cheaply(patched(path, "steps/002-svc.skops", size=1000), "damaged|number of bytes")
    refused_cheaply(patched(path, "steps/002-svc.skops", size=2**32 - 2), "no honest|claims")


def test_a_lie_about_the_text_is_refused_unpacked(model):
    path = rewritten(model, {"pipeline.yaml": b"#" * 300_000_000}, compression=zipfile.ZIP_DEFLATED)
    refused_cheaply(path, "no honest")
    refused_cheaply(patched(path, "pipeline.yaml", size=500), "damaged|number of bytes")


def test_claims_above_the_limit_are_refused(model):
    refused_cheaply(model, "max_bytes", max_bytes=10_000)
    honest = sum(len(data) for data in members(model).values())
    refused_cheaply(model, "max_bytes", max_bytes=honest - 1)
    assert load(model, max_bytes=honest).named_steps["svc"].C == 1


def test_archives_within_the_archive_are_not_compressed(model):
    name = "steps/002-svc.skops"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 300_000_000)
    refused_cheaply(rewritten(model, {name: buffer.getvalue()}), "no honest")


@pytest.mark.parametrize(
    "claim",
    [
        {"flags": 1},
        {"method": zipfile.ZIP_LZMA},
        {"method": zipfile.ZIP_BZIP2},
        {"method": 99},
        {"packed": 2**31},
        {"size": 1},
    ],
)
def test_odd_claims_about_a_member_are_refused(claim, model):
    refused_cheaply(patched(model, "steps/002-svc.skops", **claim), "refused")


def test_two_members_of_one_name_are_refused(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(model, "a") as archive:
            archive.writestr("pipeline.yaml", b"- Gray")
    refused_cheaply(model, "one name")


def test_a_directory_of_very_many_entries_is_not_read(tmp_path):
    path = tmp_path / "many.vision"
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 6, 0, 0, 0, 1, *[0] * 4, 0, 0) + b"a"
    directory = entry * 400_000
    for count in (65_535, 60_000, 3_999, 400_000 % 65_536):
        end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), 0, 0)
        path.write_bytes(directory + end)
        refused_cheaply(path, "refused")
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, 47, 0, 0)
    path.write_bytes(directory + locator + end)
    refused_cheaply(path, "members")


HEADERS = {
    "huge": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "huge in two": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }",
    "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }",
    "empty items": "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "objects within": "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }",
    "calls": "__import__('os').mkdir('mark')",
    "deep": "(" * 5_000,
    "no dictionary": "3",
    "other keys": "{'descr': '<f8'}",
}


@pytest.mark.parametrize("kind", HEADERS)
def test_headers_that_claim_more_than_follows_are_refused(
    kind, own_steps, model, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    header = HEADERS[kind].encode("latin1") + b"\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"\0" * 8
    own = saved(average(), tmp_path, "own.vision")
    refused_cheaply(
        rewritten(own, {"steps/001-average.npz": stored_zip({"mean_.npy": data})}), "refused"
    )
    name = "steps/002-svc.skops"
    files = skops_files(members(model)[name])
    array = next(file for file in files if file.endswith(".npy"))
    refused_cheaply(rewritten(model, {name: stored_zip(files | {array: data})}), "refused")
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["apply.npy", "apply_.npy", "__class__.npy", "_x_.npy", "x_.txt"])
def test_attributes_that_are_no_fitted_ones_are_refused(name, own_steps, tmp_path, monkeypatch):
    monkeypatch.setattr(Average, "apply_", None, raising=False)
    own = saved(average(), tmp_path, "own.vision")
    with pytest.raises(LoadError, match="refused"):
        load(rewritten(own, {"steps/001-average.npz": stored_zip({name: npy(np.zeros(2))})}))


def test_a_bomb_within_the_files_of_a_step_is_refused(own_steps, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", BOMB)
    step = Network()
    step.weights_ = b"learned"
    path = saved(step, tmp_path)
    name = "steps/001-network/files/network.keras"
    assert members(path)[name] == b"learned"
    refused_cheaply(rewritten(path, {name: buffer.getvalue()}), "no honest")
    step.weights_ = buffer.getvalue()
    with pytest.raises(ParameterError, match="Network"):
        save(step, tmp_path / "b.vision")


# --- arrays that compiled code follows ----------------------------------------------------------


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
    with pytest.raises(LoadError, match="scikit-learn never makes"):
        load(tampered(path, place, change))


def test_neighbour_trees_are_built_anew(tmp_path):
    model = chain(StandardScaler(), KNeighborsClassifier(algorithm="kd_tree")).fit(ROWS, DIGITS)

    def change(estimator):
        state = list(estimator._tree.__getstate__())
        state[1] = np.full_like(state[1], 10**9)
        estimator._tree.__setstate__(tuple(state))

    path = tampered(saved(model, tmp_path), "002-kneighborsclassifier", change)
    assert np.array_equal(scores(load(path)), scores(model))


# --- versions -----------------------------------------------------------------------------------


def test_another_version_of_scikit_learn_warns_of_both(model):
    versions = json.loads(members(model)["versions.json"])
    running = importlib.metadata.version("scikit-learn")
    with pytest.warns(VersionWarning, match=rf"0\.24\.2, and {running}.*Fit") as caught:
        load(rewritten(model, {"versions.json": json.dumps(versions | {"scikit-learn": "0.24.2"})}))
    assert caught[0].filename == __file__
    patch = ".".join([*running.split(".")[:2], "99"])
    load(rewritten(model, {"versions.json": json.dumps(versions | {"scikit-learn": patch})}))


def test_a_version_says_nothing_where_nothing_is_fitted(tmp_path):
    path = saved(ToHSV() >> InRange("hsv", (1, 2, 3), (4, 5, 6)), tmp_path)
    versions = json.loads(members(path)["versions.json"]) | {"scikit-learn": "0.1"}
    assert to_text(load(rewritten(path, {"versions.json": json.dumps(versions)})))


def test_saving_replaces_whole_or_not_at_all(tmp_path):
    path = saved(Gray() >> Canny(), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ParameterError):
        save(chain(StandardScaler(), RandomForestClassifier(n_jobs=2)), path)
    assert path.read_bytes() == before
    save(Or([("a", Otsu()), ("b", Canny())]), path)
    assert to_text(load(path)) == "Or:\n  a: Otsu\n  b: Canny\n"
    assert list(tmp_path.iterdir()) == [path]
