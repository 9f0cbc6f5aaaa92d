"""What callbacks change before a batch reads it, in every way that code can read it: changed_before_steps.py FOLDER."""

import json
import sys
import threading
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

import distnet as keras
from distnet import ops
from distnet.comm.scope import alone

keras.config.set_floatx("float64")
X, Y = np.random.default_rng(0).random((23, 3)), np.random.default_rng(1).random((23, 1))
settings = sys.modules["settings"] = ModuleType("settings")
settings.beta = 0.0


class State:
    def __init__(self, beta=0.0):
        self.beta = beta

    def loss(self, t, p):
        return penalized(t, p, self.beta)

    def set(self, value):
        self.beta = value


class Locked(State):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


class Config:
    beta = 0.0


class Penalty(keras.regularizers.Regularizer):
    def __init__(self):
        self.strength = 0.0

    def __call__(self, weights):
        return self.strength * ops.sum(ops.square(weights))


number, entries, named, state, array, locked = 0.0, [0.0], {"beta": 0.0}, State(), np.zeros(1), Locked()
aliased, tensor, scale = [0.0], 0.0, None
bound, given, default = State(), {"beta": 0.0}, {"beta": 0.0}


def penalized(t, p, beta):
    return ops.mean(ops.square(t - p) + beta * ops.abs(p), axis=-1)


def beta_of(kind):
    read = {
        "number": lambda: number, "entry of a list": lambda: entries[0], "entry of a dict": lambda: named["beta"],
        "attribute": lambda: state.beta, "array": lambda: array[0], "of a module": lambda: settings.beta,
        "of a class": lambda: Config.beta, "of a function": lambda: penalized.beta, "alias": lambda: aliased[0],
        "tensor": lambda: tensor, "locked": lambda: locked.beta, "function": lambda: scale() if scale else 0.0,
    }  # fmt: skip
    return read[kind]


def with_default(t, p, held=default):
    return penalized(t, p, held["beta"])


def with_held(t, p, held):
    return penalized(t, p, held["beta"])


def set_beta(kind, value):
    global number, tensor, scale
    if kind == "number":
        number = value
    elif kind == "entry of a list":
        entries[0] = value
    elif kind == "entry of a dict":
        named["beta"] = value
    elif kind == "attribute":
        state.set(value)
    elif kind == "array":
        array[...] = value
    elif kind == "of a module":
        settings.beta = value
    elif kind == "of a class":
        Config.beta = value
    elif kind == "of a function":
        penalized.beta = value
    elif kind == "tensor":
        tensor = ops.minimum(value, 0.5)
    elif kind == "locked":
        locked.beta = value
    elif kind == "function":
        scale = lambda: value  # noqa: E731 - what cannot be sent
    elif kind == "of a method":
        bound.beta = value
    elif kind == "of a partial":
        given["beta"] = value
    elif kind == "of a default":
        default["beta"] = value


class Anneal(keras.callbacks.Callback):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.held = kind, aliased

    def change(self, batch):
        if self.kind == "alias":
            self.held[0] = 0.1 * batch
        else:
            set_beta(self.kind, 0.1 * batch)


class Before(Anneal):
    def on_train_batch_begin(self, batch, logs=None):
        self.change(batch)


class After(Anneal):
    def on_train_batch_end(self, batch, logs=None):
        self.change(batch + 1)


class BeforeTests(Anneal):
    def on_test_begin(self, logs=None):
        self.change(3)


class BeforeTestBatches(Anneal):
    def on_test_batch_begin(self, batch, logs=None):
        self.change(batch)


class BeforePredictions(Anneal):
    def on_predict_batch_begin(self, batch, logs=None):
        self.change(batch)


class Strengthen(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        for layer in self.model.layers:
            if layer.kernel_regularizer is not None:
                vars(layer.kernel_regularizer).update({next(iter(vars(layer.kernel_regularizer))): 0.1 * batch})


class Scaled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * (1 + number)


class OwnStep(keras.Sequential):
    def train_step(self, data):
        x, y = data
        with keras.ops.GradientTape() as tape:
            loss = ops.mean(penalized(y, self(x), number))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return {"loss": loss}


def model_of(loss, *layers, regularizer=None, metrics=(), cls=keras.Sequential):
    dense = keras.layers.Dense(1, kernel_regularizer=regularizer)
    model = cls([keras.Input((3,)), *layers, dense])
    model.set_weights([np.array([[0.1], [0.2], [0.3]]), np.array([0.4])])  # seeds are others alone
    model.compile("sgd", loss, metrics=list(metrics))
    return model


def trained(model, *callbacks):
    return model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks).history["loss"]


def with_loss(kind, callback=Before):
    beta = beta_of(kind)
    set_beta(kind, 0.0)
    return trained(model_of(lambda t, p: penalized(t, p, beta())), callback(kind))


def of_enclosing():
    beta = 0.0

    def anneal(batch, logs):
        nonlocal beta
        beta = 0.1 * batch

    model = model_of(lambda t, p: penalized(t, p, beta))
    return trained(model, keras.callbacks.LambdaCallback(on_train_batch_begin=anneal))


def measured(callback):
    set_beta("number", 0.0)

    def off(t, p):
        return penalized(t, p, number)

    logs = model_of("mse", metrics=[off]).evaluate(X, Y, batch_size=8, verbose=0, callbacks=[callback("number")])
    fit = model_of("mse", metrics=[off]).fit(
        X, Y, batch_size=8, shuffle=False, verbose=0, validation_data=(X, Y), callbacks=[callback("number")]
    )
    return [*logs, *fit.history["val_off"]]


def predicted():
    set_beta("number", 0.0)
    y = model_of("mse", Scaled()).predict(X, batch_size=8, verbose=0, callbacks=[BeforePredictions("number")])
    return y.ravel().tolist()


def refused(kind):
    set_beta("number", 0.0)
    try:
        with_loss(kind)
    except keras.errors.ArgumentError as error:
        return str(error)
    return "trained"


def every_way():
    penalized.beta = 0.0
    kinds = ["number", "entry of a list", "entry of a dict", "attribute", "array", "of a module", "of a class"]
    kinds += ["of a function", "alias", "tensor", "locked"]
    return {kind: with_loss(kind) for kind in kinds} | {
        "after batches": with_loss("array", After),
        "of a method": trained(model_of(bound.loss), Before("of a method")),
        "of a partial": trained(model_of(partial(with_held, held=given)), Before("of a partial")),
        "of a default": trained(model_of(with_default), Before("of a default")),
        "of an enclosing function": of_enclosing(),
        "of a regularizer": trained(model_of("mse", regularizer=Penalty()), Strengthen()),
        "of Keras's regularizer": trained(model_of("mse", regularizer=keras.regularizers.L2(0.0)), Strengthen()),
        "of a layer": trained(model_of("mse", Scaled()), Before("number")),
        "of a train_step": trained(model_of("mse", cls=OwnStep), Before("number")),
        "of a metric, before tests": measured(BeforeTests),
        "of a metric": measured(BeforeTestBatches),
        "of a prediction": predicted(),
    }


if __name__ == "__main__":
    with alone():
        expected = every_way()
    seen = {"alone": expected, "together": every_way(), "refused": refused("function")}
    Path(sys.argv[1], f"{keras.distribution.rank()}.json").write_text(json.dumps(seen), encoding="utf-8")
