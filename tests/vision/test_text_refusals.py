"""What no text of a pipeline may hold: refused by place, with the way out, and nothing is run."""

import os
import re

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import all_estimators

import vision
from classical import (
    Gray,
    Otsu,
)
from vision import (
    KindError,
    LoadError,
    ParameterError,
    Pipeline,
    UnknownNameError,
    chain,
    from_text,
    to_text,
)
from vision.text import describe

ESTIMATORS = dict(all_estimators())


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


def test_a_file_that_is_no_mask_is_refused_by_place(tmp_path):
    np.save(tmp_path / "a.npy", np.uint8([[0, 1]]))
    with pytest.raises(LoadError, match=r"step 2 \(And\): .*'frame'.*255"):
        from_text("- Gray\n- And: {otsu: Otsu, frame: {file: a.npy}}", tmp_path)


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
    "no branches": ("Or: [Otsu]", "Branches have names"),
    "reserved branch names": ("- Gray\n- Or: {a__b: Otsu}", r"step 2 \(Or\): .*'a__b'"),
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


@pytest.mark.parametrize(
    "text",
    [
        "- InRange: {space: hsv, low: (1, 2, 3), high: [4, 5, 6]}",
        "- InRange: {space: hsv, low: (1,2,3), high: [4, 5, 6]}",
        "- InRange:\n    space: hsv\n    low: (1, 2, 3)\n    high: (4, 5, 6)",
        "- InRange:\n    space: hsv\n    low: 1, 2, 3\n    high: 4, 5, 6",
        "MLPClassifier: {hidden_layer_sizes: (32, 16)}",
        "MLPClassifier:\n  hidden_layer_sizes: (32,)",
    ],
)
def test_a_list_in_round_brackets_is_refused_with_the_right_ones(text):
    with pytest.raises(LoadError, match=r"A list is written \[1, 2, 3\], in square brackets\. Got"):
        from_text(text)
    square = re.sub(r"\(([^)]*)\)|(?<=: )(\d, \d, \d)", r"[\1\2]", text)
    assert to_text(from_text(square))


def test_a_string_that_looks_like_a_list_stays_one_where_it_may_be_one():
    forest = RandomForestClassifier(class_weight="(1, 2)")
    assert from_text(to_text(forest)).class_weight == "(1, 2)"


@pytest.mark.parametrize("text", ["- Gray >> Otsu", "- Gray\n- Otsu | Canny", "Or: {a: ~Otsu}"])
def test_operators_are_refused_with_what_a_text_has_instead(text):
    with pytest.raises(UnknownNameError, match=r"has no operators: a chain is a list, and 'vision"):
        from_text(text)


def test_branches_without_names_are_refused_with_an_example_that_works():
    with pytest.raises(LoadError, match=r"as in (\{.*\})\. Got") as caught:
        from_text("- Gray\n- Or: [Otsu, Canny]")
    example = re.search(r"as in (\{.*\})\. Got", str(caught.value))[1]
    assert to_text(from_text(example)) == "Or:\n  otsu: Otsu\n  edges: Canny\n"


def test_a_chain_that_cannot_work_keeps_its_repair():
    with pytest.raises(KindError) as raised:
        from_text("- ToHSV\n- HoughLines")
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
