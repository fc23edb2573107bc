"""The advice of refusals: who follows it to the letter ends with an image that is taken."""

import re

import numpy as np
import pytest
from PIL import Image
from skimage import data

import vision
from classical import InRange, ToHSV, ToLab
from vision import catalogue
from vision.conversions import to_array, to_batch, to_many, to_mask, to_unit
from vision.errors import ImageError, KindError, VisionError
from vision.flow import takes_of
from vision.kinds import ARRAYS, Kind, check_input

CHAIN = re.compile(r"Put (?P<steps>.+) in front of|: (?P<first>(?:\w+\(\) >> )+)\w+\(\.\.\.\)")
EXPRESSION = re.compile(
    r"np\.\w+\(image.*?\)(?=\.)|image(?:\[[^\]]*\]|\.astype\([\w.]+\))(?: \* 255)?|image \* 255"
    r"|\w+\(\)\(image\)"
)

COLOR = data.coffee()[100:140, 200:260]
GRAY = COLOR[:, :, 1].copy()
DEEP = COLOR.astype(np.uint16) * 257
IMAGES = {
    "rgb": COLOR,
    "gray": GRAY,
    "bool": GRAY > 100,
    "bool rgb": COLOR > 100,
    "0 and 1": (GRAY > 100).astype(np.uint8),
    "uint16": DEEP[:, :, 1],
    "uint16 rgb": DEEP,
    "big-endian": DEEP.astype(">u2"),
    "big-endian float": (GRAY / 255).astype(">f4"),
    "float32": (GRAY / 255).astype(np.float32),
    "float32 rgb": (COLOR / 255).astype(np.float32),
    "float32 to 255": GRAY.astype(np.float32),
    "float64": GRAY / 255,
    "float64 rgb": COLOR / 255,
    "float64 to 255": COLOR.astype(np.float64),
    "float16": (GRAY / 255).astype(np.float16),
    "lab": ToLab()(COLOR),
    "lab of float64": ToLab()(COLOR).astype(np.float64),
    "lab with green and blue": ToLab()(COLOR[:, :, ::-1]),
    "map": GRAY - COLOR[:, :, 0].astype(np.float32),
    "map of float64": GRAY - COLOR[:, :, 0].astype(np.float64),
    "standardized": ((COLOR - COLOR.mean()) / COLOR.std()).astype(np.float32),
    "int64": GRAY.astype(np.int64),
    "int32": GRAY.astype(np.int32),
    "int16 rgb": COLOR.astype(np.int16),
    "alpha": np.dstack([COLOR, GRAY]),
    "one channel": GRAY[:, :, None],
    "channels first": np.moveaxis(COLOR, -1, 0),
    "one channel first": GRAY[None],
}


def run(expression, **names):
    steps = {name: catalogue.resolve(name) for name in re.findall(r"([A-Z]\w+)\(\)", expression)}
    return eval(expression, {"np": np, **steps, **names})  # noqa: S307


def follow(message, image):
    """What the advice of a message makes of an image."""
    chain = CHAIN.search(message)
    if chain:
        return run((chain["steps"] or chain["first"]).removesuffix(" >> "))(image)
    expression = EXPRESSION.search(message)
    assert expression, f"no advice in: {message}"
    return run(expression[0], image=image)


@pytest.mark.parametrize("name", catalogue.names())
def test_who_follows_the_advice_is_let_in(name):
    step = catalogue.make(name)
    takes = takes_of(step)
    if Kind.ANY in takes or not ARRAYS & set(takes):
        pytest.skip("takes no pictures alone")
    for form, image in IMAGES.items():
        said = []
        while len(said) < 5:
            try:
                check_input(image, takes, step.dtypes, name)
                break
            except VisionError as error:
                said.append(str(error))
                image = follow(said[-1], image)
        assert len(said) < 5, (form, said)
        assert image.shape[:2] == (40, 60)


class TestOneImage:
    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (None, r"Got None\. cv2\.imread gives None.*vision\.read\(path\) says why"),
            ("a.jpg", r"vision\.read\(path\)"),
            (b"\x89PNG", r"vision\.decode\(data\)"),
            (Image.new("RGB", (4, 3)), r"np\.asarray\(image\.convert\('RGB'\)\)"),
            (["a.jpg", "b.jpg"], r"a list of 2; .*transform\(vision\.Images\(paths\)\)"),
            ([GRAY, GRAY], r"transform\(images\)"),
            ([], r"transform\(images\)"),
            (np.zeros((2, 4, 5, 3), np.uint8), r"transform\(images\)"),
            (vision.Images([GRAY]), r"transform\(images\)"),
            ([[0, 255], [255, 0]], r"np\.array\(image, np\.uint8\)"),
            (np.zeros(7), r"Got an array of shape \(7,\)"),
            (3, r"Got a value of type int\.$"),
            (vision.Detections([[0, 0, 1, 1]]), r"Got a value of type Detections\.$"),
        ],
    )
    def test_what_is_no_array_of_an_image(self, value, said):
        with pytest.raises(KindError, match=said):
            check_input(value, (Kind.RGB, Kind.GRAY), ("uint8",), "MedianBlur")

    def test_where_gray_is_wanted_files_and_pictures_are_read_as_gray(self):
        with pytest.raises(KindError, match=r"vision\.read\(path, mode='gray'\)"):
            check_input("a.jpg", (Kind.GRAY,), ("uint8",), "Otsu")
        with pytest.raises(KindError, match=r"np\.asarray\(image\.convert\('L'\)\)"):
            check_input(Image.new("RGB", (4, 3)), (Kind.GRAY,), ("uint8",), "Otsu")

    def test_arrays_of_other_libraries(self):
        from scipy import sparse

        class Tensor:
            def numpy(self):
                return GRAY

        class Stored:
            def __array__(self, dtype=None, copy=None):
                return GRAY

        assert to_array(Tensor()) == "Give its array: image.numpy()."
        assert to_array(sparse.eye_array(3)) == "Give its array: image.toarray()."
        assert to_array(memoryview(b"\x89PNG")) == to_array(b"\x89PNG")
        assert to_array(Stored()) == "Give its array: np.asarray(image)."

    def test_one_row_of_floats_is_no_image_with_one_channel(self):
        with pytest.raises(KindError, match=r"image\[:, :, 0\]"):
            check_input(np.zeros((4, 5, 1), np.float32), (Kind.FEATURES,), ("uint8",), "PCA")

    def test_five_axes_are_no_cmyk(self):
        assert vision.kinds.kinds_of(np.zeros((2, 4, 5, 3), np.uint8)) == ()
        assert vision.kinds.kinds_of(np.zeros((2, 4, 5, 3, 1), np.float32)) == ()


class TestValues:
    @pytest.mark.parametrize(
        ("worst", "said"),
        [
            (255.0, r"from 0 to 255; levels of 0 to 255 are image\.astype\(np\.uint8\)"),
            (-1.0, r"from -1 to 0; Normalize\(\)\(image\) spreads them over 0 to 255"),
            (1000.0, "Normalize"),
            (np.nan, r"np\.nan_to_num"),
            (np.inf, r"np\.nan_to_num"),
        ],
    )
    def test_float_images_out_of_range(self, worst, said):
        image = np.zeros((3, 4), np.float32)
        image[1, 1] = worst
        with pytest.raises(ImageError, match=said):
            check_input(image, (Kind.FLOAT,), ("uint8",), "ToUint8")

    @pytest.mark.parametrize("name", ["lab", "lab of float64", "lab with green and blue", "map"])
    @pytest.mark.parametrize("owner", ["InRange", "Otsu", "ToUint8", "KMeansSegmenter"])
    def test_what_is_beyond_bytes_is_never_cast_to_them(self, name, owner):
        step = catalogue.make(owner)
        with pytest.raises(VisionError) as caught:
            check_input(IMAGES[name], takes_of(step), step.dtypes, owner)
        assert "image.astype(np.uint8)" not in str(caught.value)

    def test_true_lab_is_led_back_to_the_colours_that_were_meant(self):
        brown = InRange("hsv", (0, 150, 60), (12, 255, 255))
        with pytest.raises(KindError, match=r"true Lab\. Put LabToRGB\(\) >> ToHSV\(\)") as caught:
            brown(IMAGES["lab"])
        back = follow(str(caught.value), IMAGES["lab"])
        expected = brown(ToHSV()(COLOR))
        assert 0.1 < (expected > 0).mean() < 0.9
        assert (brown(back) == expected).mean() > 0.95
        with pytest.raises(ImageError, match=r"true Lab, of which LabToRGB\(\)\(image\) makes rgb"):
            check_input(IMAGES["lab"], (Kind.FLOAT,), (), "ToUint8")

    def test_fractions_are_no_lab(self):
        for image in (IMAGES["float64 rgb"], IMAGES["float64 rgb"][:0]):
            with pytest.raises(KindError, match=r"float32 in \[0, 1\]"):
                check_input(image, (Kind.RGB,), ("uint8",), "Gray")

    def test_what_is_not_finite_is_replaced_as_told(self):
        image = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
        right = follow(to_unit(image), image)
        assert right.tolist() == [[0, 1, 0, 0.5]]
        check_input(right, (Kind.FLOAT,), (), "ToUint8")


class TestMasks:
    @pytest.mark.parametrize(
        "array",
        [
            GRAY > 100,
            (GRAY > 100).astype(np.uint8),
            (GRAY > 100).astype(np.float64),
            (GRAY > 100) * 255,
            np.where(GRAY > 100, 200, 9).astype(np.uint8),
            np.where(GRAY > 100, GRAY, 0).astype(np.int32),
            np.where(GRAY > 100, 0.9, 0.2),
        ],
    )
    def test_who_follows_the_advice_has_the_mask(self, array):
        expression = to_mask(array, "image").split("a mask is ")[1].removesuffix(".")
        assert np.array_equal(run(expression, image=array), np.where(GRAY > 100, 255, 0))

    def test_the_first_values_are_told(self):
        told = to_mask(np.arange(9, dtype=np.uint8)[None])
        assert told.startswith("Its values are 0, 1, 2, 3, ...: a mask is np.where(mask > 0")
        assert to_mask(COLOR) == to_mask(GRAY[:0]) == ""


class TestBatches:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"a": 1}, "list(images.values())"),
            (iter([]), "list(images)"),
            (Image.new("RGB", (4, 3)), "[np.asarray(image.convert('RGB'))]"),
            ("photos/", "vision.Images(path)"),
            (None, "vision.read(path) says why"),
            (7, ""),
        ],
    )
    def test_what_is_no_batch(self, value, expected):
        assert expected in to_batch(value)

    def test_one_image_is_no_collection(self):
        assert to_many(GRAY) == to_many(7) == to_many("a.jpg") == ""
