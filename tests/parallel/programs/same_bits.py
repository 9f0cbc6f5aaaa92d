"""Trains models with fixed blocks of rows; rank 0 writes a digest of all that came of each.

    mpirun -n 3 python same_bits.py FILE [NAME ...]

FILE becomes JSON: by the model's name digests of weights, slots, logs, predictions.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import distribution, layers, ops

SHARDS = 8


def digest(arrays):
    """Of float32 bits."""
    told = hashlib.sha256()
    for array in arrays:
        told.update(np.ascontiguousarray(array).tobytes())
    return told.hexdigest()


def all_that_came_of(model, fits, *others):
    """By name, digests: nothing here may depend on the number of ranks."""
    return {
        "weights": digest(model.get_weights()),
        "slots": digest(slot for _, slot in sorted(model.optimizer.slots.items())),
        "logs": [
            {key: [float(v).hex() for v in np.ravel(values)] for key, values in fit.history.items()} for fit in fits
        ],
        "others": digest(others),
    }


def draw(rows, *shape, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, *shape)).astype(np.float32)


def labels(rows, classes, seed=1):
    return np.random.default_rng(seed).integers(0, classes, rows)


def trained(model, x, y, **options):
    """Two fits of a model, evaluated and asked after them."""
    options = {"batch_size": 20, "epochs": 2, "verbose": 0, **options}
    fits = [model.fit(x, y, **options), model.fit(x, y, **options | {"validation_data": None})]
    batch_size = options["batch_size"]
    predicted = model.predict(x, batch_size=batch_size, verbose=0)
    evaluated = model.evaluate(x, y, batch_size=batch_size, verbose=0, return_dict=True).values()
    predicted = predicted if isinstance(predicted, list) else [predicted]
    return all_that_came_of(model, fits, *predicted, *map(np.ravel, evaluated))


def mlp(train=trained):
    """Large enough for slices in shared memory; clipped by one norm; the last batch has 5 rows, for 8 blocks."""
    model = keras.Sequential(
        [
            keras.Input((40,)),
            layers.Dense(160, "relu", kernel_regularizer="l2", activity_regularizer="l2"),
            layers.Dropout(0.3),
            layers.GaussianNoise(0.1),
            layers.Dense(64, "relu", kernel_constraint="max_norm"),
            layers.Dense(3, "softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(1e-3, global_clipnorm=0.1, gradient_accumulation_steps=2)
    metrics = ["accuracy", keras.metrics.AUC(multi_label=True, name="auc"), keras.metrics.F1Score()]
    model.compile(optimizer, "categorical_crossentropy", metrics=metrics)
    x, y = draw(65, 40), np.eye(3, dtype=np.float32)[labels(65, 3)]
    return train(model, x, y, class_weight={0: 1.0, 1: 2.0, 2: 0.3}, validation_data=(x[:23], y[:23]))


def sliced(train=trained):
    """An update made slice by slice, with averaged weights."""
    model = keras.Sequential([keras.Input((40,)), layers.Dense(200, "tanh"), layers.Dense(3)])
    model.compile(keras.optimizers.AdamW(1e-3, use_ema=True, clipvalue=0.01), "mse")
    x = draw(61, 40)
    return train(model, x, draw(61, 3, seed=2), sample_weight=np.linspace(0.1, 2, 61), validation_split=0.2)


def cnn(train=trained):
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.RandomFlip(),
            layers.RandomRotation(0.1),
            layers.RandomContrast(0.2),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.SpatialDropout2D(0.2),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(12, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(32, "relu"),
            layers.Dense(4, "softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return train(model, draw(46, 12, 12, 3), labels(46, 4), validation_split=0.1)


def resnet(train=trained):
    """Several outputs, with a loss each; statistics of the batch in every block."""
    start = x = keras.Input((16, 16, 3))
    for filters, strides in ((8, 1), (16, 2)):
        y = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
        x = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=strides, use_bias=False)(x))
        x = layers.ReLU()(layers.Add()([x, y]))
    pooled = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(start, [layers.Dense(5, "softmax", name="kind")(pooled), layers.Dense(1, name="size")(pooled)])
    losses = {"kind": "sparse_categorical_crossentropy", "size": "huber"}
    model.compile("adam", losses, loss_weights={"kind": 1.0, "size": 0.3}, metrics={"kind": "accuracy", "size": "mae"})
    x = draw(43, 16, 16, 3)
    return train(model, x, {"kind": labels(43, 5), "size": draw(43, 1, seed=3)})


def lstm(train=trained):
    start = keras.Input((None,), dtype="int32")
    x = layers.Embedding(50, 16, mask_zero=True)(start)
    x = layers.Bidirectional(layers.LSTM(12, return_sequences=True, dropout=0.2, recurrent_dropout=0.1))(x)
    x = layers.GRU(10)(x)
    model = keras.Model(start, layers.Dense(2, "softmax")(x))
    model.compile(keras.optimizers.Nadam(1e-2, clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    tokens = np.random.default_rng(4).integers(1, 50, (45, 9)).astype(np.int32)
    tokens[::3, 5:] = 0
    return train(model, tokens, labels(45, 2), validation_split=0.25)


def transformer(train=trained):
    start = keras.Input((10,), dtype="int32")
    x = layers.Embedding(50, 32)(start)
    attended = layers.MultiHeadAttention(4, 8, dropout=0.1)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(32)(layers.Dense(64, "gelu")(x))]))
    model = keras.Model(start, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile(keras.optimizers.Lamb(1e-2), "sparse_categorical_crossentropy")
    return train(model, np.random.default_rng(5).integers(0, 50, (47, 10)), labels(47, 3))


class Centred(layers.Layer):
    """Takes the batch's mean away and counts its calls; looks at the whole batch through ``ops``."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False, name="seen")

    def call(self, x):
        self.seen.assign(self.seen + 1.0)
        nearest = ops.sort(x, axis=0)[: ops.shape(x)[0] // 2]  # couples rows: they are gathered
        drawn = keras.random.normal(ops.shape(x), seed=7)
        return (x - ops.mean(x, axis=0)) * self.scale + 0.1 * ops.mean(nearest, axis=0) + 0.01 * drawn


class Spread(keras.metrics.Metric):
    """The largest prediction less the smallest, of each batch: sees all rows."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_variable((), name="total")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign(self.total + ops.max(y_pred) - ops.min(y_pred))

    def result(self):
        return self.total.value


def contrast(y_true, y_pred):
    """Couples rows."""
    centred = y_pred - ops.mean(y_pred, axis=0, keepdims=True)
    return ops.mean(ops.square(y_true - centred), axis=-1)


def own(train=trained):
    """Layers, a loss and a metric of the user's."""
    start = keras.Input((6,))
    x = Centred()(layers.Dense(16, "relu")(start))
    x = layers.Lambda(lambda z: z / (1.0 + ops.std(z, axis=0)))(x)
    model = keras.Model(start, layers.Dense(2)(x))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), contrast, metrics=[Spread(), "mse"])
    return train(model, draw(38, 6), draw(38, 2, seed=6), batch_size=9)


def by_hand():
    """Batches given one by one, and from a generator."""
    model = keras.Sequential([keras.Input((5,)), layers.Dense(8), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x, y = draw(33, 5), draw(33, 1, seed=2)
    logs = [model.train_on_batch(x[i : i + 11], y[i : i + 11]) for i in (0, 11, 22)]
    fit = model.fit(((x[i : i + 7], y[i : i + 7]) for i in range(0, 28, 7)), steps_per_epoch=4, verbose=0)
    logs.append(model.test_on_batch(x, y))
    return all_that_came_of(model, [fit], *[np.ravel(list(log)) for log in logs], model.predict_on_batch(x[:5]))


MODELS = {f.__name__: f for f in (mlp, sliced, cnn, resnet, lstm, transformer, own, by_hand)}


def main():
    path, names = Path(sys.argv[1]), sys.argv[2:] or list(MODELS)
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=SHARDS))
    came = {}
    for name in names:
        keras.utils.set_random_seed(3)
        came[name] = MODELS[name]()
    if distribution.is_chief():
        path.write_text(json.dumps(came))


if __name__ == "__main__":
    main()
