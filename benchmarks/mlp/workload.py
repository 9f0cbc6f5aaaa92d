"""What every contestant of the MLP benchmark trains on, and how it reports its times."""

from __future__ import annotations

import argparse
import json
import os
import sys

import numpy as np
import numpy.typing as npt

FEATURES, HIDDEN, CLASSES = 784, (512, 256), 10
DROPOUT = (0.5, 0.25)
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
MEASURED_EPOCHS = 3
"""After one epoch of warming up."""


def parser() -> argparse.ArgumentParser:
    """The options of every contestant."""
    options = argparse.ArgumentParser()
    options.add_argument("--batch", type=int, required=True, help="rows of one step, over all processes")
    options.add_argument("--steps", type=int, required=True, help="steps of one epoch")
    return options


def data(rows: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """``rows`` random images and their labels, the same in every process."""
    rng = np.random.default_rng(0)
    return rng.random((rows, FEATURES), np.float32), rng.integers(0, CLASSES, rows)


def cores() -> int:
    """The cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(epoch_s: list[float], steps: int) -> None:
    """Print the milliseconds of a step in each measured epoch, as JSON in one line."""
    print(json.dumps({"ms_per_step": [1000 * seconds / steps for seconds in epoch_s[-MEASURED_EPOCHS:]]}))
    sys.stdout.flush()
