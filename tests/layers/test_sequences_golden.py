"""Recurrent and attention layers, within a model, against what Keras on JAX computed."""

import re
from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import config, layers
from distnet.layers import LAYERS
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.layers.engine.structures import leaves
from distnet.models import Model

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden"

FILES = {name: packed.load(GOLDEN / f"{name}.npz") for name in ("recurrent", "cells", "attention", "grouped_attention")}
CASES = [
    pytest.param(arrays, i, case, id=f"{case['name']}-{i}")
    for arrays, cases in FILES.values()
    for i, case in enumerate(cases)
]
each_case = pytest.mark.parametrize(("arrays", "i", "case"), CASES)


@pytest.fixture(autouse=True, params=[("float64", 1e-10), ("float32", 1e-5)], ids=["float64", "float32"])
def precision(request):
    """Name of the dtype that models compute in, and the tolerance."""
    before = config.floatx()
    config.set_floatx(request.param[0])
    yield request.param
    config.set_floatx(before)


def unnumbered(path):
    return re.sub(r"_\d+", "", path)


def is_fused(case):
    """Whether Keras leaves the attention to JAX, whose scores are float32 whatever they are made of."""
    scores = case["call"].get("return_attention_scores") or case["options"].get("dropout")
    return case["name"] in ("MultiHeadAttention", "GroupQueryAttention") and not scores


def made(name, options):
    return getattr(layers, name)(**{key: option(key, value) for key, value in options.items()})


def option(key, value):
    if key == "cell" and isinstance(value[0], list):
        return [made(*part) for part in value]
    return made(*value) if "layer" in key or key == "cell" else value


def called(case, layer, arrays):
    """The model that is one call of the layer, and its further inputs: an attention mask."""
    inputs = [layers.Input(shape[1:]) for shape in case["shapes"]]
    call, more = dict(case["call"]), []
    if "attention_mask" in call:
        allowed = arrays[f"allowed {call['attention_mask']}"]
        call["attention_mask"] = allowed > 0
        if allowed.ndim > 2:
            more = [allowed]
            inputs.append(layers.Input(allowed.shape[1:]))
            call["attention_mask"] = inputs[-1]
    if "initial_state" in call:
        outputs = layer(inputs[0], initial_state=inputs[1:])
    elif case["name"].endswith(("HeadAttention", "QueryAttention")):
        outputs = layer(*inputs[: len(case["shapes"])], **call)
    else:
        outputs = layer(inputs if len(inputs) > 1 else inputs[0], **call)
    return Model(inputs, list(leaves(outputs))), more


def run(case, i, arrays, dtype):
    """Outputs, gradients of the inputs, gradients of the weights."""
    layer = made(case["name"], case["options"])
    model, more = called(case, layer, arrays)
    layer.set_weights([arrays[f"w {list(v.shape)} {k}"] for k, v in enumerate(layer.weights)])
    x = [arrays[f"x {shape} {k}"].astype(dtype) for k, shape in enumerate(case["shapes"])]
    masks = [
        None if kind is None else arrays[f"mask {shape[:2]} {kind}"] > 0
        for shape, kind in zip(case["shapes"], case["masks"], strict=True)
    ]
    workspaces = Workspaces()
    ctx = ForwardContext(False, 0, 0, 0, len(x[0]), workspaces)
    x += [part.astype(dtype) for part in more]
    y, tape = model.graph.forward(x, ctx, [*masks, *[None] * len(more)])
    dy = [np.cos(k + np.arange(part.size)).reshape(part.shape).astype(dtype) for k, part in enumerate(y)]
    dx = model.graph.backward(tape, dy, BackwardContext(workspaces))
    return layer, y, dx[: len(x) - len(more)], [v.grad for v in layer.weights]


@each_case
def test_it_computes_what_keras_does(arrays, i, case, precision):
    dtype, tolerance = precision
    tolerance = max(tolerance, 1e-5) if is_fused(case) else tolerance
    _, *found = run(case, i, arrays, dtype)
    for kind, parts in zip(("y", "dx", "dw"), found, strict=True):
        assert f"{kind} {i} {len(parts)}" not in arrays
        for k, part in enumerate(parts):
            expected = arrays[f"{kind} {i} {k}"]
            assert part.dtype == dtype
            scale = max(1, np.abs(expected).max())
            np.testing.assert_allclose(part, expected, rtol=tolerance, atol=tolerance * scale, err_msg=f"{kind} {k}")


@each_case
def test_its_shapes_and_weights_are_keras_ones(arrays, i, case):
    layer = made(case["name"], case["options"])
    model, _ = called(case, layer, arrays)
    shapes = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    assert shapes == [(None, *arrays[f"y {i} {k}"].shape[1:]) for k in range(case["outputs"])]
    assert [unnumbered(v.path.partition("/")[2]) for v in layer.weights] == [unnumbered(p) for p in case["weights"]]


@each_case
def test_it_reads_keras_configuration_and_writes_no_more(arrays, i, case):
    read = LAYERS.get(case["keras"])
    written, keras = read.get_config(), case["keras"]["config"]
    plain = {key for key, value in keras.items() if not isinstance(value, dict) and key != "dtype"}
    assert {key: written[key] for key in plain & set(written)} == {key: keras[key] for key in plain & set(written)}
    assert set(written) <= set(keras)
    assert LAYERS.get(read.as_json()).get_config() == written
