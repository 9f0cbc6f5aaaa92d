"""One layer, or a layer called twice, run by hand: what the tests of layers share."""

from __future__ import annotations

import numpy as np

from distnet.layers.context import BackwardContext, ForwardContext, Workspaces
from distnet.models.graph import Graph, Node
from distnet.variables import VariableStore

SEED = 11


def numbers(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class LayerRun:
    """Runs a layer in a graph of its own, each input frozen so that writing to it raises.

    ``calls`` is how many tensors the layer is called with, one after the other.
    """

    def __init__(self, layer, row_shape, calls=1, training=True, step=3):
        self.layer, self.training, self.step = layer, training, step
        self.dtype = np.dtype(layer.dtype)
        layer.build_once((None, *row_shape))
        nodes = [Node(layer, (i,), (calls + i,)) for i in range(calls)]
        self.graph = Graph(nodes, range(calls), range(calls, 2 * calls))
        for variable in layer.variables:
            variable.frozen = not layer.trainable
        self.store = VariableStore(layer.variables, self.dtype)
        self.workspaces = Workspaces()

    @property
    def variables(self):
        return self.layer.variables

    def forward(self, *inputs, first_row=0, global_rows=None):
        rows = len(inputs[0]) if global_rows is None else global_rows
        ctx = ForwardContext(self.training, SEED, self.step, first_row, rows, self.workspaces)
        return self.graph.forward([read_only(x) for x in inputs], ctx)

    def outputs(self, *inputs, **rows):
        """Copies of the outputs."""
        outputs, _ = self.forward(*inputs, **rows)
        return [y.copy() for y in outputs]

    def gradients(self, inputs, dys, **rows):
        """Gradients of the inputs and of the variables."""
        _, tape = self.forward(*inputs, **rows)
        self.store.gradients.fill(np.nan)
        ctx = BackwardContext(self.workspaces)
        dxs = []
        for node, dy, saved in zip(self.graph.nodes, dys, tape.saved, strict=True):
            ctx.call = (node.inputs[0],)
            dxs.append(self.layer.backward(read_only(dy), saved, ctx).copy())
        return dxs, [v.grad.copy() for v in self.variables if v.is_trained]


def read_only(array):
    array = array.view()
    array.flags.writeable = False
    return array


def objective(run, inputs, dys):
    """The number whose gradients ``run.gradients`` gives."""
    return sum(np.vdot(dy, y) for dy, y in zip(dys, run.outputs(*inputs), strict=True))


def numerical_gradient(function, at, step=1e-6):
    """Central differences of ``function()`` by each entry of ``at``, which is changed in place and restored."""
    found = np.empty(at.shape)
    for i in np.ndindex(at.shape):
        kept = at[i]
        at[i] = kept + step
        above = function()
        at[i] = kept - step
        found[i] = (above - function()) / (2 * step)
        at[i] = kept
    return found


def relative_error(found, expected):
    scale = max(np.abs(found).max(initial=0), np.abs(expected).max(initial=0), 1e-12)
    return np.abs(found - expected).max(initial=0) / scale


def assert_gradients_are_right(run, row_shape, rows=4, calls=1, tolerance=1e-6):
    """Set the gradients of every input and variable against central differences."""
    inputs = [numbers(rows, *row_shape, seed=i) for i in range(calls)]
    dys = [numbers(*y.shape, seed=10 + i) for i, y in enumerate(run.outputs(*inputs))]
    dxs, dws = run.gradients(inputs, dys)
    for x, dx in zip(inputs, dxs, strict=True):
        assert relative_error(dx, numerical_gradient(lambda: objective(run, inputs, dys), x)) < tolerance
    trained = [v for v in run.variables if v.is_trained]
    for variable, dw in zip(trained, dws, strict=True):
        numerical = numerical_gradient(lambda: objective(run, inputs, dys), variable.value)
        assert relative_error(dw, numerical) < tolerance, variable.name
