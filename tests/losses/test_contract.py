"""What every loss promises."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loss_cases as samples
from distnet import losses
from distnet.errors import ArgumentError, DataError

every_loss = pytest.mark.parametrize(("loss", "draw"), samples.CASES, ids=samples.IDS)
by_rows = [case for case in samples.CASES if not case[0].couples_rows]
every_loss_of_rows = pytest.mark.parametrize(
    ("loss", "draw"), by_rows, ids=[samples.label(loss) for loss, _ in by_rows]
)


def is_masked(loss):
    return getattr(loss, "ignore_class", None) is not None


def test_every_registered_loss_is_tested_here():
    assert {type(loss) for loss, _ in samples.CASES} == set(losses.LOSSES.classes().values())


@every_loss
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_gradient_is_the_central_difference(loss, draw, seed):
    rng = np.random.default_rng(seed)
    y_true, y_pred = draw(rng, 3)
    values, gradient = loss.values_and_gradient(y_true, y_pred)
    step = 1e-5
    for at in np.ndindex(y_pred.shape):
        higher, lower = y_pred.copy(), y_pred.copy()
        higher[at] += step
        lower[at] -= step
        above, below = (loss.values_and_gradient(y_true, y)[0].sum() for y in (higher, lower))
        second = above + below - 2 * values.sum()
        if abs(second) > 1e-7:  # a kink between them
            continue
        assert gradient[at] == pytest.approx((above - below) / (2 * step), rel=2e-5, abs=2e-6)


@every_loss_of_rows
def test_shares_of_uneven_parts_add_up_to_the_whole(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 11)
    weight = np.random.default_rng(2).random(11)
    count = loss.count(y_true, y_pred, weight)
    divisor = loss.divisor(loss.values_per_row(y_true, y_pred), 11, None if loss.counts_rows_only else count)
    parts = [slice(0, 7), slice(7, 7), slice(7, 8), slice(8, 11)]
    shares = [loss.sum_and_gradient(y_true[p], y_pred[p], weight[p], 1 / divisor) for p in parts]
    assert sum(loss.count(y_true[p], y_pred[p], weight[p]) for p in parts) == pytest.approx(count, rel=1e-14)
    total, gradient = loss.sum_and_gradient(y_true, y_pred, weight, 1 / divisor)
    assert sum(value for value, _ in shares) == pytest.approx(total, rel=1e-13)
    np.testing.assert_allclose(np.concatenate([g for _, g in shares]), gradient, rtol=1e-13)
    assert total == pytest.approx(loss(y_true, y_pred, weight), rel=1e-13)


@every_loss_of_rows
def test_the_mean_is_the_sum_over_the_divisor(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 5)
    weight = np.random.default_rng(2).random(5)
    count = None if loss.counts_rows_only else loss.count(y_true, y_pred, weight)
    divisor = loss.divisor(loss.values_per_row(y_true, y_pred), 9, count)
    expected = loss.sum_and_gradient(y_true, y_pred, weight, 1 / divisor)
    mean, gradient = loss.mean_and_gradient(y_true, y_pred, weight, 9, None if count is None else lambda own: own)
    assert mean == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


def assert_ready(loss, draws, dtype):
    """What is ready for the first of some targets and predictions gives for all of them what the loss gives."""
    (y_true, y_pred), *others = draws
    place = y_pred.astype(dtype)
    ready, scale = loss.ready(y_true, place), 1 / loss.divisor(loss.values_per_row(y_true, place), 6)
    for t, p in [*others, (y_true, y_pred)]:
        place[...] = p
        mean, gradient = loss.mean_and_gradient(t, place, None, 6)
        ready.write(t, ready.slopes.dtype.type(scale))
        assert float(ready.values.sum(dtype=np.float64)) * scale == mean
        np.testing.assert_array_equal(ready.slopes, gradient)
        assert ready.slopes.dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_loss_of_rows
def test_what_is_ready_gives_the_bits_of_the_loss(loss, draw, dtype):
    if loss.counts_rows_only:
        rng = np.random.default_rng(1)
        assert_ready(loss, [draw(rng, 6) for _ in range(3)], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [losses.MeanSquaredError(), losses.BinaryCrossentropy(from_logits=True)])
@pytest.mark.parametrize(
    ("of_targets", "shape"), [((6,), (6, 1)), ((6, 1), (6, 1)), ((6, 3), (6, 3)), ((6, 2), (6, 2, 1)), ((6, 2, 3),) * 2]
)
def test_what_is_ready_takes_targets_of_other_shapes_and_integers(loss, of_targets, shape, dtype):
    rng = np.random.default_rng(1)
    draws = [(rng.integers(0, 2, of_targets), rng.standard_normal(shape)) for _ in range(3)]
    assert_ready(loss, draws, dtype)
    assert_ready(loss, [(t.astype(dtype), p) for t, p in draws], dtype)


@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 3), (6, 60)])
@pytest.mark.parametrize("with_axis", [False, True])
def test_what_is_ready_takes_labels_of_few_classes_and_of_many(shape, with_axis):
    rng, loss = np.random.default_rng(1), losses.SparseCategoricalCrossentropy(from_logits=True)
    of_labels = (*shape[:-1], 1) if with_axis else shape[:-1]
    draws = [(rng.integers(0, shape[-1], of_labels), rng.standard_normal(shape)) for _ in range(3)]
    assert_ready(loss, draws, "float32")
    wrong = draws[0][0].copy()
    wrong[2] = shape[-1]
    with pytest.raises(DataError, match="class numbers"):
        loss.ready(draws[0][0], draws[0][1]).write(wrong, 1.0)


@every_loss
def test_values_per_row_is_known_without_rows(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 5)
    per_row = loss.values_per_row(y_true, y_pred)
    assert loss.values_per_row(y_true[:0], y_pred[:0]) == per_row
    values, _ = loss.values_and_gradient(y_true, y_pred)
    assert values.size == (per_row * 5 if values.ndim else 1)


@every_loss
def test_float32_stays_float32(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 5)
    narrow = y_pred.astype(np.float32)
    values, gradient = loss.values_and_gradient(y_true, narrow)
    assert values.dtype == gradient.dtype == np.float32
    weight = None if loss.couples_rows else np.ones(5)
    assert loss.sum_and_gradient(y_true, narrow, weight, np.float64(0.2))[1].dtype == np.float32
    np.testing.assert_allclose(values, loss.values_and_gradient(y_true, y_pred)[0], rtol=1e-4, atol=1e-5)


@every_loss
def test_inputs_are_not_written_to(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 5)
    y_true.flags.writeable = y_pred.flags.writeable = False
    loss.sum_and_gradient(y_true, y_pred)


@every_loss
def test_json_gives_the_same_loss_back(loss, draw):
    again = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


@every_loss
def test_the_function_gives_the_values(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 5)
    function = getattr(losses, loss.function.__name__)
    values = function(y_true, y_pred, **loss.options())
    np.testing.assert_array_equal(values, loss.values_and_gradient(y_true, y_pred)[0])


@every_loss
def test_reductions(loss, draw):
    y_true, y_pred = draw(np.random.default_rng(1), 5)
    config = loss.get_config()
    values = type(loss)(**{**config, "reduction": "none"})(y_true, y_pred)
    total = type(loss)(**{**config, "reduction": "sum"})(y_true, y_pred)
    assert total == pytest.approx(values.sum(), rel=1e-13)
    if not is_masked(loss):
        counted = loss.valid(y_true, values)
        assert loss(y_true, y_pred) == pytest.approx(
            values.mean() if counted is None else values.sum() / counted.sum(), rel=1e-13
        )


@every_loss
def test_a_loss_without_reduction_cannot_train(loss, draw):
    unreduced = type(loss)(**{**loss.get_config(), "reduction": None})
    with pytest.raises(ArgumentError, match="sum_over_batch_size"):
        unreduced.divisor(1, 5)
