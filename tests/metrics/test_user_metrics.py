"""Metric classes of the user's, written as for Keras, against distnet's own."""

from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError, ShapeError

PROGRAM = Path(__file__).parents[1] / "parallel" / "programs" / "user_metrics.py"


class Largest(keras.metrics.Metric):
    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_variable((), initializer="zeros", name="largest")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign(np.maximum(self.largest, np.max(y_pred)))

    def result(self):
        return self.largest


class MeanOfMeans(keras.metrics.Metric):
    def __init__(self, name="mean_of_means", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight("total", initializer="zeros")
        self.batches = self.add_weight("batches", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total += np.mean(y_pred)
        self.batches += 1

    def result(self):
        return self.total / self.batches


class Kept(keras.metrics.Metric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.kept = y_pred

    def result(self):
        return 0.0


class Named(Largest):
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest.assign_add(np.sum(y_pred))

    def result(self):
        return {"a": 1.0}


def trained(*metrics):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=list(metrics))
    x = np.random.default_rng(2).random((8, 3))
    return model.fit(x, x[:, :1], epochs=1, batch_size=4, verbose=0).history


@pytest.fixture(scope="module")
def history(ranks, alone, tmp_path_factory):
    folder, known = tmp_path_factory.mktemp("histories"), {}

    def of(n):
        if n not in known:
            runner = ranks(n) if n > 1 else alone
            runner.run(PROGRAM, folder / f"{n}.npz").succeeded()
            with np.load(folder / f"{n}.npz") as arrays:
                known[n] = dict(arrays)
        return known[n]

    return of


def test_they_give_what_distnet_s_own_give(history):
    values = history(1)
    p, r = values["precision"], values["recall"]
    np.testing.assert_allclose(values["share"], values["true_positives"] / 37, rtol=1e-12)
    np.testing.assert_allclose(values["f1"], 2 * p * r / (p + r), rtol=1e-12)
    np.testing.assert_allclose(values["rms"], values["root_mean_squared_error"], rtol=1e-6)
    np.testing.assert_allclose(values["per_class"][:, 0], values["true_positives"] / 37, rtol=1e-12)
    assert np.all(values["rms_weighted"] != values["rms"])


@pytest.mark.parametrize("n", [2, 3])
def test_ranks_give_what_one_gives(history, n):
    for key, value in history(1).items():
        np.testing.assert_allclose(history(n)[key], value, rtol=1e-10, err_msg=key)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (Kept, "kept: expected variables made by add_variable"),
        (Named, "expected result.. to be a number"),
    ],
)
def test_what_cannot_be_a_metric_is_refused_by_name(metric, words):
    with pytest.raises(ArgumentError, match=words):
        trained(metric())


def test_a_state_need_not_add_up():
    history = trained(Largest(), MeanOfMeans(), "mse")
    assert 0 < history["mean_of_means"][0] < history["largest"][0]


def test_alone_it_counts_from_reset_to_reset():
    metric = MeanOfMeans()
    metric.update_state(None, [1.0, 3.0])
    assert float(metric(None, [4.0])) == 3.0
    assert [v.name for v in metric.variables] == ["total", "batches"]
    metric.reset_state()
    assert float(metric(None, [4.0])) == 4.0


def test_variables_are_arrays():
    metric = MeanOfMeans()
    v = metric.add_variable(2, initializer="ones", name="v")
    v.assign_sub([0.5, 0.0])
    assert (v.shape, v.size, v.dtype, len(v), v[1]) == ((2,), 2, np.float64, 2, 1.0)
    assert (v * 2 - v / 2).tolist() == [0.75, 1.5]
    assert np.sum(v) == v.numpy().sum() == 1.5
    assert int(metric.add_weight(initializer="ones")) == 1
    with pytest.raises(ShapeError, match=r"v: expected a value of shape \(2,\), received \(3,\)"):
        v.assign(np.zeros(3))
    with pytest.raises(ArgumentError, match="aggregation"):
        metric.add_variable((), aggregation="mean")
