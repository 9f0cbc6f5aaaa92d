"""What a model says of its memory is what is allocated."""

import gc
import math
import tracemalloc

import numpy as np
import pytest
from numpy.lib import tracemalloc_domain

import distnet
from distnet import layers
from distnet.layers.engine import large_pages

RNG = np.random.default_rng(0)
ROWS = 24


def dense():
    return [layers.Input((300,)), layers.Dense(200, "relu"), layers.Dropout(0.2), layers.Dense(10, "softmax")]


def convolutional():
    return [
        layers.Input((20, 20, 3)), layers.Conv2D(16, 3, padding="same"), layers.BatchNormalization(),
        layers.Activation("relu"), layers.MaxPooling2D(), layers.Conv2D(32, 3), layers.Flatten(),
        layers.Dense(10, "softmax"),
    ]  # fmt: skip


def recurrent():
    return [layers.Input((30, 16)), layers.LSTM(48, return_sequences=True), layers.GRU(32), layers.Dense(10, "softmax")]


def allocated():
    """Bytes of all arrays made since tracing began."""
    gc.collect()
    arrays = tracemalloc.DomainFilter(True, tracemalloc_domain)
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)


@pytest.mark.parametrize(
    ("made_of", "optimizer"),
    [
        (dense, "adam"), (dense, "adafactor"), (dense, "lamb"), (dense, "sgd"),
        pytest.param(convolutional, "adam", marks=pytest.mark.slow),
        pytest.param(recurrent, "adam", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_it_is_what_is_allocated(made_of, optimizer, monkeypatch):
    monkeypatch.setattr(large_pages, "LEAST_BYTES", math.inf)  # NumPy does not trace what lies in larger blocks

    def trained():
        model = distnet.Sequential(made_of())
        x, y = (
            RNG.random((2 * ROWS, *model.input_shape[1:]), np.float32),
            np.eye(10, dtype="f")[np.arange(2 * ROWS) % 10],
        )
        model.compile(optimizer, "categorical_crossentropy", ["accuracy"])
        model.fit(x, y, batch_size=ROWS, epochs=2, verbose=0)
        sizes = [model.memory_use()]
        model.evaluate(x, y, batch_size=ROWS, verbose=0)
        return model, [*sizes, model.memory_use()]

    trained()  # loads what is loaded once
    tracemalloc.start()
    try:
        model, (of_fit, with_evaluation) = trained()
        taken = allocated()
    finally:
        tracemalloc.stop()
    assert with_evaluation.total == pytest.approx(taken, rel=0.02, abs=40_000)
    assert of_fit.activations < with_evaluation.activations
    weights = sum(w.nbytes for w in model.get_weights())
    assert weights <= of_fit.weights < weights + 64 * len(model.weights)
    slots = {"adam": 2, "sgd": 0}.get(optimizer)
    if slots is not None:
        trained_bytes = sum(v.value.nbytes for v in model.trainable_weights)
        assert slots * trained_bytes <= of_fit.slots <= slots * of_fit.weights


def test_before_training_there_are_weights_and_room_for_gradients_and_the_text_leaves_out_what_is_none():
    model = distnet.Sequential([layers.Input((1000,)), layers.Dense(1000, use_bias=False)])
    assert str(model.memory_use()) == "8.00 MB: weights 4.00, gradients 4.00"
    model.predict(np.ones((2, 1000)), verbose=0)
    assert model.memory_use().activations > 0


def test_a_model_with_steps_of_its_own_has_weights_and_slots():
    class Own(distnet.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(100)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            return super().train_step(data)

    model = Own()
    model.compile("adam", "mse")
    model.fit(np.ones((8, 100), "f"), np.ones((8, 100), "f"), verbose=0)
    use = model.memory_use()
    assert use.weights == use.gradients
    assert 2 * 4 * (100 * 100 + 100) <= use.slots <= 2 * use.weights
