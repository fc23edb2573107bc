"""Files of weights that are damaged, no such files at all, or mean harm."""

import json
import os
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from tests.deep.small_network import LAYOUTS, as_if_trained, load_small, save_layouts, small
from vision.errors import LoadError, ParameterError


@pytest.fixture(scope="module")
def trained():
    return as_if_trained()


@pytest.fixture(scope="module")
def files(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save_layouts(trained, folder)
    return folder


@pytest.fixture(scope="module")
def fresh():
    return small()


@pytest.fixture
def refuses(fresh):
    """That a file is refused, and nothing of the network changed."""

    def check(path, message, error=LoadError):
        before = fresh.get_weights()
        with pytest.raises(error, match=message):
            load_small(fresh, path)
        assert all(map(np.array_equal, before, fresh.get_weights()))

    return check


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("imagnet", r"'imagenet' or the path of a file. Got 'imagnet'. There is no such file"),
        ("a\0b", "no such file"),
        (".", "no regular file"),
        (7, "must be None, 'imagenet' or the path of a file. Got 7"),
    ],
)
def test_no_file_of_weights(weights, message, refuses):
    refuses(weights, message, ParameterError)


def test_a_pipe_is_not_waited_for(tmp_path, refuses):
    os.mkfifo(tmp_path / "pipe.h5")
    refuses(tmp_path / "pipe.h5", "no regular file", ParameterError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither HDF5 nor a Keras archive"),
        (b"<html>404</html>", "neither HDF5 nor a Keras archive"),
        (pickle.dumps([1.0]), "neither HDF5 nor a Keras archive"),
        (b"PK\x03\x04 cut", "refused"),
        (b"\x89HDF\r\n\x1a\n", "damaged"),
    ],
    ids=["empty", "page", "pickle", "zip", "hdf5"],
)
def test_what_is_no_file_of_weights_is_refused(content, message, tmp_path, refuses):
    (tmp_path / "model.h5").write_bytes(content)
    refuses(tmp_path / "model.h5", message)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_cut_file_is_refused(layout, share, files, tmp_path, refuses):
    content = (files / layout).read_bytes()
    (tmp_path / layout).write_bytes(content[: int(share * len(content))])
    refuses(tmp_path / layout, "refused")


@pytest.mark.parametrize(
    ("member", "size", "message"),
    [
        ("data.pkl", 100, "no Keras archive"),  # as PyTorch writes it
        ("model.weights.h5", 80_000_000, "claims 80000000 bytes"),
    ],
)
def test_other_zips_and_bombs_are_refused(member, size, message, tmp_path, refuses):
    with zipfile.ZipFile(tmp_path / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(size))
    refuses(tmp_path / "model.keras", message)


def test_the_configuration_of_an_archive_is_not_even_read(files, tmp_path, trained):
    evil = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "os.system"}}
    with (
        zipfile.ZipFile(files / "whole.keras") as source,
        zipfile.ZipFile(tmp_path / "evil.keras", "w") as archive,
    ):
        archive.writestr("config.json", json.dumps(evil))
        archive.writestr("model.weights.h5", source.read("model.weights.h5"))
    model = small(tmp_path / "evil.keras")
    np.testing.assert_array_equal(model.weights[0], trained.weights[0])


def _elsewhere(file, name, kernel, folder):
    layout = h5py.VirtualLayout(kernel.shape, "f4")
    layout[...] = h5py.VirtualSource(str(folder / "other.h5"), "x", kernel.shape)
    file.create_virtual_dataset(name, layout)


def _outside(file, name, kernel, folder):
    (folder / "raw.bin").write_bytes(kernel.tobytes())
    external = [(str(folder / "raw.bin"), 0, kernel.nbytes)]
    file.create_dataset(name, kernel.shape, "f4", external=external)


def _linked(file, name, kernel, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = kernel
    file[name] = h5py.ExternalLink(str(folder / "other.h5"), "/x")


def _pointing(file, name, kernel, folder):
    file["x"] = kernel
    file[name] = h5py.SoftLink("/x")


def _huge_pieces(file, name, kernel, folder):
    shape = (2000, 2000, *kernel.shape[2:])  # 384 MB, packed into next to nothing
    file.create_dataset(
        name, kernel.shape, "f4", chunks=shape, maxshape=(None,) * 4, compression="gzip"
    )


def _exotic(file, name, kernel, folder):
    file.create_dataset(name, data=kernel, compression="lzf")


def _words(file, name, kernel, folder):
    file.create_dataset(name, kernel.shape, h5py.string_dtype())


def _infinite(file, name, kernel, folder):
    file[name] = kernel * np.inf


def _huge(file, name, kernel, folder):
    file.create_dataset(name, (10**6, 10**6, 3, 8), "f4", chunks=(100, 100, 3, 8))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_elsewhere, "lie in another file"),
        (_outside, "lie in another file"),
        (_linked, "only a link"),
        (_pointing, "only a link"),
        (_huge_pieces, "pieces larger than themselves"),
        (_exotic, "packed by a filter"),
        (_words, "no numbers"),
        (_infinite, "not finite"),
        (_huge, "does not fit"),
    ],
)
@pytest.mark.parametrize(
    ("layout", "kernel"),
    [("ordered.h5", "conv1/conv1/kernel:0"), ("numbered.weights.h5", "layers/conv2d/vars/0")],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in multiply")
def test_arrays_that_mean_harm_are_refused(harm, message, layout, kernel, files, tmp_path, refuses):
    path = tmp_path / layout
    path.write_bytes((files / layout).read_bytes())
    with h5py.File(path, "r+") as file:
        values = file[kernel][()]
        del file[kernel]
        harm(file, kernel, values, tmp_path)
    refuses(path, message)
