"""Figures of a comparison: what is drawn is what was measured, and can be read by everybody."""

import dataclasses
import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score
from sklearn.preprocessing import label_binarize

from tests.vision.comparisons import classification, segmentation
from vision.classification_figures import confusion_counts, ranking_curves, reliability
from vision.comparison_figures import drawn, figure, names
from vision.comparison_result import Candidate
from vision.errors import UnknownNameError
from vision.figure_svg import (
    COLORS,
    DARK,
    Look,
    apart,
    drawing,
    new_axes,
    new_figure,
    style_sheet,
    svg,
    write_beside,
)
from vision.intervals import Estimate

STUDY = classification()
NAMES = [one.name for one in STUDY.candidates]


def made_up(n=400, k=3, seed=0):
    """Probabilities that say something of the truth."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, k, n)
    logits = generator.normal(0, 1, (n, k))
    logits[np.arange(n), true] += 1
    said = np.exp(logits)
    return said / said.sum(axis=1, keepdims=True), true


def texts(chart):
    """Every text in a figure."""
    return [text.get_text() for text in chart.findobj(matplotlib.text.Text) if text.get_text()]


# Numbers against scikit-learn


@pytest.mark.parametrize("k", [2, 3, 7])
def test_areas_are_those_of_scikit_learn(k):
    said, true = made_up(k=k)
    (fall, up), area, (recall, right), precision = ranking_curves(said, true)
    wanted = label_binarize(true, classes=range(k))
    if k == 2:
        assert area == pytest.approx(roc_auc_score(true, said[:, 1]))
        assert precision == pytest.approx(average_precision_score(true, said[:, 1]))
    else:
        assert area == pytest.approx(roc_auc_score(true, said, multi_class="ovr"))
        assert precision == pytest.approx(average_precision_score(wanted, said, average="macro"))
    # What is drawn has the area that is written.
    assert np.trapezoid(up, fall) == pytest.approx(area, abs=0.01)
    assert np.trapezoid(right, recall) == pytest.approx(precision, abs=0.01)
    assert (fall[0], up[0], fall[-1], up[-1]) == (0, 0, 1, 1)


def test_a_class_that_nobody_has_is_left_out_of_the_areas():
    said, true = made_up(k=3)
    said, true = said[true < 2], true[true < 2]
    expected = np.mean([roc_auc_score(true == k, said[:, k]) for k in (0, 1)])
    assert ranking_curves(said, true)[1] == pytest.approx(expected)


def test_reliability_is_the_calibration_curve_of_the_answer_given():
    said, true = made_up(k=4, n=900)
    confidence, accuracy, counts, error = reliability(said, true)
    sure, right = said.max(axis=1), said.argmax(axis=1) == true
    share, mean = calibration_curve(right, sure, n_bins=10)
    assert np.allclose(accuracy, share) and np.allclose(confidence, mean)
    assert counts.sum() == 900
    edges = np.linspace(0, 1, 11)
    by_hand = 0
    for low, high in itertools.pairwise(edges):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            by_hand += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert error == pytest.approx(by_hand)


def test_one_who_is_as_sure_as_right_has_no_calibration_error():
    said = np.array([[0.75, 0.25]] * 4)
    assert reliability(said, np.array([0, 0, 0, 1]))[3] == pytest.approx(0)
    assert reliability(said, np.array([1, 1, 1, 1]))[3] == pytest.approx(0.75)


def test_confusions_are_those_of_scikit_learn():
    one = STUDY.candidates[1]
    expected = confusion_matrix(STUDY.truth, one.predictions, labels=STUDY.classes)
    assert np.array_equal(confusion_counts(STUDY, one), expected)


def test_images_never_held_out_are_in_no_confusion():
    one = STUDY.candidates[0]
    predictions = np.array(one.predictions, object)
    folds = np.where(np.arange(300) < 200, -1, 0)
    predictions[:200] = None
    part = dataclasses.replace(
        STUDY, folds=folds, candidates=(dataclasses.replace(one, predictions=predictions),)
    )
    expected = confusion_matrix(STUDY.truth[200:], one.predictions[200:], labels=STUDY.classes)
    assert np.array_equal(confusion_counts(part, part.candidates[0]), expected)


# What is drawn


def test_every_figure_of_a_comparison_is_drawn_and_said():
    for name in names(STUDY):
        one = drawn(STUDY, name)
        assert one.caption.endswith(".") and one.words.endswith(".")
        assert one.figure.get_size_inches()[0] * 72 == 360
        of = name.partition(": ")[2]
        assert all(known in one.words for known in ([of] if of else NAMES))


def test_scores_show_every_interval_the_best_on_top():
    chart = figure(STUDY, "scores")
    axes = chart.axes[0]
    bars = [line for line in axes.lines if len(line.get_xdata()) == 2]
    for row, (name, bar) in enumerate(zip(STUDY.ranking(), bars, strict=True)):
        found = STUDY[name].scores["accuracy"]
        assert list(bar.get_xdata()) == [found.low, found.high]
        assert list(bar.get_ydata()) == [row, row]
        assert name in texts(chart)
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


@pytest.mark.parametrize("cost", ["latency", "size"])
def test_the_dashed_line_joins_the_pareto_front(cost):
    study = classification({"a": 0.6, "b": 0.8, "c": 0.7, "d": 0.95})
    front = figure(study, cost).axes[0].lines[0]
    heights = [study[name].scores["accuracy"].value for name in study.pareto(cost)]
    assert front.get_ydata().tolist() == heights
    assert len(heights) >= 2


def test_what_costs_nothing_known_has_no_figure():
    plain = [dataclasses.replace(one, latency=None, size_bytes=None) for one in STUDY.candidates]
    found = names(dataclasses.replace(STUDY, candidates=tuple(plain), curves=None, robustness=None))
    assert not {"latency", "size", "learning", "robustness"} & set(found)


def test_one_class_held_out_has_no_roc_and_its_figures_can_be_drawn():
    held = np.where(STUDY.truth == STUDY.classes[0], 0, -1)
    study = dataclasses.replace(STUDY, folds=held)
    assert not {"roc", "precision-recall"} & set(names(study))
    for name in names(study):
        assert drawn(study, name).figure.axes


def test_what_has_no_interval_or_no_end_is_drawn_as_far_as_it_can_be():
    metric = STUDY.metric
    ends = {0: Estimate(np.inf, np.nan, np.nan), 1: Estimate(0.9, np.nan, np.nan)}
    changed = [
        dataclasses.replace(one, scores=one.scores | {metric: ends.get(place, one.scores[metric])})
        for place, one in enumerate(STUDY.candidates)
    ]
    scores = STUDY.robustness.scores | {NAMES[0]: np.full((6, 6), np.nan)}
    scores[NAMES[1]] = np.where(scores[NAMES[1]] > 0.7, np.inf, scores[NAMES[1]])
    study = dataclasses.replace(
        STUDY,
        candidates=tuple(changed),
        robustness=dataclasses.replace(STUDY.robustness, scores=scores),
    )
    for name in names(study):
        assert drawn(study, name).figure.axes
    for cost in ("latency", "size"):
        assert not any(NAMES[0] in text for text in texts(figure(study, cost)))
    assert "90.0%" in texts(figure(study, "scores"))


def test_robustness_that_failed_for_all_has_no_figure():
    failed = {name: np.full((6, 6), np.nan) for name in NAMES}
    robustness = dataclasses.replace(STUDY.robustness, scores=failed)
    assert "robustness" not in names(dataclasses.replace(STUDY, robustness=robustness))


def test_learning_curves_are_means_with_the_crossing_and_its_interval():
    study = classification({"HOG + SVM": 0.9, "small CNN": 0.95})
    chart = figure(study, "learning")
    axes = chart.axes[0]
    curves = {line.get_color(): line for line in axes.lines}
    look = Look(study.candidates)
    for name, scores in study.curves.scores.items():
        assert np.allclose(curves[look.color(name)].get_ydata(), scores.mean(axis=0))
    spans = [patch for patch in axes.patches if hasattr(patch, "get_x")]
    assert [(span.get_x(), span.get_x() + span.get_width()) for span in spans] == [(55, 150)]
    assert "90 images" in texts(chart)
    assert study.curves.crossings[0].words in drawn(study, "learning").caption


def test_a_curve_that_failed_is_left_out():
    curves = STUDY.curves
    scores = curves.scores | {NAMES[1]: np.full((3, 5), np.nan)}
    study = dataclasses.replace(STUDY, curves=dataclasses.replace(curves, scores=scores))
    assert not any(NAMES[1] in text for text in texts(figure(study, "learning")))


def test_robustness_has_a_panel_a_corruption():
    chart = figure(STUDY, "robustness")
    assert [axes.get_title("left") for axes in chart.axes] == [
        "Noise", "Blur", "JPEG", "Brightness", "Rotation", "Scale",
    ]  # fmt: skip
    for place, axes in enumerate(chart.axes):
        for line, name in zip(axes.lines, STUDY.ranking(), strict=True):
            assert np.allclose(line.get_ydata(), STUDY.robustness.scores[name][place])


def test_graded_tasks_show_their_images():
    study = segmentation()
    assert list(names(study)) == ["scores", "latency", "size", "images"]
    medians = [f"{100 * np.median(one.per_image):.1f}%" for one in study.candidates]
    assert {f"median {median}" for median in medians} <= set(texts(figure(study, "images")))


def test_candidates_without_probabilities_are_named_and_not_drawn():
    first, *rest = STUDY.candidates
    study = dataclasses.replace(
        STUDY, candidates=(dataclasses.replace(first, probabilities=None), *rest)
    )
    assert f"Without probabilities, so not here: {first.name}." in drawn(study, "roc").caption
    none = [dataclasses.replace(one, probabilities=None) for one in STUDY.candidates]
    assert "roc" not in names(dataclasses.replace(STUDY, candidates=tuple(none)))


def test_many_classes_and_many_candidates_are_drawn():
    wide = classification({f"method {i}": 0.9 - 0.03 * i for i in range(9)}, k=10, n=200)
    for name in names(wide):
        drawn(wide, name)


def test_an_unknown_figure_is_refused_with_those_there_are():
    with pytest.raises(UnknownNameError, match=r"no figure 'score'. Did you mean 'scores'\?"):
        figure(STUDY, "score")
    with pytest.raises(UnknownNameError, match="It has 'scores'"):
        segmentation().figure("roc")


# How it can be read


def test_labels_move_apart_and_keep_their_order_and_centre():
    generator = np.random.default_rng(0)
    for _ in range(50):
        heights = generator.uniform(0, 60, 7)
        moved = np.array(apart(heights, 10))
        assert np.array_equal(np.argsort(heights), np.argsort(moved))
        assert np.diff(np.sort(moved)).min() >= 10 - 1e-9
        assert moved.mean() == pytest.approx(heights.mean())
    assert apart([0, 30, 60], 10) == [0, 30, 60]


@pytest.mark.parametrize(("count", "nameless"), [(3, range(1)), (40, range(20, 38))])
def test_names_beside_points_do_not_cover_each_other(count, nameless):
    near = np.random.default_rng(0).uniform(4.9, 5.6, (count, 2))
    with drawing():
        chart = new_figure(300)
        axes = new_axes(chart, 40, 40, 10, 10)
        axes.set(xlim=(0, 10), ylim=(0, 10))
        left = write_beside(axes, [(x, y, f"number {k}", "k") for k, (x, y) in enumerate(near)])
        renderer = chart.canvas.get_renderer()
        boxes = [text.get_window_extent(renderer) for text in axes.texts]
    assert left in nameless and len(boxes) == count - left
    assert axes.texts[0].get_text() == "number 0"
    for place, one in enumerate(boxes):
        for other in boxes[:place]:
            both = one.intersection(one, other)
            assert both is None or both.width * both.height < 0.05 * one.width * one.height


def contrast(color, ground):
    """WCAG 2.2's contrast ratio."""
    lights = []
    for text in (color, ground):
        channels = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        lights.append(linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    return max(lights) / min(lights)


@pytest.mark.parametrize(("colors", "ground"), [(COLORS, "#ffffff"), (DARK, "#14181c")])
def test_colours_can_be_text_on_their_page(colors, ground):
    for family in colors.values():
        assert min(contrast(color, ground) for color in family) >= 4.5
    assert {family: len(found) for family, found in colors.items()} == {
        family: len(found) for family, found in COLORS.items()
    }


def test_every_candidate_looks_different():
    many = [Candidate(str(i), ("classical", "deep")[i % 2], "") for i in range(14)]
    look = Look(many)
    assert len({(look.color(one.name), str(look.dash(one.name))) for one in many}) == 14


# As a part of a page


def test_svg_is_text_of_its_own_in_the_colours_of_the_page():
    pieces = [
        svg(drawn(STUDY, name).figure, f"f{place}", "What <it> shows")
        for place, name in enumerate(names(STUDY))
    ]
    for text in pieces:
        root = ElementTree.fromstring(text)
        assert (root.get("role"), root.get("aria-label")) == ("img", "What <it> shows")
        assert root.get("width") is None
        assert "http" not in text and "<image" not in text
        assert not re.search(r"(?:fill|stroke): #(?!000000)", text)
    every = re.findall(r'\bid="([^"]+)"', "".join(pieces))
    assert len(every) == len(set(every))
    for used in re.findall(r'(?:url\(#|href="#)([^)"]+)', "".join(pieces)):
        assert used in every
    shown = "".join(ElementTree.fromstring(pieces[0]).itertext())
    assert all(name in shown for name in NAMES)


def test_every_variable_of_a_figure_is_in_the_style_sheet():
    text = "".join(svg(drawn(STUDY, name).figure, "f", "") for name in names(STUDY))
    light, dark = style_sheet()
    for variable in set(re.findall(r"var\((--\w+-\d)", text)):
        assert f"{variable}:" in light and f"{variable}:" in dark


@pytest.mark.parametrize(
    "name", ["<b>&'\"", "$x_{1$", "tab\tand\x00zero", "\udcff", "日本", "x" * 200]
)
def test_any_name_can_be_drawn(name):
    study = classification({name: 0.9, "other net": 0.8}, n=60)
    for one in names(study):
        text = svg(drawn(study, one).figure, "f", name)
        assert "<b>" not in text and "<text" in text


def test_a_users_settings_of_matplotlib_change_nothing():
    before = svg(figure(STUDY, "latency"), "f", "")
    with matplotlib.rc_context({"font.size": 30, "text.color": "red", "axes.facecolor": "red"}):
        assert svg(figure(STUDY, "latency"), "f", "") == before


def test_pyplot_is_not_loaded():
    code = (
        "import sys; from tests.vision.comparisons import segmentation; "
        "segmentation().figure('scores'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
