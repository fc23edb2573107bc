"""The base of steps that hold another chain, run on the same image: `ApplyMask` and others."""

import numpy as np
from sklearn.base import clone

from vision.checks import refuse
from vision.composition import Composable, Edits
from vision.errors import KindError
from vision.flow import chain_kinds, is_stateless
from vision.kinds import Kind, listed
from vision.step import Step


class CompanionStep(Step):
    """A step with a parameter that is itself a step or pipeline, given the same image.

    Attributes
    ----------
    companion_name : str
        The parameter that holds it.
    companion_kinds : tuple of Kind or None
        What it must make; None: the kind that the step is given.
    fixed : bool
        Whether an array may stand for it.
    """

    _PREPARED = (*Step._PREPARED, "_edits")
    companion_name = "mask"
    companion_kinds = (Kind.MASK,)
    fixed = True
    kinds = (Kind.RGB, Kind.GRAY)
    way_out = ""

    @property
    def companion(self):
        """The step, pipeline or array."""
        return getattr(self, self.companion_name)

    @property
    def takes(self):
        """The kinds of which the companion makes what is needed."""
        kinds = self.possible_kinds()
        if not isinstance(self.companion, Composable):
            return kinds
        makes = chain_kinds([self.companion])
        fitting = tuple(kind for kind in kinds if self._suits(makes, kind))
        if not fitting:
            raise KindError(self._unsuited(makes))
        return fitting

    def possible_kinds(self):
        """The kinds that the step could take, whatever its companion."""
        return self.kinds

    def _suits(self, makes, kind):
        given = [made for taken, made in makes.items() if kind.fits((taken,))]
        return bool(given) and given[0].fits(self.companion_kinds or (kind,))

    def _unsuited(self, makes):
        taken, given = next(iter(makes.items()))
        wanted = listed(self.companion_kinds) if self.companion_kinds else "the same kind"
        return (
            f"The '{self.companion_name}' of {type(self).__name__} must make {wanted} from "
            f"{listed(self.possible_kinds())}, but of {taken.described} it makes "
            f"{given.described}.{self.way_out}"
        )

    @property
    def dtypes(self):
        """8 and 16 bits, as far as the companion takes them."""
        return getattr(self.companion, "dtypes", ("uint8", "uint16"))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self._learns()
        return tags

    def _learns(self):
        return isinstance(self.companion, Composable) and not is_stateless(self.companion)

    def check_params(self):
        """See `Step.check_params`."""
        companion = self.companion
        if isinstance(companion, Composable):
            chain_kinds([self])
        elif self.fixed and isinstance(companion, np.ndarray):
            self.check_fixed(companion)
        else:
            made = (
                "what is needed" if self.companion_kinds is None else listed(self.companion_kinds)
            )
            allowed = f"a step or pipeline that makes {made}{', or an array' * self.fixed}"
            refuse(self.companion_name, companion, allowed, self)

    def check_fixed(self, array):
        """Refuse an array that cannot stand for the companion."""

    def make_ready(self):
        """Check again whenever a step within the companion may have changed."""
        if self.__dict__.get("_edits") != Edits.count:
            edits = Edits.count
            self.__dict__.pop("_ready", None)
            super().make_ready()
            self.__dict__["_edits"] = edits

    def __call__(self, image):
        self.make_ready()
        return super().__call__(image)

    def fit(self, images=None, truth=None):
        """Fit a copy of the companion, if it learns.

        Returns
        -------
        CompanionStep
            Itself.
        """
        if self._learns():
            setattr(self, self.companion_name, clone(self.companion).fit(images, truth))
        self.make_ready()
        return self

    def __sklearn_is_fitted__(self):
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted

        try:
            if self._learns():
                check_is_fitted(self.companion)
        except NotFittedError:
            return False
        return True

    def made(self, image):
        """What the companion makes of the image, or the array that stands for it."""
        companion = self.companion
        return companion if isinstance(companion, np.ndarray) else companion(image)

    def check_size(self, array, image):
        """Refuse a companion's picture of another size than the image."""
        if array.shape[:2] != image.shape[:2]:
            raise KindError(
                f"{type(self).__name__} needs a {self.companion_name} of the image's size, "
                f"{image.shape[1]} x {image.shape[0]} pixels. Its '{self.companion_name}' is "
                f"{array.shape[1]} x {array.shape[0]}."
            )
