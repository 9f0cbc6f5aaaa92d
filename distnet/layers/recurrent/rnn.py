"""Any cell, run over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import LAYERS, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.structures import packed
from distnet.layers.recurrent.base import Recurrent, Run
from distnet.layers.recurrent.cell_calls import (
    build_cell,
    checked_cell,
    initial_state,
    output_width,
    run_back,
    run_cell,
    state_widths,
)
from distnet.layers.recurrent.cells import BuiltInCell
from distnet.layers.recurrent.first_states import FirstStates
from distnet.layers.recurrent.over_time import OverTime, sequences_of
from distnet.layers.recurrent.stacked_rnn_cells import StackedRNNCells
from distnet.layers.wrappers.base import Inner, Wrapper, WrapperRun
from distnet.registry import Resolved
from distnet.types import Array, Shape


@dataclass
class CellRun:
    """What forward saves for backward, besides each step's.

    Args:
        shape: of the sequences.
        skipped: (T, N, 1) bool, true where a row's states stay unchanged; None if they never do.
        states: those it began with.
        has_given_states: whether these came as inputs.
        first: where else they came from.
    """

    shape: tuple[int, ...]
    skipped: Array | None
    states: list[Array]
    has_given_states: bool
    first: FirstStates | None


def _as_cell(spec: Any) -> Layer:
    if not isinstance(spec, list | tuple):
        return LAYERS.get(spec)
    cells = [LAYERS.get(cell) for cell in spec]
    return StackedRNNCells(cells, dtype=cells[0].dtype) if cells else StackedRNNCells([])


@register_layer()
@dataclass(eq=False)
class RNN(Wrapper, OverTime):
    """Runs a cell over the time steps of sequences.

    A cell of your own is a layer with ``state_size``, the width of its state or a list of widths, and
    ``call(self, inputs, states)``, which returns its output and a list of the new states; also ``output_size``, where
    the output is not as wide as the first state, and ``get_initial_state(batch_size)``, where states begin otherwise
    than as 0.

    Shapes:
        (N, T, ...) -> (N, output_size), or (N, T, output_size) with ``return_sequences``; with ``return_state`` also
        the last states.

    Args:
        cell: ``SimpleRNNCell``, ``LSTMCell``, ``GRUCell`` or your own; a list of cells is stacked.
        return_sequences: whether to return the outputs of all steps, in order.
        return_state: whether to return the last states, too.
        go_backwards: whether to run from the last step to the first.
        stateful: whether a row of a batch begins with the states that the same row of the batch before ended with.
        unroll: ignored.
        zero_output_for_mask: whether a masked step outputs 0 instead of the first state before it.

    Source: ``keras.layers.RNN``.
    """

    attributes: ClassVar[tuple[str, ...]] = ("cell",)

    cell: Resolved[Layer] = Resolved(_as_cell, None)
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False

    @property
    def sublayers(self) -> list[Layer]:
        """The cell."""
        return [self.cell]

    @property
    def state_size(self) -> list[Any]:
        """The widths of the states; of stacked cells a list or number for each."""
        size = cast(Any, self.cell).state_size
        return list(size) if isinstance(size, list | tuple) else [size]

    @property
    def state_count(self) -> int:  # type: ignore[override]
        """Number of states."""
        return len(state_widths(self.cell))

    def validate(self) -> None:
        checked_cell(self.name, self.cell)
        super().validate()

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The states to begin with, of ``batch_size`` rows.

        Source: ``keras.layers.RNN.get_initial_state``.
        """
        made = initial_state(self.cell, batch_size)
        return list(made) if isinstance(made, list | tuple) else [made]

    def build(self, shape: Any, ctx: BuildContext) -> None:
        of_sequences = sequences_of(shape)
        if len(of_sequences) < 3:
            raise ShapeError(f"{self.name}: expected sequences of shape (N, T, features), received {of_sequences}.")
        build_cell(self.cell, (None, *of_sequences[2:]), ctx)
        self.fast = self._fast_layer()
        if self.stateful:
            self.make_states(of_sequences[0], [(width,) for width in state_widths(self.cell)])

    def _fast_layer(self) -> Recurrent | None:
        """The layer that runs a cell of distnet's without calling it at each step."""
        cell = self.cell
        if not isinstance(cell, BuiltInCell) or cell.is_by_call or type(cell).forward is not BuiltInCell.forward:
            return None
        if cell.activity_regularizer is not None:
            return None
        return cell.over_time(
            return_sequences=self.return_sequences,
            return_state=self.return_state or self.stateful,
            go_backwards=self.go_backwards,
            zero_output_for_mask=self.zero_output_for_mask,
        )

    def check_shape(self, shape: Any) -> None:
        of_sequences = sequences_of(shape)
        self.cell.build_once((None, *of_sequences[2:]))

    def compute_output_shape(self, shape: Any) -> Any:
        rows, steps = sequences_of(shape)[:2]
        width = output_width(self.cell)
        y: Shape = (rows, steps, width) if self.return_sequences else (rows, width)
        return [y, *((rows, width) for width in state_widths(self.cell))] if self.return_state else y

    def in_form(self, outputs: Sequence[Any]) -> Any:
        if not self.return_state:
            return outputs[0]
        return [outputs[0], *packed(self.state_size, outputs[1:])]

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, WrapperRun]:
        sequences, *given = x if isinstance(x, list) else [x]
        states, first = given or self.kept_states(len(sequences), ctx), None
        if not states and not isinstance(self.cell, BuiltInCell):
            first = FirstStates.of(self.cell, len(sequences), ctx)
            states = first.arrays
        if self.fast is not None:
            y, run = self.fast.forward([sequences, *states] if states else sequences, ctx)
            if self.stateful:
                self.keep_states(y[1:], ctx)
            is_list = isinstance(y, list) and self.return_state
            return (y if is_list or not self.stateful else y[0]), WrapperRun([], (run, bool(given)))
        skipped = self.skipped_steps(ctx.mask, sequences)
        states = states or [np.zeros((len(sequences), width), sequences.dtype) for width in state_widths(self.cell)]
        begun = [np.array(state) for state in states]  # which the layer may keep, and change
        outputs, last, inner = self._run(sequences, states, skipped, ctx)
        self.keep_states(last, ctx)
        y = np.stack(outputs, axis=1) if self.return_sequences else outputs[-1]
        saved = WrapperRun(inner, CellRun(sequences.shape, skipped, begun, bool(given), first))
        return ([y, *last] if self.return_state else y), saved

    def _run(
        self, sequences: Array, states: list[Array], skipped: Array | None, ctx: ForwardContext
    ) -> tuple[list[Array], list[Array], list[Inner]]:
        """All time steps in order: the outputs, the last states, and what ``backward`` needs of each."""
        if not sequences.shape[1]:
            raise ShapeError(f"{self.name}: expected sequences of at least one time step, received {sequences.shape}.")
        outputs, inner = [], []
        factors: dict[Any, Array] = {}
        for t, x in enumerate(self.in_order(sequences)):
            y, new, run = run_cell(self.cell, np.ascontiguousarray(x), states, ctx, t, factors)
            if skipped is not None:
                y = np.where(skipped[t], 0 if self.zero_output_for_mask else self._held(states, y), y)
                new = [np.where(skipped[t], old, part) for old, part in zip(states, new, strict=True)]
            states = new
            outputs.append(y)
            inner.append(run)
        return outputs, states, inner

    def _held(self, states: list[Array], y: Array) -> Array:
        """What a skipped step outputs: the first state before it, of stacked cells the last cell's."""
        held = states[self.number_held]
        if held.shape != y.shape:
            raise ArgumentError(
                f"{self.name}: a masked step outputs the first state before it, of shape {held.shape}; the cell's "
                f"outputs have {y.shape}. Use zero_output_for_mask=True."
            )
        return held

    @property
    def number_held(self) -> int:
        """Which of the states a skipped step outputs."""
        cell = self.cell
        return self.state_count - len(state_widths(cell.cells[-1])) if isinstance(cell, StackedRNNCells) else 0

    def backward(self, dy: Any, saved: WrapperRun, ctx: BackwardContext) -> Any:
        if self.fast is not None:
            return self._fast_backward(dy, saved.own[0], saved.own[1], ctx)
        run: CellRun = saved.own
        of_y, *last = dy if isinstance(dy, list) else [dy]
        dx = np.zeros(run.shape, of_y.dtype)
        steps = self.in_order(dx)
        none = np.zeros_like(of_y[:, 0] if self.return_sequences else of_y)
        d = last or [np.zeros((len(dx), width), dx.dtype) for width in state_widths(self.cell)]
        for t in range(len(steps) - 1, -1, -1):
            is_output = self.return_sequences or t == len(steps) - 1
            part = (of_y[:, t] if self.return_sequences else of_y) if is_output else none
            made, d = self._step_back(np.ascontiguousarray(part), d, t, saved, ctx)
            if made is not None:
                steps[t] = made
        if run.first is not None:
            run.first.add_gradients(d, self.cell, ctx)
        if not ctx.needs_input_gradient:
            return [None] * (1 + len(d)) if run.has_given_states else None
        return [dx, *d] if run.has_given_states else dx

    def _step_back(
        self, dy: Array, d: list[Array], t: int, saved: WrapperRun, ctx: BackwardContext
    ) -> tuple[Array | None, list[Array]]:
        skipped = None if saved.own.skipped is None else saved.own.skipped[t]
        if skipped is None:
            return run_back(self.cell, dy, d, saved.inner[t], ctx, t)
        dx, past = run_back(self.cell, dy * ~skipped, [part * ~skipped for part in d], saved.inner[t], ctx, t)
        past = [part + held * skipped for part, held in zip(past, d, strict=True)]
        if not self.zero_output_for_mask:
            past[self.number_held] = past[self.number_held] + dy * skipped
        return dx, past

    def _fast_backward(self, dy: Any, run: Run, has_given_states: bool, ctx: BackwardContext) -> Any:
        if self.stateful and not self.return_state:
            dy = [dy, *(np.zeros_like(state[-1]) for state in run.steps.states)]
        d = cast(Recurrent, self.fast).backward(dy, run, ctx)
        return d[0] if isinstance(d, list) and not has_given_states else d
