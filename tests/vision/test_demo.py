"""The demo: what the page shows is what the folders hold."""

import csv
import re

import numpy as np
import pytest

import vision
from vision.demo import examples, photographs, run_demo
from vision.errors import WriteError


def test_the_page_shows_every_stage_and_every_photograph(tmp_path):
    page = run_demo(tmp_path / "demo", progress=False, studies=())
    text = page.read_text(encoding="utf-8")
    links = set(re.findall(r'(?:src|href)="([^"]+)"', text)) - {"data:,"}
    assert all((page.parent / link).exists() for link in links)
    assert "http" not in text
    for example in examples():
        stages = [f"{example.name}/stages/{i:02d}.png" for i in range(len(example.pipeline) + 1)]
        assert set(stages) <= links
        assert {f"{example.name}/overlays/{name}" for name in photographs()} <= links
        written = vision.load(page.parent / example.name / "pipeline.yaml")
        assert vision.to_text(written) == vision.to_text(example.pipeline)


def test_the_tables_are_the_pipelines_own_results(tmp_path):
    run_demo(tmp_path, progress=False, studies=())
    for example in examples():
        with (tmp_path / example.name / "results.csv").open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.DictReader(lines) if row["source"] == example.photograph]
        found = example.pipeline(photographs()[example.photograph])
        count = len(np.unique(found)) if isinstance(found, np.ndarray) else len(found)
        assert len(rows) == count >= 3


def test_an_earlier_demo_is_replaced(tmp_path):
    run_demo(tmp_path, progress=False, studies=())
    first = (tmp_path / "red/results.csv").read_bytes()
    run_demo(tmp_path, progress=False, studies=())
    assert (tmp_path / "red/results.csv").read_bytes() == first


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="photographs' could not be made"):
        run_demo(tmp_path / "file", progress=False)


def test_it_ends_with_a_comparison_that_says_where_there_are_no_networks(tmp_path, monkeypatch):
    monkeypatch.setattr("vision.demo_comparison.has_deep", lambda: False)
    page = run_demo(tmp_path, progress=False, studies=["faces"])
    text = page.read_text(encoding="utf-8")
    links = set(re.findall(r'href="([^"]+)"', text)) - {"data:,"}
    assert {"faces.html", "faces.yaml"} <= links
    assert all((tmp_path / link).exists() for link in links)
    assert "since TensorFlow is not installed" in text
    headline = re.search("<h1>(.*?)</h1>", (tmp_path / "faces.html").read_text())[1]
    assert f"<strong>{headline}.</strong>" in text
    assert len(vision.Images.from_folders(tmp_path / "faces")[0]) == 200
