"""The parameters of `CNNClassifier`, checked."""

import os

import keras

from deep.augmentation import Fused
from deep.inference import ENGINES
from deep.optimization import OPTIMIZERS, SCHEDULES
from deep.transfer import TRANSFERS
from vision.checks import (
    check_bool,
    check_choice,
    check_integer,
    check_number,
    check_random_state,
    refuse,
)


def check_classifier(network):
    """Refuse parameters that make no sense, each by name.

    Raises
    ------
    ParameterError
    """
    architecture = network.architecture
    if not (architecture is None or isinstance(architecture, str | keras.Model)):
        refuse("architecture", architecture, "a name or a keras.Model", network)
    if network.batch_size != "all":
        check_integer("batch_size", network.batch_size, owner=network, at_least=1)
    check_integer("epochs", network.epochs, owner=network, at_least=0)
    for name in ("fine_tune_epochs", "early_stopping"):
        if getattr(network, name) is not None:
            check_integer(name, getattr(network, name), owner=network, at_least=1)
    check_choice("optimizer", network.optimizer, tuple(OPTIMIZERS), owner=network)
    check_choice("schedule", network.schedule, SCHEDULES, owner=network)
    check_choice("engine", network.engine, ENGINES, owner=network)
    if network.learning_rate is not None:
        check_number("learning_rate", network.learning_rate, owner=network, above=0)
    for name in ("l1", "l2"):
        check_number(name, getattr(network, name), owner=network, at_least=0)
    for name in ("momentum", "label_smoothing", "validation"):
        check_number(name, getattr(network, name), owner=network, at_least=0, below=1)
    if network.dropout is not None:
        check_number("dropout", network.dropout, owner=network, at_least=0, below=1)
    for name in ("mixed_precision", "verbose"):
        check_bool(name, getattr(network, name), owner=network)
    check_random_state("random_state", network.random_state, owner=network)
    _check_given(network)
    _check_transfer(network)
    _check_own(network)


# What builds a network, and has no meaning for one that is there already; each with its default.
_OF_BUILDING = {
    "weights": (None, "Load them into the model: model.load_weights(path)."),
    "dropout": (None, "Put keras.layers.Dropout into the model."),
    "options": (None, "They are of deep.build(name, ...)."),
    "mixed_precision": (False, "Make it in keras.config.set_dtype_policy('mixed_bfloat16')."),
}


def _check_own(network):
    if not isinstance(network.architecture, keras.Model):
        return
    for name, (default, hint) in _OF_BUILDING.items():
        value = getattr(network, name)
        if value != default:
            refuse(name, value, f"{default} where 'architecture' is a keras.Model", network, hint)


def _check_given(network):
    for name in ("weights", "checkpoint"):
        value = getattr(network, name)
        if not (value is None or isinstance(value, str | os.PathLike)):
            refuse(name, value, "None or a path", network)
    if not (network.options is None or isinstance(network.options, dict)):
        refuse("options", network.options, "None or a dictionary of settings", network)
    if network.augmentation is not None:
        Fused(network.augmentation)
    if not (network.class_weight is None or isinstance(network.class_weight, str | dict)):
        allowed = "None, 'balanced' or a dictionary of weights by class"
        refuse("class_weight", network.class_weight, allowed, network)


def _check_transfer(network):
    if network.freeze is not None and not isinstance(network.freeze, str):
        check_number("freeze", network.freeze, owner=network, at_least=0, at_most=1)
    if network.transfer is None:
        return
    check_choice("transfer", network.transfer, TRANSFERS, owner=network)
    if network.freeze is not None:
        refuse("freeze", network.freeze, "None where 'transfer' chooses what is frozen", network)
    if network.weights is None and isinstance(network.architecture, str):
        hint = "weights='imagenet' brings the official ones."
        refuse("weights", None, "given where 'transfer' is: there is nothing to use", network, hint)
