"""Optimizers around optimizers, each a function of the module ``keras``.

``make_wrapped.py`` runs them with Keras itself, ``tests/optimizers/test_wrapping.py`` with distnet.
"""

import numpy as np

from fit_cases import fill, waves

STEPS = 20
X, Y = waves(5, 3), waves(5, 2, frequency=2.0)
HUGE = np.full(len(X), 2e307)
"""Weights with which scaled gradients overflow."""


def scaled(inner, **options):
    return lambda keras: keras.optimizers.LossScaleOptimizer(inner(keras.optimizers), **options)


def mapped(default, *, loss_scale_factor=None, **optimizers):
    """Keys by layer: ``first``, ``second``."""

    def make(keras):
        o = keras.optimizers
        keys = {f".*{layer}/.*": optimizer(o) for layer, optimizer in optimizers.items()}
        return o.MultiOptimizer(o.OptimizerMap(default(o), keys), loss_scale_factor=loss_scale_factor)

    return make


def chosen(keras):
    """By a function, which gives one optimizer for kernels and one for the others."""
    kernels, others = keras.optimizers.Adam(0.05), keras.optimizers.SGD(0.1, momentum=0.9)
    return keras.optimizers.MultiOptimizer(lambda variable: kernels if variable.path.endswith("kernel") else others)


def shared(keras):
    o = keras.optimizers
    nadam = o.Nadam(0.02)
    paths = {"sequential/first/kernel": nadam, ".*second.*": nadam, ".*third.*": o.Adam()}
    return o.MultiOptimizer(o.OptimizerMap(o.SGD(0.1), paths))


CASES = {
    "growing": scaled(lambda o: o.Adam(0.05), initial_scale=512.0, dynamic_growth_steps=3),
    "by default": scaled(lambda o: o.SGD(0.1, momentum=0.9)),
    "accumulating": scaled(lambda o: o.SGD(0.1, gradient_accumulation_steps=2, weight_decay=0.1)),
    "averaging": scaled(lambda o: o.RMSprop(0.1, use_ema=True, ema_overwrite_frequency=4, clipnorm=0.1)),
    "growing at each step": scaled(lambda o: o.Lamb(0.05), initial_scale=100.3, dynamic_growth_steps=1),
    "scaled before": scaled(lambda o: o.SGD(0.1, loss_scale_factor=64.0)),
    "map": mapped(lambda o: o.SGD(0.1), first=lambda o: o.Adam(0.05)),
    "map of all": mapped(
        lambda o: o.Lion(), first=lambda o: o.RMSprop(0.05, centered=True), second=lambda o: o.Adafactor(0.1)
    ),
    "map with options": mapped(
        lambda o: o.SGD(0.1, global_clipnorm=0.1, use_ema=True, ema_momentum=0.5),
        first=lambda o: o.AdamW(0.05, weight_decay=0.3, gradient_accumulation_steps=3, use_ema=True),
        loss_scale_factor=16.0,
    ),
    "map of schedules": mapped(
        lambda o: o.ScheduleFreeAdamW(0.1), second=lambda o: o.Nadam(o.schedules.ExponentialDecay(0.1, 4, 0.5))
    ),
    "chosen": chosen,
    "shared": shared,
    "scaled map": lambda keras: keras.optimizers.LossScaleOptimizer(
        mapped(lambda o: o.SGD(0.1), second=lambda o: o.Adam(0.05))(keras), 512.0, 5
    ),
}


def model_of(keras, optimizer):
    names = ("first", "second")
    layers = [keras.layers.Dense(units, "tanh", name=name) for units, name in zip((4, 2), names, strict=True)]
    model = fill(keras.Sequential([keras.Input((3,)), *layers], name="sequential"))
    model.compile(optimizer, "mse")
    return model


def variables_of(model):
    return [np.array(variable) for variable in model.optimizer.variables]


def run(keras, case, state_of=variables_of):
    """The weights after each step, then the optimizer's own numbers; steps 7 and 8 of a scaled one are not finite."""
    model = model_of(keras, CASES[case](keras))
    optimizer = model.optimizer
    rows = []
    is_scaled = hasattr(optimizer, "inner_optimizer")
    for step in range(STEPS):
        weights = HUGE if is_scaled and step in (7, 8) else None
        model.train_on_batch(X * (1 + step % 3), Y, sample_weight=weights)
        scale = [float(optimizer.dynamic_scale), float(optimizer.step_counter)] if is_scaled else []
        rows.append(np.concatenate([*(np.ravel(w) for w in model.get_weights()), scale]))
    counts = [float(optimizer.iterations)]
    return {
        "/steps": np.stack(rows),
        "/counts": np.array(counts),
        "/state": np.concatenate([np.ravel(array) for array in state_of(model)]).astype(float),
    }
