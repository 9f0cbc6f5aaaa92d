"""Trains with fixed blocks of rows, from the backup if there is one; may be killed within an epoch.

    mpirun -n 3 python same_bits_killed.py FOLDER STEP

At optimizer step STEP all ranks end by SIGKILL; with STEP 0 the training ends, and FOLDER/came.json has its digests.
"""

import json
import os
import signal
import sys
from pathlib import Path

from same_bits import all_that_came_of, draw, labels

import distnet as keras
from distnet import distribution, layers


class Kill(keras.callbacks.Callback):
    """Kills rank 0, and so the job, after some step; runs behind the backup of the step before."""

    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.step and self.model.optimizer.iterations >= self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    folder, step = Path(sys.argv[1]), int(sys.argv[2])
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=8))
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.RandomFlip(),
            layers.Conv2D(6, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(80, "relu"),
            layers.Dropout(0.4),
            layers.Dense(4, "softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    backup = keras.callbacks.BackupAndRestore(folder / "backup", save_freq=1, delete_checkpoint=False)
    x, y = draw(50, 8, 8, 2), labels(50, 4)
    fit = model.fit(x, y, 12, 3, validation_split=0.1, callbacks=[backup, Kill(step)], verbose=0)
    if distribution.is_chief():
        (folder / "came.json").write_text(json.dumps(all_that_came_of(model, [fit])))


if __name__ == "__main__":
    main()
