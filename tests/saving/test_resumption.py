"""Training that stops, is saved and goes on equals training that never stopped, bit for bit."""

import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, models
from distnet.optimizers import OPTIMIZERS, schedules

rng = np.random.default_rng(0)
X = rng.standard_normal((50, 4)).astype("float32")
Y = np.eye(3, dtype="float32")[rng.integers(0, 3, 50)]
FIT = {"batch_size": 8, "verbose": 0, "validation_split": 0.2, "validation_freq": 2}

OPTIONS = {
    "SGD-momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "RMSprop-centered": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "Adam-amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "Adam-schedule": lambda: keras.optimizers.Adam(schedules.ExponentialDecay(0.05, 3, 0.8)),
    "SGD-average": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7),
    "Adam-accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "SGD-decay": lambda: keras.optimizers.SGD(lr=0.1, decay=0.01),
}
WRAPPED = {
    "LossScaleOptimizer": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Nadam(0.01), 64.0, 4),
    "MultiOptimizer": lambda: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.Nadam(0.01), {".*/kernel": keras.optimizers.Lion()})
    ),
    "MultiOptimizer-scaled": lambda: keras.optimizers.LossScaleOptimizer(WRAPPED["MultiOptimizer"](), 2.0, 3),
}
EVERY = {**OPTIMIZERS.classes(), **OPTIONS, **WRAPPED}


@pytest.fixture(params=sorted(EVERY))
def optimizer(request):
    return EVERY[request.param]


def make(optimizer=keras.optimizers.Adam):
    keras.utils.set_random_seed(4)
    hidden = layers.Dense(6, "tanh", kernel_regularizer="l2", bias_constraint="max_norm")
    model = models.Sequential([layers.Input(shape=(4,)), hidden, layers.Dropout(0.4), layers.Dense(3, "softmax")])
    model.compile(optimizer(), "categorical_crossentropy", ["accuracy"])
    return model


def assert_same(model, history, expected, expected_history):
    for w, v in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)
    assert history.history == expected_history.history
    assert history.epoch == expected_history.epoch


@pytest.mark.slow
def test_a_model_read_in_mid_training_goes_on_exactly(optimizer, tmp_path):
    whole, part = make(optimizer), make(optimizer)
    expected = whole.fit(X, Y, epochs=5, **FIT)
    part.fit(X, Y, epochs=2, callbacks=[keras.callbacks.ModelCheckpoint(tmp_path / "m.h5")], **FIT)
    keras.utils.set_random_seed(99)
    again = models.load_model(tmp_path / "m.h5")
    history = again.fit(X, Y, epochs=5, resume=tmp_path / "m.h5", **FIT)
    assert_same(again, history, whole, expected)


@pytest.mark.slow
def test_resume_gives_a_fresh_model_everything(optimizer, tmp_path):
    whole, part = make(optimizer), make(optimizer)
    expected = whole.fit(X, Y, epochs=4, **FIT)
    part.fit(X, Y, epochs=3, callbacks=[keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.h5")], **FIT)
    fresh = make(optimizer)
    keras.utils.set_random_seed(99)
    history = fresh.fit(X, Y, epochs=4, resume=str(tmp_path / "3.h5"), **FIT)
    assert_same(fresh, history, whole, expected)


def test_initial_epoch_goes_on_from_a_file_too(tmp_path):
    whole, part = make(), make()
    whole.fit(X, Y, epochs=5, **FIT)
    part.fit(X, Y, epochs=2, **FIT)
    part.save(tmp_path / "m.h5")
    again = models.load_model(tmp_path / "m.h5")
    history = again.fit(X, Y, epochs=5, initial_epoch=2, **FIT)
    for w, v in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)
    assert history.epoch == [2, 3, 4]
    assert len(history.history["loss"]) == 3


def test_training_in_two_calls_equals_training_in_one():
    whole, part = make(), make()
    whole.fit(X, Y, epochs=5, **FIT)
    part.fit(X, Y, epochs=2, **FIT)
    part.fit(X, Y, epochs=5, initial_epoch=2, **FIT)
    for w, v in zip(part.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)


def test_saving_in_mid_training_changes_nothing(tmp_path):
    plain, saved = make(), make()
    expected = plain.fit(X, Y, epochs=3, **FIT)
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "m.h5", save_freq=2)
    assert_same(saved, saved.fit(X, Y, epochs=3, callbacks=[checkpoint], **FIT), plain, expected)


def test_a_finished_training_resumed_trains_no_more(tmp_path):
    model = make()
    expected = model.fit(X, Y, epochs=2, **FIT)
    model.save(tmp_path / "m.h5")
    fresh = make()
    assert_same(fresh, fresh.fit(X, Y, epochs=2, resume=tmp_path / "m.h5", **FIT), model, expected)


def test_a_learning_rate_that_was_changed_is_kept(tmp_path):
    model = make(lambda: keras.optimizers.SGD(0.1))
    model.optimizer.learning_rate = 0.025
    model.fit(X, Y, epochs=1, **FIT)
    model.save(tmp_path / "m.h5")
    assert float(models.load_model(tmp_path / "m.h5").optimizer.learning_rate) == 0.025


def test_resuming_another_models_file_is_refused(tmp_path):
    model = make()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.h5")
    with pytest.raises(errors.CheckpointError, match=r"m\.h5: holds the state of Adam, but .* compiled with SGD"):
        make(keras.optimizers.SGD).fit(X, Y, resume=tmp_path / "m.h5", verbose=0)
    narrow = models.Sequential([layers.Input(shape=(4,)), layers.Dense(3, "softmax")])
    narrow.compile("adam", "mse")
    with pytest.raises(errors.CheckpointError, match=r"m\.h5: holds weights of 2 layers"):
        narrow.fit(X, Y, resume=tmp_path / "m.h5", verbose=0)


def test_a_file_of_weights_alone_cannot_be_resumed(tmp_path):
    model = make()
    model.save_weights(tmp_path / "w.h5")
    with pytest.raises(errors.CheckpointError, match=r"w\.h5: holds no training to resume"):
        model.fit(X, Y, resume=tmp_path / "w.h5", verbose=0)


def test_a_layer_frozen_in_mid_training_goes_on_exactly(tmp_path):
    def halves(between):
        model = make()
        model.layers[0].trainable = False
        model.fit(X, Y, epochs=1, **FIT)
        model = between(model)
        model.fit(X, Y, epochs=2, initial_epoch=1, **FIT)
        return model

    def through_a_file(model):
        model.save(tmp_path / "m.h5")
        return models.load_model(tmp_path / "m.h5")

    kept, read = halves(lambda model: model), halves(through_a_file)
    for w, v in zip(read.get_weights(), kept.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def test_the_newest_whole_file_is_gone_on_from_and_named(tmp_path):
    whole, part, path = make(), make(), tmp_path / "m.h5"
    expected = whole.fit(X, Y, epochs=5, **FIT)
    saving = {"callbacks": [keras.callbacks.ModelCheckpoint(path, keep=3)], **FIT}
    part.fit(X, Y, epochs=4, **saving)
    flipped(path)
    older = tmp_path / "m.1.h5"
    older.write_bytes(older.read_bytes()[:5000])
    with pytest.warns(match=r"m\.h5: damaged: .*m\.1\.h5: .*truncated.*Training goes on from .*m\.2\.h5\."):
        history = make().fit(X, Y, epochs=5, resume=path, **saving)
    assert history.history == expected.history
    for damaged in (path, older, tmp_path / "m.2.h5"):
        flipped(damaged)
    with pytest.raises(errors.CheckpointError, match=r"m\.h5: damaged.*m\.1\.h5: damaged.*m\.2\.h5: damaged"):
        make().fit(X, Y, epochs=5, resume=path, **saving)
    with pytest.raises(errors.CheckpointError, match=r"none\.h5: there is no such file"):
        make().fit(X, Y, epochs=5, resume=tmp_path / "none.h5", **FIT)
