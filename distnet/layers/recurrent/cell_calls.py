"""How a cell is called, whether it has ``forward`` or a user's ``call``: states one after the other, in flat lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine import trial
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.structures import Slot, leaves, packed
from distnet.layers.recurrent.base import FACTORS
from distnet.layers.wrappers import base as wrapper
from distnet.layers.wrappers.base import Inner
from distnet.types import Array, Shape


def state_widths(cell: Layer) -> list[int]:
    """The widths of a cell's states."""
    return list(leaves(cell.state_size))  # type: ignore[attr-defined]


def output_width(cell: Layer) -> int:
    """The width of a cell's output."""
    width: int | None = getattr(cell, "output_size", None)
    return state_widths(cell)[0] if width is None else width


def initial_state(cell: Any, rows: int | None) -> Any:
    """The state to begin with, or a list of the states."""
    if hasattr(cell, "get_initial_state"):
        return cell.get_initial_state(batch_size=rows)
    zeros = [np.zeros((rows or 0, width), cell.dtype) for width in state_widths(cell)]
    return packed([cell.state_size], zeros)[0]


def checked_cell(where: str, cell: Any) -> Layer:
    """The cell.

    Raises:
        ArgumentError: it is none.
    """
    if not isinstance(cell, Layer) or not hasattr(cell, "state_size"):
        raise ArgumentError(
            f"{where}: expected a cell, such as LSTMCell(8), or a layer of your own with state_size and "
            f"call(inputs, states), received {cell!r}."
        )
    widths = list(leaves(cell.state_size))
    if not widths or not all(isinstance(width, int | np.integer) for width in widths):
        raise ArgumentError(
            f"{where}: expected as state_size of {cell.name} an integer, or a list of one for each state, received "
            f"{cell.state_size!r}."
        )
    return cell


def build_cell(cell: Layer, step: Shape, ctx: BuildContext) -> None:
    """Build a cell for inputs of the shape of one ``step``, with the layers within it."""
    cell.build_once(step, ctx.within(cell.name))
    if cell.is_by_call:
        shapes = [step, *((step[0], width) for width in state_widths(cell))]
        inputs = [trial.Spec(shape, cell.dtype) for shape in shapes]
        trial.build_within(cell, trial.Tried(inputs, _arguments(cell)))


def run_cell(
    cell: Layer, x: Array, states: Sequence[Array], ctx: ForwardContext, number: int, factors: dict[Any, Array]
) -> tuple[Array, list[Array], Inner]:
    """One step: the output, the new states, and what ``run_back`` needs.

    Args:
        number: of the step, or of the cell among others.
        factors: of dropout, which all steps of a run share.

    Raises:
        ArgumentError: the cell gives another number of states.
    """
    within = replace(ctx.within(number), options={FACTORS: factors})
    if cell.is_by_call:
        within.options = {"arguments": _arguments(cell)}
    y, inner = wrapper.forward(cell, [x, *states], within, ctx.global_rows)
    parts = y if isinstance(y, list) else [y]
    if len(parts) != 1 + len(states):
        raise ArgumentError(
            f"{cell.name}: expected call to return its output and a list of {len(states)} states, received "
            f"{len(parts)} tensors."
        )
    return parts[0], parts[1:], inner


def run_back(
    cell: Layer, dy: Array, d: Sequence[Array], inner: Inner, ctx: BackwardContext, number: int
) -> tuple[Array | None, list[Array]]:
    """The gradients of a step's inputs and the states before it, given those of its output and the states after it."""
    within = ctx.within(number)
    within.needs_input_gradient = True
    dx, *past = wrapper.backward(cell, [dy, *d], inner, within)
    return dx, [np.zeros_like(part) if gradient is None else gradient for part, gradient in zip(d, past, strict=True)]


def _arguments(cell: Layer) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Slots for what a user's ``call(inputs, states)`` gets."""
    return (Slot(0), [Slot(1 + i) for i in range(len(state_widths(cell)))]), {}
