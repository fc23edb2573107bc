"""Corners of a checkerboard, as cameras are calibrated by."""

from vision.checks import check_bool, check_integer
from vision.keypoints import Keypoints
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step


class CheckerboardCorners(Step):
    """The inner corners of a checkerboard, to a fraction of a pixel, row by row.

    Parameters
    ----------
    columns, rows : int
        How many inner corners, where four squares meet, the board has along and across, each at
        least 3: one fewer than squares. 9 and 6 in OpenCV's pattern of 10 x 7 squares.
    exhaustive : bool, default=True
        Whether to search longer, which finds more boards that are blurred, small or slanted.

    All corners are found, or none: a board that is partly hidden gives no keypoints. Rows come
    from one side of the board to the other, each from its first to its last corner, so that
    ``points.reshape(rows, columns, 2)`` is the grid; the row that is listed first is the one whose
    order is from left to right (from top to bottom on an upright board).

    Takes a gray image, ``(H, W)``, uint8. Gives keypoints: ``rows * columns`` of them, or none,
    without sizes.

    Raises
    ------
    ParameterError
        If `columns` or `rows` is below 3 or no whole number, or `exhaustive` not True or False.
    KindError
        If the image is of another kind or dtype.

    References
    ----------
    A. Duda and U. Frese, "Accurate detection and localization of checkerboard corners for
    calibration", BMVC 2018.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:160, :200] // 20
    >>> board = np.where((x + y) % 2, 30, 220).astype(np.uint8)
    >>> board[:20], board[-20:], board[:, :20], board[:, -20:] = 220, 220, 220, 220
    >>> found = CheckerboardCorners(7, 5)(board)
    >>> grid = found.points.reshape(5, 7, 2)
    >>> len(found), bool(np.abs(grid[0, 1] - (59.5, 39.5)).max() < 0.3)
    (35, True)
    """

    takes = (Kind.GRAY,)
    gives = Kind.KEYPOINTS
    example = {"columns": 9, "rows": 6}

    def __init__(self, columns, rows, exhaustive=True):
        self.columns = columns
        self.rows = rows
        self.exhaustive = exhaustive

    def check_params(self):
        """See `Step.check_params`."""
        check_integer("columns", self.columns, owner=self, at_least=3)
        check_integer("rows", self.rows, owner=self, at_least=3)
        check_bool("exhaustive", self.exhaustive, owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        return cv2.CALIB_CB_ACCURACY | (cv2.CALIB_CB_EXHAUSTIVE if self.exhaustive else 0)

    def apply(self, image):
        """See `Step.apply`."""
        size = self.columns, self.rows
        found, corners = cv2.findChessboardCornersSB(image, size, flags=self._tables)
        if not found:
            return Keypoints([], image.shape)
        corners = corners.reshape(-1, 2)
        # OpenCV may begin at either end of the board.
        x, y = corners[self.columns - 1] - corners[0]
        backwards = x < 0 if abs(x) > abs(y) else y < 0
        return Keypoints(corners[::-1] if backwards else corners, image.shape)
