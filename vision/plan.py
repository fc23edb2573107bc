"""A chain that was checked, ready to run: one image through a plain loop, or many at once."""

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from vision.composition import Composable, Edits
from vision.errors import KindError
from vision.flow import chain_kinds, final_kind, is_stateless, name_of, takes_of, travel
from vision.kinds import ARRAYS, LOCATED, Branched, Kind, check_input
from vision.mapping import warp_nearest


class Plan:
    """The steps of a chain with everything decided that does not depend on the image.

    Parameters
    ----------
    steps : list
        Steps, pipelines and scikit-learn estimators, in order.

    Raises
    ------
    KindError
        If two steps do not fit.
    ParameterError
        If a parameter of a step makes no sense.
    sklearn.exceptions.NotFittedError
        If a step must be fitted first, naming it.

    Attributes
    ----------
    kinds : dict of Kind to Kind
        What may enter, with what then leaves.
    """

    def __init__(self, steps):
        self.edits = Edits.count
        self.steps = [step for step in steps if not _passes_through(step)]
        self.kinds = chain_kinds(self.steps)
        for step in self.steps:
            _make_ready(step)
        unknown = _unknown_inputs(self.steps, self.kinds)
        self.parts = [
            _part(step, following, position in unknown)
            for position, (step, following) in enumerate(zip(self.steps, [*self.steps[1:], None]))
        ]
        self.applies = [part.one for part in self.parts]
        self.moves = any(part.moves for part in self.parts)
        self.accepted = set()

    def admit(self, image):
        """Refuse an image that cannot enter the chain."""
        self._check(image)
        by_form = isinstance(image, np.ndarray) and image.dtype != np.float32
        if by_form and (image.ndim == 3 or Kind.GRAY in self.kinds):
            self.accepted.add((image.dtype, image.shape[2:], image.ndim))

    def _check(self, image):
        owner = name_of(self.steps[0]) if self.steps else "Pipeline"
        check_input(image, tuple(self.kinds), ("uint8", "uint16"), owner)
        if isinstance(image, np.ndarray) and image.dtype == np.uint16:
            self._check_depth(image)

    def _check_depth(self, image):
        for step in self.steps:
            if not isinstance(step, Composable):
                return
            if "uint16" not in step.dtypes:
                raise KindError(
                    f"{name_of(step)} takes 8-bit images, but is given 16 bits (uint16). "
                    f"Put ToUint8() in front of {name_of(step)}()."
                )
            if getattr(step, "narrows", False) or step.gives in ARRAYS - {Kind.RGB, Kind.GRAY}:
                return

    def run(self, image):
        """One image through the chain, located results brought back to its pixels."""
        if self.moves:
            return self.restore(*self.walk(image, None), image)
        for apply in self.applies:
            image = apply(image)
        return image

    def walk(self, image, matrix):
        """One image through the chain, with the matrix back to the image that was given."""
        for part in self.parts:
            image, matrix = part.moved(image, matrix)
        return image, matrix

    def restore(self, result, matrix, given):
        """Bring what was located back to the pixels of the image that was given."""
        if matrix is None or self.parts[-1].moves:
            return result if matrix is None else _brought_back(result, Kind.ANY, matrix, given)
        leaving = next(iter(self.kinds.values()))
        return _brought_back(result, leaving, matrix, given)

    def run_many(self, images):
        """Many images through the chain; networks and scikit-learn steps get them as one batch.

        Parameters
        ----------
        images : list of ndarray
            A bounded number: all of them and their results are held at once.

        Returns
        -------
        list
            One result an image, each what `run` gives for it.
        """
        states, matrices = list(images), [None] * len(images)
        for part in self.parts:
            if part.many is not None:
                states = list(part.many(states)) if states else states
            else:
                pairs = [part.moved(*pair) for pair in zip(states, matrices)]
                states, matrices = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return [self.restore(*triple) for triple in zip(states, matrices, images)]

    @property
    def batched(self):
        """Whether a step works on batches better than on single images."""
        return any(part.many is not None for part in self.parts)


class Part:
    """One step within a plan: `one` for an image, `many` for a batch where that is better."""

    many = None
    moves = False

    def __init__(self, step, one):
        self.step, self.one = step, one

    def moved(self, image, matrix):
        """The step's result, and the matrix from it to the image that the chain was given."""
        return self.one(image), matrix


class MovingPart(Part):
    """A geometric step: it also says how its pixels go back."""

    moves = True

    def moved(self, image, matrix):
        back = self.step.to_input(image)
        if back is not None:
            matrix = back if matrix is None else matrix @ back
        return self.one(image), matrix


class NestedPart(Part):
    """A pipeline within the chain: what it found is already brought back to its own input."""

    def __init__(self, step):
        self.plan = step.plan()
        super().__init__(step, self.plan.run)
        self.moves = self.plan.moves

    def moved(self, image, matrix):
        result, inner = self.plan.walk(image, None)
        restored = self.plan.restore(result, inner, image)
        if inner is None or restored is not result:
            return restored, matrix
        return result, inner if matrix is None else matrix @ inner


class RowPart(Part):
    """A scikit-learn transformer: one row is lifted to a batch of one and lowered after it."""

    def __init__(self, step):
        super().__init__(step, self._one)

    def _one(self, row):
        return self.many([row])[0]

    def many(self, rows):
        """The transformed rows."""
        return np.asarray(self.step.transform(np.stack(rows)))


class AnyPart(Part):
    """A scikit-learn transformer that validates nothing: it gets a batch of whatever comes."""

    def __init__(self, step):
        super().__init__(step, self._one)

    def _one(self, value):
        return self.many([value])[0]

    def many(self, values):
        """The transformed values."""
        if isinstance(values[0], np.ndarray) and len({value.shape for value in values}) == 1:
            values = np.stack(values)
        return self.step.transform(values)


class PredictingPart(RowPart):
    """A scikit-learn estimator at the end of the chain."""

    def __init__(self, step, kind):
        super().__init__(step)
        self.kind = kind

    def many(self, rows):
        """A `Classification` a row; for a regressor its value."""
        from vision.classification import classify

        alike = len({np.shape(row) for row in rows}) == 1
        batch = np.stack(rows) if alike and np.ndim(rows[0]) == 1 else rows
        if self.kind is Kind.VALUE:
            return np.asarray(self.step.predict(batch)).tolist()
        return classify(self.step, batch)


def _brought_back(result, kind, matrix, given):
    """A located result in the pixels of `given`; a mask only where `kind` says that it is one."""
    if isinstance(result, dict):
        kinds = kind if isinstance(kind, Branched) else dict.fromkeys(result, Kind.ANY)
        return {
            name: _brought_back(value, kinds[name], matrix, given) for name, value in result.items()
        }
    shape = given.shape[:2]
    if isinstance(result, np.ndarray):
        return warp_nearest(result, matrix, shape) if kind in LOCATED else result
    return result.mapped(matrix, shape) if hasattr(result, "mapped") else result


def _unknown_inputs(steps, entries):
    """The positions of steps whose input kind is not known when the chain is composed."""
    return {
        position
        for entry in entries
        for position, kind in enumerate(travel(steps, entry)[0][:-1])
        if position and kind is Kind.ANY
    }


def _part(step, following, checked):
    if isinstance(step, Composable):
        if hasattr(step, "plan"):
            return NestedPart(step)
        joined = following is not None and hasattr(step, "joins_before")
        joined = joined and step.joins_before(following)
        one = step.joined if joined else step if checked else step.apply
        part = MovingPart(step, one) if _is_moving(step) else Part(step, one)
        if hasattr(step, "apply_many") and not joined:
            part.many = step.apply_many
        return part
    if following is None and hasattr(step, "predict"):
        return PredictingPart(step, final_kind(step, Kind.ANY))
    return RowPart(step) if takes_of(step) == (Kind.FEATURES,) else AnyPart(step)


def _is_moving(step):
    from vision.step import Step

    return type(step).to_input is not Step.to_input


def _passes_through(step):
    return step is None or (isinstance(step, str) and step == "passthrough")


def _make_ready(step):
    if isinstance(step, Composable):
        step.make_ready()
    if not is_stateless(step):
        try:
            check_is_fitted(step)
        except NotFittedError:
            raise NotFittedError(
                f"{name_of(step)} is not fitted yet: call fit(images, truth) on the pipeline first."
            ) from None
