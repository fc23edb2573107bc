"""Convolution, against the published example, SciPy and shifts by hand."""

import numpy as np
import pytest
from scipy import ndimage, signal
from skimage import data

import vision
from classical.colour import Gray
from classical.convolution import Convolution
from classical.intensity import ToFloat
from vision.errors import ImageError, KindError, ParameterError
from vision.kinds import Kind

VERTICAL = [[1, 0, -1]] * 3
# A. Ng, "Convolutional Neural Networks", deeplearning.ai, week 1: vertical edge detection.
LECTURE = np.array(
    [[7, 2, 3, 3, 8], [4, 5, 3, 8, 4], [3, 3, 2, 8, 4], [2, 8, 7, 2, 7], [5, 4, 4, 5, 4]], np.uint8
)
MODES = {
    "reflect": "mirror",
    "edge": "nearest",
    "symmetric": "reflect",
    "constant": "constant",
    "wrap": "wrap",
}
RNG = np.random.default_rng(0)


def test_the_lectures_example_comes_out():
    response = Convolution(VERTICAL, padding="valid")(LECTURE)
    assert response.tolist() == [[6, -9, -8], [-3, -2, -3], [-3, 0, -2]]
    assert response.dtype == np.float32


def test_it_is_the_cross_correlation_of_scipy():
    image = data.camera()[:90, :120]
    kernel = RNG.normal(size=(3, 5))
    expected = signal.correlate2d(image.astype(float), kernel, mode="valid")
    assert np.allclose(Convolution(kernel, padding="valid")(image), expected, atol=1e-3)
    assert not np.allclose(
        Convolution(kernel[::-1, ::-1], padding="valid")(image), expected, atol=1
    )


@pytest.mark.parametrize("border", MODES)
@pytest.mark.parametrize("shape", [(3, 3), (5, 1), (2, 4), (1, 7), (13, 15)])
def test_borders_are_scipys_under_numpys_names(border, shape):
    kernel = RNG.normal(size=shape)
    for image in (data.camera()[:40, :50], data.coins()[:7, :9].astype(np.uint16) * 257):
        expected = ndimage.correlate(image.astype(float), kernel, mode=MODES[border])
        found = Convolution(kernel, border=border)(image)
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max() + 2e-3)


def test_the_border_is_mirrored_by_default():
    kernel = RNG.normal(size=(5, 5))
    expected = ndimage.correlate(data.coins().astype(float), kernel, mode="mirror")
    assert np.allclose(Convolution(kernel)(data.coins()), expected, atol=2e-3)


def test_a_kernel_with_a_single_one_shifts():
    image = data.coins()
    right = Convolution([[1, 0, 0]], output="image", border="constant")(image)
    assert np.array_equal(right[:, 1:], image[:, :-1])
    assert not right[:, 0].any()
    down = Convolution([[1], [0], [0]], output="image", border="wrap")(image)
    assert np.array_equal(down, np.roll(image, 1, axis=0))


def test_an_image_is_rounded_and_cut_off_channel_by_channel():
    coffee = data.coffee()
    sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    for image, white in ((coffee, 255), (coffee.astype(np.uint16) * 257, 65535)):
        planes = [
            ndimage.correlate(image[..., channel].astype(float), sharpen, mode="mirror")
            for channel in range(3)
        ]
        found = Convolution(sharpen, output="image")(image)
        assert found.dtype == image.dtype
        assert np.array_equal(found, np.clip(np.stack(planes, axis=-1), 0, white))
    blurred = Convolution(np.full((3, 3), 1 / 9), output="image")(data.camera())
    expected = ndimage.uniform_filter(data.camera().astype(float), 3, mode="mirror")
    assert np.abs(blurred - expected).max() < 0.51


def test_floats_are_cut_off_and_maps_are_not():
    sharpen = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    image = ToFloat()(data.camera())
    expected = ndimage.correlate(image.astype(float), sharpen, mode="mirror")
    assert expected.min() < 0 < 1 < expected.max()
    found = Convolution(sharpen, output="image")(image)
    assert np.allclose(found, np.clip(expected, 0, 1), atol=1e-5)
    assert np.allclose(Convolution(sharpen)(image), expected, atol=1e-5)


def test_the_kinds_follow_the_output():
    assert Convolution(VERTICAL).takes == (Kind.GRAY, Kind.MAP)
    assert Convolution(VERTICAL).gives_for(Kind.MASK) is Kind.MAP
    image = Convolution(VERTICAL, output="image")
    assert [image.gives_for(kind) for kind in (Kind.RGB, Kind.MASK, Kind.FLOAT)] == [
        Kind.RGB,
        Kind.GRAY,
        Kind.FLOAT,
    ]
    with pytest.raises(KindError, match="Convolution takes a gray image"):
        Convolution(VERTICAL)(data.coffee())


def test_without_padding_points_find_their_way_back():
    image = np.zeros((20, 30), np.uint8)
    image[8, 17] = 100
    step = Convolution(np.ones((3, 6)), padding="valid")
    response = step(image)
    assert response.shape == (18, 25)
    x, y = (step.to_input(image) @ [0, 0, 1])[:2]
    # the first window covers columns 0 to 5 and rows 0 to 2; it belongs to column 3, row 1
    assert (x, y) == (3, 1)
    assert Convolution(VERTICAL).to_input(image) is None
    from classical.threshold import Threshold

    found = (Convolution([[1]], padding="valid") >> Threshold(50))(image)
    assert np.array_equal(found > 0, image == 100)
    one = np.zeros((3, 3))
    one[1, 1] = 1
    back = (Convolution(one, padding="valid") >> Threshold(50))(image)
    assert np.array_equal(np.argwhere(back), [[8, 17]])


def test_a_picture_smaller_than_the_kernel_is_refused_without_padding():
    with pytest.raises(
        ImageError, match=r"at least 3 x 5 pixels.*Got one of 4 x 4.*padding='same'"
    ):
        Convolution(np.ones((5, 3)), padding="valid")(np.zeros((4, 4), np.uint8))
    assert Convolution(np.ones((5, 3)), padding="valid")(np.ones((5, 3), np.uint8)).item() == 15


def test_kernels_may_be_lists_tuples_and_arrays_and_travel_as_text(tmp_path):
    camera = data.camera()
    expected = Convolution(VERTICAL)(camera)
    for kernel in (tuple(map(tuple, VERTICAL)), np.array(VERTICAL), np.float32(VERTICAL)):
        step = Convolution(kernel)
        assert np.array_equal(step(camera), expected)
        again = vision.from_text(vision.to_text(step, folder=tmp_path), folder=tmp_path)
        assert np.array_equal(again(camera), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kernel": [1, 0, -1]}, r"'kernel' of Convolution must be a table of finite numbers"),
        ({"kernel": [[1, 2], [3]]}, "'kernel'"),
        ({"kernel": [[]]}, "'kernel'"),
        ({"kernel": [[1, np.nan]]}, "'kernel'"),
        ({"kernel": [["a"]]}, "'kernel'"),
        ({"kernel": 3}, "'kernel'"),
        ({"kernel": VERTICAL, "output": "map"}, "'output' of Convolution"),
        ({"kernel": VERTICAL, "padding": "full"}, "'padding' of Convolution"),
        ({"kernel": VERTICAL, "border": "mirror"}, "'border' of Convolution"),
    ],
)
def test_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ParameterError, match=message):
        (Gray() >> Convolution(**parameters))(data.coffee())
