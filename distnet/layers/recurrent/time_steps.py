"""One run of a recurrent cell over time: what it computed at each step, and the gradients of that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np

from distnet.activations import sigmoid, tanh
from distnet.kernels.matrix_products import matmul
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.types import Array
from distnet.variables import Variable


class CellWeights(Protocol):
    """What the steps need of their layer: its weights."""

    units: int
    is_of_cell: bool
    recurrent_kernel: Variable
    bias: Variable | None


class TimeSteps(ABC):
    """The steps 0 ... T-1 of a run of N rows through a cell of U units and G gates.

    Args:
        layer: has the weights.
        z: (T, N, G U) the inputs' part of the gates' pre-activations; the steps add to it in place.
        states: (T + 1, N, U) each; entry 0 is given, step t reads entry t and writes entry t + 1. The
            first of them is the output.
        factors: (N, U) what recurrent dropout multiplies the output by on its way to the gates, or None.
        ctx: gives memory.
    """

    def __init__(
        self, layer: CellWeights, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext
    ) -> None:
        self.kernel, self.bias = layer.recurrent_kernel, layer.bias
        self.units, self.z, self.states, self.h, self.factors = layer.units, z, states, states[0], factors
        self.count, rows = z.shape[:2]
        self.product = ctx.workspace("product", z.shape[1:], z.dtype)
        self.scratch = ctx.workspace("scratch", (rows, self.units), z.dtype)
        self.fed = self.h[:-1]
        if factors is not None:
            self.fed = ctx.workspace("fed", (self.count, rows, self.units), z.dtype)
        # Laying out the kernel for compiled loops costs as much as a step of a cell that is called for each.
        is_single = layer.is_of_cell and self.count == 1
        is_loop = z.dtype.char in "fd" and rows > 0 and not is_single and self.is_compiled(layer)
        self.cells = ctx.kernels.cells if is_loop else None

    def is_compiled(self, layer: Any) -> bool:
        """Whether there may be a compiled loop over all steps for a layer with these activations."""
        return False

    def run(self, bias: Array | None, skipped: Array | None, ctx: ForwardContext) -> None:
        """Compute all steps in order.

        Args:
            bias: (G U,) is added to ``z`` first.
            skipped: (T, N, 1) bool, true where a row's states stay unchanged; None if they never do.
            ctx: gives memory.
        """
        ctx.kernels.bias_activation(self.z, bias, "linear")
        for t in range(self.count):
            self.forward(t)
            if skipped is not None:
                for state in self.states:
                    np.copyto(state[t + 1], state[t], where=skipped[t])

    def run_back(self, d: list[Array], dy: Array | None, skipped: Array | None, ctx: BackwardContext) -> None:
        """Overwrite ``d``, the gradients of the last states, with those of the first.

        Args:
            d: (N, U) each.
            dy: (N, T, U) gradients of the outputs of all steps; None where only the last states have some.
            skipped: as for ``run``.
            ctx: gives memory.
        """
        for t in range(self.count - 1, -1, -1):
            if dy is not None:
                d[0] += dy[:, t]
            if skipped is None:
                self.backward(t, d)
                continue
            past = [part * skipped[t] for part in d]
            for part, held in zip(d, past, strict=True):
                part -= held
            self.backward(t, d)
            for part, held in zip(d, past, strict=True):
                part += held

    @abstractmethod
    def forward(self, t: int) -> None:
        """Compute step ``t``."""

    @abstractmethod
    def backward(self, t: int, d: list[Array]) -> None:
        """Overwrite ``d``, (N, U) gradients of the states after step ``t``, with those of the states before it.

        The gradient of ``z[t]`` goes to ``dz[t]``.
        """

    def start_backward(self, ctx: BackwardContext) -> None:
        """Allocate the memory that ``backward`` writes to."""
        self.dz = ctx.workspace("dz", self.z.shape, self.z.dtype)

    def add_gradients(self, ctx: BackwardContext) -> None:
        """Add the gradients of recurrent kernel and bias, once all steps have gone backward."""
        rows = self.count * self.z.shape[1]
        dz = self.dz.reshape(rows, self.z.shape[2])
        ctx.add_product(self.kernel, self.fed.reshape(rows, self.units).T, dz)
        ctx.add_sum(self.bias, dz, axis=0)

    def feed(self, t: int) -> Array:
        """(N, U) the previous output after recurrent dropout, as the gates receive it."""
        if self.factors is not None:
            np.multiply(self.h[t], self.factors, out=self.fed[t])
        fed: Array = self.fed[t]
        return fed

    def recur(self, t: int) -> Array:
        """(N, G U) the previous output's part of the pre-activations."""
        return matmul(self.feed(t), self.kernel.value, out=self.product)

    def through_feed(self, dz: Array, kernel: Array, out: Array) -> Array:
        """Write the gradient of the previous output that comes through ``feed(t) @ kernel``."""
        matmul(dz, kernel.T, out=out)
        if self.factors is not None:
            out *= self.factors
        return out


def are_sigmoid_and_tanh(layer: Any) -> bool:
    """Whether a cell's gates and activation are those of compiled loops."""
    return bool(layer.recurrent_activation == sigmoid and layer.activation == tanh)
