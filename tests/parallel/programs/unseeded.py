"""Every kind of program without a seed: unseeded.py OUT.npz [SEED]; rank 0 writes what each gave, and the seed."""

import sys
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import callbacks, comm, layers, metrics, random

RNG = np.random.default_rng(1)
X = RNG.normal(size=(47, 6))
Y = np.eye(3)[RNG.integers(0, 3, 47)]
IMAGES = RNG.uniform(0, 255, (13, 6, 6, 2))


def fitted(model, x=X, y=Y, **options):
    model.compile("adam", "categorical_crossentropy", ["accuracy", metrics.AUC(num_thresholds=20)])
    history = model.fit(x, y, **{"batch_size": 10, "epochs": 2, "verbose": 0} | options)
    return {**history.history, **dict(enumerate(model.get_weights()))}


def classifier(*hidden):
    return keras.Sequential([layers.Dense(7, "relu"), *hidden, layers.Dense(3, "softmax")])


def functional():
    inputs = layers.Input((6,))
    branches = [layers.Dense(5, "tanh")(inputs), layers.GaussianNoise(0.2)(layers.Dense(5)(inputs))]
    model = keras.Model(inputs, layers.Dense(3, "softmax")(layers.Dropout(0.3)(layers.Add()(branches))))
    return fitted(model, validation_split=0.2)


def by_hand():
    drop, dense = layers.Dropout(0.5), layers.Dense(4, kernel_initializer="orthogonal")
    model = classifier(layers.Dropout(0.3))
    results = {f"dropped {i}": drop(X, training=True) for i in range(2)}
    results |= {f"model {i}": model(X, training=True) for i in range(2)}
    results["flipped"] = layers.RandomFlip()(IMAGES, training=True)
    results["initialized"] = keras.initializers.RandomNormal()((3, 4))
    return results | {"dense": dense(X), "after": fitted(model)["loss"]}


def callbacks_that_draw():
    def draw(epoch, logs):
        layers.Dropout(0.5)(X, training=True)
        keras.models.clone_model(classifier(layers.Dropout(0.3))).build((None, 6))

    drawing = callbacks.LambdaCallback(on_epoch_end=draw)
    stopping = callbacks.EarlyStopping("loss", patience=0, restore_best_weights=True)
    results = fitted(classifier(layers.Dropout(0.3)), callbacks=[drawing, stopping])
    return results | {"after": layers.Dropout(0.5)(X, training=True)}


def generators():
    def batches():
        rng = np.random.default_rng(3)
        while True:
            rows = rng.integers(0, 47, 11)
            yield X[rows], Y[rows]

    results = fitted(classifier(layers.AlphaDropout(0.1)), batches(), None, batch_size=None, steps_per_epoch=4)
    flow = keras.preprocessing.image.ImageDataGenerator(rotation_range=9, horizontal_flip=True).flow(IMAGES, Y[:13], 5)
    pictures = keras.Sequential([layers.RandomContrast(0.2), layers.Flatten(), layers.Dense(3, "softmax")])
    return results | {f"images {key}": value for key, value in fitted(pictures, flow, None, batch_size=None).items()}


def batch_normalization():
    return fitted(classifier(layers.BatchNormalization(), layers.GaussianDropout(0.2)), validation_split=0.2)


def recurrent():
    model = keras.Sequential([layers.Reshape((3, 2)), layers.LSTM(4, dropout=0.3), layers.Dense(3, "softmax")])
    return fitted(model)


def resumption():
    path = OUT.with_suffix(".h5")
    fitted(classifier(layers.Dropout(0.4)), epochs=1, callbacks=[callbacks.ModelCheckpoint(path, save_freq=3)])
    return fitted(classifier(layers.Dropout(0.4)), epochs=3, resume=path)


def batch_by_batch():
    model = classifier(layers.Dropout(0.4))
    model.compile("sgd", "mse", ["mae"])
    results = {f"train {i}": model.train_on_batch(X[:n], Y[:n]) for i, n in enumerate((32, 2, 1))}
    return results | {"evaluated": model.evaluate(X, Y, verbose=0), "predicted": model.predict(X, verbose=0)}


if __name__ == "__main__":
    OUT = Path(sys.argv[1])
    keras.config.set_floatx("float64")
    if len(sys.argv) > 2:
        random.set_job_seed(int(sys.argv[2]))

    results = {}
    for case in (
        *(functional, by_hand, callbacks_that_draw, generators, batch_normalization),
        *(recurrent, resumption, batch_by_batch),
    ):
        part = {f"{case.__name__}/{key}": np.asarray(value) for key, value in case().items()}
        everywhere = comm.world().allgather_object({key: value.tobytes() for key, value in part.items()})
        apart = [key for key in part if len({theirs[key] for theirs in everywhere}) > 1]
        assert not apart, f"the ranks differ in {apart}"
        results |= part
    if keras.distribution.is_chief():
        np.savez(OUT, seed=random.job_seed(), **results)
