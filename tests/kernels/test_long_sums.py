"""Sums of many numbers in float32 are near those in float64, along any axis and in any memory."""

import math

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.kernels.long_sums import of_long, summed

SHAPES = [((40_000, 3), 0), ((4, 5000, 2), 1), ((3, 70, 90, 2), (1, 2)), ((300, 2, 300), (0, 2)), ((2, 3, 4000), -1)]


def positive(shape):
    return np.random.default_rng(0).uniform(0, 1, shape).astype("float32")


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_sums_are_near_those_of_float64(shape, axis, keepdims):
    x = positive(shape)
    turned = positive(shape[::-1]).transpose()
    strided = positive([2 * n for n in shape])[tuple(slice(None, None, 2) for _ in shape)]
    for given in (x, turned, strided):
        expected = given.astype("float64").sum(axis=axis, keepdims=keepdims)
        made = summed(given, axis, keepdims)
        assert made.dtype == np.float32
        np.testing.assert_allclose(made, expected, rtol=1e-6)
        np.testing.assert_allclose(ops.mean(given, axis=axis, keepdims=keepdims), expected / (x.size / expected.size),
                                   rtol=1e-6)  # fmt: skip
        np.testing.assert_allclose(
            ops.var(given, axis=axis), given.astype("float64").var(axis=axis), rtol=2e-6
        )  # fmt: skip


def test_few_numbers_are_added_as_numpy_adds_them():
    x = positive((64, 50))
    assert of_long(x, 0) is None
    np.testing.assert_array_equal(summed(x, 0), x.sum(0))
    assert of_long(positive((1000, 1000))) is None
    assert of_long(positive((1000,))[::3], 0) is None
    assert of_long(positive((300, 5)).astype("float16"), 0) is None


FUNCTIONS = {
    "softmax": lambda x: ops.softmax(x, axis=0)[:2] * x.shape[0],
    "log_softmax": lambda x: ops.exp(ops.log_softmax(x, axis=0)[:2] + math.log(x.shape[0])),
    "softmax of several axes": lambda x: ops.softmax(x.reshape(100, -1, 3), axis=(0, 1))[0, :2] * x.shape[0],
    "logsumexp": lambda x: ops.exp(ops.logsumexp(x, axis=0) - math.log(x.shape[0])),
    "cumsum": lambda x: ops.cumsum(x, axis=0)[-1],
    "cumsum of all": lambda x: ops.cumsum(x)[-1],
    "cosine": lambda x: keras.losses.cosine_similarity(x, x[::-1], axis=0),
    "dice": lambda x: keras.losses.dice(x, x[::-1], axis=0),
    "tversky": lambda x: keras.losses.tversky(x, x[::-1], axis=0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_made_of_long_sums_is_near_that_of_float64(name):
    x = positive((400_000, 3)).astype("float64")
    made = np.asarray(FUNCTIONS[name](x.astype("float32")))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, FUNCTIONS[name](x), rtol=3e-6)


def test_numbers_of_16_bits_are_added_up_in_more():
    x = np.full((20_000, 2), 0.25, "float16")
    for total in (ops.sum(x, axis=0), ops.sum(x.T, axis=-1), ops.cumsum(x, axis=0)[-1]):
        assert total.dtype == np.float16
        np.testing.assert_array_equal(total, [5000, 5000])
    assert np.isinf(ops.sum(np.full(70_000, 1, "float16")))


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.GlobalAveragePooling2D(data_format="channels_first", keepdims=True),
        keras.layers.AveragePooling2D(60),
        keras.layers.AdaptiveAveragePooling2D((1, 2)),
        lambda x: keras.layers.GlobalAveragePooling1D()(x.reshape(2, -1, 4), mask=np.ones((2, x.size // 8), bool)),
    ],
)
def test_layers_average_many_pixels_as_in_float64(layer):
    x = positive((2, 120, 120, 4))
    made = np.asarray(layer(x))
    if isinstance(layer, keras.layers.Layer):
        layer = type(layer).from_config({**layer.get_config(), "dtype": "float64"})
    np.testing.assert_allclose(made, layer(x.astype("float64")), rtol=1e-6)


def test_the_gradient_of_what_was_broadcast_is_near_that_of_float64():
    x = positive((60_000, 1, 2))
    with keras.GradientTape() as tape:
        shift = keras.Variable(np.zeros((1, 3, 2), "float32"))
        loss = ops.sum((x + shift) * x)
    np.testing.assert_allclose(tape.gradient(loss, shift)[0, 1], x.astype("float64").sum(0)[0], rtol=1e-6)
