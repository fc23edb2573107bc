"""Pictures that are the same or nearly: a copy that is tested on tells nothing new.

Two pictures are nearly the same if their thumbnails are: 16 x 16 pixels, less their mean, of length
1. The distance of two is 0 for equal ones, 1.41 for unrelated ones and at most 2; brightness,
contrast (up to a factor of 2) and size are not in it, and of a picture and its mirror image the
nearer counts.

`NEAR`, 0.1, was set on 226 photographs (26 of scikit-image, 200 of BSDS500). The nearest two
different ones, the views of a stereo pair, are 0.53 apart. Copies in JPEG of quality 70, of half
and one and a half times the size, and mirrored lie within 0.06; of those that are 20 gray levels
brighter one of 226 lies at 0.102, the others nearer. Digits of scikit-learn are 0.107 and more
apart, the first 3,000 of MNIST 0.117, the patches of scikit-image's faces 0.168. Copies cut by 2.5%
on each side are mostly missed.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from vision.checks import check_number
from vision.comparison_result import Duplicate
from vision.metrics import DATA_RANGE
from vision.opencv import cv2

NEAR = 0.1
SIDE = 16  # pixels of a thumbnail
RATIO = 2.0  # of the contrasts of two pictures that may be one: a stripe is like every stripe
FLAT = 1 / 255  # of white: a picture that varies less shows noise alone
ROWS = 256  # thumbnails that are held against all others at once
MOST = 1000  # pairs that are told


@dataclass(frozen=True, eq=False)
class Survey:
    """What one look at every picture found.

    Parameters
    ----------
    hashes : (n,) ndarray of str
        Of the pixels, shape and dtype.
    thumbnails : (n, 16, 16, 3) ndarray of float32
        Of mean 0 and length 1; zeros of a flat picture.
    contrasts : (n,) ndarray of float
        Standard deviation of the thumbnail's levels, as a share of white.
    sizes : (n, 2) ndarray of int
        Height and width.
    """

    hashes: np.ndarray
    thumbnails: np.ndarray
    contrasts: np.ndarray
    sizes: np.ndarray

    @property
    def key(self):
        """What is the same for the same pictures in the same order."""
        return hashlib.blake2b("".join(self.hashes).encode(), digest_size=16).hexdigest()


def survey(images):
    """Look at every picture once.

    Parameters
    ----------
    images : iterable of ndarray, (H, W) or (H, W, channels)

    Returns
    -------
    Survey
    """
    hashes, thumbnails, sizes = [], [], []
    for image in images:
        image = np.asarray(image)
        digest = hashlib.blake2b(f"{image.shape}{image.dtype}".encode(), digest_size=16)
        digest.update(np.ascontiguousarray(image).data)
        hashes.append(digest.hexdigest())
        thumbnails.append(_thumbnail(image))
        sizes.append(image.shape[:2])
    thumbnails = np.stack(thumbnails)
    thumbnails -= thumbnails.mean(axis=(1, 2, 3), keepdims=True)
    contrasts = thumbnails.std(axis=(1, 2, 3))
    flat = ~np.isfinite(contrasts) | (contrasts < FLAT)
    thumbnails[flat] = contrasts[flat] = 0
    lengths = np.linalg.norm(thumbnails.reshape(len(thumbnails), -1), axis=1) + flat
    thumbnails /= lengths[:, None, None, None]
    return Survey(np.array(hashes), thumbnails, contrasts, np.array(sizes))


def _thumbnail(image):
    """Levels as shares of white."""
    if not image.size:  # each candidate will say so
        return np.zeros((SIDE, SIDE, 3), np.float32)
    white = DATA_RANGE.get(image.dtype.name, 1.0)
    pixels = np.ascontiguousarray(image[..., :3] if image.ndim == 3 else image, np.float32)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA).reshape(SIDE, SIDE, -1)
    return np.broadcast_to(small[..., :1] if small.shape[2] < 3 else small, (SIDE, SIDE, 3)) / white


def find_duplicates(found, splits=(), *, near=NEAR):
    """Pairs of pictures that are the same or nearly.

    Parameters
    ----------
    found : Survey
    splits : sequence of (train, test)
        Indices, as in `vision.comparison_folds.Folds`: they tell which pairs are across.
    near : float, default=0.1
        The largest distance, from 0 to 2; see this module.

    Returns
    -------
    pairs : tuple of Duplicate
        Those across a split first, then the nearest; at most `MOST`. Of a picture that is there
        several times each copy is told once, with the first.
    count : int
        How many there are.

    Raises
    ------
    ParameterError
        If `near` is out of its range.

    Examples
    --------
    >>> rows, columns = np.mgrid[:32, :32]
    >>> slope, wave = columns.astype(np.uint8), (9 * np.sin(rows) + 9).astype(np.uint8)
    >>> pairs, count = find_duplicates(survey([slope, wave, slope * 2]))
    >>> count, pairs[0].first, pairs[0].second, pairs[0].exact
    (1, 0, 2, False)
    """
    check_number("near", near, owner="find_duplicates", at_least=0, at_most=2)
    same = {}
    for place, digest in enumerate(found.hashes.tolist()):
        same.setdefault(digest, []).append(place)
    pairs = {(one, copy): (0.0, True) for one, *copies in same.values() for copy in copies}
    kept = np.array([one for one, *_ in same.values()])
    for one, other, distance in _near(found.thumbnails[kept], found.contrasts[kept], near):
        pairs[int(kept[one]), int(kept[other])] = distance, False
    across = _Across(splits, len(found.hashes))
    told = [
        Duplicate(one, other, distance, exact, across(one, other))
        for (one, other), (distance, exact) in pairs.items()
    ]
    told.sort(key=lambda pair: (not pair.across, pair.distance, pair.first, pair.second))
    return tuple(told[:MOST]), len(told)


def _near(thumbnails, contrasts, near):
    """Pairs within a distance: by their gray levels, then held against each other in colour."""
    gray = thumbnails.mean(axis=3)
    flat = gray.reshape(len(gray), -1)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = np.divide(flat, lengths, out=np.zeros_like(flat), where=lengths > FLAT)
    mirrored = flat.reshape(gray.shape)[:, :, ::-1].reshape(flat.shape)
    least = 1 - near**2 / 2  # of the inner product: |a - b|^2 = 2 - 2 ab
    for start in range(0, len(flat), ROWS):
        block = slice(start, start + ROWS)
        for others, flip in ((flat, False), (mirrored, True)):
            found = np.argwhere(flat[block] @ others[start:].T >= least - 1e-6)
            for one, other in found[found[:, 0] < found[:, 1]] + start:
                lower, higher = sorted((contrasts[one], contrasts[other]))
                distance = _distance(thumbnails[one], thumbnails[other], flip)
                if distance <= near and higher <= RATIO * lower:
                    yield one, other, distance


def _distance(one, other, flip):
    return float(np.linalg.norm(one - (other[:, ::-1] if flip else other)))


class _Across:
    """Whether of two pictures one was learned from and the other held out by the same model."""

    def __init__(self, splits, count):
        self.learned = np.zeros((len(splits), count), bool)
        self.tested = np.zeros((len(splits), count), bool)
        for number, (train, test) in enumerate(splits):
            self.learned[number, train] = self.tested[number, test] = True

    def __call__(self, one, other):
        there = self.learned[:, one] & self.tested[:, other]
        return bool((there | (self.learned[:, other] & self.tested[:, one])).any())
