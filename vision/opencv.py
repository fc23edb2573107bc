"""The one place that imports OpenCV, so that a missing system library gets a sentence.

Use ``from vision.opencv import cv2`` everywhere.
"""

from vision.errors import MissingDependencyError

try:
    import cv2
except ImportError as error:
    raise MissingDependencyError(
        f"OpenCV is installed but cannot be loaded: {error}. "
        "On Debian and Ubuntu install its system libraries with "
        "'apt-get install libgl1 libglib2.0-0', on Fedora with "
        "'dnf install mesa-libGL glib2'; on a machine without a screen "
        "'pip uninstall opencv-python' and 'pip install opencv-python-headless' needs neither."
    ) from error

__all__ = ["cv2"]
