"""Who of the Pima has diabetes? A small network on a table of 768 rows.

The table, ``pima-indians-diabetes.csv`` (8 numbers and a 0 or 1 in each row), is looked for in this folder and in
``$DISTNET_DATA``; without it the program makes up a table of the same form.

Alone:          python examples/pima.py
On four ranks:  mpirun -n 4 python examples/pima.py
"""

import os
from pathlib import Path

import numpy as np

import distnet as keras
from distnet.layers import Dense
from distnet.models import Sequential

NAME = "pima-indians-diabetes.csv"


def load_table():
    """The table's rows, from a file or made up."""
    for folder in (Path.cwd(), Path(os.environ.get("DISTNET_DATA", "."))):
        if (folder / NAME).exists():
            return np.loadtxt(folder / NAME, delimiter=",")
    if keras.distribution.is_chief():
        print(f"{NAME} was not found: training on a random table instead.")
    rng = np.random.default_rng(7)
    x = rng.gamma(4.0, [1, 30, 17, 5, 20, 8, 0.12, 8], size=(768, 8))
    risk = (x[:, 1] - 120) / 30 + (x[:, 5] - 32) / 8 + rng.normal(size=768)
    return np.column_stack([x, risk > 0.5])


keras.utils.set_random_seed(7)
table = load_table()
x, y = table[:, :8], table[:, 8]

model = Sequential()
model.add(Dense(12, input_dim=8, activation="relu"))
model.add(Dense(8, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=150, batch_size=10, verbose=0)

scores = model.evaluate(x, y, verbose=0)
classes = (model.predict(x, verbose=0) > 0.5).astype(int)
if keras.distribution.is_chief():
    print(f"{model.metrics_names[1]}: {100 * scores[1]:.2f}%")
    for row in range(5):
        print(f"{x[row].round(1).tolist()} => {classes[row, 0]} (expected {y[row]:.0f})")
