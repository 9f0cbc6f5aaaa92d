"""What is a house worth? A photograph and a table of numbers go in, a price and a class come out.

The functional API: two inputs, layers that branch and meet, two outputs with a loss each. The data are random, the
same in each run.

Alone:          python examples/functional_two_inputs.py
On four ranks:  mpirun -n 4 python examples/functional_two_inputs.py
"""

import numpy as np

import distnet as keras
from distnet import layers


def make_houses(rows=2000):
    """Pictures (12, 12), six numbers, a price and one of three classes for each house."""
    rng = np.random.default_rng(5)
    numbers = rng.normal(size=(rows, 6))
    brightness = rng.normal(size=(rows, 1, 1))
    pictures = brightness + 0.3 * rng.normal(size=(rows, 12, 12))
    price = 2 * numbers[:, :1] + numbers[:, 1:2] * numbers[:, 2:3] + brightness[:, 0]
    quality = np.digitize(numbers[:, 3] + brightness[:, 0, 0], [-0.7, 0.7])
    return pictures, numbers, price, quality


keras.utils.set_random_seed(5)
pictures, numbers, price, quality = make_houses()

picture = keras.Input(shape=(12, 12), name="picture")
table = keras.Input(shape=(6,), name="table")
seen = layers.Dense(16, activation="relu")(layers.Flatten()(picture))
read = layers.Dense(16, activation="relu")(table)
both = layers.concatenate([seen, read])
hidden = layers.Dense(32, activation="relu")(both)
hidden = layers.add([hidden, layers.Dense(32, activation="relu")(hidden)])
outputs = [layers.Dense(1, name="price")(hidden), layers.Dense(3, activation="softmax", name="quality")(hidden)]

model = keras.Model(inputs=[picture, table], outputs=outputs, name="houses")
model.compile(
    optimizer="adam",
    loss={"price": "mse", "quality": "sparse_categorical_crossentropy"},
    loss_weights={"price": 1.0, "quality": 0.5},
    metrics={"price": ["mae"], "quality": ["accuracy"]},
)
model.summary()
model.fit(
    {"picture": pictures, "table": numbers},
    {"price": price, "quality": quality},
    epochs=10,
    batch_size=64,
    validation_split=0.2,
    verbose=2,
)
