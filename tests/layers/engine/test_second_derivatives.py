"""Gradients of gradients through built-in layers, as a gradient penalty needs them, against central differences."""

import numpy as np
import pytest

import distnet as keras
from distnet import GradientTape, layers, ops, regularizers
from distnet.errors import ArgumentError
from distnet.ops.tensor import Tensor

CASES = {
    "Dense": (lambda: layers.Dense(3, activation="tanh"), (4,)),
    "softmax of Dense": (lambda: layers.Dense(3, activation="softmax"), (2, 4)),
    "causal Conv1D": (lambda: layers.Conv1D(3, 2, padding="causal", activation="tanh", dilation_rate=2), (5, 2)),
    "Conv2D": (lambda: layers.Conv2D(2, 2, strides=2, padding="same", activation="elu"), (3, 3, 2)),
    "channels first": (lambda: layers.Conv2D(2, 2, data_format="channels_first", activation="tanh"), (2, 3, 3)),
    "groups": (lambda: layers.Conv2D(2, 2, groups=2), (3, 3, 2)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(2, activation="tanh"), (3, 3, 2)),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(2, 2, activation="tanh"), (3, 3, 2)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(2, 2, strides=2, activation="tanh"), (2, 2, 2)),
    "Activation": (lambda: layers.Activation("sigmoid"), (4,)),
    "LeakyReLU": (lambda: layers.LeakyReLU(0.2), (4,)),
    "ELU": (lambda: layers.ELU(0.7), (4,)),
    "PReLU": (lambda: layers.PReLU(), (4,)),
    "Softmax": (lambda: layers.Softmax(), (4,)),
    "BatchNormalization": (lambda: layers.BatchNormalization(), (3,)),
    "LayerNormalization": (lambda: layers.LayerNormalization(), (4,)),
    "Dropout": (lambda: layers.Dropout(0.4), (6,)),
    "AlphaDropout": (lambda: layers.AlphaDropout(0.4), (6,)),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.4), (6,)),
    "Flatten": (lambda: layers.Flatten(), (3, 2)),
    "AveragePooling2D": (lambda: layers.AveragePooling2D(), (4, 4, 1)),
    "MaxPooling2D": (lambda: layers.MaxPooling2D(), (4, 4, 1)),
    "UpSampling2D": (lambda: layers.UpSampling2D(interpolation="bilinear"), (2, 2, 1)),
    "Rescaling": (lambda: layers.Rescaling(0.3, 1.0), (4,)),
}


def gradient_penalty(layer, x, is_followed=True):
    """The squared gradient by the input of a number made of the output; and its gradients, where they are wanted."""
    keras.utils.set_random_seed(7)
    states = [(v, v.value.copy()) for v in layer.variables if not v.trainable]
    inputs = Tensor(x.copy())
    with GradientTape() as outer:
        outer.watch(inputs)
        with GradientTape() as inner:
            inner.watch(inputs)
            y = layer(inputs, training=True)
            total = ops.mean(ops.square(y) * y) + ops.mean(y)
        slope = inner.gradient(total, inputs)
        penalty = 10.0 * ops.sum(slope * slope)
    for variable, value in states:
        variable.value[...] = value
    return float(penalty), outer.gradient(penalty, [inputs, *layer.trainable_weights]) if is_followed else None


@pytest.mark.parametrize("name", CASES)
def test_they_are_central_differences(name):
    make, row = CASES[name]
    rng = np.random.default_rng(3)
    keras.config.set_floatx("float64")
    try:
        layer = make()
    finally:
        keras.config.set_floatx("float32")
    layer.build((None, *row))
    for variable in layer.trainable_weights:
        variable.assign(rng.normal(size=variable.shape))
    x = rng.normal(size=(3, *row))
    _, gradients = gradient_penalty(layer, x)
    for at, gradient in zip([x, *(v.value for v in layer.trainable_weights)], gradients, strict=True):
        received = np.zeros_like(at) if gradient is None else np.asarray(gradient.numpy())
        for i in [tuple(rng.integers(0, at.shape)) for _ in range(4)]:
            kept, step = at[i], 1e-5
            at[i] = kept + step
            above, _ = gradient_penalty(layer, x, False)
            at[i] = kept - step
            below, _ = gradient_penalty(layer, x, False)
            at[i] = kept
            assert received[i] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-6)


class ByHand(layers.Layer):
    def forward(self, x, ctx):
        return x * x, x

    def backward(self, dy, saved, ctx):
        return 2 * saved * dy


def test_a_layer_without_them_is_named():
    with pytest.raises(ArgumentError, match="memory: ByHand has no second derivatives"):
        gradient_penalty(ByHand(name="memory"), np.ones((2, 3, 2), np.float32))


class Counting(layers.Layer):
    calls_made = 0

    def call(self, x):
        self.calls_made += 1
        return x * float(self.calls_made)


@pytest.mark.parametrize("within", [Counting, lambda: keras.Sequential([Counting()])])
def test_a_layer_within_that_cannot_be_computed_again_is_named(within):
    layer = layers.TimeDistributed(keras.Sequential([within(), layers.Dense(2, "tanh")]), name="steps")
    with pytest.raises(ArgumentError, match="steps: has no second derivatives here: computed again it gives other"):
        gradient_penalty(layer, np.ones((2, 3, 4), np.float32))


def test_random_numbers_of_layers_within_layers_are_drawn_again():
    inner = keras.Sequential([keras.Sequential([layers.Dropout(0.5)]), layers.Dense(2, "tanh")])
    penalty, _ = gradient_penalty(layers.TimeDistributed(inner), np.ones((2, 3, 4), np.float32))
    assert penalty > 0


@pytest.mark.parametrize("regularizer", ["l1", "l2", "l1_l2", regularizers.OrthogonalRegularizer(0.3)], ids=str)
def test_penalties_have_them(regularizer):
    rng = np.random.default_rng(3)
    x, kernel = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))

    def cubes_of_slopes(kernel):
        penalties = {"kernel_regularizer": regularizer, "activity_regularizer": regularizer}
        layer = layers.Dense(3, "tanh", dtype="float64", **penalties)
        layer.build((None, 3))
        layer.kernel.assign(kernel)
        with GradientTape() as outer:
            with GradientTape() as inner:
                total = ops.sum(layer(Tensor(x)) ** 2) + layer.losses[0] + layer.losses[1]
            cubes = ops.sum(inner.gradient(total, layer.kernel) ** 3)
        return float(cubes), np.asarray(outer.gradient(cubes, layer.kernel))

    moved = np.zeros_like(kernel)
    moved[1, 2] = 1e-6
    above, below = (cubes_of_slopes(kernel + side * moved)[0] for side in (1, -1))
    assert cubes_of_slopes(kernel)[1][1, 2] == pytest.approx((above - below) / 2e-6, rel=1e-6)
