"""Models whose calls are given masks by hand, or whose operations drop them. Each takes x, z (N, 5, 3), m (N, 5)."""

import numpy as np

import distnet as keras
from distnet import layers, ops


def _nested(layer):
    x = keras.Input((5, 3))
    return keras.Model(x, layer(x))


def _shared(x, z, m):
    gru = layers.GRU(2)
    return layers.Concatenate()([gru(x, mask=m), gru(layers.Masking()(z)), gru(z)])


def _doubled(x, z, m):
    y = keras.Input((5, 3))
    return layers.Dense(2)(keras.Model(y, y * 2 + layers.Dense(3)(y))(layers.Masking()(x)))


CASES = {
    "LSTM": lambda x, z, m: layers.LSTM(2, return_sequences=True)(x, mask=m),
    "LSTM behind a mask": lambda x, z, m: layers.LSTM(2, return_sequences=True)(layers.Masking()(x), mask=m),
    "GRU, then Dense": lambda x, z, m: layers.Dense(2)(layers.GRU(2, return_sequences=True)(x, mask=m)),
    "pooling": lambda x, z, m: layers.GlobalAveragePooling1D()(x, mask=m),
    "pooling, by position": lambda x, z, m: layers.GlobalAveragePooling1D()(x, m),
    "Bidirectional": lambda x, z, m: layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x, mask=m),
    "TimeDistributed": lambda x, z, m: layers.TimeDistributed(layers.Dense(2))(x, mask=m),
    "MultiHeadAttention query": lambda x, z, m: layers.MultiHeadAttention(2, 2)(x, z, query_mask=m),
    "MultiHeadAttention value": lambda x, z, m: layers.MultiHeadAttention(2, 2)(x, z, value_mask=m),
    "MultiHeadAttention key, own value": lambda x, z, m: layers.MultiHeadAttention(2, 2)(
        layers.Masking()(x), layers.Masking()(z), key_mask=m
    ),
    "MultiHeadAttention value, own value": lambda x, z, m: layers.MultiHeadAttention(2, 2)(
        x, layers.Masking()(z), value_mask=m
    ),
    "MultiHeadAttention value, own key": lambda x, z, m: layers.MultiHeadAttention(2, 2)(
        x, layers.Masking()(z), layers.Masking()(z), value_mask=m
    ),
    "Attention": lambda x, z, m: layers.Attention()([x, z], mask=[m, m]),
    "Attention value": lambda x, z, m: layers.Attention()([x, z], mask=[None, m]),
    "AdditiveAttention": lambda x, z, m: layers.AdditiveAttention()([x, z], mask=[m, None]),
    "BatchNormalization": lambda x, z, m: layers.BatchNormalization()(x, mask=m),
    "computed": lambda x, z, m: layers.LSTM(2)(x, mask=layers.Masking().compute_mask(z)),
    "combined": lambda x, z, m: layers.GRU(2)(x, mask=ops.logical_and(m, ops.any(ops.not_equal(z, 0.0), axis=-1))),
    "model": lambda x, z, m: layers.Dense(2)(_nested(layers.LSTM(2, return_sequences=True))(x, mask=m)),
    "Sequential": lambda x, z, m: layers.GlobalAveragePooling1D()(
        keras.Sequential([keras.Input((5, 3)), layers.Dense(2)])(x, mask=m)
    ),
    "shared": _shared,
    "a + b drops them": lambda x, z, m: layers.GlobalAveragePooling1D()(layers.Masking()(x) + layers.Masking()(z)),
    "Add keeps them": lambda x, z, m: layers.GlobalAveragePooling1D()(
        layers.Add()([layers.Masking()(x), layers.Masking()(z)])
    ),
    "a[:, 1:] drops them": lambda x, z, m: layers.GRU(2)(layers.Masking()(x)[:, 1:]),
    "2 * x within a model drops them": _doubled,
}


def models():
    """By name, with their data."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 3, 5, 3))
    x[0, 3:], x[2, :2], z[1, 1:] = 0, 0, 0
    m = rng.random((3, 5)) < 0.6
    m[:, 0] = True
    found = {}
    for name, expression in CASES.items():
        inputs = [
            keras.Input((5, 3), name="x"),
            keras.Input((5, 3), name="z"),
            keras.Input((5,), name="m", dtype="bool"),
        ]
        found[f"given: {name}"] = keras.Model(inputs, expression(*inputs)), [x, z, m]
    return found
