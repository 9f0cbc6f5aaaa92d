"""Trainings of ranks of which one dies at any one message, whoever got that message all the same."""

import numpy as np
import pytest

import distnet as keras
from distnet import distribution
from distnet.data.generator_source import GeneratorSource
from distnet.distribution import DataParallel
from distnet.errors import CommunicationError, LostRanksError
from mortal_ranks import Death, on_mortal_ranks

SIZE = 3


class Halving(keras.callbacks.Callback):
    """Halves the learning rate after some batches, and shifts a weight, which all ranks must follow."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * 0.5
            bias = self.model.layers[-1].bias
            bias.assign(np.array(bias) + 0.01)


class Own(keras.Sequential):
    """Its steps return another loss than that which its metrics have come to."""

    def train_step(self, data):
        x, y = data
        with keras.ops.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights, strict=True)
        )
        return {"loss": loss}


def train(data="arrays", kind=keras.Sequential):
    """What a training ends with."""
    keras.config.set_floatx("float64")
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(24, 4)), rng.normal(size=(24, 1))
    model = kind(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(5, activation="tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3, seed=2),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=3)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    named = {"epochs": 2, "verbose": 0, "callbacks": [Halving(), keras.callbacks.ReduceLROnPlateau("loss", patience=0)]}
    if data == "arrays":
        history = model.fit(x, y, batch_size=6, validation_split=0.25, **named)
    else:
        batches = ((x[i % 4 * 6 :][:6], y[i % 4 * 6 :][:6]) for i in range(8))
        history = model.fit(batches, steps_per_epoch=4, **named)
    slots = [model.optimizer.slots[name] for name in sorted(model.optimizer.slots)]
    return [*model.get_weights(), *slots, np.array([model.optimizer.learning_rate])], history.history


@pytest.fixture(autouse=True)
def _elastic(monkeypatch):
    floatx = keras.config.floatx()
    monkeypatch.setattr(distribution, "_present", [DataParallel(elastic=True)])
    yield
    keras.config.set_floatx(floatx)


def drawn(rng, ranks, messages):
    """The death of one of these ranks, at a message of this range, which some of the others get all the same."""
    victim = int(rng.choice(ranks))
    left = [rank for rank in range(SIZE) if rank != victim]
    views = [None, (), tuple(left[:1]), tuple(left[1:]), tuple(left)]
    return Death(victim, int(rng.integers(*messages)), views[int(rng.integers(len(views)))])


def check(returned, deaths, expected, history):
    """Each rank that is left ended as one that trained alone."""
    for rank, each in enumerate(returned):
        if rank in [death.rank for death in deaths]:
            continue
        assert not isinstance(each, BaseException), f"{deaths}: {each!r}"
        for ours, theirs in zip(each[0], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12, err_msg=str(deaths))
        for key, values in history.items():
            np.testing.assert_allclose(each[1][key], values, rtol=0, atol=1e-12, err_msg=f"{deaths}: {key}")


@pytest.mark.slow
def test_a_death_at_any_message_changes_no_result(monkeypatch):
    rng = np.random.default_rng()
    (expected, history), *_ = on_mortal_ranks(1, (), lambda ranks: train(), monkeypatch)[0]
    _, messages = on_mortal_ranks(SIZE, (), lambda ranks: train(), monkeypatch)
    is_started = False
    for message in range(int(rng.integers(2)), messages[0], 2):
        death = drawn(rng, range(SIZE), (message, message + 1))
        returned, _ = on_mortal_ranks(SIZE, [death], lambda ranks: train(), monkeypatch)
        if not is_started and any(isinstance(each, LostRanksError) for each in returned):
            continue  # the job ended, before the training
        is_started = True
        check(returned, [death], expected, history)
    assert is_started


@pytest.mark.slow
def test_so_do_two_deaths_one_of_which_may_come_while_the_others_go_on(monkeypatch):
    rng = np.random.default_rng()
    (expected, history), *_ = on_mortal_ranks(1, (), lambda ranks: train(), monkeypatch)[0]
    _, messages = on_mortal_ranks(SIZE, (), lambda ranks: train(), monkeypatch)
    for _ in range(15):
        first = drawn(rng, range(SIZE), (messages[0] // 3, messages[0] - 12))
        others = [rank for rank in range(SIZE) if rank != first.rank]
        second = drawn(rng, others, (first.message + 1, first.message + 12))
        returned, _ = on_mortal_ranks(SIZE, [first, second], lambda ranks: train(), monkeypatch)
        check(returned, [first, second], expected, history)


@pytest.mark.slow
def test_batches_of_a_generator_are_given_again_unless_rank_0_died(monkeypatch):
    read = GeneratorSource.sample.func  # threads would wait for each other in Python 3.11's cached_property
    monkeypatch.setattr(GeneratorSource, "sample", property(lambda s: vars(s).setdefault("_first", None) or first(s)))

    def first(source):
        source._first = read(source)
        return source._first

    rng = np.random.default_rng()
    (expected, history), *_ = on_mortal_ranks(1, (), lambda ranks: train("generator"), monkeypatch)[0]
    _, messages = on_mortal_ranks(SIZE, (), lambda ranks: train("generator"), monkeypatch)
    for victim in (0, 1, 2):
        death = drawn(rng, [victim], (messages[0] // 3, messages[0] - 12))
        returned, _ = on_mortal_ranks(SIZE, [death], lambda ranks: train("generator"), monkeypatch)
        if victim:
            check(returned, [death], expected, history)
        else:
            told = [str(each) for each in returned if isinstance(each, CommunicationError)]
            assert "x: expected batches that every rank can read, received a generator" in told[0], f"{death}: {told}"


def test_an_epoch_ends_with_what_its_last_own_step_returned_whoever_dies_after_it(monkeypatch):
    (expected, history), *_ = on_mortal_ranks(1, (), lambda ranks: train(kind=Own), monkeypatch)[0]
    _, messages = on_mortal_ranks(SIZE, (), lambda ranks: train(kind=Own), monkeypatch)
    for i, message in enumerate(range(messages[0] // 3, messages[0] // 2, 2)):
        death = Death(i % SIZE, message, None)
        returned, _ = on_mortal_ranks(SIZE, [death], lambda ranks: train(kind=Own), monkeypatch)
        check(returned, [death], expected, history)
