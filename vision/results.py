"""All typed results in one place: what a pipeline gives that is no picture.

Each is a frozen dataclass, checked when built, equal by value and picklable, with
``draw(image)``, ``to_records()``, ``columns``, ``mapped(matrix, shape)`` and a notebook view.

Examples
--------
>>> from vision.results import Circles, Lines
>>> Circles([[5, 5]], [3], shape=(10, 10)) == Circles([[5.0, 5.0]], [3.0], shape=(10, 10))
True
>>> Lines.columns[:4]
('x1', 'y1', 'x2', 'y2')
"""

from vision.classification import Classification
from vision.contours import Contours
from vision.detections import Detections
from vision.heatmap import Heatmap
from vision.keypoints import Keypoints
from vision.matches import Matches
from vision.quadrilaterals import Quadrilaterals
from vision.result_base import Result
from vision.segmentation import Segmentation
from vision.shapes import Circles, Lines

__all__ = [
    "Circles",
    "Classification",
    "Contours",
    "Detections",
    "Heatmap",
    "Keypoints",
    "Lines",
    "Matches",
    "Quadrilaterals",
    "Result",
    "Segmentation",
]
