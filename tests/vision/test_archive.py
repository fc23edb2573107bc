"""Saved pipelines: what was learned comes back to the bit, and nothing in a file is ever run."""

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
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
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import Normalizer, SplineTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import vision
from classical import Canny, FindContours, Gray, InRange, Otsu, RawPixels, Resize, ToHSV
from tests.vision import archives
from tests.vision.archives import (
    DIGITS,
    ROWS,
    Network,
    average,
    classifier,
    members,
    rewritten,
    saved,
    scores,
)
from vision import (
    Branches,
    ForEach,
    LoadError,
    Or,
    ParameterError,
    Pick,
    Pipeline,
    UnknownNameError,
    WriteError,
    catalogue,
    chain,
    load,
    save,
    to_text,
)
from vision.archive import VersionWarning, saved_by
from vision.fitted import learners


@pytest.fixture
def tmp_path(tmp_path_factory):
    """A folder whose name matches no message: pytest's own has the words of the test."""
    return tmp_path_factory.mktemp("a")


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


IMAGES = [np.full((9, 9), value, np.uint8) for value in (10, 90, 200)]
LABELS = ["dark", "dark", "bright"]
LEARNED = {
    "pipeline": lambda: RawPixels(2) >> StandardScaler() >> SVC(),
    "branches": lambda: Branches({"a": RawPixels(2) >> PCA(1), "b": RawPixels(3)}) >> SVC(),
    "union": lambda: RawPixels(2) >> FeatureUnion([("a", PCA(1)), ("b", PCA(2))]) >> GaussianNB(),
    "search": lambda: GridSearchCV(RawPixels(2) >> GaussianNB(), {"rawpixels__size": [2]}, cv=2),
    "estimator": lambda: RawPixels(2) >> CalibratedClassifierCV(LinearSVC(), cv=2, ensemble=False),
}


@pytest.mark.parametrize("what", LEARNED)
@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_text_never_drops_what_was_learned(what, suffix, tmp_path):
    images, labels = IMAGES * 3, LABELS * 3
    recipe = LEARNED[what]()
    model = clone(recipe).fit(images, labels)
    (tmp_path / f"p{suffix}").write_text("older")
    with pytest.raises(ParameterError, match=r"Save the pipeline as '.*p\.vision', or the recipe"):
        save(model, tmp_path / f"p{suffix}")
    assert (tmp_path / f"p{suffix}").read_text() == "older"
    # Both ways that the message names work, and so does saving what never learned.
    save(clone(model), tmp_path / f"p{suffix}")
    assert to_text(load(tmp_path / f"p{suffix}")) == to_text(recipe)
    save(recipe, tmp_path / f"q{suffix}")
    assert (tmp_path / f"q{suffix}").read_text() == (tmp_path / f"p{suffix}").read_text()
    if what != "search":  # a fitted search with image steps in it has no archive
        assert load(saved(model, tmp_path)).predict(images).tolist() == list(model.predict(images))


def test_the_refusal_of_a_text_names_the_steps(tmp_path):
    model = (RawPixels(2) >> StandardScaler() >> SVC()).fit(IMAGES, LABELS)
    with pytest.raises(ParameterError, match="no place for what StandardScaler and SVC learned"):
        save(model, tmp_path / "p.yaml")


def test_what_clone_keeps_has_no_place_in_a_text_at_all(tmp_path):
    with pytest.raises(ParameterError, match=r"learned\. Save the pipeline as '.*p\.vision'\.$"):
        save(chain(FrozenEstimator(classifier())), tmp_path / "p.yaml")


def test_our_own_steps_that_learned_have_no_place_in_a_text(tmp_path, monkeypatch):
    for name in ("Average", "Network"):
        monkeypatch.setitem(catalogue.STEPS, name, "tests.vision.archives")
    network = Network()
    save(network, tmp_path / "p.yaml")
    network.weights_ = b"weights"
    for step, name in ((average(), "Average"), (network, "Network"), (chain(network), "Network")):
        with pytest.raises(ParameterError, match=f"for what {name} learned"):
            save(step, tmp_path / "p.yaml")


def test_a_pipeline_that_learns_nothing_is_a_text_after_fit_too(tmp_path):
    for pipeline in (Gray() >> Otsu(), RawPixels(2) >> Normalizer()):
        save(pipeline.fit(IMAGES), tmp_path / "p.yaml")
        assert to_text(load(tmp_path / "p.yaml")) == to_text(pipeline)


def test_who_must_be_fitted_is_found_wherever_it_stands():
    inner = RawPixels(2) >> GaussianNB()
    both = Branches({"name": RawPixels(2) >> StandardScaler() >> SVC(), "gray": Gray()})
    parts = ForEach(Otsu() >> FindContours(), inner)
    for pipeline, names in (
        (chain(both), ["StandardScaler", "SVC"]),
        (chain(parts), ["GaussianNB"]),
        (Gray() >> Otsu(), []),
        (RawPixels(2) >> Normalizer(), []),
        (RawPixels(2) >> FeatureUnion([("a", PCA(1)), ("b", "passthrough")]), ["PCA"]),
    ):
        found = learners(pipeline)
        assert [type(step).__name__ for step, _ in found] == names
        assert not any(fitted for _, fitted in found)
    both.fit(IMAGES, LABELS)
    assert [fitted for _, fitted in learners(both)] == [True, True]


def test_the_versions_of_an_archive_are_those_that_wrote_it(tmp_path):
    path = saved(classifier(), tmp_path)
    versions = saved_by(path)
    for name in ("scikit-learn", "numpy", "skops", "vision-pipelines"):
        assert versions[name] == importlib.metadata.version(name)
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "format" not in versions
    with pytest.raises(LoadError, match="no such file"):
        saved_by(tmp_path / "nix.vision")


def test_a_file_is_named_once_in_the_message(tmp_path):
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "bad.vision").write_bytes(b"no zip")
    (tmp_path / "folder.yaml").mkdir()
    for name, reason in (
        ("bad.yaml", "it is no UTF-8 text"),
        ("bad.vision", "it is refused: it is no zip"),
        ("nix.yaml", "there is no such file"),
        ("nix.vision", "there is no such file"),
        ("folder.yaml", "it is no regular file"),
        ("bad.yaml/deep.yaml", "there is no such file"),
        ("a\0b.yaml", "it cannot be read: "),
    ):
        with pytest.raises(LoadError) as caught:
            load(tmp_path / name)
        assert str(caught.value).startswith(f"{str(tmp_path / name)!r}: {reason}")
        assert str(caught.value).count(".yaml" if "yaml" in name else ".vision") == name.count(".")


def test_two_texts_in_a_folder_do_not_share_a_mask(tmp_path):
    masks = [np.full((4, 4), value, np.uint8) for value in (0, 255)]
    paths = [saved(Otsu() & mask, tmp_path, f"{n}.yaml") for n, mask in enumerate(masks)]
    for path, mask in zip(paths, masks, strict=True):
        assert np.array_equal(load(path).branches[1][1], mask)


def test_a_text_may_have_a_mark_of_its_encoding(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf- Gray\r\n- Otsu\r\n")
    assert to_text(load(tmp_path / "a.yaml")) == "- Gray\n- Otsu\n"


# --- our own steps ------------------------------------------------------------------------------


@pytest.fixture
def own_steps(monkeypatch):
    for name in ("Average", "Network"):
        monkeypatch.setitem(catalogue.STEPS, name, archives.__name__)


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


def test_a_union_of_feature_steps_comes_back(tmp_path):
    union = FeatureUnion([("reduced", PCA(3, random_state=0)), ("varied", VarianceThreshold(0.5))])
    model = chain(StandardScaler(), union, SVC()).fit(ROWS, DIGITS)
    loaded = load(saved(model, tmp_path))
    assert np.array_equal(loaded[:2].transform(ROWS), model[:2].transform(ROWS))
    assert np.array_equal(scores(loaded), scores(model))


def test_a_union_of_image_steps_comes_back(tmp_path):
    images = [np.full((8, 8, 3), value, np.uint8) for value in (0, 10, 200, 250)]
    pixels = Gray() >> RawPixels(4)
    scaled = pixels >> StandardScaler()
    union = FeatureUnion([("pixels", pixels), ("scaled", scaled)])
    model = chain(union, SVC()).fit(images, [0, 0, 1, 1])
    loaded = load(saved(model, tmp_path))
    assert np.array_equal(loaded.decision_function(images), model.decision_function(images))


# --- what cannot be saved, and where ------------------------------------------------------------


def test_a_meta_estimator_over_image_steps_is_refused_once_fitted(tmp_path):
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


# --- versions -----------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path):
    return saved(classifier(), tmp_path)


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
