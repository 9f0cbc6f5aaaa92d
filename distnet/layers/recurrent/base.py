"""What all recurrent layers share: the loop over time, masks, states, dropout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.matrix_products import by_blas
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.recurrent.over_time import OverTime, sequences_of
from distnet.layers.recurrent.time_steps import TimeSteps
from distnet.types import Array
from distnet.variables import Variable

FACTORS = "factors of dropout"
"""The option with the factors that all steps of a run share, by cell and purpose."""


@dataclass
class Run:
    """What forward saves for backward.

    Args:
        steps: the cell's own record.
        x: (T, N, I) the inputs in the order of the steps, after dropout.
        skipped: (T, N, 1) bool, true where a row's states stay unchanged; None if they never do.
        factors: (N, I) factors of the inputs' dropout, or None.
        has_given_states: whether the initial states came as inputs.
    """

    steps: TimeSteps
    x: Array
    skipped: Array | None
    factors: Array | None
    has_given_states: bool


class Recurrent(OverTime, ABC):
    """A cell run over time. A subclass has the fields, and ``steps``, the arithmetic of one time step.

    The sequences' mask also counts if there is an ``initial_state``, as in Keras 2; Keras 3.15.1 then ignores it.
    """

    keras_objects: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("simple_rnn_cell", "lstm_cell", "gru_cell", "conv_lstm_cell"), "cell"
    )
    gates: ClassVar[int]
    """Width of the kernels, in units."""
    cell_name: ClassVar[str]
    """Keras's name for the cell, part of the weights' paths."""
    is_of_cell: bool = False
    """Whether it computes for a cell that is a layer, and has the weights."""

    units: int
    use_bias: bool
    dropout: float
    recurrent_dropout: float
    seed: int | None
    time_major: bool

    @abstractmethod
    def steps(self, z: Array, states: list[Array], factors: Array | None, ctx: ForwardContext) -> TimeSteps:
        """The steps of one run; see ``TimeSteps``."""

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """Shape of the bias."""
        return (self.gates * self.units,)

    @property
    def input_bias(self) -> Array | None:
        """(gates units,) the bias of the inputs' part of the pre-activations."""
        return None if self.bias is None else self.bias.value

    def validate(self) -> None:
        if self.time_major:
            raise ArgumentError(f"{self.name}: expected time_major False, inputs (N, T, I), received True.")

    def build(self, shape: Any, ctx: BuildContext) -> None:
        features = self._features(shape)
        width = self.gates * self.units
        part = "" if self.is_of_cell else f"{self.cell_name}/"
        self.kernel = ctx.weight(self, "kernel", (features, width), f"{part}kernel")
        self.recurrent_kernel = ctx.weight(self, "recurrent", (self.units, width), f"{part}recurrent_kernel")
        self.bias: Variable | None = ctx.weight(self, "bias", self.bias_shape, f"{part}bias") if self.use_bias else None
        if self.stateful:
            self.make_states(sequences_of(shape)[0], [(self.units,)] * self.state_count)

    def check_shape(self, shape: Any) -> None:
        features = self._features(shape)
        if features != self.kernel.shape[0]:
            raise ShapeError(
                f"{self.name}: has weights for {self.kernel.shape[0]} features and cannot take inputs of {features}."
            )

    def compute_output_shape(self, shape: Any) -> Any:
        rows, steps = sequences_of(shape)[:2]
        y = (rows, steps, self.units) if self.return_sequences else (rows, self.units)
        return [y, *[(rows, self.units)] * self.state_count] if self.return_state else y

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, Any]:
        sequences, *given = x if isinstance(x, list) else [x]
        rows, count, features = sequences.shape
        factors = self._factors("dropout", self.dropout, (rows, features), sequences, ctx)
        fed = ctx.workspace("x", (count, rows, features), sequences.dtype)
        np.multiply(self.in_order(sequences), 1 if factors is None else factors, out=fed)
        z = ctx.workspace("z", (count, rows, self.gates * self.units), fed.dtype)
        flat = z.reshape(count * rows, z.shape[2])
        by_blas(fed.reshape(count * rows, features), self.kernel.value, out=flat)
        states = [
            ctx.workspace(f"state {i}", (count + 1, rows, self.units), fed.dtype) for i in range(self.state_count)
        ]
        first = given or self.kept_states(rows, ctx)
        for i, state in enumerate(states):
            state[0] = first[i] if first else 0
        on_the_way = self._factors("recurrent_dropout", self.recurrent_dropout, (rows, self.units), sequences, ctx)
        steps = self.steps(z, states, on_the_way, ctx)
        run = Run(steps, fed, self.skipped_steps(ctx.mask, sequences), factors, bool(given))
        steps.run(self.input_bias, run.skipped, ctx)
        self.keep_states([state[-1] for state in states], ctx)
        return self._outputs(run, ctx), run

    def backward(self, dy: Any, saved: Any, ctx: BackwardContext) -> Any:
        d = self._run_back(dy, saved, ctx)
        flat = saved.steps.dz.reshape(-1, saved.steps.dz.shape[2])
        ctx.add_product(self.kernel, saved.x.reshape(len(flat), saved.x.shape[2]).T, flat)
        if not ctx.needs_input_gradient:
            return [None] * (1 + len(d)) if saved.has_given_states else None
        dx = self._input_gradient(flat, saved, ctx)
        return [dx, *d] if saved.has_given_states else dx

    def _run_back(self, dy: Any, saved: Run, ctx: BackwardContext) -> list[Array]:
        """Run all time steps backward; return the gradients of the initial states."""
        steps, skipped = saved.steps, saved.skipped
        steps.start_backward(ctx)
        d, dy = self._state_gradients(dy, saved, ctx)
        of_steps = dy if self.return_sequences else None
        if of_steps is not None and skipped is not None and self.zero_output_for_mask:
            of_steps = np.where(skipped.swapaxes(0, 1), dy.dtype.type(0), dy)
        steps.run_back(d, of_steps, skipped, ctx)
        steps.add_gradients(ctx)
        return d

    def _input_gradient(self, dz: Array, saved: Run, ctx: BackwardContext) -> Array:
        count, rows, features = saved.x.shape
        in_order = ctx.workspace("dx in order", saved.x.shape, dz.dtype)
        by_blas(dz, self.kernel.value.T, out=in_order.reshape(len(dz), features))
        dx = ctx.workspace("dx", (rows, count, features), dz.dtype)
        np.multiply(in_order, 1 if saved.factors is None else saved.factors, out=self.in_order(dx))
        return dx

    def _outputs(self, run: Run, ctx: ForwardContext) -> Any:
        steps = run.steps
        if self.return_sequences:
            y = ctx.workspace("y", (steps.h.shape[1], steps.count, self.units), steps.h.dtype)
            np.copyto(y, steps.h[1:].swapaxes(0, 1))
            if self.zero_output_for_mask and run.skipped is not None:
                np.copyto(y, 0, where=run.skipped.swapaxes(0, 1))
        else:
            y = self._unless_zeroed(steps.h[-1], steps.count - 1, run.skipped)
        return [y, *(state[-1] for state in steps.states)] if self.return_state else y

    def _unless_zeroed(self, y: Array, t: int, skipped: Array | None) -> Array:
        """An output of step ``t``, or its gradient, with 0 in skipped rows if ``zero_output_for_mask``."""
        return y if skipped is None or not self.zero_output_for_mask else np.where(skipped[t], y.dtype.type(0), y)

    def _state_gradients(self, dy: Any, saved: Run, ctx: BackwardContext) -> tuple[list[Array], Array]:
        """Copies of the gradients of the last states, and that of the output."""
        states = saved.steps.states
        dy, *last = dy if isinstance(dy, list) else [dy]
        d = [ctx.workspace(f"d {i}", state.shape[1:], state.dtype) for i, state in enumerate(states)]
        for i, part in enumerate(d):
            part[...] = last[i] if last else 0
        if not self.return_sequences:
            d[0] += self._unless_zeroed(dy, saved.steps.count - 1, saved.skipped)
        return d, dy

    def _factors(
        self, purpose: str, rate: float, shape: tuple[int, int], x: Array, ctx: ForwardContext
    ) -> Array | None:
        """Dropout's factors: 0, or 1 / (1 - rate)."""
        if not ctx.training or rate == 0:
            return None
        of_run = ctx.options.get(FACTORS, {})
        if (id(self), purpose) in of_run:
            return cast(Array, of_run[id(self), purpose])
        bits = ctx.row_bits(purpose, *shape, self.seed)
        kept = bits < round((1 - rate) * 2**32)
        factors = of_run[id(self), purpose] = np.multiply(kept, 1 / (1 - rate) if rate < 1 else 0, dtype=x.dtype)
        return factors

    def _features(self, shape: Any) -> int:
        of_sequences = sequences_of(shape)
        features = of_sequences[-1]
        if len(of_sequences) != 3 or features is None:
            raise ShapeError(
                f"{self.name}: expected sequences of shape (N, T, features), received {of_sequences}. "
                "Reshape the rows to (steps, features), or put an Embedding before this layer."
            )
        for state in shape[1:] if isinstance(shape, list) else ():
            if len(state) != 2 or state[1] != self.units:
                raise ShapeError(f"{self.name}: expected initial states of shape (N, {self.units}), received {state}.")
        return features
