"""`ForEach`: find the objects of an image, then name each of them by a classifier."""

import numpy as np
from sklearn.base import clone

from vision.branches import steps_of
from vision.checks import check_integer, check_number
from vision.composition import Composable, Edits
from vision.errors import KindError, ParameterError
from vision.flow import chain_kinds, is_stateless, name_of
from vision.kinds import Kind
from vision.plan import Plan
from vision.step import Step, as_batch
from vision.truth import check_truth

FOUND = (Kind.DETECTIONS, Kind.CONTOURS)


class ForEach(Step):
    """Crop every object that `find` gives and let `then` say what it is.

    Parameters
    ----------
    find : step or pipeline
        Gives contours or detections.
    then : estimator or pipeline
        Any classifier of one crop, classical or deep. All crops of a batch go through it at once.
    padding : int, default=0
        Pixels around each box that are cropped with it, as far as the image reaches.
    min_iou : float, default=0.5
        In `fit`, a found box learns the label of the true box that it overlaps most, if their
        intersection over union is at least this, in (0, 1]; other boxes are not learned from.

    Takes what both take. Gives `Detections`: the found boxes with the labels of `then`, and its
    probability of that label as score where it gives probabilities.

    Raises
    ------
    KindError
        If `find` finds no objects, or `then` gives no class.
    ParameterError
        If a parameter makes no sense, or no found box matches a true one in `fit`.
    sklearn.exceptions.NotFittedError
        If `then` must be fitted first.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from classical import FindContours, Otsu, RawPixels
    >>> from vision import Detections
    >>> image = np.zeros((20, 40), np.uint8)
    >>> image[5:15, 5:15], image[8:12, 22:38] = 255, 255
    >>> truth = Detections([[5, 5, 15, 15], [22, 8, 38, 12]], labels=["square", "bar"])
    >>> namer = RawPixels(4) >> KNeighborsClassifier(1)
    >>> parts = ForEach(Otsu() >> FindContours(), namer, padding=3).fit([image], [truth])
    >>> sorted(parts(image).labels.tolist())
    ['bar', 'square']
    """

    gives = Kind.DETECTIONS
    _PREPARED = (*Step._PREPARED, "_compiled")

    def __init__(self, find, then, padding=0, min_iou=0.5):
        self.find = find
        self.then = then
        self.padding = padding
        self.min_iou = min_iou

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue, its classifier to be fitted."""
        from sklearn.neighbors import KNeighborsClassifier

        from vision.catalogue import make

        namer = make("RawPixels") >> KNeighborsClassifier(1)
        return cls(make("Otsu") >> make("FindContours"), namer)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = not all(is_stateless(part) for part in (self.find, self.then))
        return tags

    def __sklearn_is_fitted__(self):
        from sklearn.exceptions import NotFittedError

        try:
            Plan(steps_of(self.then))
        except NotFittedError:
            return False
        return True

    def check_params(self):
        """Refuse parameters that make no sense."""
        check_integer("padding", self.padding, owner=self, at_least=0)
        check_number("min_iou", self.min_iou, owner=self, above=0, at_most=1)
        if not isinstance(self.find, Composable):
            raise ParameterError(
                f"The 'find' of ForEach must be a step or pipeline of ours that gives contours or "
                f"detections. Got {self.find!r}."
            )
        if not hasattr(self.then, "fit"):
            raise ParameterError(
                f"The 'then' of ForEach must be a classifier or a pipeline that ends in one. "
                f"Got {self.then!r}."
            )

    @property
    def takes(self):
        """What `find` and `then` both take."""
        finding, naming = chain_kinds(steps_of(self.find)), chain_kinds(steps_of(self.then))
        for kind in finding.values():
            if not kind.fits(FOUND):
                raise KindError(
                    f"ForEach crops contours or detections, but its 'find' gives "
                    f"{kind.described}. End it with FindContours()."
                )
        for kind in naming.values():
            if not kind.fits((Kind.CLASS,)):
                raise KindError(
                    f"ForEach needs a classifier in 'then', but {name_of(self.then)} gives "
                    f"{kind.described}. End it with one, for example >> SVC()."
                )
        both = tuple(kind for kind in finding if kind.fits(tuple(naming)))
        if not both:
            raise KindError(
                f"ForEach crops what it finds from the image that it gets: 'find' takes "
                f"{' or '.join(finding)} and 'then' takes {' or '.join(naming)}. "
                "Put the conversion inside the one that needs it."
            )
        return both

    def make_ready(self):
        """Check everything and plan both parts, if any step changed."""
        compiled = self.__dict__.get("_compiled")
        if compiled is None or compiled[0] != Edits.count:
            edits = Edits.count
            super().make_ready()
            self.check_params()
            _ = self.takes
            plans = Plan(steps_of(self.find)), Plan(steps_of(self.then))
            self.__dict__["_compiled"] = (edits, *plans)

    def fit(self, images, truth):
        """Train `then` on the found crops that match a true box.

        Parameters
        ----------
        images : list, Images, or ndarray
            The images.
        truth : sequence of Detections
            For each image its labelled boxes.

        Returns
        -------
        ForEach
            Itself.
        """
        self.check_params()
        _ = self.takes
        check_truth(truth, Kind.DETECTIONS, len(as_batch(images)))
        self.find, self.then = clone(self.find), clone(self.then)
        if not is_stateless(self.find):
            self.find.fit(images, truth)
        crops, labels = self._matched(images, truth)
        if not crops:
            raise ParameterError(
                f"No box that 'find' gave overlaps a true box by min_iou={self.min_iou}, so there "
                "is nothing to learn from. Look at find(image), or lower min_iou."
            )
        self.then.fit(crops, np.asarray(labels))
        return self

    def _matched(self, images, truth):
        from vision.detection_metrics import box_iou

        finding, crops, labels = Plan(steps_of(self.find)), [], []
        for image, true in zip(as_batch(images), truth, strict=True):
            boxes = _boxes(finding.run(image))
            if getattr(true, "labels", None) is None:
                raise ParameterError(
                    "The 'truth' of ForEach must have labels, Detections(boxes, labels=names). "
                    "Got boxes alone."
                )
            if not len(boxes) or not len(true):
                continue
            overlaps = box_iou(boxes, true.boxes)
            best = overlaps.argmax(axis=1)
            good = overlaps.max(axis=1) >= self.min_iou
            crops += self._crops(image, boxes[good])
            labels += list(true.labels[best[good]])
        return crops, labels

    def _crops(self, image, boxes):
        height, width = image.shape[:2]
        crops = []
        for left, top, right, bottom in boxes:
            x = max(0, min(width - 1, int(np.floor(left)) - self.padding))
            y = max(0, min(height - 1, int(np.floor(top)) - self.padding))
            x_end = max(x + 1, min(width, int(np.ceil(right)) + self.padding))
            y_end = max(y + 1, min(height, int(np.ceil(bottom)) + self.padding))
            crops.append(image[y:y_end, x:x_end].copy())
        return crops

    def __call__(self, image):
        self.make_ready()
        self.admit(image)
        return self.apply(image)

    def apply(self, image):
        """The named objects of one image."""
        return self.apply_many([image])[0]

    def apply_many(self, images):
        """The named objects of each image; all crops pass `then` as one batch."""
        from vision.detections import Detections

        _, finding, naming = self.__dict__["_compiled"]
        boxes = [_boxes(found) for found in finding.run_many(images)]
        crops = [crop for pair in zip(images, boxes) for crop in self._crops(*pair)]
        named = iter(naming.run_many(crops))
        results = []
        for image, found in zip(images, boxes):
            said = [next(named) for _ in found]
            probable = bool(said) and all(one.score_kind == "probability" for one in said)
            results.append(
                Detections(
                    found,
                    scores=np.array([one.scores[one.label] for one in said]) if probable else None,
                    labels=np.asarray([one.label for one in said]),
                    shape=image.shape[:2],
                )
            )
        return results


def _boxes(found):
    return np.asarray(found.boxes, dtype=np.float64).reshape(-1, 4)
