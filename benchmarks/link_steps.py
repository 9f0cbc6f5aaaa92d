"""Trains dense layers over and over, for ``scaling.py``: link_steps.py FILE LAYERS UNITS BATCH STEPS.

After each epoch rank 0 appends the least and the median time of a step in ms to FILE; FILE.stop ends the job.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import layers
from distnet.callbacks import Callback


class EpochTimes(Callback):
    """Tells the times of an epoch's steps."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.ended: list[float] = []

    def on_batch_end(self, batch: int, logs: object = None) -> None:
        self.ended.append(time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        each = [1e3 * (b - a) for a, b in zip(self.ended, self.ended[1:], strict=False)]
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{min(each)} {statistics.median(each)}\n")
        if Path(f"{self.path}.stop").exists():
            self.model.stop_training = True


def main() -> None:
    """Train until told to stop."""
    path, (depth, units, batch, steps) = Path(sys.argv[1]), map(int, sys.argv[2:])
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).normal(size=(batch * steps, units)).astype(np.float32)
    model = keras.Sequential([keras.Input((units,)), *(layers.Dense(units, "relu") for _ in range(depth))])
    model.compile("adam", "mse")
    model.fit(x, x, batch_size=batch, epochs=100_000, verbose=0, callbacks=[EpochTimes(path)])


if __name__ == "__main__":
    main()
