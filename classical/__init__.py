"""Classical computer vision as steps: colour, morphology, edges, contours, lines, clusters.

Every class is found here by name and imported on first use.

Examples
--------
>>> from classical import Canny, Gray
>>> edges = Gray() >> Canny(100, 200)
"""

from vision._lazy import attach
from vision.catalogue import STEPS

_HOMES = ("classical.", "vision.bitwise")
_NAMES = {name: module for name, module in STEPS.items() if module.startswith(_HOMES)}

__getattr__, __dir__, __all__ = attach(__name__, _NAMES)
