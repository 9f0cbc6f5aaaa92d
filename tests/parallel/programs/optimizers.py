"""Train one model with every optimizer; rank 0 writes weights and history: optimizers.py OUT.npz."""

import sys

import numpy as np

import distnet as keras
from distnet import comm, layers
from distnet.optimizers import OPTIMIZERS

ROWS, CLASSES = 1003, 5


def train(optimizer):
    """4 epochs of 13 batches, the last of them smaller: 52 steps."""
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(ROWS, 20)), rng.integers(0, CLASSES, ROWS)
    model = keras.Sequential(
        [
            layers.Dense(24, activation="tanh", input_shape=(20,), kernel_regularizer="l2"),
            layers.Dropout(0.3),
            layers.Dense(16, activation="relu", bias_regularizer="l1"),
            layers.Dropout(0.25),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    history = model.fit(
        x, y, batch_size=64, epochs=4, verbose=0, class_weight={0: 2.0, 1: 0.5, 3: 1.7}, validation_split=0.2
    )
    assert model.training_state.step >= 50
    return model, history.history


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    results = {}
    o = keras.optimizers
    wrapped = {
        "LossScaleOptimizer": lambda: o.LossScaleOptimizer(o.Nadam(0.01, global_clipnorm=0.1), 64.0, 5),
        "MultiOptimizer": lambda: o.MultiOptimizer(
            o.OptimizerMap(o.SGD(0.1, clipnorm=0.1), {".*/kernel": o.Adam(0.01)})
        ),
    }
    for name, optimizer in {**OPTIMIZERS.classes(), **wrapped}.items():
        model, history = train(optimizer())
        results |= {f"{name}/{key}": np.array(values) for key, values in history.items()}
        results |= {f"{name}/{v.path.split('/', 1)[1]}{i}": v.value for i, v in enumerate(model.variables)}
        held = model.store.weights.tobytes() + model.store.frozen.tobytes()
        assert len(set(comm.world().allgather_object(held))) == 1, f"{name}: the ranks differ"
    if keras.distribution.is_chief():
        np.savez(sys.argv[1], **results)
