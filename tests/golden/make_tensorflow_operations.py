"""Models of TensorFlow's functions, as its Keras writes them.

python make_tensorflow_operations.py, with TensorFlow 2.10.
"""

import json
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    import tensorflow as tf
    from keras import backend as K  # noqa: N812
    from tensorflow import keras

    m, nn = tf.math, tf.nn
    CASES = {
        **{f.__name__: lambda a, b, f=f: f(tf.tanh(a)) for f in (m.asin, m.acos, m.atan, m.asinh, m.atanh, m.erf)},
        "acosh": lambda a, b: m.acosh(a * a + 1.5),
        "is_nan": lambda a, b: tf.cast(m.is_nan(a), "float32"),
        "is_finite": lambda a, b: tf.cast(m.is_finite(a), "float32"),
        **{f.__name__: lambda a, b, f=f: f(a, b) for f in (m.atan2, m.divide_no_nan, m.maximum, m.floormod)},
        **{f.__name__: lambda a, b, f=f: f(a, axis=1) for f in (m.reduce_prod, m.cumsum, m.cumprod, K.mean, K.max)},
        "argmax": lambda a, b: tf.one_hot(m.argmax(a, axis=-1), 3),
        "tile": lambda a, b: tf.tile(a, [1, 2, 1]),
        "pad": lambda a, b: tf.pad(a, [[0, 0], [1, 2], [0, 1]]),
        "reverse": lambda a, b: tf.reverse(a, axis=[1]),
        "unstack": lambda a, b: tf.unstack(a, axis=1)[1],
        "repeat": lambda a, b: tf.repeat(a, 2, axis=1),
        "norm": lambda a, b: tf.norm(a, axis=-1),
        "stop_gradient": lambda a, b: tf.stop_gradient(a) + a,
        "gather": lambda a, b: tf.gather(a, [0, 2], axis=1),
        "roll": lambda a, b: tf.roll(a, 1, axis=1),
        "the mean of the batch": lambda a, b: a - tf.reduce_mean(a, axis=0),
        "resize": lambda a, b: tf.image.resize(tf.expand_dims(a, -1), (8, 6)),
        "top_k": lambda a, b: m.top_k(a, 2)[0],
        "batch_dot": lambda a, b: K.batch_dot(a, b, axes=2),
        "batch_flatten": lambda a, b: K.batch_flatten(a),
    }
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(5, 4, 3)).astype("float32") for _ in range(2))
    inputs = keras.Input((4, 3), name="a"), keras.Input((4, 3), name="b")
    models = {name: keras.Model(inputs, call(*inputs)) for name, call in CASES.items()}
    made = {f"y {name}": model.predict([x, y], verbose=0) for name, model in models.items()}
    texts = json.dumps({name: model.to_json() for name, model in models.items()})
    np.savez_compressed(Path(__file__).parent / "tensorflow_operations.npz", x=x, y=y, texts=texts, **made)
