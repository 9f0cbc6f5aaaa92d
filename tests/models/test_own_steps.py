"""Models that override a step of Keras's: ``fit``, ``evaluate`` and ``predict`` call it."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.errors import ArgumentError, DataError
from distnet.models.keras_steps import unpacked

X = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
Y = X[:, :2] * 2
WEIGHTS = np.random.default_rng(1).random(20)


class InKeras3(keras.Model):
    """As Keras 3's guide writes it."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=x.shape[0])
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


class InKeras2(keras.Model):
    """As Keras 2's guide writes it."""

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


class OwnLoss(keras.Model):
    """Overrides the loss alone."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight)


class Inherited(keras.Model):
    """Each step is the inherited one."""

    def train_step(self, data):
        return super().train_step(data)

    def test_step(self, data):
        return super().test_step(data)

    def predict_step(self, data):
        return super().predict_step(data)


def made(cls) -> keras.Model:
    keras.utils.set_random_seed(3)
    entry = keras.Input((5,))
    x = keras.layers.Dense(8, activation="tanh", kernel_regularizer="l2")(entry)
    model = cls(entry, keras.layers.Dense(2)(x))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def results(model) -> list[float]:
    history = model.fit(X, Y, epochs=2, batch_size=7, validation_data=(X, Y), verbose=0).history
    values = [value for values in history.values() for value in values]
    values += [*model.evaluate(X, Y, verbose=0), float(model.predict(X, verbose=0).sum())]
    return [*values, *model.train_on_batch(X, Y), *model.test_on_batch(X, Y)]


@pytest.mark.parametrize("cls", [InKeras3, InKeras2, OwnLoss, Inherited])
def test_steps_written_as_keras_does_give_what_fit_gives(cls):
    np.testing.assert_allclose(results(made(cls)), results(made(keras.Model)), rtol=2e-5)


@pytest.mark.parametrize("cls", [OwnLoss, Inherited])
def test_sample_weights_reach_the_steps(cls):
    histories = [
        made(kind).fit(X, Y, sample_weight=WEIGHTS, epochs=2, verbose=0).history["loss"] for kind in (keras.Model, cls)
    ]
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-5)


class Autoencoder(keras.Model):
    """Has no call, a metric as attribute, and data without targets."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.layers.Dense(2, activation="tanh")])
        self.decoder = keras.Sequential([keras.layers.Dense(5)])
        self.tracker = keras.metrics.Mean(name="reconstruction")
        self.forms = []

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        self.forms.append(type(data).__name__)
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(data - self.decoder(self.encoder(data))))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.tracker.update_state(loss)
        return {"reconstruction": self.tracker.result()}


def test_a_model_without_call_trains_on_inputs_alone(tmp_path):
    model = Autoencoder()
    model.compile(optimizer=keras.optimizers.Adam(0.05))
    history = model.fit(X, epochs=10, batch_size=10, verbose=0).history
    assert list(history) == ["reconstruction"]
    assert history["reconstruction"][-1] < 0.8 * history["reconstruction"][0]
    assert set(model.forms) == {"Tensor"}
    assert model.optimizer.iterations == 20
    with pytest.raises(ArgumentError, match="expected a method call"):
        model.predict(X, verbose=0)


def test_a_step_that_returns_nothing_says_so():
    class Nothing(keras.Model):
        def train_step(self, data):
            pass

    model = made(Nothing)
    with pytest.raises(ArgumentError, match=r"expected a step to return a dict.*NoneType"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(DataError, match="expected targets"):
        made(keras.Model).fit(X, verbose=0)


def test_data_are_unpacked_as_in_keras():
    assert unpacked((1, 2)) == (1, 2, None)
    assert unpacked([1, 2, 3]) == (1, 2, 3)
    assert unpacked(5) == (5, None, None)


class FedByNumbers(keras.Model):
    """Its step is handed numbers of rows, ``call`` the rows."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        rows, scale = inputs
        return self.dense(rows) * scale

    def train_step(self, data):
        numbers, y = data
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(y - ops.take(self([X, np.ones((20, 1))]), numbers, axis=0)))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def test_a_step_may_be_handed_other_data_than_call():
    model, other = FedByNumbers(), FedByNumbers()
    model.compile("sgd")
    first = model.fit(np.arange(20), Y, epochs=1, batch_size=20, verbose=0).history["loss"]
    assert len(model.weights) == 2
    assert model.fit(np.arange(20), Y, epochs=3, batch_size=20, verbose=0).history["loss"][-1] < first[0]
    other([X, np.ones((20, 1))])
    assert [w.shape for w in other.get_weights()] == [w.shape for w in model.get_weights()]


def test_a_call_that_fails_after_it_built_layers_is_named():
    class Halfway(FedByNumbers):
        def call(self, inputs):
            return self.dense(ops.expand_dims(inputs, -1)) + ops.ones((7, 7))

    model = Halfway()
    model.compile("sgd")
    with pytest.raises(Exception, match="halfway"):
        model.fit(np.arange(20), Y, verbose=0)
