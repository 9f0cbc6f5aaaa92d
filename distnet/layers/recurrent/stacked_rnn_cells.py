"""Cells one upon the other, as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from distnet.errors import ArgumentError
from distnet.layers.engine.base import LAYERS, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.structures import leaves, packed
from distnet.layers.engine.tracking import sublayers
from distnet.layers.recurrent.base import FACTORS
from distnet.layers.recurrent.cell_calls import (
    build_cell,
    checked_cell,
    initial_state,
    output_width,
    run_back,
    run_cell,
    state_widths,
)
from distnet.layers.wrappers.base import Holder, WrapperRun
from distnet.types import Array, Json


@register_layer()
@dataclass(eq=False)
class StackedRNNCells(Holder):
    """Cells of which each reads the output of the one before it.

    Shapes:
        inputs (N, I), a list of the states of each cell -> the last cell's output, and the new states.

    Args:
        cells: ``LSTMCell`` and the like, or your own.

    Source: ``keras.layers.StackedRNNCells``.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "states", "training")

    cells: Sequence[Any]

    def validate(self) -> None:
        if not isinstance(self.cells, list | tuple) or not self.cells:
            raise ArgumentError(f"{self.name}: cells: expected a list of cells, received {self.cells!r}.")
        self.cells = [checked_cell(self.name, LAYERS.get(cell)) for cell in self.cells]
        self.check_dtypes()

    @property
    def sublayers(self) -> list[Layer]:
        """The cells, each once."""
        return list(dict.fromkeys(cast("Sequence[Layer]", self.cells)))

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The cells by their classes, as in Keras's files."""
        return cast("list[tuple[str, Layer]]", sublayers(self))

    @property
    def state_size(self) -> list[Any]:
        """The widths of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The width of the last cell's output."""
        return output_width(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The states to begin with, of each cell.

        Source: ``keras.layers.StackedRNNCells.get_initial_state``.
        """
        return [initial_state(cell, batch_size) for cell in self.cells]

    def get_config(self) -> dict[str, Json]:
        """The cells with their modules, without which Keras 3 does not find them."""
        return {**super().get_config(), "cells": [LAYERS.with_module(cell.as_json()) for cell in self.cells]}

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Besides the inputs the ``states``."""
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        states = list(leaves(named.pop("states", None)))
        if len(states) != len(state_widths(self)):
            raise ArgumentError(f"{self.name}: expected states of the form {self.state_size}, received {len(states)}.")
        tensors, options = super().bind(inputs, **named)
        return [*tensors, *states], options

    def build(self, shape: Any, ctx: BuildContext) -> None:
        step = tuple(shape[0]) if isinstance(shape, list) else tuple(shape)
        for cell in self.cells:
            build_cell(cell, step, ctx)
            step = (step[0], output_width(cell))

    def check_shape(self, shape: Any) -> None:
        self.cells[0].build_once(tuple(shape[0]) if isinstance(shape, list) else tuple(shape))

    def compute_output_shape(self, shape: Any) -> Any:
        rows = (shape[0] if isinstance(shape, list) else shape)[0]
        return [(rows, width) for width in (self.output_size, *state_widths(self))]

    def in_form(self, outputs: Sequence[Any]) -> tuple[Any, Any]:
        return outputs[0], packed(self.state_size, outputs[1:])

    def forward(self, x: list[Array], ctx: ForwardContext) -> tuple[list[Array], WrapperRun]:
        y, *states = x
        factors = ctx.options.get(FACTORS, {})
        runs, made = [], []
        for i, cell in enumerate(self.cells):
            count = len(state_widths(cell))
            own, states = states[:count], states[count:]
            y, new, run = run_cell(cell, y, own, ctx, i, factors)
            made += new
            runs.append(run)
        return [y, *made], WrapperRun(runs, None)

    def backward(self, dy: list[Array], saved: WrapperRun, ctx: BackwardContext) -> list[Array | None]:
        d: Any
        d, *rest = dy
        past: list[Array] = []
        for i, cell in reversed(list(enumerate(self.cells))):
            count = len(state_widths(cell))
            rest, own = rest[: len(rest) - count], rest[len(rest) - count :]
            d, of_cell = run_back(cell, d, own, saved.inner[i], ctx, i)
            past = [*of_cell, *past]
        return [d, *past] if ctx.needs_input_gradient else [None] * (1 + len(past))

    def penalty(self, saved: WrapperRun) -> float:
        """The activity penalties of the cells."""
        return sum(inner.penalty for inner in saved.inner)
