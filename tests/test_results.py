"""What calls by hand give: Keras's users call ``.numpy()`` on it, format it, and compute with it."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.results import ResultArray, as_result, mask_of

Y, P = np.array([[0.0, 1.0], [1.0, 0.0]], "float32"), np.array([[0.2, 0.8], [0.5, 0.5]], "float32")


class Hits(keras.metrics.Metric):
    """A user's metric, whose result is computed from its variables."""

    def __init__(self, **options):
        super().__init__(**options)
        self.hits = self.add_weight(name="hits", shape=(2,))

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.hits.assign_add((np.asarray(y_true) == np.round(y_pred)).sum(axis=0))

    def result(self):
        return {"first": self.hits[0], "both": self.hits / 2}


def updated(metric):
    metric.update_state(Y, P)
    return metric.result()


MADE = {
    "loss": lambda: keras.losses.MeanSquaredError()(Y, P),
    "loss without reduction": lambda: keras.losses.MeanSquaredError(reduction="none")(Y, P),
    "loss function": lambda: keras.losses.mean_squared_error(Y, P),
    "metric": lambda: updated(keras.metrics.MeanSquaredError()),
    "metric called": lambda: keras.metrics.Mean()([1, 2]),
    "metric not updated": lambda: keras.metrics.AUC().result(),
    "metric of classes": lambda: updated(keras.metrics.F1Score()),
    "metric function": lambda: keras.metrics.binary_accuracy(Y, P),
    "user's metric": lambda: updated(Hits())["both"],
    "layer": lambda: keras.layers.Dense(3)(P),
    "model": lambda: keras.Sequential([keras.layers.Dense(3)])(P),
    "activation": lambda: keras.activations.relu(P),
    "initializer": lambda: keras.initializers.GlorotUniform(seed=1)((2, 3)),
    "regularizer": lambda: keras.regularizers.L2()(P),
    "schedule": lambda: keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)(5),
    "tensor": lambda: ops.convert_to_tensor(P),
    "computed": lambda: keras.losses.MeanSquaredError()(Y, P) * 2 + 1,
    "entry": lambda: keras.layers.Dense(3)(P)[0][1],
    "mean": lambda: np.mean(keras.layers.Dense(3)(P)),
}


@pytest.mark.parametrize("made", MADE)
def test_what_calls_give_has_numpy(made):
    result = MADE[made]()
    assert isinstance(result, ResultArray)
    plain = result.numpy()
    assert type(plain) is np.ndarray or (isinstance(plain, np.generic) and result.shape == ())
    np.testing.assert_array_equal(plain, result)
    assert plain.dtype == result.dtype


def test_a_loss_is_of_the_dtype_of_the_predictions():
    for dtype in ("float32", "float64"):
        assert keras.losses.MeanSquaredError()(Y, P.astype(dtype)).dtype == dtype
        assert keras.regularizers.L2()(P.astype(dtype)).dtype == dtype
    assert keras.losses.MeanSquaredError()([[1]], [[0]]).dtype == "float32"


def test_numbers_behave_as_numbers():
    loss = keras.losses.MeanSquaredError()(Y, P)
    assert f"{loss:.3f}" == f"{float(loss):.3f}"
    assert repr(loss) == str(loss) == str(np.float32(float(loss)))
    assert round(loss, 2) == round(float(loss), 2)
    assert json.loads(json.dumps(float(loss))) == loss
    assert loss.item() == pytest.approx(float(loss))
    assert loss > 0


def test_an_entry_of_a_dict_has_numpy_too():
    found = updated(Hits())
    assert found["first"].numpy() == found["first"]


def test_a_plain_copy_shares_no_memory():
    result = as_result(np.zeros(3))
    result.numpy()[0] = 1
    assert not result.any()


def test_results_can_be_copied_and_pickled():
    result = keras.layers.Dense(3)(P)
    for copied in (copy.deepcopy(result), pickle.loads(pickle.dumps(result)), result.copy()):
        np.testing.assert_array_equal(copied, result)


def test_what_is_computed_carries_no_mask():
    masked = as_result(np.ones((2, 3)), np.ones((2, 3), bool))
    assert mask_of(masked) is not None
    assert [mask_of(other) for other in (masked + 1, masked[0], masked.sum(), masked.numpy())] == [None] * 4


def test_a_loss_heeds_the_mask_that_predictions_carry():
    mask = np.array([[True, False], [True, True]])
    y, p = np.zeros((2, 2, 1), "float32"), np.arange(4, dtype="float32").reshape(2, 2, 1)
    loss = keras.losses.MeanSquaredError()
    assert loss(y, as_result(p, mask)) == loss(y, p, mask=mask) == pytest.approx((0 + 4 + 9) / 3)
    assert loss(y, p) == pytest.approx((0 + 1 + 4 + 9) / 4)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (keras.metrics.MeanSquaredError, [11.1667, 32.1667, 18.9]),
        (keras.metrics.BinaryAccuracy, [0.1667, 0.0833, 0.1]),
        (keras.metrics.CosineSimilarity, [0.8949, 0.946, 0.9358]),
        (keras.metrics.RootMeanSquaredError, [5.6716, 5.6716, 6.7577]),
    ],
)
def test_metrics_heed_the_mask_that_predictions_carry_where_keras_does(metric, expected):
    """The numbers are Keras 3.15's (JAX): masked, not masked, masked and weighted."""
    embedding = keras.layers.Embedding(5, 2, mask_zero=True, embeddings_initializer="ones")
    p, y = embedding(np.array([[1, 2, 0], [3, 0, 0]])), np.arange(12.0).reshape(2, 3, 2)
    weighted = metric()(y, p, sample_weight=np.array([[1.0], [3.0]]))
    assert [metric()(y, p), metric()(y, p.numpy()), weighted] == pytest.approx(expected, abs=6e-5)


def test_training_takes_results_as_data_and_weights():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.MeanSquaredError())
    model.fit(as_result(P), as_result(Y), sample_weight=as_result(np.ones(2)), verbose=0)
    model.set_weights([as_result(w) for w in model.get_weights()])
    assert not isinstance(model.layers[0].kernel.value, ResultArray)
    assert type(model.predict(P, verbose=0)) is np.ndarray
