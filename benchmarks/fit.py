"""Keras's ``fit`` on a workload, timed: by distnet, or by Keras itself."""

from __future__ import annotations

import importlib
import time
from typing import Any

import workload
from workload import WORKLOADS, Workload


def own_dense(keras: Any) -> type:
    """A layer of the user's that computes what ``Dense`` does."""

    class OwnDense(keras.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, units: int, activation: str) -> None:
            super().__init__()
            self.units, self.activate = units, getattr(keras.ops, activation)

        def build(self, input_shape: tuple[int, ...]) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs: Any) -> Any:
            return self.activate(keras.ops.matmul(inputs, self.kernel) + self.bias)

    return OwnDense


def build(keras: Any, work: Workload, dense: type) -> Any:
    """The model, compiled, with dense layers of this class."""
    layers = [keras.Input(shape=(work.features,))]
    for units, rate in zip(work.hidden, work.dropout, strict=True):
        layers += [dense(units, activation="relu")]
        layers += [keras.layers.Dropout(rate)] if rate else []
    model = keras.Sequential([*layers, dense(work.outputs, activation=work.last)])
    optimizer = keras.optimizers.RMSprop(workload.LEARNING_RATE, rho=workload.RHO, epsilon=workload.EPSILON)
    model.compile(optimizer=optimizer, loss=work.loss, metrics=list(work.metrics))
    return model


def main() -> None:
    """Train; report from the one rank that runs callbacks."""
    parser = workload.parser()
    parser.add_argument("--framework", choices=("distnet", "keras"), required=True)
    parser.add_argument("--own-layers", action="store_true", help="with dense layers as a user writes them")
    options = parser.parse_args()
    keras, work = importlib.import_module(options.framework), WORKLOADS[options.model]
    epoch_s: list[float] = []

    class Timer(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            epoch_s.append(time.perf_counter() - self.start)

    x, labels = work.data(options.batch * options.steps)
    y = (keras.utils.to_categorical(labels, work.outputs) if work.outputs > 1 else labels).astype("float32")
    epochs = 1 + workload.MEASURED_EPOCHS
    dense = own_dense(keras) if options.own_layers else keras.layers.Dense
    build(keras, work, dense).fit(x, y, batch_size=options.batch, epochs=epochs, verbose=0, callbacks=[Timer()])
    if epoch_s:
        workload.report(epoch_s, options.steps)


if __name__ == "__main__":
    main()
