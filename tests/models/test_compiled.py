"""What callbacks and scripts read of a model that was compiled."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(10, 4))
Y = X[:, :1]


def compiled(**options):
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    made.compile("adam", "mse", metrics=["mae"], **options)
    return made


class Reader(keras.callbacks.Callback):
    """Keeps what the model's metrics say at the end of every epoch."""

    def __init__(self):
        self.read = []

    def on_epoch_end(self, epoch, logs=None):
        self.read.append({metric.name: metric.result() for metric in self.model.metrics})


def test_metrics_tell_the_latest_values():
    model, reader = compiled(), Reader()
    assert model.metrics == []
    history = model.fit(X, Y, epochs=2, batch_size=3, verbose=0, callbacks=[reader]).history
    assert reader.read == [
        pytest.approx({key: values[i] for key, values in history.items()}) for i in range(len(reader.read))
    ]
    assert len(reader.read) == 2
    found = model.evaluate(X, Y, verbose=0)
    assert [metric.result() for metric in model.metrics] == pytest.approx(found)
    assert [metric.name for metric in model.metrics] == model.metrics_names == ["loss", "mae"]


def test_metrics_of_outputs_go_by_the_keys_of_the_logs():
    entry = keras.Input((4,))
    outputs = [keras.layers.Dense(1, name=name)(entry) for name in ("a", "b")]
    model = keras.Model(entry, outputs)
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    logs = model.train_on_batch(X, [Y, Y], return_dict=True)
    assert {metric.name: metric.result() for metric in model.metrics} == pytest.approx(logs)


def test_reset_metrics_forgets():
    model = compiled()
    model.reset_metrics()
    model.train_on_batch(X, Y)
    assert model.metrics[0].result() > 0
    model.reset_metrics()
    assert [metric.result() for metric in model.metrics] == [0, 0]


def test_settings_of_compile_can_be_read_and_used_again():
    model = compiled(run_eagerly=True, jit_compile=False, steps_per_execution=2)
    assert (model.run_eagerly, model.jit_compile, model.steps_per_execution) == (True, False, 2)
    config = model.get_compile_config()
    assert config["loss"] == "mean_squared_error"
    other = keras.Sequential.from_config(model.get_config())
    assert not other.compiled
    assert keras.models.clone_model(model).get_compile_config()["loss"] == config["loss"]
    assert other.get_compile_config() == {}
    other.compile_from_config(config)
    assert other.get_compile_config()["optimizer"] == config["optimizer"]
    other.set_weights(model.get_weights())
    assert other.evaluate(X, Y, verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0))


def test_no_epochs_leave_the_model_alone():
    model = compiled()
    before = model.get_weights()
    for options in ({"epochs": 0}, {"epochs": 3, "initial_epoch": 3}, {"epochs": 2, "initial_epoch": 3}):
        history = model.fit(X, Y, verbose=0, **options)
        assert (history.history, history.epoch) == ({}, [])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


ORDERS = {
    "Keras 3's": lambda m: m.compile("sgd", "mse", [2.0], ["mae"], ["mse"]),
    "Keras 2's": lambda m: m.compile("sgd", "mse", ["mae"], [2.0], ["mse"]),
    "Keras 3's with names": lambda m: m.compile("sgd", "mse", 2.0, metrics=["mae"], weighted_metrics=["mse"]),
    "names alone": lambda m: m.compile(
        loss="mse", optimizer="sgd", metrics=["mae"], loss_weights=[2.0], weighted_metrics=["mse"]
    ),
}


@pytest.mark.parametrize("order", ORDERS)
def test_metrics_and_loss_weights_are_told_apart_in_either_order(order):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    ORDERS[order](model)
    logs = model.evaluate(np.ones((2, 2)), np.zeros((2, 1)), verbose=0, return_dict=True)
    assert logs == {"loss": 8.0, "mae": 2.0, "mse": 4.0}


def test_no_loss_weights_before_metrics_is_keras_3_s_order():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", None, ["mae"])
    assert list(model.evaluate(np.ones((2, 2)), np.zeros((2, 1)), verbose=0, return_dict=True)) == ["loss", "mae"]


@pytest.mark.parametrize("metrics", [3, [3], [3.5], [[3]], {"dense": 3}, [True], ()])
@pytest.mark.parametrize("argument", ["metrics", "weighted_metrics"])
def test_numbers_are_no_metrics(metrics, argument):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    if metrics == ():
        model.compile("sgd", "mse", **{argument: metrics})
        return
    with pytest.raises(ArgumentError, match="expected a metric"):
        model.compile("sgd", "mse", **{argument: metrics})


@pytest.mark.parametrize("steps", [0, -1, 1.5, "a"])
def test_steps_per_execution_is_checked(steps):
    with pytest.raises(ArgumentError, match="steps_per_execution: expected a positive integer"):
        keras.Sequential([keras.layers.Dense(1)]).compile("sgd", "mse", steps_per_execution=steps)


def test_dicts_of_logs_are_in_the_order_of_the_alphabet_and_lists_begin_with_the_loss():
    x = keras.layers.Input((4,))
    model = keras.Model(x, [keras.layers.Dense(2, name="right")(x), keras.layers.Dense(2, name="left")(x)])
    model.compile("sgd", "mse", metrics=[["mae"], None])
    given = np.ones((8, 4)), [np.ones((8, 2))] * 2
    asked = model.evaluate(*given, verbose=0, return_dict=True)
    assert list(asked) == ["left_loss", "loss", "right_loss", "right_mae"]
    assert list(model.test_on_batch(*given, return_dict=True)) == list(asked)
    assert list(model.train_on_batch(*given, return_dict=True)) == list(asked)
    keys = ["loss", "right_loss", "left_loss", "right_mae"]
    np.testing.assert_allclose(model.evaluate(*given, verbose=0), list(map(model.evaluate(
        *given, verbose=0, return_dict=True).get, keys)))  # fmt: skip
