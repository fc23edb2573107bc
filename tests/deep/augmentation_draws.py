"""What the tests of augmentation share: draws that are known, and steps one by one."""

import numpy as np

from deep.augmentation import Fused, augmented


class Highest:
    """A generator that always draws the highest value, so that results are known by hand."""

    def __init__(self):
        self.noise = np.random.default_rng(0)
        self.standard_normal = self.noise.standard_normal

    def uniform(self, low, high, size=None):
        return float(high) if size is None else np.full(size, float(high))

    def integers(self, low, high, size=None, dtype=np.int64):
        return high - 1 if size is None else self.noise.integers(low, high, size, dtype)

    def random(self):
        return 0.0


def highest(augmentation, image, *truths):
    found = augmented(Fused(augmentation), image, truths, Highest())
    return tuple(found) if truths else found[0]


def furthest(one, other):
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - np.asarray(other, int)).max())


def one_after_another(steps, image, seed):
    generator = np.random.default_rng(seed)
    for step in steps:
        image = augmented(Fused(step), image, (), generator)[0]
    return image
