"""What every registered layer must do. A new layer needs a line in ``CASES``, and no test of its own here."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from distnet import layers
from distnet.layers import LAYERS, Layer
from distnet.models import Sequential

sys.path.insert(0, str(Path(__file__).parent))
import cases_core
import cases_images
import cases_sequences
import cases_windows
from layer_run import LayerRun, assert_gradients_are_right, numbers

KERAS = json.loads((Path(__file__).parents[1] / "golden" / "layers.json").read_text())["layers"]
NOT_KERAS = {"input_dim", "input_shape", "batch_input_shape", "dtype", "activity_regularizer", "name", "trainable"}
"""Keras takes these in ``**kwargs``."""
NOT_HERE = {"lora_rank", "lora_alpha", "quantization_config"}
"""Ways of training and running large models on small machines."""


@dataclass(frozen=True)
class Case:
    """A layer and a row that it takes; ``dynamic`` is the row's shape with extents known only at run time."""

    make: Callable[..., Layer]
    row: tuple[int, ...]
    dynamic: tuple[int | None, ...]
    options: dict[str, object]

    def layer(self, **options: object) -> Layer:
        return self.make(**{"dtype": "float64", **self.options, **options})

    def run(self, calls: int = 1, **options: object) -> LayerRun:
        return LayerRun(self.layer(**options), self.row, calls)


def case(make, row, dynamic=None, **options):
    return Case(make, row, row if dynamic is None else dynamic, options)


def nested(dtype="float64", name=None, trainable=True):
    parts = [layers.Dense(4, "tanh", dtype=dtype), layers.Dropout(0.3, dtype=dtype), layers.Dense(2, dtype=dtype)]
    model = Sequential(parts, name=name)
    model.trainable = trainable
    return model


CASES: dict[str, list[Case]] = {
    "Activation": [case(layers.Activation, (3, 2), (None, 2), activation="tanh")],
    "Dense": [
        case(layers.Dense, (5,), units=3),
        case(layers.Dense, (2, 5), (None, 5), units=3, activation="swish", bias_initializer="random_normal"),
        case(layers.Dense, (5,), units=4, activation="softmax", use_bias=False, kernel_constraint="max_norm"),
    ],
    "Dropout": [
        case(layers.Dropout, (4, 3), (None, 3), rate=0.4),
        case(layers.Dropout, (4, 3), (None, 3), rate=0.4, noise_shape=(None, 1, None), seed=5),
        case(layers.Dropout, (4,), rate=0.4, noise_shape=(1, None)),
        case(layers.Dropout, (4,), rate=1.0),
        case(layers.Dropout, (4,), rate=0),
    ],
    "Flatten": [case(layers.Flatten, (2, 3, 2), (None, 3, 2)), case(layers.Flatten, ())],
    "InputLayer": [case(layers.InputLayer, (3,), batch_input_shape=(None, 3))],
    "Reshape": [
        case(layers.Reshape, (4, 3), (None, 3), target_shape=(2, -1)),
        case(layers.Reshape, (4, 3), target_shape=(3, 2, 2)),
    ],
    "Sequential": [case(nested, (3,))],
}
for name, row, dynamic, options in cases_windows.CASES:
    CASES.setdefault(name, []).append(case(getattr(layers, name), row, dynamic, **options))
ELSEWHERE = [*cases_core.CASES, *cases_images.CASES, *cases_sequences.CASES]
"""Cases of test_core_contract.py and test_image_layers.py."""
OF_ROWS = [pytest.param(c, id=f"{name}-{i}") for name, found in CASES.items() for i, c in enumerate(found)]
each_case = pytest.mark.parametrize("case", OF_ROWS)


WITH_ARGUMENTS = sorted(LAYERS.classes().keys() & KERAS.keys() - {"InputLayer", "Sequential"})
of_keras = pytest.mark.parametrize("name", WITH_ARGUMENTS)


def keras_arguments(name):
    """Keras's own arguments of a class, with their defaults."""
    passed_on = NOT_KERAS - {"input_dim"} if name == "Embedding" else NOT_KERAS
    return {key: default for key, default in KERAS[name].items() if key not in passed_on | NOT_HERE}


@pytest.mark.parametrize("name", sorted(LAYERS.classes().keys() - {"Functional"}))
def test_every_registered_layer_has_a_case(name):
    assert name in CASES or name in [case[0] for case in ELSEWHERE], f"add a case of {name}"
    assert all(isinstance(case.layer(), LAYERS.classes()[name]) for case in CASES.get(name, ()))


@of_keras
def test_the_constructor_has_keras_arguments_in_keras_order(name):
    assert list(LAYERS.classes()[name].__match_args__) == list(keras_arguments(name))


@of_keras
def test_the_constructor_has_keras_defaults(name):
    options = CASES[name][0].options if name in CASES else next(case[3] for case in ELSEWHERE if case[0] == name)
    given = {key: value("float32") if callable(value) else value for key, value in options.items()}
    arguments = keras_arguments(name)
    required = {key: given.get(key, 1) for key, default in arguments.items() if default == "required"}
    made = LAYERS.classes()[name](**required)
    for key in arguments.keys() - required.keys():
        again = LAYERS.classes()[name](**required | {key: arguments[key]})
        assert again.get_config().get(key) == made.get_config().get(key), key


@each_case
def test_its_json_makes_an_equal_layer(case):
    run = case.run()
    text = json.dumps(LAYERS.get(run.layer).as_json())
    made = LAYERS.get(json.loads(text))
    assert type(made) is type(run.layer)
    assert json.loads(json.dumps(made.as_json())) == json.loads(text)
    x = numbers(3, *case.row)
    again = LayerRun(made, case.row)
    assert [v.shape for v in again.variables] == [v.shape for v in run.variables]
    made.set_weights(run.layer.get_weights())
    np.testing.assert_array_equal(again.outputs(x)[0], run.outputs(x)[0])


@each_case
@pytest.mark.parametrize("shape", ["row", "dynamic"])
def test_its_output_has_the_promised_shape(case, shape):
    run = case.run()
    promised = run.layer.compute_output_shape((None, *getattr(case, shape)))
    (y,) = run.outputs(numbers(3, *case.row))
    assert len(promised) == y.ndim
    assert promised[0] is None
    assert all(want is None or want == have for want, have in zip(promised, y.shape, strict=True))
    assert shape == "dynamic" or None not in promised[1:]


@each_case
def test_its_gradients_equal_central_differences(case):
    assert_gradients_are_right(case.run(), case.row)


@each_case
def test_gradients_of_uneven_parts_sum_to_the_gradient_of_the_whole(case):
    run, x = case.run(), numbers(9, *case.row)
    (y,) = run.outputs(x)
    dy = numbers(*y.shape, seed=1)
    (dx,), dws = run.gradients([x], [dy])
    summed = [np.zeros_like(dw) for dw in dws]
    for rows in (slice(0, 5), slice(5, 6), slice(6, 9)):
        at = {"first_row": rows.start, "global_rows": 9}
        np.testing.assert_allclose(run.outputs(x[rows], **at)[0], y[rows], rtol=1e-12, atol=1e-14)
        (part,), of_weights = run.gradients([x[rows]], [dy[rows]], **at)
        np.testing.assert_allclose(part, dx[rows], rtol=1e-12, atol=1e-14)
        for total, dw in zip(summed, of_weights, strict=True):
            total += dw
    for total, dw in zip(summed, dws, strict=True):
        np.testing.assert_allclose(total, dw, rtol=1e-12, atol=1e-12)


@each_case
def test_a_shard_without_rows_has_gradients_of_zero(case):
    run = case.run()
    (y,) = run.outputs(numbers(2, *case.row))
    empty = numbers(0, *case.row)
    (none,) = run.outputs(empty, first_row=2, global_rows=2)
    assert none.shape == (0, *y.shape[1:])
    (dx,), dws = run.gradients([empty], [none], first_row=2, global_rows=2)
    assert dx.shape == empty.shape
    assert all(not dw.any() for dw in dws)


@each_case
def test_called_twice_in_one_graph_its_gradients_add_up(case):
    options = {} if case.make is nested else {"name": "layer"}
    twice, inputs = case.run(calls=2, **options), [numbers(3, *case.row, seed=i) for i in range(2)]
    outputs = twice.outputs(*inputs)
    dys = [numbers(*y.shape, seed=5 + i) for i, y in enumerate(outputs)]
    dxs, dws = twice.gradients(inputs, dys)
    zeros = [np.zeros_like(dy) for dy in dys]
    first = twice.gradients(inputs, [dys[0], zeros[1]])
    second = twice.gradients(inputs, [zeros[0], dys[1]])
    np.testing.assert_array_equal(dxs[0], first[0][0])
    np.testing.assert_array_equal(dxs[1], second[0][1])
    for dw, a, b in zip(dws, first[1], second[1], strict=True):
        np.testing.assert_allclose(dw, a + b, rtol=1e-12, atol=1e-14)


@each_case
def test_calls_of_one_layer_do_not_share_memory(case):
    run, inputs = case.run(calls=2), [numbers(3, *case.row, seed=i) for i in range(2)]
    outputs, _ = run.forward(*inputs)
    assert not np.shares_memory(*outputs)


@each_case
def test_a_frozen_layer_takes_no_gradients(case):
    run = case.run(trainable=False)
    x = numbers(3, *case.row)
    (y,) = run.outputs(x)
    run.store.message.fill(7.0)
    assert run.store.size == 0
    assert run.layer.trainable_weights == []
    assert len(run.layer.non_trainable_weights) == len(run.variables)
    _, dws = run.gradients([x], [np.ones_like(y)])
    assert dws == []


@each_case
def test_float32_stays_float32(case):
    run = case.run(dtype="float32")
    x = numbers(3, *case.row, dtype=np.float32)
    (y,) = run.outputs(x)
    (dx,), dws = run.gradients([x], [np.ones_like(y)])
    assert {a.dtype for a in (y, dx, *dws, *(v.value for v in run.variables))} == {np.dtype(np.float32)}


@each_case
def test_it_computes_the_same_at_every_step_in_memory_used_again(case):
    run, x, other = case.run(), numbers(4, *case.row), numbers(7, *case.row, seed=1)
    (first,) = run.outputs(x)
    run.outputs(other)
    np.testing.assert_array_equal(run.outputs(x)[0], first)


@each_case
def test_its_weights_are_got_and_set_as_arrays(case):
    layer = case.run().layer
    before = layer.get_weights()
    layer.set_weights([w + 1 for w in before])
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old + 1)
    assert layer.count_params() == sum(w.size for w in before)
