"""A contestant: Keras's ``fit`` on a workload, by distnet or by Keras itself."""

from __future__ import annotations

import argparse
import importlib
import math
import os
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from measuring import MEASURED_EPOCHS, STARTED, peak_mb, shared_mb, take_turns
from workloads import CLASSES, WORKLOADS


def own_dense(keras: Any) -> type:
    """A layer of the user's that computes what ``Dense`` does."""

    class OwnDense(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int, activation: str) -> None:
            super().__init__()
            self.units, self.activate = units, getattr(keras.activations, activation)

        def build(self, input_shape: tuple[int, ...]) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs: Any) -> Any:
            return self.activate(keras.ops.matmul(inputs, self.kernel) + self.bias)

    return OwnDense


def augmented(keras: Any, x: npt.NDArray[Any], y: npt.NDArray[Any], batch: int, workers: int) -> Any:
    """A sequence of batches of images, each image shifted and perhaps mirrored."""

    class Augmented(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return math.ceil(len(x) / batch)

        def __getitem__(self, index: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
            rows, rng = slice(index * batch, (index + 1) * batch), np.random.default_rng(index)
            images = x[rows].copy()
            mirrored = rng.random(len(images)) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
            for i, shift in enumerate(rng.integers(-3, 4, (len(images), 2))):
                images[i] = np.roll(images[i], shift, (0, 1))
            return images, y[rows]

    return Augmented(workers=workers)


def main() -> None:
    """Train in each turn; every rank tells its memory, the one that runs callbacks its times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--framework", choices=("distnet", "keras"), required=True)
    parser.add_argument("--model", choices=WORKLOADS, required=True)
    parser.add_argument("--batch", type=int, required=True, help="rows of one step, over all ranks")
    parser.add_argument("--steps", type=int, required=True, help="steps of one epoch")
    parser.add_argument("--own-layers", action="store_true", help="with dense layers as a user writes them")
    parser.add_argument("--workers", type=int, default=0, help="feed images that so many threads augment")
    parser.add_argument(
        "--shards", type=int, help="of distnet: the same bits on any number of ranks, by so many blocks"
    )
    parser.add_argument("--elastic", action="store_true", help="of distnet: go on when ranks die")
    options = parser.parse_args()
    keras, work = importlib.import_module(options.framework), WORKLOADS[options.model]
    if options.shards:
        keras.distribution.set_distribution(keras.distribution.DataParallel(reproducible_shards=options.shards))
    if options.elastic:
        keras.distribution.set_distribution(keras.distribution.DataParallel(elastic=True))
    x, labels = work.data(options.batch * options.steps)
    y = np.eye(CLASSES, dtype=np.float32)[labels]
    rows: dict[str, Any] = {"x": x, "y": y, "batch_size": options.batch}
    if options.workers:
        rows = {"x": augmented(keras, x, y, options.batch, options.workers)}
    model = work.model(keras, own_dense(keras) if options.own_layers else None)
    epoch_s: list[float] = []
    used_s: list[float] = []
    first_s: list[float] = []

    class Timer(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.start, self.used = time.perf_counter(), time.process_time()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            epoch_s.append(time.perf_counter() - self.start)
            used_s.append(time.process_time() - self.used)
            first_s.append(time.time() - float(os.environ[STARTED]))

    def measure() -> dict[str, list[float]]:
        is_first = not first_s
        epoch_s.clear()
        used_s.clear()
        model.fit(**rows, epochs=1 + MEASURED_EPOCHS, verbose=0, callbacks=[Timer()])
        return {
            "ms": [1e3 * seconds / options.steps for seconds in epoch_s[1:]],
            "processor ms": [1e3 * seconds / options.steps for seconds in used_s[1:]],
            "first epoch s": first_s[:1] if is_first else [],
            "peak MB": [peak_mb()],
            "shared MB": [shared_mb()],
        }

    take_turns(measure)


if __name__ == "__main__":
    main()
