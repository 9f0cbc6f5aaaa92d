"""Networks as Keras's users build them, each trained for ten steps by a function of the module ``keras``.

``make_networks.py`` runs them with Keras itself, ``tests/training/test_networks.py`` with distnet. Data and weights
come from formulas. Each case returns the loss of every step, and outputs of the trained network, for two optimizers.
"""

from functools import partial

import numpy as np

from fit_cases import waves

STEPS = 10


def fill(model):
    """Give every layer weights that are the same everywhere, of the size that a fresh network's have."""
    for number, layer in enumerate(model.layers):
        shapes = [w.shape for w in layer.get_weights()]
        layer.set_weights([_weight(type(layer).__name__, shape, i, number + i) for i, shape in enumerate(shapes)])
    return model


def _weight(kind, shape, place, number):
    noise = waves(*shape, frequency=0.9 + 0.01 * number, scale=1.0)
    if kind.endswith("Normalization"):  # gamma, beta, mean, variance: the first and the last are near 1
        return 0.1 * noise + (place in (0, 3))
    if len(shape) == 1:
        return 0.1 * noise
    return noise * np.sqrt(2.0 / np.prod(shape[:-1])) if kind != "Embedding" else 0.5 * noise


def trained(keras, make, inputs, labels, loss, rate=1.0):
    """One batch a call of ``fit``, whose history is then that step's loss."""
    rows = len(labels) // STEPS
    found = {}
    optimizers = {
        "sgd": keras.optimizers.SGD(0.05 * rate, momentum=0.9),
        "adam": keras.optimizers.Adam(0.003 * rate),
    }
    for name, optimizer in optimizers.items():
        keras.backend.clear_session()
        model = fill(make(keras))
        model.compile(optimizer=optimizer, loss=loss)
        losses = []
        for start in range(0, len(labels), rows):
            batch = slice(start, start + rows)
            history = model.fit(part(inputs, batch), labels[batch], batch_size=rows, shuffle=False, verbose=0)
            losses += history.history["loss"]
        found[f"{name}/losses"] = losses
        found[f"{name}/outputs"] = model.predict(part(inputs, slice(4)), verbose=0)
    return found


def part(inputs, rows):
    """Some rows of every input; of the one, where there is one."""
    return [array[rows] for array in inputs] if len(inputs) > 1 else inputs[0][rows]


def residual(keras):
    """Three stages of three blocks, projections where the shape changes: He et al. 2015, section 4.2."""
    layers = keras.layers

    def convolved(x, filters, size=3, strides=1):
        x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.9)(x)

    inputs = keras.Input((32, 32, 3))
    x = layers.Activation("relu")(convolved(inputs, 16))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage > 0 and block == 0 else 1
            y = layers.Activation("relu")(convolved(x, filters, strides=strides))
            y = convolved(y, filters)
            if strides == 2:
                x = convolved(x, filters, 1, strides)
            x = layers.Activation("relu")(layers.add([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def resnet20(keras):
    labels = np.arange(8 * STEPS) * 7 % 10
    images = waves(len(labels), 32, 32, 3, frequency=1.1)
    images[:, :, :, 0] += (labels[:, None, None] - 4.5) / 10  # something to learn
    # In float32 a relu that turns off elsewhere moves the loss: at the full rate Keras's own float32 and float64 differ
    # by 0.06 after ten steps.
    rate = 0.01 if keras.config.floatx() == "float32" else 1.0
    return trained(keras, residual, [images], labels, "sparse_categorical_crossentropy", rate)


WORDS, LENGTH = 40, 12


def sentences(rows=8 * STEPS):
    """Word numbers padded with 0 in front or behind, and once nothing else; their places; a label each."""
    row, place = np.arange(rows)[:, None], np.arange(LENGTH)
    lengths = 1 + row * 5 % LENGTH
    words = 1 + ((row * LENGTH + place) * 17 + row**2) % (WORDS - 1)
    kept = np.where(row % 2, place < lengths, place >= LENGTH - lengths)
    kept[3] = False
    words = np.where(kept, words, 0)
    return words, np.broadcast_to(place, words.shape).copy(), words.sum(axis=1) // 3 % 2


def over_words(*between):
    """A classifier of sentences with some layers between words and class."""

    def make(keras):
        first = [keras.Input((LENGTH,), dtype="int32"), keras.layers.Embedding(WORDS, 8, mask_zero=True)]
        made = [layer(keras.layers) for layer in between]
        return keras.Sequential([*first, *made, keras.layers.Dense(1, activation="sigmoid")])

    return make


def lstm(keras):
    words, _, labels = sentences()
    make = over_words(lambda layers: layers.LSTM(12))
    return trained(keras, make, [words], labels.astype("float64"), "binary_crossentropy")


def bidirectional_lstms(keras):
    words, _, labels = sentences()
    make = over_words(
        lambda layers: layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
        lambda layers: layers.Bidirectional(layers.LSTM(5), merge_mode="sum"),
    )
    return trained(keras, make, [words], labels.astype("float64"), "binary_crossentropy")


def masked_lstm_and_gru(keras):
    def make(keras):
        layers = keras.layers
        first = [keras.Input((LENGTH, 5)), layers.Masking(0.0)]
        return keras.Sequential(
            [*first, layers.LSTM(8, return_sequences=True), layers.GRU(6), layers.Dense(3, activation="softmax")]
        )

    words, _, _ = sentences()
    x = waves(*words.shape, 5, frequency=1.3) * (words > 0)[..., None]
    return trained(keras, make, [x], words.sum(axis=1) % 3, "sparse_categorical_crossentropy")


def encoder(keras, activation, mask_zero):
    """Token and position embedding, two blocks of attention and feed-forward, the mean over time."""
    layers, width = keras.layers, 16
    words = keras.Input((LENGTH,), dtype="int32", name="words")
    places = keras.Input((LENGTH,), dtype="int32", name="places")
    at = layers.Embedding(LENGTH, width)(places)
    x = layers.add([layers.Embedding(WORDS, width, mask_zero=mask_zero)(words), at])
    for _ in range(2):
        attended = layers.MultiHeadAttention(num_heads=2, key_dim=8)(x, x)
        x = layers.LayerNormalization(epsilon=1e-6)(layers.add([x, attended]))
        fed = layers.Dense(width)(layers.Dense(24, activation=activation)(x))
        x = layers.LayerNormalization(epsilon=1e-6)(layers.add([x, fed]))
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model([words, places], layers.Dense(2, activation="softmax")(x))


def transformer(keras, activation, mask_zero):
    words, places, labels = sentences()
    make = partial(encoder, activation=activation, mask_zero=mask_zero)
    return trained(keras, make, [words, places], labels, "sparse_categorical_crossentropy")


def transformer_encoder(keras):
    return transformer(keras, "relu", False)


def masked_transformer_encoder(keras):
    return transformer(keras, "gelu", True)


CASES = [resnet20, lstm, bidirectional_lstms, masked_lstm_and_gru, transformer_encoder, masked_transformer_encoder]
