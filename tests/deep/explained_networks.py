"""Small networks whose explanation is known."""

import keras
import numpy as np
from keras import layers

METHODS = {
    "cam": "cam",
    "gradcam": "gradcam",
    "gradcampp": "gradcam_pp",
    "layercam": "layercam",
    "scorecam": "scorecam",
    "eigencam": "eigencam",
    "guided": "guided",
    "integrated": "integrated",
    "smoothgrad": "smoothgrad",
}


def pooled(classes=3, activation="softmax", size=16, seed=0):
    """Two convolutions, average pooling, one dense layer."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(6, 3, strides=2, activation="relu", name="first"),
            layers.Conv2D(5, 3, activation="relu", name="second"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation=activation, name="scores"),
        ]
    )


def nested(classes=3):
    """The usual model of transfer learning: a pretrained network within a new one."""
    keras.utils.set_random_seed(0)
    body = keras.applications.MobileNet(
        input_shape=(64, 64, 3), include_top=False, weights=None, alpha=0.25
    )
    inputs = keras.Input((64, 64, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = layers.GlobalAveragePooling2D()(body(x))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def corner_detector():
    """A network of fixed filters: class "red" fires on red, class "blue" on blue patches."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(2, 3, padding="same", activation="relu", name="colours"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[:, :, 0, 0], kernel[:, :, 2, 1] = 1 / 9, 1 / 9
    model.layers[0].set_weights([kernel, np.array([-90, -90], np.float32)])
    model.layers[2].set_weights([np.array([[1, -0.5], [-0.5, 1]], np.float32), np.zeros(2)])
    return model


def corner_image():
    """Red in the upper left corner, a smaller patch of blue in the lower right one."""
    image = np.full((32, 32, 3), 20, np.uint8)
    image[2:9, 3:10] = (250, 30, 30)
    image[25:29, 26:30] = (30, 30, 200)
    return image


def photograph(size=16, seed=0):
    """Noise that is smooth enough to look like something."""
    image = np.random.default_rng(seed).integers(0, 256, (size, size, 3))
    return image.astype(np.uint8)
