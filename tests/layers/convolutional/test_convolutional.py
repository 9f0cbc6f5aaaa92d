"""Convolutions of all kinds: blocks of patches, masks of what is trained, wrong arguments."""

import numpy as np
import pytest

from distnet import layers
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels import patches
from distnet.layers import LAYERS
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from kernel_sets import KERNEL_SETS


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def run(layer, x, needs_input_gradient=True):
    layer.build_once((None, *x.shape[1:]))
    workspaces = Workspaces()
    y, saved = layer.forward(x, ForwardContext(True, 0, 0, 0, len(x), workspaces))
    ctx = BackwardContext(workspaces, needs_input_gradient=needs_input_gradient)
    dx = layer.backward(np.cos(np.arange(y.size)).reshape(y.shape), saved, ctx)
    return y.copy(), None if dx is None else dx.copy(), [v.grad.copy() for v in layer.variables], saved


def counted(monkeypatch, name):
    calls = []
    function = getattr(patches, name)
    monkeypatch.setattr(patches, name, lambda *a: calls.append(a) or function(*a))
    return calls


@pytest.mark.parametrize("kernels", KERNEL_SETS)
@pytest.mark.parametrize("block_bytes", [1, 700, 5000])
@pytest.mark.parametrize("options", [{}, {"groups": 2}, {"padding": "same", "strides": 2}], ids=str)
def test_the_size_of_blocks_does_not_matter(block_bytes, kernels, options, monkeypatch):
    monkeypatch.setenv("DISTNET_KERNELS", kernels)
    layer, x = layers.Conv2D(4, 3, dtype="float64", **options), numbers(5, 7, 6, 2)
    whole = run(layer, x)
    monkeypatch.setattr(patches, "_BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(patches, "_BLOCK_WINDOWS", 1)
    y, dx, dws, _ = run(layer, x)
    for found, expected in zip((y, dx, *dws), (whole[0], whole[1], *whole[2]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_a_first_layer_computes_no_gradient_of_its_input(monkeypatch):
    calls = counted(monkeypatch, "convolve_back")
    run(layers.Conv2D(2, 3, dtype="float64"), numbers(2, 5, 5, 1), needs_input_gradient=False)
    assert calls == []


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(2, 3, trainable=False),
        layers.Conv2DTranspose(2, 3, trainable=False),
        layers.DepthwiseConv2D(3, trainable=False),
        layers.SeparableConv2D(2, 3, trainable=False),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_frozen_kernels_cost_no_gradient(layer):
    x = numbers(2, 5, 5, 2).astype("f4")
    layer.build_once((None, *x.shape[1:]))
    for variable in layer.variables:
        variable.frozen = True
        variable.grad.fill(7)
    _, _, gradients, _ = run(layer, x)
    assert all((g == 7).all() for g in gradients)


@pytest.mark.parametrize("make", [layers.Conv2D, layers.Conv2DTranspose, layers.SeparableConv2D])
def test_one_layer_takes_images_of_several_sizes_but_not_of_other_channels(make):
    layer = make(3, 2)
    assert layer(numbers(2, 5, 5, 2)).shape[0] == 2
    assert layer(numbers(2, 6, 7, 2)).shape[3] == 3
    with pytest.raises(ShapeError, match=layer.name):
        layer(numbers(2, 5, 5, 4))


def test_a_causal_convolution_does_not_look_ahead():
    layer, x = layers.Conv1D(2, 3, padding="causal", dilation_rate=2), numbers(1, 9, 2)
    before = layer(x)
    x[:, 5:] = 0
    np.testing.assert_array_equal(layer(x)[:, :5], before[:, :5])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Conv2D(0, 3), "filters"),
        (lambda: layers.Conv2D(-4, 3), "filters.*-4"),
        (lambda: layers.Conv2D(4, 0), "kernel_size"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "1 or 2 integers"),
        (lambda: layers.Conv2D(4, "3"), "kernel_size"),
        (lambda: layers.Conv2D(4, 2.5), "2.5"),
        (lambda: layers.Conv2D(4, 3, strides=0), "strides"),
        (lambda: layers.Conv2D(4, 3, padding="full"), "'full'"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "'causal'"),
        (lambda: layers.Conv2D(4, 3, data_format="first"), "channels_last"),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "dilation_rate"),
        (lambda: layers.Conv2D(4, 3, groups=3), "multiple of groups"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), "output_padding below"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=-1), "output_padding"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.Conv2D(2, 7, name="c"), (5, 5, 1), r"c: kernel \(7, 7\) exceeds the input \(5, 5\).*same"),
        (layers.Conv2D(2, 3, dilation_rate=2, name="c"), (4, 9, 1), r"c: kernel \(5, 5\) exceeds"),
        (layers.Conv2D(2, 3, name="c"), (28, 28), r"c: .*\(batch, height, width, channels\).*Reshape"),
        (layers.Conv1D(2, 3, name="c"), (28, 28, 1), r"c: .*\(batch, steps, channels\)"),
        (layers.Conv2D(2, 3, groups=2, name="c"), (5, 5, 3), "c: .*multiple of groups=2"),
        (layers.Conv2D(2, 3, name="c"), (5, 5, None), "c: .*channels is known"),
        (layers.MaxPooling2D(3, name="p"), (2, 2, 1), r"p: pool \(3, 3\) exceeds"),
    ],
)
def test_inputs_that_do_not_fit_are_named(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        layer(layers.Input(shape))


def test_configurations_of_keras_2_are_read():
    depthwise = {"name": "d", "kernel_size": [3, 3], "groups": 1, "depth_multiplier": 1, "depthwise_constraint": None}
    assert LAYERS.get({"class_name": "DepthwiseConv2D", "config": depthwise}).kernel_size == (3, 3)
    separable = {"name": "s", "filters": 2, "kernel_size": [3, 3], "groups": 1, "kernel_constraint": None}
    separable["kernel_initializer"] = {"class_name": "GlorotUniform", "config": {"seed": None}}
    assert LAYERS.get({"class_name": "SeparableConv2D", "config": separable}).filters == 2
    transposed = {"name": "t", "filters": 2, "kernel_size": [3, 3], "groups": 1, "output_padding": None}
    assert LAYERS.get({"class_name": "Conv2DTranspose", "config": transposed}).strides == (1, 1)


def test_keras_other_names_are_the_same_layers():
    assert isinstance(layers.Convolution2D(2, 3), layers.Conv2D)
    assert type(LAYERS.get({"class_name": "MaxPool2D", "config": {}})) is layers.MaxPooling2D
