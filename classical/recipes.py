"""Ready recipes for recognition: features and a classifier in one pipeline, not fitted yet.

Each gives a `vision.Pipeline` of ordinary steps, to be fitted, searched over, saved and run like
any other; print it to see what is in it. Scores are those of ``python -m benchmarks.hog_svm``: of
MNIST's and CIFAR-10's pictures there the last sixth, which no choice was made on and which is not
the official test set.
"""

from vision.checks import check_integer


def hog_svm(size=32, pixels_per_cell=8, cells_per_block=2, C=3.0):
    """Shape, the classic: HOG, its principal components and an SVM with a Gaussian kernel.

    Accuracy on MNIST 0.991 ± 0.002 (``hog_svm(28, 4, 3)``), on CIFAR-10 0.568 ± 0.017.

    Parameters
    ----------
    size : int, default=32
        Width and height in pixels that images are resized to.
    pixels_per_cell, cells_per_block : int, default=8 and 2
        Of `HOG`. For drawings and digits cells of 4 pixels and blocks of 3 cells.
    C : float, default=3
        Of the SVM: the weight of examples on the wrong side.

    Returns
    -------
    Pipeline
        ``Resize >> HOG >> PCA >> SVC``, for gray or rgb images, uint8.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    References
    ----------
    N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005,
    doi:10.1109/CVPR.2005.177.

    Examples
    --------
    >>> hog_svm().named_steps["hog"]
    HOG(cells_per_block=2)
    """
    from sklearn.decomposition import PCA
    from sklearn.svm import SVC

    from classical.hog import HOG

    hog = HOG(pixels_per_cell=pixels_per_cell, cells_per_block=cells_per_block)
    # Components that hold 90% of the variance: a few of the numbers, and as good as all.
    return _resized(size) >> _checked(hog) >> PCA(0.9, svd_solver="covariance_eigh") >> SVC(C=C)


def hog_linear_svm(size=32, pixels_per_cell=8, cells_per_block=2, C=0.001):
    """Shape, fast: HOG and a linear SVM, as Dalal and Triggs have it.

    Accuracy on MNIST 0.982 ± 0.003 (``hog_linear_svm(28, 4, 3)``), on CIFAR-10 0.490 ± 0.017.

    Parameters
    ----------
    size : int, default=32
        Width and height in pixels that images are resized to.
    pixels_per_cell, cells_per_block : int, default=8 and 2
        Of `HOG`.
    C : float, default=0.001
        Of the SVM: the weight of examples on the wrong side.

    Returns
    -------
    Pipeline
        ``Resize >> HOG >> StandardScaler >> LinearSVC``, for gray or rgb images, uint8.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> list(hog_linear_svm().named_steps)
    ['resize', 'hog', 'standardscaler', 'linearsvc']
    """
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    from classical.hog import HOG

    hog = HOG(pixels_per_cell=pixels_per_cell, cells_per_block=cells_per_block)
    return _resized(size) >> _checked(hog) >> StandardScaler() >> LinearSVC(C=C, random_state=0)


def hog_color_svm(size=32, pixels_per_cell=8, cells_per_block=2, bins=8, C=3.0):
    """Shape and colour: HOG beside a colour histogram, principal components and an SVM.

    Accuracy on CIFAR-10 0.603 ± 0.017.

    Parameters
    ----------
    size : int, default=32
        Width and height in pixels that images are resized to.
    pixels_per_cell, cells_per_block : int, default=8 and 2
        Of `HOG`.
    bins : int, default=8
        Of `ColorHistogram`.
    C : float, default=3
        Of the SVM: the weight of examples on the wrong side.

    Returns
    -------
    Pipeline
        ``Resize >> Branches(HOG, ColorHistogram) >> PCA >> SVC``, for rgb images, uint8.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> list(hog_color_svm().named_steps)
    ['resize', 'branches', 'pca', 'svc']
    """
    from sklearn.decomposition import PCA
    from sklearn.svm import SVC

    from classical.features import ColorHistogram
    from classical.hog import HOG
    from vision.branches import Branches

    hog = HOG(pixels_per_cell=pixels_per_cell, cells_per_block=cells_per_block)
    both = Branches({"shape": _checked(hog), "color": _checked(ColorHistogram(bins))})
    return _resized(size) >> both >> PCA(0.9, svd_solver="covariance_eigh") >> SVC(C=C)


def lbp_knn(n_neighbors=5, grid=4):
    """Texture: local binary patterns of a grid, and the nearest neighbours.

    Accuracy on MNIST 0.944 ± 0.005, on CIFAR-10 0.353 ± 0.016.

    Parameters
    ----------
    n_neighbors : int, default=5
        How many of the nearest examples decide.
    grid : int, default=4
        Of `LBP`: parts along each side that are counted each for itself; 1 for a texture that is
        alike everywhere.

    Returns
    -------
    Pipeline
        ``Gray >> LBP >> KNeighborsClassifier``, for rgb or gray images of any size, uint8.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    References
    ----------
    T. Ahonen, A. Hadid and M. Pietikäinen, "Face description with local binary patterns", IEEE
    TPAMI 28(12), 2006, doi:10.1109/TPAMI.2006.244.

    Examples
    --------
    >>> lbp_knn().named_steps["lbp"]
    LBP(grid=4, method='nri_uniform')
    """
    from sklearn.neighbors import KNeighborsClassifier

    from classical.colour import Gray
    from classical.texture import LBP

    check_integer("n_neighbors", n_neighbors, owner="lbp_knn", at_least=1)
    patterns = _checked(LBP(method="nri_uniform", grid=grid))
    return Gray() >> patterns >> KNeighborsClassifier(n_neighbors)


def histogram_forest(bins=8, random_state=0):
    """Colour alone: histograms of hue, saturation and value, and a random forest.

    Accuracy on CIFAR-10 0.369 ± 0.016.

    Parameters
    ----------
    bins : int, default=8
        Of `ColorHistogram`.
    random_state : int, default=0
        Seed of the forest.

    Returns
    -------
    Pipeline
        ``ToHSV >> ColorHistogram >> RandomForestClassifier``, for rgb images of any size, uint8.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    References
    ----------
    M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer Vision 7(1),
    1991, doi:10.1007/BF00130487.

    Examples
    --------
    >>> list(histogram_forest().named_steps)
    ['tohsv', 'colorhistogram', 'randomforestclassifier']
    """
    from sklearn.ensemble import RandomForestClassifier

    from classical.colour import ToHSV
    from classical.features import ColorHistogram

    histogram = _checked(ColorHistogram(bins, "hsv"))
    return ToHSV() >> histogram >> RandomForestClassifier(200, random_state=random_state)


def words_svm(size=96, n_words=300, C=3.0, random_state=0):
    """Local patches wherever they lie: a bag of visual words and an SVM.

    Accuracy on CIFAR-10 0.314 ± 0.016.

    Parameters
    ----------
    size : int, default=96
        Longer side in pixels that images are resized to: SIFT finds little in small ones.
    n_words : int, default=300
        Of `BagOfVisualWords`.
    C : float, default=3
        Of the SVM: the weight of examples on the wrong side.
    random_state : int, default=0
        Seed of the words.

    Returns
    -------
    Pipeline
        ``Gray >> Resize >> BagOfVisualWords >> StandardScaler >> SVC``, for rgb or gray images,
        uint8.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    References
    ----------
    G. Csurka, C. Dance, L. Fan, J. Willamowski and C. Bray, "Visual categorization with bags of
    keypoints", ECCV workshop on statistical learning in computer vision, 2004.

    Examples
    --------
    >>> words_svm().named_steps["bagofvisualwords"]
    BagOfVisualWords(n_words=300)
    """
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from classical.colour import Gray
    from classical.geometry import Resize
    from classical.visual_words import BagOfVisualWords

    words = _checked(BagOfVisualWords(n_words=n_words, random_state=random_state))
    return Gray() >> _checked(Resize(longest=size)) >> words >> StandardScaler() >> SVC(C=C)


def pixels_bayes(size=16):
    """The simplest: gray levels of a small square, each with a normal distribution for each class.

    Accuracy on MNIST 0.554 ± 0.010 (``pixels_bayes(14)``), on CIFAR-10 0.247 ± 0.015.

    Parameters
    ----------
    size : int, default=16
        Of `RawPixels`.

    Returns
    -------
    Pipeline
        ``Gray >> RawPixels >> GaussianNB``, for rgb or gray images of any size, uint8: what every
        other recipe should beat.

    Raises
    ------
    ParameterError
        If `size` is not whole or below 1.

    Examples
    --------
    >>> list(pixels_bayes().named_steps)
    ['gray', 'rawpixels', 'gaussiannb']
    """
    from sklearn.naive_bayes import GaussianNB

    from classical.colour import Gray
    from classical.features import RawPixels

    return Gray() >> _checked(RawPixels(size)) >> GaussianNB()


def _resized(size):
    from classical.geometry import Resize

    return _checked(Resize(size))


def _checked(step):
    """The step, refused now rather than at `fit` if a parameter makes no sense."""
    step.check_params()
    return step
