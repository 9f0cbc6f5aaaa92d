"""Fixed blocks of rows: the same bits on any number of ranks, and through kills and changes of that number."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import distribution, layers
from distnet.comm.fixed_blocks import fix_blocks
from distnet.comm.shares import shard
from distnet.errors import ArgumentError

pytestmark = pytest.mark.timeout(300)
PROGRAMS = Path(__file__).parent / "programs"
FASTEST = {"DISTNET_KERNELS": ""}
"""Whatever the run of the tests uses: numba's kernels where it is installed."""


@pytest.fixture(scope="module")
def came(alone, tmp_path_factory):
    """What comes of all models on one process alone, without MPI."""
    path = tmp_path_factory.mktemp("alone") / "came.json"
    alone.run(PROGRAMS / "same_bits.py", path, env=FASTEST, timeout=200).succeeded()
    return json.loads(path.read_text())


@pytest.fixture(autouse=True)
def no_distribution():
    yield
    distribution.set_distribution(None)


def differing(some, others):
    assert list(some) == list(others)
    return [(name, key) for name in some for key in some[name] if some[name][key] != others[name][key]]


@pytest.mark.parametrize(("n", "settings"), [(3, {}), (8, {"MPIR_CVAR_NUM_CLIQUES": "2"})])
def test_any_number_of_ranks_trains_the_same_bits(came, ranks, tmp_path, n, settings):
    path = tmp_path / "came.json"
    ranks(n).run(PROGRAMS / "same_bits.py", path, env=FASTEST | settings, timeout=200).succeeded()
    assert not differing(came, json.loads(path.read_text()))


def test_threads_change_no_bit(came, alone, tmp_path):
    path = tmp_path / "came.json"
    alone.run(PROGRAMS / "same_bits.py", path, env=FASTEST | {"OMP_NUM_THREADS": "3"}, timeout=200).succeeded()
    assert not differing(came, json.loads(path.read_text()))


def test_a_training_killed_on_4_ranks_and_on_3_ends_alone_as_one_that_nothing_stopped(alone, ranks, tmp_path):
    program, (undisturbed, killed) = PROGRAMS / "same_bits_killed.py", (tmp_path / "undisturbed", tmp_path / "killed")
    undisturbed.mkdir()
    killed.mkdir()
    alone.run(program, undisturbed, 0).succeeded()
    for n, step in ((4, 5), (3, 9)):
        assert ranks(n).run(program, killed, step).returncode
        assert (killed / "backup").exists()
        assert not (killed / "came.json").exists()
    alone.run(program, killed, 0).succeeded()
    assert (killed / "came.json").read_text() == (undisturbed / "came.json").read_text()


def trained(dtype="float64", **options):
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "relu", dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dropout(0.5, dtype=dtype),
            layers.Dense(2, kernel_regularizer="l2", dtype=dtype),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    x = np.random.default_rng(0).normal(size=(30, 6))
    fit = model.fit(x, x[:, :2], 7, 3, verbose=0, validation_split=0.2, **options)
    return model, np.concatenate([*map(np.ravel, model.get_weights()), *map(np.ravel, fit.history.values())])


@pytest.fixture
def in_float64():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("shards", [1, 3, 8, 40])
def test_blocks_train_what_rows_at_once_train(shards):
    expected = trained()[1]
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=shards))
    np.testing.assert_allclose(trained()[1], expected, rtol=1e-10, atol=1e-10)


def test_blocks_are_those_set_at_each_fit():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(16, 6))
    before = model.get_weights()
    ends = []
    for shards in (None, 4, None, 4):
        model.set_weights(before)
        model.compile("sgd", "mse")
        distribution.set_distribution(shards and distribution.DataParallel(reproducible_shards=shards))
        model.fit(x, x[:, :2], 8, shuffle=False, verbose=0)
        assert type(model.fit_steps.steps).__name__ == ("BlockTrainingSteps" if shards else "TrainingSteps")
        ends.append(model.get_weights())
    for ended, again in ((ends[0], ends[2]), (ends[1], ends[3])):
        assert all(map(np.array_equal, ended, again))


def test_an_error_in_one_block_is_raised_and_training_can_go_on():
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=4))
    model = keras.Sequential([keras.Input((2,)), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 2), np.float32)
    y = np.ones((8, 1), np.float32)
    y[5] = np.nan
    with pytest.raises(keras.errors.DataError, match="row 5"):
        model.train_on_batch(x, y)
    y[5] = 1
    model.fit(x, y, 8, 2, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()


class OwnStep(keras.Model):
    def train_step(self, data):
        return {"loss": 0.0}


def test_what_cannot_give_the_same_bits_is_refused_by_name():
    with pytest.raises(ArgumentError, match="depends on the number of nodes"):
        distribution.DataParallel(compression="float16", reproducible_shards=4)
    for wrong in (0, -1, 2.5, "4"):
        with pytest.raises(ArgumentError, match="reproducible_shards"):
            distribution.DataParallel(reproducible_shards=wrong)
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=4))
    start = keras.Input((2,))
    model = OwnStep(start, layers.Dense(1)(start))
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match="train_step"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)


class Fading(layers.Layer):
    """Changes its own trained weights whenever it is called."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        self.scale.assign(self.scale * 0.9)
        return x * self.scale


def test_trained_weights_that_a_layer_assigns_in_its_call_are_refused_by_name():
    model = keras.Sequential([keras.Input((2,)), Fading(), layers.Dense(1)])
    model.compile("sgd", "mse")
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=4))
    with pytest.raises(ArgumentError, match="/scale is trained, and was assigned while the batch was computed"):
        model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0)


@pytest.mark.parametrize(("then", "now", "warns"), [(4, 8, True), (4, None, True), (4, 4, False), (None, 4, False)])
def test_going_on_with_another_number_of_blocks_warns(tmp_path, recwarn, then, now, warns):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 2), np.float32)
    distribution.set_distribution(then and distribution.DataParallel(reproducible_shards=then))
    model.fit(x, x[:, :1], verbose=0)
    model.save(tmp_path / "m.h5")
    distribution.set_distribution(now and distribution.DataParallel(reproducible_shards=now))
    model.fit(x, x[:, :1], epochs=2, verbose=0, resume=tmp_path / "m.h5")
    told = [str(each.message) for each in recwarn]
    assert len(told) == warns
    assert all(f"with reproducible_shards=4 and goes on with {now}" in text for text in told)


def test_callbacks_evaluate_with_blocks_but_cannot_set_them():
    class Asks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.loss = self.model.evaluate(x, x[:, :2], batch_size=7, verbose=0)
            with pytest.raises(ArgumentError, match="callback"):
                distribution.set_distribution(None)

    x = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    distribution.set_distribution(distribution.DataParallel(reproducible_shards=5))
    asks = Asks()
    model, _ = trained("float32", callbacks=[asks])
    assert asks.loss == model.evaluate(x, x[:, :2], batch_size=7, verbose=0)


def test_more_ranks_than_blocks_are_refused(ranks):
    program = """
import numpy as np, distnet as keras
from distnet import distribution
distribution.set_distribution(distribution.DataParallel(reproducible_shards=2))
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((9, 2)), np.ones((9, 1)), verbose=0)
"""
    ranks(3).run(program).failed("reproducible_shards=2", "at least as many blocks of rows as ranks, which are 3")


def test_rows_of_ranks_are_whole_blocks():
    assert [shard(10, rank, 3) for rank in range(3)] == [slice(0, 4), slice(4, 7), slice(7, 10)]
    fix_blocks(5)
    assert [shard(11, rank, 3) for rank in range(3)] == [slice(0, 5), slice(5, 9), slice(9, 11)]
    assert [shard(3, rank, 2) for rank in range(2)] == [slice(0, 3), slice(3, 3)]
