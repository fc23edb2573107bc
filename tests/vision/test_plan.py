"""Results in the pixels of the image that was given, however the chain is put together."""

import tempfile

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer

from classical import (
    Closing,
    Crop,
    FindContours,
    Gray,
    Opening,
    Otsu,
    Pad,
    RawPixels,
    Resize,
    Rotate,
    Threshold,
)
from vision import Branches, Detections, ForEach, Pick, Pipeline, chain

BOX = [50.0, 30.0, 91.0, 61.0]
FIND = Threshold(100) >> FindContours()
CROP = Crop(20, 10, width=150, height=100)


@pytest.fixture
def image():
    """One bright rectangle, BOX, on black."""
    picture = np.zeros((120, 200), np.uint8)
    picture[30:61, 50:91] = 255
    return picture


def remembered():
    return Pipeline(FIND.steps, memory=tempfile.mkdtemp())


CHAINS = {
    "flat": CROP >> Pad(9) >> Rotate(90) >> FIND,
    "a moving pipeline inside": Pipeline([("grid", CROP >> Pad(9)), ("find", FIND)]),
    "a finding pipeline inside": Pipeline([("crop", CROP), ("find", Pad(9) >> FIND)]),
    "a mask from inside": Pipeline([("m", CROP >> Threshold(100)), ("f", FindContours())]),
    "inside twice": Pipeline(
        [("in", Pipeline([("crop", CROP), ("in", chain(Pad(9)))])), *FIND.steps]
    ),
    "a picked contour": CROP >> Branches({"f": Pad(9) >> FIND, "g": Threshold(100)}) >> Pick("f"),
    "a picked picture": CROP >> Branches({"p": Pad(9), "q": Pad(3)}) >> Pick("p") >> FIND,
    "branches inside, picked outside": Pipeline(
        [("in", CROP >> Branches({"p": Pad(9), "q": Pad(3)})), ("pick", Pick("p")), *FIND.steps]
    ),
    "a scikit-learn step between": CROP >> FunctionTransformer() >> FIND,
    "frozen": chain(CROP, FrozenEstimator(FIND)),
    "an operator": CROP >> ((Pad(4) >> Threshold(100)) & Threshold(100)) >> FindContours(),
    "passthrough last": Pipeline([("crop", CROP), *FIND.steps, ("no", "passthrough")]),
}


@pytest.mark.parametrize("name", CHAINS)
def test_calling_and_every_batch_method_bring_contours_back(name, image):
    pipeline, truth = CHAINS[name], [Detections([BOX])]
    assert pipeline(image).boxes.tolist() == [BOX]
    assert pipeline.predict([image])[0].boxes.tolist() == [BOX]
    assert pipeline.transform([image, image])[1].boxes.tolist() == [BOX]
    assert pipeline.apply_many([image, image])[1].boxes.tolist() == [BOX]
    assert pipeline.score([image], truth) == 1


def test_a_pipeline_that_remembers_is_brought_back_too(image):
    assert (CROP >> remembered())(image).boxes.tolist() == [BOX]


def test_masks_of_branches_with_a_shared_geometric_beginning_come_back(image):
    colour = np.dstack([image] * 3)
    base = Resize(width=100, height=60) >> Gray() >> Otsu()
    made = {"open": base >> Opening(3), "close": base >> Closing(3)}
    branches = Branches(made)(colour)
    for name, mask in branches.items():
        assert np.array_equal(mask, made[name](colour))
        assert mask.shape == image.shape
    joined = (made["open"] & made["close"])(colour)
    assert np.array_equal(joined, branches["open"] & branches["close"])


def test_a_picked_branch_is_the_only_one_that_is_computed(image, monkeypatch):
    calls = []
    original = Otsu.apply
    monkeypatch.setattr(Otsu, "apply", lambda self, image: calls.append(1) or original(self, image))
    picked = Branches({"a": Threshold(100), "b": Otsu()}) >> Pick("a")
    assert np.array_equal(picked(image), image)
    assert not calls


@pytest.mark.parametrize(
    "before", [Pad(9), CROP, Resize(width=400, height=240, interpolation="nearest"), Rotate(90)]
)
def test_what_learns_behind_a_geometric_step_is_taught_in_the_pixels_that_it_sees(image, before):
    image[80:110, 150:160] = 255
    truth = Detections([BOX, [150, 80, 160, 110]], labels=["plate", "rod"])
    parts = ForEach(FIND, RawPixels(4) >> KNeighborsClassifier(1), padding=3)
    found = (before >> parts).fit([image], [truth])(image)
    assert sorted(zip(found.labels.tolist(), found.boxes.tolist())) == [
        ("plate", BOX),
        ("rod", [150, 80, 160, 110]),
    ]


def test_an_empty_chain_gives_a_copy(image):
    given = Pipeline([("nothing", "passthrough")])(image)
    assert np.array_equal(given, image)
    assert not np.shares_memory(given, image)
