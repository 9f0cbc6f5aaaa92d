"""What the contestants of a benchmark train, on what, and how they report their times."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Workload:
    """A network of dense layers, its activations relu, and how it is trained.

    Args:
        features, hidden, outputs: widths, from the input on.
        dropout: rate behind each hidden layer; 0 for none.
        last: activation of the output.
        loss: Keras's name of it.
        metrics: Keras's names of them.
        batch: rows of a step, where the command line does not say.
    """

    features: int
    hidden: tuple[int, ...]
    outputs: int
    dropout: tuple[float, ...]
    last: str
    loss: str
    metrics: tuple[str, ...]
    batch: int

    def data(self, rows: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """``rows`` random rows and their labels, the same in every process."""
        rng = np.random.default_rng(0)
        return rng.random((rows, self.features), np.float32), rng.integers(0, max(self.outputs, 2), rows)


WORKLOADS = {
    "mlp": Workload(784, (512, 256), 10, (0.5, 0.25), "softmax", "categorical_crossentropy", (), 128),
    "table": Workload(8, (12, 8), 1, (0, 0), "sigmoid", "binary_crossentropy", ("accuracy",), 10),
}
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
MEASURED_EPOCHS = 3
"""After one epoch of warming up."""


def parser() -> argparse.ArgumentParser:
    """The options of every contestant."""
    options = argparse.ArgumentParser()
    options.add_argument("--model", choices=WORKLOADS, required=True, help="which network is trained")
    options.add_argument("--batch", type=int, required=True, help="rows of one step, over all processes")
    options.add_argument("--steps", type=int, required=True, help="steps of one epoch")
    return options


def cores() -> int:
    """The cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(epoch_s: list[float], steps: int) -> None:
    """Print the milliseconds of a step in each measured epoch, as JSON in one line."""
    print(json.dumps({"ms_per_step": [1000 * seconds / steps for seconds in epoch_s[-MEASURED_EPOCHS:]]}))
    sys.stdout.flush()
