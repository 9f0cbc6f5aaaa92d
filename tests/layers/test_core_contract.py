"""What layers must do, each on one rank and on three: all but the simplest, which test_contract.py has."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from distnet import layers
from distnet.layers.context import BackwardContext, ForwardContext, Workspaces
from distnet.models.graph import Graph, Node
from distnet.variables import VariableStore

sys.path.insert(0, str(Path(__file__).parent))
import cases_core
import cases_sequences
from layer_run import numerical_gradient, relative_error
from ranks_of_threads import on_ranks

CASES = [*cases_core.CASES, *cases_sequences.CASES]
ROWS = 9
SHARDS = (slice(0, 5), slice(5, 5), slice(5, 9))


def one_or_list(found):
    return found[0] if len(found) == 1 else list(found)


class Case:
    def __init__(self, name, row, dynamic, options):
        self.cls, self.options = getattr(layers, name), options
        self.rows = row if isinstance(row, list) else [row]
        self.dynamic = dynamic if isinstance(dynamic, list) else [dynamic]
        self.is_integer = name == "Embedding"

    def layer(self, **options):
        given = {"dtype": "float64", "name": "layer", **self.options, **options}
        return self.cls(**{key: value(given["dtype"]) if callable(value) else value for key, value in given.items()})

    def inputs(self, rows=ROWS, seed=0, dtype="float64"):
        rng = np.random.default_rng(seed)
        if self.is_integer:
            return [rng.integers(0, self.options["input_dim"], (rows, *row)) for row in self.rows]
        return [rng.normal(size=(rows, *row)).astype(dtype) for row in self.rows]


class Run:
    """A layer called ``calls`` times in a graph of its own, on one rank of several."""

    def __init__(self, case, calls=1, sum_over_ranks=None, **options):
        self.case, self.layer = case, case.layer(**options)
        self.layer.build_once(one_or_list([(None, *row) for row in case.rows]))
        n = len(case.rows)
        nodes = [Node(self.layer, tuple(range(i * n, i * n + n)), (calls * n + i,)) for i in range(calls)]
        self.graph = Graph(nodes, range(calls * n), range(calls * n, calls * n + calls))
        rng = np.random.default_rng(5)
        self.layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in self.layer.get_weights()])
        for variable in self.layer.variables:
            variable.frozen = not self.layer.trainable
        self.store = VariableStore(self.layer.variables, np.dtype(self.layer.dtype))
        self.work, self.sums = Workspaces(), {"sum_over_ranks": sum_over_ranks} if sum_over_ranks else {}

    def forward(self, inputs, first_row=0, global_rows=None):
        for x in inputs:
            x.flags.writeable = False
        rows = len(inputs[0]) if global_rows is None else global_rows
        ctx = ForwardContext(True, 11, 3, first_row, rows, self.work, **self.sums)
        outputs, tape = self.graph.forward(inputs, ctx)
        for x in inputs:
            x.flags.writeable = True
        return outputs, tape

    def __call__(self, inputs, dys=None, **rows):
        """Copies of outputs, of the gradients of the inputs and of those of the variables."""
        outputs, tape = self.forward(inputs, **rows)
        outputs = [y.copy() for y in outputs]
        if dys is None:
            dys = [np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype) for y in outputs]
        self.store.gradients.fill(np.nan)
        ctx = BackwardContext(self.work, **self.sums)
        tape.outputs.clear()  # the contract of a penalty on activities is that of the graph
        for dy in dys:
            dy.flags.writeable = False
        dxs = []
        for node, dy, saved in reversed(list(zip(self.graph.nodes, dys, tape.saved, strict=True))):
            ctx.call = (node.inputs[0] // len(self.case.rows),)
            dx = self.layer.backward(dy, saved, ctx)
            dxs = [*(dx if isinstance(dx, list) else [dx]), *dxs]
        dxs = [] if self.case.is_integer else [dx.copy() for dx in dxs]
        return outputs, dxs, [v.grad.copy() for v in self.layer.variables if v.is_trained]


@pytest.fixture(params=CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def case(request):
    return Case(*request.param)


def near(found, expected, tolerance=1e-12):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_its_json_makes_an_equal_layer(case):
    run = Run(case)
    text = json.dumps(run.layer.as_json())
    made = layers.LAYERS.get(json.loads(text))
    assert json.dumps(made.as_json()) == text
    made.build_once(run.layer.built_shape)
    assert [v.shape for v in made.variables] == [v.shape for v in run.layer.variables]


@pytest.mark.parametrize("kind", ["rows", "dynamic"])
def test_its_output_has_the_promised_shape(case, kind):
    run = Run(case)
    promised = run.layer.compute_output_shape(one_or_list([(None, *row) for row in getattr(case, kind)]))
    (y,), _, _ = run(case.inputs())
    assert promised[0] is None
    assert len(promised) == y.ndim
    assert all(want is None or want == have for want, have in zip(promised, y.shape, strict=True))
    assert kind == "dynamic" or None not in promised[1:]


def test_its_gradients_equal_central_differences(case):
    run, inputs = Run(case), case.inputs(rows=3)
    (y,), dxs, dws = run(inputs)
    dy = np.cos(np.arange(y.size)).reshape(y.shape)

    def objective():
        return np.vdot(dy, run.forward(inputs)[0][0])

    for x, dx in zip(inputs, dxs, strict=False):
        assert relative_error(dx, numerical_gradient(objective, x)) < 1e-6
    trained = [v for v in run.layer.variables if v.is_trained]
    for variable, dw in zip(trained, dws, strict=True):
        assert relative_error(dw, numerical_gradient(objective, variable.value)) < 1e-6


def test_three_ranks_of_which_one_has_no_rows_compute_what_one_computes(case):
    inputs = case.inputs()
    whole = Run(case)
    (y,), dxs, dws = whole(inputs)
    dy = np.cos(np.arange(y.size)).reshape(y.shape)

    def program(rank, sum_over_ranks):
        run, rows = Run(case, sum_over_ranks=sum_over_ranks), SHARDS[rank]
        found = run([x[rows].copy() for x in inputs], [dy[rows].copy()], first_row=rows.start, global_rows=ROWS)
        return *found, [v.value for v in run.layer.non_trainable_weights]

    parts = on_ranks(3, program)
    near([np.concatenate([part[0][0] for part in parts])], [y])
    near([np.concatenate(dx) for dx in zip(*(part[1] for part in parts), strict=True)], dxs)
    near([sum(dw) for dw in zip(*(part[2] for part in parts), strict=True)], dws)
    for part in parts:
        near(part[3], [v.value for v in whole.layer.non_trainable_weights])
    assert all(not dw.any() for dw in parts[1][2])


def test_called_twice_in_one_graph_its_gradients_add_up(case):
    twice, inputs = Run(case, calls=2), [*case.inputs(4), *case.inputs(4, seed=1)]
    outputs, dxs, dws = twice(inputs)
    assert not np.shares_memory(*twice.forward(inputs)[0])
    dys = [np.cos(np.arange(y.size)).reshape(y.shape) for y in outputs]
    zeros = [np.zeros_like(dy) for dy in dys]
    _, of_first, first = twice(inputs, [dys[0].copy(), zeros[1]])
    _, of_second, second = twice(inputs, [zeros[0], dys[1].copy()])
    half = len(dxs) // 2
    near(dxs, [*of_first[:half], *of_second[half:]])
    near(dws, [a + b for a, b in zip(first, second, strict=True)])


def test_frozen_it_takes_no_gradients(case):
    run = Run(case, trainable=False)
    assert run.store.size == 0
    assert run(case.inputs())[2] == []


def test_single_precision_stays_single(case):
    run = Run(case, dtype="float32")
    (y,), dxs, dws = run(case.inputs(dtype="float32"))
    assert {a.dtype for a in (y, *dxs, *dws)} == {np.dtype("float32")}


def test_it_computes_the_same_in_memory_used_again(case):
    run, inputs = Run(case), case.inputs(4)
    first = run(inputs)
    run(case.inputs(7, seed=1))
    again = run(inputs)
    for a, b in zip(first, again, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
