"""The models that people have: subclassed, several inputs, shared towers, segmentation."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from deep.explain.cam import CAM
from deep.explain.gradcam import GradCAM, explain_gradcam
from deep.explain.integrated import IntegratedGradients
from deep.explain.layers import operations
from tests.deep.explained_networks import photograph, pooled
from vision.errors import ParameterError


class Block(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.conv = layers.Conv2D(4, 3, activation="relu", name="inner")

    def call(self, x):
        return self.conv(x)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.block = Block(name="block")
        self.pool = layers.GlobalAveragePooling2D()
        self.dense = layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.dense(self.pool(self.block(x)))


def test_a_subclassed_model_with_layers_in_layers():
    keras.utils.set_random_seed(0)
    model, image = Subclassed(), photograph(10)
    model(image[None].astype(np.float32))
    gradcam = GradCAM(model)
    heat = gradcam.raw([image], 1)[0]
    maps = model.block(image[None].astype(np.float32)).numpy()
    assert np.allclose(heat, maps @ model.dense.kernel.numpy()[:, 1] / 64, rtol=1e-4)
    assert gradcam.layer_ == "block.inner"
    assert np.allclose(heat, GradCAM(model, layer="inner").raw([image], 1)[0])
    assert np.allclose(heat, CAM(model).raw([image], 1)[0] / 64, rtol=1e-4)


def test_the_model_is_left_as_it_was(tmp_path):
    model, image = pooled(), photograph()
    before = model(image[None]).numpy()
    explain_gradcam(model, image)
    assert all("call" not in layer.__dict__ for _, layer in operations(model))
    assert np.array_equal(model(image[None]).numpy(), before)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.allclose(loaded(image[None]).numpy(), before)
    assert np.allclose(explain_gradcam(loaded, image)[0], explain_gradcam(model, image)[0])


def test_a_failed_trace_leaves_the_model_as_it_was():
    model = pooled()
    with pytest.raises(ZeroDivisionError):
        explain_gradcam(model, photograph(), lambda outputs: 1 / 0)
    assert all("call" not in layer.__dict__ for _, layer in operations(model))


def test_threads_share_a_model():
    model, image = pooled(seed=3), photograph()
    found = []
    threads = [
        threading.Thread(target=lambda k=k: found.append((k % 3, GradCAM(model)(image, k % 3)[0])))
        for k in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for target, values in found:
        assert np.array_equal(values, GradCAM(model)(image, target)[0])


def two_towers(shared):
    keras.utils.set_random_seed(5)
    left, right = keras.Input((12, 12, 3), name="left"), keras.Input((12, 12, 3), name="right")
    first = layers.Conv2D(4, 3, activation="relu", name="tower")
    second = first if shared else layers.Conv2D(4, 3, activation="relu", name="other")
    pool = layers.GlobalAveragePooling2D()
    one, two = pool(first(left)), pool(second(right))
    apart = layers.Subtract(name="apart")([one, two])
    near = layers.Dense(1, activation="sigmoid", name="near")(keras.ops.square(apart))
    kind = layers.Dense(3, activation="softmax", name="kind")(two)
    return keras.Model([left, right], [near, kind]), first, second


@pytest.mark.parametrize("shared", [True, False])
def test_each_input_of_two_towers_is_explained_by_its_own_maps(shared):
    model, first, second = two_towers(shared)
    pair = photograph(12, 1), photograph(12, 2)
    maps = [tower(image[None] / np.float32(1)) for tower, image in zip((first, second), pair)]
    kernel = model.get_layer("near").kernel.numpy()[:, 0]
    pooled_maps = [each.numpy().mean(axis=(1, 2))[0] for each in maps]
    slope = 2 * (pooled_maps[0] - pooled_maps[1]) * kernel / 100
    for place, sign in ((0, 1), (1, -1)):
        heat = GradCAM(model, input=place, output="near").raw([pair], 1)[0][0]
        assert np.allclose(heat, maps[place].numpy()[0] @ (sign * slope), rtol=1e-3, atol=1e-4)
    assert GradCAM(model, input=1, output="kind")(pair, 2)[1] == 2
    with pytest.raises(ParameterError, match="does not depend on"):
        GradCAM(model, input=0, output="kind")(pair, 2)


def test_a_siamese_distance_is_a_target():
    model, *_ = two_towers(True)
    pair = photograph(12, 1), photograph(12, 2)

    def nearness(outputs):
        return outputs[0][:, 0]

    values, label = GradCAM(model)(pair, nearness)
    assert label == "nearness"
    assert values.shape == (12, 12)
    assert IntegratedGradients(model, steps=4, input=1)(pair, nearness)[0].shape == (12, 12)


def test_mixed_precision_explains_the_same():
    plain = pooled(seed=6)
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = pooled(seed=6)
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    mixed.set_weights(plain.get_weights())
    image = photograph()
    values = [GradCAM(each)(image, 1)[0] for each in (plain, mixed)]
    assert np.abs(values[0] - values[1]).max() < 0.05
    assert values[1].dtype == np.float32
    assert CAM(mixed)(image, 1)[0].shape == (16, 16)


def segmenting():
    """Class 1 is red, class 2 green, class 0 neither; a bottleneck between."""
    inputs = keras.Input((16, 16, 3))
    x = layers.AveragePooling2D(2, name="smaller")(inputs)
    x = layers.Conv2D(4, 1, activation="relu", name="bottleneck")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Conv2D(3, 1, name="pixels")(x)
    model = keras.Model(inputs, layers.Softmax()(x))
    kernel = np.zeros((1, 1, 3, 4), np.float32)
    kernel[0, 0, 0, 0] = kernel[0, 0, 1, 1] = 1
    model.get_layer("bottleneck").set_weights([kernel, np.zeros(4, np.float32)])
    kernel = np.zeros((1, 1, 4, 3), np.float32)
    kernel[0, 0, 0, 1] = kernel[0, 0, 1, 2] = 1
    model.get_layer("pixels").set_weights([kernel, np.array([100, 0, 0], np.float32)])
    return model


def test_a_class_and_a_region_of_a_segmentation():
    image = np.zeros((16, 16, 3), np.uint8)
    image[2:6, 2:6, 0] = 200
    image[10:14, 10:14, 1] = 200
    model = segmenting()
    gradcam = GradCAM(model)
    red, label = gradcam(image, 1)
    green, _ = gradcam(image, 2)
    assert gradcam.layer_ == "bottleneck"
    assert label == 1
    assert red[2:6, 2:6].min() > 0.4
    assert red[8:].max() == 0
    assert green[10:14, 10:14].min() > 0.4
    # 16 pixels that class 1 wins, over 64 places: each adds a quarter of itself to its place.
    heat = gradcam.raw([image], 1)[0][0]
    assert heat.max() == pytest.approx(200 * 16 / 64)
    region = np.zeros((16, 16), bool)
    region[3, 3] = True
    assert GradCAM(model, region=region).raw([image], 1)[0].max() == pytest.approx(200 / 64)
    method = IntegratedGradients(model, region=region)
    assert np.flatnonzero(method.raw([image], 1)[0][0].ravel()).tolist() == [34, 35, 50, 51]
    assert GradCAM(model, region=region)(image)[1] == 1


def test_a_mask_of_one_channel_has_two_classes():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(2, 1, activation="relu", name="maps")(inputs)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    image = photograph(8)
    region = np.ones((8, 8))
    inside, outside = (GradCAM(model, region=region).raw([image], k)[0] for k in (1, 0))
    assert np.allclose(inside, -outside)
    assert np.abs(inside).max() > 0


def test_a_dictionary_of_inputs_and_an_open_size():
    inputs = {"image": keras.Input((None, None, 3), name="image")}
    x = layers.Conv2D(4, 3, activation="relu", name="maps")(inputs["image"])
    x = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, x)
    for size in (9, 14):
        image = photograph(size)
        heat = GradCAM(model).raw([image], 0)[0]
        cam = CAM(model).raw([image], 0)[0]
        assert np.allclose(heat, cam / (size - 2) ** 2, rtol=1e-4, atol=1e-6)


def test_a_name_that_two_layers_have_is_refused():
    def body(name):
        return keras.Sequential(
            [keras.Input((8, 8, 3)), layers.Conv2D(3, 1, name="same")], name=name
        )

    inputs = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(body("b")(body("a")(inputs)))
    model = keras.Model(inputs, layers.Dense(2)(x))
    with pytest.raises(ParameterError, match=r"several layers 'same': a.same, b.same"):
        explain_gradcam(model, photograph(8), layer="same")
    method = GradCAM(model, layer="a/same")
    method(photograph(8), 0)
    assert method.layer_ == "a.same"


def test_a_network_without_maps_says_what_works():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ParameterError, match="Methods on pixels work"):
        explain_gradcam(model, photograph(8), 0)


def test_one_number_for_a_batch_is_what_each_image_adds():
    model = pooled(seed=9)
    images = [photograph(seed=k) for k in range(2)]

    def total(outputs):
        return tf.reduce_sum(outputs[:, 0])

    together = GradCAM(model).raw(images, total)[0]
    alone = [GradCAM(model).raw([image], total)[0][0] for image in images]
    assert np.allclose(together, alone, rtol=1e-4, atol=1e-9)


def test_a_layer_may_be_the_layer_itself_and_is_never_a_number():
    model, image = pooled(), photograph(16)
    named, _ = explain_gradcam(model, image, 0, layer="first")
    given, _ = explain_gradcam(model, image, 0, layer=model.get_layer("first"))
    assert np.array_equal(named, given)
    with pytest.raises(ParameterError, match=r"'layer'.*name or the path of a layer.*-4"):
        explain_gradcam(model, image, 0, layer=-4)
