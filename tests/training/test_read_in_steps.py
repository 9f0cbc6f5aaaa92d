"""What the code of a step reads: variables of the user's, nothing of the training that is under way."""

import numpy as np
import pytest

import distnet as keras
from distnet import callbacks, layers, ops
from distnet.training.read_in_steps import reading_of

FACTOR = 2.0
OF_THE_CALLBACK = 3.0


class Scaled(layers.Layer):
    def call(self, x):
        return x * FACTOR


class Looks(callbacks.Callback):
    """Notes what steps read, while its own code reads something else."""

    def on_epoch_end(self, epoch, logs=None):
        self.seen = set(reading_of(self.model).places) if OF_THE_CALLBACK else set()


@pytest.mark.parametrize("regularizer", [None, "l2"])
def test_what_callbacks_and_the_training_hold_is_not_read_by_steps(tmp_path, regularizer):
    model = keras.Sequential([keras.Input((4,)), Scaled(), layers.Dense(1, kernel_regularizer=regularizer)])
    model.compile("sgd", lambda t, p: ops.mean(ops.square(t - p) * FACTOR, -1))
    looks = Looks()
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0, callbacks=[looks, callbacks.BackupAndRestore(tmp_path)])
    assert f"{__name__}.FACTOR" in looks.seen
    assert any("kernel_regularizer.l2" in name for name in looks.seen) == (regularizer == "l2")
    assert not [name for name in looks.seen if "_training_state" in name or "OF_THE_CALLBACK" in name]
