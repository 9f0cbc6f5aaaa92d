"""Activation, noise, masking and reshaping layers: what the golden numbers do not show."""

import numpy as np
import pytest

from distnet import layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.context import ForwardContext, Workspaces

RNG = np.random.default_rng(0)


def training(layer, x, first_row=0, step=0):
    return layer.forward(x, ForwardContext(True, 7, step, first_row, len(x), Workspaces()))[0].copy()


def test_softmax_takes_a_mask():
    x, mask = RNG.normal(size=(2, 3, 4)), RNG.random((2, 1, 4)) < 0.6
    mask[1] = False
    layer = layers.Softmax(dtype="float64")
    weights = np.exp(x) * mask
    expected = weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-300)
    np.testing.assert_allclose(layer(x, mask=mask), expected, rtol=1e-12)
    np.testing.assert_allclose(layer(x, mask), expected, rtol=1e-12)
    y = layer(layers.Input((3, 4)), mask=layers.Input((1, 4)))
    assert y.shape == (None, 3, 4)
    with pytest.raises(ShapeError, match="expected a mask that broadcasts"):
        layer(x, mask=np.ones((2, 2, 4)))


def test_leaky_relu_knows_both_names_of_its_slope():
    expected = layers.LeakyReLU(0.1, name="l").get_config()
    array = {"type": "ndarray", "value": 0.1}
    for config in ({"alpha": 0.1}, {"negative_slope": 0.1}, {"alpha": array}, expected):
        made = layers.LeakyReLU.from_config({"name": "l", **config})
        assert made.negative_slope == 0.1
        assert made.get_config() == expected
    assert "negative_slope" not in expected


@pytest.mark.parametrize(
    "layer",
    [
        layers.GaussianNoise(0.3),
        layers.GaussianDropout(0.3),
        layers.AlphaDropout(0.3),
        layers.SpatialDropout1D(0.3),
    ],
    ids=lambda layer: layer.name,
)
def test_noise_keeps_what_it_promises_and_differs_from_step_to_step(layer):
    x = RNG.normal(size=(2000, 10, 5)).astype("float32")
    y = training(layer, x)
    assert abs(y.mean() - x.mean()) < 0.02
    assert (training(layer, x, step=1) != y).any()
    np.testing.assert_array_equal(training(layer, x), y)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(training(layer, x[7:9], first_row=7), y[7:9])


def test_noise_has_its_variance():
    x = np.ones((4000, 20), "float32")
    np.testing.assert_allclose(training(layers.GaussianNoise(0.3), x).std(), 0.3, rtol=0.02)
    np.testing.assert_allclose(training(layers.GaussianDropout(0.2), x).var(), 0.25, rtol=0.02)
    normal = RNG.normal(size=(4000, 20)).astype("float32")
    np.testing.assert_allclose(training(layers.AlphaDropout(0.4), normal).var(), 1, rtol=0.05)


def test_spatial_dropout_drops_whole_channels():
    y = training(layers.SpatialDropout2D(0.5), np.ones((40, 3, 4, 5), "float32"))
    assert set(np.unique(y)) == {0.0, 2.0}
    assert (y == y[:, :1, :1]).all()
    assert 0.3 < (y == 0).mean() < 0.7


def test_spatial_dropout_writes_only_what_keras_3_reads():
    assert layers.SpatialDropout1D(0.5, name="s").get_config() == {"name": "s", "dtype": "float32", "rate": 0.5}


def test_activity_regularization_adds_its_penalty_to_the_loss():
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    assert layer.activity_regularizer.value(np.array([1.0, -2.0])) == 0.5 * 3 + 0.25 * 5


def test_masked_steps_are_zero_and_known_downstream():
    x = np.array([[[1.0, 1.0], [1.0, 2.0]]], "float32")
    layer = layers.Masking(1.0)
    np.testing.assert_array_equal(layer(x), [[[0, 0], [1, 2]]])
    np.testing.assert_array_equal(layer.compute_mask(x, None), [[False, True]])


def test_rescaling_takes_images_of_integers():
    image = np.array([[[[0, 255, 51]]]], "uint8")
    np.testing.assert_allclose(layers.Rescaling(1 / 255)(image), [[[[0, 1, 0.2]]]], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.ReLU(max_value=-1), r"max_value: expected a number in \[0, inf\)"),
        (lambda: layers.ReLU(threshold=None), "threshold: expected a number"),
        (lambda: layers.LeakyReLU(-0.1), r"negative_slope: expected a number in \[0, inf\)"),
        (lambda: layers.ELU(0), r"alpha: expected a number in \(0, inf\)"),
        (lambda: layers.PReLU(shared_axes=[0]), "shared_axes: expected axes from 1"),
        (lambda: layers.Softmax(axis="1"), "axis: expected an integer"),
        (lambda: layers.GaussianNoise(-1), r"stddev: expected a number in \[0, 1\]"),
        (lambda: layers.GaussianDropout(1), r"rate: expected a number in \[0, 1\)"),
        (lambda: layers.AlphaDropout("x"), "rate: expected a number"),
        (lambda: layers.SpatialDropout1D(1.5), r"rate: expected a number in \[0, 1\]"),
        (lambda: layers.SpatialDropout2D(0.5, "first"), "data_format: expected one of"),
        (lambda: layers.Masking("x"), "mask_value: expected a number"),
        (lambda: layers.Permute((2, 3)), "dims: expected each of"),
        (lambda: layers.RepeatVector(0), "n: expected a positive integer"),
        (lambda: layers.Rescaling([[1.0]]), "scale: expected a number or a list"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.PReLU(), (None, None, 3), "extents are known"),
        (layers.PReLU(shared_axes=[3]), (None, 3), "expected axes of the input"),
        (layers.SpatialDropout1D(0.5), (None, 3), "expected an input of 3 axes"),
        (layers.SpatialDropout2D(0.5), (None, 3, 3), "expected an input of 4 axes"),
        (layers.Permute((2, 1)), (None, 3), "not all axes of rows"),
        (layers.RepeatVector(2), (None, 3, 3), "expected an input of 2 axes"),
        (layers.Masking(), (None,), "at least 2 axes"),
        (layers.Rescaling([1.0, 2.0]), (None, 3), "as many as the last axis"),
        (layers.UnitNormalization(2), (None, 3), "expected an axis of the input"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(layer, shape, message):
    with pytest.raises((ShapeError, ArgumentError), match=message):
        layer(layers.Input(shape[1:]))
