"""Code of a model that draws from global generators, with and without a common seed: draws_globally.py FOLDER."""

import json
import random
import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import ops

RANK = keras.distribution.rank()
X, Y = np.random.default_rng(0).random((60, 8)), np.random.default_rng(1).random((60, 1))


class Scaled(keras.layers.Layer):
    def call(self, inputs):
        return inputs * np.random.uniform(0.5, 1.5)


class Python(keras.layers.Layer):
    def call(self, inputs):
        return inputs * random.uniform(0.5, 1.5)


class OwnStep(keras.Sequential):
    def train_step(self, data):
        x, y = data
        return super().train_step((x + np.random.normal(), y))


def loss(t, p):
    return ops.mean(ops.square(t - p), axis=-1) * np.random.uniform()


def model_of(*layers, loss="mse", metrics=(), cls=keras.Sequential):
    model = cls([keras.Input((8,)), *layers, keras.layers.Dense(1)])
    model.compile("sgd", loss, metrics=list(metrics))
    return model


def outcome(call):
    try:
        return {"trained": call()}
    except keras.errors.ReplicaError as error:
        return {"refused": str(error)}


def fitted(model, batch_size=20, callbacks=()):
    return model.fit(X, Y, batch_size=batch_size, verbose=0, callbacks=list(callbacks)).history["loss"]


def outcomes():
    draws = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: np.random.uniform())
    return {
        "a layer": outcome(lambda: fitted(model_of(Scaled()))),
        "in the last step": outcome(lambda: fitted(model_of(Scaled()), 60)),
        "Python's": outcome(lambda: fitted(model_of(Python()))),
        "a train_step": outcome(lambda: fitted(model_of(cls=OwnStep))),
        "a loss": outcome(lambda: fitted(model_of(loss=loss))),
        "a metric": outcome(lambda: model_of(metrics=[loss]).evaluate(X, Y, verbose=0)),
        "predictions": outcome(lambda: model_of(Scaled()).predict(X, verbose=0).ravel().tolist()),
        "beside a callback": outcome(lambda: fitted(model_of(Scaled()), callbacks=[draws])),
        "no draws": outcome(lambda: fitted(model_of(), callbacks=[draws])),
    }


if __name__ == "__main__":
    np.random.seed(RANK)
    random.seed(RANK)
    seen = {"unseeded": outcomes()}
    np.random.seed(0)
    random.seed(0)
    seen["seeded"] = outcomes()
    Path(sys.argv[1], f"{RANK}.json").write_text(json.dumps(seen), encoding="utf-8")
