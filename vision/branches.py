"""Several chains over one image, their results kept by name: `Branches` and `Pick`."""

import numpy as np
from sklearn.base import TransformerMixin, clone
from sklearn.utils.metaestimators import available_if

from vision.composition import Composable, Edits, check_part
from vision.errors import KindError, ParameterError
from vision.flow import chain_kinds, entering, is_stateless, pick
from vision.kinds import PARENT, Branched, Kind
from vision.plan import Plan, join_rows
from vision.step import Step, as_batch, map_batch, stack_rows


class NamedBranches(Step):
    """The base of steps that hold named branches, each a step, a pipeline or a fixed mask.

    A beginning that all branches share is computed once.

    Parameters
    ----------
    branches : list of (str, branch) or dict of str to branch
        The branches by name, in order.
    """

    _PREPARED = (*Step._PREPARED, "_compiled")

    def __init__(self, branches):
        self.branches = branches
        if self._well_formed():
            self.check_params()
            self.check_kinds()

    def _well_formed(self):
        items = self.branches.items() if isinstance(self.branches, dict) else self.branches
        try:
            return all(isinstance(name, str) for name, _ in items)
        except (TypeError, ValueError):
            return False

    @property
    def _items(self):
        branches = self.branches
        return list(branches.items()) if isinstance(branches, dict) else list(branches)

    @property
    def _working(self):
        return [(name, part) for name, part in self._items if not isinstance(part, np.ndarray)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = not all(is_stateless(part) for part in self._leaves())
        return tags

    def _leaves(self):
        return [step for _, part in self._working for step in steps_of(part)]

    def get_params(self, deep=True):
        """The branches, and with `deep` their own parameters as ``name__parameter``."""
        params = {"branches": self.branches}
        if deep and self._well_formed():
            for name, part in self._items:
                params[name] = part
                if hasattr(part, "get_params"):
                    nested = part.get_params(deep=True)
                    params |= {f"{name}__{key}": value for key, value in nested.items()}
        return params

    def set_params(self, **params):
        """Set parameters of the branches (``name__parameter``), or replace a branch by name."""
        if "branches" in params:
            self.branches = params.pop("branches")
        parts = dict(self._items)
        for key in [key for key in params if key in parts]:
            parts[key] = params.pop(key)
            items = list(parts.items())
            self.branches = dict(items) if isinstance(self.branches, dict) else items
        grouped = {}
        for key, value in params.items():
            name, found, nested = key.partition("__")
            if name not in parts or not found or not hasattr(parts[name], "set_params"):
                known = ", ".join(map(repr, parts))
                raise ParameterError(
                    f"{type(self).__name__} has no parameter {key!r}. Its branches are {known}; "
                    "their parameters are written name__parameter."
                )
            grouped.setdefault(name, {})[nested] = value
        for name, nested in grouped.items():
            parts[name].set_params(**nested)
        return self

    def check_params(self):
        """Refuse what is no list of named branches."""
        if not self._well_formed() or not self._items:
            raise ParameterError(
                f"The 'branches' of {type(self).__name__} must be pairs of a name and a step, "
                f"pipeline or mask. Got {self.branches!r}."
            )
        names = [name for name, _ in self._items]
        bad = [n for n in names if names.count(n) > 1 or "__" in n or n == "branches" or not n]
        if bad:
            raise ParameterError(
                f"The names of the branches of {type(self).__name__} must differ, and be free of "
                f"'__' and not 'branches'. Got {bad[0]!r}."
            )
        for name, part in self._items:
            self._check_branch(name, part)

    def _check_branch(self, name, part):
        if isinstance(part, type):
            check_part(part)
        if not isinstance(part, np.ndarray) and not hasattr(part, "get_params"):
            raise ParameterError(
                f"The branch {name!r} of {type(self).__name__} must be a step, a pipeline or a "
                f"mask. Got {part!r}."
            )

    def branch_steps(self):
        """The steps of each branch that is no fixed mask, by name."""
        return {name: steps_of(part) for name, part in self._working}

    def check_kinds(self):
        """Refuse branches that no common input suits."""
        self.branch_kinds()

    def branch_kinds(self):
        """What each branch gives, by the kind that enters all of them."""
        tables = {name: _kinds_of(part) for name, part in self._working}
        entries = dict.fromkeys(entry for table in tables.values() for entry in table)
        kinds = {}
        for entry in entries:
            if entry is Kind.ANY and len(entries) > 1:
                continue
            given = {name: _given(table, entry) for name, table in tables.items()}
            if None not in given.values():
                kinds[entry] = Branched(given)
        if not kinds and tables:
            readings = "; ".join(
                f"{name!r} takes {' or '.join(kind.value for kind in table)}"
                for name, table in tables.items()
            )
            raise KindError(
                f"The branches of {type(self).__name__} get the same image, but {readings}. "
                "Put the conversion inside the branch that needs it."
            )
        for kind in (Kind.EDGES, Kind.MASK):
            if kind in kinds and kinds[kind] == kinds.get(PARENT[kind]):
                del kinds[kind]
        return kinds or {Kind.ANY: Branched()}

    @property
    def takes(self):
        """The kinds that every branch takes."""
        return tuple(self.branch_kinds())

    @property
    def dtypes(self):
        """The dtypes that every branch takes."""
        sets = [set(getattr(part, "dtypes", ("uint8",))) for _, part in self._working]
        return tuple(sorted(set.intersection(*sets))) if sets else ("uint8",)

    def fit(self, images=None, truth=None):
        """Fit a copy of every branch on the same images.

        Returns
        -------
        NamedBranches
            Itself.
        """
        self.check_params()
        fitted = []
        for name, part in self._items:
            if not isinstance(part, np.ndarray):
                part = clone(part).fit(images, truth)
            fitted.append((name, part))
        self.branches = dict(fitted) if isinstance(self.branches, dict) else fitted
        return self

    def __sklearn_is_fitted__(self):
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        try:
            for step in self._leaves():
                if not is_stateless(step):
                    check_is_fitted(step)
        except NotFittedError:
            return False
        return True

    def make_ready(self):
        """Check everything and plan the branches, if any step changed."""
        compiled = self.__dict__.get("_compiled")
        if compiled is None or compiled[0] != Edits.count:
            edits = Edits.count
            self.check_params()
            self.check_kinds()
            for _, part in self._items:
                if isinstance(part, np.ndarray):
                    part.flags.writeable = False
            super().make_ready()
            self.__dict__["_accepted"] = {}
            self.__dict__["_compiled"] = (edits, *self._compile())

    def _compile(self):
        chains = [steps_of(part) for _, part in self._working]
        shared = _shared_beginning(chains)
        leaving = [next(iter(chain_kinds(steps).values())) for steps in chains]
        tails = iter([Plan(steps[shared:], kind) for steps, kind in zip(chains, leaving)])
        parts = [
            (name, part if isinstance(part, np.ndarray) else next(tails))
            for name, part in self._items
        ]
        return (Plan(chains[0][:shared]) if shared else None), parts

    def outputs(self, image):
        """Each branch's result for one image, in order: pairs of name and result."""
        _, beginning, parts = self.__dict__["_compiled"]
        start, matrix = (image, None) if beginning is None else beginning.walk(image, None)
        return [
            (name, self._finish(part, start, matrix, image) if isinstance(part, Plan) else part)
            for name, part in parts
        ]

    def branch_plans(self):
        """Each branch's whole chain, planned: pairs of name and plan."""
        return [(name, Plan(steps_of(part))) for name, part in self._working]

    @staticmethod
    def _finish(plan, start, matrix, image):
        if matrix is None and not plan.moves:
            return plan.run(start)
        return plan.restore(*plan.walk(start, matrix), image)

    def __call__(self, image):
        self.make_ready()
        self.admit(image)
        return self.apply(image)


class Branches(NamedBranches):
    """Several named results of one image in one pass.

    Parameters
    ----------
    branches : dict of str to branch
        Steps or pipelines by name. A beginning that all share is computed once.

    Takes what all branches take. Gives a dictionary of results for one image. If all branches
    give features, a step that follows, and `transform`, get them side by side as one row, their
    names prefixed by the branch; otherwise `Pick` follows.

    Raises
    ------
    KindError
        If no kind of image suits all branches.
    ParameterError
        If `branches` is not a dictionary of steps.

    Examples
    --------
    >>> from classical import Canny, Otsu
    >>> found = Branches({"edges": Canny(), "bright": Otsu()})(np.eye(8, dtype=np.uint8) * 255)
    >>> {name: picture.shape for name, picture in found.items()}
    {'edges': (8, 8), 'bright': (8, 8)}
    """

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        from vision.catalogue import make

        return cls({"otsu": make("Otsu"), "threshold": make("Threshold")})

    def _check_branch(self, name, part):
        super()._check_branch(name, part)
        if isinstance(part, np.ndarray):
            raise ParameterError(
                f"The branch {name!r} of Branches must be a step or a pipeline. Got an array."
            )

    def gives_for(self, kind):
        """What each branch gives."""
        return entering(self.branch_kinds(), kind)

    def picked(self, name):
        """The steps of one branch; a `KindError` if there is none of that name."""
        pick(self.gives, name, "Pick")
        return self.branch_steps()[name]

    @property
    def gives(self):
        """What each branch gives for the usual kind."""
        return next(iter(self.branch_kinds().values()))

    def apply(self, image):
        """Each branch's result by name."""
        return dict(self.outputs(image))

    def joins_before(self, following):
        """Whether a following step gets one row of all features."""
        return self.gives.joinable and not isinstance(following, Pick)

    def joined(self, image):
        """All branches' features as one row."""
        return join_rows(dict(self.outputs(image)))

    def set_output(self, *, transform=None):
        """As scikit-learn's, where all branches give features; else accepted and ignored."""
        if self.gives.joinable:
            TransformerMixin.set_output(self, transform=transform)
        return self

    def transform(self, images):
        """A dictionary for each image; joined rows ``(n, d)`` if all branches give features."""
        self.make_ready()
        if not self.gives.joinable:
            return map_batch(self, images)
        if isinstance(images, np.ndarray):
            images = list(as_batch(images))
        return stack_rows(map_batch(self._joined_row, images), "Branches")

    def _joined_row(self, image):
        self.make_ready()
        self.admit(image)
        return self.joined(image)

    @available_if(lambda self: self.gives.joinable)
    def get_feature_names_out(self, input_features=None):
        """The names of the joined features, each behind its branch's name."""
        names = [
            f"{name}__{feature}"
            for name, part in self._items
            for feature in part.get_feature_names_out()
        ]
        return np.asarray(names, dtype=object)


class Pick(Step):
    """One branch's result out of those of `Branches`.

    Parameters
    ----------
    branch : str
        Its name.

    Takes the branches of `Branches`. Gives what that branch gives.

    Raises
    ------
    KindError
        If there is no such branch.
    ParameterError
        If `branch` is no name.

    Examples
    --------
    >>> from classical import Canny, Otsu
    >>> chosen = Branches({"edges": Canny(), "bright": Otsu()}) >> Pick("bright")
    >>> chosen(np.array([[10, 200]], np.uint8)).tolist()
    [[0, 255]]
    """

    takes, gives = (Kind.ANY,), Kind.ANY
    dtypes = ("uint8", "uint16")
    example = {"branch": "otsu"}

    def __init__(self, branch):
        self.branch = branch

    def check_params(self):
        """Refuse what is no name."""
        if not isinstance(self.branch, str):
            raise ParameterError(
                f"The 'branch' of Pick must be the name of a branch. Got {self.branch!r}."
            )

    def gives_for(self, kind):
        """What the branch gives."""
        return pick(kind, self.branch, "Pick")

    def apply(self, image):
        """The branch's result."""
        if not isinstance(image, dict) or self.branch not in image:
            came = list(image) if isinstance(image, dict) else type(image).__name__
            raise KindError(f"Pick takes the result of Branches with {self.branch!r}. Got {came}.")
        return image[self.branch]


def steps_of(part):
    """The steps of a branch: those of a pipeline, or the one that it is."""
    from vision.pipeline import Pipeline

    return part._parts() if type(part) is Pipeline else [part]


def _kinds_of(part):
    return part.chain_kinds() if hasattr(part, "chain_kinds") else chain_kinds([part])


def _given(table, entry):
    return entering(table, entry) if entry.fits(tuple(table)) else None


def _shared_beginning(chains):
    count = 0
    if len(chains) > 1:
        while all(len(chain) > count + 1 for chain in chains) and _all_same(
            [chain[count] for chain in chains]
        ):
            count += 1
    return count


def _all_same(steps):
    first = steps[0]
    return is_stateless(first) and all(_same(first, step) for step in steps[1:])


def _same(one, other):
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Composable):
        return is_stateless(one) and _same(one.get_params(deep=False), other.get_params(deep=False))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other))
    return bool(one == other)
