"""Data without end, data that run dry, and evaluations that a callback ends. The numbers are Keras 3.15's (JAX)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import errors

X = np.linspace(0, 1, 12).reshape(12, 1)
Y = 2 * X
CLOSE = {"abs": 6e-5}


def model_of_keras():
    model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones", input_shape=(1,))])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def fitted(*data, **options):
    return model_of_keras().fit(*data, **{"shuffle": False, "verbose": 0, **options}).history


def validated(data, **options):
    return fitted(X, Y, batch_size=4, validation_data=data, **options)


def batch(i):
    rows = slice(i % 3 * 4, i % 3 * 4 + 4)
    return X[rows], Y[rows]


class Endless(keras.utils.PyDataset):
    begun = 0

    def __getitem__(self, index):
        return batch(index)

    def on_epoch_begin(self):
        self.begun += 1


class NoneBatches(Endless):
    @property
    def num_batches(self):
        return None


class NoneLength(Endless):
    def __len__(self):
        return None


class Numbered(Endless):
    @property
    def num_batches(self):
        return 3


@pytest.mark.parametrize("kind", [Endless, NoneBatches, NoneLength])
@pytest.mark.parametrize("shuffle", [False, True])
def test_epochs_of_a_dataset_without_end_go_on_where_the_last_stopped(kind, shuffle):
    losses = fitted(kind(), steps_per_epoch=2, epochs=3, shuffle=shuffle)["loss"]
    assert losses == pytest.approx([0.1299, 0.2606, 0.1153], **CLOSE)


class Read(keras.utils.PyDataset):
    """Notes which batches are read."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.numbers = []

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.numbers.append(index)
        return batch(index)


@pytest.mark.parametrize("workers", [1, 2])
def test_epochs_of_fewer_steps_than_batches_go_on_where_the_last_stopped(workers):
    data = Read(workers=workers)
    fitted(data, steps_per_epoch=2, epochs=4, shuffle=False)
    assert data.numbers[-8:] == [0, 1, 2, 3, 4, 0, 1, 2]


def test_epochs_of_fewer_steps_than_batches_reach_every_batch_in_each_round():
    data = Read()
    fitted(data, steps_per_epoch=2, epochs=5, shuffle=True)
    orders = data.numbers[-10:-5], data.numbers[-5:]
    assert [sorted(order) for order in orders] == [[0, 1, 2, 3, 4]] * 2
    assert orders[0] != orders[1]


def test_a_dataset_without_end_validates_evaluates_and_predicts():
    losses = validated(NoneBatches(), validation_steps=2, epochs=2)
    assert losses["val_loss"] == pytest.approx([0.0294, 0.0377], **CLOSE)
    model = model_of_keras()
    assert model.evaluate(NoneBatches(), steps=4, verbose=0) == pytest.approx(0.26860, **CLOSE)
    assert model.predict(NoneBatches(), steps=4, verbose=0).shape == (16, 1)


def test_a_dataset_without_end_needs_a_number_of_steps():
    model = model_of_keras()
    for call, what in [
        (lambda: model.fit(Endless(), verbose=0), "steps_per_epoch"),
        (lambda: model.fit(X, Y, validation_data=Endless(), verbose=0), "validation_steps"),
        (lambda: model.evaluate(Endless(), verbose=0), "steps"),
        (lambda: model.predict(Endless(), verbose=0), "steps"),
    ]:
        with pytest.raises(errors.ArgumentError, match=f"^{what}: expected the number of batches"):
            call()


def test_a_dataset_may_say_its_batches_without_a_length():
    data = Numbered()
    assert fitted(data)["loss"] == fitted(X, Y, batch_size=4)["loss"]
    assert data.begun == 1
    assert len(list(iter(data))) == 3


def generated(batches):
    return (batch(i) for i in range(batches))


@pytest.mark.parametrize(("steps", "val_losses"), [(None, [0.0896]), (3, [0.0896]), (2, [0.0294, 0.0825])])
@pytest.mark.filterwarnings("ignore:The data ran out after 1 of 2 steps")
def test_training_goes_on_where_a_validation_generator_runs_dry(steps, val_losses):
    """Keras takes the batches that it looked at before training once more, and so validates every epoch."""
    with pytest.warns(UserWarning, match="The validation data ran out: epoch [23] is not validated"):
        history = validated(generated(3), validation_steps=steps, epochs=3)
    assert history["loss"] == pytest.approx([0.2507, 0.0865, 0.0609], **CLOSE)
    assert history["val_loss"] == pytest.approx(val_losses, **CLOSE)


@pytest.mark.parametrize("freq", [{2, 3}, range(2, 4), (2, 3), np.array([2, 3])])
def test_epochs_to_validate_are_any_container(freq):
    losses = validated((X, Y), validation_freq=freq, epochs=3)["val_loss"]
    assert losses == pytest.approx([0.0526, 0.0462], **CLOSE)


class EverySecond:
    def __contains__(self, epoch):
        return epoch % 2 == 0


def test_epochs_to_validate_may_be_computed():
    assert len(validated((X, Y), validation_freq=EverySecond(), epochs=5)["val_loss"]) == 2


class Stopping(keras.callbacks.Callback):
    def __init__(self, last):
        self.last, self.seen = last, []

    def on_test_batch_end(self, batch, logs=None):
        self.model.stop_evaluating = batch == self.last

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append((batch, logs["outputs"].shape))
        self.model.stop_predicting = batch == self.last


def test_a_callback_ends_an_evaluation():
    model = model_of_keras()
    found = model.evaluate(X, Y, batch_size=4, callbacks=[Stopping(1)], verbose=0)
    assert found == pytest.approx(0.144628, **CLOSE)
    assert model.evaluate(X, Y, batch_size=4, verbose=0) == pytest.approx(0.348485, **CLOSE)
    losses = validated((X, Y), validation_batch_size=4, callbacks=[Stopping(0)], epochs=2)
    assert losses["val_loss"] == pytest.approx([0.0289, 0.0697], **CLOSE)


@pytest.mark.parametrize("data", [X, (X[i : i + 4] for i in (0, 4, 8))], ids=["arrays", "generator"])
def test_a_callback_ends_a_prediction(data):
    stopping = Stopping(1)
    size = {"batch_size": 4} if isinstance(data, np.ndarray) else {}
    found = model_of_keras().predict(data, callbacks=[stopping], verbose=0, **size)
    np.testing.assert_allclose(found, X[:8], rtol=1e-6)
    assert stopping.seen == [(0, (4, 1)), (1, (4, 1))]


RANKS = """
import sys
import numpy as np
sys.path.insert(0, {folder!r})
import warnings; warnings.simplefilter("ignore")
from test_ends_of_data import *
told = [
    fitted(Endless(), steps_per_epoch=2, epochs=3),
    validated(generated(3), epochs=3),
    validated((X, Y), validation_freq=EverySecond(), epochs=4),
    model_of_keras().evaluate(X, Y, batch_size=4, callbacks=[Stopping(1)], verbose=0),
    validated((X, Y), validation_batch_size=4, callbacks=[Stopping(0)], epochs=2),
    len(model_of_keras().predict(X, batch_size=4, callbacks=[Stopping(1)], verbose=0)),
    len(model_of_keras().predict(X, batch_size=2, callbacks=[Stopping(0)], verbose=0)),
]
def rounded(value):
    if isinstance(value, dict):
        return {{key: rounded(values) for key, values in value.items()}}
    return [rounded(v) for v in value] if isinstance(value, list) else float(f"{{value:.4g}}")
print(rounded(told), flush=True)
"""


def test_several_ranks_end_as_one_does(ranks):
    program = RANKS.format(folder=str(Path(__file__).parent))
    alone = ranks(1).run(program).succeeded().stdout.splitlines()
    assert len(alone) == 1
    assert ranks(3).run(program).succeeded().stdout.splitlines() == alone * 3
