"""The catalogue against the packages and against scikit-learn's own list."""

import pytest
from sklearn.utils.discovery import all_estimators

from vision import UnknownNameError, catalogue
from vision.sklearn_names import SKLEARN
from vision.step import ImageEstimator


@pytest.mark.parametrize("name", catalogue.names())
def test_every_name_resolves_to_a_step_that_can_be_made(name):
    assert issubclass(catalogue.resolve(name), ImageEstimator)
    assert type(catalogue.make(name)) is catalogue.resolve(name)
    assert catalogue.name_of(catalogue.resolve(name)) == name


def test_scikit_learns_public_estimators_are_all_there_and_nothing_else():
    listed = dict(all_estimators())
    assert set(SKLEARN) >= set(listed)
    for name, cls in listed.items():
        if name == "Pipeline":  # ours stands in its place, and is one
            assert issubclass(catalogue.resolve(name), cls)
            continue
        assert catalogue.resolve(name) is cls


def test_no_name_means_two_things():
    assert not set(catalogue.STEPS) & (set(SKLEARN) - {"Pipeline"})


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'FindContour'\. Did you mean 'FindContours'"):
        catalogue.resolve("FindContour")
    with pytest.raises(UnknownNameError, match="vision steps"):
        catalogue.resolve("os.system")
