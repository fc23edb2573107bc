"""A detector learned from boxes: HOG in a sliding window, a linear SVM, hard negatives mined."""

import numpy as np
from sklearn.exceptions import NotFittedError

from classical.hog import cell_histograms, check_hog, gradient_tables, normalized_blocks
from vision.boxes import non_max_suppression
from vision.checks import check_integer, check_number, check_random_state, refuse
from vision.detection_metrics import box_iou
from vision.detections import Detections
from vision.errors import ParameterError
from vision.kinds import Kind
from vision.opencv import cv2
from vision.step import Step, as_batch
from vision.truth import check_truth

_FAR = 0.3  # intersection over union with true boxes below which a window is background


class HOGDetector(Step):
    """Objects of one kind, learned from boxes: HOG in a sliding window and a linear SVM.

    Parameters
    ----------
    width, height : int, default=64
        Of the window in pixels, each at least one block: objects smaller than that are not found.
    margin : float, default=0.15
        How much of the surrounding belongs to the window, as a share of the box's size on each
        side, at least 0.
    orientations, pixels_per_cell, cells_per_block, block_norm
        As those of `HOG`; default 9, 8, 2 and "L2-Hys". The window moves by one cell.
    C : float, default=0.01
        Of the linear SVM: the weight of examples on the wrong side, above 0.
    n_negatives : int, default=20
        Windows of background learned from first, of each image, drawn at random; and at most so
        many hard ones in every round.
    n_rounds : int, default=2
        How often the background that is mistaken for an object is learned from too, at least 0.
    scale_factor : float, default=1.2
        How much smaller each level of the pyramid is than the one before, above 1.
    threshold : float, default=0.5
        The least score, 0 to 1: 0.5 is the SVM's border, more is surer.
    max_overlap : float, default=0.3
        Of two boxes whose intersection over union is larger the better alone stays, 0 to 1.
    random_state : int, default=0
        Seed of the draw and of the SVM, 0 to 2**32 - 1.

    `fit` learns from `Detections`, all with one label or none. Boxes become windows of the
    window's proportions around their centres; found boxes have these proportions.

    Takes a gray or rgb image, uint8. Gives detections, the best first, with the label that was
    learned and scores: ``1 / (1 + exp(-d))`` of the SVM's distance d, no probability.

    Attributes
    ----------
    coef_ : (d,) ndarray of float32
        The SVM's weights.
    intercept_ : float
    label_ : str or int
        The label of all boxes; not there if they had none.

    Raises
    ------
    ParameterError
        If a parameter makes no sense, or the truth has no boxes or boxes of several labels.
    KindError
        If the image is of another kind or dtype.
    sklearn.exceptions.NotFittedError
        If it was not fitted.

    References
    ----------
    N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005,
    doi:10.1109/CVPR.2005.177.

    Examples
    --------
    >>> from skimage.data import coins
    >>> image = coins()
    >>> truth = Detections([[36, 36, 84, 86], [101, 34, 151, 84], [166, 32, 208, 78]])
    >>> step = HOGDetector(width=48, height=48).fit([image[:100, :220]], [truth])
    >>> len(step(image[:100, :220]))
    3
    """

    takes = (Kind.GRAY, Kind.RGB)
    gives = Kind.DETECTIONS
    example = {"width": 32, "height": 32}

    def __init__(
        self,
        width=64,
        height=64,
        margin=0.15,
        orientations=9,
        pixels_per_cell=8,
        cells_per_block=2,
        block_norm="L2-Hys",
        C=0.01,
        n_negatives=20,
        n_rounds=2,
        scale_factor=1.2,
        threshold=0.5,
        max_overlap=0.3,
        random_state=0,
    ):
        self.width = width
        self.height = height
        self.margin = margin
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.block_norm = block_norm
        self.C = C
        self.n_negatives = n_negatives
        self.n_rounds = n_rounds
        self.scale_factor = scale_factor
        self.threshold = threshold
        self.max_overlap = max_overlap
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "coef_")

    def check_params(self):
        """See `Step.check_params`."""
        check_hog(self)
        least = self.pixels_per_cell * self.cells_per_block
        check_integer("width", self.width, owner=self, at_least=least)
        check_integer("height", self.height, owner=self, at_least=least)
        check_number("margin", self.margin, owner=self, at_least=0)
        check_number("C", self.C, owner=self, above=0)
        check_integer("n_negatives", self.n_negatives, owner=self, at_least=1)
        check_integer("n_rounds", self.n_rounds, owner=self, at_least=0)
        check_number("scale_factor", self.scale_factor, owner=self, above=1)
        check_number("threshold", self.threshold, owner=self, at_least=0, at_most=1)
        check_number("max_overlap", self.max_overlap, owner=self, at_least=0, at_most=1)
        check_random_state("random_state", self.random_state, owner=self)

    def prepare(self):
        """See `Step.prepare`."""
        cells = np.array([self.height, self.width]) // self.pixels_per_cell
        return gradient_tables(self.orientations), tuple(cells - self.cells_per_block + 1)

    def fit(self, images, truth):
        """Learn from the boxes, and from the background around them.

        Parameters
        ----------
        images : list, Images, or ndarray
            The images.
        truth : sequence of Detections
            For each image all boxes of the objects.

        Returns
        -------
        HOGDetector
            Itself.
        """
        self.make_ready()
        images = as_batch(images)
        check_truth(truth, Kind.DETECTIONS, len(images))
        truth = [one.to_detections() for one in truth]
        label = self._one_label(truth)
        random = np.random.default_rng(self.random_state)
        positives, negatives = [], []
        for image, true in zip(images, truth, strict=True):
            self.admit(image)
            positives += [self._window_row(image, box) for box in self._as_windows(true.boxes)]
            negatives.append(self._random_rows(image, true.boxes, random))
        model = self._trained(positives, negatives)
        for _ in range(self.n_rounds):
            hard = [
                self._hard_rows(image, true.boxes, model)
                for image, true in zip(images, truth, strict=True)
            ]
            if not any(map(len, hard)):
                break
            negatives += hard
            model = self._trained(positives, negatives)
        self.coef_, self.intercept_ = model
        if label is None:
            self.__dict__.pop("label_", None)
        else:
            self.label_ = label
        return self

    def _one_label(self, truth):
        labels = {one for true in truth if true.labels is not None for one in true.labels.tolist()}
        if len(labels) > 1:
            hint = "Train one HOGDetector for each, or name boxes afterwards: ForEach."
            refuse("truth", sorted(labels), "boxes of one label", self, hint)
        return labels.pop() if labels else None

    def _as_windows(self, boxes):
        """Boxes grown by the margin, then on one side to the window's proportions."""
        centers, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        window = np.array([self.width, self.height])
        scale = ((1 + 2 * self.margin) * sizes / window).max(axis=1, keepdims=True)
        halves = np.maximum(scale * window, 1) / 2
        return np.hstack([centers - halves, centers + halves])

    def _as_boxes(self, windows):
        """Windows without their margin."""
        inset = (windows[:, 2:] - windows[:, :2]) * self.margin / (1 + 2 * self.margin)
        return np.hstack([windows[:, :2] + inset, windows[:, 2:] - inset])

    def _window_row(self, image, window):
        """The features of one window, resized; those around it lend their gradients."""
        cell = self.pixels_per_cell
        scale = (window[2] - window[0]) / self.width
        left, top = window[:2] - cell * scale
        # Output pixel centres to those of the image.
        matrix = np.array([[scale, 0, left + (scale - 1) / 2], [0, scale, top + (scale - 1) / 2]])
        size = self.width + 2 * cell, self.height + 2 * cell
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        if scale > 1:
            image = cv2.GaussianBlur(image, (0, 0), scale / 3)
        crop = cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        tables, (rows, columns) = self._tables
        cells = cell_histograms(crop, tables, cell, self.orientations)[1:-1, 1:-1]
        blocks = normalized_blocks(cells, self.cells_per_block, self.block_norm)
        return blocks[:rows, :columns].ravel()

    def _levels(self, image):
        """For each level of the pyramid its scale and blocks, as long as a window fits."""
        tables, window = self._tables
        scale = 1.0
        while True:
            size = [round(side / scale) for side in image.shape[1::-1]]
            if size[0] < self.width or size[1] < self.height:
                return
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale > 1 else image
            cells = cell_histograms(small, tables, self.pixels_per_cell, self.orientations)
            blocks = normalized_blocks(cells, self.cells_per_block, self.block_norm)
            if (blocks.shape[:2] >= np.array(window)).all():
                ratio = np.array(image.shape[1::-1]) / size
                yield ratio, blocks.reshape(*blocks.shape[:2], -1)
            scale *= self.scale_factor

    def _windows(self, ratio, rows, columns):
        """The windows (xyxy in the image) at some places of a level."""
        corners = np.column_stack([columns, rows]) * self.pixels_per_cell
        ends = corners + np.array([self.width, self.height])
        return np.hstack([corners * ratio, ends * ratio])

    def _rows_at(self, blocks, rows, columns):
        height, width = self._tables[1]
        places = zip(rows, columns, strict=True)
        return [blocks[y : y + height, x : x + width].ravel() for y, x in places]

    def _random_rows(self, image, boxes, random):
        """Features of windows of background, about as many of each level."""
        levels = list(self._levels(image))
        found = []
        for ratio, blocks in levels:
            count = -(-self.n_negatives // len(levels))
            places = np.array(blocks.shape[:2]) - self._tables[1] + 1
            rows, columns = random.integers(0, places[:, None], (2, count))
            free = self._is_background(self._windows(ratio, rows, columns), boxes)
            found += self._rows_at(blocks, rows[free], columns[free])
        return found[: self.n_negatives]

    def _is_background(self, windows, boxes):
        return box_iou(self._as_boxes(windows), boxes).max(axis=1, initial=0) < _FAR

    def _hard_rows(self, image, boxes, model):
        """Features of the background that looks most like an object."""
        found, distances = [], []
        for ratio, blocks in self._levels(image):
            scores = self._distances(blocks, model)
            rows, columns = np.nonzero(scores > -1)  # within the SVM's margin
            free = self._is_background(self._windows(ratio, rows, columns), boxes)
            rows, columns = rows[free], columns[free]
            best = np.argsort(-scores[rows, columns], kind="stable")[: self.n_negatives]
            found += self._rows_at(blocks, rows[best], columns[best])
            distances.append(scores[rows[best], columns[best]])
        best = np.argsort(-np.concatenate(distances), kind="stable") if found else []
        return [found[number] for number in best[: self.n_negatives]]

    def _trained(self, positives, negatives):
        """The weights and the intercept of a linear SVM."""
        from sklearn.svm import LinearSVC

        negatives = [row for rows in negatives for row in rows]
        if not negatives:
            raise ParameterError(
                "The images of HOGDetector must have windows of background to learn from. Got "
                f"none of {self.width}x{self.height} pixels beside the boxes: give larger images."
            )
        rows = np.array(positives + negatives)
        names = np.repeat([1, 0], [len(positives), len(negatives)])
        seed = int(self.random_state)
        model = LinearSVC(C=self.C, class_weight="balanced", random_state=seed).fit(rows, names)
        return model.coef_[0].astype(np.float32), float(model.intercept_[0])

    def _distances(self, blocks, model):
        """The SVM's distance of every window of a level."""
        (height, width), (weights, intercept) = self._tables[1], model
        rows, columns = blocks.shape[0] - height + 1, blocks.shape[1] - width + 1
        # What each block adds to a window, for each of its places in one.
        shares = blocks @ weights.reshape(height * width, -1).T
        total = np.full((rows, columns), intercept, np.float32)
        for number in range(height * width):
            y, x = divmod(number, width)
            total += shares[y : y + rows, x : x + columns, number]
        return total

    def apply(self, image):
        """See `Step.apply`."""
        if not hasattr(self, "coef_"):
            raise NotFittedError("HOGDetector is not fitted yet: call fit(images, truth) first.")
        windows, scores = [np.empty((0, 4))], [np.empty(0)]
        for ratio, blocks in self._levels(image):
            distances = self._distances(blocks, (self.coef_, self.intercept_))
            certain = np.exp(-np.logaddexp(0, -distances.astype(np.float64)))
            rows, columns = np.nonzero(certain >= self.threshold)
            windows.append(self._windows(ratio, rows, columns))
            scores.append(certain[rows, columns])
        boxes, scores = self._as_boxes(np.concatenate(windows)), np.concatenate(scores)
        kept = non_max_suppression(boxes, scores, self.max_overlap)
        label = getattr(self, "label_", None)
        labels = None if label is None else np.array([label] * len(kept))
        return Detections(boxes[kept], scores[kept], labels, image.shape[:2])
