"""Poolings, padding, cropping and upsampling: masks, padding's share, wrong arguments."""

import numpy as np
import pytest

from distnet import layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.context import BackwardContext, ForwardContext, Workspaces


def run(layer, x, mask=None):
    workspaces = Workspaces()
    y, saved = layer.forward(x, ForwardContext(True, 0, 0, 0, len(x), workspaces, mask=mask))
    return y.copy(), layer.backward(np.ones_like(y), saved, BackwardContext(workspaces)).copy()


def test_the_mean_over_steps_leaves_masked_ones_out():
    x = np.arange(12.0).reshape(2, 3, 2)
    x[1, 2] = np.nan
    mask = np.array([[True, False, True], [True, True, False]])
    y, dx = run(layers.GlobalAveragePooling1D(dtype="float64"), x, mask)
    np.testing.assert_array_equal(y, [[2, 3], [7, 8]])
    np.testing.assert_array_equal(dx[:, :, 0], [[0.5, 0, 0.5], [0.5, 0.5, 0]])


def test_the_mean_over_no_steps_is_nan_without_a_warning():
    y, _ = run(layers.GlobalAveragePooling1D(), np.ones((1, 2, 1), np.float32), np.zeros((1, 2), bool))
    assert np.isnan(y).all()


def test_no_mask_is_left_after_pooling_over_all_steps():
    layer = layers.GlobalAveragePooling1D()
    assert layer.compute_mask(np.ones((1, 2, 1)), np.ones((1, 2), bool)) is None


def test_padding_has_no_share_in_a_mean():
    x = np.ones((1, 3, 3, 1), np.float32)
    y, dx = run(layers.AveragePooling2D(2, strides=1, padding="same"), x)
    np.testing.assert_array_equal(y, x)
    assert dx.sum() == pytest.approx(9)


def test_the_first_of_equals_gets_the_gradient_of_a_window():
    _, dx = run(layers.MaxPooling1D(3), np.zeros((1, 3, 1), np.float32))
    np.testing.assert_array_equal(dx.ravel(), [1, 0, 0])


def test_windows_of_many_entries_are_pooled():
    x = np.arange(400, dtype=np.float32).reshape(1, 400, 1)
    y, dx = run(layers.MaxPooling1D(400), x)
    assert y.item() == 399
    assert np.flatnonzero(dx) == [399]


def test_results_do_not_lie_side_by_side_with_gaps():
    """Kernels and reshapes that follow would copy them."""
    x = np.ones((2, 6, 6, 3), np.float32)
    for layer in (layers.ZeroPadding2D(1), layers.Cropping2D(1), layers.UpSampling2D(2), layers.MaxPooling2D()):
        workspaces = Workspaces()
        y, saved = layer.forward(x, ForwardContext(True, 0, 0, 0, 2, workspaces))
        dx = layer.backward(np.ones_like(y), saved, BackwardContext(workspaces))
        assert y.flags.c_contiguous, layer.name
        assert dx.flags.c_contiguous, layer.name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.MaxPooling2D(0), "pool_size"),
        (lambda: layers.MaxPooling2D(2, strides=-1), "strides"),
        (lambda: layers.AveragePooling1D(2, padding="causal"), "'causal'"),
        (lambda: layers.GlobalMaxPooling2D(data_format="first"), "channels_last"),
        (lambda: layers.ZeroPadding2D(-1), "padding"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "for each of 2 axes"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), "1 or 2 integers"),
        (lambda: layers.Cropping2D("1"), "cropping"),
        (lambda: layers.UpSampling1D(0), "size"),
        (lambda: layers.UpSampling2D(2, interpolation="cubic"), "'cubic'"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_cropping_leaves_something():
    with pytest.raises(ShapeError, match="Nothing would be left"):
        layers.Cropping1D((2, 2))(layers.Input((4, 1)))
    with pytest.raises(ShapeError, match="Nothing would be left"):
        layers.Cropping2D(2)(np.ones((1, 9, 4, 1)))


def test_one_layer_crops_inputs_of_several_sizes():
    layer = layers.Cropping1D(1)
    assert layer(np.ones((1, 5, 1))).shape == (1, 3, 1)
    assert layer(np.ones((1, 8, 1))).shape == (1, 6, 1)
