"""An optimizer and a schedule of learning rates, as Keras's guides write them."""

from __future__ import annotations

import importlib
import os

keras = importlib.import_module(os.environ.get("WHICH_KERAS", "distnet"))
ops = keras.ops


class Falling(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, first):
        self.first = first

    def __call__(self, step):
        step = ops.cast(step, "float32")
        return ops.where(step < 3, self.first * (step + 1.0) / 3.0, self.first * ops.exp(-step / 10.0))

    def get_config(self):
        return {"first": self.first}


class Trusting(keras.optimizers.Optimizer):
    """Steps in proportion to the norm of the whole weight; it has three slots a weight, and a number."""

    def __init__(self, learning_rate=0.01, beta=0.9, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta = beta

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.means, self.squares = self.add_optimizer_variables(variables, ["mean", "square"], ["zeros", "ones"])
        self.product = self.add_variable((), "ones", name="product")
        self.drifts = []
        for variable in variables:
            self.drifts.append(self.add_variable_from_reference(variable, name="drift", initializer="ones"))

    def update_step(self, gradient, variable, learning_rate):
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        i = self._get_variable_index(variable)
        mean, square, drift = self.means[i], self.squares[i], self.drifts[i]
        if i == 0:
            self.assign(self.product, self.product * 0.9)
        self.assign_add(mean, (gradient - mean) * (1 - self.beta))
        self.assign_add(square, (ops.square(gradient) - square) * 0.01)
        self.assign(drift, 0.99 * drift + 0.01 * ops.mean(gradient))
        norms = [ops.norm(ops.reshape(x, (-1,))) for x in (variable, mean)]
        trust = ops.minimum(norms[0] / (norms[1] + 1e-3), 10.0) * (1 + ops.cast(self.product, variable.dtype))
        power = ops.power(ops.cast(self.beta, variable.dtype), ops.cast(self.iterations + 1, variable.dtype))
        self.assign_sub(variable, rate * trust * drift * mean / (1 - power) / (ops.sqrt(square) + 1e-4))

    def get_config(self):
        return {**super().get_config(), "beta": self.beta}
