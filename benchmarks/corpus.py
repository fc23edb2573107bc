"""A folder of JPEG photographs for benchmarks, made from those that the dependencies ship."""

import cv2
import numpy as np
from skimage import data
from sklearn.datasets import load_sample_images

# Width, height and how many: 0.3 to 12 MP.
SIZES = (
    (640, 480, 110),
    (1280, 960, 80),
    (2048, 1536, 60),
    (2592, 1944, 36),
    (4000, 3000, 16),
)
NOISE = 2.5  # grey levels, the standard deviation of the camera-like noise


def photographs():
    """Different colour photographs at their own resolution, RGB uint8."""
    return [
        data.astronaut(),
        data.chelsea(),
        data.coffee(),
        data.hubble_deep_field(),
        data.immunohistochemistry(),
        data.retina(),
        data.rocket(),
        data.stereo_motorcycle()[0],
        *load_sample_images().images,
    ]


def mosaic(pictures, width, height, rng):
    """Pieces of photographs side by side, unscaled, with noise; RGB uint8."""
    canvas = np.empty((height, width, 3), np.uint8)
    top = 0
    while top < height:
        rows, left = int(rng.integers(180, 420)), 0
        while left < width:
            picture = pictures[rng.integers(len(pictures))]
            if rng.random() < 0.5:
                picture = picture[:, ::-1]
            y = int(rng.integers(0, max(1, picture.shape[0] - rows)))
            piece = picture[y : y + rows]
            piece = piece[: height - top, : width - left]
            canvas[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
            if piece.shape[0] < min(rows, height - top):
                rest = canvas[top + piece.shape[0] : top + rows, left : left + piece.shape[1]]
                rest[:] = piece[: rest.shape[0]][::-1]
            left += piece.shape[1]
        top += rows
    noise = cv2.randn(np.empty_like(canvas, np.int16), (0, 0, 0), (NOISE, NOISE, NOISE))
    return cv2.add(canvas, noise, dtype=cv2.CV_8U)


def make_corpus(folder, sizes=SIZES, seed=0):
    """Write the JPEGs (quality 90, 4:2:0); return how many, their pixels and their bytes."""
    rng = np.random.default_rng(seed)
    cv2.setRNGSeed(seed)
    pictures = photographs()
    options = [cv2.IMWRITE_JPEG_QUALITY, 90]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    count = pixels = size = 0
    for width, height, number in sizes:
        for index in range(number):
            image = mosaic(pictures, width, height, rng)
            data_ = cv2.imencode(".jpg", image[:, :, ::-1], options)[1].tobytes()
            (folder / f"{width}x{height}_{index:04d}.jpg").write_bytes(data_)
            count, pixels, size = count + 1, pixels + width * height, size + len(data_)
    return count, pixels, size
