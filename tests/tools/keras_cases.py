"""Models with data, to be opened in real Keras: graphs of every kind, and every optimizer and schedule."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

import distnet as keras
from distnet import layers, optimizers
from distnet.optimizers import schedules
from keras_models import GRAPHS, X3


def numbers(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@dataclass
class Case:
    """A compiled model and data for it.

    Args:
        name: of the files.
        model: built and compiled.
        x, y: arrays, one an input and one an output.
        trains_otherwise: whether no two Kerases train it alike, for one because it draws random numbers.
        fits_once_in_keras: whether Keras 3.15 fails when it trains such a model a second time, its own too.
    """

    name: str
    model: keras.Model
    x: list[np.ndarray]
    y: list[np.ndarray] = field(default_factory=list)
    trains_otherwise: bool = False
    fits_once_in_keras: bool = False

    def __post_init__(self):
        if not self.y:
            self.y = [0.3 * numbers(p.shape, 9) for p in self.predictions()]

    def predictions(self):
        made = self.model.predict(one_or_list(self.x), verbose=0)
        return list(made.values()) if isinstance(made, dict) else made if isinstance(made, list) else [made]

    def fit(self, epochs, **options):
        options = {"batch_size": len(self.x[0]) // 2, "shuffle": False, "verbose": 0, **options}
        return self.model.fit(one_or_list(self.x), one_or_list(self.y), epochs=epochs, **options).history["loss"]


def one_or_list(arrays):
    return arrays[0] if len(arrays) == 1 else list(arrays)


def of_graphs() -> Iterator[Case]:
    for number, make in enumerate(GRAPHS):
        keras.utils.set_random_seed(number)
        model, x = make()
        model.compile("adam", "mse")
        yield Case(f"graph_{number:02d}_{make.__name__}", model, x)


def small_model(outputs=1, activation="linear", **options):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [layers.Input((3,)), layers.Dense(4, "tanh", **options), layers.Dense(outputs, activation, name="out")]
    )


def optimizer_cases():
    """Every optimizer, with its options, and all that they have in common."""
    o = optimizers
    yield o.SGD(0.1)
    yield o.SGD(0.1, momentum=0.9)
    yield o.SGD(0.1, momentum=0.8, nesterov=True, clipnorm=0.1)
    yield o.RMSprop(0.01)
    yield o.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True)
    yield o.Adam(0.01)
    yield o.Adam(0.01, beta_1=0.8, amsgrad=True, epsilon=1e-4)
    yield o.Adam(0.01, weight_decay=0.01, global_clipnorm=0.5)
    yield o.AdamW(0.01, weight_decay=0.02)
    yield o.Adagrad(0.1, initial_accumulator_value=0.2)
    yield o.Adadelta(1.0, rho=0.9)
    yield o.Adamax(0.01)
    yield o.Nadam(0.01)
    yield o.Ftrl(0.1, l1_regularization_strength=0.001, l2_regularization_strength=0.01)
    yield o.Lion(0.003)
    yield o.Lamb(0.01)
    yield o.Adam(0.01, use_ema=True, ema_momentum=0.9)
    yield o.SGD(0.1, momentum=0.5, gradient_accumulation_steps=3)
    yield o.Adam(0.01, clipvalue=0.05)
    yield o.Adam(schedules.ExponentialDecay(0.05, 3, 0.9, staircase=True))
    yield o.SGD(schedules.CosineDecay(0.1, 20, warmup_target=0.2, warmup_steps=2))
    yield o.SGD(schedules.CosineDecayRestarts(0.1, 4))
    yield o.SGD(schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01]), momentum=0.9)
    yield o.RMSprop(schedules.InverseTimeDecay(0.01, 2, 0.5))
    yield o.Adamax(schedules.PolynomialDecay(0.02, 10, power=2.0))
    yield o.LossScaleOptimizer(o.Adam(0.01), initial_scale=64.0, dynamic_growth_steps=4)
    yield o.LossScaleOptimizer(o.SGD(schedules.ExponentialDecay(0.05, 3, 0.9), momentum=0.5, clipnorm=0.1), 16.0)
    yield o.MultiOptimizer(
        o.OptimizerMap(o.SGD(0.1, momentum=0.9), {".*out.*": o.Adam(0.01), ".*kernel_": o.Adam(0.1)})
    )
    yield o.Adafactor(0.01)


def of_optimizers() -> Iterator[Case]:
    for number, optimizer in enumerate(optimizer_cases()):
        model = small_model()
        model.compile(optimizer, "mse")
        name = f"optimizer_{number:02d}_{type(optimizer).__name__}"
        yield Case(name, model, [X3], fits_once_in_keras=optimizer.use_ema)
