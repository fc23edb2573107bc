"""A small MobileNet as if trained, and files of it in every layout."""

import h5py
import numpy as np

import deep
from deep.architectures import find
from deep.weights import load_weights

LAYOUTS = ["numbered.weights.h5", "whole.keras", "whole.h5", "ordered.h5"]


def small(weights=None, classes=6, **changed):
    """The network: 475,544 parameters less what 1000 classes need more than 6."""
    settings = {"input_shape": (32, 32, 3), "options": {"alpha": 0.25}} | changed
    return deep.build("mobilenet", classes=classes, weights=weights, **settings)


def as_if_trained():
    """The network with no weight at its initial value."""
    model = small()
    rng = np.random.default_rng(0)
    model.set_weights([np.abs(rng.normal(0.3, 0.2, w.shape)) for w in model.weights])
    return model


def load_small(model, path):
    """What `deep.build` does once the network is there."""
    features = model.get_layer("conv_pw_13_relu").output
    return load_weights(model, find("mobilenet"), path, features=features)


def save_layouts(model, folder):
    """One file of each of `LAYOUTS`."""
    model.save_weights(folder / "numbered.weights.h5")
    model.save(folder / "whole.keras")
    model.save(folder / "whole.h5")
    save_ordered(folder / "ordered.h5", model)


def save_ordered(path, model, stop=None):
    """The layout of `keras.applications`' files, as Keras 2 wrote it."""
    layers = [layer for layer in model.layers if layer.weights][:stop]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights):
                group[name] = weight.numpy()
    return path
