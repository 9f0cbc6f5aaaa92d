"""A layer, a loss, a metric and a callback of your own; the layer's gradient is checked, and all survive saving.

The layer tells how near its input lies to each of several centres. The data are random, the same in each run.

Alone:          python examples/custom_layer.py
On four ranks:  mpirun -n 4 python examples/custom_layer.py
"""

import math
import tempfile
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import ops


@keras.utils.register_keras_serializable("examples")
class Nearness(keras.layers.Layer):
    """``y_j = exp(-width |x - c_j|^2)``, with noise on the centres in training."""

    def __init__(self, units, width=0.5, tremble=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units, self.width, self.tremble = units, width, tremble
        self.seeds = keras.random.SeedGenerator(4)

    def build(self, input_shape):
        spread = keras.initializers.RandomNormal(stddev=1.0)
        self.centres = self.add_weight(name="centres", shape=(self.units, input_shape[-1]), initializer=spread)
        self.batches = self.add_weight(name="batches", shape=(), initializer="zeros", trainable=False)  # a state

    def call(self, inputs, training=False):
        distance = ops.expand_dims(inputs, 1) - self.centres  # (N, units, I)
        if training:
            self.batches.assign_add(1)
            noise = keras.random.normal(ops.shape(distance), seed=self.seeds)  # the same on any number of ranks
            distance = distance + self.tremble * noise
        return ops.exp(-self.width * ops.sum(ops.square(distance), axis=-1))

    def get_config(self):
        return {**super().get_config(), "units": self.units, "width": self.width, "tremble": self.tremble}


@keras.utils.register_keras_serializable("examples")
def log_cosh(y_true, y_pred):
    """A loss: one value for each row."""
    d = y_pred - y_true
    return ops.mean(ops.logaddexp(d, -d), axis=-1) - math.log(2.0)


@keras.utils.register_keras_serializable("examples")
def within_a_tenth(y_true, y_pred):
    """A metric: one value for each row."""
    return ops.all(ops.abs(y_pred - y_true) < 0.1, axis=-1)


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
