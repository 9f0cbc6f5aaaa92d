"""Train with gradients in 16 bits; rank 0 writes weights and losses by compression: compressed.py OUT.npz."""

import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import comm, layers
from distnet.distribution import DataParallel, set_distribution
from distnet.errors import ArgumentError
from distnet.parallel import buckets, slices


def train(compression, optimizer, dtype="float32"):
    """The losses of some epochs, and the weights after."""
    set_distribution(DataParallel(compression=compression))
    keras.utils.set_random_seed(5)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 6)).astype("float32")
    y = (x[:, :3].sum(axis=1) > 0).astype("int32")
    parts = [layers.Dense(16, "tanh", kernel_regularizer="l2", dtype=dtype), layers.Dense(2, "softmax", dtype=dtype)]
    model = keras.Sequential([keras.Input((6,), dtype=dtype), *parts])
    model.compile(optimizer, "sparse_categorical_crossentropy", ["accuracy"])
    history = model.fit(x, y, batch_size=24, epochs=8, verbose=0).history
    each = comm.world().allgather_object(b"".join(v.value.tobytes() for v in model.variables))
    assert len(set(each)) == 1, f"{compression}: the ranks differ"
    return {"weights": np.concatenate([v.value.ravel() for v in model.variables]), **history}


def refusal(call):
    """The message of the error."""
    try:
        call()
    except ArgumentError as error:
        return str(error)
    raise AssertionError("not refused")


slices.LEAST_BYTES = buckets.BUCKET_BYTES = 0


if __name__ == "__main__":
    results = {}
    for optimizer in ("adam", "lamb"):
        for kind in (None, "float16", "bfloat16"):
            trained = train(kind, optimizer)
            results |= {f"{optimizer}/{kind}/{name}": np.array(value) for name, value in trained.items()}
    keras.config.set_floatx("float64")
    told = refusal(lambda: train("float16", "sgd", "float64"))
    assert "has weights of float64. Leave compression out." in told, told
    set_distribution(None)
    if keras.distribution.is_chief():
        np.savez(Path(sys.argv[1]), **results)
