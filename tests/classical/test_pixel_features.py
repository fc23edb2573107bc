"""Features of pixels against SciPy's and scikit-image's derivatives, and lines by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, draw, feature

from classical.pixel_features import (
    GROUPS,
    feature_blocks,
    feature_names,
    line_kernels,
    pixel_features,
)

ALL = tuple(GROUPS)


def by_name(image, sigmas, groups):
    channels = 1 if image.ndim == 2 else 3
    names = feature_names(sigmas, groups, channels)
    found = pixel_features(image, sigmas, groups)
    assert found.shape == (len(names), *image.shape[:2]) and found.dtype == np.float32
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("sigma", [1, 2.5, 6])
def test_intensity_and_gradient_are_scipys(sigma):
    image = data.camera()[:120, :150].copy()
    ours = by_name(image, (sigma,), ("intensity", "gradient"))
    assert np.array_equal(ours["value"], image)
    blurred = ndimage.gaussian_filter(image.astype(float), sigma)
    assert np.allclose(ours[f"intensity {sigma:g}"], blurred, atol=0.02)
    inside = np.s_[2:-2, 2:-2]
    slope = np.hypot(*np.gradient(blurred))
    assert np.allclose(ours[f"gradient {sigma:g}"][inside], slope[inside], atol=0.02)


def test_hessian_is_scikit_images_of_the_blurred_image():
    image = data.coins()[:120, :150].copy()
    ours = by_name(image, (3,), ("hessian",))
    blurred = ndimage.gaussian_filter(image.astype(float), 3)
    rows, mixed, columns = (
        ndimage.convolve(blurred, kernel)
        for kernel in (
            [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
            np.outer([-0.5, 0, 0.5], [-0.5, 0, 0.5]),
            [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
        )
    )
    largest, smallest = feature.hessian_matrix_eigvals([rows, mixed, columns])
    inside = np.s_[2:-2, 2:-2]
    assert np.allclose(ours["hessian largest 3"][inside], largest[inside], atol=0.01)
    assert np.allclose(ours["hessian smallest 3"][inside], smallest[inside], atol=0.01)


def test_structure_has_the_eigenvalues_that_numpy_finds():
    image = data.camera()[100:160, 100:180].copy()
    ours = by_name(image, (2,), ("structure",))
    down, across = np.gradient(ndimage.gaussian_filter(image.astype(float), 2))
    products = (down * down, down * across, across * across)
    a, b, c = (ndimage.gaussian_filter(product, 2) for product in products)
    tensors = np.stack([np.stack([a, b], -1), np.stack([b, c], -1)], -2)
    smallest, largest = np.moveaxis(np.linalg.eigvalsh(tensors), -1, 0)
    inside = np.s_[12:-12, 12:-12]
    scale = largest.max()
    assert np.allclose(ours["structure largest 2"][inside], largest[inside], atol=1e-3 * scale)
    assert np.allclose(ours["structure smallest 2"][inside], smallest[inside], atol=1e-3 * scale)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 120])
def test_lines_of_any_direction_are_found_and_told_from_blobs(angle):
    image = np.full((101, 101), 180, np.uint8)
    dx, dy = 45 * np.cos(np.radians(angle)), 45 * np.sin(np.radians(angle))
    ends = (50 - dy, 50 - dx, 50 + dy, 50 + dx)
    for offset in (-1, 0, 1):
        shift = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))]) * offset
        line = np.round(np.array(ends) + np.tile(shift, 2)).astype(int)
        image[draw.line(*line)] = 60
    image[15:19, 80:84] = 60  # a speck
    ours = by_name(image, (2,), ("lines",))
    dark, bright = ours["line dark 2"], ours["line bright 2"]
    assert dark[50, 50] > 15 and dark[50, 50] > 2 * bright[50, 50]
    assert dark[50, 50] > 1.5 * dark[13:21, 78:86].max()
    negative = by_name(255 - image, (2,), ("lines",))
    assert np.allclose(negative["line bright 2"], dark, atol=0.01)


def test_line_kernels_answer_best_to_their_own_direction():
    kernels = line_kernels(2)
    angles = np.arange(len(kernels)) * np.pi / len(kernels)
    y, x = np.indices(kernels[0].shape) - kernels[0].shape[0] // 2
    for number, angle in enumerate(angles):
        stripe = -(np.abs(y * np.cos(angle) - x * np.sin(angle)) <= 2).astype(float)
        assert np.argmax([(kernel * stripe).sum() for kernel in kernels]) == number
    assert np.allclose([kernel.sum() for kernel in kernels], 0, atol=1e-6)
    assert np.allclose([np.abs(kernel).sum() for kernel in kernels], 1)


def test_each_channel_is_described_by_itself_in_the_order_of_the_names():
    image = data.coffee()[:60, :80].copy()
    ours = by_name(image, (1, 3), ALL)
    for channel, color in enumerate(("red", "green", "blue")):
        alone = by_name(image[:, :, channel].copy(), (1, 3), ALL)
        for name, values in alone.items():
            assert np.array_equal(ours[f"{color} {name}"], values)
    assert len(ours) == 3 * (1 + 2 * 8)


@pytest.mark.parametrize("groups", [("structure",), ("lines", "hessian")])
def test_blocks_of_a_large_image_are_those_of_the_whole(groups):
    image = np.random.default_rng(0).integers(0, 256, (700, 4200), dtype=np.uint8)
    whole = pixel_features(image, (1, 2), groups)
    blocks = list(feature_blocks(image, (1, 2), groups))
    assert len(blocks) > 5 and [top for top, _ in blocks] == list(range(0, 700, 64))[: len(blocks)]
    joined = np.concatenate([block for _, block in blocks], axis=1)
    # Long kernels are folded by Fourier transforms, whose rounding depends on the picture's size.
    assert np.allclose(joined, whole, atol=2e-4 * np.abs(whole).max())
