"""A trace shows every stage on its own grid, and so do the HTML views."""

import re

import cv2
import numpy as np
import pytest
from skimage import data
from sklearn.preprocessing import StandardScaler

import vision
from classical import (
    Canny,
    Crop,
    DistanceWatershed,
    Erosion,
    FindContours,
    GaussianBlur,
    Gray,
    InRange,
    KMeansSegmenter,
    Otsu,
    RawPixels,
    Resize,
    Rotate,
    Sobel,
    Threshold,
    ToHSV,
    ToLab,
    Watershed,
)
from vision import Branches, Kind, Not, Or, Pick, Pipeline, UnknownNameError, chain
from vision.stage_pictures import moved_canvas
from vision.trace import sample_image, written

BLUR, OTSU = GaussianBlur(3), Otsu()  # each of them in several places of one pipeline
FOUND = GaussianBlur(9) >> Gray() >> Otsu() >> FindContours(min_area=50)


def test_every_stage_is_kept_on_its_own_grid_and_equals_the_step_by_hand():
    image = data.coffee()
    trace = (Resize(100) >> Gray() >> Otsu() >> FindContours()).trace(image)
    kinds = [Kind.RGB, Kind.RGB, Kind.GRAY, Kind.MASK, Kind.CONTOURS]
    assert [stage.kind for stage in trace.stages] == kinds
    small = Resize(100)(image)
    assert np.array_equal(trace[1].value, small)
    assert np.array_equal(trace[3].value, Otsu()(Gray()(small)))
    assert trace[4].value.shape == (100, 100)
    assert all(stage.picture.dtype == np.uint8 and stage.picture.ndim == 3 for stage in trace)


def test_contours_are_drawn_on_the_picture_of_their_grid():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:40, 30:50] = 200
    trace = (Gray() >> Otsu() >> FindContours()).trace(image)
    changed = np.any(trace[-1].picture != trace[1].picture, axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 16
    assert rows.max() <= 43
    assert columns.min() >= 26
    assert columns.max() <= 53


def test_contours_are_drawn_on_the_image_that_was_given_not_on_what_was_made_of_it():
    image = data.coffee()
    stage = FOUND.trace(image)[-1]
    assert np.array_equal(stage.picture, stage.value.draw(image))


def test_the_image_is_brought_onto_the_grid_of_the_stage():
    image = data.coffee()
    cut = (Crop(100, 50, 300, 200) >> FOUND).trace(image)[-1]
    assert np.array_equal(cut.picture, cut.value.draw(image[50:250, 100:400]))
    small = (Resize(width=300, height=200) >> FOUND).trace(image)[-1]
    halved = cv2.resize(image, (300, 200), interpolation=cv2.INTER_AREA)
    assert np.array_equal(small.picture, small.value.draw(halved))
    both = (Resize(width=300, height=200) >> Crop(30, 20, 100, 90) >> FOUND).trace(image)[-1]
    assert np.array_equal(both.picture, both.value.draw(halved[20:110, 30:130]))
    # A quarter of a turn about the centre, in a square, moves whole pixels.
    square = image[:300, :300]
    turned = (Rotate(90) >> FOUND).trace(square)[-1]
    assert np.array_equal(turned.picture, turned.value.draw(np.rot90(square)))


def test_what_nobody_can_place_is_no_canvas():
    image = data.coffee()
    assert moved_canvas(image, image, np.zeros((5, 5), np.uint8), None) is None
    assert moved_canvas(None, image, image, None) is None
    assert moved_canvas(image, image, image[..., 0], None) is image


def test_regions_have_the_mean_colour_of_the_image_that_was_given():
    image = data.coffee()
    stage = (GaussianBlur(31) >> KMeansSegmenter(3)).trace(image)[-1]
    for label in np.unique(stage.value):
        inside = stage.value == label
        assert np.all(np.abs(stage.picture[inside] - image[inside].mean(axis=0)) <= 0.5)


def test_objects_on_a_background_have_a_colour_each_so_that_touching_ones_are_told_apart():
    image = np.zeros((40, 80), np.uint8)
    cv2.circle(image, (25, 20), 15, 200, -1)
    cv2.circle(image, (50, 20), 15, 200, -1)
    stage = (Otsu() >> DistanceWatershed()).trace(image)[-1]
    assert np.unique(stage.value).tolist() == [0, 1, 2]
    colors = [np.unique(stage.picture[stage.value == k], axis=0).tolist() for k in range(3)]
    assert colors[0] == [[0, 0, 0]]
    assert len(colors[1]) == len(colors[2]) == 1
    assert colors[1] != colors[2] and [[200, 200, 200]] not in colors


@pytest.mark.parametrize("to_space", [ToHSV(), ToLab()])
def test_results_in_another_colour_space_are_drawn_on_colours_that_a_person_knows(to_space):
    class Middle(vision.Step):
        takes, gives = (to_space.gives,), Kind.CONTOURS

        def apply(self, image):
            return vision.Contours((np.array([[30, 20], [60, 20], [60, 50]]),), image.shape[:2])

    image = data.coffee()[:80, :100]
    given = chain(Middle()).trace(to_space(image))[-1]
    expected = given.value.draw(image).astype(int)
    assert np.abs(given.picture - expected).mean() < 3  # rounded to the other space and back


def test_a_class_is_written_on_the_image_though_a_thumbnail_was_classified():
    from sklearn.naive_bayes import GaussianNB

    images = [data.coffee(), data.chelsea(), data.astronaut()]
    model = (Gray() >> Resize(8) >> RawPixels(8) >> GaussianNB()).fit(images, ["a", "b", "c"])
    stage = model.trace(images[1])[-1]
    assert (stage.kind, stage.value.label) == (Kind.CLASS, "b")
    assert np.array_equal(stage.picture, stage.value.draw(images[1]))


def test_a_clusterer_at_the_end_gives_a_class():
    from sklearn.cluster import KMeans

    images = [data.coffee(), data.chelsea(), data.astronaut()]
    groups = (Gray() >> RawPixels(8) >> KMeans(2, n_init=1, random_state=0)).fit(images)
    for image, label in zip(images, groups.predict(images), strict=True):
        stage = groups.trace(image)[-1]
        assert (stage.kind, stage.value.label) == (Kind.CLASS, label)
    assert groups.trace(images[0])[-2].kind is Kind.FEATURES


@pytest.mark.parametrize("joiner", [Branches, Or])
def test_branches_are_named_in_the_order_in_which_they_were_given(joiner):
    parts = {"zeta": Otsu(), "alpha": Canny(), "mid": Threshold(150)}
    trace = (Gray() >> joiner(parts)).trace(data.coffee())
    titles = [stage.title for stage in trace][2:]
    name = joiner.__name__
    assert titles == [
        "zeta: Otsu()",
        "alpha: Canny()",
        "mid: Threshold(value=150)",
        f"{name}(zeta, alpha, mid)",
    ]
    if joiner is Branches:  # its picture too
        tiles = np.array_split(trace[-1].picture[:, :, 0], 3, axis=1)
        for tile, part in zip(tiles, parts.values(), strict=True):
            mask = part(Gray()(data.coffee()))
            assert abs(tile.mean() - mask.mean()) < 5


def test_parameters_are_written_in_their_own_order():
    step = InRange("hsv", (170, 120, 70), (10, 255, 255))
    assert written(step) == "InRange(space='hsv', low=(170, 120, 70), high=(10, 255, 255))"
    assert eval(written(step)).get_params() == step.get_params()  # noqa: S307
    assert written(step, longest=40) == "InRange(...)"


def test_a_fixed_mask_is_a_stage():
    frame = np.zeros((400, 600), np.uint8)
    frame[:200] = 255
    trace = (Gray() >> (Otsu() & frame)).trace(data.coffee())
    titles = ["image", "Gray()", "otsu: Otsu()", "mask: a fixed mask", "And(otsu, mask)"]
    assert [stage.title for stage in trace] == titles
    assert np.array_equal(trace[3].picture[:, :, 0], frame)


NESTED = Pipeline(
    [
        ("small", Resize(width=300, height=200) >> GaussianBlur(5)),
        ("find", Gray() >> Branches({"bright": Otsu(), "edges": Canny()}) >> Pick("bright")),
        ("outlines", FindContours(min_area=50)),
    ]
)


def test_pipelines_within_a_pipeline_are_followed_under_their_names():
    trace = NESTED.trace(data.coffee())
    assert [stage.title for stage in trace] == [
        "image",
        "small: Resize(width=300, height=200)",
        "small: GaussianBlur(size=5)",
        "find: Gray()",
        "find: bright: Otsu()",
        "find: Pick(branch='bright')",
        "FindContours(min_area=50)",
    ]
    halved = cv2.resize(data.coffee(), (300, 200), interpolation=cv2.INTER_AREA)
    assert np.array_equal(trace[-1].picture, trace[-1].value.draw(halved))


def test_what_a_pipeline_within_brings_back_is_shown_there_too():
    image = data.coffee()
    found = Resize(width=300, height=200) >> Gray() >> Otsu()
    trace = Pipeline([("found", found), ("outlines", FindContours())]).trace(image)
    assert trace[-2].title == "found: brought back"
    assert trace[-3].value.shape == (200, 300)
    assert trace[-2].value.shape == (400, 600)
    assert np.array_equal(trace[-1].picture, trace[-1].value.draw(image))


def assert_equal(one, other):
    if isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_equal(one[name], other[name])
    elif isinstance(one, np.ndarray):
        assert np.array_equal(one, other)
    else:
        assert one == other


def both_features():
    parts = {"few": RawPixels(2), "more": RawPixels(3)}
    return Gray() >> Branches(parts) >> StandardScaler(with_mean=False, with_std=False)


@pytest.mark.parametrize(
    "pipeline",
    [
        NESTED,
        Gray() >> Branches({"mask": Otsu(), "edges": Canny()}) >> Pick("mask"),
        Gray() >> (Otsu() & ~Canny() | Threshold(200)) >> FindContours(),
        (ToHSV() >> InRange("hsv", (5, 60, 60), (25, 255, 255))) & (Gray() >> Otsu()),
        Branches({"one": Gray() >> (Otsu() ^ Canny()), "two": Branches({"three": Gray()})}),
        both_features().fit([data.coffee()]),
        InRange("hsv", (5, 60, 60), (25, 255, 255)) >> (FindContours()),
        Pipeline([("a", "passthrough"), ("b", Pipeline([("c", Gray() >> Otsu())]))]),
    ],
    ids=["nested", "pick", "operators", "chains", "branches", "features", "hsv", "passthrough"],
)
def test_a_trace_ends_with_what_the_pipeline_gives(pipeline):
    image = sample_image(pipeline.takes)
    pipeline = chain(pipeline)
    trace = pipeline.trace(image)
    if not pipeline.plan().moves:
        assert_equal(trace[-1].value, pipeline(image))
    assert all(stage.picture.dtype == np.uint8 for stage in trace)
    shown = pipeline._repr_html_()
    assert shown.count("<img ") == len(trace)
    assert trace.sheet(800).shape[1] == 800


@pytest.mark.parametrize(
    "pipeline",
    [
        NESTED,
        Gray() >> (Otsu() & (Canny() >> Not())) >> FindContours(),
        Gray() >> (np.full((400, 600), 255, np.uint8) & Otsu()) >> FindContours(),
        both_features().fit([data.coffee()]),
    ],
    ids=["nested", "operators", "fixed", "features"],
)
def test_a_stage_goes_by_the_name_that_set_params_has_for_its_step(pipeline):
    named = pipeline.get_params()
    for stage in pipeline.trace(data.coffee())[1:]:
        step = named[stage.name]
        shown = "a fixed mask" if isinstance(step, np.ndarray) else written(step)
        assert stage.title.endswith(shown)


@pytest.mark.parametrize(
    ("pipeline", "names"),
    [
        (
            Pipeline([("in", Pipeline([("a", Gray()), ("z", BLUR)])), ("z", BLUR), ("b", Otsu())]),
            ["in__a", "in__z", "z", "b"],
        ),
        (
            Gray() >> Branches({"m": OTSU, "n": BLUR >> OTSU}) >> Pick("n"),
            ["gray", "branches__n__gaussianblur", "branches__n__otsu", "pick"],
        ),
        (
            Gray() >> Branches({"w": Watershed(OTSU), "o": OTSU}),
            ["gray", "branches__w", "branches__o", "branches"],
        ),
    ],
    ids=["levels", "not picked", "companion"],
)
def test_a_step_that_stands_in_several_places_has_the_name_of_the_place(pipeline, names):
    assert [stage.name for stage in pipeline.trace(data.coffee())] == ["image", *names]


def test_a_stage_is_found_by_name_and_a_step_that_stands_twice_has_two():
    twice = Erosion(3)
    trace = (Gray() >> twice >> twice).trace(data.coffee())
    assert [stage.name for stage in trace] == ["image", "gray", "erosion", "erosion_2"]
    assert np.array_equal(trace["erosion_2"].value, Erosion(5)(Gray()(data.coffee())))
    assert repr(trace["gray"]) == "Stage('gray': Gray(), gray)"
    assert trace["gray"]._repr_html_().count("<img ") == 1
    named = Pipeline([("image", Gray()), ("mask", Otsu())]).trace(data.coffee())
    assert named["image"].value is named[0].value
    with pytest.raises(UnknownNameError, match=r"'erosio'\. Did you mean 'erosion'\?"):
        trace["erosio"]


def test_the_joined_features_of_branches_are_one_row():
    trace = both_features().fit([data.coffee()]).trace(data.coffee())
    few, more, row, _ = (stage for stage in trace if stage.kind is Kind.FEATURES)
    assert np.array_equal(row.value, np.concatenate([few.value, more.value]))
    assert row.title == "Branches(few, more)"


def test_branches_are_followed_each():
    pipeline = Gray() >> (Otsu() | Canny()) >> FindContours()
    titles = [stage.title for stage in pipeline.trace(data.coffee()).stages]
    assert titles[:4] == ["image", "Gray()", "otsu: Otsu()", "canny: Canny()"]
    assert titles[4].startswith("Or(")


@pytest.mark.parametrize(
    "pipeline",
    [
        ToHSV() >> InRange("hsv", (5, 60, 60), (25, 255, 255)),
        Gray() >> Sobel(),
        GaussianBlur() >> KMeansSegmenter(3),
        Gray() >> RawPixels(8),
        Gray() >> Branches({"edges": Canny(), "mask": Otsu()}),
    ],
    ids=["hsv", "map", "labels", "features", "branches"],
)
def test_every_kind_of_stage_has_a_picture(pipeline):
    trace = pipeline.trace(data.coffee())
    assert trace.stages[-1].picture.std() > 5
    sheet = trace.sheet(900)
    assert sheet.shape[1] == pytest.approx(900, abs=60)
    assert len(re.findall("<img ", trace._repr_html_())) == len(trace)


def test_the_trace_saves_as_a_picture(tmp_path):
    trace = (Gray() >> Canny()).trace(data.coffee())
    trace.save(tmp_path / "stages.png")
    assert np.array_equal(vision.read(tmp_path / "stages.png"), trace.sheet())


def test_a_pipeline_shows_itself_with_a_thumbnail_of_every_stage():
    pipeline = Gray() >> Canny()
    assert pipeline._repr_html_().count("<img ") == 3
    assert set(pipeline._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert Canny()._repr_html_().count("<img ") == 2


def test_a_pipeline_that_is_not_fitted_shows_the_stages_up_to_there():
    from sklearn.svm import SVC

    shown = (Gray() >> RawPixels(4) >> SVC())._repr_html_()
    assert shown.count("<img ") == 3
    assert "not fitted" in shown


def test_a_view_never_fails_where_the_sample_does_not_suit_what_was_learned():
    from sklearn.svm import SVC

    images = [data.coffee()[:9, :9], data.chelsea()[:9, :9]]
    pipeline = (Gray() >> Raveled() >> SVC()).fit(images, ["a", "b"])
    shown = pipeline._repr_html_()
    assert shown.count("<img ") == 3
    assert "81 features" in shown


class Raveled(vision.FeatureStep):
    """All pixels as a row, of images of any size."""

    takes = (Kind.GRAY,)

    def apply(self, image):
        return image.ravel().astype(np.float32)
