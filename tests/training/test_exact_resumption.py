"""A training saved at any moment and resumed from there ends as one that nothing stopped, bit for bit."""

from __future__ import annotations

import random

import numpy as np
import pytest

import distnet as keras
from distnet import callbacks, layers
from distnet.preprocessing.image import ImageDataGenerator

rng = np.random.default_rng(0)
X = rng.standard_normal((45, 6))
Y = (X[:, :1] > 0.3).astype("float64")
HOOKS = (
    *("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"),
    *("on_test_begin", "on_test_batch_end", "on_test_end", "on_epoch_end", "on_train_end"),
)


class Saving(callbacks.Callback):
    """Saves the model at every so many hooks, each time to another file."""

    runs_last = True

    def __init__(self, folder, every):
        self.folder, self.every = folder, every
        self.paths, self.calls = [], 0

    def _save(self, hook):
        self.calls += 1
        if self.every and self.calls % self.every == 0:
            self.paths.append(self.folder / f"{self.calls:03}-{hook}.h5")
            self.model.save(self.paths[-1])


for hook in HOOKS:
    setattr(Saving, hook, lambda self, *args, hook=hook: self._save(hook))


class Counting(callbacks.Callback):
    """A user's callback with state of its own, called after the file is written."""

    runs_last = True

    def __init__(self):
        self.seen = []

    def get_state(self):
        return {"seen": self.seen, "mean": np.array([len(self.seen)])}

    def set_state(self, state):
        assert state["mean"].tolist() == [len(state["seen"])]
        self.seen = state["seen"]

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append(f"begin {epoch}")

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(f"batch {batch} {logs['loss']!r}")

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(f"end {epoch} {logs['loss']!r}")


class Shuffled(keras.utils.Sequence):
    """Batches in an order that the sequence itself changes after each epoch."""

    def __init__(self):
        super().__init__()
        self.rng = random.Random(3)
        self.order = list(range(6))

    def __len__(self):
        return 6

    def __getitem__(self, i):
        part = slice(self.order[i] * 7, self.order[i] * 7 + 7)
        return X[part], Y[part]

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


def drawn(batches=10**6):
    rng = np.random.default_rng(5)
    for _ in range(batches):
        rows = rng.integers(0, 45, 8)
        yield X[rows], Y[rows]


def images(part=slice(None)):
    x = np.random.default_rng(2).standard_normal((22, 4, 4, 1))[part]
    return ImageDataGenerator(rotation_range=20, width_shift_range=0.2).flow(x, Y[:22][part], 8, seed=4)


def dense(**compiled):
    model = keras.Sequential(
        [
            layers.Input(shape=(6,)),
            layers.Dense(5, "tanh", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy", "AUC"], **compiled})
    return model


def convolutional():
    model = keras.Sequential([layers.Conv2D(2, 3, input_shape=(4, 4, 1)), layers.Flatten(), layers.Dense(1, "sigmoid")])
    model.compile("rmsprop", "binary_crossentropy")
    return model


class Tracked(layers.Layer):
    """Counts by a metric of its own, in validations, too."""

    def __init__(self, **options):
        super().__init__(**options)
        self.size = keras.metrics.Mean(name="size")

    def call(self, x):
        self.size.update_state(keras.ops.abs(x))
        return x


class OwnSteps(keras.Sequential):
    """Counts by one metric in training and in validation."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.mean_loss = keras.metrics.Mean(name="loss")

    def train_step(self, data):
        x, y = data
        with keras.ops.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.mean_loss.update_state(loss)
        return {"loss": self.mean_loss.result()}

    def test_step(self, data):
        x, y = data
        self.mean_loss.update_state(self.compute_loss(x, y, self(x)))
        return {"loss": self.mean_loss.result()}


def tracked():
    model = keras.Sequential([layers.Input((6,)), layers.Dense(5, "tanh"), Tracked(), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


def own_steps():
    model = OwnSteps([layers.Input((6,)), layers.Dense(5, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


ARRAYS = {"x": X, "y": Y, "batch_size": 8, "validation_split": 0.2}
SGD = keras.optimizers.SGD
CASES = {
    "arrays": (dense, lambda: {**ARRAYS, "class_weight": {0: 2.0, 1: 0.5}}, list),
    "float64": (dense, lambda: ARRAYS, list),
    "unshuffled": (dense, lambda: {**ARRAYS, "shuffle": False}, list),
    "shuffled batches": (dense, lambda: {**ARRAYS, "shuffle": "batch", "validation_freq": 2}, list),
    "short epochs": (dense, lambda: {**ARRAYS, "steps_per_epoch": 3}, list),
    "a later epoch": (dense, lambda: {**ARRAYS, "initial_epoch": 1}, list),
    "sequence": (dense, lambda: {"x": Shuffled(), "validation_data": Shuffled()}, list),
    "sequence in order": (dense, lambda: {"x": Shuffled(), "shuffle": False, "steps_per_epoch": 4}, list),
    "generator": (dense, lambda: {"x": drawn(), "steps_per_epoch": 5}, list),
    "generators": (
        dense,
        lambda: {"x": drawn(), "steps_per_epoch": 4, "validation_data": drawn(), "validation_steps": 2},
        list,
    ),
    "images": (convolutional, lambda: {"x": images()}, list),
    "accumulation": (
        lambda: dense(optimizer=keras.optimizers.Adam(0.01, gradient_accumulation_steps=4)),
        lambda: ARRAYS,
        list,
    ),
    "schedule": (
        lambda: dense(optimizer=SGD(keras.optimizers.schedules.ExponentialDecay(0.5, 3, 0.7), momentum=0.9)),
        lambda: ARRAYS,
        list,
    ),
    "averages": (
        lambda: dense(optimizer=SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=7)),
        lambda: ARRAYS,
        lambda: [callbacks.SwapEMAWeights(swap_on_epoch=True)],
    ),
    "plateau": (
        lambda: dense(optimizer=SGD(0.5, momentum=0.9, nesterov=True)),
        lambda: ARRAYS,
        lambda: [callbacks.ReduceLROnPlateau("val_loss", 0.5, patience=1, min_delta=0.3)],
    ),
    "a layer's metric": (tracked, lambda: ARRAYS, list),
    "own steps": (own_steps, lambda: ARRAYS, list),
    "scheduler": (dense, lambda: ARRAYS, lambda: [callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7)]),
    "early stop": (
        lambda: dense(optimizer=SGD(2.0)),
        lambda: ARRAYS,
        lambda: [callbacks.EarlyStopping("val_loss", patience=1, min_delta=0.2, restore_best_weights=True)],
    ),
}


def fit(case, folder, saving, resume=None):
    make, data, watching = CASES[case]
    keras.config.set_floatx("float64" if case == "float64" else "float32")
    keras.utils.set_random_seed(7 if resume is None else 99)
    model, counting = make(), Counting()
    csv = callbacks.CSVLogger(folder / "log.csv")
    watching = [*watching(), csv, saving, counting]
    history = model.fit(**data(), epochs=3, verbose=0, callbacks=watching, resume=resume)
    keras.config.set_floatx("float32")
    end = {"history": history.history, "epochs": history.epoch, "csv": (folder / "log.csv").read_text()}
    return model.get_weights(), {**end, "seen": counting.seen, "step": model.training_state.step}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_goes_on_from_any_moment_as_if_nothing_had_happened(case, tmp_path):
    saving = Saving(tmp_path, 2 if case == "arrays" else 7)
    weights, end = fit(case, tmp_path, saving)
    for path in saving.paths:
        if "train_end" in path.name and case == "averages":
            continue  # the averages have become the weights
        found, again = fit(case, tmp_path, Saving(tmp_path, 0), path)
        assert again == end, path
        for a, b in zip(found, weights, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=str(path))


@pytest.mark.slow
@pytest.mark.parametrize("case", ["a layer's metric", "own steps"])
def test_a_copy_of_a_file_saved_within_a_validation_holds_what_the_epoch_had_counted(case, tmp_path):
    saving = Saving(tmp_path, 1)
    _, end = fit(case, tmp_path, saving)
    within = next(path for path in saving.paths if "test_batch_end" in path.name)
    copy = tmp_path / "copy.h5"
    keras.models.load_model(within, custom_objects={"Tracked": Tracked, "OwnSteps": OwnSteps}).save(copy)
    assert fit(case, tmp_path, Saving(tmp_path, 0), copy)[1] == end
