"""Truth: what is refused at fit and score, and that the way out named in the message is one."""

import warnings

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data
from sklearn.metrics import jaccard_score
from sklearn.model_selection import GridSearchCV

import vision
from classical import Gray, Threshold
from tests.vision.truths import disc, mended, message_of, run, wrong_masks
from vision import Contours, Detections
from vision.errors import ParameterError
from vision.kinds import Branched, Kind
from vision.tasks import TASKS, task_of
from vision.truth import check_truth


class Column:
    """As a pandas Series is: with a length, as an array, and indexed by its own labels."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __getitem__(self, key):
        raise KeyError(key)


class TestSearch:
    @pytest.mark.parametrize("name", wrong_masks())
    def test_a_search_is_loud_and_works_with_what_the_message_says(self, name):
        mask = wrong_masks()[name]
        images = [np.dstack([disc() // 2 + 20] * 3) + np.uint8(i) for i in range(4)]
        search = GridSearchCV(Gray() >> Threshold(), {"threshold__value": [10, 60]}, cv=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match=r"(?s)'truth'.*at index 0.*Make one of it: "):
                search.fit(images, [mask] * 4)
        again = mended(message_of([mask], Kind.MASK), mask)
        search.fit(images, [again] * 4)
        assert search.best_params_ == {"threshold__value": 60}
        assert search.best_score_ == 1.0


class TestBoxes:
    BOXES = np.array([[1.0, 2, 5, 6]])

    def test_what_is_taken(self):
        square = np.array([[2, 1], [2, 5], [6, 5], [6, 1]])
        empty = Detections(np.zeros((0, 4)))
        for kind in (Kind.CONTOURS, Kind.DETECTIONS):
            check_truth([Detections(self.BOXES), Contours((square,), (9, 9)), empty], kind, 3)
        check_truth([Detections(self.BOXES, labels=["nut"]), empty], Kind.DETECTIONS, 2)

    def test_boxes_and_masks_are_told_the_way(self):
        said = message_of([self.BOXES.astype(np.float32)], Kind.DETECTIONS)
        assert mended(said, self.BOXES) == Detections(self.BOXES)
        assert "FindContours()(mask)" in message_of([disc()], Kind.CONTOURS)
        assert "Make one" not in message_of([self.BOXES[:, ::-1]], Kind.DETECTIONS)

    def test_labels_on_all_or_none(self):
        plain, named = Detections(self.BOXES), Detections(self.BOXES, labels=["nut"])
        said = message_of([plain, plain, named], Kind.DETECTIONS, 3)
        assert "with labels at index 2, without at index 0" in said
        said = message_of([named, plain], Kind.DETECTIONS, 2)
        assert "with labels at index 0, without at index 1" in said

    def test_contours_have_no_labels(self):
        named = Detections(self.BOXES, labels=["nut"], shape=(9, 9))
        said = message_of([named], Kind.CONTOURS)
        right = run(said.partition("leave them out: ")[2], truth=[named])
        assert right == [Detections(self.BOXES, shape=(9, 9))]
        check_truth(right, Kind.CONTOURS, 1)

    def test_without_any_box_nothing_can_be_found(self):
        assert "no box" in message_of([Detections(np.zeros((0, 4)))] * 2, Kind.DETECTIONS, 2)


class TestLabelsOfImages:
    @pytest.mark.parametrize("kind", [Kind.CLASS, Kind.FEATURES])
    @pytest.mark.parametrize(
        "truth",
        [
            ["cat", "dog"],
            [1, 2],
            [True, False],
            [1.0, 2.0],
            np.array([1.0, 2.0]),
            np.array(["cat", "dog"]),
            np.array(["cat", "dog"], object),
            (np.int64(1), np.uint8(2)),
        ],
    )
    def test_any_labels_are_left_alone(self, kind, truth):
        check_truth(truth, kind, 2)

    @pytest.mark.parametrize(
        ("truth", "said"),
        [
            (["cat", None], r"None at index 1"),
            ([1.0, float("nan")], r"nan at index 1"),
            (np.array([1.0, np.inf]), r"inf at index 1"),
            ([1, "cat"], r"texts among numbers, the first change at index 1"),
            ([np.zeros((4, 5)), np.zeros((4, 5))], r"array of shape \(4, 5\).* at index 0"),
            (np.array([[1], [2]]), r"truth\.ravel\(\)"),
            (np.array([[1, 0], [0, 1]]), r"truth\.argmax\(axis=1\)"),
            ([[1, 0], [0, 1]], r"a list of 2 at index 0"),
            ([1 + 2j, 3], r"index 0"),
            ([b"cat", b"dog"], r"type bytes at index 0\. .*label\.decode\(\)"),
            (np.array([b"cat", b"dog"]), r"label\.decode\(\)"),
        ],
    )
    @pytest.mark.parametrize("kind", [Kind.CLASS, Kind.FEATURES])
    def test_refusals(self, kind, truth, said):
        with pytest.raises(ParameterError, match=said):
            check_truth(truth, kind, 2)

    def test_measured_values_are_no_classes(self):
        check_truth([1.5, 2.25], Kind.FEATURES, 2)
        assert "0.5 at index 1. Measured values are learned by a regressor" in message_of(
            [1.0, 0.5], Kind.CLASS, 2
        )

    def test_a_column_of_a_table_whatever_its_index(self):
        check_truth(Column(["cat", "dog"]), Kind.CLASS, 2)
        check_truth(Column(np.array(["cat", "dog"], object)), Kind.CLASS, 2)
        with pytest.raises(ParameterError, match="None at index 1"):
            check_truth(Column(np.array(["cat", None], object)), Kind.CLASS, 2)
        with pytest.raises(ParameterError, match="argmax"):
            check_truth(Column([[1, 0], [0, 1]]), Kind.CLASS, 2)


class TestCollections:
    @pytest.mark.parametrize("kind", [*TASKS, Kind.CLASS, Kind.LINES, Kind.VALUE, Branched(a="x")])
    @pytest.mark.parametrize(
        ("truth", "said"),
        [
            (None, "one entry per image, 2 in all. Got None"),
            ([], "Got 0"),
            ([1, 2, 3], "Got 3"),
            ("masks", r"Got a value of type str"),
            ({"a": 1, "b": 2}, r"list\(truth\.values\(\)\)"),
            ({1, 2}, "type set"),
            (7, "type int"),
            (np.array(7), r"shape \(\)"),
        ],
    )
    def test_one_entry_per_image(self, kind, truth, said):
        with pytest.raises(ParameterError, match=said):
            check_truth(truth, kind, 2)

    def test_a_generator(self):
        with pytest.raises(ParameterError, match=r"list\(truth\)"):
            check_truth((mask for mask in [disc()]), Kind.MASK, 1)

    @pytest.mark.parametrize("count", [2, 40, 60])
    def test_one_picture_is_no_list(self, count):
        with pytest.raises(ParameterError, match=r"one entry; for one image it is \[truth\]"):
            check_truth(disc(), Kind.MASK, count)
        with pytest.raises(ParameterError, match=r"\[truth\]"):
            check_truth(data.coffee()[:count], Kind.RGB, count)
        with pytest.raises(ParameterError, match=r"\[truth\]"):
            check_truth(Detections(np.tile([1.0, 2, 3, 4], (count, 1))), Kind.DETECTIONS, count)

    def test_what_may_be_a_list(self):
        check_truth(np.stack([disc()] * 3), Kind.MASK, 3)
        check_truth((disc(), disc(50, 70)), Kind.MASK, 2)
        cells = np.empty(2, object)
        cells[:] = [disc(), disc(50, 70)]
        check_truth(cells, Kind.MASK, 2)

    def test_no_image_at_all(self):
        with pytest.raises(ParameterError, match="at least one"):
            check_truth([], Kind.MASK, 0)

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            (None, "cv2.imread gives None"),
            ("mask.png", r"vision\.Images\(truth, mode='gray'\)"),
            (Image.new("L", (4, 3)), r"np\.asarray\(mask\.convert\('L'\)\)"),
            (Detections(np.zeros((0, 4))), "type Detections"),
            (np.zeros((0, 4), np.uint8), r"shape \(0, 4\)"),
            (7, "type int"),
        ],
    )
    @pytest.mark.parametrize("kind", [Kind.MASK, Kind.EDGES])
    def test_entries_that_are_no_arrays(self, kind, entry, said):
        with pytest.raises(ParameterError, match=rf"{said}.*at index 1|at index 1.*{said}"):
            check_truth([disc(), entry], kind, 2)

    def test_of_other_kinds_only_the_number_is_known(self):
        for kind in (Kind.LINES, Kind.VALUE, Kind.ANY, Branched(a=Kind.MASK)):
            check_truth([None, object()], kind, 2)


class TestFiles:
    def write(self, folder, masks):
        folder.mkdir()
        for index, mask in enumerate(masks):
            vision.write(folder / f"{index}.png", mask)
        return folder

    def test_only_the_first_file_is_read_and_the_way_out_is_lazy(self, tmp_path):
        folder = self.write(tmp_path / "masks", [disc() // 255, disc(50, 70) // 255])
        (folder / "1.png").write_bytes(b"no picture")
        truth = vision.Images(folder, mode="gray")
        said = message_of(truth, Kind.MASK, 2)
        right = run(said.partition("when it is read: ")[2], truth=truth)
        check_truth(right, Kind.MASK, 2)
        assert np.array_equal(right[0], disc())

    def test_masks_read_as_rgb(self, tmp_path):
        truth = vision.Images(self.write(tmp_path / "masks", [disc()]))
        said = message_of(truth, Kind.MASK)
        right = run(said.partition("when it is read: ")[2], truth=truth)
        assert np.array_equal(right[0], disc())

    def test_a_score_over_files_is_that_of_the_masks_and_names_a_wrong_one(self, tmp_path):
        found = [disc(), np.roll(disc(50, 70), 3, axis=1)]
        masks = [disc(), disc(50, 70)]
        truth = vision.Images(self.write(tmp_path / "masks", masks), mode="gray")
        expected = np.mean(
            [
                jaccard_score(true.ravel() > 0, one.ravel() > 0, average="macro")
                for one, true in zip(found, masks, strict=True)
            ]
        )
        assert task_of(Kind.MASK).score(found, truth) == pytest.approx(expected, abs=1e-12)
        broken = vision.Images(self.write(tmp_path / "bad", [disc(), disc() // 255]), mode="gray")
        with pytest.raises(ParameterError, match=r"values 0, 1 at index 1.*truth\.map"):
            task_of(Kind.MASK).score(found, broken)

    def test_labels_are_no_files(self, tmp_path):
        truth = vision.Images(self.write(tmp_path / "masks", [disc()]))
        assert "from_folders" in message_of(truth, Kind.CLASS)


DTYPES = ["bool", "u1", "i1", "u2", ">u2", "i4", ">i4", "u8", "i8", "f2", "f4", ">f4", "c8", "U3"]
LEVELS = [0, 1, 2, 127, 255, 256, 65535, -1, 0.5, np.nan, np.inf]
# What is right for each kind: the shape after (H, W), a dtype, levels.
RIGHT = {
    Kind.MASK: ((), "u1", [0, 255]),
    Kind.EDGES: ((), "u1", [0, 255]),
    Kind.MAP: ((), "u1", [0, 255]),
    Kind.LABELS: ((), "i4", [0, 1, 7]),
    Kind.RGB: ((3,), "u1", [0, 100, 255]),
    Kind.GRAY: ((), "u2", [0, 1, 65535]),
    Kind.FLOAT: ((), "f4", [0, 0.25, 1]),
}
SCALARS = st.sampled_from([None, "a", b"a", 1, 1.5, float("nan"), True, (1, 2)])
SIDES = st.tuples(st.integers(1, 5), st.integers(1, 5))


def with_level(array, level, count):
    """A copy whose first pixels have another level, as far as the dtype holds it."""
    copy = array.copy()
    with np.errstate(all="ignore"):
        copy.flat[:count] = np.float64(level).astype(array.dtype)
    return copy


def changed(array):
    """An array with one thing changed, or the same in another layout."""
    return st.one_of(
        st.just(array),
        st.just(array[::-1, ::-1]),
        st.just(np.asfortranarray(array)),
        st.sampled_from(DTYPES).map(array.astype),
        st.sampled_from(LEVELS).map(lambda level: with_level(array, level, 1)),
        st.sampled_from(LEVELS).map(lambda level: with_level(array, level, array.size)),
        st.just(array[:0]),
        st.integers(1, 4).map(lambda count: np.stack([array] * count, axis=-1)),
        st.integers(1, 4).map(lambda count: np.stack([array] * count)),
        st.lists(st.just(array), max_size=2),
    )


@st.composite
def pictures(draw, kind):
    tail, dtype, levels = RIGHT[kind]
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    array = rng.choice(levels, draw(SIDES) + tail).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draw(changed(array))


@st.composite
def boxes(draw):
    count, label = draw(st.integers(0, 3)), draw(st.sampled_from([None, None, "nut", 1]))
    labels = None if label is None else [label] * count
    return Detections(np.tile([[0.0, 0, 3, 2]], (count, 1)), labels=labels)


def entries(kind):
    return pictures(kind) if kind in RIGHT else boxes()


def result_for(entry, kind):
    """What a pipeline of the kind might give for an image with this truth."""
    if kind not in RIGHT:
        return entry.to_detections()
    if kind in (Kind.RGB, Kind.GRAY, Kind.FLOAT):
        return np.zeros_like(entry)
    one = entry[0] if isinstance(entry, list) else entry
    dtype = {Kind.LABELS: np.int32, Kind.MAP: np.float32}.get(kind, np.uint8)
    return np.full(one.shape[-2:], 1 if dtype != np.uint8 else 255, dtype)


@settings(deadline=None, max_examples=100)
@pytest.mark.parametrize("kind", [*RIGHT, Kind.CONTOURS, Kind.DETECTIONS])
@given(st.data())
def test_what_is_accepted_is_scored(kind, data):
    one = entries(kind)
    truth = data.draw(
        st.one_of(st.lists(one, min_size=1, max_size=2), st.lists(one | SCALARS), one)
    )
    count = 1 if isinstance(truth, np.ndarray) and truth.ndim == 0 else len(truth)
    try:
        check_truth(truth, kind, count)
    except ParameterError as error:
        assert "'truth' of a pipeline that gives" in str(error)
    else:
        event("accepted")
        results = [result_for(entry, kind) for entry in truth]
        assert not np.isnan(task_of(kind).score(results, truth))


@settings(deadline=None)
@given(st.lists(SCALARS | st.sampled_from(["a", "b", 1, 2, 0.5]), min_size=2, max_size=5))
def test_labels_that_are_accepted_are_scored(labels):
    try:
        check_truth(labels, Kind.FEATURES, len(labels))
    except ParameterError:
        return
    rows = np.arange(len(labels) * 2.0).reshape(-1, 2)
    if len(set(labels)) == len(labels):
        with pytest.raises(ParameterError, match="twice or more"):
            task_of(Kind.FEATURES).score(rows, labels)
    else:
        assert 0 <= task_of(Kind.FEATURES).score(rows, labels) <= 1
