"""deep.describe: the tables of the papers and of every course, receptive fields, costs."""

import math

import keras
import numpy as np
import pytest
from keras import layers

import deep
from deep.layer_costs import Window
from vision.errors import ParameterError, UnknownNameError


def windows(table):
    """The rows with a kernel."""
    return [row for row in table if row.kernel is not None]


# Figure 2 of Krizhevsky et al. 2012 and the table that courses make of it.
ALEXNET = [
    # name, filters, kernel, stride, padding, output, activation
    ("conv1", 96, 11, 4, 0, (55, 55, 96), "relu"),
    ("pool1", None, 3, 2, 0, (27, 27, 96), None),
    ("conv2", 256, 5, 1, 2, (27, 27, 256), "relu"),
    ("pool2", None, 3, 2, 0, (13, 13, 256), None),
    ("conv3", 384, 3, 1, 1, (13, 13, 384), "relu"),
    ("conv4", 384, 3, 1, 1, (13, 13, 384), "relu"),
    ("conv5", 256, 3, 1, 1, (13, 13, 256), "relu"),
    ("pool5", None, 3, 2, 0, (6, 6, 256), None),
]


@pytest.mark.usefixtures("silent")
def test_alexnet_row_by_row():
    table = deep.describe("alexnet")
    found = [
        (r.layer, r.filters, r.kernel, r.stride, r.padding, r.output, r.activation)
        for r in windows(table)
    ]
    assert found == [
        (name, filters, (k, k), (s, s), ((p, p), (p, p)), output, activation)
        for name, filters, k, s, p, output, activation in ALEXNET
    ]
    dense = [(row.filters, row.activation) for row in table if row.kind == "Dense"]
    assert dense == [(4096, "relu"), (4096, "relu"), (1000, "softmax")]
    assert table["fc1"].input == (6 * 6 * 256,)


# Table 1 of Howard et al. 2017 (arXiv:1704.04861): type, stride, filters or channels, input side.
MOBILENET = [("conv", 2, 32, 224)]
for stride, given, made, side in [
    (1, 32, 64, 112),
    (2, 64, 128, 112),
    (1, 128, 128, 56),
    (2, 128, 256, 56),
    (1, 256, 256, 28),
    (2, 256, 512, 28),
    *[(1, 512, 512, 14)] * 5,
    (2, 512, 1024, 14),
    (1, 1024, 1024, 7),  # printed with stride 2, which its own sizes contradict
]:
    MOBILENET.append(("depthwise", stride, given, side))
    MOBILENET.append(("conv", 1, made, side // stride))


@pytest.mark.usefixtures("silent")
def test_the_body_of_mobilenet_is_table_1_of_its_paper_row_by_row():
    found = [
        (
            "depthwise" if row.kind == "DepthwiseConv2D" else "conv",
            row.stride[0],
            row.filters,
            row.input[0],
        )
        for row in windows(deep.describe("mobilenet"))
    ]
    assert [row for row in found if row[3] > 1] == MOBILENET


def published(name, low, high, **options):
    return pytest.param(name, options, low, high, id=f"{name}-{options}" if options else name)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("name", "options", "low", "high"),
    [
        # Table 1 of arXiv:1512.03385 gives 1.8, 3.6, 3.8, 7.6 and 11.3 x 10^9.
        published("resnet18", 1.75e9, 1.85e9),
        published("resnet34", 3.6e9, 3.7e9),
        published("resnet50", 3.8e9, 3.9e9),
        published("resnet101", 7.55e9, 7.65e9),
        published("resnet152", 11.25e9, 11.35e9),
        # 15.5 G, and 724 M of the two groups: Table II of Sze et al. 2017, arXiv:1703.09039.
        published("vgg16", 15.45e9, 15.55e9),
        published("alexnet", 723.5e6, 724.5e6, groups=2),
        # Tables 6 and 7 of arXiv:1704.04861: 569, 325, 149 and 41 million.
        published("mobilenet", 568.5e6, 569.5e6),
        published("mobilenet", 324.5e6, 325.5e6, alpha=0.75),
        published("mobilenet", 148.5e6, 149.5e6, alpha=0.5),
        published("mobilenet", 40.5e6, 41.5e6, alpha=0.25),
        # 300 M: Table 4 of arXiv:1801.04381. 0.39 B: Table 2 of arXiv:1905.11946.
        published("mobilenet_v2", 299.5e6, 301.5e6),
        published("efficientnet_b0", 0.385e9, 0.395e9),
    ],
)
def test_multiply_adds_are_the_published_ones(name, options, low, high):
    model = deep.build(name, options=options)
    table = deep.describe(model)
    assert low <= table.multiply_adds <= high
    assert table.parameters == model.count_params()
    trained = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert table.trainable == trained


@pytest.mark.usefixtures("silent")
def test_googlenet_modules_cost_what_table_1_of_its_paper_says():
    table = deep.describe("googlenet")
    # Its column "ops" in millions; the 54 printed for 5a contradict the filters in its own row.
    expected = {"3a": 128, "3b": 304, "4a": 73, "4b": 88, "4c": 100, "4d": 119, "4e": 170, "5b": 71}
    rows = {
        name: [r for r in table if r.layer.startswith(f"inception_{name}_")] for name in expected
    }
    for name, millions in expected.items():
        assert abs(sum(row.multiply_adds for row in rows[name]) / 1e6 - millions) < 1
    # Its column "params" is in units of 1024, biases left out.
    for name, thousands in {"3a": 159, "3b": 380}.items():
        weights = sum(row.parameters - (row.filters or 0) for row in rows[name])
        assert abs(weights / 1024 - thousands) <= 1


def test_a_flattened_photograph_costs_77_million_parameters():
    model = keras.Sequential([layers.Flatten(), layers.Dense(512), layers.Dense(128)])
    model.add(layers.Dense(1))
    table = deep.describe(model, (224, 224, 3))
    assert table.parameters == 77_136_641
    assert table.multiply_adds == 224 * 224 * 3 * 512 + 512 * 128 + 128


def test_a_reduction_by_1x1_costs_a_tenth():
    image = keras.Input((32, 32, 200))
    direct = keras.Model(image, layers.Conv2D(32, 5, padding="same")(image))
    reduced = layers.Conv2D(32, 5, padding="same")(layers.Conv2D(16, 1)(image))
    assert deep.describe(direct).multiply_adds == 163_840_000
    # 32 x 32 x 16 x 200 and 32 x 32 x 32 x 25 x 16.
    assert deep.describe(keras.Model(image, reduced)).multiply_adds == 3_276_800 + 13_107_200


def test_64_kernels_on_rgb_as_one_convolution_and_as_two():
    image = keras.Input((32, 32, 3))
    whole = keras.Model(image, layers.Conv2D(64, 3)(image))
    parts = layers.Conv2D(64, 1)(layers.DepthwiseConv2D(3)(image))
    assert deep.describe(whole).parameters == 1_792
    assert deep.describe(keras.Model(image, parts)).parameters == 286
    joined = keras.Model(image, layers.SeparableConv2D(64, 3)(image))
    pairs = deep.describe(keras.Model(image, parts)), deep.describe(joined)
    assert pairs[0].multiply_adds == pairs[1].multiply_adds == 30 * 30 * (27 + 3 * 64)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("name", "layer", "size"),
    [
        # The table of Araujo et al., Distill 2019, doi:10.23915/distill.00021.
        ("alexnet_owt", "pool5", 195),
        ("vgg16", "block5_pool", 212),
        ("resnet50", "conv5_block3_add", 483),
        ("resnet101", "conv5_block3_add", 1027),
        ("resnet152", "conv5_block3_add", 1507),
        ("mobilenet", "conv_pw_13", 315),
    ],
)
def test_receptive_fields_are_the_published_ones(name, layer, size):
    table = deep.describe(deep.build(name, include_top=False))
    row = table[layer]
    assert row.receptive_field == (size, size)
    assert row.receptive_stride == (32, 32)


def reached(model, shape):
    """Rows and columns of the input on which the middle of the output depends."""
    import tensorflow as tf

    image = tf.Variable(tf.ones((1, *shape)))
    with tf.GradientTape() as tape:
        output = model(image)
        middle = output[0, output.shape[1] // 2, output.shape[2] // 2, 0]
    seen = np.abs(tape.gradient(middle, image).numpy()[0]).sum(axis=-1) > 0
    return tuple(int(np.ptp(np.nonzero(seen.any(axis=axis))[0])) + 1 for axis in (1, 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: layers.Conv2D(1, (5, 3), strides=2, kernel_initializer="ones")(x),
        lambda x: layers.Conv2D(1, 3, dilation_rate=3, kernel_initializer="ones")(x),
        lambda x: layers.AveragePooling2D(3, strides=2)(x),
        lambda x: x[:, ::2, ::4],
        lambda x: layers.Conv2DTranspose(1, 4, strides=2, kernel_initializer="ones")(x),
        lambda x: layers.UpSampling2D(2)(x),
        lambda x: layers.ZeroPadding2D(2)(x),
    ],
    ids=["strided", "dilated", "pooled", "subsampled", "transposed", "repeated", "padded"],
)
def test_receptive_field_is_where_the_gradient_is(make):
    image = keras.Input((64, 64, 1))
    x = layers.Conv2D(1, 3, strides=2, kernel_initializer="ones")(image)
    x = layers.Conv2D(1, 3, kernel_initializer="ones")(make(x))
    model = keras.Model(image, x)
    assert deep.describe(model)[-1].receptive_field == reached(model, (64, 64, 1))


def test_branches_see_as_far_as_the_widest_and_pooling_sees_all():
    image = keras.Input((16, 16, 3))
    near, far = layers.Conv2D(4, 1)(image), layers.Conv2D(4, 7, padding="same")(image)
    joined = layers.Concatenate(name="joined")([near, far])
    weight = layers.Dense(8, name="weight")(layers.GlobalAveragePooling2D()(joined))
    excited = layers.Multiply(name="excited")([joined, weight])
    table = deep.describe(keras.Model(image, excited))
    assert table["joined"].receptive_field == (7, 7)
    assert table["weight"].receptive_field is None
    assert table["excited"].receptive_field is None
    assert "all" in repr(table)


@pytest.mark.parametrize("size", [(31, 32), (33, 47)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_output_sizes_follow_the_formula_with_the_padding_shown(kernel, stride, padding, size):
    image = keras.Input((*size, 2))
    x = layers.ZeroPadding2D(((1, 0), (0, 2)))(image)
    x = layers.Conv2D(3, kernel, strides=stride, padding=padding)(x)
    x = layers.MaxPooling2D(2, strides=stride, padding=padding)(x)
    rows = windows(deep.describe(keras.Model(image, x)))
    assert [row.input[:2] for row in rows] == [size, rows[0].output[:2]]
    for row in rows:
        for axis in (0, 1):
            w, f, s, p = row.input[axis], row.kernel[axis], row.stride[axis], row.padding[axis]
            assert row.output[axis] == math.floor((w - f + sum(p)) / s) + 1
        again = Window(row.kernel, row.stride, row.padding, (1, 1)).output(row.input[:2])
        assert again == row.output[:2]


def test_same_padding_is_what_tensorflow_pads():
    # An even side with stride 2: nothing before, one after. The first output sees pixel 0 as its
    # kernel's first, the last one zeros as its last.
    image = keras.Input((8, 8, 1))
    convolution = layers.Conv2D(1, 3, strides=2, padding="same", kernel_initializer="ones")
    model = keras.Model(image, convolution(image))
    (row,) = deep.describe(model)
    assert row.padding == ((0, 1), (0, 1))
    assert row.texts()["padding"] == "0+1"
    found = model(np.ones((1, 8, 8, 1), np.float32)).numpy()[0, :, :, 0]
    assert (found[0, 0], found[-1, -1]) == (9, 4)


def test_nested_models_are_listed_as_if_they_were_flat():
    inner = deep.build("resnet20", (32, 32, 3), include_top=False)
    image = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.GlobalAveragePooling2D()(inner(x))
    nested = deep.describe(keras.Model(image, layers.Dense(10, name="scores")(x)))
    flat = deep.describe(deep.build("resnet20", (32, 32, 3), 10))
    rows = [row for row in nested if row.layer.startswith("resnet20/")]
    assert [row.layer for row in rows] == [f"resnet20/{r.layer}" for r in flat.rows[:-2]]
    for ours, theirs in zip(rows, flat.rows):
        assert ours.texts() | {"layer": ""} == theirs.texts() | {"layer": ""}
    assert nested.parameters == flat.parameters
    assert nested.multiply_adds == flat.multiply_adds


def test_a_sequential_inside_is_followed_too():
    block = keras.Sequential([layers.Conv2D(4, 3), layers.Activation("relu")], name="block")
    image = keras.Input((9, 9, 1))
    table = deep.describe(keras.Model(image, layers.Flatten(name="flat")(block(image))))
    assert [(row.kind, row.activation) for row in table] == [("Conv2D", "relu"), ("Flatten", None)]
    assert table[0].layer.startswith("block/")


def test_another_size_is_described_without_touching_the_model():
    model = deep.build("resnet20", (None, None, 3), 10)
    sizes = [deep.describe(model, (side, side, 3)) for side in (32, 64)]
    assert sizes[1]["conv4_block3_add"].output == (16, 16, 64)
    convolutions = [t.multiply_adds - 640 for t in sizes]  # the dense layer has 64 x 10
    assert convolutions[1] == 4 * convolutions[0]
    # Keras refuses to say the output of a layer that was called twice.
    assert model.get_layer("conv1_conv").output.shape == (None, None, None, 16)
    with pytest.raises(ParameterError, match="Give describe an input_shape"):
        deep.describe(model)


def test_a_shared_layer_is_counted_once_and_works_twice():
    image = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same")
    model = keras.Model(image, shared(shared(image)))
    table = deep.describe(model)
    assert [row.parameters for row in table] == [84, 0]
    assert table.parameters == model.count_params()
    assert table.multiply_adds == 2 * 64 * 81
    assert table[1].receptive_field == (5, 5)


def test_an_activation_that_is_not_alone_keeps_its_row():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 1, name="linear")(image)
    alone = keras.Model(image, layers.ReLU(name="relu")(x))
    assert [(row.layer, row.activation) for row in deep.describe(alone)] == [("linear", "ReLU")]
    both = keras.Model(image, layers.Add(name="sum")([x, layers.ReLU(name="relu")(x)]))
    assert [row.layer for row in deep.describe(both)] == ["linear", "relu", "sum"]


def test_attention_costs_four_projections_and_two_products():
    tokens = keras.Input((10, 16))
    attended = layers.MultiHeadAttention(4, 4, name="attention")(tokens, tokens)
    row = deep.describe(keras.Model(tokens, attended))["attention"]
    assert row.multiply_adds == 4 * 10 * 16 * 16 + 2 * 10 * 10 * 16
    by_hand = keras.ops.einsum("btd,bsd->bts", tokens, tokens)
    assert deep.describe(keras.Model(tokens, by_hand)).multiply_adds == 10 * 10 * 16
    dense = layers.EinsumDense("...x,xy->...y", output_shape=5)(tokens)
    assert deep.describe(keras.Model(tokens, dense)).multiply_adds == 10 * 16 * 5


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(("name", "billions"), [("vit_ti16", 1.3), ("vit_s16", 4.6)])
def test_vision_transformers_cost_what_their_authors_say(name, billions):
    # Table 5 of Touvron et al. 2021 (arXiv:2012.12877) and timm's results/model_infer files.
    assert round(deep.describe(name).multiply_adds / 1e9, 1) == billions


def test_transposed_convolutions_multiply_every_pixel_that_comes_by_every_weight():
    image = keras.Input((7, 9, 4))
    x = layers.Conv2DTranspose(8, 2, strides=2, name="up")(image)
    row = deep.describe(keras.Model(image, x))["up"]
    assert row.output == (14, 18, 8)
    assert row.multiply_adds == 7 * 9 * 2 * 2 * 4 * 8
    assert (row.receptive_field, row.receptive_stride) == ((1, 1), (0.5, 0.5))
    assert row.padding is None


def test_unknown_work_is_named_not_guessed():
    image = keras.Input((8, 3))
    table = deep.describe(keras.Model(image, layers.GRU(4, name="gru")(image)))
    assert table["gru"].multiply_adds is None
    assert "not known: gru" in table.totals()


def test_the_table_prints_its_sums_and_gives_records():
    table = deep.describe("lenet5")
    lines = repr(table).splitlines()
    assert lines[0].split()[:3] == ["layer", "type", "filters"]
    assert len({len(line) for line in lines[1:-1]}) <= 2
    # 28 x 28 x 6 x 25, 10 x 10 x 16 x 150, 120 x 400, 84 x 120 and 1000 x 84.
    assert 117_600 + 240_000 + 48_000 + 10_080 + 84_000 == 499_680
    assert lines[-1] == (
        "lenet5 on 32x32x1: 145,856 parameters, 145,856 trainable; 499,680 multiply-adds"
    )
    records = table.to_records()
    assert records[0]["output"] == "28x28x6" and records[0]["parameters"] == 156
    assert sum(record["parameters"] for record in records) == table.parameters
    assert len(table) == len(records) == table._repr_html_().count("<tr>") - 1
    with pytest.raises(UnknownNameError, match=r"Did you mean 'C1'"):
        table["c1"]


def test_names_are_escaped_in_a_notebook():
    image = keras.Input((4, 4, 1))
    shown = deep.describe(keras.Model(image, layers.Conv2D(1, 1, name="<b>")(image)))._repr_html_()
    assert "&lt;b&gt;" in shown and "<b>" not in shown


class OwnCall(keras.Model):
    """A model whose layers nobody can list."""

    def call(self, x):
        return x


def test_what_cannot_be_listed_or_does_not_fit_is_refused():
    with pytest.raises(ParameterError, match="a call of its own"):
        deep.describe(OwnCall(), (8, 8, 3))
    with pytest.raises(ParameterError, match="'F6' has weights for 120"):
        deep.describe(deep.build("lenet5"), (36, 36, 1))
    with pytest.raises(ParameterError, match=r"size of sequential.* is not known"):
        deep.describe(keras.Sequential([layers.Flatten()]))
    first, second = keras.Input((2,)), keras.Input((2,))
    with pytest.raises(ParameterError, match="one input"):
        deep.describe(keras.Model([first, second], layers.Add()([first, second])))


def test_the_network_of_a_classifier_is_described():
    model = deep.build("lenet5", (32, 32, 1), 3, pixels=True)
    network = deep.CNNClassifier.from_model(model, ["a", "b", "c"])
    assert repr(deep.describe(network)) == repr(deep.describe(model))
    with pytest.raises(ParameterError, match="fitted CNNClassifier"):
        deep.describe(deep.CNNClassifier("lenet5"))
