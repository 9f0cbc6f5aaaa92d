"""Calls of models within a user's step, which use plans again: the same numbers as when each layer runs by itself."""

import numpy as np
import pytest

import distnet as keras
from distnet import layers, ops
from distnet.models import composite, lent_calls

ROWS, WIDTH = 4, 3


def dense_model(units=2, name="dense_model"):
    entry = keras.Input((WIDTH,))
    x = layers.Dropout(0.3)(layers.Dense(6, activation="relu")(entry))
    x = layers.BatchNormalization()(x)
    return keras.Model(entry, layers.Dense(units)(layers.Add()([x, layers.Dense(6, activation="tanh")(x)])), name=name)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner, self.critic = dense_model(WIDTH), dense_model(1, "critic")
        self.step_number, self.total = 0, 0.0

    def call(self, x):
        return self.critic(self.inner(x))

    def weights_trained(self):
        return self.inner.trainable_variables + self.critic.trainable_variables

    def learn(self, tape, loss, weights):
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


class Plain(Own):
    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self.inner(x, training=True) - y))
        return self.learn(tape, loss, self.inner.trainable_variables)


class Twice(Own):
    """The same model on two inputs in one tape, as a generative adversarial network has it."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape(persistent=True) as tape:
            made = self.inner(x, training=True)
            of_made, of_real = self.critic(made, training=True), self.critic(y, training=True)
            critics = ops.mean(of_made) - ops.mean(ops.square(of_real))
            makers = -ops.mean(of_made)
        gradients = tape.gradient(critics, self.critic.trainable_variables)
        others = tape.gradient(makers, self.inner.trainable_variables)
        pairs = zip([*others, *gradients], self.weights_trained(), strict=True)
        self.optimizer.apply_gradients(pairs)
        return {"loss": critics, "makers": makers}


class Penalized(Own):
    """A gradient of a gradient, by a tape within a tape, and by a tape that is asked within its own block."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            with keras.GradientTape() as inner:
                inner.watch(x)
                of_x = self.critic(x, training=False)
            slopes = inner.gradient(of_x, x)
            loss = ops.mean(ops.square(slopes)) + ops.mean(ops.square(self.critic(y, training=True)))
        return self.learn(tape, loss, self.critic.trainable_variables)


class Within(Own):
    def train_step(self, data):
        x, y = data
        with keras.GradientTape(persistent=True) as tape:
            tape.watch(x)
            of_x = ops.sum(ops.square(self.critic(x, training=True)))
            loss = of_x + ops.mean(ops.square(tape.gradient(of_x, x)))
        return self.learn(tape, loss, self.critic.trainable_variables)


class Keeps(Own):
    """The tape and the output of the step before, whose gradients are asked for in this one."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape(persistent=True) as tape:
            tape.watch(x)
            made = self.inner(x, training=True)
            loss = ops.mean(ops.square(made - y))
        if self.step_number:
            before, of_before, x_before, gradients = self.kept
            late = ops.sum(ops.abs(before.gradient(of_before, x_before))) + ops.sum(ops.abs(gradients[0]))
            self.total += float(late.numpy())
        self.step_number += 1
        self.kept = tape, loss, x, tape.gradient(loss, self.inner.trainable_variables)
        return {"loss": loss, "late": self.total}


class Toggles(Own):
    def train_step(self, data):
        x, y = data
        self.critic.trainable = self.step_number % 2 == 0
        self.step_number += 1
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self.critic(self.inner(x, training=True), training=True)))
        return self.learn(tape, loss, self.weights_trained() if self.critic.trainable else self.inner.trainable_weights)


class Changes(Own):
    """A layer's argument between two calls, and calls without gradients."""

    def train_step(self, data):
        x, y = data
        self.inner.layers[2].rate = 0.1 + 0.2 * (self.step_number // 3)
        self.step_number += 1
        unfollowed = self.inner(x, training=False)
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self.inner(x, training=True) - unfollowed - y))
        return self.learn(tape, loss, self.inner.trainable_variables)


class Words(Own):
    """Masks that are made within the model, and come with its output to the loss and to what reads it next."""

    def __init__(self):
        super().__init__()
        entry = keras.Input((WIDTH,), dtype="int32")
        x = layers.Embedding(7, 4, mask_zero=True)(entry)
        x = layers.Add()([layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True), layers.Dense(4)(x)])
        x = layers.Bidirectional(layers.GRU(2, return_sequences=True))(x)
        self.words, self.reader = keras.Model(entry, x), keras.Sequential([layers.LSTM(3)])
        self.reader.build((None, WIDTH, 4))

    def train_step(self, data):
        x, y = data
        numbers = ops.cast(ops.clip(ops.abs(x) * 4.0, 0.0, 6.0), "int32")
        with keras.GradientTape() as tape:
            made = self.words(numbers, training=True)
            of_words = self.compute_loss(x=x, y=ops.stack([y] * 4, axis=-1), y_pred=made)
            loss = of_words + ops.mean(ops.square(self.reader(made, training=True) - y))
        weights = self.words.trainable_variables + self.reader.trainable_variables
        return self.learn(tape, loss, weights) | {"words": of_words}


def trained(kind, is_lent, monkeypatch):
    """What is logged, all weights, and how many calls were lent."""
    lent = []
    made = lent_calls.LentCall.outputs
    monkeypatch.setattr(lent_calls.LentCall, "outputs", lambda self, x, step: lent.append(1) or made(self, x, step))
    if not is_lent:
        monkeypatch.setattr(composite, "on_lent_call", lambda model, given: None)
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((6 * ROWS - 2, WIDTH)), rng.standard_normal((6 * ROWS - 2, WIDTH))
    model = kind()
    model.compile("adam", "mse")
    history = model.fit(x, y, batch_size=ROWS, epochs=2, verbose=0).history
    values = [v.numpy() for v in model.variables]
    monkeypatch.undo()
    return history, values, len(lent)


@pytest.fixture(autouse=True)
def _in_float64():
    keras.backend.set_floatx("float64")
    yield
    keras.backend.set_floatx("float32")


KINDS = [Plain, Twice, Penalized, Within, Keeps, Toggles, Changes, Words]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_lent_call_gives_the_numbers_of_its_layers(kind, monkeypatch):
    history, values, lent = trained(kind, True, monkeypatch)
    expected, expected_values, none = trained(kind, False, monkeypatch)
    assert lent > none == 0
    assert history.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(history[key], expected[key], rtol=1e-10, atol=1e-13, err_msg=key)
    for value, other in zip(values, expected_values, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-10, atol=1e-13)
