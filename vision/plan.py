"""A chain that was checked, ready to run: one image through a plain loop, or many at once."""

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from vision.composition import Composable, Edits
from vision.errors import KindError
from vision.flow import (
    chain_kinds,
    core_of,
    final_kind,
    first_narrow,
    gives_of,
    is_stateless,
    name_of,
    refuse_chain,
    takes_of,
    travel,
)
from vision.kinds import LOCATED, Branched, Kind, check_input, kinds_of
from vision.mapping import warp_nearest


class Plan:
    """The steps of a chain with everything decided that does not depend on the image.

    Parameters
    ----------
    steps : list
        Steps, pipelines and scikit-learn estimators, in order.
    leaving : Kind or Branched, optional
        What leaves the chain, where the caller knows better: the steps are the rest of a longer
        chain.

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

    def __init__(self, steps, leaving=None):
        self.edits = Edits.count
        self.steps = [step for step in steps if not passes_through(step)]
        self.kinds = chain_kinds(self.steps)
        self.leaving = next(iter(self.kinds.values())) if leaving is None else leaving
        for step in self.steps:
            _make_ready(step)
        self.parts = list(_parts(self.steps, _unknown_inputs(self.steps, self.kinds)))
        self.applies = [part.one for part in self.parts] or [np.copy]
        self.moves = any(part.moves for part in self.parts)
        self.ends_moving = bool(self.parts) and self.parts[-1].ends_moving
        self.form = None, (), 0  # dtype, channels and ndim of the image that was admitted last

    def admit(self, image):
        """Refuse an image that cannot enter the chain."""
        if self._is_known(image):
            return
        self._check(image)
        by_form = isinstance(image, np.ndarray) and image.dtype != np.float32
        if by_form and (image.ndim == 3 or Kind.GRAY in self.kinds):
            self.form = image.dtype, image.shape[2:], image.ndim

    def _is_known(self, image):
        """Whether the image has the form of the one that was admitted last."""
        dtype, channels, ndim = self.form
        return (
            type(image) is np.ndarray
            and image.dtype is dtype
            and image.ndim == ndim
            and image.shape[2:] == channels
            and image.size > 0
        )

    def _check(self, image):
        first = self.steps[0] if self.steps else None
        kinds = kinds_of(image)
        if first is not None and not any(kind.fits(tuple(self.kinds)) for kind in kinds):
            taken = [kind for kind in kinds if kind.fits(takes_of(first))]
            if taken:  # the first step takes it: a later one is to blame
                refuse_chain(self.steps, {kind: travel(self.steps, kind) for kind in taken})
        owner = "Pipeline" if first is None else name_of(first)
        check_input(image, tuple(self.kinds), ("uint8", "uint16"), owner)
        if isinstance(image, np.ndarray) and image.dtype == np.uint16:
            self._check_depth()

    def _check_depth(self):
        step = first_narrow(self.steps)
        if step is not None:
            raise KindError(
                f"{name_of(step)} takes 8-bit images, but is given 16 bits (uint16). "
                f"Put ToUint8() in front of {name_of(step)}()."
            )

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
        if matrix is None:
            return result
        leaving = Kind.ANY if self.ends_moving else self.leaving
        return _brought_back(result, leaving, matrix, given)

    def carry(self, image, truth):
        """What is true of an image, in the pixels of what the chain makes of it."""
        self.admit(image)
        result, matrix = self.walk(image, None)
        if matrix is None:
            return truth
        onward, shape = np.linalg.inv(matrix), result.shape[:2]
        if isinstance(truth, np.ndarray):
            return warp_nearest(truth, onward, shape)
        return truth.mapped(onward, shape)

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
            states, matrices = part.moved_many(states, matrices)
        return [self.restore(*triple) for triple in zip(states, matrices, images)]

    @property
    def batched(self):
        """Whether a step works on batches better than on single images."""
        return any(part.many is not None for part in self.parts)


class Part:
    """One step within a plan: `one` for an image, `many` for a batch where that is better."""

    many = None
    moves = False  # whether pixels may leave their places
    ends_moving = False  # whether what comes out is such a picture, wanted on its own grid

    def __init__(self, step, one):
        self.step, self.one = step, one

    def moved(self, image, matrix):
        """The step's result, and the matrix from it to the image that the chain was given."""
        return self.one(image), matrix

    def moved_many(self, images, matrices):
        """The same for a batch: the results, and their matrices."""
        if self.many is not None:
            return (list(self.many(images)) if images else images), matrices
        pairs = [self.moved(*pair) for pair in zip(images, matrices)]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def gives(self, kind):
        """The kind that comes out when `kind` goes in."""
        return gives_of(self.step, kind)


class MovingPart(Part):
    """A geometric step: it also says how its pixels go back."""

    moves = ends_moving = True

    def moved(self, image, matrix):
        back = self.step.to_input(image)
        if back is not None:
            matrix = back if matrix is None else matrix @ back
        return self.one(image), matrix


class NestedPart(Part):
    """A pipeline, or a picked branch: what it found is already brought back to its own input."""

    def __init__(self, step, plan, joined=False):
        super().__init__(step, plan.run)
        self.plan = plan
        self.moves = plan.moves
        self.ends_moving = plan.ends_moving
        self.joined = joined
        if joined:
            self.one = step.joined

    def moved(self, image, matrix):
        """The pipeline's result, and the matrix from it where it was not brought back."""
        if self.joined:
            return self.one(image), matrix
        result, inner = self.plan.walk(image, None)
        restored = self.plan.restore(result, inner, image)
        if inner is None or restored is not result:
            return restored, matrix
        return result, inner if matrix is None else matrix @ inner


class PickedPart(NestedPart):
    """The one branch of `Branches` that the `Pick` behind them takes; no other is computed."""

    def __init__(self, step, plan, pick):
        super().__init__(step, plan)
        self.pick = pick

    def gives(self, kind):
        """The kind that the branch gives."""
        return gives_of(self.pick, super().gives(kind))


class RowPart(Part):
    """A scikit-learn transformer: one row is lifted to a batch of one and lowered after it."""

    def __init__(self, step):
        super().__init__(step, self._one)

    def _one(self, row):
        return self.many([row])[0]

    def many(self, rows):
        """The transformed rows."""
        made = self.step.transform(_table(self.step, np.stack(rows)))
        return made.toarray() if hasattr(made, "toarray") else np.asarray(made)


class AnyPart(Part):
    """A scikit-learn transformer of whatever comes: it gets a batch as our own steps make one."""

    def __init__(self, step):
        super().__init__(step, self._one)

    def _one(self, value):
        return self.many([value])[0]

    def many(self, values):
        """The transformed values."""
        rows = isinstance(values[0], np.ndarray) and values[0].ndim == 1
        made = self.step.transform(np.stack(values) if rows else values)
        return np.asarray(made) if rows or hasattr(made, "iloc") else made


class PredictingPart(RowPart):
    """A scikit-learn estimator at the end of the chain."""

    def __init__(self, step, kind):
        super().__init__(step)
        self.kind = kind

    def gives(self, kind):
        """A class or a value."""
        return self.kind

    def many(self, rows):
        """A `Classification` a row; for a regressor its value."""
        from vision.classification import classify

        alike = len({np.shape(row) for row in rows}) == 1
        batch = rows
        if alike and np.ndim(rows[0]) == 1:
            batch = _table(self.step, np.stack(rows))
        if self.kind is Kind.VALUE:
            return np.asarray(self.step.predict(batch)).tolist()
        return classify(self.step, batch)


def _table(step, rows):
    """The rows as a frame for an estimator that was fitted on one, named as there."""
    if not hasattr(step, "feature_names_in_"):
        return rows
    try:
        import pandas
    except ImportError:  # fitted on another library's frame, or elsewhere
        return rows
    return pandas.DataFrame(rows, columns=step.feature_names_in_)


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


def join_rows(branches):
    """The features of all branches side by side, as one row."""
    return np.concatenate(list(branches.values()))


def _unknown_inputs(steps, entries):
    """The positions of steps whose input kind is not known when the chain is composed."""
    return {
        position
        for entry in entries
        for position, kind in enumerate(travel(steps, entry)[0][:-1])
        if position and kind is Kind.ANY
    }


def _parts(steps, unknown):
    position = 0
    while position < len(steps):
        step, following = steps[position], (*steps, None)[position + 1]
        if hasattr(step, "picked") and hasattr(following, "branch"):
            yield PickedPart(step, Plan(step.picked(following.branch)), following)
            position += 2
        else:
            yield _part(core_of(step), following, position in unknown)
            position += 1


def _part(step, following, checked):
    if isinstance(step, Composable):
        joined = following is not None and hasattr(step, "joins_before")
        joined = joined and step.joins_before(following)
        if hasattr(step, "plan"):
            return NestedPart(step, step.plan(), joined)
        one = step.joined if joined else step if checked else step.apply
        part = MovingPart(step, one) if _is_moving(step) else Part(step, one)
        if hasattr(step, "apply_many") and not joined:
            part.many = step.apply_many
        return part
    if following is None and final_kind(step, Kind.ANY) in (Kind.CLASS, Kind.VALUE):
        return PredictingPart(step, final_kind(step, Kind.ANY))
    return RowPart(step) if takes_of(step) == (Kind.FEATURES,) else AnyPart(step)


def _is_moving(step):
    from vision.step import Step

    return type(step).to_input is not Step.to_input


def passes_through(step):
    """Whether a place in a chain is left empty."""
    return step is None or (isinstance(step, str) and step == "passthrough")


def _make_ready(step):
    core = core_of(step)
    if isinstance(core, Composable):
        core.make_ready()
    if not is_stateless(step):
        try:
            check_is_fitted(step)
        except NotFittedError:
            raise NotFittedError(
                f"{name_of(step)} is not fitted yet: call fit(images, truth) on the pipeline first."
            ) from None
