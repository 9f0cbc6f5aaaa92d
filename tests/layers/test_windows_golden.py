"""Convolutions, poolings, padding, cropping and upsampling against what Keras on JAX, or tf_keras, computed."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import layers
from distnet.layers import LAYERS
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from kernel_sets import KERNEL_SETS

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden"

NAMES = ("convolutions", "poolings", "formats", "conv_lstm", "keras_2_layers")
FILES = {
    name: packed.load(GOLDEN / f"{name}.npz")
    for name in ("convolutions", "poolings", "formats", "conv_lstm", "keras_2_layers")
}
CASES = [
    pytest.param(arrays, i, case, id=f"{case['name']}-{i}")
    for arrays, cases in FILES.values()
    for i, case in enumerate(cases)
]
each_case = pytest.mark.parametrize(("arrays", "i", "case"), CASES)
TOLERANCES = [("float64", 1e-10), ("float32", 1e-5)]
OF_RANKS = [f"{kind}{rank}D" for kind in ("GlobalAveragePooling", "ConvLSTM") for rank in (1, 2, 3)]
LOOSE = dict.fromkeys((*OF_RANKS, "RMSNormalization"), 1e-6)
"""Keras on JAX takes means, and has this layer's bias, in float32, whatever it is given (seen in 3.15.1)."""


def made(case, dtype="float64", **options):
    options = {key: tuple(map(_tuple, v)) if isinstance(v, list) else v for key, v in case["options"].items()} | options
    layer = getattr(layers, case["name"])(**options, dtype=dtype)
    layer.build_once((None, *case["shape"]))
    return layer


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def run(layer, x, dy):
    """Output, gradient of the input, gradients of the weights."""
    workspaces = Workspaces()
    y, saved = layer.forward(x, ForwardContext(True, 0, 0, 0, len(x), workspaces))
    dx = layer.backward(dy.reshape(y.shape).astype(y.dtype), saved, BackwardContext(workspaces))
    return y.copy(), dx.copy(), [v.grad.copy() for v in layer.variables]


@each_case
@pytest.mark.parametrize("kernels", KERNEL_SETS)
@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
def test_it_computes_what_keras_does(arrays, i, case, dtype, tolerance, kernels, monkeypatch):
    monkeypatch.setenv("DISTNET_KERNELS", kernels)
    tolerance = max(tolerance, LOOSE.get(case["name"], 0))
    layer = made(case, dtype)
    layer.set_weights([arrays[f"w {list(v.shape)}"] for v in layer.variables])
    x = arrays[f"x {case['shape']} {case['kind']}"].astype(dtype)
    dy = np.cos(np.arange(arrays[f"y {i}"].size))
    y, dx, dws = run(layer, x, dy)
    assert {a.dtype for a in (y, dx, *dws)} == {np.dtype(dtype)}
    np.testing.assert_allclose(y, arrays[f"y {i}"], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(dx, arrays[f"dx {i}"], rtol=tolerance, atol=tolerance)
    for k, dw in enumerate(dws):
        np.testing.assert_allclose(dw, arrays[f"dw {i} {k}"], rtol=tolerance, atol=10 * tolerance)


@each_case
def test_its_shape_and_weights_are_keras_ones(arrays, i, case):
    layer = made(case)
    assert layer.compute_output_shape((None, *case["shape"])) == (None, *arrays[f"y {i}"].shape[1:])
    assert [v.name for v in layer.variables] == case["weights"]


@each_case
def test_it_reads_keras_configuration_and_writes_the_same(arrays, i, case):
    read = LAYERS.get(case["keras"])
    written, keras = read.get_config(), case["keras"]["config"]
    same = set(written) & set(keras) - {"dtype"}
    assert {k: v for k, v in written.items() if k in same and not isinstance(v, dict)} == {
        k: v for k, v in keras.items() if k in same and not isinstance(v, dict)
    }
    assert set(written) <= set(keras)
