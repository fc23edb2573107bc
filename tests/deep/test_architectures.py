"""The older networks: published parameter counts, and the figures of their papers."""

import keras
import numpy as np
import pytest

import deep
from deep.architectures import MODULES, find
from vision.errors import ParameterError

# (name, options, classes, all parameters, trainable ones). The sizes of the ImageNet networks are
# those that torchvision, Caffe's model zoo and keras.applications report; the CIFAR ones follow
# from section 4.2 of arXiv:1512.03385 (0.27 M to 1.7 M in its Table 6).
PUBLISHED = [
    ("alexnet", {}, 1000, 62_378_344, 62_378_344),
    ("alexnet", {"groups": 2}, 1000, 60_965_224, 60_965_224),
    ("alexnet_owt", {}, 1000, 61_100_840, 61_100_840),
    ("vgg16", {}, 1000, 138_357_544, 138_357_544),
    ("googlenet", {}, 1000, 6_998_552, 6_998_552),
    ("googlenet", {"auxiliary": True}, 1000, 13_378_280, 13_378_280),
    ("resnet18", {}, 1000, 11_699_112, 11_689_512),
    ("resnet34", {}, 1000, 21_814_696, 21_797_672),
    ("resnet50", {}, 1000, 25_636_712, 25_583_592),
    ("resnet50", {"use_bias": False}, 1000, 25_610_152, 25_557_032),
    ("resnet101", {}, 1000, 44_707_176, 44_601_832),
    ("resnet101", {"use_bias": False}, 1000, 44_654_504, 44_549_160),
    ("resnet152", {}, 1000, 60_419_944, 60_268_520),
    ("resnet152", {"use_bias": False}, 1000, 60_344_232, 60_192_808),
    ("lenet5", {}, 10, 61_706, 61_706),
    ("multilayer_perceptron", {}, 1, 77_136_641, 77_136_641),
]
CIFAR = {"resnet20": 269_722, "resnet32": 464_154, "resnet44": 658_586, "resnet56": 853_018}
CIFAR |= {"resnet110": 1_727_962}


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(("name", "options", "classes", "total", "trained"), PUBLISHED)
def test_parameter_counts_are_the_published_ones(name, options, classes, total, trained):
    model = deep.build(name, classes=classes, options=options)
    assert model.count_params() == total
    assert trainable(model) == trained


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("name", sorted(CIFAR))
def test_cifar_networks_have_the_published_size_and_option_b_2752_more(name):
    assert trainable(deep.build(name, classes=10)) == CIFAR[name]
    # 16 x 32 + 32 x 64 weights of the two 1x1 convolutions, 2 x 32 + 2 x 64 of their norms.
    assert trainable(deep.build(name, classes=10, options={"shortcut": "B"})) == CIFAR[name] + 2752


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("name", "total"), [("vgg11", 132_863_336), ("vgg13", 133_047_848), ("vgg19", 143_667_240)]
)
def test_the_other_vgg_differ_in_the_body_alone(name, total):
    head = 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    body = deep.build(name, include_top=False)
    assert body.output_shape == (None, 7, 7, 512)
    assert body.count_params() + head == total


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("name", "options", "rates"),
    [
        ("alexnet", {"units": (8, 8)}, [0.5, 0.5]),  # section 4.2
        ("vgg11", {"units": (8, 8)}, [0.5, 0.5]),  # section 3.1
        ("googlenet", {"auxiliary": True}, [0.4, 0.7, 0.7]),  # Table 1 and section 5
        ("resnet18", {}, []),
        ("resnet18", {"dropout": 0.2}, [0.2]),
    ],
)
def test_dropout_is_the_papers(name, options, rates):
    model = deep.build(name, (96, 96, 3), 5, options=options)
    assert [each.rate for each in model.layers if isinstance(each, keras.layers.Dropout)] == rates


@pytest.mark.usefixtures("silent")
def test_krizhevskys_second_group_does_not_see_the_first_half_of_the_maps():
    body = deep.build("alexnet", (67, 67, 3), include_top=False, options={"groups": 2})
    shapes = {each.name: each.kernel.shape for each in body.layers if "conv" in each.name}
    # Figure 2 of the paper: 48 and 192 channels come in, conv3 alone sees both halves.
    assert shapes["conv2"] == (5, 5, 48, 256)
    assert shapes["conv3"] == (3, 3, 256, 384)
    assert shapes["conv4"] == (3, 3, 192, 384)
    assert shapes["conv5"] == (3, 3, 192, 256)


@pytest.mark.usefixtures("silent")
def test_googlenet_modules_give_the_channels_of_table_1():
    model = deep.build("googlenet", include_top=False)
    published = {"3a": 256, "3b": 480, "4a": 512, "4b": 512, "4c": 512, "4d": 528, "4e": 832}
    published |= {"5a": 832, "5b": 1024}
    sides = {"3": 28, "4": 14, "5": 7}
    for name, channels in published.items():
        side = sides[name[0]]
        found = model.get_layer(f"inception_{name}_output").output.shape
        assert found == (None, side, side, channels)


@pytest.mark.usefixtures("silent")
def test_naive_modules_pass_the_pooled_input_on():
    model = deep.build("googlenet", (32, 32, 3), include_top=False, options={"module": "naive"})
    # Figure 2a: the channels of the three convolutions and all of the input's.
    assert model.get_layer("inception_3a_output").output.shape[-1] == 64 + 128 + 32 + 192
    assert model.get_layer("inception_3b_output").output.shape[-1] == 128 + 192 + 96 + 416


def test_auxiliary_classifiers_are_outputs_of_their_own():
    model = deep.build("googlenet", (80, 80, 3), 5, options={"auxiliary": True})
    outputs = model(np.zeros((1, 80, 80, 3), np.float32))
    assert model.output_names == ["predictions", "auxiliary1", "auxiliary2"]
    for each in outputs:
        assert each.shape == (1, 5)
        np.testing.assert_allclose(np.sum(each), 1, rtol=1e-6)
    main = deep.build("googlenet", (80, 80, 3), 5, include_top=False, options={"auxiliary": True})
    assert main.output_shape == (None, 3, 3, 1024)


def test_parameter_free_shortcut_takes_every_second_pixel_and_new_channels_are_zero():
    model = deep.build("resnet20", (9, 10, 3), include_top=False, random_state=0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.name != "conv1_conv":
            layer.set_weights([np.zeros_like(layer.kernel)])
    images = np.random.default_rng(0).normal(size=(1, 9, 10, 3)).astype(np.float32)
    first = keras.Model(model.input, model.get_layer("conv1_relu").output)(images).numpy()
    found = model(images).numpy()
    # With silent convolutions nothing is left of a block but its shortcut.
    np.testing.assert_allclose(found[..., 24:40], first[:, ::4, ::4], rtol=1e-6)
    assert not found[..., :24].any() and not found[..., 40:].any()


def test_strided_blocks_look_at_the_pixel_of_their_shortcut():
    model = deep.build("resnet20", (16, 16, 1), include_top=False)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape, np.float32)
            kernel[kernel.shape[0] // 2, kernel.shape[1] // 2] = 1
            layer.set_weights([kernel])
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, 8, 4] = 1
    rows, columns = np.nonzero(model(image).numpy()[0].any(axis=-1))
    assert (rows.tolist(), columns.tolist()) == ([2], [1])


def test_lenet_has_the_papers_parameters_layer_by_layer():
    model = deep.build("lenet5", classes=10)
    counts = {each.name: each.count_params() for each in model.layers if each.weights}
    # Section II.B of the paper; its C3 sees all maps here, 6 x 25 weights and a bias each.
    expected = {"C1": 156, "C3": 16 * 151, "C5": 48_120, "F6": 10_164, "predictions": 850}
    assert counts == expected
    padded = deep.build("lenet5", (28, 28, 1), 10, options={"padding": "same"})
    assert padded.get_layer("C5").output.shape == (None, 1, 1, 120)


@pytest.mark.parametrize("name", ["resnet20", "resnet18", "googlenet"])
def test_pooled_networks_take_any_size_channels_and_classes(name):
    model = deep.build(name, (None, None, 1), 3, random_state=0)
    for size in ((37, 45), (64, 33)):
        scores = model(np.full((2, *size, 1), 0.5, np.float32)).numpy()
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(scores[0], scores[1], rtol=1e-4)


@pytest.mark.usefixtures("silent")
def test_residual_blocks_of_the_small_imagenet_networks_follow_table_1():
    model = deep.build("resnet18", include_top=False)
    sides = {"conv1": 112, "conv2_block2": 56, "conv3_block2": 28, "conv4_block2": 14}
    channels = {"conv1": 64, "conv2_block2": 64, "conv3_block2": 128, "conv4_block2": 256}
    for name, side in sides.items():
        layer = model.get_layer("conv1_relu" if name == "conv1" else f"{name}_out")
        assert layer.output.shape == (None, side, side, channels[name])
    assert model.output_shape == (None, 7, 7, 512)
    reduced = [each.name for each in model.layers if each.name.endswith("_0_conv")]
    assert reduced == ["conv3_block1_0_conv", "conv4_block1_0_conv", "conv5_block1_0_conv"]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_name_is_described_with_its_paper(name):
    architecture = find(name)
    assert architecture.name == name
    assert "arXiv:" in architecture.paper or "doi:" in architecture.paper
    assert architecture.weights is None or hasattr(keras.applications, architecture.weights)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("googlenet", {"module": "nave"}, "Did you mean 'naive'"),
        ("resnet20", {"shortcut": "C"}, "'A' or 'B'"),
        ("alexnet", {"groups": 0}, "at least 1"),
        ("alexnet", {"groups": 3}, "divisible"),
        ("lenet5", {"padding": "full"}, "padding"),
    ],
)
def test_impossible_options_are_refused(name, options, words):
    with pytest.raises(ParameterError, match=words):
        deep.build(name, options=options)
