"""What Keras 2 and Keras 3 compute differently from one and the same model."""

import numpy as np

from .parts import bits, case, chain, wave, words


def both_ways(length, size):
    """Rows of word numbers, and others with other masks."""
    return [words(length, size), words(length, size)[::-1].copy()]


@case
def different_masks(k):
    layers = k.layers
    one, other = k.Input((6,), dtype="int32"), k.Input((6,), dtype="int32")
    x, y = layers.Embedding(12, 3, mask_zero=True)(one), layers.Embedding(12, 3, mask_zero=True)(other)
    merges = [
        layers.Add(), layers.Subtract(), layers.Multiply(), layers.Average(), layers.Maximum(), layers.Minimum(),
        layers.Concatenate(), layers.Concatenate(axis=1),
    ]  # fmt: skip
    parts = [layers.GRU(2)(merge([x, y])) for merge in merges]
    model = k.Model([one, other], layers.Dense(2)(layers.concatenate(parts)))
    model.compile("adam", "mse", metrics=["mae"])
    return model, both_ways(6, 12), [wave(2, phase=1.0)]


@case
def masked_labels(k):
    layers = k.layers
    one, other = k.Input((6,), dtype="int32"), k.Input((6,), dtype="int32")
    embedding = layers.Embedding(12, 3, mask_zero=True)
    x = layers.LSTM(3, return_sequences=True)(layers.Add()([embedding(one), embedding(other)]))
    model = k.Model([one, other], layers.TimeDistributed(layers.Dense(3, "softmax"))(x))
    measured = {"metrics": ["accuracy"], "weighted_metrics": ["categorical_crossentropy"]}
    model.compile("adam", "categorical_crossentropy", **measured)
    return model, both_ways(6, 12), [np.eye(3, dtype="float32")[words(6, 3)]]


@case
def half_masked(k):
    layers = k.layers
    entry, values = k.Input((6,), dtype="int32"), k.Input((6, 3))
    x = layers.Embedding(12, 3, mask_zero=True)(entry)
    y = layers.LSTM(3, return_sequences=True)(layers.Concatenate()([x, values]))
    model = k.Model([entry, values], layers.Dense(2)(layers.GRU(3)(layers.Concatenate()([y, layers.Dense(2)(values)]))))
    model.compile("adam", "mse")
    return model, [words(6, 12), wave(6, 3)], [wave(2, phase=1.0)]


@case
def named_outputs(k):
    layers = k.layers
    a, b = k.Input((4,), name="zeta"), k.Input((3,), name="alpha")
    hidden = layers.concatenate([layers.Dense(3)(a), layers.Dense(3)(b)])
    number, bit = layers.Dense(2, name="one")(hidden), layers.Dense(1, "sigmoid", name="two")(hidden)
    model = k.Model({"zeta": a, "alpha": b}, {"q": number, "p": bit})
    model.compile(
        "adam",
        {"q": "mse", "p": "binary_crossentropy"},
        metrics={"q": ["mae"], "p": ["accuracy", "AUC"]},
        loss_weights={"q": 0.3, "p": 2.0},
    )
    return model, {"zeta": wave(4), "alpha": wave(3)}, {"q": wave(2, phase=1.0), "p": bits()}


@case
def steps_of_batches(k):
    layers = k.layers
    return chain(
        k, (4, 3), layers.TimeDistributed(layers.BatchNormalization(momentum=0.8)),
        layers.TimeDistributed(layers.Dense(3, "tanh")), layers.LSTM(2), layers.Dense(2), optimizer="sgd",
    )  # fmt: skip


@case
def images_of_batches(k):
    layers = k.layers
    stack = [layers.BatchNormalization(momentum=0.8), layers.Conv2D(3, 2, use_bias=False, activation="relu")]
    return chain(
        k, (3, 3, 2), *stack, layers.BatchNormalization(axis=1, momentum=0.7), layers.Flatten(), layers.Dense(2),
        optimizer="sgd",
    )  # fmt: skip
