"""Short trainings with losses, metrics, regularizers ... that users write, in Keras or distnet.

A case is a name and a function that gives the histories; ``results(keras)`` runs them all, with either as ``keras``.
"""

import json
import sys
from pathlib import Path

import numpy as np

ROWS = 23
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(ROWS, 4)), RNG.random((ROWS, 3))
STEPS, STEPS_Y = np.where(RNG.random((ROWS, 6, 1)) < 0.6, RNG.normal(size=(ROWS, 6, 4)), 0), RNG.random((ROWS, 6, 3))
WEIGHT, LABELS = RNG.random(ROWS), RNG.integers(0, 2, ROWS)
START = [0.5 * RNG.normal(size=shape) for shape in ((4, 5), (5,), (5, 3), (3,))]


def losses(keras):
    ops = keras.ops

    def per_row(t, p):
        return ops.mean(ops.square(t - p), axis=-1)

    def one_number(t, p):
        return ops.mean(ops.square(t - p))

    def total(t, p):
        return 0.01 * ops.sum(ops.square(t - p))

    def similarities(t, p):
        return ops.mean(ops.square(ops.matmul(p, ops.transpose(p)) - ops.matmul(t, ops.transpose(t))), axis=1)

    def dice(t, p):
        return 1.0 - 2.0 * ops.sum(t * p) / (ops.sum(t * t) + ops.sum(p * p) + 1.0)

    def centered(t, p):
        return ops.mean(ops.square((p - ops.mean(p, axis=0)) - (t - ops.mean(t, axis=0))))

    def built_in(t, p):
        return keras.losses.mean_squared_error(t, p) + 0.1 * keras.losses.mean_absolute_error(t, p)

    def scaled(factor):
        return lambda t, p: factor * per_row(t, p)

    class Scaled(keras.losses.Loss):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, t, p):
            return self.factor * per_row(t, p)

    class OneNumber(keras.losses.Loss):
        def call(self, t, p):
            return one_number(t, p)

    class Tripled(keras.losses.MeanSquaredError):
        def call(self, t, p):
            return 3 * super().call(t, p)

    return {
        "per row": per_row, "one number": one_number, "total": total, "similarities": similarities, "dice": dice,
        "centered": centered, "built in": built_in, "closure": scaled(0.3), "class": Scaled(),
        "class, sum": Scaled(0.1, reduction="sum"), "class, mean": Scaled(reduction="mean_with_sample_weight"),
        "class of one number": OneNumber(), "class of one here": Tripled(),
    }  # fmt: skip


def metrics(keras):
    ops = keras.ops

    def per_row(t, p):
        return ops.mean(ops.abs(t - p), axis=-1)

    def one_number(t, p):
        return ops.mean(ops.abs(t - p))

    def per_column(t, p):
        return ops.mean(ops.square(t - p), axis=0)

    def explained(t, p):
        return 1 - ops.sum(ops.square(t - p)) / ops.sum(ops.square(t - ops.mean(t, axis=0)))

    class Largest(keras.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.largest = self.add_weight(name="largest", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest.assign(
                ops.maximum(ops.convert_to_tensor(self.largest), ops.cast(ops.max(y_pred), self.largest.dtype))
            )

        def result(self):
            return ops.convert_to_tensor(self.largest)

    class Rms(keras.metrics.Mean):
        def __init__(self, name="rms", **kwargs):
            super().__init__(name=name, **kwargs)

        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(ops.square(y_true - y_pred), sample_weight=sample_weight)

        def result(self):
            return ops.sqrt(super().result())

    every = [per_row, one_number, per_column, explained]
    return {"metrics": lambda: [*every, Largest(), Rms()]}, {"weighted metrics": lambda: [per_row, Rms()]}


def of_weights(keras):
    """Options of a layer."""
    ops = keras.ops

    def squares(w):
        return 0.02 * ops.sum(ops.square(w))

    def of_means(y):
        return 0.3 * ops.mean(ops.square(ops.mean(y, axis=0)))

    class Cubes(keras.regularizers.Regularizer):
        def __call__(self, w):
            return 0.01 * ops.sum(ops.abs(w) * ops.square(w))

        def get_config(self):
            return {}

    def positive(w):
        return w * ops.cast(ops.greater_equal(w, 0.0), w.dtype)

    class Clipped(keras.constraints.Constraint):
        def __call__(self, w):
            return ops.clip(w, -0.2, 0.2)

    def tenths(shape, dtype=None):
        return 0.1 * ops.ones(shape, dtype=dtype)

    class Rising(keras.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return 0.01 * ops.reshape(ops.arange(int(np.prod(shape)), dtype=dtype), shape)

    return {
        "regularizers": {"kernel_regularizer": squares, "bias_regularizer": Cubes()},
        "activity": {"activity_regularizer": squares},
        "activity of all rows": {"activity_regularizer": of_means},
        "constraints": {"kernel_constraint": Clipped(), "bias_constraint": positive},
        "initializers": {"kernel_initializer": Rising(), "bias_initializer": tenths},
    }


def cast(keras, array):
    return np.asarray(array, keras.config.floatx())


def history(keras, model, x, y, fit=(), **compiled):
    """Loss and metrics of five epochs and of an evaluation."""
    model.compile(keras.optimizers.SGD(0.05), **compiled)
    options = dict(fit)
    made = model.fit(x, y, batch_size=10, epochs=5, shuffle=False, verbose=0, **options).history
    weight = {"sample_weight": options["sample_weight"]} if "sample_weight" in options else {}
    evaluated = model.evaluate(x, y, batch_size=10, verbose=0, return_dict=True, **weight)
    known = {key: [evaluated[key]] for key in made if key in evaluated}
    return {key: [float(v) for v in (*values, *known.get(key, []))] for key, values in made.items()}


def chain(keras, shape=(4,), **options):
    """Two dense layers, behind a mask where there are time steps."""
    masking = [keras.layers.Masking()] if len(shape) > 1 else []
    dense = [keras.layers.Dense(5, activation="tanh", **options), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape), *masking, *dense])
    if "kernel_initializer" not in options:
        model.set_weights(START)
    model.layers[-1].set_weights(START[2:])
    return model


def of_several_outputs(keras):
    ops = keras.ops

    def per_row(t, p):
        return ops.mean(ops.abs(t - p), axis=-1)

    def one_number(t, p):
        return ops.mean(ops.square(t - p))

    def pair(t, p):
        return ops.mean(ops.square(t[0] - p[0]) + ops.square(p[0] - p[1]), axis=-1)

    def model_of(form):
        x = keras.Input((4,))
        dense = [keras.layers.Dense(3, name=name) for name in "abc"]
        model = keras.Model(x, form(*(layer(x) for layer in dense)))
        for layer, factor in zip(dense, (1.0, -1.0, 0.5), strict=True):
            layer.set_weights([factor * START[0][:, :3], START[1][:3]])
        return model

    y, twice = cast(keras, Y), cast(keras, 2 * Y)

    def flat():
        return model_of(lambda a, b, c: [a, b, c]), [y, twice, y]

    def nested():
        return model_of(lambda a, b, c: {"pair": [a, b], "c": c}), {"pair": [y, twice], "c": y}

    return {
        "one loss": (*flat(), {"loss": per_row, "metrics": [[per_row], [one_number], []]}),
        "losses": (*flat(), {"loss": [per_row, one_number, None], "loss_weights": [0.3, 2.0, 1.0]}),
        "a loss of two": (*nested(), {"loss": {"pair": pair, "c": "mse"}, "loss_weights": {"pair": 0.5, "c": 1.0}}),
    }


def results(keras):
    """Every case's history, by name."""
    x, y, weight = (cast(keras, array) for array in (X, Y, WEIGHT))
    steps, steps_y = cast(keras, STEPS), cast(keras, STEPS_Y)
    made = {}
    for name, loss in losses(keras).items():
        made[f"{name}"] = history(keras, chain(keras), x, y, loss=loss)
        made[f"{name}, weighted"] = history(keras, chain(keras), x, y, {"sample_weight": weight}, loss=loss)
        if name in ("per row", "one number", "class", "class of one number"):
            classes = {"class_weight": {0: 0.5, 1: 2.0}}
            labels = cast(keras, LABELS)[:, None]
            made[f"{name}, by class"] = history(keras, chain(keras), x, labels, classes, loss=loss)
        if name != "similarities":
            made[f"{name}, masked"] = history(keras, chain(keras, (6, 4)), steps, steps_y, loss=loss)
    plain, weighted = metrics(keras)
    validated = {"validation_data": (x[:7], y[:7])}
    for name, make in plain.items():
        made[name] = history(keras, chain(keras), x, y, validated, loss="mse", metrics=make())
    for name, make in weighted.items():
        given = {"sample_weight": weight}
        made[name] = history(keras, chain(keras), x, y, given, loss="mse", weighted_metrics=make())
    for name, options in of_weights(keras).items():
        made[name] = history(keras, chain(keras, **options), x, y, loss="mse")
    for name, (model, targets, options) in of_several_outputs(keras).items():
        made[f"several outputs, {name}"] = history(keras, model, x, targets, **options)
    return made


if __name__ == "__main__":  # write the histories of distnet, in float64, to the file named first
    import distnet

    distnet.config.set_floatx("float64")
    histories = results(distnet)
    if distnet.distribution.is_chief():
        Path(sys.argv[1]).write_text(json.dumps(histories))
