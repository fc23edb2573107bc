"""Costs of methods whose numbers are known."""

import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import vision
from classical import Gray, Otsu, RawPixels
from vision.comparison_costs import PeakMemory, latency_of, parameters_of, size_of

GENERATOR = np.random.default_rng(0)
ROWS, LABELS = GENERATOR.random((60, 7)), np.arange(60) % 3
ROWS[:, 0] += LABELS


@pytest.mark.parametrize(
    ("estimator", "count"),
    [
        (LogisticRegression(), 3 * 7 + 3),
        (MLPClassifier((5,), tol=0.5), 7 * 5 + 5 + 5 * 3 + 3),
        (KNeighborsClassifier(), 60 * 7),
        (StandardScaler(), 3 * 7),
        (PCA(2), 2 * 7 + 7),
    ],
)
def test_learned_numbers_are_counted(estimator, count):
    assert parameters_of(estimator.fit(ROWS, LABELS)) == count


def test_support_vectors_count_with_their_weights():
    svm = SVC().fit(ROWS, LABELS)
    vectors = len(svm.support_)
    assert parameters_of(svm) == vectors * 7 + 2 * vectors + 3


def test_a_tree_is_its_thresholds_and_leaves():
    forest = RandomForestClassifier(4, max_depth=2, random_state=0).fit(ROWS, LABELS)
    nodes = [tree.tree_ for tree in forest.estimators_]
    leaves = sum(tree.n_leaves for tree in nodes)
    assert parameters_of(forest) == sum(t.node_count for t in nodes) - leaves + 3 * leaves


def test_parts_count_together_and_frozen_ones_too():
    parts = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    assert parameters_of(parts) == 3 * 7 + 24
    calibrated = CalibratedClassifierCV(FrozenEstimator(LogisticRegression().fit(ROWS, LABELS)))
    assert parameters_of(calibrated.fit(ROWS, LABELS)) >= 24


def test_what_learns_nothing_has_no_parameters():
    assert parameters_of(Gray() >> Otsu()) == 0


def test_the_size_is_that_of_the_file(tmp_path):
    images = [np.full((4, 4), level, np.uint8) for level in range(0, 240, 40)]
    fitted = (RawPixels(4) >> LogisticRegression()).fit(images, [0, 0, 0, 1, 1, 1])
    size, data, reason = size_of(fitted)
    vision.save(fitted, tmp_path / "a.vision")
    assert size == len(data)  # skops writes addresses, of one digit more or less
    assert size == pytest.approx((tmp_path / "a.vision").stat().st_size, abs=50)
    assert reason is None


def test_scikit_learns_own_pipeline_has_a_size_too():
    parts = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    assert size_of(parts)[0] > 1000


def test_of_a_search_the_winner_counts():
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(ROWS, LABELS)
    size, _, _ = size_of(search)
    assert size == pytest.approx(size_of(search.best_estimator_)[0], abs=50)


class Unheard(BaseEstimator):
    """What no archive takes."""

    def fit(self, images, truth=None):
        self.fitted_ = True
        return self


def test_what_cannot_be_saved_says_why():
    size, data, reason = size_of(Unheard().fit([]))
    assert size is data is None
    assert "Unheard" in reason


def test_memory_that_was_taken_for_a_moment_is_seen():
    with PeakMemory() as memory:
        block = np.ones(8_000_000)  # 64 MB, of which nothing is left
        del block
    assert 60e6 < memory.rise < 90e6


def test_memory_from_before_is_not_counted():
    before = np.ones(8_000_000)
    with PeakMemory() as memory:
        pass
    assert memory.rise < 20e6
    del before


def test_a_sampling_thread_takes_over_where_the_peak_cannot_be_reset(monkeypatch):
    monkeypatch.setattr("vision.comparison_costs._reset_peak", lambda: False)
    with PeakMemory() as memory:
        block = np.ones(8_000_000)
        time.sleep(0.1)
        del block
    assert memory.rise > 60e6


def test_where_the_system_tells_nothing_there_is_no_figure(monkeypatch):
    monkeypatch.setattr("vision.comparison_costs._resident", lambda: None)
    with PeakMemory() as memory:
        pass
    assert memory.rise is None


class Slow(BaseEstimator):
    """A known time for each call, and for each picture."""

    def __init__(self, clock=None):
        self.clock = clock

    def predict(self, images):
        self.clock.now += 0.010 + 0.002 * len(images)
        return [0] * len(images)


class Clock:
    now = 0.0

    def perf_counter(self):
        return self.now


def test_latency_is_the_time_of_a_call_and_of_a_picture_in_a_batch(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("vision.comparison_costs.time", clock)
    found = latency_of(Slow(clock), [np.zeros((2, 2), np.uint8)] * 60)
    assert found.one_ms == pytest.approx(12)
    assert found.one_p95_ms == pytest.approx(12)
    assert found.batch_ms == pytest.approx((10 + 2 * 32) / 32)
    assert found.batch_size == 32


def test_few_pictures_are_enough():
    found = latency_of(Gray() >> Otsu(), [np.zeros((8, 8, 3), np.uint8)])
    assert found.batch_size == 1 and found.one_ms > 0
