"""Trains a stateful model whose states a callback resets; rank 0 writes what came of it: stateful.py OUT.npz."""

import sys

import numpy as np

import distnet as keras
from distnet import comm, layers

ROWS, STEPS, FEATURES = 5, 3, 2


class Resetting(keras.callbacks.Callback):
    """Resets the states at the start of every second epoch, and looks at the model, which moves them."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def on_epoch_end(self, epoch, logs=None):
        if epoch % 2:
            self.model.reset_states()
        else:
            self.model.predict(self.x, batch_size=ROWS, verbose=0)


def main(path):
    keras.utils.set_random_seed(3)
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4 * ROWS, STEPS, FEATURES)), rng.normal(size=(4 * ROWS, 1))
    recurrent = [
        layers.LSTM(3, stateful=True, return_sequences=True, dropout=0.2),
        layers.GRU(2, stateful=True),
    ]
    model = keras.Sequential([keras.Input(batch_shape=(ROWS, STEPS, FEATURES)), *recurrent, layers.Dense(1)])
    model.compile("adam", "mse")
    history = model.fit(x, y, batch_size=ROWS, epochs=4, shuffle=False, verbose=0, callbacks=[Resetting(x)])
    results = {"loss": history.history["loss"], "evaluated": model.evaluate(x, y, batch_size=ROWS, verbose=0)}
    results["predicted"] = model.predict(x, batch_size=ROWS, verbose=0)
    results |= {f"weight {i}": weight for i, weight in enumerate(model.get_weights())}
    results |= {f"state {i} {k}": s.value for i, layer in enumerate(recurrent) for k, s in enumerate(layer.states)}
    if comm.world().rank == 0:
        np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1])
