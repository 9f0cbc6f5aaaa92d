"""Check that the gradient of your own layer is that of its forward."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from distnet import addresses
from distnet.arguments import as_numbers
from distnet.errors import ArgumentError, GradientError
from distnet.layers import Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.models.graph import Graph
from distnet.models.node import Node
from distnet.types import Array, ArrayLike
from distnet.variables import VariableStore


def check_gradients(
    layer: Layer, *inputs: ArrayLike, training: bool = True, tolerance: float = 1e-6, seed: int = 0
) -> dict[str, float]:
    """Compare the gradients of ``backward`` with central differences of ``forward``, for each input and each weight.

    >>> from distnet import layers
    >>> errors = check_gradients(layers.Dense(2, dtype="float64"), np.ones((3, 4)))
    >>> sorted(errors), max(errors.values()) < 1e-6
    (['bias', 'input 0', 'kernel'], True)

    Args:
        layer: made with ``dtype="float64"``: differences of small numbers need the digits.
        inputs: what it is called on: few rows of few numbers, since each number is changed twice.
        training: the mode; random numbers are those of one step.
        tolerance: the largest relative error.
        seed: of the random numbers, and of the gradient passed to ``backward``.

    Returns:
        The relative error of each input and weight.

    Raises:
        GradientError: an error exceeds ``tolerance``.
        ArgumentError: the layer computes in another dtype, or the inputs are not numbers.
    """
    if layer.dtype != "float64":
        raise ArgumentError(f"{layer.name}: expected dtype='float64' to check gradients, received {layer.dtype!r}.")
    arrays = [as_numbers(f"{layer.name}: input {i}", x) for i, x in enumerate(inputs)]
    arrays = [x.copy() if layer.takes_integers and x.dtype.kind in "iu" else x.astype(np.float64) for x in arrays]
    run = _Run(layer, arrays, training, seed)
    errors: dict[str, float] = {}
    for name, at, gradient in run.gradients(arrays):
        expected = numerical_gradient(lambda: run.objective(arrays), at)
        errors[name] = relative_error(gradient, expected)
        if not errors[name] <= tolerance:
            raise GradientError(
                f"{layer.name}: backward's gradient of {name} differs from that of forward by {errors[name]:.1e} of "
                f"its largest entry, more than {tolerance:.0e}. Expected {_brief(expected)}, received "
                f"{_brief(gradient)}."
            )
    return errors


def numerical_gradient(function: Callable[[], float], at: Array, step: float = 1e-6) -> Array:
    """Central differences of ``function()`` for each entry of ``at``, which is changed in place and restored."""
    gradient = np.empty(at.shape)
    for i in np.ndindex(at.shape):
        kept = at[i]
        at[i] = kept + step
        above = function()
        at[i] = kept - step
        gradient[i] = (above - function()) / (2 * step)
        at[i] = kept
    return gradient


def relative_error(received: Array, expected: Array) -> float:
    """The largest difference, divided by the largest entry."""
    scale = max(np.abs(received).max(initial=0), np.abs(expected).max(initial=0), 1e-12)
    return float(np.abs(received - expected).max(initial=0) / scale)


class _Run:
    """One call of a layer in a graph of its own, and a number that depends on all of its outputs."""

    def __init__(self, layer: Layer, inputs: list[Array], training: bool, seed: int) -> None:
        shapes = [(None, *x.shape[1:]) for x in inputs]
        layer.build_once(shapes if len(shapes) > 1 else shapes[0])
        made = layer.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
        n, m = len(inputs), len(made) if isinstance(made, list) else 1
        self.graph = Graph([Node(layer, tuple(range(n)), tuple(range(n, n + m)))], range(n), range(n, n + m))
        self.trained = [v for v in layer.variables if v.is_trained and layer.trainable]
        self.store = VariableStore(layer.variables, np.dtype(layer.dtype))
        self.training, self.seed = training, seed
        self.workspaces = Workspaces()
        rng = addresses.generator(seed, "check gradients")
        self.dys = [rng.standard_normal(y.shape) for y in self.outputs(inputs)]

    def outputs(self, inputs: list[Array]) -> list[Array]:
        """The outputs, valid until the next call."""
        ctx = ForwardContext(self.training, self.seed, 0, 0, len(inputs[0]), self.workspaces)
        outputs, self.tape = self.graph.forward(inputs, ctx)
        return outputs

    def objective(self, inputs: list[Array]) -> float:
        """The number that ``gradients`` differentiates; activity penalties are part of it."""
        outputs = self.outputs(inputs)
        return float(sum(np.vdot(dy, y) for dy, y in zip(self.dys, outputs, strict=True)) + self.tape.penalty)

    def gradients(self, inputs: list[Array]) -> list[tuple[str, Array, Array]]:
        """For each numeric input and each weight: its name, its value, its gradient."""
        self.outputs(inputs)
        ctx = BackwardContext(self.workspaces)
        dxs = self.graph.backward(self.tape, self.dys, ctx)
        gradients = [
            (f"input {i}", x, np.zeros_like(x) if dx is None else dx.copy())
            for i, (x, dx) in enumerate(zip(inputs, dxs, strict=True))
            if x.dtype.kind == "f"
        ]
        return gradients + [(v.name, v.value, v.grad.copy()) for v in self.trained]


def _brief(array: Array) -> str:
    return np.array2string(array.reshape(-1)[:4], precision=4)
