"""Explanations against a public library, tf-keras-vis, on a flat model, which it can explain.

Its Score-CAM and Grad-CAM++ weigh otherwise than the papers: those are held against the equations.
"""

import keras
import numpy as np
import pytest
from keras import layers

from deep.explain.gradcam import GradCAM
from deep.explain.guided import GuidedBackpropagation
from deep.explain.layercam import LayerCAM
from deep.explain.smoothgrad import SmoothGrad
from tests.deep.explained_networks import photograph

pytest.importorskip(
    "tf_keras_vis", reason="tf-keras-vis is not installed: pip install tf-keras-vis"
)
# It names what SciPy and Keras have renamed since.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
TARGETS = range(3)


@pytest.fixture(scope="module")
def model():
    """Layers behind the maps that are not linear; linear scores, which the library explains."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((24, 24, 3))
    x = layers.Conv2D(6, 3, activation="relu", name="first")(inputs)
    x = layers.Conv2D(5, 3, strides=2, activation="relu", name="maps")(x)
    x = layers.Dense(8, activation="tanh")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(3)(x))


@pytest.fixture(scope="module")
def image():
    return photograph(24).astype(np.float32) / 255


def agree(found, expected):
    scale = np.abs(expected).max()
    assert scale > 0
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", [GradCAM, LayerCAM])
def test_maps(method, target, model, image):
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.utils.scores import CategoricalScore

    theirs = {GradCAM: Gradcam, LayerCAM: Layercam}[method]
    expected = theirs(model)(
        CategoricalScore([target]),
        image[None],
        penultimate_layer="maps",
        expand_cam=False,
        normalize_cam=False,
    )
    found = method(model).raw([image], target)[0]
    agree(np.maximum(found, 0), np.asarray(expected))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("guided", [False, True])
def test_gradients_at_the_pixels(guided, target, model, image):
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.model_modifiers import GuidedBackpropagation as Guided
    from tf_keras_vis.utils.scores import CategoricalScore

    theirs = Saliency(model, model_modifier=Guided() if guided else None)
    expected = theirs(CategoricalScore([target]), image[None], normalize_map=False)
    own = GuidedBackpropagation(model) if guided else SmoothGrad(model, samples=1, noise=0.0)
    agree(own.raw([image], target)[0], np.asarray(expected))
