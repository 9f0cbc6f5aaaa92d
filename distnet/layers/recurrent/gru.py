"""The gated recurrent unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import check_option
from distnet.kernels.matrix_products import matmul
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.field_blocks import Units
from distnet.layers.recurrent.base import Recurrent
from distnet.layers.recurrent.cell_fields import Gated, Initialized, Restrained, Seeded, Unrolled
from distnet.layers.recurrent.gate_activations import gates
from distnet.layers.recurrent.time_steps import TimeSteps, are_sigmoid_and_tanh
from distnet.registry import LEFT_OUT
from distnet.types import Array


@register_layer("CuDNNGRU")
@dataclass(eq=False)
class GRU(Unrolled, Seeded, Restrained, Initialized, Gated, Units, Recurrent):
    """A cell that mixes its last output with a candidate made of part of it.

    ``z, r = s(x W + h U + b)``, ``h' = z h + (1 - z) g`` with the candidate ``g = a(x W + b + r (h U + b'))`` where
    ``reset_after``, else ``g = a(x W + b + (r h) U)``; the columns of W, U and b are those of z, r, g.

    Shapes:
        (N, T, I) -> (N, units), or (N, T, units) with ``return_sequences``; the state h is (N, units).

    Args:
        activation, recurrent_activation: a and s.
        reset_after: see above; the bias is (2, 3 units) then, else (3 units,). False in Keras up to 2.2.
        use_cudnn: ignored.

    Source: Cho et al., 2014 (arXiv:1406.1078v1 and v3); ``keras.layers.GRU``.
    """

    gates: ClassVar[int] = 3
    cell_name: ClassVar[str] = "gru_cell"

    reset_after: bool = True
    use_cudnn: bool | str = field(default="auto", metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        check_option(f"{self.name}: use_cudnn", self.use_cudnn, ("auto", True, False))

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """Two rows with ``reset_after``: one for the inputs, one for the last output."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def input_bias(self) -> Array | None:
        """(3 units,) the bias of the inputs' part: all that ``r`` does not multiply."""
        if self.bias is None or not self.reset_after:
            return super().input_bias
        bias: Array = self.bias.value[0].copy()
        bias[: 2 * self.units] += self.bias.value[1, : 2 * self.units]
        return bias

    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> TimeSteps:
        return (ResetAfter if self.reset_after else ResetBefore)(self, z, states, factors, ctx)


CuDNNGRU = GRU
"""Keras 2's name for the layer as NVIDIA's library computes it; files store its weights in another layout."""


class GRUSteps(TimeSteps):
    """What both kinds of ``GRU`` do in a time step."""

    def __init__(self, layer: GRU, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> None:
        super().__init__(layer, z, states, factors, ctx)
        u, s = layer.units, layer.recurrent_activation
        self.keep, self.reset, self.new, self.both = slice(0, u), slice(u, 2 * u), slice(2 * u, 3 * u), slice(0, 2 * u)
        self.of_gates = gates("gates", z[:, :, self.both], (s, s), ctx)
        self.candidate = gates("candidate", z[:, :, self.new], (layer.activation,), ctx)

    def mix(self, t: int, both: Array) -> None:
        """Write the output: ``z h + (1 - z) g = g + z (h - g)``."""
        g = self.candidate.forward(t)
        out = np.subtract(self.h[t], g, out=self.h[t + 1])
        out *= both[:, self.keep]
        out += g

    def unmix(self, t: int, dh: Array) -> None:
        """Write the gradients of z and of the candidate's pre-activation; leave the direct gradient of h in ``dh``."""
        dz = self.dz[t]
        dkeep, dnew = dz[:, self.keep], dz[:, self.new]
        np.subtract(self.h[t], self.candidate.y[t], out=dkeep)
        dkeep *= dh
        past = np.multiply(dh, self.of_gates.y[t][:, self.keep], out=self.scratch)
        np.subtract(dh, past, out=dnew)
        self.candidate.backward(t, dnew)
        np.copyto(dh, past)


class ResetAfter(GRUSteps):
    """The steps of a ``GRU`` whose reset gate acts on ``h U + b'``."""

    def __init__(self, layer: GRU, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> None:
        super().__init__(layer, z, states, factors, ctx)
        self.inner = ctx.workspace("inner", z.shape, z.dtype)
        self.inner_bias = None if self.bias is None else self.bias.value[1, self.new]

    def is_compiled(self, layer: Any) -> bool:
        return are_sigmoid_and_tanh(layer)

    def run(self, bias: Array | None, skipped: Array | None, ctx: ForwardContext) -> None:
        if self.cells is None:
            return super().run(bias, skipped, ctx)
        kernel, factors, fed = self.kernel.value, self.factors, self.fed
        self.cells.gru(self.z, bias, self.inner_bias, kernel, self.h, self.inner, factors, fed, skipped, ctx)

    def run_back(self, d: list[Array], dy: Array | None, skipped: Array | None, ctx: BackwardContext) -> None:
        if self.cells is None:
            return super().run_back(d, dy, skipped, ctx)
        kernel, factors = self.kernel.value, self.factors
        self.cells.gru_back(self.z, dy, kernel, self.h, self.inner, factors, skipped, d, self.dz, self.dinner, ctx)

    def forward(self, t: int) -> None:
        inner = matmul(self.feed(t), self.kernel.value, out=self.inner[t])
        if self.inner_bias is not None:
            inner[:, self.new] += self.inner_bias
        self.z[t][:, self.both] += inner[:, self.both]
        both = self.of_gates.forward(t)
        self.z[t][:, self.new] += np.multiply(both[:, self.reset], inner[:, self.new], out=self.scratch)
        self.mix(t, both)

    def start_backward(self, ctx: BackwardContext) -> None:
        super().start_backward(ctx)
        self.dinner = ctx.workspace("dinner", self.z.shape, self.z.dtype)
        self.dfed = ctx.workspace("dfed", self.scratch.shape, self.z.dtype)

    def backward(self, t: int, d: list[Array]) -> None:
        (dh,), dz, dinner = d, self.dz[t], self.dinner[t]
        self.unmix(t, dh)
        np.multiply(dz[:, self.new], self.inner[t][:, self.new], out=dz[:, self.reset])
        self.of_gates.backward(t, dz[:, self.both])
        dinner[:, self.both] = dz[:, self.both]
        np.multiply(dz[:, self.new], self.of_gates.y[t][:, self.reset], out=dinner[:, self.new])
        dh += self.through_feed(dinner, self.kernel.value, out=self.dfed)

    def add_gradients(self, ctx: BackwardContext) -> None:
        rows, width = self.count * self.z.shape[1], self.z.shape[2]
        dinner = self.dinner.reshape(rows, width)
        ctx.add_product(self.kernel, self.fed.reshape(rows, self.units).T, dinner)
        if self.bias is not None and self.bias.is_trained:
            ctx.add(self.bias, np.stack([self.dz.reshape(rows, width).sum(axis=0), dinner.sum(axis=0)]))


class ResetBefore(GRUSteps):
    """The steps of a ``GRU`` whose reset gate acts on h."""

    def __init__(self, layer: GRU, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> None:
        super().__init__(layer, z, states, factors, ctx)
        rows = z.shape[1]
        self.left = ctx.workspace("left", (self.count, rows, self.units), z.dtype)
        self.product = ctx.workspace("product", (rows, 2 * self.units), z.dtype)

    def forward(self, t: int) -> None:
        fed, kernel = self.feed(t), self.kernel.value
        self.z[t][:, self.both] += matmul(fed, kernel[:, self.both], out=self.product)
        both = self.of_gates.forward(t)
        left = np.multiply(both[:, self.reset], fed, out=self.left[t])
        self.z[t][:, self.new] += matmul(left, kernel[:, self.new], out=self.scratch)
        self.mix(t, both)

    def start_backward(self, ctx: BackwardContext) -> None:
        super().start_backward(ctx)
        self.dleft = ctx.workspace("dleft", self.scratch.shape, self.z.dtype)

    def backward(self, t: int, d: list[Array]) -> None:
        (dh,), dz, kernel = d, self.dz[t], self.kernel.value
        self.unmix(t, dh)
        dleft = matmul(dz[:, self.new], kernel[:, self.new].T, out=self.dleft)
        np.multiply(dleft, self.fed[t], out=dz[:, self.reset])
        self.of_gates.backward(t, dz[:, self.both])
        dleft *= self.of_gates.y[t][:, self.reset]
        if self.factors is not None:
            dleft *= self.factors
        dh += dleft
        dh += self.through_feed(dz[:, self.both], kernel[:, self.both], out=self.dleft)

    def add_gradients(self, ctx: BackwardContext) -> None:
        rows = self.count * self.z.shape[1]
        dz = self.dz.reshape(rows, self.z.shape[2])
        ctx.add_sum(self.bias, dz, axis=0)
        if self.kernel.is_trained:
            gradient = ctx.workspace("dkernel", self.kernel.shape, dz.dtype)
            fed, left = self.fed.reshape(rows, self.units), self.left.reshape(rows, self.units)
            matmul(fed.T, dz[:, self.both], out=gradient[:, self.both])
            matmul(left.T, dz[:, self.new], out=gradient[:, self.new])
            ctx.add(self.kernel, gradient)
