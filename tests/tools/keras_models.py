"""Graphs of every kind, made anew at each call: what files of models must be able to say."""

import numpy as np

import distnet as keras
from distnet import layers, ops

RNG = np.random.default_rng(2)
ROWS = 12
X3, X5 = RNG.standard_normal((ROWS, 3)).astype("float32"), RNG.standard_normal((ROWS, 5)).astype("float32")
IMAGES = RNG.standard_normal((ROWS, 6, 6, 2)).astype("float32")
WORDS = RNG.integers(0, 7, (ROWS, 5)).astype("int32")
SERIES = RNG.standard_normal((ROWS, 5, 4)).astype("float32")


def chain(*units, name=None, norm=False):
    stack = [layers.Dense(n, "tanh") for n in units]
    return keras.Sequential([layers.Input((3,)), *stack, *([layers.BatchNormalization()] if norm else [])], name=name)


def two_inputs_two_outputs():
    a, b = keras.Input((3,), name="a"), keras.Input((5,), name="b")
    shared = layers.Dense(4, "tanh", name="shared")
    u, v = shared(layers.Dense(4)(a)), shared(layers.Dense(4)(b))
    merged = layers.concatenate([u, v])
    return keras.Model([a, b], [layers.Dense(2, name="first")(merged), layers.Dense(1, name="second")(v)]), [X3, X5]


def residual():
    x = keras.Input((6, 6, 2))
    y = layers.Conv2D(4, 3, padding="same")(x)
    z = layers.BatchNormalization()(y)
    z = layers.Conv2D(4, 3, padding="same")(layers.ReLU()(z))
    z = layers.BatchNormalization()(z)
    z = layers.Activation("relu")(layers.add([y, z]))
    z = layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(z))
    return keras.Model(x, z, name="residual"), [IMAGES]


def nested_twice():
    """A model called twice, which holds a model; another is frozen."""
    inner = chain(4, 3, name="inner", norm=True)
    x = keras.Input((3,))
    block = keras.Model(x, layers.Dense(3)(inner(x)), name="block")
    frozen = chain(3, name="frozen")
    frozen.trainable = False
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    u, v = block(a), block(b)
    return keras.Model([a, b], layers.Dense(2)(layers.subtract([frozen(u), v]))), [X3, X3[::-1].copy()]


def partly_frozen():
    """Within a nested model one layer of several is frozen."""
    inner = chain(4, 3, name="inner", norm=True)
    inner.layers[0].trainable = False
    return keras.Sequential([layers.Input((3,)), inner, layers.Dense(2)]), [X3]


def chains_in_chains():
    inner = keras.Sequential([layers.Input((3,)), chain(4, 3, name="innermost"), layers.Dense(3)], name="inner")
    return keras.Sequential([layers.Input((3,)), inner, chain(2, name="last")], name="outer"), [X3]


def several_outputs_within():
    x = keras.Input((3,))
    h = layers.Dense(4, "tanh")(x)
    inner = keras.Model(x, [layers.Dense(2)(h), layers.Dense(3)(h)], name="forked")
    y = keras.Input((3,))
    u, v = inner(y)
    return keras.Model(y, [v, layers.Dense(1)(u)]), [X3]


def by_name():
    a, b = keras.Input((3,), name="a"), keras.Input((5,), name="b")
    y = layers.Dense(4)(layers.concatenate([a, b]))
    return keras.Model({"a": a, "b": b}, {"p": layers.Dense(2, name="p")(y), "q": layers.Dense(1, name="q")(y)}), [
        X3,
        X5,
    ]


def later_calls():
    """Part of a larger graph: of a layer's three calls the model holds the second and the third."""
    a, b = keras.Input((3,)), keras.Input((3,))
    shared = layers.Dense(3, "tanh")
    shared(a)
    u = shared(b)
    return keras.Model(b, [layers.Dense(2)(u), shared(u)]), [X3]


def same_input_twice():
    x = keras.Input((3,))
    return keras.Model(x, layers.Dense(2)(layers.multiply([x, x]))), [X3]


def sequences():
    x = keras.Input((5,), dtype="int32")
    y = layers.Embedding(7, 4, mask_zero=True)(x)
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(y)
    y = layers.TimeDistributed(layers.Dense(4, "relu"))(y)
    y = layers.GRU(3, return_sequences=True)(y)
    return keras.Model(x, layers.Dense(2)(layers.SimpleRNN(3)(y))), [WORDS]


def encoder_decoder():
    x, y = keras.Input((5, 4)), keras.Input((5, 4))
    _, h, c = layers.LSTM(3, return_state=True)(x)
    z = layers.LSTM(3, return_sequences=True)(y, initial_state=[h, c])
    return keras.Model([x, y], layers.Dense(2)(z)), [SERIES, SERIES[::-1].copy()]


def transformer():
    x = keras.Input((5, 4))
    y = layers.LayerNormalization()(layers.add([x, layers.MultiHeadAttention(2, 3)(x, x)]))
    z = layers.Dense(4)(layers.Dense(8, "gelu")(y))
    y = layers.LayerNormalization()(layers.add([y, z]))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(y))), [SERIES]


def scored_attention():
    x, y = keras.Input((5, 4)), keras.Input((5, 4))
    z = layers.Attention(use_scale=True)([x, y])
    z = layers.AdditiveAttention()([z, y, x])
    return keras.Model([x, y], layers.Dense(2)(layers.Flatten()(z))), [SERIES, SERIES[::-1].copy()]


def convolutions():
    x = keras.Input((6, 6, 2))
    y = layers.SeparableConv2D(4, 3, padding="same", activation="relu")(x)
    y = layers.DepthwiseConv2D(3, depth_multiplier=2)(y)
    y = layers.Conv2DTranspose(3, 2, strides=2)(layers.PReLU(shared_axes=[1, 2])(y))
    y = layers.GroupNormalization(3)(y)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(layers.MaxPooling2D()(y)))), [IMAGES]


def over_time():
    """A model called on every step, and one in which a layer's name is used again."""
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2)], name="inner")
    return keras.Sequential([layers.Input((5, 4)), layers.TimeDistributed(inner), layers.GRU(3)]), [SERIES]


def operations():
    """Operations that no layer stands for, behind and before layers, and within a model that is called twice."""
    x = keras.Input((5, 4))
    inner = keras.Model(x, layers.Dense(3)(x)[..., -1] / (ops.mean(x, axis=2) ** 2 + 1), name="inner")
    a, b = keras.Input((5, 4), name="a"), keras.Input((5, 4), name="b")
    c = layers.Dense(4, "tanh")(a)
    d = ops.where(c > 0, c, 0.1 * b) * np.arange(4, dtype="float32")
    e = ops.softmax(ops.matmul(c, ops.swapaxes(d, 1, 2)), axis=-1)
    f = ops.concatenate([inner(a), layers.Dense(5)(e[:, 0]), ops.max(d, axis=(1, 2), keepdims=True)[:, 0]], axis=-1)
    g = layers.Dense(3)(f[:, None, ::-1])
    h = ops.reshape(ops.stack([g, 2 / (abs(g) + 1)], axis=1), (-1, 6)) + ops.clip(inner(b)[:, :1], -0.5, 0.5)
    return keras.Model([a, b], layers.Dense(2)(h)), [SERIES, SERIES[::-1].copy()]


GRAPHS = [
    two_inputs_two_outputs,
    residual,
    nested_twice,
    partly_frozen,
    chains_in_chains,
    several_outputs_within,
    by_name,
    later_calls,
    same_input_twice,
    sequences,
    encoder_decoder,
    transformer,
    scored_attention,
    convolutions,
    over_time,
    operations,
]
