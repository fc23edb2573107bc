"""Classical computer vision as steps: colour, morphology, edges, contours, lines, clusters.

Every class and recipe is found here by name and imported on first use.

Examples
--------
>>> from classical import Canny, Gray
>>> edges = Gray() >> Canny(100, 200)
"""

from vision._lazy import attach
from vision.catalogue import RECIPES, STEPS

_HOMES = ("classical.", "vision.bitwise")
_FUNCTIONS = RECIPES | {
    "feature_contributions": "classical.contributions",
    "feature_importance": "classical.importance",
    "hog_glyphs": "classical.glyphs",
}
_NAMES = _FUNCTIONS | {name: home for name, home in STEPS.items() if home.startswith(_HOMES)}

__getattr__, __dir__, __all__ = attach(__name__, _NAMES)
