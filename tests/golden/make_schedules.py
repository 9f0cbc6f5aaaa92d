"""Runs Keras's learning rate schedules in float64 and writes schedules.json beside this file.

python tests/golden/make_schedules.py
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import jax.numpy as jnp
import keras
from keras.optimizers import schedules

keras.config.set_floatx("float64")

STEPS = [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 15, 19, 20, 21, 25, 29, 30, 31, 40, 47, 69, 70, 71, 149, 150, 151, 1000]


def cases():
    for kind in (schedules.ExponentialDecay, schedules.InverseTimeDecay):
        yield kind(0.1, 10, 0.5)
        yield kind(0.1, 10, 0.5, staircase=True)
        yield kind(initial_learning_rate=1.0, decay_steps=7, decay_rate=0.96)
    yield schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.05, 0.01])
    yield schedules.PiecewiseConstantDecay([1], [1.0, 0.5], name="two")
    yield schedules.PolynomialDecay(0.1, 20)
    yield schedules.PolynomialDecay(0.1, 20, end_learning_rate=0.01, power=0.5)
    yield schedules.PolynomialDecay(0.1, 20, end_learning_rate=0.0, power=2.0, cycle=True)
    yield schedules.CosineDecay(0.1, 20)
    yield schedules.CosineDecay(0.1, 20, alpha=0.2)
    yield schedules.CosineDecay(0.0, 20, warmup_target=0.3, warmup_steps=10)
    yield schedules.CosineDecay(0.05, 20, alpha=0.1, warmup_target=0.3, warmup_steps=0)
    yield schedules.CosineDecayRestarts(0.1, 10)
    yield schedules.CosineDecayRestarts(0.1, 10, t_mul=1.0, m_mul=0.8, alpha=0.1)
    yield schedules.CosineDecayRestarts(0.1, 10, t_mul=2.0, m_mul=0.5)


def rates(schedule):
    return [float(schedule(jnp.asarray(step))) for step in STEPS]


def main():
    record = [{"schedule": schedules.serialize(schedule), "rates": rates(schedule)} for schedule in cases()]
    made_by = {"keras": keras.__version__, "backend": keras.backend.backend()}
    text = json.dumps({"made_by": made_by, "steps": STEPS, "cases": record}, separators=(",", ":"))
    (Path(__file__).parent / "schedules.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
