"""Batch normalization on uneven shards, some empty; rank 0 writes what it gave: batch_normalization.py OUT.npz."""

import sys

import numpy as np

import distnet as keras
from distnet import comm, layers
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces

RNG = np.random.default_rng(3)
ROWS, SHAPE = 11, (4, 3, 5)
X, DY = 5 + RNG.normal(size=(ROWS, *SHAPE)), RNG.normal(size=(ROWS, *SHAPE))
SHARDS = {1: ([11],), 2: ([4, 7], [0, 11], [10, 1]), 3: ([5, 0, 6], [2, 8, 1], [0, 0, 11])}
WORLD = comm.world()


def gathered(counts, **options):
    """Outputs, input gradients, summed gradients and moving statistics over ranks that hold so many rows each."""
    start = sum(counts[: WORLD.rank])
    rows = slice(start, start + counts[WORLD.rank])
    layer = layers.BatchNormalization(momentum=0.7, dtype="float64", gamma_initializer="random_normal", **options)
    layer.build_once((None, *SHAPE))
    layer.set_weights([np.linspace(0.5, 1.5, w.size) for w in layer.get_weights()])
    work = Workspaces()
    ctx = ForwardContext(True, 1, 0, start, ROWS, work, WORLD.allreduce)
    y, saved = layer.forward(X[rows], ctx)
    y = y.copy()
    dx = layer.backward(DY[rows], saved, BackwardContext(work, WORLD.allreduce))
    results = {"y": WORLD.allgather_rows(y), "dx": WORLD.allgather_rows(dx.copy())}
    for variable in layer.trainable_weights:
        gradient = np.ascontiguousarray(variable.grad)
        WORLD.allreduce(gradient)
        results[f"gradient of {variable.name}"] = gradient
    return results | {v.name: v.numpy() for v in layer.non_trainable_weights}


def trained():
    """What a model with batch normalization learns, in batches of 5 and a last one of 3."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            layers.Dense(6, input_shape=(8,), use_bias=False),
            layers.BatchNormalization(momentum=0.8),
            layers.ReLU(),
            layers.GaussianNoise(0.1),
            layers.Dense(4),
            layers.BatchNormalization(scale=False),
            layers.Dense(2),
        ]
    )
    x, y = RNG.normal(size=(53, 8)), RNG.normal(size=(53, 2))
    model.compile("adam", "mse")
    history = model.fit(x, y, batch_size=5, epochs=3, verbose=0, validation_split=0.2).history
    return {
        **history,
        **{str(i): w for i, w in enumerate(model.get_weights())},
        "predicted": model.predict(x, verbose=0),
    }


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    results = {}
    for case, options in {"all": {}, "rows": {"axis": 1}, "plain": {"center": False, "scale": False}}.items():
        ways = [gathered(counts, **options) for counts in SHARDS[WORLD.size]]
        for i, way in enumerate(ways):
            for key, value in way.items():
                np.testing.assert_allclose(value, ways[0][key], rtol=1e-12, atol=1e-12, err_msg=f"{case} {i} {key}")
        results |= {f"{case} {key}": value for key, value in ways[-1].items()}
    results |= {f"trained {key}": np.asarray(value) for key, value in trained().items()}
    if keras.distribution.is_chief():
        np.savez(sys.argv[1], **results)
