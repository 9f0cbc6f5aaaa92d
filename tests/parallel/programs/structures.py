"""Nested inputs, outputs and losses, models within models, lengths that differ; no seed is set: structures.py FILE."""

import sys

import numpy as np

import distnet as keras
from distnet import layers


class Encoder(keras.Model):
    def __init__(self):
        a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
        x = layers.Concatenate()([a, b])
        outputs = {"p": layers.Dense(1)(x), "rest": [layers.Dense(2)(x), layers.Dense(2)(x)]}
        super().__init__(inputs={"a": a, "b": b}, outputs=outputs)


def filled(model):
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def noted(name, model, x, y, **options):
    history = model.fit(x, y, verbose=0, **options)
    results.update({f"{name}/{key}": values for key, values in history.history.items()})
    results.update({f"{name}/weights/{i}": w for i, w in enumerate(model.get_weights())})


def batches():
    for n, rows in ((8, 5), (3, 2), (6, 4)):
        yield SEQUENCES[:rows, :n], ENDS[:rows]


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(0)
    A, B, P, Q, R = (rng.normal(size=(11, n)) for n in (3, 2, 1, 2, 2))
    SEQUENCES, ENDS = rng.normal(size=(11, 8, 3)), rng.normal(size=(11, 1))
    results = {}

    inputs = {"b": B, "a": A}
    model = filled(Encoder())
    model.compile(
        "adam", loss={"p": "mse", "rest": ["mae", ["mse", "mae"]]}, metrics={"p": "mae", "rest": [None, "mse"]}
    )
    noted("nested", model, inputs, {"p": P, "rest": [Q, R]}, batch_size=4, epochs=2, shuffle=False)
    results["evaluated"] = model.evaluate(inputs, {"p": P, "rest": [Q, R]}, batch_size=2, verbose=0)
    predicted = model.predict(inputs, batch_size=2, verbose=0)
    results["predicted"] = np.concatenate([predicted["p"], *predicted["rest"]], axis=1)
    model.compile("sgd", loss={"p": "mse"})
    noted("p alone", model, inputs, {"p": P}, batch_size=2, shuffle=False)

    hidden = layers.Dense(3, activation="tanh")(x := keras.Input((3,)))
    whole = filled(keras.Model(x, layers.Dense(1)(hidden)))
    head = keras.Model(hidden, whole.output)
    head.compile("sgd", "mse")
    noted("head", head, A, P, batch_size=2, shuffle=False)
    results["whole"] = whole.predict(A, verbose=0)

    open_model = keras.Sequential([layers.LSTM(2), layers.Dense(1)])
    open_model.build((None, 8, 3))
    filled(open_model).compile("sgd", "mse")

    noted("lengths", open_model, batches(), None)
    results["evaluated lengths"] = open_model.evaluate(batches(), verbose=0)
    results["predicted lengths"] = open_model.predict(batches(), verbose=0)
    noted("arrays", open_model, SEQUENCES[:, :4], ENDS, shuffle=False)

    clone = keras.models.clone_model(open_model)
    results["drawn"] = clone.get_weights()[0].shape
    layer = layers.Dense(2, weights=[np.ones((3, 2)), np.zeros(2)])
    layer.build((None, 3))
    results["built"] = layer.get_weights()[0]
    if keras.distribution.is_chief():
        np.savez(sys.argv[1], **results)
