"""Numbers that describe each pixel by what lies around it, at several scales."""

import numpy as np

from vision.opencv import cv2

# What each group measures at each scale, and what it is called.
GROUPS = {
    "intensity": ("intensity",),
    "gradient": ("gradient",),
    "hessian": ("hessian largest", "hessian smallest"),
    "structure": ("structure largest", "structure smallest"),
    "lines": ("line dark", "line bright"),
}
DIRECTIONS = 12  # of lines
ELONGATION = 4  # of lines: their length over their width
_FIRST, _SECOND, _SAME = np.array([-0.5, 0, 0.5]), np.array([1.0, -2, 1]), np.ones(1)
_BORDER = cv2.BORDER_REFLECT
_PIXELS = 1 << 18  # described at a time


def feature_names(sigmas, groups, channels=1):
    """What each of the features is, in order.

    Parameters
    ----------
    sigmas : sequence of float
        Scales, in pixels.
    groups : sequence of str
        Of `GROUPS`.
    channels : int, default=1
        Of the image: 1, or 3 for red, green and blue.

    Returns
    -------
    list of str

    Examples
    --------
    >>> feature_names((2,), ("intensity", "hessian"))
    ['value', 'intensity 2', 'hessian largest 2', 'hessian smallest 2']
    """
    names = [f"{name} {s:g}" for s in sigmas for group in groups for name in GROUPS[group]]
    colors = [""] if channels == 1 else ["red ", "green ", "blue "]
    return [color + name for color in colors for name in ["value", *names]]


def pixel_features(image, sigmas, groups):
    """Describe every pixel of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray of uint8
    sigmas : sequence of float
        Scales: standard deviations of Gaussians, in pixels, above 0.
    groups : sequence of str
        What is measured at each scale: "intensity", the blurred image; "gradient", the length of
        its gradient; "hessian", the eigenvalues of its second derivatives, the larger first
        (ridges and blobs); "structure", those of the gradient's structure tensor (edges, corners,
        texture); "lines", how dark and how bright the best line through the pixel is, of 12
        directions.

    Returns
    -------
    (n, H, W) ndarray of float32
        In the order of `feature_names`, in grey levels (per pixel, or per square pixel, where
        derived once or twice); beyond the border the image is mirrored.

    References
    ----------
    I. Arganda-Carreras et al., "Trainable Weka Segmentation", Bioinformatics 33(15), 2017,
    doi:10.1093/bioinformatics/btx180; S. Berg et al., "ilastik: interactive machine learning for
    (bio)image analysis", Nature Methods 16, 2019, doi:10.1038/s41592-019-0582-9.

    Examples
    --------
    >>> step = np.zeros((9, 9), np.uint8)
    >>> step[:, 5:] = 100
    >>> pixel_features(step, (1,), ("gradient",))[1, 4].round().tolist()
    [0.0, 0.0, 3.0, 15.0, 32.0, 32.0, 15.0, 3.0, 0.0]
    """
    found = []
    for plane in cv2.split(image):
        plane = plane.astype(np.float32)
        found.append(plane)
        for sigma in sigmas:
            blurred = _blurred(plane, sigma)
            for group in groups:
                found += _MEASURES[group](plane, blurred, sigma)
    return np.array(found)


def feature_blocks(image, sigmas, groups):
    """The features of a large image, some rows at a time.

    Yields
    ------
    top : int
        The first row.
    features : (n, rows, W) ndarray of float32
        What `pixel_features` gives for these rows of the whole image.
    """
    # Two Gaussians follow each other in the structure tensor, each reaching four deviations.
    reach = 2 * int(np.ceil(4 * ELONGATION * max(sigmas) if "lines" in groups else 4 * max(sigmas)))
    reach += 4
    height, width = image.shape[:2]
    rows = max(64, _PIXELS // width)
    for top in range(0, height, rows):
        first, last = max(0, top - reach), min(height, top + rows + reach)
        features = pixel_features(image[first:last], sigmas, groups)
        yield top, features[:, top - first : top - first + rows]


def _blurred(plane, sigma):
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=_BORDER)


def _derived(plane, across, down):
    return cv2.sepFilter2D(plane, cv2.CV_32F, across, down, borderType=_BORDER)


def _length(across, down):
    # Not cv2.magnitude: its last bit depends on where in memory an array begins.
    return np.sqrt(across * across + down * down)


def _intensity(plane, blurred, sigma):
    return [blurred]


def _gradient(plane, blurred, sigma):
    return [_length(_derived(blurred, _FIRST, _SAME), _derived(blurred, _SAME, _FIRST))]


def _hessian(plane, blurred, sigma):
    across, down = _derived(blurred, _SECOND, _SAME), _derived(blurred, _SAME, _SECOND)
    return _eigenvalues(across, down, _derived(blurred, _FIRST, _FIRST))


def _structure(plane, blurred, sigma):
    across, down = _derived(blurred, _FIRST, _SAME), _derived(blurred, _SAME, _FIRST)
    products = across * across, down * down, across * down
    return _eigenvalues(*(_blurred(product, sigma) for product in products))


def _eigenvalues(one, other, mixed):
    """The eigenvalues of symmetric 2x2 matrices, the larger ones first."""
    middle, radius = (one + other) / 2, _length((one - other) / 2, mixed)
    return [middle + radius, middle - radius]


def _lines(plane, blurred, sigma):
    answers = [
        cv2.filter2D(plane, cv2.CV_32F, kernel, borderType=_BORDER)
        for kernel in line_kernels(sigma)
    ]
    return [np.maximum.reduce(answers), -np.minimum.reduce(answers)]


def line_kernels(sigma):
    """Second derivatives of long Gaussians across their length, one for each direction.

    Parameters
    ----------
    sigma : float
        Half the width of the line, in pixels.

    Returns
    -------
    list of (k, k) ndarray of float32
        Each sums to 0, and its absolute values to 1: positive beside a dark line.

    Examples
    --------
    >>> kernels = line_kernels(1)
    >>> len(kernels), kernels[0].shape
    (12, (25, 25))
    """
    reach = int(np.ceil(3 * sigma * ELONGATION))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernels = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        along = (x * np.cos(angle) + y * np.sin(angle)) / (sigma * ELONGATION)
        across = (y * np.cos(angle) - x * np.sin(angle)) / sigma
        kernel = (across**2 - 1) * np.exp(-(along**2 + across**2) / 2)
        kernel -= kernel.mean()
        kernels.append((kernel / np.abs(kernel).sum()).astype(np.float32))
    return kernels


_MEASURES = {
    "intensity": _intensity,
    "gradient": _gradient,
    "hessian": _hessian,
    "structure": _structure,
    "lines": _lines,
}
