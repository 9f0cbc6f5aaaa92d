"""Give training something that it cannot work with: wrong_input.py CASE."""

import json
import sys

import numpy as np

import distnet as keras
from distnet import layers

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(40, 4)), RNG.integers(0, 3, 40)


def built(loss="sparse_categorical_crossentropy", compiled=True):
    model = keras.Sequential([layers.Dense(5, "relu", input_shape=(4,)), layers.Dense(3, "softmax")])
    if compiled:
        model.compile("adam", loss, ["accuracy"])
    return model


def fit(x=X, y=LABELS, **options):
    loss = options.pop("loss", "sparse_categorical_crossentropy")
    built(loss).fit(x, y, **{"batch_size": 8, "verbose": 0} | options)


def with_one(array, value, row=33):
    changed = np.array(array, float)
    changed[row] = value
    return changed


def unknown_layer():
    description = json.loads(built().to_json().replace('"Dense"', '"Densee"'))
    keras.Sequential.from_config(description["config"])


CASES = {
    "columns": lambda: fit(X[:, :3]),
    "rows": lambda: fit(X, LABELS[:39]),
    "targets": lambda: fit(X, np.eye(4)[LABELS], loss="categorical_crossentropy"),
    "loss": lambda: fit(loss="categorical_crosentropy"),
    "optimizer": lambda: built(compiled=False).compile("adamm", "mse"),
    "metric": lambda: built(compiled=False).compile("adam", "mse", metrics=["acuracy"]),
    "layer": unknown_layer,
    "nan": lambda: fit(with_one(X, np.nan)),
    "infinity": lambda: fit(with_one(X, np.inf, row=0)),
    "nan target": lambda: fit(X, with_one(np.eye(3)[LABELS], np.nan), loss="mse"),
    "nan weight": lambda: fit(sample_weight=with_one(np.ones(40), np.nan)),
    "nan validation": lambda: fit(validation_data=(with_one(X, np.nan), LABELS)),
    "nan in evaluate": lambda: built().evaluate(with_one(X, np.nan), LABELS, verbose=0),
    "label": lambda: fit(X, with_one(LABELS, 3).astype(int)),
    "negative label": lambda: fit(X, with_one(LABELS, -1).astype(int)),
    "validation label": lambda: fit(validation_data=(X, with_one(LABELS, 7).astype(int))),
    "batch size": lambda: fit(batch_size=-8),
    "no batch size": lambda: fit(batch_size=0),
    "epochs": lambda: fit(epochs=-1),
    "uncompiled": lambda: built(compiled=False).fit(X, LABELS, verbose=0),
    "uncompiled evaluation": lambda: built(compiled=False).evaluate(X, LABELS, verbose=0),
    "uncompiled batch": lambda: built(compiled=False).train_on_batch(X, LABELS),
    "empty": lambda: fit(X[:0], LABELS[:0]),
    "empty list": lambda: fit([], []),
    "no rows to validate": lambda: fit(validation_split=1e-17),
    "no rows to train": lambda: fit(X[:1], LABELS[:1], validation_split=0.5),
    "split": lambda: fit(validation_split=1.5),
    "text": lambda: fit(np.full((40, 4), "a")),
    "no targets": lambda: fit(X, None),
    "weights": lambda: fit(sample_weight=np.ones(39)),
    "resume": lambda: fit(resume="nowhere.h5"),
}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
    print("it worked")
