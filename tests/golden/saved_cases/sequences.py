"""Recurrent layers, masks and attention."""

import numpy as np

from .parts import ROWS, bits, case, chain, classes, wave, words


@case
def rnn_stack(k):
    layers = k.layers
    return chain(
        k, (5, 3), layers.SimpleRNN(4, return_sequences=True), layers.LSTM(3, return_sequences=True, go_backwards=True),
        layers.GRU(3, return_sequences=True), layers.GRU(3, reset_after=False), layers.Dense(2),
    )  # fmt: skip


@case
def rnn_options(k):
    layers = k.layers
    return chain(
        k, (5, 3), layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid", use_bias=False),
        layers.LSTM(3, return_sequences=True, unit_forget_bias=False, activation="relu", kernel_regularizer="l2"),
        layers.GRU(3, recurrent_activation="hard_sigmoid", recurrent_constraint="unit_norm"), layers.Dense(2),
    )  # fmt: skip


@case
def bidirectional(k):
    layers = k.layers
    return chain(
        k, (5, 3), layers.Bidirectional(layers.GRU(2, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
        layers.Bidirectional(
            layers.LSTM(2, return_sequences=True),
            backward_layer=layers.GRU(2, return_sequences=True, go_backwards=True),
        ),
        layers.Bidirectional(layers.SimpleRNN(3), merge_mode="ave"), layers.Dense(2),
    )  # fmt: skip


@case
def encoder_decoder(k):
    source, target = k.Input((4, 3)), k.Input((3, 2))
    _, h, c = k.layers.LSTM(4, return_state=True)(source)
    sequence = k.layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    model = k.Model([source, target], k.layers.TimeDistributed(k.layers.Dense(2))(sequence))
    model.compile("adam", "mse")
    return model, [wave(4, 3), wave(3, 2)], [wave(3, 2, phase=1.0)]


@case
def gru_state_in_a_functional_model(k):
    source, target = k.Input((4, 3)), k.Input((3, 2))
    _, state = k.layers.GRU(4, return_state=True)(source)
    model = k.Model([source, target], k.layers.Dense(2)(k.layers.GRU(4)(target, initial_state=state)))
    model.compile("adam", "mse")
    return model, [wave(4, 3), wave(3, 2)], [wave(2, phase=1.0)]


@case
def masked_embedding(k):
    layers = k.layers
    return chain(
        k, (6,), layers.Embedding(12, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.GRU(3), layers.Dense(2), x=words(6, 12),
    )  # fmt: skip


@case
def masked_values(k):
    x = wave(5, 3) * (np.arange(5) < 2 + np.arange(ROWS)[:, None] % 4)[..., None]
    layers = k.layers
    return chain(
        k, (5, 3), layers.Masking(0.0), layers.LSTM(3, return_sequences=True), layers.TimeDistributed(layers.Dense(3)),
        layers.GlobalAveragePooling1D(), layers.Dense(2), x=x,
    )  # fmt: skip


@case
def embedding_average(k):
    layers = k.layers
    model = k.Sequential(
        [layers.Embedding(12, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(1, "sigmoid")]
    )
    model.build((None, 6))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model, [words(6, 12)], [bits()]


@case
def attention(k):
    query, value = k.Input((3, 4)), k.Input((5, 4))
    one = k.layers.Attention(use_scale=True)([query, value])
    other = k.layers.AdditiveAttention()([query, value])
    x = k.layers.LayerNormalization()(k.layers.add([one, other, query]))
    model = k.Model([query, value], k.layers.Dense(2)(k.layers.Flatten()(x)))
    model.compile("adam", "mse")
    return model, [wave(3, 4), wave(5, 4, phase=1.0)], [wave(2, phase=1.0)]


@case
def transformer(k):
    layers = k.layers
    entry = k.Input((6,), dtype="int32")
    x = layers.Embedding(12, 8)(entry)
    y = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.add([x, y]))
    y = layers.Dense(8)(layers.Dense(10, "gelu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.add([x, y]))
    z = layers.MultiHeadAttention(2, 3, value_dim=3, use_bias=False)(query=x, value=y, key=x)
    model = k.Model(entry, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, [words(6, 12)], [classes(3)]


@case
def masked_transformer(k):
    layers = k.layers
    entry = k.Input((6,), dtype="int32")
    x = layers.Embedding(12, 8, mask_zero=True)(entry)
    x = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    model = k.Model(entry, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, [words(6, 12)], [classes(3)]


@case
def masks_in_a_functional_model(k):
    layers = k.layers
    entry, values = k.Input((6,), dtype="int32"), k.Input((6, 3))
    x = layers.Embedding(12, 4, mask_zero=True)(entry)
    y = layers.LSTM(4, return_sequences=True)(layers.Masking(-1.0)(values))
    z = layers.concatenate([layers.Bidirectional(layers.GRU(2, return_sequences=True))(x), y])
    z = layers.add([layers.TimeDistributed(layers.Dense(4))(z), x])
    model = k.Model([entry, values], layers.Dense(2)(layers.SimpleRNN(3)(layers.Dropout(0.0)(z))))
    model.compile("adam", "mse")
    some = wave(6, 3)
    some[::2, 3:] = -1.0
    return model, [words(6, 12), some], [wave(2, phase=1.0)]


@case
def masked_attention(k):
    layers = k.layers
    entry, other = k.Input((6,), dtype="int32"), k.Input((5,), dtype="int32")
    embedding = layers.Embedding(12, 4, mask_zero=True)
    query, value = embedding(entry), embedding(other)
    x = layers.add([layers.Attention()([query, value]), layers.MultiHeadAttention(2, 3)(query, value)])
    model = k.Model([entry, other], layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "mse")
    return model, [words(6, 12), words(5, 12)], [wave(2, phase=1.0)]


@case
def nested_masks(k):
    layers = k.layers
    inner = k.Sequential([layers.Embedding(12, 4, mask_zero=True), layers.LSTM(3, return_sequences=True)])
    inner.build((None, 6))
    entry = k.Input((6,))
    model = k.Model(entry, layers.Dense(2)(layers.GRU(3)(inner(entry))))
    model.compile("adam", "mse")
    return model, [words(6, 12)], [wave(2, phase=1.0)]
