"""Trains a model of same_bits.py from the backup if there is one; may be killed within an epoch.

    mpirun -n 3 python same_bits_killed.py FOLDER STEP [NAME]

At step STEP all ranks end by SIGKILL; with STEP 0 the training ends, and FOLDER/came.json has its digests.
"""

import json
import os
import signal
import sys
from pathlib import Path

from same_bits import MODELS, SHARDS, all_that_came_of

import distnet as keras
from distnet import distribution


class Kill(keras.callbacks.Callback):
    """Kills rank 0, and so the job, after some step; runs behind the backup of the step before."""

    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.step and self.model.training_state.step >= self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    folder, step = Path(sys.argv[1]), int(sys.argv[2])
    name = sys.argv[3] if len(sys.argv) > 3 else "cnn"

    def train(model, x, y, **options):
        backup = keras.callbacks.BackupAndRestore(folder / "backup", save_freq=1, delete_checkpoint=False)
        options = {"batch_size": 20, "epochs": 6, "verbose": 0, **options}
        return all_that_came_of(model, [model.fit(x, y, callbacks=[backup, Kill(step)], **options)])

    distribution.set_distribution(distribution.DataParallel(reproducible_shards=SHARDS))
    keras.utils.set_random_seed(5)
    came = MODELS[name](train)
    if distribution.is_chief():
        (folder / "came.json").write_text(json.dumps(came))


if __name__ == "__main__":
    main()
