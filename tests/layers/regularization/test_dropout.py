"""Masks have addresses: the same rows of them on any number of ranks, others at another address."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distnet import errors, layers
from distnet.layers.engine.context import ForwardContext, Workspaces
from layer_run import LayerRun, numbers


def mask(layer, rows=40, width=30, step=0, seed=1, call=(0,), first_row=0, global_rows=None):
    """What the layer makes of ones."""
    ctx = ForwardContext(True, seed, step, first_row, global_rows or rows, Workspaces(), call=call)
    y, _ = layer.forward(np.ones((rows, width), np.float32), ctx)
    return y.copy()


def test_kept_entries_are_divided_by_the_probability_to_be_kept():
    assert np.unique(mask(layers.Dropout(0.75))).tolist() == [0.0, 4.0]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_entries_are_dropped_at_the_rate(rate):
    dropped = mask(layers.Dropout(rate), rows=1000, width=100) == 0
    deviation = np.sqrt(rate * (1 - rate))
    assert abs(dropped.mean() - rate) < 4 * deviation / np.sqrt(dropped.size)
    assert np.abs(dropped.mean(axis=0) - rate).max() < 5 * deviation / np.sqrt(1000)
    assert np.abs(dropped.mean(axis=1) - rate).max() < 5 * deviation / np.sqrt(100)


def test_neighbouring_entries_rows_and_steps_are_independent():
    layer = layers.Dropout(0.5)
    here = mask(layer, rows=400, width=100) > 0
    pairs = [
        (here[:, 1:], here[:, :-1]),
        (here[1:], here[:-1]),
        (here, mask(layer, rows=400, width=100, step=1) > 0),
        (here, mask(layer, rows=400, width=100, seed=2) > 0),
    ]
    for a, b in pairs:
        assert abs((a == b).mean() - 0.5) < 4 * 0.5 / np.sqrt(a.size)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 23), max_size=4), width=st.integers(1, 20))
def test_the_rows_of_a_mask_do_not_depend_on_how_they_are_shared_out(cuts, width):
    layer, bounds = layers.Dropout(0.5, name="d"), [0, *sorted(cuts), 23]
    whole = mask(layer, rows=23, width=width)
    parts = [
        mask(layer, rows=stop - start, width=width, first_row=start, global_rows=23)
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("other", [{"step": 1}, {"seed": 2}, {"call": (1,)}, {"call": (0, 0)}])
def test_another_address_has_another_mask(other):
    layer = layers.Dropout(0.5)
    assert not np.array_equal(mask(layer), mask(layer, **other))


def test_the_same_address_has_the_same_mask():
    np.testing.assert_array_equal(mask(layers.Dropout(0.5)), mask(layers.Dropout(0.5)))


def test_a_seed_of_its_own_takes_the_place_of_the_global_one():
    with_seed = layers.Dropout(0.5, seed=7)
    np.testing.assert_array_equal(mask(with_seed, seed=1), mask(with_seed, seed=2))
    assert not np.array_equal(mask(with_seed), mask(layers.Dropout(0.5, seed=8)))


def test_two_layers_of_a_model_drop_different_entries():
    run = LayerRun(layers.Dropout(0.5, dtype="float64"), (20,), calls=2)
    ones = np.ones((10, 20))
    assert not np.array_equal(*run.outputs(ones, ones))


@pytest.mark.parametrize("rows", [slice(0, 3), slice(3, 7)])
def test_a_noise_shape_of_one_row_gives_all_rows_of_the_batch_one_mask(rows):
    layer = layers.Dropout(0.5, noise_shape=(1, None))
    whole = mask(layer, rows=7)
    assert (whole == whole[0]).all()
    assert 0 < (whole[0] == 0).mean() < 1
    part = mask(layer, rows=rows.stop - rows.start, first_row=rows.start, global_rows=7)
    np.testing.assert_array_equal(part, whole[rows])


def test_a_noise_shape_drops_whole_columns_of_a_row():
    run = LayerRun(layers.Dropout(0.5, noise_shape=(None, 1, None), dtype="float64"), (6, 5))
    (y,) = run.outputs(np.ones((4, 6, 5)))
    assert (y == y[:, :1]).all()
    assert len({row.tobytes() for row in y}) > 1


def test_a_noise_shape_with_another_number_of_axes_is_refused():
    with pytest.raises(errors.ShapeError, match="noise_shape"):
        mask(layers.Dropout(0.5, noise_shape=(None, 1, 1)))


def test_it_passes_everything_on_outside_of_training():
    run, x = LayerRun(layers.Dropout(0.5, dtype="float64"), (5,), training=False), numbers(3, 5)
    np.testing.assert_array_equal(run.outputs(x)[0], x)


def test_everything_is_dropped_at_rate_one():
    assert not mask(layers.Dropout(1.0)).any()


def test_the_gradient_passes_where_the_input_passed():
    run, x = LayerRun(layers.Dropout(0.5, dtype="float64"), (5,)), np.ones((8, 5))
    (y,) = run.outputs(x)
    (dx,), _ = run.gradients([x], [np.ones((8, 5))])
    np.testing.assert_array_equal(dx, y)


@pytest.mark.parametrize("rate", [-0.1, 1.1, "0.5", None, True, float("nan")])
def test_a_rate_that_is_no_probability_is_refused(rate):
    with pytest.raises(errors.ArgumentError, match=r"rate: expected a number in \[0, 1\], received"):
        layers.Dropout(rate)
