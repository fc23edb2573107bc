"""Convolutional networks as steps of the same pipelines.

Its networks stand on Keras and TensorFlow, which the extra ``deep`` installs
(``pip install vision-pipelines[deep]``). Every class is found here by name and imported, and
TensorFlow with it, on first use.
"""

from vision._lazy import attach
from vision.catalogue import STEPS

_NAMES = {name: module for name, module in STEPS.items() if module.startswith("deep.")}

__getattr__, __dir__, __all__ = attach(__name__, _NAMES)
