"""Classical computer vision as steps: colour, thresholds, morphology, edges, contours, lines, clusters.

Every class is found here by name and imported on first use.

Examples
--------
>>> from classical import Canny, Gray
>>> edges = Gray() >> Canny(100, 200)
"""

from vision._lazy import attach
from vision.catalogue import STEPS

_NAMES = {name: module for name, module in STEPS.items() if module.startswith(("classical.", "vision.bitwise"))}

__getattr__, __dir__, __all__ = attach(__name__, _NAMES)
