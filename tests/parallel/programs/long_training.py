"""Train until it stops by itself, going on from its own backup: long_training.py FOLDER EPOCHS SAVE_FREQ [KEEP].

SAVE_FREQ 0 trains without a backup. Rank 0 writes weights and history to FOLDER/end.npz.
"""

import os
import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import callbacks, layers, preprocessing

if __name__ == "__main__":
    folder, epochs, save_freq = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    keep = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    (folder / f"rank{keras.distribution.rank()}").write_text(str(os.getpid()))
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(203, 4, 4, 1))
    y = (x.reshape(203, 16) @ rng.normal(size=16) + rng.normal(size=203) > 0).astype("float64")
    moved = preprocessing.image.ImageDataGenerator(width_shift_range=1, horizontal_flip=True, dtype="float64")

    model = keras.Sequential(
        [
            layers.GaussianNoise(0.1, input_shape=(4, 4, 1)),
            layers.Conv2D(3, 2, activation="tanh"),
            layers.Flatten(),
            layers.Dense(16, activation="tanh", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True), "binary_crossentropy", ["accuracy", "AUC"])
    watching = [
        callbacks.ReduceLROnPlateau(factor=0.8, patience=3, cooldown=1, min_delta=1e-3, min_lr=1e-3),
        callbacks.EarlyStopping(patience=epochs // 2, restore_best_weights=True),
        callbacks.ModelCheckpoint(folder / "best.h5", save_best_only=True),
        callbacks.CSVLogger(folder / "log.csv"),
    ]
    if save_freq:
        watching.append(callbacks.BackupAndRestore(folder / "backup", save_freq, delete_checkpoint=False, keep=keep))
    rows = moved.flow(x[:142], y[:142], batch_size=16, seed=3)
    history = model.fit(rows, epochs=epochs, verbose=0, validation_data=(x[142:], y[142:]), callbacks=watching)
    if keras.distribution.is_chief():
        record = {key: np.array(values) for key, values in history.history.items()} | {
            "epochs": np.array(history.epoch)
        }
        np.savez(folder / ".end.npz", **record, **{f"weight{i}": w for i, w in enumerate(model.get_weights())})
        (folder / ".end.npz").rename(folder / "end.npz")
