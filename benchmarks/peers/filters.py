"""Filters, denoising and noise."""

import cv2
import numpy as np

from benchmarks.peers import Peer
from classical import (
    BilateralFilter,
    BoxBlur,
    Convolution,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
    MedianBlur,
    NoiseLevel,
    NonLocalMeans,
    PoissonNoise,
    SaltAndPepperNoise,
    SpeckleNoise,
    TotalVariation,
    UnsharpMask,
)

EDGE = np.array([[1, 0, -1]] * 3, np.float32)
SIGMA, STRENGTH = 10, 0.7
WEIGHT = 0.05


def mean_difference(ours, theirs):
    """Mean of the absolute differences."""
    return float(np.abs(ours.astype(np.float64) - theirs).mean())


def spread_difference(ours, theirs):
    """How far two noisy pictures are apart in mean and standard deviation: the greater of both."""
    return max(abs(float(ours.mean() - theirs.mean())), abs(float(ours.std() - theirs.std())))


def jpeg(image):
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 50])
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def unsharp_mask(image):
    blurred = cv2.GaussianBlur(image, (0, 0), 1.0)
    return cv2.addWeighted(image, 2.0, blurred, -1.0, 0)


def nl_means(image):
    from skimage.restoration import denoise_nl_means

    sigma, strength = SIGMA / 255, STRENGTH * SIGMA / 255
    return 255 * denoise_nl_means(
        image.astype(np.float32) / 255, 5, 6, strength, fast_mode=True, sigma=sigma
    )


def total_variation(image):
    from skimage.restoration import denoise_tv_chambolle

    return 255 * denoise_tv_chambolle(
        image.astype(np.float32) / 255, weight=WEIGHT, eps=1e-6, max_num_iter=1000
    )


def gaussian_noise(image):
    noise = np.empty(image.shape, np.int16)
    cv2.randn(noise.reshape(len(image), -1), 0, 25)
    return cv2.add(image, noise, dtype=cv2.CV_8U)


def speckle_noise(image):
    factors = np.empty(image.shape, np.float32)
    cv2.randn(factors.reshape(len(image), -1), 1, 0.1)
    return cv2.multiply(image, factors, dtype=cv2.CV_8U)


def poisson_noise(image):
    counts = np.random.default_rng(0).poisson(image)
    return np.minimum(counts, 255).astype(np.uint8)


def salt_and_pepper(image):
    from skimage.util import random_noise

    return 255 * random_noise(image, "s&p", rng=0, amount=0.05)


def laplacian_estimate(image):
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = cv2.filter2D(image, cv2.CV_32F, kernel)[1:-1, 1:-1]
    return np.array([np.sqrt(np.pi / 2) / 6 * np.abs(response).mean()])


PEERS = [
    Peer(
        GaussianBlur(5), lambda image: cv2.GaussianBlur(image, (5, 5), 0), "cv2.GaussianBlur", "rgb"
    ),
    Peer(MedianBlur(5), lambda image: cv2.medianBlur(image, 5), "cv2.medianBlur", "rgb"),
    Peer(BoxBlur(5), lambda image: cv2.blur(image, (5, 5)), "cv2.blur", "rgb"),
    Peer(UnsharpMask(), unsharp_mask, "cv2.GaussianBlur, addWeighted", "rgb"),
    Peer(
        Convolution(EDGE.tolist()),
        lambda image: cv2.filter2D(image, cv2.CV_32F, EDGE),
        "cv2.filter2D",
        "gray",
    ),
    Peer(
        BilateralFilter(),
        lambda image: cv2.bilateralFilter(image, 9, 75, 75),
        "cv2.bilateralFilter",
        "rgb",
    ),
    Peer(
        NonLocalMeans(SIGMA, STRENGTH),
        nl_means,
        "skimage denoise_nl_means",
        "gray",
        tolerance=1.0,
        compare=mean_difference,
        note="mean difference in gray levels; its patches of 5 are 4 wide, and it leaves out "
        "weights below exp(-5)",
    ),
    Peer(
        NonLocalMeans(SIGMA, STRENGTH),
        lambda image: cv2.fastNlMeansDenoising(image, None, 0.95 * SIGMA, 5, 13),
        "cv2.fastNlMeansDenoising",
        "gray",
        tolerance=2.5,
        compare=mean_difference,
        note="mean difference in gray levels; it does not subtract the noise's own share",
    ),
    Peer(
        TotalVariation(WEIGHT),
        total_variation,
        "skimage denoise_tv_chambolle",
        "gray",
        tolerance=1.0,
        compare=mean_difference,
        note="mean difference in gray levels; run to eps=1e-6, as its default stops long before "
        "the solution",
    ),
    Peer(
        JPEGCompression(50),
        jpeg,
        "cv2.imencode, imdecode",
        "rgb",
        tolerance=1.0,
        compare=mean_difference,
        note="mean difference in gray levels",
    ),
    Peer(
        GaussianNoise(),
        gaussian_noise,
        "cv2.randn, add",
        "rgb",
        tolerance=0.5,
        compare=spread_difference,
        note="difference of mean or deviation: another seed",
    ),
    Peer(
        SpeckleNoise(),
        speckle_noise,
        "cv2.randn, multiply",
        "rgb",
        tolerance=0.5,
        compare=spread_difference,
        note="difference of mean or deviation: another seed",
    ),
    Peer(
        PoissonNoise(),
        poisson_noise,
        "numpy Generator.poisson",
        "gray",
        tolerance=0.5,
        compare=spread_difference,
        note="difference of mean or deviation: another seed",
    ),
    Peer(
        SaltAndPepperNoise(),
        salt_and_pepper,
        "skimage random_noise",
        "gray",
        tolerance=0.5,
        compare=spread_difference,
        note="difference of mean or deviation: another seed",
    ),
    Peer(
        NoiseLevel("laplacian"),
        laplacian_estimate,
        "cv2.filter2D, numpy mean",
        "gray",
        tolerance=1e-3,
    ),
    Peer(
        NoiseLevel(),
        None,
        "none",
        "gray",
        note="skimage estimate_sigma gives the same where PyWavelets is installed",
    ),
]
