"""The report of a comparison: what it says is what was found, and it opens anywhere."""

import base64
import dataclasses
import hashlib
import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import vision
from classical import RawPixels
from tests.browser import console, document, find_browser
from tests.vision.comparisons import around, classification, segmentation
from vision.comparison_extras import Crossing, LearningCurves
from vision.comparison_gallery import disagreements, spread
from vision.comparison_report import report_html, summary_html, write_comparison
from vision.comparison_result import Candidate, Pair
from vision.comparison_words import verdict
from vision.errors import WriteError
from vision.paired_tests import PairedTest

needs_browser = pytest.mark.skipif(find_browser() is None, reason="there is no Chromium here")
HOSTILE = "<script>alert('x')</script>\"&"
EMPTY = {"img", "meta", "link", "br", "path", "use"}


class Page(HTMLParser):
    """What a browser makes of a page: tags with attributes, tables, headings, text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.headings, self.tables, self.scripts = [], [], [], []
        self.open, self.text, self.cell = [], "", None
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th", "h1", "h2", "h3", "script"):
            self.cell = ""

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.tables[-1][-1].append(" ".join(self.cell.split()))
        elif tag in ("h1", "h2", "h3"):
            self.headings.append((tag, self.cell))
        elif tag == "script":
            self.scripts.append(self.cell)
        if tag in ("td", "th", "h1", "h2", "h3", "script"):
            self.cell = None

    def handle_data(self, text):
        self.text += text
        if self.cell is not None:
            self.cell += text

    def attributes(self, tag):
        """Those of each element of that name."""
        return [found for name, found in self.tags if name == tag]


@pytest.fixture(scope="module")
def text():
    """The report of a comparison with everything in it, one candidate failed, one hostile."""
    study = classification({HOSTILE: 0.93, "raw pixels": 0.8, "small CNN": 0.9})
    failed = Candidate("lost net", "deep", "- Resize", error="ValueError: <b>no</b> & never")
    return report_html(dataclasses.replace(study, candidates=(*study.candidates, failed)))


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def pictures(n=24, seed=0):
    """Pictures of two classes, bright above or below, and labels of which some are wrong."""
    generator = np.random.default_rng(seed)
    labels = np.array(["up", "down"])[np.arange(n) % 2]
    images = generator.integers(0, 90, (n, 12, 12)).astype(np.uint8)
    for image, label in zip(images, labels):
        image[:6] += np.uint8(120 * (label == "up"))
    return list(images), labels


def compared(*names, explained=("first", "second")):
    """A comparison of two real pipelines that were made to disagree on images 0 and 1."""
    images, labels = pictures()
    found = []
    for name, classifier in zip(names, (LogisticRegression(), GaussianNB())):
        pipeline = (RawPixels(4) >> classifier).fit(images, labels)
        predictions = labels.copy()
        predictions[len(found)] = "down" if labels[len(found)] == "up" else "up"
        fitted = [pipeline, pipeline] if name in explained else ()
        found.append(
            Candidate(
                name,
                "classical",
                "",
                scores={"accuracy": around(0.9 - 0.01 * len(found))},
                per_image=(predictions == labels).astype(float),
                predictions=predictions,
                fitted=fitted,
            )
        )
    test = PairedTest(around(0.01), 0.5, 1, 1, "mid-p")
    pair = Pair(*names, test, 0.5, np.array([1]), np.array([0]), "no difference")
    return dataclasses.replace(
        classification(n=24),
        classes=np.array(["down", "up"]),
        truth=labels,
        images=images,
        folds=np.arange(24) % 2,
        candidates=tuple(found),
        pairs=(pair,),
        curves=None,
        robustness=None,
        duplicates=(),
    )


# The verdict


def test_a_clear_winner_is_said_with_its_lead_and_what_it_costs():
    study = classification({"HOG + SVM": 0.99, "raw pixels": 0.4, "small CNN": 0.7})
    said = verdict(study)
    values = {name: study[name].scores["accuracy"].value for name in study.ranking()}
    lead = 100 * (values["HOG + SVM"] - values["small CNN"])
    assert said.headline == f"HOG + SVM wins, {lead:.1f} points ahead of small CNN"
    assert f"{lead - 2:.1f} to {lead + 2:.1f} points" in said.sentences[1]
    assert (
        "HOG + SVM takes 400 µs an image, 80 kB on disk and 250 ms to train." in said.sentences[2]
    )


def with_p(study, p_value):
    pairs = [dataclasses.replace(pair, p_adjusted=p_value) for pair in study.pairs]
    return dataclasses.replace(study, pairs=tuple(pairs))


def test_what_may_be_chance_is_no_win():
    two = with_p(classification({"a": 0.9, "b": 0.8}), 0.2)
    assert verdict(two).headline == f"{' and '.join(two.ranking())} are not told apart"
    assert "which may be chance" in verdict(two).sentences[1]
    three = with_p(classification(), 0.2)
    assert verdict(three).headline == f"{three.ranking()[0]} leads, but nothing is certain"
    assert f"not told apart from {three.ranking()[2]} either" in verdict(three).sentences[1]
    best, following, last = three.ranking()
    sure = [
        dataclasses.replace(pair, p_adjusted=0.01 if last in (pair.first, pair.second) else 0.3)
        for pair in three.pairs
    ]
    mixed = dataclasses.replace(three, pairs=tuple(sure))
    assert verdict(mixed).headline == f"{best} and {following} lead together"


def test_a_pair_given_the_other_way_round_says_the_same():
    study = classification({"HOG + SVM": 0.99, "small CNN": 0.7})
    (pair,) = study.pairs
    test = dataclasses.replace(pair.test, difference=-pair.test.difference)
    turned = dataclasses.replace(pair, first=pair.second, second=pair.first, test=test)
    assert verdict(dataclasses.replace(study, pairs=(turned,))) == verdict(study)


def test_one_candidate_and_none_that_finished():
    one = classification({"only": 0.9})
    value = 100 * one["only"].scores["accuracy"].value
    assert verdict(one).headline.startswith(f"only: {value:.1f}% (")
    none = dataclasses.replace(
        one, candidates=(Candidate("x", "deep", "", error="E: no"),), pairs=()
    )
    assert verdict(none).headline == "No candidate finished"
    page = Page(report_html(none))
    assert "failed: E: no" in page.text


def test_the_best_of_each_family_meet_where_the_next_is_of_the_same():
    study = classification({"HOG + SVM": 0.99, "words": 0.8, "small CNN": 0.4})
    assert study.ranking() == ["HOG + SVM", "words", "small CNN"]
    assert any(
        "The best deep one, small CNN, is" in sentence for sentence in verdict(study).sentences
    )


def test_the_crossing_of_the_two_families_is_said():
    study = classification()
    families = dataclasses.replace(
        study,
        curves=LearningCurves(
            study.curves.sizes,
            study.curves.scores,
            (
                Crossing("raw pixels", "small CNN", None, "Nobody crosses."),
                Crossing("HOG + SVM", "small CNN", None, "Deep pays off nowhere."),
            ),
        ),
    )
    assert verdict(families).sentences[-1] == "Deep pays off nowhere."


def test_doubts_are_said():
    study = classification()
    assert (
        "1 such pair stands on both sides of a split (1 equal pixel" in verdict(study).warnings[0]
    )
    small = dataclasses.replace(segmentation(), duplicates=())
    assert verdict(small).warnings == ("40 images tell only large differences apart.",)


# What the page holds


def test_the_table_holds_the_scores_costs_and_failures(page):
    study = classification({HOSTILE: 0.93, "raw pixels": 0.8, "small CNN": 0.9})
    rows = {row[0]: row[1:] for row in page.tables[0][1:]}
    for name in study.ranking():
        found = study[name].scores["accuracy"]
        family = study[name].family
        mark = {"classical": "●", "deep": "■"}[family]
        cells = rows[f"{mark} {name} {family}"]
        shown = [f"{100 * value:.1f}" for value in (found.value, found.low, found.high)]
        assert cells[0] == f"{shown[0]}%{shown[1]} to {shown[2]}"
    assert rows["■ lost net deep"] == ["failed: ValueError: <b>no</b> & never"]
    assert rows[f"● {HOSTILE} classical"][1:] == [
        "the best", "400 µs95% within 600 µs", "100 µs32 at once", "250 ms", "80 kB",
    ]  # fmt: skip


def test_all_measures_with_intervals_and_folds_are_there(page):
    study = classification({HOSTILE: 0.93, "raw pixels": 0.8, "small CNN": 0.9})
    table = next(rows for rows in page.tables if rows[0][1:2] == ["accuracy"] and "AUC" in rows[0])
    for row in table[1:]:
        found = study[row[0]].scores
        assert row[table[0].index("AUC")] == found["AUC"].text()
        assert row[table[0].index("accuracy")] == found["accuracy"].text(percent=True)
    costs = next(rows for rows in page.tables if "parameters" in rows[0])
    assert costs[1][costs[0].index("parameters")] == "12,345"
    assert costs[1][-1] == "93.0%, 92.0%, 94.0%"


def test_classes_duplicates_pairs_and_provenance_are_there(page):
    rows = next(rows for rows in page.tables if rows[0][:2] == ["class", "images"])
    assert [row[0] for row in rows[1:]] == ["ant", "bee", "cat", "dog"]
    rows = next(rows for rows in page.tables if rows[0][0] == "picture")
    assert rows[1][:2] == ["image 3", "image 7"] and "tested on" in rows[1][3]
    assert "vision compare study.yaml --out report.html" in page.text
    assert "numpy" in page.text and "2.4.6" in page.text and "a processor, 2 cores" in page.text
    study = classification({HOSTILE: 0.93, "raw pixels": 0.8, "small CNN": 0.9})
    assert all(pair.words in page.text for pair in study.pairs)
    assert "What training anew" in page.text


def test_headings_come_in_order_under_one_title(page):
    levels = [int(tag[1]) for tag, _ in page.headings]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_cannot_be_seen_is_said(page):
    assert all(found.get("alt") for found in page.attributes("img"))
    figures = page.attributes("svg")
    assert len(figures) >= 8
    assert all(found["role"] == "img" and len(found["aria-label"]) > 20 for found in figures)
    assert all(found.get("scope") in ("col", "row") for found in page.attributes("th"))
    assert len(page.attributes("caption")) == len(page.attributes("table"))
    assert page.attributes("html") == [{"lang": "en"}]


def test_no_address_leads_out_of_the_page(text, page):
    for _, found in page.tags:
        for name in ("src", "href", "action", "data", "srcset"):
            assert found.get(name, "#").startswith(("#", "data:"))
    assert all(one.startswith(("#", "data:")) for one in re.findall(r"url\(['\"]?([^)]*)", text))
    assert "@import" not in text and "//" not in re.sub(
        r"<script>.*?</script>", "", text, flags=re.S
    )


def test_names_are_text_and_the_only_script_is_ours(text, page):
    (script,) = page.scripts
    assert "alert" not in script and HOSTILE in page.text
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [m["content"] for m in page.attributes("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'") and f"script-src 'sha256-{digest}'" in policy
    assert not any(name.startswith("on") for _, found in page.tags for name in found)


def test_many_crossings_are_folded_away_the_best_first():
    study = classification({f"method {k}": 0.5 + 0.02 * k for k in range(8)})
    every = itertools.combinations([one.name for one in study.candidates], 2)
    crossings = tuple(Crossing(*pair, None, "{} meets {}.".format(*pair)) for pair in every)
    curves = dataclasses.replace(study.curves, crossings=crossings)
    text = report_html(dataclasses.replace(study, curves=curves))
    found = re.findall(r"<li>method (\d) meets method (\d)\.</li>|<summary>(22 more pairs)", text)
    (_, folded), best = np.flatnonzero([one[2] for one in found]), study.ranking()[0][-1]
    assert len(found) == 30 and folded == 7 and all(best in one for one in found[1:7])


def test_a_graded_comparison_has_a_page():
    page = Page(report_html(segmentation()))
    assert page.headings[0][1].startswith("U-Net")
    assert ("h2", "Class by class") not in page.headings


def test_a_notebook_shows_the_verdict_and_the_table():
    study = classification()
    page = Page(study._repr_html_())
    assert summary_html(study) == study._repr_html_()
    assert verdict(study).headline in page.text
    assert len(page.tables) == 1 and not page.scripts


def test_it_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "report.html"
    segmentation().save(file)
    before = file.read_bytes()
    assert before.startswith(b"<!doctype html>")

    def broken(comparison):
        raise RuntimeError("no paper")

    monkeypatch.setattr("vision.comparison_report.report_html", broken)
    with pytest.raises(RuntimeError):
        write_comparison(segmentation(), file)
    assert file.read_bytes() == before and [*tmp_path.iterdir()] == [file]
    with pytest.raises(WriteError):
        monkeypatch.undo()
        write_comparison(segmentation(), tmp_path / "nowhere/report.html")


# The gallery


def test_each_side_is_explained_by_the_model_that_had_not_seen_the_picture():
    study = compared("first", "second")
    (pair,) = disagreements(study)
    assert pair["names"] == ("first", "second")
    right = pair["sides"][0]
    assert (right["winner"], right["count"]) == ("first", 1)
    (figure,) = right["figures"]
    assert figure["name"] == "image 1" and figure["truth"] == "down"
    assert [(one["said"], one["right"]) for one in figure["sides"]] == [
        ("down", True),
        ("up", False),
    ]
    assert all(one["data"].startswith("data:image/png") for one in figure["sides"])
    page = Page(report_html(study))
    assert len(page.attributes("img")) == 6


def test_an_explanation_that_fails_is_said_and_not_hidden():
    study = compared("first", "second", explained=("first",))

    class Broken:
        def predict(self, images):
            raise RuntimeError

    study = dataclasses.replace(
        study,
        candidates=(
            dataclasses.replace(study.candidates[0], fitted=[Broken(), Broken()]),
            study.candidates[1],
        ),
    )
    sides = disagreements(study)[0]["sides"][0]["figures"][0]["sides"]
    assert sides[0]["data"] is None and sides[0]["trouble"].startswith("cannot be explained: ")
    assert sides[1]["trouble"] == "the fitted pipeline was not kept"
    text = Page(report_html(study)).text
    assert "cannot be explained" in text and "the fitted pipeline was not kept" in text


def test_explanations_end_with_their_time():
    sides = disagreements(compared("first", "second"), seconds=-1)[0]["sides"]
    trouble = [one["trouble"] for side in sides for one in side["figures"][0]["sides"]]
    assert trouble == ["left out, as the time for explanations was over"] * 4


def test_graded_pictures_are_shown_with_truth_and_results():
    masks = [np.full((70, 80), 255 * (i % 2), np.uint8) for i in range(40)]
    study = segmentation(truth=masks, images=[np.full((70, 80, 3), 99, np.uint8)] * 40)
    found = [dataclasses.replace(one, predictions=masks) for one in study.candidates]
    study = dataclasses.replace(study, candidates=tuple(found))
    pair = disagreements(study)[0]
    assert set(pair["names"]) == {"U-Net", "watershed"}
    side = pair["sides"][0]
    assert len(side["figures"]) == 4
    assert [one["name"] for one in side["figures"][0]["sides"]] == ["truth", *pair["names"]]
    assert all(one["data"] for one in side["figures"][0]["sides"])
    Page(report_html(study))


def test_a_picture_that_was_deleted_since_costs_its_own_place_in_the_gallery(tmp_path):
    study = compared("first", "second")
    for index, image in enumerate(study.images):
        vision.write(tmp_path / f"{index:02}.png", image)
    study = dataclasses.replace(study, images=vision.Images(tmp_path, mode="unchanged"))
    deleted = tmp_path / "01.png"
    deleted.unlink()
    first, second = disagreements(study)[0]["sides"]
    assert (first["count"], len(first["figures"])) == (1, 0)
    assert (second["count"], len(second["figures"])) == (1, 1)
    text = Page(report_html(study)).text
    assert f"A picture cannot be shown: '{deleted}': there is no such file" in text


def test_without_pictures_there_is_no_gallery():
    assert disagreements(classification()) == []


def test_pictures_are_chosen_evenly():
    assert spread(np.arange(100), 4).tolist() == [0, 33, 66, 99]
    assert spread(np.array([5, 6]), 4).tolist() == [5, 6]
    assert spread(np.array([], int), 4).tolist() == []


# In a browser


@needs_browser
@pytest.mark.parametrize("look", [{"width": 1200}, {"width": 500, "dark": True}])
def test_a_browser_has_nothing_to_complain_of(tmp_path, text, look):
    file = tmp_path / "report.html"
    file.write_text(text, encoding="utf-8")
    assert console(file, **look) == []


@needs_browser
def test_a_browser_that_is_given_a_bad_page_complains(tmp_path):
    file = tmp_path / "bad.html"
    file.write_text("<script>nothing.there()</script>", encoding="utf-8")
    assert "nothing is not defined" in console(file)[0]


def scripted(text, script):
    """The page with another script behind its own, which its policy would refuse."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    return text.replace("</body>", f"<script>{script}</script></body>")


@needs_browser
def test_a_click_sorts_the_table(tmp_path, text):
    file = tmp_path / "report.html"
    script = """
      const button = [...document.querySelectorAll(".ranking th button")][3];
      const order = () => [...document.querySelectorAll(".ranking tbody th")]
        .map((one) => one.dataset.value).join("|");
      button.click(); const up = order(); button.click();
      document.title = up + "||" + order();
    """
    file.write_text(scripted(text, script), encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", document(file), re.DOTALL)[1]
    up, down = title.split("||")
    first = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert up == f"{first}|raw pixels|small CNN|lost net"
    assert down == f"small CNN|raw pixels|{first}|lost net"


@needs_browser
def test_nothing_is_wider_than_a_narrow_window(tmp_path, text):
    file = tmp_path / "report.html"
    script = """
      document.documentElement.style.width = "360px";
      document.title = document.querySelector("main").scrollWidth + " "
        + [...document.querySelectorAll("svg, p, figure, pre, ul")]
            .filter((one) => !one.closest("svg svg")
              && one.getBoundingClientRect().right > 361).length;
    """
    text = text.replace("raw pixels", "raw_pixels" * 20)  # no space to break it at
    file.write_text(scripted(text, script), encoding="utf-8")
    width, wide = map(int, re.search(r"<title>(\d+) (\d+)", document(file, width=500)).groups())
    assert width <= 360 and wide == 0
