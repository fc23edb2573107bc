"""`CNNFeatures` and the file of its weights: what is saved, what is counted, what is refused."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import deep
import vision
from deep.feeding import check_pixels
from vision.comparison_costs import parameters_of, size_of
from vision.errors import KindError, LoadError, ParameterError
from vision.fingerprints import pipeline_key

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "net.weights.h5"
    write_weights(path, 1)
    return str(path)


def write_weights(path, seed):
    body = deep.build("resnet20", (32, 32, 3), include_top=False, random_state=seed)
    body.save_weights(path)


def fitted(weights):
    pipeline = deep.CNNFeatures("resnet20", weights=weights) >> GaussianNB()
    return pipeline.fit(IMAGES, [0, 1] * 3)


def test_a_saved_pipeline_has_its_weights_in_it(weights, tmp_path):
    pipeline = fitted(weights)
    expected = pipeline[:1].transform(IMAGES)
    write_weights(weights, 2)
    vision.save(pipeline, tmp_path / "p.vision")
    for change in (lambda: None, (tmp_path / "net.weights.h5").unlink):
        change()
        loaded = vision.load(tmp_path / "p.vision")
        assert np.array_equal(loaded[:1].transform(IMAGES), expected)
        assert pipeline_key(loaded, {}) == pipeline_key(pipeline, {})


def test_other_weights_at_the_same_path_are_another_pipeline(weights):
    before = pipeline_key(vision.chain(deep.CNNFeatures("resnet20", weights=weights)), {})
    write_weights(weights, 2)
    after = pipeline_key(vision.chain(deep.CNNFeatures("resnet20", weights=weights)), {})
    assert before != after


def test_the_text_of_an_unfitted_pipeline_names_the_path(weights, tmp_path):
    vision.save(deep.CNNFeatures("resnet20", weights=weights) >> GaussianNB(), tmp_path / "p.yaml")
    assert weights in (tmp_path / "p.yaml").read_text()


def test_weights_that_are_gone_or_damaged_are_refused_by_name(weights, tmp_path):
    step = deep.CNNFeatures("resnet20", weights=str(tmp_path / "none.h5"))
    with pytest.raises(ParameterError, match=r"CNNFeatures.*no such file"):
        vision.save(step, tmp_path / "p.vision")
    with pytest.raises(LoadError, match="refused"):
        deep.CNNFeatures("resnet20", weights=weights).restore_files({"weights": b"no weights"})
    with pytest.raises(LoadError, match="weights=None"):
        deep.CNNFeatures("resnet20", weights=None).restore_files({"weights": b""})


def test_a_comparison_counts_the_network_that_gives_the_features(weights):
    pipeline = fitted(weights)
    body = deep.build("resnet20", (32, 32, 3), include_top=False).count_params()
    assert parameters_of(pipeline) == body + 2 * 2 * 64 + 2
    assert size_of(pipeline, packed=False)[0] > 4 * body


def test_weights_that_an_archive_only_names_count_too(weights):
    step = deep.CNNFeatures("resnet20", weights=weights)
    held = size_of(step)[0]
    step.bytes_elsewhere = lambda: 1_000_000  # as with ImageNet's, which is downloaded
    assert size_of(step)[0] == held + 1_000_000


def test_a_layer_that_is_not_there_is_told_with_some_that_are():
    step = deep.CNNFeatures("resnet20", weights=None, layer="pool")
    with pytest.raises(ParameterError, match="no layer 'pool'") as refused:
        step(IMAGES[0])
    assert str(refused.value).count("'") > 4


@pytest.mark.parametrize(
    ("image", "advice"),
    [
        (np.zeros((32, 32, 3)), "A float image is float32 in"),
        (np.full((32, 32, 3), 200, np.float32), r"image\.astype\(np\.uint8\)"),
        (np.zeros((32, 32, 3), np.float32), r"ToUint8\(\)\(image\)"),
        (np.zeros((32, 32, 3), np.int64), r"image\.astype\(np\.uint8\)"),
        (np.zeros((32, 32, 4), np.uint8), "Drop the alpha channel"),
        ("photo.jpg", r"vision\.read\(path\)"),
    ],
)
def test_what_is_no_8_bit_image_is_refused_with_advice_that_works(image, advice):
    with pytest.raises(KindError, match=advice):
        check_pixels(image, "CNNClassifier")
