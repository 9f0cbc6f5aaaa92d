"""Milliseconds that a checkpoint holds up training: written in the background or in the foreground.

    python benchmarks/checkpoint_stall.py --megabytes 100 --rounds 7

One process trains a network whose file, with weights and Adam's moments, has the given size. Each round takes the
same number of steps three times: without a checkpoint, with one that ``save`` writes, and with one that
``save_checkpoint`` writes in the background. ``call``: how long the call takes, in which nothing is trained.
``lost``: how much longer all steps of the round took than without a checkpoint, including the writer's share of the
cores. Median, smallest and largest over all rounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measuring import cores, spread

import distnet as keras
from distnet import layers
from distnet.saving import background

BATCH = 32


@dataclass
class Times:
    """Milliseconds of one way of saving, round by round."""

    call: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)


def network(megabytes: float) -> keras.Sequential:
    """A network whose file has about this size: two square layers, each weight with two moments."""
    units = max(8, int((megabytes * 1e6 / (4 * 3 * 2)) ** 0.5))
    model = keras.Sequential(
        [layers.Input(shape=(units,)), layers.Dense(units, activation="relu"), layers.Dense(units)]
    )
    model.compile("adam", "mse")
    return model


def train(model: keras.Sequential, steps: int, save: Callable[[], None] | None, times: Times) -> float:
    """Take the steps, saving after a quarter of them; return the total milliseconds."""
    x = np.ones((BATCH, model.input_shape[1]), np.float32)
    start = time.perf_counter()
    for step in range(steps):
        model.train_on_batch(x, x)
        if save is not None and step == steps // 4:
            before = time.perf_counter()
            save()
            times.call.append(1e3 * (time.perf_counter() - before))
    return 1e3 * (time.perf_counter() - start)


def compare(megabytes: float, steps: int, rounds: int, folder: Path) -> tuple[int, dict[str, Times]]:
    """The size of the file, and the times of both ways; the first round warms up and does not count."""
    model, path = network(megabytes), folder / "checkpoint.h5"
    ways: dict[str, Callable[[], None]] = {
        "foreground": lambda: model.save(path),
        "background": lambda: model.save_checkpoint(path),
    }
    found = {name: Times() for name in ways}
    for number in range(rounds + 1):
        without = train(model, steps, None, Times())
        for name, save in ways.items():
            times = Times() if number == 0 else found[name]
            times.lost.append(train(model, steps, save, times) - without)
            background.wait()
    background.finish()
    return path.stat().st_size, found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where to write; by default the system's for temporary files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        size, found = compare(options.megabytes, options.steps, options.rounds, Path(folder))
    print(f"checkpoint of {size / 1e6:.1f} MB, {options.steps} steps, {options.rounds} rounds, {cores()} cores\n")
    print(f"{'ms':<12}{'call':>9}{'min':>9}{'max':>9}{'lost':>12}{'min':>9}{'max':>9}")
    for name, times in found.items():
        cells = [f"{value:9.1f}" for values in (times.call, times.lost) for value in spread(values)]
        print(f"{name:<12}{''.join(cells[:3])}   {''.join(cells[3:])}")
    ratio = statistics.median(found["foreground"].call) / statistics.median(found["background"].call)
    print(f"\nforeground / background: {ratio:.1f}")


if __name__ == "__main__":
    main()
