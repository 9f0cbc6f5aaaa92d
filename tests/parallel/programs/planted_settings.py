"""One rank differs in one argument, setting or value that it reads: more cases of planted_differences.py.

CASES end with an error on every rank; those of HARMLESS train the same on all, by design.
"""

import argparse
import collections
import enum
import fractions
import functools
import re
import threading

import numpy as np
from planting import FACTOR, IS_ODD, changed, data, fit, model

import distnet as keras
from distnet import distribution, layers, ops

X, Y = data()


def either(odd, other):
    return odd if IS_ODD else other


def trained(*parts, x=X, y=Y, start=None, **compiled):
    """A model of these layers, trained."""
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((4,)) if start is None else start, *parts, layers.Dense(1)])
    made.compile(**({"optimizer": "sgd", "loss": "mse"} | compiled))
    fit(made, x, y)


def trained_again(change, **compiled):
    """A model that one rank changes between two trainings."""
    made = model(**compiled)
    fit(made)
    if IS_ODD:
        change(made)
    fit(made)


def set_before(change, **compiled):
    """A model that one rank changes before it is trained."""
    made = model(**compiled)
    if IS_ODD:
        change(made)
    fit(made)


def on_batches(change, optimizer="adam"):
    """A model that one rank changes between two batches."""
    made = model(optimizer=optimizer)
    for i in range(10):
        if i == 5 and IS_ODD:
            change(made)
        made.train_on_batch(X[i * 20 : i * 20 + 20], Y[i * 20 : i * 20 + 20])


def batch(call, *given, **named):
    getattr(model(), call)(*given, **named)


def with_optimizer(kind, name, odd, other):
    fixed = {"nesterov": {"momentum": 0.9}, "ema_momentum": {"use_ema": True}}.get(name, {})
    fit(model(optimizer=getattr(keras.optimizers, kind)(**fixed, **{name: either(odd, other)})))


def with_setting(name, odd):
    before = getattr(keras.config, name)()
    getattr(keras.config, f"set_{name}")(either(odd, before))
    try:
        fit()
    finally:
        getattr(keras.config, f"set_{name}")(before)


def with_distribution(**odd):
    distribution.set_distribution(distribution.DataParallel(**either(odd, {})))
    try:
        fit()
    finally:
        distribution.set_distribution(None)


def with_value(value):
    """A loss whose factor a function of the user's gives."""

    def loss(t, p):
        return ops.mean(ops.square(t - p) * value(), -1)

    fit(model(loss))


def two_inputs(x):
    keras.utils.set_random_seed(1)
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    made = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.Concatenate()([a, b])))
    made.compile("sgd", "mse")
    fit(made, x)


def wired(is_odd):
    """Either layer is called twice, or both are called once."""
    keras.utils.set_random_seed(1)
    x, a, b = keras.Input((4,)), layers.Dense(4), layers.Dense(4)
    inner = b(x) if is_odd else a(x)
    made = keras.Model(x, layers.Dense(1)(layers.Add()([b(inner), a(x)])))
    made.compile("sgd", "mse")
    fit(made)


def stateful(change, is_by_batch=True):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((2, 2), batch_size=20), layers.LSTM(3, stateful=True), layers.Dense(1)])
    made.compile("sgd", "mse")
    for i in range(4):
        if i == 2 and IS_ODD:
            change(made.layers[0])
        (made.train_on_batch if is_by_batch else functools.partial(fit, made))(X[:20].reshape(20, 2, 2), Y[:20])


def looked_up(vocabulary):
    look, words = layers.StringLookup(vocabulary=vocabulary), np.array([["a"], ["b"]] * 100)
    trained(look, layers.Embedding(5, 3), layers.Flatten(), x=words, start=keras.Input((1,), dtype="string"))


class OwnSchedule(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, step):
        return 0.1 * self.factor

    def get_config(self):
        return {}


class OwnMetric(keras.metrics.Mean):
    if IS_ODD:

        def result(self):
            return self.total * 2
    else:

        def result(self):
            return self.total


class OwnSum(keras.metrics.Metric):
    def __init__(self):
        super().__init__()
        self.seen = self.add_weight(name="seen", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign_add(ops.sum(y_pred))

    def result(self):
        return self.seen


class OwnLayer(layers.Layer):
    if IS_ODD:

        def call(self, x):
            return ops.tanh(x)
    else:

        def call(self, x):
            return ops.relu(x)


class OwnStep(keras.Model):
    def train_step(self, given):
        x, y = given
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x, training=True) - y)) * FACTOR
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def own_step():
    keras.utils.set_random_seed(1)
    x = keras.Input((4,))
    made = OwnStep(x, layers.Dense(1)(x))
    made.compile("sgd", "mse")
    fit(made)


class Settings:
    factor = FACTOR


class OfObject:
    __slots__ = ("factor",)

    def __init__(self):
        self.factor = FACTOR


class Kind(enum.Enum):
    ONE, TWO = 1.0, 2.0


@functools.lru_cache
def cached():
    return FACTOR


def of_an_object(given):
    return given.factor


def with_attribute():
    return with_attribute.factor


class OfVariable:
    held = keras.Variable(FACTOR)


COMMAND_LINE, KIND, OBJECT = argparse.Namespace(factor=FACTOR), either(Kind.TWO, Kind.ONE), OfObject()
QUEUE, FRACTION, MANY = collections.deque([FACTOR]), fractions.Fraction(int(FACTOR)), {str(i): 1.0 for i in range(99)}
MANY["90"], VARIABLE, POLYNOMIAL = FACTOR, keras.Variable(FACTOR), np.poly1d([FACTOR])
OF_NUMPY, OF_OPS, OF_LOSSES = either(
    (np.multiply, ops.sin, keras.losses.mean_squared_error), (np.add, ops.cos, keras.losses.mean_absolute_error)
)
PATTERN, HOLDER, with_attribute.factor = re.compile(either("a", "b")), OfVariable(), FACTOR
SAME = [threading.current_thread(), np.datetime64("2020-01-01"), np.array(["2020-01-01"], "M8[D]"), np.timedelta64(1)]

OPTIMIZERS = {
    "momentum": ("SGD", 0.9, 0.8), "nesterov": ("SGD", True, False), "weight_decay": ("SGD", 0.1, 0.2),
    "clipnorm": ("SGD", 1.0, 2.0), "clipvalue": ("SGD", 1.0, 2.0), "global_clipnorm": ("SGD", 1.0, 2.0),
    "use_ema": ("SGD", True, False), "ema_momentum": ("SGD", 0.9, 0.8), "beta_1": ("Adam", 0.9, 0.8),
    "beta_2": ("Adam", 0.99, 0.9), "epsilon": ("Adam", 1e-3, 1e-7), "amsgrad": ("Adam", True, False),
    "rho": ("RMSprop", 0.9, 0.8), "centered": ("RMSprop", True, False), "loss_scale_factor": ("Adam", 2.0, 4.0),
    "gradient_accumulation_steps": ("Adam", 2, 3), "initial_accumulator_value": ("Adagrad", 0.1, 0.2),
    "l1_regularization_strength": ("Ftrl", 0.1, 0.2),
}  # fmt: skip
ARGUMENTS = {
    "batch_size": (10, 20), "epochs": (2, 1), "shuffle": (False, True), "steps_per_epoch": (5, 6),
    "initial_epoch": (1, 0), "validation_freq": (2, 1), "validation_split": (0.2, 0.1), "validation_steps": (2, 1),
    "validation_batch_size": (10, 20),
}  # fmt: skip
LAYERS = {
    "units": lambda: layers.Dense(either(6, 5)),
    "activation": lambda: layers.Dense(5, either("relu", "tanh")),
    "rate": lambda: layers.Dropout(either(0.4, 0.2)),
    "trainable": lambda: layers.Dense(5, trainable=IS_ODD),
    "kernel_regularizer: config: l2": lambda: layers.Dense(5, kernel_regularizer=keras.regularizers.L2(FACTOR)),
    "kernel_constraint: config: max_value": lambda: layers.Dense(
        5, kernel_constraint=keras.constraints.MaxNorm(FACTOR)
    ),
    "kernel_constraint: globals: FACTOR": lambda: layers.Dense(5, kernel_constraint=lambda w: w * FACTOR),
    "kernel_initializer: config: value": lambda: layers.Dense(
        5, kernel_initializer=keras.initializers.Constant(FACTOR)
    ),
    "kernel_initializer: globals: FACTOR": lambda: layers.Dense(
        5, kernel_initializer=lambda shape, dtype=None: ops.ones(shape) * FACTOR
    ),
    "momentum": lambda: layers.BatchNormalization(momentum=FACTOR / 4),
    "function: globals: FACTOR": lambda: layers.Lambda(lambda x: x * FACTOR),
    "mean": lambda: layers.Normalization(mean=FACTOR, variance=1.0),
}
VALUES = {
    "COMMAND_LINE": lambda: COMMAND_LINE.factor,
    "KIND": lambda: KIND.value,
    "OBJECT": lambda: of_an_object(OBJECT),
    "Settings": lambda: Settings.factor,
    "QUEUE": lambda: QUEUE[0],
    "FRACTION": lambda: float(FRACTION),
    "MANY": lambda: MANY["90"],
    "VARIABLE": lambda: VARIABLE,
    "POLYNOMIAL": lambda: POLYNOMIAL(1.0),
    "cached": lambda: cached(),
    "OF_NUMPY": lambda: OF_NUMPY(1.0, 2.0),
    "OF_OPS": lambda: OF_OPS(1.0),
    "OF_LOSSES": lambda: OF_LOSSES(np.zeros((1, 2)), np.full((1, 2), 3.0)),
    "PATTERN": lambda: float(PATTERN.match("a") is None),
    "HOLDER": lambda: HOLDER.held,
    "with_attribute": lambda: with_attribute(),
    "FACTOR": lambda: globals()["FACTOR"],
}


CASES = {
    **{f"optimizer: {name}": functools.partial(with_optimizer, kind, name, odd, other)
       for name, (kind, odd, other) in OPTIMIZERS.items()},
    **{f"fit: {name}": functools.partial(lambda name, values: fit(
        epochs=values[not IS_ODD] if name == "epochs" else 3,
        validation_data=(X, Y) if name in ("validation_freq", "validation_steps", "validation_batch_size") else None,
        **({} if name == "epochs" else {name: values[not IS_ODD]})), name, values)
       for name, values in ARGUMENTS.items()},
    **{f"layer: {name}": functools.partial(lambda make: trained(make()), make) for name, make in LAYERS.items()},
    **{f"value: {name}": functools.partial(with_value, value) for name, value in VALUES.items()},
    "kind of data": lambda: model().fit(*either((late_batches(),), (X, Y)), steps_per_epoch=2, verbose=0),
    "kind of data of rank 0": lambda: model().fit(*either((X, Y), (late_batches(),)), steps_per_epoch=2, verbose=0),
    "kind of validation": lambda: fit(validation_data=either((X, Y), late_batches()), validation_steps=2),
    "kind of data to evaluate": lambda: model().evaluate(*either((late_batches(),), (X, Y)), steps=2, verbose=0),
    "kind of data to predict": lambda: model().predict(either(X, late_batches()), steps=2, verbose=0),
    "resume": lambda: fit(resume=either("checkpoint.keras", None)),
    "class weight": lambda: fit(class_weight={0: 1.0, 1: FACTOR}),
    "weight of validation": lambda: fit(validation_data=(X, Y, changed(np.ones(200), 3))),
    "no weights": lambda: fit(sample_weight=either(np.ones(200), None)),
    "one more row": lambda: fit(x=either(np.concatenate([X, X[:1]]), X), y=either(np.concatenate([Y, Y[:1]]), Y)),
    "dtype of data": lambda: fit(x=either(X.astype("float32"), X)),
    "swapped inputs": lambda: two_inputs(either({"a": X + 1, "b": X}, {"a": X, "b": X + 1})),
    "missing input": lambda: two_inputs(either({"a": X}, {"a": X, "b": X + 1})),
    "wiring": lambda: wired(IS_ODD),
    "one more layer": lambda: trained(*either([layers.ReLU()], [])),
    "seed": lambda: (made := model(), keras.utils.set_random_seed(int(FACTOR)), fit(made)),
    "loss": lambda: fit(model(either("mae", "mse"))),
    "loss weights": lambda: trained(loss_weights=[FACTOR]),
    "delta of a loss": lambda: fit(model(keras.losses.Huber(3.0 * FACTOR))),
    "metrics": lambda: fit(model(metrics=[either("mae", "mse")])),
    "threshold": lambda: fit(model(metrics=[keras.metrics.BinaryAccuracy(threshold=FACTOR / 4)])),
    "class of a metric": lambda: fit(model(metrics=[OwnMetric()])),
    "class of a layer": lambda: trained(OwnLayer()),
    "other optimizer": lambda: fit(model(optimizer=either("adam", "sgd"))),
    "schedule": lambda: fit(
        model(optimizer=keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(FACTOR, 10, 0.9)))
    ),
    "own schedule": lambda: fit(model(optimizer=keras.optimizers.SGD(OwnSchedule(FACTOR)))),
    "own step": own_step,
    "floatx": lambda: with_setting("floatx", "float64"),
    "policy": lambda: with_setting("dtype_policy", "float64"),
    "image format": lambda: with_setting("image_data_format", "channels_first"),
    "compression": lambda: with_distribution(compression="float16"),
    "blocks": lambda: with_distribution(reproducible_shards=4),
    "vocabulary": lambda: looked_up(either(["b", "a"], ["a", "b"])),
    "data to adapt to": lambda: layers.Normalization().adapt(changed(X, (137, 3))),
    "trainable variable": lambda: set_before(lambda made: setattr(made.weights[0], "trainable", False)),
    "constraint of a variable": lambda: set_before(
        lambda made: setattr(made.weights[0], "constraint", keras.constraints.NonNeg())
    ),
    "excluded from decay": lambda: set_before(
        lambda made: made.optimizer.exclude_from_weight_decay(var_names=["kernel"]),
        optimizer=keras.optimizers.AdamW(weight_decay=0.3),
    ),
    "rate between fits": lambda: trained_again(lambda made: setattr(made.optimizer, "learning_rate", 0.5)),
    "iterations between fits": lambda: trained_again(lambda made: made.optimizer.iterations.assign(77)),
    "compiled anew": lambda: trained_again(lambda made: made.compile("sgd", "mae")),
    "slots between fits": lambda: trained_again(
        lambda made: made.optimizer.variables[-1].assign(made.optimizer.variables[-1].value + 1), optimizer="adam"
    ),
    "iterations between batches": lambda: on_batches(lambda made: made.optimizer.iterations.assign(77)),
    "slots between batches": lambda: on_batches(
        lambda made: made.optimizer.variables[-1].assign(made.optimizer.variables[-1].value + 1)
    ),
    "beta_1 between batches": lambda: on_batches(lambda made: setattr(made.optimizer, "beta_1", 0.5)),
    "states between batches": lambda: stateful(lambda lstm: lstm.reset_state()),
    "rows to train on": lambda: batch("train_on_batch", changed(X, 11), Y),
    "rows to test on": lambda: batch("test_on_batch", changed(X, 11), Y),
    "rows to predict": lambda: batch("predict_on_batch", changed(X, 11)),
    "weight of a batch": lambda: batch("train_on_batch", X, Y, sample_weight=changed(np.ones(200), 7)),
    "class weight of a batch": lambda: batch("train_on_batch", X, Y, class_weight={0: 1.0, 1: FACTOR}),
    "fewer rows of a batch": lambda: batch("train_on_batch", X[: either(19, 20)], Y[: either(19, 20)]),
    "batches to evaluate": lambda: model().evaluate(X, Y, batch_size=either(10, 20), verbose=0),
}  # fmt: skip


def rate_of(factor):
    return [keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 * factor)]


def late_batches():
    for i in range(5):
        yield changed(X, 7, IS_ODD and i == 3)[:20], Y[:20]


HARMLESS = {
    "a thread, and dates": functools.partial(with_value, lambda: float(len(SAME))),
    "order of inputs": lambda: two_inputs(either({"b": X + 1, "a": X}, {"a": X, "b": X + 1})),
    "verbose": lambda: fit(verbose=either("auto", 0)),
    "steps_per_execution": lambda: trained(steps_per_execution=int(FACTOR)),
    "name of an optimizer": lambda: fit(model(optimizer=keras.optimizers.SGD(name=either("one", "other")))),
    "DataParallel or None": lambda: with_distribution(compression=None),
    "callbacks": lambda: fit(callbacks=either([], rate_of(1.0)) if distribution.rank() else rate_of(1.0)),
    "body of a callback": lambda: fit(callbacks=rate_of(FACTOR)),
    "generator": lambda: model().fit(late_batches(), steps_per_epoch=5, verbose=0),
    "weights between fits": lambda: trained_again(lambda made: made.layers[0].kernel.assign(np.ones((4, 5)))),
    "states between fits": lambda: stateful(lambda lstm: lstm.reset_state(), is_by_batch=False),
    "state of a metric": lambda: trained_again(lambda made: made.metrics[-1].seen.assign(50.0), metrics=[OwnSum()]),
}
