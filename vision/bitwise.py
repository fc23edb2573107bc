"""Masks joined pixel by pixel: `And`, `Or`, `Xor` and `Not`, which the operators make."""

import numpy as np

from vision.branches import NamedBranches, steps_of
from vision.conversions import to_mask, what_came
from vision.errors import KindError, ParameterError
from vision.kinds import Kind, is_binary
from vision.opencv import cv2
from vision.step import Step


class MaskOperation(NamedBranches):
    """The base of `And`, `Or` and `Xor`: one pixelwise operation over all branches' masks."""

    gives = Kind.MASK
    operation = None

    def check_kinds(self):
        """Refuse a branch that gives no mask."""
        _ = self.takes

    @property
    def takes(self):
        """The kinds of which every branch makes a mask."""
        kinds = self.branch_kinds()
        wrong = {entry: _no_masks(given) for entry, given in kinds.items()}
        fitting = tuple(entry for entry in kinds if not wrong[entry])
        if not fitting:
            raise self._no_mask(*next(iter(wrong.values()))[0])
        return fitting

    def _no_mask(self, name, kind):
        from vision.repair import find_repair

        part = dict(self._items)[name]
        repair = find_repair([*steps_of(part), Not()], len(steps_of(part)), None)
        hint = "" if repair is None else f" {repair.advice.replace(' before Not()', '')}"
        return KindError(
            f"{type(self).__name__} joins masks, but its branch {name!r} gives "
            f"{kind.described}.{hint}"
        )

    def _check_branch(self, name, part):
        super()._check_branch(name, part)
        if isinstance(part, np.ndarray) and not (
            part.ndim == 2 and part.dtype == np.uint8 and part.size and is_binary(part)
        ):
            raise ParameterError(
                f"The mask {name!r} of {type(self).__name__} must be an (H, W) uint8 array of 0 "
                f"and 255. Got {what_came(part)}. {to_mask(part)}".strip()
            )

    def apply(self, image):
        """The masks of all branches, joined pixel by pixel."""
        (_, joined), *others = self.outputs(image)
        for name, mask in others:
            if mask.shape != joined.shape:
                raise KindError(
                    f"{type(self).__name__} joins masks of one size, but the branch {name!r} gives "
                    f"{mask.shape[1]} x {mask.shape[0]} pixels and those before it "
                    f"{joined.shape[1]} x {joined.shape[0]}."
                )
            joined = type(self).operation(joined, mask)
        return joined if others else joined.copy()


class And(MaskOperation):
    """Where all branches are set: ``a & b``.

    Parameters
    ----------
    branches : list of (str, branch)
        Names with steps or pipelines that give masks, or fixed ``(H, W)`` uint8 masks of 0 and
        255. Operators name them by their classes: `otsu`, `otsu_2`, `pipeline`, `mask`.

    Takes what all branches take. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    KindError
        If a branch gives no mask, or the masks have different sizes.
    ParameterError
        If a fixed mask is not of 0 and 255, or a name is used twice.

    Examples
    --------
    >>> from classical import Threshold
    >>> both = Threshold(100) & ~Threshold(200)
    >>> both(np.array([[50, 150, 250]], np.uint8)).tolist()
    [[0, 255, 0]]
    """

    operation = staticmethod(cv2.bitwise_and)

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        return cls(_example_masks())


class Or(MaskOperation):
    """Where any branch is set: ``a | b``.

    Parameters
    ----------
    branches : list of (str, branch)
        As in `And`.

    Takes what all branches take. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    KindError
        If a branch gives no mask, or the masks have different sizes.
    ParameterError
        If a fixed mask is not of 0 and 255, or a name is used twice.

    Examples
    --------
    >>> from classical import Threshold
    >>> ends = ~Threshold(100) | Threshold(200)
    >>> ends(np.array([[50, 150, 250]], np.uint8)).tolist()
    [[255, 0, 255]]
    """

    operation = staticmethod(cv2.bitwise_or)

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        return cls(_example_masks())


class Xor(MaskOperation):
    """Where an odd number of branches is set: ``a ^ b``.

    Parameters
    ----------
    branches : list of (str, branch)
        As in `And`.

    Takes what all branches take. Gives a mask, ``(H, W)``, uint8.

    Raises
    ------
    KindError
        If a branch gives no mask, or the masks have different sizes.
    ParameterError
        If a fixed mask is not of 0 and 255, or a name is used twice.

    Examples
    --------
    >>> from classical import Threshold
    >>> between = Threshold(100) ^ Threshold(200)
    >>> between(np.array([[50, 150, 250]], np.uint8)).tolist()
    [[0, 255, 0]]
    """

    operation = staticmethod(cv2.bitwise_xor)

    @classmethod
    def make_example(cls):
        """A working instance for the catalogue."""
        return cls(_example_masks())


class Not(Step):
    """The opposite of a mask: ``~a``.

    Takes a mask, ``(H, W)``, uint8 of 0 and 255. Gives a mask.

    Raises
    ------
    KindError
        If the image is no mask.

    Examples
    --------
    >>> Not()(np.array([[0, 255]], np.uint8)).tolist()
    [[255, 0]]
    """

    takes, gives = (Kind.MASK,), Kind.MASK

    def apply(self, image):
        """255 where the mask is 0."""
        return cv2.bitwise_not(image)


def _no_masks(given):
    return [(name, kind) for name, kind in given.items() if not kind.fits((Kind.MASK,))]


def _example_masks():
    from vision.catalogue import make

    return [("otsu", make("Otsu")), ("threshold", make("Threshold"))]
