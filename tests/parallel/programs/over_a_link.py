"""Trains in float64; rank 0 writes weights and times of steps: over_a_link.py FILE LAYERS UNITS SHARDS STEPS.

SHARDS 0 trains in the fast mode. ``FILE.started`` appears after the third step.
"""

import sys
import time
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import callbacks, distribution, layers

BATCH = 24


class Timed(callbacks.Callback):
    """Notes when each step ended."""

    def __init__(self, mark):
        self.mark, self.ended = mark, []

    def on_batch_end(self, batch, logs=None):
        self.ended.append(time.perf_counter())
        if len(self.ended) == 3:
            self.mark.touch()


def main():
    path, (depth, units, shards, steps) = Path(sys.argv[1]), map(int, sys.argv[2:])
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(5)
    if shards:
        distribution.set_distribution(distribution.DataParallel(reproducible_shards=shards))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(BATCH * steps - 5, units)), rng.normal(size=(BATCH * steps - 5, 3))
    model = keras.Sequential([keras.Input((units,))])
    for _ in range(depth):
        model.add(layers.Dense(units, "tanh"))
        model.add(layers.Dropout(0.1))
    model.add(layers.BatchNormalization())
    model.add(layers.Dense(3))
    model.compile(keras.optimizers.Adam(1e-3), "mse", metrics=["mae"])
    timed = Timed(Path(f"{path}.started"))
    history = model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0, callbacks=[timed]).history
    if distribution.is_chief():
        weights = {f"weight{i}": weight for i, weight in enumerate(model.get_weights())}
        np.savez(path, **weights, **history, ended=timed.ended)


if __name__ == "__main__":
    main()
