"""MobileNets, DenseNet, Xception, EfficientNet, SE-ResNet and vision transformers.

Parameter counts: the tables of keras.io/api/applications, to the last digit by
`keras.applications`; DeiT's by its authors (timm); SE-ResNet-50's by the pretrained models of
R. Cadene, 28,088,024.
"""

import inspect
import json
import re

import keras
import numpy as np
import pytest

import deep
from deep.architectures import find
from deep.architectures.efficientnet import SIZES
from deep.blocks import squeeze_excitation
from vision.errors import ParameterError

PUBLISHED = {
    ("mobilenet", 1.0): (4_253_864, 4_231_976),
    ("mobilenet", 0.75): (2_601_976, 2_585_560),
    ("mobilenet", 0.5): (1_342_536, 1_331_592),
    ("mobilenet", 0.25): (475_544, 470_072),
    ("mobilenet_v2", 1.0): (3_538_984, 3_504_872),
    ("densenet121", None): (8_062_504, 7_978_856),
    ("densenet169", None): (14_307_880, 14_149_480),
    ("densenet201", None): (20_242_984, 20_013_928),
    ("xception", None): (22_910_480, 22_855_952),
    ("efficientnet_b0", None): (5_330_571, 5_288_548),
    ("efficientnet_b2", None): (9_177_569, 9_109_994),
    ("se_resnet50", None): (28_141_144, 28_088_024),
    ("vit_ti16", None): (5_717_416, 5_717_416),
    ("vit_s16", None): (22_050_664, 22_050_664),
}

# One network of each family, at sides that are odd somewhere on the way down.
LIKE_KERAS = [
    ("mobilenet", 0.5, (65, 96, 3)),
    ("mobilenet_v2", 0.35, (66, 97, 3)),
    ("mobilenet_v2", 1.3, (64, 64, 3)),
    ("densenet121", None, (64, 77, 3)),
    ("xception", None, (75, 90, 3)),
    ("efficientnet_b0", None, (65, 90, 3)),
]


def _counts(model):
    return model.count_params(), sum(int(np.prod(w.shape)) for w in model.trainable_weights)


# Those of LIKE_KERAS are counted there.
@pytest.mark.parametrize(
    ("name", "alpha"), sorted(PUBLISHED.keys() - {case[:2] for case in LIKE_KERAS}, key=str)
)
def test_parameter_counts_are_the_published_ones(name, alpha):
    model = deep.build(name, options={"alpha": alpha} if alpha else None)
    assert _counts(model) == PUBLISHED[name, alpha]


def _like_trained(weights, rng):
    """Weights that keep the size of what passes through them, and positive variances."""
    for weight in weights:
        shape = weight.shape
        depthwise = "dw" in weight.path or "depthwise" in weight.path
        fan_in = np.prod(shape[:2] if depthwise else shape[:-1])
        values = rng.normal(0, (2 / max(1, fan_in)) ** 0.5 if len(shape) > 1 else 0.3, shape)
        yield np.abs(values) + 0.7 if weight.path.endswith(("gamma", "variance")) else values


def _pictures(name, shape):
    """Noise and a ramp, in the range that the network takes."""
    ramp = np.broadcast_to(np.linspace(0, 1, shape[1])[:, None], shape)
    images = np.stack([np.random.default_rng(1).uniform(size=shape), ramp]).astype(np.float32)
    return images * 255 if find(name).preprocessing == "none" else images * 2 - 1


@pytest.mark.parametrize(("name", "alpha", "shape"), LIKE_KERAS)
def test_weights_of_keras_applications_give_its_outputs(name, alpha, shape):
    options = {"alpha": alpha} if alpha else {}
    ours = deep.build(name, shape, activation="linear", options=options)
    function = getattr(keras.applications, find(name).weights)
    theirs = function(weights=None, input_shape=shape, classifier_activation=None, **options)
    assert _counts(ours) == PUBLISHED.get((name, alpha), _counts(theirs))
    theirs.set_weights(list(_like_trained(theirs.weights, np.random.default_rng(0))))
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    ours.set_weights(theirs.get_weights())
    images = _pictures(name, shape)
    expected = keras.ops.convert_to_numpy(theirs(images, training=False))
    assert np.ptp(expected, axis=0).max() > 0.005 * np.abs(expected).max()  # pictures do matter
    np.testing.assert_allclose(
        ours(images, training=False), expected, atol=1e-5 * np.abs(expected).max()
    )
    _check_training_behaviour(ours, theirs)


def _check_training_behaviour(ours, theirs):
    """What no output in inference shows: running means, dropout, stochastic depth."""

    def settings(model, kind, *names):
        found = [layer for layer in model.layers if isinstance(layer, kind)]
        return [tuple(getattr(layer, name) for name in names) for layer in found]

    for kind, names in (
        (keras.layers.BatchNormalization, ("epsilon", "momentum")),
        (keras.layers.Dropout, ("rate", "noise_shape")),
    ):
        assert settings(ours, kind, *names) == settings(theirs, kind, *names)


@pytest.mark.parametrize("size", range(8))
def test_efficientnet_is_scaled_as_in_keras(size):
    # Width, depth, input side and dropout: the first arguments that Keras' function passes on.
    source = inspect.getsource(getattr(keras.applications, f"EfficientNetB{size}"))
    passed = re.search(r"return EfficientNet\(((?:\s*[\d.]+,){4})", source)[1]
    assert SIZES[f"efficientnet_b{size}"] == tuple(float(part) for part in passed.split(",")[:4])


# Howard et al., Table 1, "Input Size" of each line and the size that the last gives.
TABLE_1 = [
    ("image", (224, 224, 3)),
    ("conv1", (112, 112, 32)),
    ("conv_dw_1", (112, 112, 32)),
    ("conv_pw_1", (112, 112, 64)),
    ("conv_dw_2", (56, 56, 64)),
    ("conv_pw_2", (56, 56, 128)),
    ("conv_dw_3", (56, 56, 128)),
    ("conv_pw_3", (56, 56, 128)),
    ("conv_dw_4", (28, 28, 128)),
    ("conv_pw_4", (28, 28, 256)),
    ("conv_dw_5", (28, 28, 256)),
    ("conv_pw_5", (28, 28, 256)),
    ("conv_dw_6", (14, 14, 256)),
    ("conv_pw_6", (14, 14, 512)),
    *[(f"conv_{kind}_{number}", (14, 14, 512)) for number in range(7, 12) for kind in ("dw", "pw")],
    ("conv_dw_12", (7, 7, 512)),
    ("conv_pw_12", (7, 7, 1024)),
    ("conv_dw_13", (7, 7, 1024)),
    ("conv_pw_13", (7, 7, 1024)),
    ("avg_pool", (1, 1, 1024)),
    ("predictions", (1000,)),
]


def test_mobilenet_is_table_1_row_by_row():
    model = deep.build("mobilenet")
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    found = [layer.name for layer in model.layers if isinstance(layer, kinds)]
    assert found == [name for name, _ in TABLE_1[1:-2]] + ["conv_preds"]
    for name, shape in TABLE_1:
        assert model.get_layer(name).output.shape[1:] == shape, name
    for name, _ in TABLE_1[1:-2]:
        side = 1 if "_pw_" in name else 3
        assert model.get_layer(name).kernel_size == (side, side)


def test_resolution_multiplier_changes_no_weight():
    # Table 7 of the paper: 224, 192, 160 and 128 all have 4.2 million parameters.
    assert deep.build("mobilenet", (128, 128, 3)).count_params() == 4_253_864


def test_squeeze_and_excitation_is_the_formula():
    # Equations 2 to 4 of arXiv:1709.01507, in NumPy.
    inputs = keras.Input((5, 4, 6))
    model = keras.Model(inputs, squeeze_excitation(inputs, 3, "se"))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
    x = rng.normal(size=(2, 5, 4, 6)).astype(np.float32)
    w1, b1, w2, b2 = (np.squeeze(weight) for weight in model.get_weights())
    z = x.mean(axis=(1, 2))
    s = 1 / (1 + np.exp(-(np.maximum(z @ w1 + b1, 0) @ w2 + b2)))
    np.testing.assert_allclose(model(x), x * s[:, None, None, :], rtol=1e-5, atol=1e-6)


def test_se_adds_two_dense_layers_to_each_block():
    # Section 4 of the paper: 2 C^2 / r weights a block; here with their biases, C + C / r.
    widths = [256] * 3 + [512] * 4 + [1024] * 6 + [2048] * 3
    extra = sum(2 * c * c // 4 + c + c // 4 for c in widths)
    model = deep.build("se_resnet50", (32, 32, 3), options={"ratio": 4})
    assert model.count_params() == 25_610_152 + extra


def _norm(x, gamma, beta):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-6) * gamma + beta


def _gelu(x):
    from scipy.special import erf

    return x * (1 + erf(x / np.sqrt(2))) / 2


def _attention(x, weights, name, heads):
    """Equations 5 to 7 of arXiv:2010.11929, appendix A, one head after the other."""
    q, k, v = (
        x @ weights[f"{name}_{part}/kernel"] + weights[f"{name}_{part}/bias"]
        for part in ("query", "key", "value")
    )
    size, results = x.shape[-1] // heads, []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = q[:, part] @ k[:, part].T / np.sqrt(size)
        scores = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        results.append(scores @ v[:, part])
    joined = np.concatenate(results, axis=-1)
    return joined @ weights[f"{name}_projection/kernel"] + weights[f"{name}_projection/bias"]


def _transformer(image, weights, depth, heads, patch):
    """Equations 1 to 4 for one picture."""
    rows, columns = (side // patch for side in image.shape[:2])
    patches = image.reshape(rows, patch, columns, patch, 3).transpose(0, 2, 1, 3, 4)
    kernel = weights["patch_embedding/kernel"].reshape(patch * patch * 3, -1)
    x = patches.reshape(rows * columns, -1) @ kernel + weights["patch_embedding/bias"]
    x = np.concatenate([weights["class_token/embeddings"], x])
    x = x + weights["position_embedding/embeddings"]
    for number in range(1, depth + 1):
        name = f"block{number}"
        normed = _norm(x, weights[f"{name}_norm1/gamma"], weights[f"{name}_norm1/beta"])
        x = x + _attention(normed, weights, name, heads)
        normed = _norm(x, weights[f"{name}_norm2/gamma"], weights[f"{name}_norm2/beta"])
        hidden = _gelu(normed @ weights[f"{name}_mlp1/kernel"] + weights[f"{name}_mlp1/bias"])
        x = x + hidden @ weights[f"{name}_mlp2/kernel"] + weights[f"{name}_mlp2/bias"]
    token = _norm(x, weights["norm/gamma"], weights["norm/beta"])[0]
    return token @ weights["predictions/kernel"] + weights["predictions/bias"]


@pytest.fixture(scope="module")
def tiny_transformer():
    options = {"patch": 4, "depth": 2}
    model = deep.build("vit_ti16", (8, 12, 3), classes=5, activation="linear", options=options)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.weights])
    return model


def test_vision_transformer_is_the_equations(tiny_transformer):
    weights = {weight.path: weight.numpy().astype(float) for weight in tiny_transformer.weights}
    images = np.random.default_rng(1).uniform(-2, 2, (3, 8, 12, 3)).astype(np.float32)
    expected = [_transformer(image, weights, depth=2, heads=3, patch=4) for image in images]
    np.testing.assert_allclose(tiny_transformer(images), expected, rtol=1e-3, atol=1e-3)
    attention = keras.Model(
        tiny_transformer.input, tiny_transformer.get_layer("block2_attention").output
    )(images)
    assert attention.shape == (3, 3, 7, 7)  # pictures, heads, tokens, tokens
    np.testing.assert_allclose(keras.ops.sum(attention, axis=-1), 1, atol=1e-5)


def test_a_saved_transformer_needs_nothing_of_ours(tiny_transformer, tmp_path):
    def classes(node):
        if isinstance(node, dict):
            if "class_name" in node:
                yield node.get("module"), node.get("registered_name")
            node = list(node.values())
        if isinstance(node, list):
            for each in node:
                yield from classes(each)

    for module, registered in classes(json.loads(tiny_transformer.to_json())):
        assert module is None or module.split(".")[0] in ("keras", "builtins")
        assert registered is None or ">" not in registered
    tiny_transformer.save(tmp_path / "vit.keras")
    images = np.random.default_rng(1).uniform(-2, 2, (1, 8, 12, 3)).astype(np.float32)
    loaded = keras.models.load_model(tmp_path / "vit.keras")
    np.testing.assert_array_equal(loaded(images), tiny_transformer(images))


def test_every_weight_of_a_transformer_learns(tiny_transformer):
    model = keras.models.clone_model(tiny_transformer)
    before = [weight.numpy() for weight in model.weights]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, run_eagerly=True)
    images = np.random.default_rng(1).uniform(-2, 2, (4, 8, 12, 3)).astype(np.float32)
    model.train_on_batch(images, np.array([0, 1, 2, 3]))
    still = [w.path for w, old in zip(model.weights, before) if np.array_equal(w.numpy(), old)]
    assert still == []


@pytest.mark.parametrize("shape", [(30, 32, 3), (32, 50, 3), (None, None, 3)])
def test_transformer_wants_whole_patches(shape):
    with pytest.raises(ParameterError, match="multiples of it"):
        deep.build("vit_ti16", shape)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mobilenet", {"alpha": 0}),
        ("mobilenet_v2", {"alpha": "wide"}),
        ("efficientnet_b0", {"drop_connect_rate": 1}),
        ("se_resnet50", {"ratio": 0}),
        ("vit_ti16", {"patch": 0}),
    ],
)
def test_options_are_checked(name, options):
    with pytest.raises(ParameterError, match=next(iter(options))):
        deep.build(name, (64, 64, 3), options=options)
