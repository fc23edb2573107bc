"""Vision transformers: a picture as a sequence of patches that attend to each other.

Table 1 of the DeiT paper, with 12 layers and 224 x 224 pixels in patches of 16 x 16, which makes
196 tokens and one for the class (parameters with 1000 classes):

========  =====  =====  ==========  ==========  ==========
name      width  heads  MLP         parameters  paper
========  =====  =====  ==========  ==========  ==========
vit_ti16  192    3      768         5,717,416   5 M
vit_s16   384    6      1536        22,050,664  22 M
========  =====  =====  ==========  ==========  ==========

A layer is ``x + attention(norm(x))``, then ``x + mlp(norm(x))``, with the exact GELU. The class is
read from the first token after a last normalisation. The body gives all tokens,
(batch, 1 + patches, width): the class token, then the patches row by row.

``options={"patch": 4}`` suits small pictures, whose sides must be multiples of it; the learned
positions fit one input size only. All layers are Keras' own, so that a saved model needs nothing
of this package: the class token and the positions are rows of `keras.layers.Embedding`. The
weights of the attention, (batch, heads, tokens, tokens), are the output of the layers
``block<n>_attention``.

References
----------
A. Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at
Scale", ICLR 2021, arXiv:2010.11929: equations 1 to 4.
H. Touvron et al., "Training data-efficient image transformers & distillation through attention",
ICML 2021, arXiv:2012.12877: the sizes.
A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762: equation 1.
"""

import functools

import keras
from keras import layers, ops

from deep.architectures.registry import Architecture
from deep.blocks import predictions
from vision.checks import check_integer
from vision.errors import ParameterError

LAYERS = 12
# Width and heads; each head has 64 numbers a token.
SIZES = {"vit_ti16": (192, 3), "vit_s16": (384, 6)}
EPSILON = 1e-6  # of the authors' code


def _body(width, heads, x, *, patch=16, depth=LAYERS):
    check_integer("patch", patch, owner="the vision transformer", at_least=1)
    check_integer("depth", depth, owner="the vision transformer", at_least=1)
    x = _tokens(x, width, patch)
    for number in range(1, depth + 1):
        name = f"block{number}"
        x = layers.Add(name=f"{name}_attended")([x, _attention(x, heads, name)])
        x = layers.Add(name=f"{name}_add")([x, _mlp(x, name)])
    return _normalized(x, "norm")


def _tokens(x, width, patch):
    """Equation 1: the class token and the patches, projected linearly, plus their positions."""
    rows, columns = _patches(x, patch)
    x = layers.Conv2D(width, patch, strides=patch, name="patch_embedding")(x)
    x = layers.Reshape((rows * columns, width), name="patches")(x)
    # Row numbers for the embeddings, computed from x only to have its batch: 0, then 0, 1, 2 ...
    first = ops.zeros_like(ops.argmax(ops.max(x, axis=1, keepdims=True), axis=-1))
    token = _embedding(1, width, "class_token")(first)
    x = layers.Concatenate(axis=1, name="tokens")([token, x])
    numbers = ops.cumsum(ops.ones_like(ops.argmax(x, axis=-1)), axis=1) - 1
    positions = _embedding(1 + rows * columns, width, "position_embedding")(numbers)
    return layers.Add(name="embedded")([x, positions])


def _patches(x, patch):
    if any(side is None or side % patch for side in x.shape[1:3]):
        raise ParameterError(
            f"A vision transformer with patch={patch} takes a fixed height and width that are "
            f"multiples of it. Got {x.shape[1]} x {x.shape[2]}. Choose such an input_shape, or "
            "another options={'patch': ...}."
        )
    return x.shape[1] // patch, x.shape[2] // patch


def _embedding(rows, width, name):
    return layers.Embedding(rows, width, embeddings_initializer=_initial(), name=name)


def _initial():
    return keras.initializers.TruncatedNormal(stddev=0.02)


def _dense(x, units, name, activation=None):
    return layers.Dense(units, activation=activation, kernel_initializer=_initial(), name=name)(x)


def _normalized(x, name):
    return layers.LayerNormalization(epsilon=EPSILON, name=name)(x)


def _attention(x, heads, name):
    """softmax(Q K' / sqrt(d)) V in every head, then one projection of all heads' results."""
    tokens, width = x.shape[1:]
    x = _normalized(x, f"{name}_norm1")
    split = layers.Reshape((tokens, heads, width // heads), name=f"{name}_heads")
    query, key, value = (
        split(_dense(x, width, f"{name}_{part}")) for part in ("query", "key", "value")
    )
    query = layers.Rescaling((width // heads) ** -0.5, name=f"{name}_scale")(query)
    query = layers.Permute((2, 1, 3), name=f"{name}_query_heads")(query)
    key = layers.Permute((2, 3, 1), name=f"{name}_key_heads")(key)
    value = layers.Permute((2, 1, 3), name=f"{name}_value_heads")(value)
    weights = layers.Softmax(name=f"{name}_attention")(ops.matmul(query, key))
    x = layers.Permute((2, 1, 3), name=f"{name}_tokens")(ops.matmul(weights, value))
    x = layers.Reshape((tokens, width), name=f"{name}_joined")(x)
    return _dense(x, width, f"{name}_projection")


def _mlp(x, name):
    x = _normalized(x, f"{name}_norm2")
    x = _dense(x, 4 * x.shape[-1], f"{name}_mlp1", "gelu")
    return _dense(x, x.shape[-1] // 4, f"{name}_mlp2")


def _head(x, classes, activation):
    x = layers.Cropping1D((0, x.shape[1] - 1), name="class_token_alone")(x)
    x = layers.Flatten(name="flatten")(x)
    return predictions(x, classes, activation)


ARCHITECTURES = {
    name: Architecture(
        name=name,
        body=functools.partial(_body, width, heads),
        head=_head,
        preprocessing="torch",
        paper="Dosovitskiy et al. 2021, arXiv:2010.11929; Touvron et al. 2021, arXiv:2012.12877",
    )
    for name, (width, heads) in SIZES.items()
}
