"""Write keras_2_layers.npz: what tf_keras computes for the layers that Keras 3 does not have.

Run with tf_keras installed: ``python make_keras_2_layers.py``. The cases are as in ``make_windows.py``.
"""

import itertools
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

import packed

tf_keras.backend.set_floatx("float64")

FIRST, LAST = "channels_first", "channels_last"


def locally_connected():
    for implementation, data_format, padding in itertools.product((1, 2, 3), (LAST, FIRST), ("valid", "same")):
        if implementation == 1 and padding == "same":
            continue
        options = {"filters": 3, "implementation": implementation, "data_format": data_format, "padding": padding}
        sequence, image = ((7, 2), (4, 5, 2)) if data_format == LAST else ((2, 7), (2, 4, 5))
        yield "LocallyConnected1D", sequence, {**options, "kernel_size": 3, "strides": 2, "activation": "softmax"}
        yield "LocallyConnected2D", image, {**options, "kernel_size": (2, 3), "strides": (2, 1), "activation": "relu"}
    yield "LocallyConnected1D", (7, 2), {"filters": 3, "kernel_size": 2, "use_bias": False}


def cases():
    yield from locally_connected()
    yield "ThresholdedReLU", (4, 5), {"theta": 0.3}
    yield "ThresholdedReLU", (4, 5), {}


def sample(shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def run(name, shape, options, arrays):
    layer = getattr(tf_keras.layers, name)(**options)
    x = arrays.setdefault(f"x {list(shape)} free", sample((2, *shape)))
    layer.build((None, *shape))
    layer.set_weights([arrays.setdefault(f"w {list(w.shape)}", sample(w.shape)) for w in layer.weights])
    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = layer(given)
        total = tf.reduce_sum(y * np.cos(np.arange(tf.size(y))).reshape(y.shape))
    dx, *dws = tape.gradient(total, [given, *layer.trainable_weights])
    return layer, y.numpy(), dx.numpy(), [dw.numpy() for dw in dws]


if __name__ == "__main__":
    arrays, listed = {}, []
    for i, (name, shape, options) in enumerate(cases()):
        layer, y, dx, dws = run(name, shape, options, arrays)
        arrays |= {f"y {i}": y, f"dx {i}": dx, **{f"dw {i} {k}": dw for k, dw in enumerate(dws)}}
        listed.append(
            {
                "name": name,
                "shape": shape,
                "options": options,
                "kind": "free",
                "weights": [w.name.partition(":")[0] for w in layer.weights],
                "keras": {"class_name": name, "config": layer.get_config()},
            }
        )
    packed.save(Path(__file__).with_name("keras_2_layers.npz"), arrays, listed)
