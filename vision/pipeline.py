"""`Pipeline`: scikit-learn's own, with image steps, and callable on one image."""

import contextlib

import numpy as np
import sklearn.pipeline
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if

from vision.composition import Composable, Edits, check_part
from vision.errors import KindError
from vision.flow import (
    chain_kinds,
    core_of,
    entering,
    first_narrow,
    is_stateless,
    numbers_regions,
    travel,
)
from vision.kinds import LOCATED, Kind
from vision.plan import Plan, join_rows, passes_through
from vision.step import as_batch, is_lazy, map_batch
from vision.tasks import task_of
from vision.truth import check_truth

ROWS = (Kind.FEATURES,)
AT_ONCE = 32  # images that pass a batched step together


def _final_has(name):
    return available_if(lambda self: hasattr(self._final_estimator, name))


def _transforms(pipeline):
    return hasattr(pipeline._final_estimator, "transform")


class Pipeline(Composable, sklearn.pipeline.Pipeline):
    """A chain of steps: image steps, scikit-learn transformers, an estimator at the end.

    Usually written ``Gray() >> Canny()``; the constructor sets the names of the steps.

    Parameters
    ----------
    steps : list of (str, step)
        Names and steps, in order.
    transform_input, memory, verbose
        As in `sklearn.pipeline.Pipeline`.

    Raises
    ------
    KindError
        If a step cannot take what the one before it gives; the message suggests a repair.

    Examples
    --------
    >>> import numpy as np
    >>> from classical import Canny, Gray
    >>> edges = Gray() >> Canny()
    >>> edges.set_params(canny__low=50).named_steps["canny"]
    Canny(low=50)
    >>> edges(np.zeros((4, 6, 3), np.uint8)).shape
    (4, 6)
    """

    _plan = None, None

    def __init__(self, steps, *, transform_input=None, memory=None, verbose=False):
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)
        if isinstance(steps, Composable):
            raise KindError(
                f"The 'steps' of Pipeline must be a list of pairs, name and step. Got {steps!r}. "
                "chain(a, b) makes a pipeline of steps, as a >> b does."
            )
        if isinstance(steps, list) and all(isinstance(s, tuple) and len(s) == 2 for s in steps):
            for _, step in steps:
                check_part(step)
            self.chain_kinds()

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_plan", None)
        state.pop("_kinds", None)
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = not all(is_stateless(step) for step in self._parts())
        return tags

    def _parts(self):
        return [step for _, step in self.steps if not passes_through(step)]

    def chain_kinds(self):
        """Each kind that may enter, with the kind that leaves: a dictionary."""
        edits, steps, kinds = self.__dict__.get("_kinds", (None, None, None))
        if edits != Edits.count or steps != self.steps:
            edits = Edits.count
            kinds = chain_kinds(self._parts())
            self.__dict__["_kinds"] = edits, list(self.steps), kinds
        return kinds

    @property
    def takes(self):
        """The kinds that may enter."""
        return tuple(self.chain_kinds())

    @property
    def dtypes(self):
        """The dtypes of images that all steps on the way can take."""
        return ("uint8", "uint16") if first_narrow(self._parts()) is None else ("uint8",)

    def gives_for(self, kind):
        """The kind that comes out when `kind` goes in."""
        return entering(self.chain_kinds(), kind)

    @property
    def gives(self):
        """The kind that comes out for the usual one that goes in."""
        return next(iter(self.chain_kinds().values()))

    def set_params(self, **params):
        """Set parameters of the steps (``name__parameter``), or replace a step by name.

        Returns
        -------
        Pipeline
            Itself.
        """
        super().set_params(**params)
        Edits.bump()  # scikit-learn's own steps do not
        return self

    def plan(self):
        """The checked chain, made anew only after a step or parameter changed."""
        plan, planned = self._plan
        if plan is None or plan.edits != Edits.count or planned != self.steps:
            self._validate_steps()
            plan = Plan(self._parts())
            self.__dict__["_plan"] = plan, list(self.steps)
        return plan

    def make_ready(self):
        """Check kinds and parameters of all steps, if anything changed."""
        self.plan()

    def __call__(self, image):
        """Run the chain on one image.

        Parameters
        ----------
        image : ndarray
            One image, ``(H, W, 3)`` RGB or ``(H, W)`` gray; never modified.

        Returns
        -------
        ndarray or result
            What the last step gives; a `Classification` for a classifier. Masks, label maps,
            contours, boxes and the like are in the pixels of `image`, whatever was resized.

        Raises
        ------
        KindError
            If two steps do not fit, or `image` is a batch or of a kind that cannot enter.
        ParameterError
            If a parameter makes no sense.
        sklearn.exceptions.NotFittedError
            If a step must be fitted first, naming it.
        """
        plan, planned = self._plan
        if plan is None or plan.edits != Edits.count or planned != self.steps:
            plan = self.plan()
        # The form that was admitted last passes at once: all of this is the time of a small image.
        dtype, channels, ndim = plan.form
        if not (
            type(image) is np.ndarray
            and image.dtype is dtype
            and image.shape[2:] == channels
            and image.ndim == ndim
            and image.size
        ):
            plan.admit(image)
        if plan.moves:
            return plan.run(image)
        for apply in plan.applies:
            image = apply(image)
        return image

    apply = __call__

    def apply_many(self, images):
        """What calling gives for each of a bounded list of images, batched where that is faster."""
        plan = self.plan()
        for image in images:
            plan.admit(image)
        return plan.run_many(images)

    def trace(self, image):
        """Every stage of one image.

        Returns
        -------
        Trace
            Shows itself in a notebook; `sheet()` is one picture of all stages.
        """
        from vision.trace import trace

        return trace(self, image)

    @available_if(lambda self: hasattr((self._parts() or [None])[-1], "picked"))
    def picked(self, name):
        """The steps that lead to one branch of the branches at the end."""
        *before, branches = self._parts()
        return [*before, *branches.picked(name)]

    def joins_before(self, following):
        """Whether a following step gets one row of all features of the last step's branches."""
        last = self._parts()[-1:]
        return bool(last) and hasattr(last[0], "joins_before") and last[0].joins_before(following)

    def joined(self, image):
        """All features of the last step's branches as one row."""
        return join_rows(self(image))

    @contextlib.contextmanager
    def _renewed(self):
        """Within, the steps are clones; if fitting them fails, those that were there come back."""
        self.chain_kinds()
        before = self.steps
        self.steps = [
            (name, step if step is None or isinstance(step, str) else clone(step))
            for name, step in before
        ]
        try:
            yield
        except BaseException:
            self.steps = before
            raise

    def _iter(self, *args, **kwargs):
        # scikit-learn walks the steps through here, before it predicts as before it fits.
        self.chain_kinds()
        return super()._iter(*args, **kwargs)

    def fit(self, images=None, truth=None, **params):
        """Fit copies of the steps, one after another.

        Every step is first replaced by its clone, so that two pipelines made from a common part
        never share what they learn; if it fails, what was learned before is still there. Where
        nothing can be learned, `truth` is allowed and ignored.

        Parameters
        ----------
        images : list, Images, or ndarray
            The batch.
        truth : sequence, optional
            One entry per image: a label, a mask or label map, `Detections`, an image.

        Returns
        -------
        Pipeline
            Itself.
        """
        with self._renewed():
            if is_lazy(images):
                from vision.entry import check_entry

                check_entry(self.chain_kinds(), images)
            if truth is not None and self._ends_in_ours():
                truth = self._checked(as_batch(images), truth)
            if all(is_stateless(step) for step in self._parts()):
                self.plan()
                return self
            return super().fit(images, truth, **params)

    def _checked(self, images, truth):
        """The truth, found good, in the pixels of the first step of ours that learns from it."""
        parts = self._parts()
        learning = [isinstance(core_of(p), Composable) and not is_stateless(p) for p in parts]
        place = learning.index(True) if any(learning) else len(parts)
        kind = travel(parts, self.takes[0])[0][place + 1] if any(learning) else self.gives
        check_truth(truth, kind, len(images))
        before = parts[:place]
        if kind not in LOCATED or not any(learning) or not all(map(is_stateless, before)):
            return truth
        plan = Plan(before)
        return [plan.carry(*pair) for pair in zip(images, truth)] if plan.moves else truth

    def fit_transform(self, images, truth=None, **params):
        """Fit, then transform the same images.

        Where the last step is scikit-learn's, its own ``fit_transform``: some transform what they
        were fitted on in another way, some nothing else.
        """
        if self._ends_in_ours():
            return self.fit(images, truth, **params).transform(images)
        with self._renewed():
            return super().fit_transform(images, truth, **params)

    @_final_has("fit_predict")
    def fit_predict(self, images, truth=None, **params):
        """Fit, then predict for the same images, as clusterers do."""
        with self._renewed():
            return super().fit_predict(images, truth, **params)

    def _ends_in_ours(self):
        """Whether the last step transforms, so that calling tells what each image gives."""
        last = core_of((self._parts() or [None])[-1])
        if isinstance(last, Pipeline):
            return last._ends_in_ours()
        return last is None or (isinstance(last, Composable) and not hasattr(type(last), "predict"))

    @available_if(lambda self: passes_through(self.steps[-1][1]) or _transforms(self))
    def transform(self, images, **params):
        """What the chain gives for each image.

        Returns
        -------
        list, Images or ndarray
            As the last step's own `transform`: lazy for `Images`, rows for features.
        """
        if not self._ends_in_ours() or self.gives.fits(ROWS) or params:
            return super().transform(images, **params)
        if is_lazy(images):
            self.plan()  # refused now, not when the first picture is read
            return map_batch(self, images)
        return self._run(images)

    def _run(self, images):
        if not self.plan().batched:
            return map_batch(self, images)
        images, results = as_batch(images), []
        for start in range(0, len(images), AT_ONCE):
            results += self.apply_many(images[start : start + AT_ONCE])
        return results

    def get_feature_names_out(self, input_features=None):
        """The names of the features that leave the chain.

        Returns
        -------
        ndarray of str
        """
        names = input_features
        for step in self._parts():
            if isinstance(step, Composable) and not hasattr(step, "get_feature_names_out"):
                names = None
            else:
                names = step.get_feature_names_out(names)
        return names

    def predict(self, images, **params):
        """The labels of a classifier; else what the chain gives for each image.

        Returns
        -------
        ndarray or list
            One entry per image.
        """
        if not self._ends_in_ours() and hasattr(self._final_estimator, "predict"):
            return super().predict(images, **params)
        results = self.transform(images, **params)
        return list(results) if is_lazy(results) else results

    def score(self, images, truth=None, sample_weight=None, **params):
        """The metric of the pipeline's task, higher is better.

        Accuracy for classes; mean IoU over images for masks and label maps of classes; panoptic
        quality where labels number regions, as those of a watershed; for contours and
        detections COCO's mAP, of all objects and not of the first hundred; the boundary F-measure
        for edges; PSNR for images; recall at 1 for features.

        Parameters
        ----------
        images : list, Images, or ndarray
            The batch.
        truth : sequence
            One entry per image.

        Returns
        -------
        float

        Raises
        ------
        KindError
            If no task belongs to the kind that the pipeline gives.
        """
        if not self._ends_in_ours() and hasattr(self._final_estimator, "score"):
            if sample_weight is not None:
                params["sample_weight"] = sample_weight
            return super().score(images, truth, **params)
        task = task_of(self.gives, regions=numbers_regions(self))
        results = self.transform(images, **params)
        return task.score(results, truth)
