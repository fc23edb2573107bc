"""The catalogue: every name that a pipeline file may use, readable without importing any of it.

Names resolve on use, so that listing them loads neither scikit-learn nor TensorFlow.
"""

import importlib
import importlib.resources

from vision.errors import MissingDependencyError, UnknownNameError
from vision.names_elsewhere import LIBRARIES, called_here
from vision.nearest import did_you_mean

# Where each step and pipeline class lives; `vision steps` lists them in this order.
STEPS = {
    "Gray": "classical.colour",
    "ToRGB": "classical.colour",
    "ToHSV": "classical.colour",
    "HSVToRGB": "classical.colour",
    "ToHLS": "classical.colour",
    "HLSToRGB": "classical.colour",
    "ToLab": "classical.colour",
    "LabToRGB": "classical.colour",
    "ToYCrCb": "classical.colour_devices",
    "YCrCbToRGB": "classical.colour_devices",
    "ToCMYK": "classical.colour_devices",
    "CMYKToRGB": "classical.colour_devices",
    "Channel": "classical.colour_channels",
    "WhiteBalance": "classical.white_balance",
    "ColorDistance": "classical.colour_distance",
    "ToUint8": "classical.intensity",
    "ToFloat": "classical.intensity",
    "Normalize": "classical.intensity",
    "ContrastStretching": "classical.tone",
    "GammaCorrection": "classical.tone",
    "BrightnessContrast": "classical.tone",
    "Negative": "classical.tone",
    "HistogramEqualization": "classical.histogram",
    "CLAHE": "classical.histogram",
    "HistogramMatching": "classical.histogram",
    "Resize": "classical.geometry",
    "Letterbox": "classical.geometry",
    "Crop": "classical.framing",
    "Pad": "classical.framing",
    "Flip": "classical.framing",
    "Rotate": "classical.affine",
    "Affine": "classical.affine",
    "Perspective": "classical.perspective",
    "Rectify": "classical.perspective",
    "GaussianBlur": "classical.filters",
    "MedianBlur": "classical.filters",
    "BoxBlur": "classical.filters",
    "UnsharpMask": "classical.filters",
    "Convolution": "classical.convolution",
    "BilateralFilter": "classical.denoising",
    "NonLocalMeans": "classical.denoising",
    "TotalVariation": "classical.denoising",
    "GaussianNoise": "classical.noise",
    "SaltAndPepperNoise": "classical.noise",
    "SpeckleNoise": "classical.noise",
    "PoissonNoise": "classical.noise",
    "NoiseLevel": "classical.noise",
    "JPEGCompression": "classical.compression",
    "Otsu": "classical.threshold",
    "InRange": "classical.threshold",
    "Threshold": "classical.threshold",
    "Triangle": "classical.threshold",
    "AutoThreshold": "classical.auto_threshold",
    "MultiOtsu": "classical.auto_threshold",
    "AdaptiveThreshold": "classical.local_threshold",
    "Niblack": "classical.local_threshold",
    "Sauvola": "classical.local_threshold",
    "HysteresisThreshold": "classical.local_threshold",
    "Erosion": "classical.morphology",
    "Dilation": "classical.morphology",
    "Opening": "classical.morphology",
    "Closing": "classical.morphology",
    "MorphologicalGradient": "classical.residues",
    "TopHat": "classical.residues",
    "BlackHat": "classical.residues",
    "HitOrMiss": "classical.residues",
    "Skeleton": "classical.skeleton",
    "FillHoles": "classical.mask_cleaning",
    "RemoveSmallObjects": "classical.mask_cleaning",
    "KeepLargest": "classical.mask_cleaning",
    "ClearBorder": "classical.mask_cleaning",
    "Reconstruction": "classical.reconstruction",
    "HMaxima": "classical.reconstruction",
    "HMinima": "classical.reconstruction",
    "LocalMaxima": "classical.reconstruction",
    "DistanceTransform": "classical.distance",
    "ApplyMask": "classical.bitwise",
    "Canny": "classical.edges",
    "Sobel": "classical.gradients",
    "Scharr": "classical.gradients",
    "Prewitt": "classical.gradients",
    "Roberts": "classical.gradients",
    "Laplacian": "classical.zero_crossings",
    "LoG": "classical.zero_crossings",
    "DoG": "classical.zero_crossings",
    "FindContours": "classical.contours",
    "FilterContours": "classical.contour_filters",
    "FilterByColor": "classical.contour_filters",
    "MatchShapes": "classical.shape_matching",
    "ApproximatePolygons": "classical.contours",
    "ConvexHulls": "classical.contours",
    "FillContours": "classical.contours",
    "ConnectedComponents": "classical.regions",
    "FilterRegions": "classical.regions",
    "LabelsToMask": "classical.regions",
    "HoughLines": "classical.lines",
    "HoughSegments": "classical.lines",
    "LineSegmentDetector": "classical.lines",
    "RANSACLines": "classical.line_fitting",
    "MergeLines": "classical.line_fitting",
    "HoughCircles": "classical.circles",
    "HarrisCorners": "classical.corners",
    "ShiTomasiCorners": "classical.corners",
    "FAST": "classical.corners",
    "ORB": "classical.keypoints",
    "SIFT": "classical.keypoints",
    "LoGBlobs": "classical.blobs",
    "DoGBlobs": "classical.blobs",
    "SimpleBlobs": "classical.simple_blobs",
    "Frangi": "classical.ridges",
    "Sato": "classical.ridges",
    "CheckerboardCorners": "classical.calibration",
    "FindObject": "classical.matching",
    "AlignTo": "classical.matching",
    "KMeansSegmenter": "classical.segmentation",
    "MeanShiftSegmenter": "classical.mean_shift",
    "Watershed": "classical.watershed",
    "DistanceWatershed": "classical.watershed",
    "FloodFill": "classical.region_growing",
    "RegionGrowing": "classical.region_growing",
    "SplitAndMerge": "classical.region_merging",
    "SLIC": "classical.superpixels",
    "Felzenszwalb": "classical.superpixels",
    "GrabCut": "classical.grabcut",
    "ChanVese": "classical.active_contours",
    "PixelClassifier": "classical.pixel_classifier",
    "RawPixels": "classical.features",
    "ColorHistogram": "classical.features",
    "HOG": "classical.hog",
    "LBP": "classical.texture",
    "GLCM": "classical.cooccurrence",
    "GaborBank": "classical.gabor",
    "HuMoments": "classical.shape_features",
    "BagOfVisualWords": "classical.visual_words",
    "ToDetections": "classical.detection",
    "MatchTemplate": "classical.template_matching",
    "HOGDetector": "classical.sliding_window",
    "FindFaces": "classical.faces",
    "FindQRCodes": "classical.codes",
    "FindBarcodes": "classical.codes",
    "CNNClassifier": "deep.classifier",
    "CNNFeatures": "deep.features",
    "RandomFlip": "deep.augmentation_geometry",
    "RandomCrop": "deep.augmentation_geometry",
    "RandomRotation": "deep.augmentation_geometry",
    "RandomTranslation": "deep.augmentation_geometry",
    "RandomZoom": "deep.augmentation_geometry",
    "RandomShear": "deep.augmentation_geometry",
    "RandomBrightness": "deep.augmentation_colour",
    "RandomContrast": "deep.augmentation_colour",
    "RandomSaturation": "deep.augmentation_colour",
    "RandomHue": "deep.augmentation_colour",
    "RandomNoise": "deep.augmentation_local",
    "RandomBlur": "deep.augmentation_local",
    "RandomErasing": "deep.augmentation_local",
    "MixUp": "deep.augmentation_mixing",
    "CutMix": "deep.augmentation_mixing",
    "Not": "vision.bitwise",
    "And": "vision.bitwise",
    "Or": "vision.bitwise",
    "Xor": "vision.bitwise",
    "Branches": "vision.branches",
    "Pick": "vision.branches",
    "ForEach": "vision.foreach",
    "Explain": "vision.explaining",
    "Pipeline": "vision.pipeline",
}

# Ready pipelines: functions that make them, which a study may name.
RECIPES = dict.fromkeys(
    (
        "histogram_forest",
        "hog_color_svm",
        "hog_linear_svm",
        "hog_svm",
        "lbp_knn",
        "pixels_bayes",
        "words_svm",
    ),
    "classical.recipes",
)

# What explains a classifier's answer: a module with a function explain_<name>, a + being a p.
EXPLAINERS = {
    "occlusion": "vision.occlusion",
    "gradcam": "deep.explain.gradcam",
    "cam": "deep.explain.cam",
    "gradcam++": "deep.explain.gradcam_pp",
    "layercam": "deep.explain.layercam",
    "scorecam": "deep.explain.scorecam",
    "eigencam": "deep.explain.eigencam",
    "guided": "deep.explain.guided",
    "integrated": "deep.explain.integrated",
    "smoothgrad": "deep.explain.smoothgrad",
    "hog": "classical.explain",
    "histogram": "classical.explain",
    "words": "classical.explain",
}


def names():
    """The names of all steps of the toolkit, in order of topic.

    Examples
    --------
    >>> "Canny" in names()
    True
    """
    return [name for name in STEPS if name != "Pipeline"]


def resolve(name):
    """The class behind a name: one of ours, or one of scikit-learn's public estimators.

    Parameters
    ----------
    name : str
        A class name such as ``"Canny"`` or ``"SVC"``.

    Returns
    -------
    type

    Raises
    ------
    UnknownNameError
        If the catalogue does not hold it; the message suggests the nearest name.
    MissingDependencyError
        If it is one of XGBoost's, and that is not installed.

    Examples
    --------
    >>> resolve("SVC")
    <class 'sklearn.svm._classes.SVC'>
    >>> resolve("Cany")
    Traceback (most recent call last):
    ...
    vision.errors.UnknownNameError: There is no step named 'Cany'. Did you mean 'Canny'?
    """
    from vision.sklearn_names import SKLEARN

    module = STEPS.get(name) or SKLEARN.get(name)
    if module is None:
        raise unknown_step(name)
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name != "xgboost":
            raise
        raise MissingDependencyError(
            f"{name} needs XGBoost, which is not installed: pip install xgboost"
        ) from None


def unknown_step(name):
    """The error that says what was probably meant by a name that the catalogue does not hold.

    Examples
    --------
    >>> unknown_step("erode")
    UnknownNameError("There is no step named 'erode'. OpenCV's 'erode' is Erosion here.")
    """
    from vision.sklearn_names import SKLEARN

    package, _, bare = str(name).rpartition(".")
    meant = bare if package.partition(".")[0] in LIBRARIES else name
    hint = called_here(name) or did_you_mean(meant, [*STEPS, *SKLEARN])
    hint = hint or "'vision steps' lists the names."
    return UnknownNameError(f"There is no step named {name!r}. {hint}")


def check_method(name, owner="explain"):
    """Refuse what is no name of a method of explaining; nothing is imported.

    Raises
    ------
    ParameterError
        If it is no text.
    UnknownNameError
        If it is not among `EXPLAINERS`; the message suggests the nearest name.

    Examples
    --------
    >>> check_method("gradcm")
    Traceback (most recent call last):
    ...
    vision.errors.UnknownNameError: There is no method of explaining named 'gradcm'.
    Did you mean 'gradcam'?
    """
    if not isinstance(name, str):
        from vision.checks import refuse

        refuse("method", name, "the name of a method", owner)
    if name not in EXPLAINERS:
        hint = did_you_mean(name, EXPLAINERS) or f"There are {', '.join(EXPLAINERS)}."
        raise UnknownNameError(f"There is no method of explaining named {name!r}. {hint}")


def make(name):
    """A working instance of a step, with its defaults or the catalogue's example parameters.

    Examples
    --------
    >>> make("Resize")
    Resize(size=64)
    """
    cls = resolve(name)
    return cls.make_example() if hasattr(cls, "make_example") else cls(**cls.example)


def name_of(cls):
    """The catalogue's name of a class, or None if it is not in it.

    Examples
    --------
    >>> from classical import Canny
    >>> name_of(Canny), name_of(int)
    ('Canny', None)
    """
    from vision.sklearn_names import SKLEARN

    name = cls.__name__
    known = name in STEPS or name in SKLEARN
    return name if known and resolve(name) is cls else None
