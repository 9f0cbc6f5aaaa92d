"""Poolings, padding, cropping and upsampling: masks, padding's share, wrong arguments."""

import numpy as np
import pytest

from distnet import Model, layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces


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


@pytest.mark.slow
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


STEPS = np.arange(24.0, dtype="float32").reshape(2, 3, 4)
KEPT = {"channels_last": [[1, 1, 0], [1, 0, 0]], "channels_first": [[1, 1, 0, 0], [1, 0, 0, 1]]}
MEANS = {
    "channels_last": [[2.0, 3.0, 4.0, 5.0], [12.0, 13.0, 14.0, 15.0]],
    "channels_first": [[0.5, 4.5, 8.5], [13.5, 17.5, 21.5]],
}
"""Of Keras 3.15."""


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", KEPT)
def test_the_mask_of_an_average_over_steps_has_the_steps_wherever_they_are(data_format, keepdims):
    mask, expected = np.array(KEPT[data_format], bool), np.array(MEANS[data_format])
    if keepdims:
        expected = np.expand_dims(expected, 1 if data_format == "channels_last" else 2)
    layer = layers.GlobalAveragePooling1D(data_format=data_format, keepdims=keepdims)
    np.testing.assert_allclose(layer(STEPS, mask=mask), expected)
    x, m = layers.Input((3, 4)), layers.Input(mask.shape[1:], dtype="bool")
    model = Model([x, m], layer(x, mask=m))
    np.testing.assert_allclose(model.predict([STEPS, mask], verbose=0), expected)


@pytest.mark.parametrize("data_format", KEPT)
def test_a_mask_of_other_steps_is_refused_with_the_steps_that_there_are(data_format):
    other = np.array(next(mask for key, mask in KEPT.items() if key != data_format), bool)
    steps = len(KEPT[data_format][0])
    with pytest.raises(ShapeError, match=rf"first axes, \(2, {steps}\), received \(2, {7 - steps}\)"):
        layers.GlobalAveragePooling1D(data_format=data_format)(STEPS, mask=other)
