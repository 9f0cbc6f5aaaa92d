"""One layer, or a layer called twice, run by hand: what the tests of layers share."""

from __future__ import annotations

import numpy as np

from distnet import random
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.models.graph import Graph
from distnet.models.node import Node
from distnet.utils.gradients import numerical_gradient, relative_error
from distnet.variables import VariableStore

SEED = 11


def numbers(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


MASK = np.random.default_rng(3).random((16, 16)) < 0.7
MASK[:, 0] = True


class LayerRun:
    """Runs a layer in a graph of its own, each input frozen so that writing to it raises.

    Args:
        layer: to run.
        rows: shape of one row, or a list of them for a layer of several inputs.
        calls: how often the layer is called, each time with tensors of its own.
        training, step: as in ``ForwardContext``.
        is_masked: whether inputs that have time steps come with a mask.
        sum_over_ranks: of one rank of several.
    """

    def __init__(self, layer, rows, calls=1, training=True, step=3, is_masked=False, sum_over_ranks=None):
        self.layer, self.training, self.step, self.is_masked = layer, training, step, is_masked
        self.dtype = np.dtype(layer.dtype)
        random.set_job_seed(SEED)
        shape = [(None, *row) for row in rows] if isinstance(rows, list) else (None, *rows)
        layer.build_once(shape)
        made = layer.compute_output_shape(shape)
        n, m = len(rows) if isinstance(rows, list) else 1, len(made) if isinstance(made, list) else 1
        self.graph = Graph(
            [Node(layer, numbers_of(i, n), numbers_of(i, m, calls * n)) for i in range(calls)],
            range(calls * n),
            range(calls * n, calls * (n + m)),
        )
        for variable in layer.variables:
            variable.frozen = not layer.trainable
        self.store = VariableStore(layer.variables, self.dtype)
        self.workspaces = Workspaces()
        self.sums = {} if sum_over_ranks is None else {"sum_over_ranks": sum_over_ranks}

    @property
    def variables(self):
        return self.layer.variables

    def forward(self, *inputs, first_row=0, global_rows=None):
        rows = len(inputs[0]) if global_rows is None else global_rows
        place = {"is_spread": bool(self.sums), **self.sums}
        ctx = ForwardContext(self.training, SEED, self.step, first_row, rows, self.workspaces, **place)
        masks = [MASK[first_row : first_row + len(x), : x.shape[1]] if x.ndim > 2 else None for x in inputs]
        return self.graph.forward([read_only(x) for x in inputs], ctx, masks if self.is_masked else None)

    def outputs(self, *inputs, **rows):
        """Copies of the outputs."""
        outputs, _ = self.forward(*inputs, **rows)
        return [y.copy() for y in outputs]

    def gradients(self, inputs, dys, needs_input_gradient=True, **rows):
        """Gradients of the inputs, None for integers, and of the variables."""
        _, tape = self.forward(*inputs, **rows)
        self.store.gradients.fill(np.nan)
        ctx = BackwardContext(self.workspaces, needs_input_gradient=needs_input_gradient, **self.sums)
        dxs, left = [], [read_only(dy) for dy in dys]
        for i, (node, saved) in enumerate(zip(self.graph.nodes, tape.saved, strict=True)):
            ctx.call = (i,)
            parts, left = left[: len(node.outputs)], left[len(node.outputs) :]
            dx = self.layer.backward(parts if len(parts) > 1 else parts[0], saved, ctx)
            dxs += [None if d is None else d.copy() for d in (dx if isinstance(dx, list) else [dx])]
        return dxs, [v.grad.copy() for v in self.variables if v.is_trained]


def numbers_of(call, count, first=0):
    """The numbers of a call's tensors."""
    return tuple(range(first + call * count, first + (call + 1) * count))


def read_only(array):
    array = array.view()
    array.flags.writeable = False
    return array


def objective(run, inputs, dys):
    """The number whose gradients ``run.gradients`` gives."""
    return sum(np.vdot(dy, y) for dy, y in zip(dys, run.outputs(*inputs), strict=True))


def assert_gradients_are_right(run, row_shape, rows=4):
    """Set the gradients of a layer of one input against central differences."""
    assert_gradients_are_right_for(run, [numbers(rows, *row_shape)])


def assert_gradients_are_right_for(run, inputs, tolerance=1e-6):
    """Set the gradients of every input and variable against central differences."""
    dys = [numbers(*y.shape, seed=10 + i) for i, y in enumerate(run.outputs(*inputs))]
    dxs, dws = run.gradients(inputs, dys)
    for x, dx in zip(inputs, dxs, strict=True):
        if x.dtype.kind == "f":
            assert relative_error(dx, numerical_gradient(lambda: objective(run, inputs, dys), x)) < tolerance
    trained = [v for v in run.variables if v.is_trained]
    for variable, dw in zip(trained, dws, strict=True):
        numerical = numerical_gradient(lambda: objective(run, inputs, dys), variable.value)
        assert relative_error(dw, numerical) < tolerance, variable.name
