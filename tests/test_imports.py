"""What an import loads, proven in a fresh interpreter; the public names; the layers."""

import json
import subprocess
import sys

import pytest

import classical
import deep
import vision

HEAVY = ("numpy", "cv2", "sklearn", "skimage", "scipy", "tensorflow", "keras", "matplotlib", "PIL")


def loaded_after(code):
    """The heavy modules that a fresh interpreter holds after running `code`."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    modules = set(json.loads(result.stdout.splitlines()[-1]))
    return modules & set(HEAVY)


def test_the_three_packages_load_nothing_heavy():
    assert loaded_after("import vision, classical, deep") == set()


def test_the_catalogue_is_listed_without_loading_anything():
    assert loaded_after("import vision.catalogue\nassert vision.catalogue.names()") == set()


@pytest.mark.parametrize(
    "code",
    [
        "from classical import Canny, Gray; Gray() >> Canny()",
        "import vision; vision.Images; vision.read; vision.Contours",
        "import vision; vision.from_text('- Gray\\n- Canny\\n')",
    ],
)
def test_tensorflow_is_never_loaded_by_classical_work(code):
    assert not loaded_after(code) & {"tensorflow", "keras", "matplotlib"}


def test_reading_images_needs_no_scikit_learn():
    code = "import vision; vision.read; vision.write; vision.Contours"
    assert "sklearn" not in loaded_after(code)


def test_a_missing_system_library_gets_a_sentence(tmp_path):
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file')"
    )
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import vision\n"
        "try:\n    vision.read\nexcept vision.MissingDependencyError as error:\n    print(error)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "libGL.so.1" in result.stdout
    assert "apt-get install libgl1" in result.stdout
    assert result.stderr == ""


# The public inventory: a name comes or goes only together with a line here.
PUBLIC = {
    vision: """
        And Branches Circles Classification Contours Detections Explain FeatureStep ForEach
        Heatmap ImageError ImageIndexError ImageNotFoundError Images Keypoints Kind
        KindError Lines LoadError Matches MergeSummary MissingDependencyError Not Or
        OutputExistsError ParameterError Pick Pipeline Quadrilaterals RunStatus RunSummary
        Segmentation Step Trace UnknownNameError VisionError WriteError Xor
        average_precision baseline_map boundary_f chain compare confidence_change decode
        deletion_curve encode explain faithfulness_table from_text insertion_curve interact iou load
        map_correlation mean_iou merge panoptic_quality pointing_game probe psnr read recall_at_k
        replay run sanity_check save show ssim status to_text write
        Estimate Tune Tuned accuracy_interval bootstrap_interval holm mcnemar paired_bootstrap tune
    """,
    classical: """
        AdaptiveThreshold Affine AlignTo And ApplyMask ApproximatePolygons BlackHat
        BrightnessContrast CLAHE CMYKToRGB Canny Channel CheckerboardCorners ClearBorder
        Closing ColorDistance ColorHistogram ConnectedComponents ContrastStretching
        ConvexHulls Crop Dilation DistanceTransform DoGBlobs Erosion FAST FillContours
        FillHoles FilterByColor FilterContours FilterRegions FindContours FindObject Flip
        Frangi GammaCorrection GaussianBlur Gray JPEGCompression HLSToRGB HMaxima HMinima HSVToRGB
        HarrisCorners HistogramEqualization HistogramMatching HitOrMiss HoughCircles
        HoughLines HoughSegments InRange KMeansSegmenter KeepLargest LabToRGB LabelsToMask
        Letterbox LineSegmentDetector LoG LoGBlobs LocalMaxima MatchShapes MedianBlur
        MergeLines MorphologicalGradient Negative Normalize Not ORB Opening Or Otsu Pad
        Perspective RANSACLines RawPixels Reconstruction Rectify RemoveSmallObjects Resize
        Rotate SIFT Sato ShiTomasiCorners SimpleBlobs Skeleton Sobel Threshold ToCMYK
        ToFloat ToHLS ToHSV ToLab ToRGB ToUint8 ToYCrCb TopHat WhiteBalance Xor YCrCbToRGB
        AutoThreshold BilateralFilter BoxBlur Convolution DoG GaussianNoise HysteresisThreshold
        Laplacian MultiOtsu Niblack NoiseLevel NonLocalMeans PoissonNoise Prewitt Roberts
        SaltAndPepperNoise Sauvola Scharr SpeckleNoise TotalVariation Triangle UnsharpMask
        DistanceWatershed Watershed ChanVese Felzenszwalb FloodFill GrabCut MeanShiftSegmenter
        PixelClassifier RegionGrowing SLIC SplitAndMerge
        HOG LBP GLCM GaborBank HuMoments BagOfVisualWords
        ToDetections MatchTemplate HOGDetector FindFaces FindQRCodes FindBarcodes
        feature_contributions feature_importance hog_glyphs
        histogram_forest hog_color_svm hog_linear_svm hog_svm lbp_knn pixels_bayes words_svm
    """,
    deep: """
        CNNClassifier CNNFeatures CutMix MixUp RandomBlur RandomBrightness RandomContrast RandomCrop
        RandomErasing RandomFlip RandomHue RandomNoise RandomRotation RandomSaturation RandomShear
        RandomTranslation RandomZoom augment augmentation_sheet build check_gradients
        compile_for_inference describe draw_receptive_field feature_maps first_filters
        list_architectures maximize_activation preprocessing receptive_box
    """,
}


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_the_public_names_are_these_and_all_resolve(package):
    assert package.__all__ == sorted(PUBLIC[package].split())
    for name in package.__all__:
        assert getattr(package, name).__doc__


def test_a_wrong_name_is_answered_with_the_right_one():
    with pytest.raises(AttributeError, match="Did you mean 'Canny'"):
        _ = classical.Cany
