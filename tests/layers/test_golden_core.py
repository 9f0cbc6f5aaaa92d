"""Normalizing, merging, masking, activation and embedding layers against Keras: ``tests/golden/core_layers.npz``."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import layers
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.variables import VariableStore

GOLDEN = Path(__file__).parents[1] / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "core_layers.npz")
NAMES = [f"{i}-{case['name']}" for i, case in enumerate(CASES)]


def numbers_of(index, name, dtype="float64"):
    """The arrays ``name 0``, ``name 1`` ... of a case."""
    found, k = [], 0
    while f"{index} {name} {k}" in ARRAYS:
        found.append(ARRAYS[f"{index} {name} {k}"].astype(dtype))
        k += 1
    return found


def one_or_list(arrays):
    return arrays[0] if len(arrays) == 1 else list(arrays)


class Run:
    """A case's layer with Keras's weights, run forward and backward once."""

    def __init__(self, index, layer, dtype):
        case = CASES[index]
        is_integer = case["name"] == "Embedding"
        xs = numbers_of(index, "x", "int32" if is_integer else dtype)
        layer.build_once(one_or_list([(None, *x.shape[1:]) for x in xs]))
        layer.trainable = case["trainable"]
        for variable in layer.variables:
            variable.frozen = not layer.trainable
        store = VariableStore(layer.variables, np.dtype(dtype))
        layer.set_weights(numbers_of(index, "w", dtype))
        store.gradients.fill(np.nan)
        masks = [ARRAYS.get(f"{index} mask {k}") for k in range(len(xs))]
        masks = one_or_list([None if mask is None else mask.astype(bool) for mask in masks])
        for x in xs:
            x.flags.writeable = False
        given, work = one_or_list(xs), Workspaces()
        ctx = ForwardContext(case["training"], 1, 0, 0, len(xs[0]), work, mask=masks)
        y, saved = layer.forward(given, ctx)
        dy = np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype)
        dy.flags.writeable = False
        self.y, self.mask = y.copy(), layer.compute_mask(given, masks)
        dx = layer.backward(dy, saved, BackwardContext(work))
        self.dxs = [] if is_integer else dx if isinstance(dx, list) else [dx]
        self.dws = [variable.grad for variable in layer.variables if variable.is_trained]
        self.moved = [v.value for v in layer.non_trainable_weights]


@pytest.fixture(params=range(len(CASES)), ids=NAMES)
def index(request):
    return request.param


def layer_of(index, dtype="float64"):
    return getattr(layers, CASES[index]["name"])(**CASES[index]["options"], dtype=dtype)


def assert_near(found, expected, tolerance):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-5)])
def test_outputs_and_gradients_are_those_of_keras(index, dtype, tolerance):
    run = Run(index, layer_of(index, dtype), dtype)
    assert {a.dtype for a in (run.y, *run.dxs, *run.dws)} == {np.dtype(dtype)}
    assert_near([run.y], [ARRAYS[f"{index} y"]], tolerance)
    assert_near(run.dxs, numbers_of(index, "dx"), 5 * tolerance)
    assert_near(run.dws, numbers_of(index, "dw"), 5 * tolerance)
    if CASES[index]["training"]:
        assert_near(run.moved, numbers_of(index, "moved"), tolerance)


def test_the_mask_is_that_of_keras(index):
    mask = Run(index, layer_of(index), "float64").mask
    expected = ARRAYS.get(f"{index} mask")
    if expected is None:
        assert mask is None
    else:
        np.testing.assert_array_equal(mask, expected.astype(bool))


def test_weights_have_keras_shapes_in_keras_order(index):
    layer = layer_of(index)
    layer.build_once(one_or_list([(None, *row) for row in CASES[index]["rows"]]))
    assert [w.shape for w in layer.get_weights()] == [w.shape for w in numbers_of(index, "w")]


def test_a_configuration_of_keras_makes_the_same_layer(index):
    made = layers.LAYERS.get(CASES[index]["serialized"])
    given = layer_of(index, made.dtype)
    given.trainable, given.name = made.trainable, made.name
    assert made.get_config() == given.get_config()
