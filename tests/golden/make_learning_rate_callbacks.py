"""Learning rates that real Keras's callbacks set, for given values: writes ``learning_rate_callbacks.json``.

Run with Keras 3.15.1 on its JAX backend: ``KERAS_BACKEND=jax python make_learning_rate_callbacks.py``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace

import keras

GRID = [
    {"patience": 1, "factor": 0.5, "min_delta": 1e-4, "cooldown": 0, "min_lr": 0.0, "mode": "min"},
    {"patience": 2, "factor": 0.1, "min_delta": 1e-4, "cooldown": 2, "min_lr": 0.0, "mode": "min"},
    {"patience": 2, "factor": 0.2, "min_delta": 0.05, "cooldown": 1, "min_lr": 1e-3, "mode": "min"},
    {"patience": 3, "factor": 0.3, "min_delta": 0.0, "cooldown": 0, "min_lr": 1e-2, "mode": "max"},
    {"patience": 0, "factor": 0.9, "min_delta": 0.01, "cooldown": 3, "min_lr": 0.05, "mode": "max"},
]


def rates(options: dict, values: list[float]) -> list[float]:
    """The learning rate that the logs hold after each epoch."""
    optimizer = keras.optimizers.SGD(0.1)
    callback = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", **options)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(values):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        found.append(logs["learning_rate"])
    return [*found, float(optimizer.learning_rate)]


def main() -> None:
    rng = random.Random(1)
    cases = []
    for options in GRID:
        values = [round(1 / (1 + 0.1 * i) + rng.uniform(-0.1, 0.1), 4) for i in range(25)]
        cases.append({"options": options, "values": values, "rates": rates(options, values)})
    text = json.dumps({"keras": keras.__version__, "reduce_lr_on_plateau": cases}, indent=1)
    Path(__file__).with_name("learning_rate_callbacks.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
