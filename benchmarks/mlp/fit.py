"""Keras's ``fit`` on the MLP, timed: by distnet, or by Keras itself."""

from __future__ import annotations

import importlib
import time
from typing import Any

import workload


def build(keras: Any) -> Any:
    """The model, compiled."""
    layers = [keras.Input(shape=(workload.FEATURES,))]
    for units, rate in zip(workload.HIDDEN, workload.DROPOUT, strict=True):
        layers += [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(rate)]
    model = keras.Sequential([*layers, keras.layers.Dense(workload.CLASSES, activation="softmax")])
    optimizer = keras.optimizers.RMSprop(workload.LEARNING_RATE, rho=workload.RHO, epsilon=workload.EPSILON)
    model.compile(optimizer=optimizer, loss="categorical_crossentropy")
    return model


def main() -> None:
    """Train; report from the one rank that runs callbacks."""
    parser = workload.parser()
    parser.add_argument("--framework", choices=("distnet", "keras"), required=True)
    options = parser.parse_args()
    keras = importlib.import_module(options.framework)
    epoch_s: list[float] = []

    class Timer(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            epoch_s.append(time.perf_counter() - self.start)

    x, labels = workload.data(options.batch * options.steps)
    y = keras.utils.to_categorical(labels, workload.CLASSES).astype("float32")
    epochs = 1 + workload.MEASURED_EPOCHS
    build(keras).fit(x, y, batch_size=options.batch, epochs=epochs, verbose=0, callbacks=[Timer()])
    if epoch_s:
        workload.report(epoch_s, options.steps)


if __name__ == "__main__":
    main()
