"""Trains cells of one's own, and writes what they learn: own_cells.py OUT.npz FLOATX."""

import importlib
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import numpy as np

keras = importlib.import_module(os.environ.get("PACKAGE", "distnet"))
layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable("tests")
class MinimalCell(layers.Layer):
    """The cell of the documentation of ``keras.layers.RNN``."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs, states):
        output = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("tests")
class MixingCell(layers.Layer):
    """Has layers within, two states, and learns the first of them."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.output_size = units, units + 1
        self.state_size = [units, units]
        self.gate = layers.Dense(units, activation="sigmoid")
        self.candidate = layers.Dense(units, activation="tanh")
        self.out = layers.Dense(units + 1)

    def build(self, input_shape):
        self.first = self.add_weight(shape=(self.units,), initializer="ones", name="first")
        self.gate.build((None, input_shape[-1] + self.units))
        self.candidate.build((None, input_shape[-1]))
        self.out.build((None, self.units))

    def get_initial_state(self, batch_size=None):
        first = ops.broadcast_to(ops.tanh(self.first), (batch_size, self.units))
        return [first, ops.zeros((batch_size, self.units))]

    def call(self, inputs, states, training=None):
        h, c = states
        gate = self.gate(ops.concatenate([inputs, h], axis=-1))
        c = gate * c + (1 - gate) * self.candidate(inputs)
        h = ops.tanh(c) * h
        return self.out(h + c), [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def models():
    yield "minimal", [layers.RNN(MinimalCell(4))]
    yield "mixing", [layers.RNN(MixingCell(3), zero_output_for_mask=True)]
    stack = [MinimalCell(3), layers.LSTMCell(2), MixingCell(3)]
    yield "stack", [layers.RNN(stack, zero_output_for_mask=True)]
    both = layers.RNN(MixingCell(2), return_sequences=True, zero_output_for_mask=True)
    yield "both ways", [layers.Bidirectional(both), layers.RNN(layers.GRUCell(2))]
    backwards = layers.RNN(MinimalCell(3), return_sequences=True, go_backwards=True)
    yield "backwards", [backwards, layers.RNN(MinimalCell(2))]
    yield (
        "steps",
        [layers.RNN(MinimalCell(3), return_sequences=True), layers.TimeDistributed(layers.Dense(2)), layers.Flatten()],
    )


def main(path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(21, 5, 3)), rng.normal(size=(21, 1))
    x[3:9, 2:] = 0
    results = {}
    for name, recurrent in models():
        masking = [] if name == "steps" else [layers.Masking()]
        model = keras.Sequential([keras.Input((5, 3)), *masking, *recurrent, layers.Dense(1)])
        weights = np.random.default_rng(1)
        model.set_weights([0.5 * weights.normal(size=w.shape) for w in model.get_weights()])
        model.compile(keras.optimizers.SGD(0.05), "mse")
        history = model.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0)
        results[f"{name}: loss"] = history.history["loss"]
        results[f"{name}: outputs"] = model.predict(x, verbose=0)
        results |= {f"{name}: weight {i}": weight for i, weight in enumerate(model.get_weights())}
    if keras.__name__ == "keras" or keras.comm.world().rank == 0:
        np.savez(path, **results)


if __name__ == "__main__":
    if keras.__name__ == "distnet":
        pass
    keras.config.set_floatx(sys.argv[2])
    main(sys.argv[1])
