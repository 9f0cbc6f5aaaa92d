"""Runs Keras's optimizers in float64 and writes optimizers.npz and optimizers.json beside this file.

    python tests/golden/make_optimizers.py

Of each case: its Keras config, its slots in the order of their creation, the weights after every step and
after finalize_variable_values, and the slots after the last step. All arrays are flat: kernel, bias, scale.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax.numpy as jnp
import keras
import numpy as np

keras.config.set_floatx("float64")

STEPS = 7
SHAPES = {"kernel": (3, 4), "bias": (5,), "scale": (1,)}
CONSTRAINED = "kernel"

PLAIN = ["SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb", "Muon"]
PLAIN += ["ScheduleFreeAdamW"]
OPTIONS = {
    "SGD": [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"nesterov": True}],
    "RMSprop": [
        {"rho": 0.7, "epsilon": 1e-3},
        {"momentum": 0.8},
        {"centered": True},
        {"momentum": 0.8, "centered": True},
    ],
    "Adam": [{"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}, {"amsgrad": True, "beta_2": 0.5}],
    "AdamW": [{"weight_decay": 0.5, "learning_rate": 0.1}, {"amsgrad": True, "beta_2": 0.5}],
    "Adagrad": [{"initial_accumulator_value": 0.3, "epsilon": 1e-3}],
    "Adadelta": [{"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-6}],
    "Adamax": [{"learning_rate": 0.2, "beta_1": 0.85, "beta_2": 0.95, "epsilon": 1e-6}],
    "Nadam": [{"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.67, "epsilon": 1e-5}],
    "Ftrl": [
        {"learning_rate": 0.5},
        {
            "learning_rate": 0.05,
            "learning_rate_power": -0.2,
            "initial_accumulator_value": 0.4,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.15,
            "l2_shrinkage_regularization_strength": 0.01,
            "beta": 0.3,
        },
        {"learning_rate": 0.05, "learning_rate_power": 0.0, "initial_accumulator_value": 0.0},
    ],
    "Lion": [{"beta_1": 0.5, "beta_2": 0.8}],
    "Muon": [
        {"learning_rate": 0.1, "momentum": 0.8, "ns_steps": 3, "nesterov": False, "rms_rate": None},
        {"exclude_layers": ["kern"], "adam_lr_ratio": 0.5, "adam_weight_decay": None, "weight_decay": 0.1},
        {"adam_beta_1": 0.8, "adam_beta_2": 0.95, "epsilon": 1e-3, "muon_a": 3.0, "muon_b": -4.0, "muon_c": 2.0},
    ],
    "ScheduleFreeAdamW": [
        {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "weight_decay": 0.1},
        {"learning_rate": 0.1, "warmup_steps": 4},
    ],
    "Lamb": [{"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}],
}
TAIL = [
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.5},
    {"use_ema": True, "ema_momentum": 0.7},
    {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
    {"loss_scale_factor": 8.0},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2},
]
OF_EVERY_OPTIMIZER = [{"weight_decay": 0.1, "global_clipnorm": 0.5, "gradient_accumulation_steps": 2}]
OF_THESE = ["SGD", "Nadam"]
"""Optimizers that are run with each option of the tail by itself."""


def schedule():
    return keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)


def cases():
    """(class name, arguments, excluded from weight decay, constrained)."""
    for kind in PLAIN:
        yield kind, {}, [], False
        for options in OPTIONS[kind]:
            yield kind, options, [], False
        for tail in OF_EVERY_OPTIMIZER + (TAIL if kind in OF_THESE else []):
            yield kind, tail, [], False
    yield "SGD", {"weight_decay": 0.1}, ["bias", "sca"], False
    yield "SGD", {"learning_rate": 0.3}, [], True
    yield "SGD", {"learning_rate": 0.3, "use_ema": True, "ema_overwrite_frequency": 2}, [], True
    yield "SGD", {"learning_rate": 0.3, "gradient_accumulation_steps": 2}, [], True
    yield "AdamW", {"learning_rate": schedule()}, [], False
    yield "Adam", {"learning_rate": schedule(), "gradient_accumulation_steps": 2}, [], False


def flat(variables):
    return np.concatenate([np.ravel(v.numpy()) for v in variables])


def slot_of(variable, optimizer):
    """The slot that an optimizer's variable belongs to; None for its counters."""
    for name in SHAPES:
        if variable.name.startswith(f"{name}_"):
            return variable.name[len(name) + 1 :]
    return None


def flat_slot(slot, optimizer):
    """A slot of all variables; zeros for a variable that has none."""
    held = {v.name: np.ravel(v.numpy()) for v in optimizer.variables}
    return np.concatenate([held.get(f"{name}_{slot}", np.zeros(np.prod(shape))) for name, shape in SHAPES.items()])


def run(kind, options, excluded, constrained, weights, gradients):
    keras.backend.clear_session()
    variables, start = [], 0
    for name, shape in SHAPES.items():
        size = int(np.prod(shape))
        variables.append(keras.Variable(weights[start : start + size].reshape(shape), name=name))
        start += size
    if constrained:
        for v in variables:
            v.constraint = keras.constraints.NonNeg() if v.name == CONSTRAINED else None
    optimizer = getattr(keras.optimizers, kind)(**options)
    optimizer.exclude_from_weight_decay(var_names=excluded)
    optimizer.build(variables)
    after = []
    for gradient in gradients:
        parts = np.split(gradient, np.cumsum([int(np.prod(s)) for s in SHAPES.values()])[:-1])
        shaped = [jnp.asarray(p.reshape(s)) for p, s in zip(parts, SHAPES.values(), strict=True)]
        optimizer.apply(shaped, variables)
        after.append(flat(variables))
    names = list(dict.fromkeys(filter(None, (slot_of(v, optimizer) for v in optimizer.variables))))
    slots = [flat_slot(name, optimizer) for name in names]
    optimizer.finalize_variable_values(variables)
    numbers = np.stack([*after, flat(variables), *slots])
    return {
        "optimizer": keras.optimizers.serialize(optimizer),
        "excluded": excluded,
        "constrained": constrained,
        "slots": names,
    }, numbers


def main():
    rng = np.random.default_rng(7)
    size = sum(int(np.prod(s)) for s in SHAPES.values())
    weights, gradients = rng.standard_normal(size).round(3), rng.standard_normal((STEPS, size)).round(3)
    gradients[1, :4] = 0
    described, arrays = {}, {"weights": weights, "gradients": gradients}
    for kind, options, excluded, constrained in cases():
        label = ",".join([kind, *(f"{k}={getattr(v, 'name', v)}" for k, v in options.items())])
        label += "".join([f",excluded={'+'.join(excluded)}" * bool(excluded), ",constrained" * constrained])
        described[label], arrays[label] = run(kind, options, excluded, constrained, weights, gradients)
    folder = Path(__file__).parent
    made_by = {"keras": keras.__version__, "backend": keras.backend.backend()}
    record = {"made_by": made_by, "constrained": CONSTRAINED, "shapes": SHAPES, "cases": described}
    (folder / "optimizers.json").write_text(json.dumps(record, separators=(",", ":")) + "\n")
    np.savez_compressed(folder / "optimizers.npz", **arrays)


if __name__ == "__main__":
    main()
