"""The networks by name: which module describes each, read without TensorFlow."""

import importlib

from vision.errors import UnknownNameError
from vision.nearest import did_you_mean

_NAMES = {
    "deep.architectures.alexnet": ("alexnet", "alexnet_owt"),
    "deep.architectures.densenet": ("densenet121", "densenet169", "densenet201"),
    "deep.architectures.efficientnet": tuple(f"efficientnet_b{size}" for size in range(8)),
    "deep.architectures.googlenet": ("googlenet",),
    "deep.architectures.lenet": ("lenet5",),
    "deep.architectures.mobilenet": ("mobilenet",),
    "deep.architectures.mobilenet_v2": ("mobilenet_v2",),
    "deep.architectures.perceptron": ("logistic_regression", "multilayer_perceptron"),
    "deep.architectures.resnet": ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    "deep.architectures.resnet_cifar": (
        "resnet20",
        "resnet32",
        "resnet44",
        "resnet56",
        "resnet110",
    ),
    "deep.architectures.squeeze_excitation": ("se_resnet50",),
    "deep.architectures.vgg": ("vgg11", "vgg13", "vgg16", "vgg19"),
    "deep.architectures.vision_transformer": ("vit_ti16", "vit_s16"),
    "deep.architectures.xception": ("xception",),
}

MODULES = {name: module for module, names in _NAMES.items() for name in names}


def find(name):
    """The `Architecture` of a name; its module, and TensorFlow with it, is imported now.

    Parameters
    ----------
    name : str
        One of `deep.list_architectures`.

    Returns
    -------
    Architecture

    Raises
    ------
    UnknownNameError
        If there is none of this name; the message suggests the nearest.

    Examples
    --------
    >>> find("vg16")
    Traceback (most recent call last):
    ...
    vision.errors.UnknownNameError: Unknown architecture 'vg16'. Did you mean 'vgg16'?
    deep.list_architectures() gives all names.
    """
    if not (isinstance(name, str) and name in MODULES):
        hint = f"{did_you_mean(name, MODULES)} deep.list_architectures() gives all names."
        raise UnknownNameError(f"Unknown architecture {name!r}. {hint.strip()}")
    return importlib.import_module(MODULES[name]).ARCHITECTURES[name]
