"""Trains a model of operations that mix the rows of the batch; prints losses and predictions."""

import json

import numpy as np

import distnet as keras
from distnet import ops


def model():
    x = keras.Input((4,))
    h = keras.layers.Dense(6)(x)
    apart = h - ops.mean(h, axis=0)
    near = ops.softmax(ops.matmul(apart, ops.transpose(apart)), axis=-1)
    paired = ops.reshape(ops.reshape(h, (-1, 3)), (-1, 6)) + ops.flip(h, axis=0)
    y = ops.matmul(near, h) + apart / (1 + ops.max(abs(h))) * ops.sum(h * h) + paired
    return keras.Model(x, keras.layers.Dense(2)(y))


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(1)
    made, rng = model(), np.random.default_rng(0)
    made.compile(keras.optimizers.SGD(0.001), "mse")
    x, y = rng.normal(size=(17, 4)), rng.normal(size=(17, 2))
    losses = made.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False).history["loss"]
    tested = made.evaluate(x, y, batch_size=8, verbose=0)
    print(json.dumps([*losses, tested, *made.predict(x, batch_size=5, verbose=0).ravel().tolist()]), flush=True)
