"""What every registered layer must do. A new layer needs a line in a table of cases, and no test of its own here."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from distnet.layers import LAYERS
from layer_cases import CASES, OF_ARRAYS, one_or_list
from layer_run import assert_gradients_are_right_for, numbers
from ranks_of_threads import as_ranks

KERAS = json.loads((Path(__file__).parents[1] / "golden" / "layers.json").read_text())["layers"]
NOT_KERAS = {"input_dim", "input_shape", "batch_input_shape", "dtype", "activity_regularizer", "name", "trainable"}
"""Keras takes these in ``**kwargs``."""
NOT_HERE = {"lora_rank", "lora_alpha", "quantization_config", "gptq_unpacked_column_size"}
"""Ways of training and running large models on small machines."""
ROWS = 9
SHARDS = (slice(0, 5), slice(5, 5), slice(5, 9))
OF_ROWS = [pytest.param(c, id=f"{name}-{i}") for name, found in CASES.items() for i, c in enumerate(found)]
each_case = pytest.mark.parametrize("case", OF_ROWS)
WITH_WEIGHTS = [param for param in OF_ROWS if param.values[0].run().layer.trainable_weights]
OF_KERAS = sorted(LAYERS.classes().keys() & KERAS.keys() - {"InputLayer", "Sequential"})
REQUIRED = {"CategoryEncoding": {"num_tokens": 3}, "Discretization": {"num_bins": 3}, "Hashing": {"num_bins": 3}}
REQUIRED["HashedCrossing"] = {"num_bins": 3}
"""What those layers that have no cases need."""


def near(found, expected, tolerance=1e-12):
    for a, b in zip(found, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def gradients_of(outputs, seed=10):
    return [numbers(*y.shape, seed=seed + i, dtype=y.dtype) for i, y in enumerate(outputs)]


@pytest.mark.parametrize("name", sorted(LAYERS.classes().keys() - OF_ARRAYS))
def test_every_registered_layer_has_a_case(name):
    assert CASES.get(name), f"add a case of {name} to a table of cases"
    assert all(isinstance(case.layer(), LAYERS.classes()[name]) for case in CASES[name])


@pytest.mark.parametrize("name", OF_KERAS)
def test_the_constructor_has_keras_arguments_in_keras_order(name):
    required = {key for key, value in KERAS[name].items() if value == "required"}
    by_name_alone = (NOT_KERAS | NOT_HERE) - {"activity_regularizer"}
    expected = [key for key in KERAS[name] if key in required or key not in by_name_alone]
    parameters = inspect.signature(LAYERS.classes()[name]).parameters.values()
    taken = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "name"]
    assert taken == expected


@pytest.mark.parametrize("name", OF_KERAS)
def test_the_constructor_has_keras_defaults(name):
    options = CASES[name][0].options if name not in OF_ARRAYS else REQUIRED.get(name, {})

    def made(**more):
        required = {key: options[key] for key, value in KERAS[name].items() if value == "required"}
        required |= {key: value for key, value in options.items() if name in OF_ARRAYS and key not in more}
        given = {key: value("float32") if callable(value) else value for key, value in required.items()}
        return LAYERS.classes()[name](**given, name="layer", **more).get_config()

    for key, default in KERAS[name].items():
        if key not in NOT_KERAS | NOT_HERE | REQUIRED.get(name, {}).keys() and default != "required":
            assert made(**{key: default}) == made(), key


@each_case
def test_its_json_makes_an_equal_layer(case):
    run, inputs = case.run(), case.inputs()
    text = json.dumps(LAYERS.get(run.layer).as_json())
    made = LAYERS.get(json.loads(text))
    assert type(made) is type(run.layer)
    assert json.loads(json.dumps(made.as_json())) == json.loads(text)
    again = case.run_of(made)
    assert [v.shape for v in again.variables] == [v.shape for v in run.variables]
    for y, found in zip(run.outputs(*inputs), again.outputs(*inputs), strict=True):
        np.testing.assert_array_equal(found, y)


@each_case
@pytest.mark.parametrize("kind", ["rows", "dynamic"])
def test_its_outputs_have_the_promised_shapes(case, kind):
    run = case.run()
    promised = run.layer.compute_output_shape(one_or_list([(None, *row) for row in getattr(case, kind)]))
    for shape, y in zip(
        promised if isinstance(promised, list) else [promised], run.outputs(*case.inputs()), strict=True
    ):
        assert len(shape) == y.ndim
        assert shape[0] is None
        assert all(want is None or want == have for want, have in zip(shape, y.shape, strict=True))
        assert kind == "dynamic" or None not in shape[1:]


@pytest.mark.slow
@each_case
def test_its_gradients_equal_central_differences(case):
    assert_gradients_are_right_for(case.run(), case.inputs())


@pytest.mark.parametrize("case", WITH_WEIGHTS)  # others run backward for the gradient of their input alone
def test_where_nobody_needs_the_gradient_of_the_input_it_is_none(case):
    run, inputs = case.run(), case.inputs()
    dys = gradients_of(run.outputs(*inputs))
    _, expected = run.gradients(inputs, dys)
    dxs, dws = run.gradients(inputs, dys, needs_input_gradient=False)
    assert all(dx is None for dx in dxs)
    assert len(dxs) == len(inputs)
    near(dws, expected, 0)


@each_case
def test_three_ranks_of_which_one_has_no_rows_compute_what_one_computes(case, monkeypatch):
    whole, inputs = case.run(), case.inputs(ROWS)
    outputs = whole.outputs(*inputs)
    dys = gradients_of(outputs)
    dxs, dws = whole.gradients(inputs, dys)

    def program(communicator):
        run, rows = runs[communicator.rank], SHARDS[communicator.rank]
        run.sums = {"sum_over_ranks": communicator.allreduce}
        own, at = [x[rows] for x in inputs], {"first_row": rows.start, "global_rows": ROWS}
        found = run.outputs(*own, **at), *run.gradients(own, [dy[rows] for dy in dys], **at)
        return *found, [v.value for v in run.layer.non_trainable_weights]

    runs = [case.run() for _ in SHARDS]
    parts = as_ranks(len(SHARDS), program, monkeypatch)
    near([np.concatenate(ys) for ys in zip(*(part[0] for part in parts), strict=True)], outputs)
    of_inputs = zip(*(part[1] for part in parts), strict=True)
    near([None if found[0] is None else np.concatenate(found) for found in of_inputs], dxs)
    near([sum(found) for found in zip(*(part[2] for part in parts), strict=True)], dws)
    for part in parts:
        near(part[3], [v.value for v in whole.layer.non_trainable_weights])
    assert all(not dw.any() for dw in parts[1][2])


@each_case
def test_called_twice_in_one_graph_its_gradients_add_up(case):
    twice, inputs = case.run(calls=2), [*case.inputs(), *case.inputs(seed=7)]
    outputs = twice.outputs(*inputs)
    half = len(outputs) // 2
    dys = gradients_of(outputs)
    zeros = [np.zeros_like(dy) for dy in dys]
    dxs, dws = twice.gradients(inputs, dys)
    of_first, first = twice.gradients(inputs, [*dys[:half], *zeros[half:]])
    of_second, second = twice.gradients(inputs, [*zeros[:half], *dys[half:]])
    near(dxs, [*of_first[: len(dxs) // 2], *of_second[len(dxs) // 2 :]])
    near(dws, [a + b for a, b in zip(first, second, strict=True)])


@each_case
def test_calls_of_one_layer_do_not_share_memory(case):
    outputs, _ = case.run(calls=2).forward(*case.inputs(), *case.inputs(seed=7))
    half = len(outputs) // 2
    assert not any(np.shares_memory(y, z) for y in outputs[:half] for z in outputs[half:])


@each_case
def test_a_frozen_layer_takes_no_gradients(case):
    run, inputs = case.run(trainable=False), case.inputs()
    outputs = run.outputs(*inputs)
    run.store.message.fill(7.0)
    assert run.store.size == 0
    assert run.layer.trainable_weights == []
    assert len(run.layer.non_trainable_weights) == len(run.variables)
    _, dws = run.gradients(inputs, [np.ones_like(y) for y in outputs])
    assert dws == []


@each_case
def test_float32_stays_float32(case):
    run, inputs = case.run(dtype="float32"), case.inputs(dtype="float32")
    outputs = run.outputs(*inputs)
    dxs, dws = run.gradients(inputs, [np.ones_like(y) for y in outputs])
    arrays = [*outputs, *(dx for dx in dxs if dx is not None), *dws, *(v.value for v in run.variables)]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


@each_case
def test_it_computes_the_same_at_every_step_in_memory_used_again(case):
    run, inputs, others = case.run(), case.inputs(4), case.inputs(7, seed=7)
    first = run.outputs(*inputs)
    dys, of_others = gradients_of(first), gradients_of(run.outputs(*others))
    gradients = run.gradients(inputs, dys)
    run.gradients(others, of_others)
    for y, found in zip(first, run.outputs(*inputs), strict=True):
        np.testing.assert_array_equal(found, y)
    for expected, found in zip(gradients, run.gradients(inputs, dys), strict=True):
        near(found, expected, 0)


@each_case
def test_its_weights_are_got_and_set_as_arrays(case):
    layer = case.run().layer
    before = layer.get_weights()
    layer.set_weights([w + 1 for w in before])
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old + 1)
    assert layer.count_params() == sum(w.size for w in before)
