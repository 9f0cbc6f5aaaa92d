"""Crossentropy behind a sigmoid or softmax is that of the logits: what saturates still learns.

Source of the numbers: tf_keras's formula ``max(z, 0) - t z + log(1 + exp(-|z|))`` and ``-log_softmax(z)[t]``.
"""

import numpy as np
import pytest

import distnet as keras
from distnet import config, layers, losses, models

X = np.linspace(-1, 1, 12, dtype="float32").reshape(6, 2)
BITS = (np.arange(6) % 2).astype("float32")[:, None]
CLASSES = np.arange(6) % 3
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]


def saturated(units, end, scale=60.0):
    """A model whose outputs are all but 0 and 1."""
    model = models.Sequential([layers.Input((2,)), layers.Dense(units, name="z"), *end])
    rng = np.random.default_rng(0)
    model.set_weights([(rng.normal(size=w.shape) * scale).astype(w.dtype) for w in model.get_weights()])
    return model


def logits_of(model):
    kernel, bias = model.get_layer("z").get_weights()
    return X.astype("float64") @ kernel + bias


def binary(z):
    return np.maximum(z, 0) - BITS * z + np.log1p(np.exp(-np.abs(z)))


def categorical(z, smoothing=0.0):
    shifted = z - z.max(axis=-1, keepdims=True)
    t = ONE_HOT * (1 - smoothing) + smoothing / 3
    return -(t * (shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))).sum(axis=-1)


def smooth(z):
    return categorical(z, 0.1)


def focal(z):
    """Of tf_keras: the focus is that of probabilities, the crossentropy that of logits."""
    p = 1 / (1 + np.exp(-z))
    return np.abs(BITS - p) ** 2 * binary(z)


SMOOTHED = losses.CategoricalCrossentropy(label_smoothing=0.1)
CASES = [
    pytest.param(1, layers.Activation("sigmoid"), "binary_crossentropy", BITS, binary, id="binary"),
    pytest.param(3, layers.Softmax(), "categorical_crossentropy", ONE_HOT, categorical, id="categorical"),
    pytest.param(3, layers.Activation("softmax"), "sparse_categorical_crossentropy", CLASSES, categorical, id="sparse"),
    pytest.param(1, layers.Activation("sigmoid"), "binary_focal_crossentropy", BITS, focal, id="focal"),
    pytest.param(3, layers.Softmax(), SMOOTHED, ONE_HOT, smooth, id="smoothed"),
]


@pytest.mark.parametrize(("units", "end", "loss", "y", "expected"), CASES)
def test_a_saturated_output_has_its_loss_and_learns(units, end, loss, y, expected):
    model = saturated(units, [models.Sequential([layers.Input((units,)), end])])
    model.compile(keras.optimizers.SGD(1.0), loss)
    value = expected(logits_of(model)).mean()
    assert value > 10
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), value, rtol=1e-5)
    history = model.fit(X, y, batch_size=6, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(history[0], value, rtol=1e-5)
    assert history[1] < history[0]


def test_keras_3s_clipped_value_is_an_option():
    config.set_clip_crossentropy(True)
    try:
        model = saturated(1, [layers.Activation("sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        before = model.get_weights()
        model.fit(X, BITS, batch_size=6, verbose=0)
        clipped = np.where((logits_of(model) > 0) == BITS, 0, -np.log(1e-7)).mean()
        assert model.evaluate(X, BITS, verbose=0) == pytest.approx(clipped, abs=0.2)
        np.testing.assert_array_equal(model.get_weights()[0], before[0])
    finally:
        config.set_clip_crossentropy(False)


@pytest.mark.parametrize("clips", [True, False])
def test_ordinary_outputs_have_the_same_loss_and_gradient_either_way(clips):
    x, weight = X.astype("float64"), np.linspace(0.5, 2, 6)

    def trained():
        entry = keras.Input((2,), dtype="float64")
        z = layers.Dense(4, "tanh", dtype="float64")(entry)
        inner = models.Sequential([layers.Input((4,)), layers.Dense(3, "softmax", dtype="float64")], name="kind")
        regular = layers.Dense(
            1, "sigmoid", activity_regularizer=keras.regularizers.L2(0.1), dtype="float64", name="bit"
        )(z)
        steps = layers.Conv1D(3, 2, activation="softmax", dtype="float64", name="steps")(
            layers.Reshape((4, 1), dtype="float64")(z)
        )
        model = keras.Model(entry, [inner(z), regular, steps])
        names = model.output_names
        given = ["categorical_crossentropy", "binary_crossentropy", "sparse_categorical_crossentropy"]
        rng = np.random.default_rng(1)
        model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
        model.compile(keras.optimizers.SGD(0.5), dict(zip(names, given, strict=True)), loss_weights=[1.0, 2.0, 0.5])
        y = [ONE_HOT, BITS, np.arange(18).reshape(6, 3) % 3]
        history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, sample_weight=weight)
        return [*history.history["loss"], *[w.sum() for w in model.get_weights()]]

    keras.config.set_clip_crossentropy(clips)
    keras.config.set_floatx("float64")
    try:
        values = trained()
        keras.config.set_clip_crossentropy(True)
        np.testing.assert_allclose(values, trained(), rtol=1e-12)
    finally:
        keras.config.set_clip_crossentropy(False)
        keras.config.set_floatx("float32")


class Doubled(layers.Dense):
    """A layer that does more than the one whose activation it has."""

    def forward(self, x, ctx):
        y, saved = super().forward(x, ctx)
        return y * 0.5, saved

    def backward(self, dy, saved, ctx):
        return super().backward(dy * 0.5, saved, ctx)


@pytest.mark.parametrize(
    "last",
    [
        lambda: layers.Dense(3, "softmax"),
        lambda: layers.Softmax(axis=1),
        lambda: Doubled(3, "softmax"),
        lambda: layers.Activation("sigmoid"),
    ],
    ids=["inner", "another axis", "more than the activation", "another activation"],
)
def test_only_an_activation_that_the_loss_belongs_to_and_that_comes_last_counts(last):
    model = models.Sequential([layers.Input((3, 3)), last()])
    wanted = type(model.layers[0]) is layers.Dense
    model.compile("sgd", "categorical_crossentropy")
    x = np.random.default_rng(0).random((4, 3, 3)).astype("float32")
    y = np.eye(3, dtype="float32")[np.arange(12).reshape(4, 3) % 3]
    loss = model.evaluate(x, y, verbose=0)
    p = model.predict(x, verbose=0)
    q = p / p.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(loss, -(y * np.log(q)).sum(axis=-1).mean(), rtol=1e-5)
    found = [f is not None for f in model.graph.final_activations]
    assert found[0] or not wanted


def test_an_activation_that_is_changed_later_decides():
    model = models.Sequential([layers.Input((2,)), layers.Dense(3, "softmax", name="z")])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    model.layers[0].activation = "linear"
    z = logits_of(model)
    np.testing.assert_allclose(model.evaluate(X, CLASSES, verbose=0), categorical(z).mean(), rtol=1e-5)
