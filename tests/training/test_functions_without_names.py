"""``functools.partial`` and callable objects stand for losses, metrics, initializers ... as functions do."""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers

X, Y = np.ones((4, 2)), np.ones((4, 1))


def scaled(y_true, y_pred, factor=1):
    return factor * np.abs(y_true - y_pred).mean(axis=-1)


def NamedInCapitals(y_true, y_pred):
    return scaled(y_true, y_pred)


class Distance:
    def __call__(self, y_true, y_pred):
        return scaled(y_true, y_pred)


class Squared:
    """A loss with its gradient."""

    def __call__(self, y_true, y_pred):
        return ((y_true - y_pred) ** 2).sum(axis=-1), 2 * (y_pred - y_true)


class Filled:
    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.full(shape, self.value, dtype)


class Described(Filled):
    def get_config(self):
        return {"value": self.value}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def penalty(w, factor):
    return factor * (w**2).sum(), 2 * factor * w


def halved(w, by):
    return w / by


def dense(**options):
    return layers.Dense(1, input_shape=(2,), **{"kernel_initializer": Filled(0.25), **options})


def fitted(layer, loss="mse", metrics=()):
    model = keras.Sequential([layer])
    model.compile("sgd", loss, metrics=list(metrics))
    return model, model.fit(X, Y, batch_size=2, verbose=0).history


def test_metrics_are_called_what_keras_calls_them():
    metrics = [functools.partial(scaled, factor=2), Distance(), NamedInCapitals, lambda a, b: scaled(a, b)]
    history = fitted(dense(), metrics=[*metrics, metrics[0]])[1]
    assert list(history) == ["loss", "partial", "distance", "named_in_capitals", "lambda", "partial_1"]
    assert history["partial"] == [2 * history["distance"][0]] == history["partial_1"]
    assert history["named_in_capitals"] == history["distance"] == history["lambda"]


@pytest.mark.parametrize("loss", [Squared(), functools.partial(lambda a, b, f: Squared()(a, b), f=1)])
def test_a_loss_may_be_any_callable_object(loss):
    assert fitted(dense(), loss)[1] == fitted(dense(), "mse")[1]


def test_a_loss_function_with_other_options_is_one():
    smoothed = functools.partial(keras.losses.binary_crossentropy, label_smoothing=0.2)
    found = fitted(dense(activation="sigmoid"), smoothed)[1]
    assert found == fitted(dense(activation="sigmoid"), keras.losses.BinaryCrossentropy(label_smoothing=0.2))[1]


def test_a_loss_serves_as_a_metric():
    history = fitted(dense(), metrics=[keras.losses.MeanSquaredError(), keras.losses.Huber(name="h")])[1]
    assert list(history) == ["loss", "mean_squared_error", "h"]
    assert history["mean_squared_error"] == pytest.approx(history["loss"])


def test_an_activation_with_other_options_is_one():
    leaky = functools.partial(keras.activations.relu, negative_slope=0.5)
    layer = dense(kernel_initializer=Filled(-1.0), activation=leaky)
    np.testing.assert_allclose(layer(X), np.full((4, 1), -1.0))
    assert layers.Dense(1, activation=layer.activation.as_json()).activation == layer.activation


def test_initializers_regularizers_and_constraints_may_be_any_callable_object():
    layer = dense(
        kernel_initializer=functools.partial(Filled(0.5), dtype="float32"),
        kernel_regularizer=functools.partial(penalty, factor=0.5),
        kernel_constraint=functools.partial(halved, by=4),
    )
    np.testing.assert_array_equal(keras.Sequential([layer]).get_weights()[0], [[0.5], [0.5]])
    assert layer.kernel.regularizer.value(layer.kernel.value) == pytest.approx(0.25)
    before = layer.kernel.numpy()
    model, _ = fitted(layer)
    assert (np.abs(model.get_weights()[0]) < before / 4).all()


def test_what_has_no_name_is_not_saved(tmp_path):
    for model in (fitted(dense())[0], fitted(dense(kernel_initializer="ones"), Squared())[0]):
        with pytest.raises(errors.ArgumentError, match="cannot be written as JSON. Give its class a get_config method"):
            model.save(tmp_path / "m.h5")


def test_a_callable_object_with_a_configuration_is_saved(tmp_path):
    model = keras.Sequential([dense(kernel_initializer=Described(0.5))])
    custom = {"Described": Described}
    read = keras.models.model_from_json(model.to_json(), custom_objects=custom)
    np.testing.assert_array_equal(read.get_weights()[0], [[0.5], [0.5]])
    assert json.loads(read.to_json())["config"] == json.loads(model.to_json())["config"]


RANKS = """
import functools, numpy as np, distnet as keras
def scaled(y_true, y_pred, factor):
    return factor * np.abs(y_true - y_pred).mean(axis=-1)
class Ones:
    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype)
class Squared:
    def __call__(self, y_true, y_pred):
        return ((y_true - y_pred) ** 2).sum(axis=-1), 2 * (y_pred - y_true)
model = keras.Sequential([keras.layers.Dense(1, kernel_initializer=Ones())])
model.compile("sgd", Squared(), metrics=[functools.partial(scaled, factor=2)])
history = model.fit(np.eye(7), np.arange(7.0)[:, None], verbose=0).history
print({key: round(values[0], 4) for key, values in history.items()}, flush=True)
"""


def test_several_ranks_take_them_too(ranks):
    assert len(set(ranks(3).run(RANKS).succeeded().stdout.splitlines())) == 1
