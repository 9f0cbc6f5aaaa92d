"""A layer, a loss, a metric and a callback of your own; the layer's gradient is checked, and all survive saving.

The layer tells how near its input lies to each of several centres. distnet has no automatic differentiation: the
layer's ``backward`` computes its gradient, and the loss returns its own. The data are random, the same in each run.

Alone:          python examples/custom_layer.py
On four ranks:  mpirun -n 4 python examples/custom_layer.py
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import distnet as keras


@keras.utils.register_keras_serializable("examples")
@dataclass(eq=False)
class Nearness(keras.layers.Layer):
    """``y_j = exp(-width |x - c_j|^2)``, with noise on the centres in training. Its fields are its arguments."""

    units: int
    width: float = 0.5
    tremble: float = 0.05

    def build(self, shape, ctx):
        self.centres = ctx.variable("centres", (self.units, shape[-1]), keras.initializers.RandomNormal(stddev=1.0))
        self.batches = ctx.variable("batches", (), "zeros", trainable=False)  # state, saved with the weights

    def compute_output_shape(self, shape):
        return (shape[0], self.units)

    def forward(self, x, ctx):
        distance = x[:, None, :] - self.centres.value  # (N, units, I)
        if ctx.training:
            self.batches.assign(self.batches.value + 1)
            noise = ctx.row_normals("tremble", len(x), distance[0].size)  # the same on any number of ranks
            distance = distance + (self.tremble * noise.reshape(distance.shape)).astype(x.dtype)
        y = np.exp(-self.width * np.square(distance).sum(axis=-1))
        return y, (distance, y)  # what backward needs; nothing is kept on the layer

    def backward(self, dy, saved, ctx):
        distance, y = saved
        d = -2 * self.width * (dy * y)[:, :, None] * distance
        ctx.add_sum(self.centres, -d, axis=0)
        return d.sum(axis=1)


@keras.utils.register_keras_serializable("examples")
def log_cosh(y_true, y_pred):
    """A loss: one value for each row, and its gradient."""
    d = y_pred - y_true
    return np.logaddexp(d, -d).mean(axis=-1) - np.log(2.0), np.tanh(d) / d.shape[-1]


@keras.utils.register_keras_serializable("examples")
def within_a_tenth(y_true, y_pred):
    """A metric: one value for each row."""
    return (np.abs(y_pred - y_true) < 0.1).all(axis=-1)


class Halving(keras.callbacks.Callback):
    """A callback: halves the learning rate every third epoch; it runs on rank 0, the others follow."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch % 3 == 2:
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2


keras.utils.set_random_seed(8)
rng = np.random.default_rng(8)
x = rng.uniform(-2, 2, size=(2000, 2))
y = np.sin(2 * x[:, :1]) * np.cos(x[:, 1:])

errors = keras.utils.check_gradients(Nearness(3, dtype="float64"), x[:4])

model = keras.Sequential([keras.Input(shape=(2,)), Nearness(40), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.02), loss=log_cosh, metrics=[within_a_tenth])
model.fit(x, y, epochs=12, batch_size=50, validation_split=0.2, callbacks=[Halving()], verbose=2)

with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder, "nearness.h5"))  # every rank calls it, rank 0 writes
    if keras.distribution.is_chief():
        again = keras.models.load_model(Path(folder, "nearness.h5"))
        print(f"The gradient is right to {max(errors.values()):.0e} in {sorted(errors)}.")
        print(f"Loaded: {again.layers[0].name} has seen {int(again.layers[0].batches.value)} batches.")
