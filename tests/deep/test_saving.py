"""Networks as files: what comes back is what was saved, and what is hostile does not come in."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

import deep
import vision
from deep.saving import load_network, network_bytes
from vision.errors import LoadError, ParameterError
from vision.zip_checks import write_zip


def members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(data, change):
    """The same archive with another configuration."""
    files = members(data)
    config = json.loads(files["config.json"])
    change(config)
    return write_zip(files | {"config.json": json.dumps(config).encode()}, packed=False)


@pytest.fixture(scope="module")
def saved():
    return network_bytes(deep.build("lenet5", classes=3, random_state=0))


def test_a_network_of_every_family_comes_back_the_same():
    generator = np.random.default_rng(0)
    for name in ("resnet20", "mobilenet", "se_resnet50"):
        model = deep.build(name, (32, 32, 3), 4, pixels=True, random_state=1)
        images = generator.integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
        again = load_network(network_bytes(model))
        assert np.allclose(again(images), model(images), atol=1e-6)


def test_a_network_that_was_trained_is_no_larger_than_its_weights():
    images, labels = np.zeros((4, 32, 32, 1), np.uint8), ["a", "b", "c", "a"]
    network = deep.CNNClassifier("lenet5", epochs=1, verbose=False).fit(images[..., 0], labels)
    assert not network.model_.compiled
    compiled = deep.build("lenet5", (32, 32, 1), 3, pixels=True)
    compiled.compile("adam", "categorical_crossentropy")
    compiled.fit(images, np.eye(3)[[0, 1, 2, 0]], verbose=0)
    compiled = deep.CNNClassifier.from_model(compiled, list("abc"))
    for found in (network, compiled):
        data = found.archive_files()["network.keras"]
        with h5py.File(io.BytesIO(members(data)["model.weights.h5"])) as file:
            assert "optimizer" not in file
        assert not json.loads(members(data)["config.json"]).get("compile_config")
        assert len(data) < 1.5 * 4 * found.model_.count_params()


def test_the_file_opens_in_keras_without_this_package(saved, tmp_path):
    (tmp_path / "lenet.keras").write_bytes(saved)
    model = keras.saving.load_model(tmp_path / "lenet.keras")
    assert model.output_shape == (None, 3)
    assert not any(cls.__module__.startswith("deep") for cls in map(type, model.layers))


def test_a_lambda_is_refused_when_saved_and_when_loaded(saved, tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2, output_shape=(4,))(inputs))
    with pytest.raises(ParameterError, match="code that the file brings"):
        network_bytes(model)
    model.save(tmp_path / "own.keras")
    files = members((tmp_path / "own.keras").read_bytes())
    with pytest.raises(LoadError, match="Lambda layer is code"):
        load_network(write_zip(files, packed=False))


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "eval"), ("tensorflow.keras", "Model"), ("mine.layers", "Own")],
)
def test_classes_that_are_not_kerass_are_refused_before_keras_reads_them(saved, module, name):
    def foreign(config):
        config["config"]["layers"][1] |= {"module": module, "class_name": name}

    with pytest.raises(LoadError, match="is refused"):
        load_network(changed(saved, foreign))


def test_what_is_damaged_is_refused_by_name(saved):
    for data in (b"", b"PK\x05\x06" + b"\0" * 18, saved[:-9], saved[: len(saved) // 2]):
        with pytest.raises(LoadError):
            load_network(data, "cats.keras")
    broken = write_zip(members(saved) | {"model.weights.h5": b"no hdf5"}, packed=False)
    with pytest.raises(LoadError, match=r"cats\.keras is refused"):
        load_network(broken, "cats.keras")


def test_a_bomb_of_weights_is_refused_by_its_claim(saved):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members(saved) | {"model.weights.h5": bytes(50_000_000)}).items():
            archive.writestr(name, data)
    with pytest.raises(LoadError, match="claims"):
        load_network(stream.getvalue())


def test_an_archive_with_another_network_than_its_classes_is_refused(tmp_path):
    model = deep.build("lenet5", classes=3, pixels=True, random_state=0)
    network = deep.CNNClassifier.from_model(model, ["a", "b", "c"])
    vision.save(network, tmp_path / "three.vision")
    files = members((tmp_path / "three.vision").read_bytes())
    (place,) = (name for name in files if name.endswith("network.keras"))
    files[place] = network_bytes(deep.build("lenet5", classes=5, random_state=0))
    (tmp_path / "five.vision").write_bytes(write_zip(files))
    with pytest.raises(LoadError, match="3 neurons"):
        vision.load(tmp_path / "five.vision")


def test_the_archive_tells_the_versions_of_keras_and_tensorflow(tmp_path):
    model = deep.build("lenet5", (32, 32, 1), 3, pixels=True, random_state=0)
    network = deep.CNNClassifier.from_model(model, ["a", "b", "c"])
    vision.save(vision.chain(network), tmp_path / "net.vision")
    assert vision.archive.saved_by(tmp_path / "net.vision")["keras"] == keras.__version__


def test_a_network_for_pictures_already_preprocessed_is_refused(saved):
    bare = deep.build("lenet5", (32, 32, 1), 3)
    for model in (bare, load_network(saved)):
        with pytest.raises(ParameterError, match="pixels=True"):
            deep.CNNClassifier.from_model(model, ["a", "b", "c"])
    deep.CNNClassifier.from_model(
        keras.Sequential([keras.Input(bare.input_shape[1:]), bare]), ["a", "b", "c"]
    )
