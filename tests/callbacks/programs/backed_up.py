"""Train with a backup in argv[1], dying in epoch argv[2] if it is given; rank 0 prints history and weights as JSON."""

import json
import os
import sys

import numpy as np

import distnet as keras
from distnet import callbacks
from distnet.comm import world


class Death(callbacks.Callback):
    """Ends the process as a crash would."""

    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.training_state.epochs) == dies_in and batch == 2:
            os._exit(9)


if __name__ == "__main__":
    backup, dies_in = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(45, 6)), rng.normal(size=(45, 1))

    model = keras.Sequential(
        [keras.layers.Dense(4, activation="tanh"), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse")
    watching = [
        callbacks.ReduceLROnPlateau("val_loss", 0.5, patience=2, min_delta=0.1),
        callbacks.EarlyStopping("val_loss", patience=6, min_delta=0.1),
    ]
    history = model.fit(
        x,
        y,
        batch_size=8,
        epochs=9,
        verbose=0,
        validation_split=0.2,
        callbacks=[callbacks.BackupAndRestore(backup), Death(), *watching],
    )
    if world().rank == 0:
        flat = {f"{key}/{i}": value for key, values in history.history.items() for i, value in enumerate(values)}
        flat |= {f"w{i}": float(np.sum(w * w)) for i, w in enumerate(model.get_weights())}
        print(json.dumps({"epochs": history.epoch, **flat}))
