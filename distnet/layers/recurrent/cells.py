"""The cells of the recurrent layers: one time step, as a layer."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import whole_number
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import Units
from distnet.layers.engine.structures import leaves
from distnet.layers.recurrent.base import Recurrent
from distnet.layers.recurrent.cell_fields import Forgetting, Gated, Initialized, Restrained, Seeded
from distnet.layers.recurrent.gru import GRU
from distnet.layers.recurrent.lstm import LSTM
from distnet.layers.recurrent.simple_rnn import SimpleRNN, SingleActivation
from distnet.registry import IF_SET
from distnet.results import as_result
from distnet.types import Array

_OF_ALL_LAYERS = {f.name for f in dataclasses.fields(Layer)}


@dataclass(eq=False)
class BuiltInCell(Layer, ABC):
    """One time step of a recurrent layer: of inputs and states it makes its output and a list of the new states.

    Shapes:
        inputs (N, I), states (N, units) each -> (N, units), and the states.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "states", "training")
    taken_by_name: ClassVar[tuple[str, ...]] = ("activity_regularizer",)
    layer_class: ClassVar[type[Recurrent]]
    """The layer whose cell it is."""

    units: int

    @property
    def state_size(self) -> int | list[int]:
        """The width of the state, or of each state."""
        count = self.layer_class.state_count
        return self.units if count == 1 else [self.units] * count

    @property
    def output_size(self) -> int:
        """The width of the output."""
        return self.units

    def get_initial_state(self, batch_size: int | None = None) -> list[Array]:
        """States of zeros.

        Source: ``keras.layers.LSTMCell.get_initial_state``.
        """
        return [as_result(np.zeros((batch_size or 0, self.units), self.dtype)) for _ in leaves(self.state_size)]

    def over_time(self, **how: Any) -> Recurrent:
        """The layer that runs this cell, with its weights.

        Args:
            how: the layer's arguments that a cell has not.
        """
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _OF_ALL_LAYERS}
        layer = self.layer_class(**own, **how, name=self.name, dtype=self.dtype)
        layer.is_of_cell = True
        if self.built:
            self._share_with(layer)
        return layer

    def _share_with(self, layer: Recurrent) -> None:
        layer.kernel, layer.recurrent_kernel, layer.bias = self.kernel, self.recurrent_kernel, self.bias

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Besides the inputs the ``states``, one or a list of them."""
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        states = list(leaves(named.pop("states", None)))
        if len(states) != self.layer_class.state_count or any(state is None for state in states):
            raise ArgumentError(
                f"{self.name}: expected (inputs, states) with {self.layer_class.state_count} states, received "
                f"{0 if states == [None] else len(states)}."
            )
        tensors, options = super().bind(inputs, **named)
        return [*tensors, *states], options

    def build(self, shape: Any, ctx: BuildContext) -> None:
        self.one_step = self.over_time(return_state=True)
        rows, features = self._inputs(shape)
        self.one_step.build([(rows, 1, features)], ctx)
        step = self.one_step
        self.kernel, self.recurrent_kernel, self.bias = step.kernel, step.recurrent_kernel, step.bias

    def check_shape(self, shape: Any) -> None:
        rows, features = self._inputs(shape)
        self.one_step.check_shape([(rows, 1, features)])

    def compute_output_shape(self, shape: Any) -> Any:
        rows, _ = self._inputs(shape)
        return [(rows, self.units)] * (1 + self.layer_class.state_count)

    def in_form(self, outputs: Sequence[Any]) -> tuple[Any, list[Any]]:
        return outputs[0], list(outputs[1:])

    def forward(self, x: list[Array], ctx: ForwardContext) -> tuple[list[Array], Any]:
        inputs, *states = x
        made, saved = self.one_step.forward([inputs[:, np.newaxis], *states], ctx)
        return made, saved

    def backward(self, dy: list[Array], saved: Any, ctx: BackwardContext) -> list[Array | None]:
        dx, *d = self.one_step.backward(dy, saved, ctx)
        return [None if dx is None else dx[:, 0], *d]

    def _inputs(self, shape: Any) -> tuple[int | None, ...]:
        of_inputs = tuple(shape[0]) if isinstance(shape, list) else tuple(shape)
        if len(of_inputs) != 2:
            raise ShapeError(f"{self.name}: expected inputs of one time step, of shape (N, I), received {of_inputs}.")
        return of_inputs


@register_layer()
@dataclass(eq=False)
class SimpleRNNCell(Restrained, Initialized, SingleActivation, Units, BuiltInCell):
    """The cell of a ``SimpleRNN``: ``h' = f(x W + h U + b)``.

    Shapes:
        inputs (N, I), [h (N, units)] -> (N, units), [h'].

    Source: ``keras.layers.SimpleRNNCell``.
    """

    layer_class: ClassVar[type[Recurrent]] = SimpleRNN
    call_arguments: ClassVar[tuple[str, ...]] = ("sequence", "states", "training")

    seed: int | None = whole_number(None, 0, IF_SET)


@register_layer()
@dataclass(eq=False)
class LSTMCell(Seeded, Restrained, Forgetting, Gated, Units, BuiltInCell):
    """The cell of an ``LSTM``, which says what it computes.

    Shapes:
        inputs (N, I), [h, c], (N, units) each -> (N, units), [h', c'].

    Source: ``keras.layers.LSTMCell``.
    """

    layer_class: ClassVar[type[Recurrent]] = LSTM


@register_layer()
@dataclass(eq=False)
class GRUCell(Restrained, Initialized, Gated, Units, BuiltInCell):
    """The cell of a ``GRU``, which says what it computes.

    Shapes:
        inputs (N, I), [h (N, units)] -> (N, units), [h'].

    Args:
        reset_after: see ``GRU``.

    Source: ``keras.layers.GRUCell``.
    """

    layer_class: ClassVar[type[Recurrent]] = GRU

    reset_after: bool = True
    seed: int | None = whole_number(None, 0, IF_SET)
