"""The catalogue against the packages and against scikit-learn's own list."""

import cv2
import pytest
import skimage
from scipy import ndimage
from sklearn.utils.discovery import all_estimators

import classical
import vision
from vision import UnknownNameError, catalogue
from vision.cli_steps import describe_step
from vision.names_elsewhere import NAMES
from vision.sklearn_names import SKLEARN
from vision.step import ImageEstimator


@pytest.mark.parametrize("name", catalogue.names())
def test_every_name_resolves_to_a_step_that_can_be_made(name):
    assert issubclass(catalogue.resolve(name), ImageEstimator)
    assert type(catalogue.make(name)) is catalogue.resolve(name)
    assert catalogue.name_of(catalogue.resolve(name)) == name


def test_scikit_learns_public_estimators_are_all_there_and_nothing_else():
    listed = dict(all_estimators())
    assert set(SKLEARN) >= set(listed)
    for name, cls in listed.items():
        if name == "Pipeline":  # ours stands in its place, and is one
            assert issubclass(catalogue.resolve(name), cls)
            continue
        assert catalogue.resolve(name) is cls


def test_no_name_means_two_things():
    assert not set(catalogue.STEPS) & (set(SKLEARN) - {"Pipeline"})


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'FindContour'\. Did you mean 'FindContours'"):
        catalogue.resolve("FindContour")
    with pytest.raises(UnknownNameError, match="vision steps"):
        catalogue.resolve("os.system")


def exists(path):
    """Whether a phrase of the table, as Erosion, Contours.areas or vision.read, is public here."""
    first, _, attribute = path.partition(".")
    if first == "vision":
        return attribute in vision.__all__
    owner = catalogue.STEPS.get(first) or (first in vision.__all__ and getattr(vision, first))
    return bool(owner) and (not attribute or hasattr(owner, attribute))


@pytest.mark.parametrize("library", NAMES)
def test_what_it_is_called_elsewhere_exists_there_and_here(library):
    spaces = {
        "OpenCV": [cv2, cv2.barcode],
        "SciPy": [ndimage],
        "scikit-image": [getattr(skimage, name) for name in skimage.__all__],
    }[library]
    gone = {"CascadeClassifier", "HOGDescriptor"} if library == "OpenCV" else set()  # with OpenCV 5
    for theirs, ours in NAMES[library].items():
        assert theirs in gone or any(hasattr(space, theirs) for space in spaces), theirs
        assert all(exists(path) for path in ours.split(", ")), ours


def test_no_name_elsewhere_is_one_of_ours_in_another_spelling():
    spelled = {name.lower() for name in [*catalogue.STEPS, *SKLEARN]}
    told = {theirs.lower() for names in NAMES.values() for theirs in names}
    assert told & spelled == {"threshold", "normalize", "kmeans"}  # scikit-learn has KMeans


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("erode", r"OpenCV's 'erode' is Erosion here\."),
        ("Dilate", r"OpenCV's 'dilate' is Dilation here\."),
        ("cv2.HoughLinesP", r"OpenCV's 'HoughLinesP' is HoughSegments here\."),
        ("skimage.filters.threshold_otsu", r"scikit-image's 'threshold_otsu' is Otsu here\."),
        ("cvtColor", r"is Gray, ToHSV, ToHLS, ToLab or ToYCrCb here\."),
        ("medianBlur", r"Did you mean 'MedianBlur'\?"),
        ("skimage.segmentation.slic", r"Did you mean 'SLIC'\?"),
        ("cv2.ORB.create", r"OpenCV's 'ORB_create' is ORB here\."),
        ("scipy.ndimage.label", r"SciPy's 'label' is ConnectedComponents here\."),
        ("ndimage.median_filter", r"SciPy's 'median_filter' is MedianBlur here\."),
        ("torch.permute", "'vision steps' lists the names"),
    ],
)
def test_a_name_of_another_library_is_answered_with_ours(name, meant):
    with pytest.raises(UnknownNameError, match=meant):
        catalogue.resolve(name)
    with pytest.raises(UnknownNameError, match=meant):
        describe_step(name)
    if name.isidentifier() and "steps" not in meant:
        with pytest.raises(AttributeError, match=meant):
            getattr(classical, name)


@pytest.mark.parametrize(
    ("package", "name", "meant"),
    [
        (vision, "imread", r"'imread' is vision\.read here\."),
        (vision, "Canny", r"'classical' has Canny\."),
        (vision, "medianBlur", r"'classical' has MedianBlur\."),
        (classical, "medianBlur", r"Did you mean 'MedianBlur'\?"),
        (vision, "RandomFlip", r"'deep' has RandomFlip\."),
        (classical, "compare", r"'vision' has compare\."),
        (classical, "Pipeline", r"'vision' has Pipeline\."),
        (vision, "Pipelin", r"Did you mean 'Pipeline'\?"),
    ],
)
def test_a_name_that_a_package_lacks_is_answered_with_its_home(package, name, meant):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'. .*{meant}"):
        getattr(package, name)


def test_nothing_is_guessed_for_what_python_itself_looks_up():
    with pytest.raises(AttributeError, match=r"has no attribute '__wrapped__'\.$"):
        _ = vision.__wrapped__
