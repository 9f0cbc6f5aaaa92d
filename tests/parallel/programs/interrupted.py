"""Train with a checkpoint after each epoch, and die in the third: interrupted.py MODES KIND FOLDER [KILLED RANK].

MODES, joined by commas: whole (train to the end), interrupted, resume (fit with resume=),
load (load_model, then fit with initial_epoch=). KIND: of the optimizer and of the epochs.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import layers, optimizers
from distnet.comm import world
from distnet.saving import background, vetting

OPTIMIZERS = {
    "nadam": lambda: optimizers.Nadam(0.01, weight_decay=0.001),
    "averaged": lambda: optimizers.Adam(
        optimizers.schedules.ExponentialDecay(0.01, 7, 0.9), use_ema=True, gradient_accumulation_steps=2, amsgrad=True
    ),
}


class Interruption(keras.callbacks.Callback):
    """In the third epoch: tell the test to kill the job, or kill one rank."""

    def on_train_batch_end(self, batch, logs=None):
        if len(self.model.training_state.epochs) == 2 and batch == 4:
            background.finish()  # the checkpoint of the second epoch stands
            if killed is None:
                (folder / "ready").touch()
            else:
                os.kill(int((folder / f"rank{killed}").read_text()), signal.SIGKILL)
            time.sleep(60)


def make():
    return keras.Sequential(
        [
            layers.Dense(24, activation="tanh", input_shape=(20,), kernel_regularizer="l2"),
            layers.Dropout(0.3),
            layers.Dense(5, activation="softmax"),
        ]
    )


def train(mode):
    keras.utils.set_random_seed(7 if mode in ("whole", "interrupted") else 99)
    options = {"batch_size": 64, "epochs": 6, "verbose": 0, "class_weight": {0: 2.0, 3: 0.5}, "validation_split": 0.2}
    if kind == "averaged":
        options["steps_per_epoch"] = 9
    if mode == "load":
        model = keras.models.load_model(checkpoint)
        options["initial_epoch"] = 2
    else:
        model = make()
        model.compile(OPTIMIZERS[kind](), "sparse_categorical_crossentropy", ["accuracy"])
    if mode == "interrupted":
        (folder / f"rank{keras.distribution.rank()}").write_text(str(os.getpid()))
        keras.distribution.barrier()
        options["callbacks"] = [keras.callbacks.ModelCheckpoint(checkpoint), Interruption()]
    if mode == "resume":
        options["resume"] = checkpoint
    history = model.fit(x, y, **options)
    if mode == "resume":
        examined = world().allgather_object(vetting._examiner._process is not None)
        assert sum(examined) == 1, f"{examined}: one rank of a machine examines the file that all read"
    if keras.distribution.is_chief():
        record = {key: np.array(values) for key, values in history.history.items()} | {
            "epochs": np.array(history.epoch)
        }
        np.savez(folder / f"{mode}.npz", **record, **{f"weight{i}": w for i, w in enumerate(model.get_weights())})


if __name__ == "__main__":
    modes, kind, folder = sys.argv[1].split(","), sys.argv[2], Path(sys.argv[3])
    killed = int(sys.argv[4]) if len(sys.argv) > 4 else None

    keras.config.set_floatx("float64")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1003, 20)), rng.integers(0, 5, 1003)
    checkpoint = folder / "checkpoints" / "model.h5"
    for mode in modes:
        train(mode)
