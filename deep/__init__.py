"""Convolutional networks as steps of the same pipelines.

Its networks stand on Keras and TensorFlow, which the extra ``deep`` installs
(``pip install vision-pipelines[deep]``). Every class is found here by name and imported, and
TensorFlow with it, on first use.
"""

from vision._lazy import attach
from vision.catalogue import STEPS

_FUNCTIONS = {
    "augment": "deep.augmentation",
    "augmentation_sheet": "deep.augmentation",
    "build": "deep.building",
    "check_gradients": "deep.gradient_check",
    "compile_for_inference": "deep.inference",
    "describe": "deep.layer_table",
    "draw_receptive_field": "deep.explain.learned",
    "feature_maps": "deep.explain.learned",
    "first_filters": "deep.explain.learned",
    "list_architectures": "deep.building",
    "maximize_activation": "deep.explain.activation_maximization",
    "preprocessing": "deep.building",
    "receptive_box": "deep.explain.learned",
}
_NAMES = _FUNCTIONS | {name: home for name, home in STEPS.items() if home.startswith("deep.")}

__getattr__, __dir__, __all__ = attach(__name__, _NAMES)
