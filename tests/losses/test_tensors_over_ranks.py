"""Losses called on tensors: the same values and gradients as in training, on one rank and on several."""

import numpy as np
import pytest

from distnet import losses, ops
from distnet.comm.shares import shard
from distnet.ops import GradientTape
from distnet.ops.tensor import Rows, Tensor
from loss_cases import CASES, IDS
from ranks_of_threads import as_ranks

ROWS = 7


def on_a_rank(loss, y_true, y_pred, ranks=None):
    """The loss, and the gradient of the predictions of all rows."""
    own = slice(0, ROWS) if ranks is None else shard(ROWS, ranks.rank, ranks.size)
    rows = None if ranks is None else Rows(ROWS, own.start, own.stop - own.start)
    t, p = (Tensor(array[own], rows=rows) for array in (y_true, y_pred))
    with GradientTape() as tape:
        tape.watch(p)
        value = loss(t, p)
    return float(value), np.asarray(tape.gradient(value, p).numpy())


@pytest.mark.parametrize(("loss", "make"), CASES, ids=IDS)
def test_value_and_gradient_are_those_of_training(loss, make, monkeypatch):
    y_true, y_pred = make(np.random.default_rng(3), ROWS)
    value, gradient = loss.mean_and_gradient(y_true, y_pred, None, ROWS, None if loss.counts_rows_only else float)
    for made in (
        on_a_rank(loss, y_true, y_pred),
        *as_ranks(3, lambda c: on_a_rank(loss, y_true, y_pred, c), monkeypatch),
    ):
        assert made[0] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(made[1], gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3)])
def test_weights_and_masks_count_as_for_arrays(reduction, shape):
    rng = np.random.default_rng(0)
    y_true, y_pred, weight, mask = (
        rng.random((5, 3, 2)),
        rng.random((5, 3, 2)),
        rng.random(shape),
        rng.random((5, 3)) < 0.6,
    )
    loss = losses.MeanSquaredError(reduction=reduction)
    for options in ({"sample_weight": weight}, {"mask": mask}):
        expected = loss(y_true, y_pred, **options)
        np.testing.assert_allclose(loss(Tensor(y_true), Tensor(y_pred), **options).numpy(), expected, rtol=1e-12)


def test_functions_and_classes_are_parts_of_users_losses():
    class Tripled(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return 3 * super().call(y_true, y_pred)

    def both(y_true, y_pred):
        return losses.mean_squared_error(y_true, y_pred) + 0.5 * losses.mean_absolute_error(y_true, y_pred)

    y_true, y_pred = np.random.default_rng(1).normal(size=(2, 5, 3))
    expected = [
        loss.sum_and_gradient(y_true, y_pred) for loss in (losses.MeanSquaredError(), losses.MeanAbsoluteError())
    ]
    value, gradient = Tripled().sum_and_gradient(y_true, y_pred)
    assert value == pytest.approx(3 * expected[0][0])
    np.testing.assert_allclose(gradient, 3 * expected[0][1])
    value, gradient = losses.LOSSES.get(both).sum_and_gradient(y_true, y_pred)
    assert value == pytest.approx(expected[0][0] + 0.5 * expected[1][0])
    np.testing.assert_allclose(gradient, expected[0][1] + 0.5 * expected[1][1])
    assert Tripled()(y_true, y_pred) == pytest.approx(3 * losses.MeanSquaredError()(y_true, y_pred))


def test_a_user_s_loss_is_called_on_tensors():
    def squares(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    y_true, y_pred = Tensor(np.array([1, 2])), Tensor(np.array([[1.0], [4.0]]))
    assert float(losses.LOSSES.get(squares)(y_true, y_pred, sample_weight=np.array([1.0, 3.0]))) == 6.0
