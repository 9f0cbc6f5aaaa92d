"""Long short-term memory whose products are convolutions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import config
from distnet.errors import ShapeError
from distnet.kernels import patches
from distnet.kernels.windows import Windows, as_volumes
from distnet.layers.convolutional import kernel_gradients
from distnet.layers.convolutional.base import Dilated, Filters
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.channels import AXES
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.sliding import Sliding, checked_sliding
from distnet.layers.recurrent.base import Recurrent, Run
from distnet.layers.recurrent.cell_fields import Forgetting, Gated, OutputFields, Restrained, Seeded
from distnet.layers.recurrent.lstm import LSTMSteps
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape
from distnet.variables import Variable


@dataclass(eq=False)
class ConvLSTM(OutputFields, Seeded, Restrained, Forgetting, Gated, Dilated, Filters, Recurrent):
    """An ``LSTM`` whose inputs and states are sequences, images or volumes, and whose products are convolutions.

    ``i, f, o = s(x * W + h * U + b)``, ``g = a(x * W + h * U + b)``, ``c' = f c + i g``, ``h' = o a(c')``.

    Args:
        filters: channels of the states.
        kernel_size: entries of both kernels, one number or one for each axis.
        strides, padding, dilation_rate: of the convolution of the inputs; that of the states keeps their extents.
        data_format: ``"channels_last"``, inputs (N, T, ..., C), or ``"channels_first"``, (N, T, C, ...).
        activation, recurrent_activation: a and s.
        unroll: ignored.

    Source: Shi et al., 2015 (arXiv:1506.04214).
    """

    gates: ClassVar[int] = 4
    state_count: ClassVar[int] = 2
    cell_name: ClassVar[str] = "conv_lstm_cell"
    rank: ClassVar[int]

    unroll: bool = field(default=False, kw_only=True, metadata=LEFT_OUT)

    def validate(self) -> None:
        self.units = self.filters
        super().validate()
        self.data_format = config.data_format(self.data_format, self.name)
        self.sliding = checked_sliding(self, ("valid", "same"))
        self.between_states = Sliding(self.name, self.sliding.taps, (1,) * self.rank, "same")

    def build(self, shape: Any, ctx: BuildContext) -> None:
        _, *places, channels = self._step_shape(shape)
        if None in (*places, channels):
            raise ShapeError(f"{self.name}: expected inputs of known extents but for the steps, received {shape}.")
        width = self.gates * self.filters
        self.kernel = ctx.weight(
            self, "kernel", (*self.sliding.taps, int(channels or 0), width), f"{self.cell_name}/kernel"
        )
        self.recurrent_kernel = ctx.weight(
            self, "recurrent", (*self.sliding.taps, self.filters, width), f"{self.cell_name}/recurrent_kernel"
        )
        self.bias: Variable | None = None
        if self.use_bias:
            self.bias = ctx.weight(self, "bias", (width,), f"{self.cell_name}/bias")
            if self.unit_forget_bias:
                self.bias.value[self.filters : 2 * self.filters] = 1
        if self.stateful:
            rows, *inner = self._state_shape(shape)
            self.make_states(rows, [tuple(inner)] * self.state_count)

    def check_shape(self, shape: Any) -> None:
        channels = self._step_shape(shape)[-1]
        if channels != self.kernel.shape[-2]:
            raise ShapeError(
                f"{self.name}: has weights for {self.kernel.shape[-2]} channels and cannot take inputs of {channels}."
            )

    def compute_output_shape(self, shape: Any) -> Any:
        steps = (shape[0] if isinstance(shape, list) else shape)[1]
        rows, *state = self._state_shape(shape)
        y = (rows, steps, *state) if self.return_sequences else (rows, *state)
        return [y, *[(rows, *state)] * self.state_count] if self.return_state else y

    def _state_shape(self, shape: Any) -> Shape:
        of_step = self._step_shape(shape)
        inner = self.sliding.output_extents(of_step)
        return (of_step[0], self.filters, *inner) if self._is_first else (of_step[0], *inner, self.filters)

    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> ConvLSTMSteps:
        return ConvLSTMSteps(self, z, states, factors, ctx)

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, tuple[Run, Windows]]:
        sequences, *given = x if isinstance(x, list) else [x]
        self._step_shape(sequences.shape)
        images = self._last(sequences, 2)
        (rows, count), row = images.shape[:2], images.shape[2:]
        factors = self._factors("dropout", self.dropout, (rows, math.prod(row)), sequences, ctx)
        if factors is not None:
            factors = factors.reshape(rows, *row)
        fed = ctx.workspace("x", (count, rows, *row), sequences.dtype)
        np.multiply(self.in_order(images), 1 if factors is None else factors, out=fed)
        windows = self.sliding.windows((count * rows, *row))
        z = ctx.workspace("z", (count * rows, *windows.shape, self.gates * self.filters), fed.dtype)
        patches.convolve(_volumes(fed), self.kernel.value, windows, 1, z, ctx)
        places = math.prod(windows.shape)
        states = [
            ctx.workspace(f"state {i}", (count + 1, rows * places, self.filters), fed.dtype)
            for i in range(self.state_count)
        ]
        first = given or self.kept_states(rows, ctx)
        for i, state in enumerate(states):
            state[0] = self._last(first[i], 1).reshape(state[0].shape) if first else 0
        wide = (rows, places * self.filters)
        on_the_way = self._factors("recurrent_dropout", self.recurrent_dropout, wide, sequences, ctx)
        if on_the_way is not None:
            on_the_way = on_the_way.reshape(rows * places, self.filters)
        inner = self._inner(windows)
        steps = self.steps(z.reshape(count, rows * places, z.shape[-1]), states, on_the_way, ctx)
        steps.slide(self.between_states.windows((rows, *inner, self.filters)), rows, ctx)
        skipped = self.skipped_steps(ctx.mask, images)
        run = Run(steps, fed, None if skipped is None else np.repeat(skipped, places, axis=1), factors, bool(given))
        steps.run(self.input_bias, run.skipped, ctx)
        self.keep_states([self._as_states(state[-1], (rows, *inner)) for state in states], ctx)
        made = self._outputs(run, ctx)
        parts = [self._as_states(part, (rows, *inner)) for part in (made if isinstance(made, list) else [made])]
        return parts if isinstance(made, list) else parts[0], (run, windows)

    def backward(self, dy: Any, saved: tuple[Run, Windows], ctx: BackwardContext) -> Any:
        run, windows = saved
        parts = [self._as_rows(part, run) for part in (dy if isinstance(dy, list) else [dy])]
        d = self._run_back(parts if isinstance(dy, list) else parts[0], run, ctx)
        (count, rows), row = run.x.shape[:2], run.x.shape[2:]
        dz = run.steps.dz.reshape(count * rows, *windows.shape, self.gates * self.filters)
        kernel_gradients.add_dense(_volumes(run.x), dz, windows, 1, self.kernel, ctx)
        if not ctx.needs_input_gradient:
            return [None] * (1 + len(d)) if run.has_given_states else None
        in_order = ctx.workspace("dx in order", _volumes(run.x).shape, dz.dtype)
        patches.convolve_back(dz, self.kernel.value, windows, 1, in_order, ctx)
        dx = ctx.workspace("dx", (rows, count, *row), dz.dtype)
        factors = 1 if run.factors is None else run.factors
        np.multiply(in_order.reshape(count, rows, *row), factors, out=self.in_order(dx))
        dx = self._first(dx, 2)
        if not run.has_given_states:
            return dx
        inner = self._inner(windows)
        return [dx, *(self._as_states(part, (rows, *inner)) for part in d)]

    def _as_states(self, y: Array, rows: tuple[int, ...]) -> Array:
        """(N P, F) as (N, ..., F), and (N P, T, F) as (N, T, ..., F), in the data format; contiguous."""
        volumes = y.reshape(*rows, *y.shape[1:])
        if y.ndim == 3:
            volumes = np.moveaxis(volumes, -2, 1)
        return np.ascontiguousarray(self._first(volumes, y.ndim - 1))

    def _as_rows(self, dy: Array | None, run: Run) -> Array | None:
        """The inverse of ``_as_states``."""
        if dy is None:
            return None
        has_steps = dy.ndim == self.rank + 3
        volumes = self._last(dy, 2 if has_steps else 1)
        if has_steps:
            volumes = np.moveaxis(volumes, 1, -2)
            return np.ascontiguousarray(volumes).reshape(run.steps.h.shape[1], *volumes.shape[-2:])
        return np.ascontiguousarray(volumes).reshape(run.steps.h.shape[1], self.filters)

    def _inner(self, windows: Windows) -> tuple[int, ...]:
        """Extents of the states."""
        return windows.shape if self.rank == 3 else windows.shape[1 : 1 + self.rank]

    @property
    def _is_first(self) -> bool:
        return self.data_format == "channels_first"

    def _last(self, x: Array, axis: int) -> Array:
        """View of ``x`` with the channels last; with channels first, they are ``axis``."""
        return np.moveaxis(x, axis, -1) if self._is_first else x

    def _first(self, x: Array, axis: int) -> Array:
        return np.moveaxis(x, -1, axis) if self._is_first else x

    def _step_shape(self, shape: Any) -> Shape:
        """(N, ..., C) of one step of the sequences."""
        of_sequences = tuple(shape[0]) if isinstance(shape, list) else tuple(shape)
        if len(of_sequences) != self.rank + 3:
            axes = ", ".join(("channels", *AXES[self.rank]) if self._is_first else (*AXES[self.rank], "channels"))
            raise ShapeError(f"{self.name}: expected inputs of shape (batch, time, {axes}), received {of_sequences}.")
        rows, _, *row = of_sequences
        return (rows, *row[1:], row[0]) if self._is_first else (rows, *row)


class ConvLSTMSteps(LSTMSteps):
    """The steps of a ``ConvLSTM``; a row here is one place of an image."""

    def is_compiled(self, layer: Any) -> bool:
        return False

    def slide(self, windows: Windows, rows: int, ctx: ForwardContext) -> None:
        """Set the windows of the states, and the number of images whose places are the rows."""
        self.windows, self.ctx = windows, ctx
        self.image = (rows, *windows.shape)

    def recur(self, t: int) -> Array:
        fed = self.feed(t).reshape(*self.image, self.units)
        out = self.product.reshape(*self.image, self.product.shape[1])
        patches.convolve(fed, self.kernel.value, self.windows, 1, out, self.ctx)
        return self.product

    def start_backward(self, ctx: BackwardContext) -> None:
        super().start_backward(ctx)
        self.ctx_back = ctx

    def through_feed(self, dz: Array, kernel: Array, out: Array) -> Array:
        of_images = np.ascontiguousarray(dz).reshape(*self.image, dz.shape[1])
        patches.convolve_back(of_images, kernel, self.windows, 1, out.reshape(*self.image, self.units), self.ctx_back)
        if self.factors is not None:
            out *= self.factors
        return out

    def add_gradients(self, ctx: BackwardContext) -> None:
        images = (self.count * self.image[0], *self.image[1:])
        fed, dz = self.fed.reshape(*images, self.units), self.dz.reshape(*images, self.dz.shape[2])
        kernel_gradients.add_dense(fed, dz, self.windows, 1, self.kernel, ctx)
        ctx.add_sum(self.bias, dz.reshape(-1, dz.shape[-1]), axis=0)


def _volumes(fed: Array) -> Array:
    """(T, N, ..., C) as T N volumes."""
    return as_volumes(fed.reshape(fed.shape[0] * fed.shape[1], *fed.shape[2:]))


@register_layer()
@dataclass(eq=False)
class ConvLSTM1D(ConvLSTM):
    """Convolutional LSTM over time, of sequences.

    Shapes:
        (N, T, S, C) -> (N, S', filters), or (N, T, S', filters) with ``return_sequences``.

    Source: ``keras.layers.ConvLSTM1D``.
    """

    rank: ClassVar[int] = 1


@register_layer()
@dataclass(eq=False)
class ConvLSTM2D(ConvLSTM):
    """Convolutional LSTM over time, of images.

    Shapes:
        (N, T, H, W, C) -> (N, H', W', filters), or (N, T, H', W', filters) with ``return_sequences``.

    Source: ``keras.layers.ConvLSTM2D``.
    """

    rank: ClassVar[int] = 2


@register_layer()
@dataclass(eq=False)
class ConvLSTM3D(ConvLSTM):
    """Convolutional LSTM over time, of volumes.

    Shapes:
        (N, T, D, H, W, C) -> (N, D', H', W', filters), or (N, T, D', H', W', filters) with ``return_sequences``.

    Source: ``keras.layers.ConvLSTM3D``.
    """

    rank: ClassVar[int] = 3
