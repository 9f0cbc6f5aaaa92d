"""States that outlive their batch: ``stateful=True``."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from distnet.assignments import are_assignments_held
from distnet.errors import ShapeError
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import ForwardContext
from distnet.types import Array, ArrayLike, Shape
from distnet.variables import Variable, assign_all


class KeepsStates(Layer, ABC):
    """A recurrent layer that can begin a batch where the last one ended.

    Row i of a batch goes on where row i of the batch before it ended. So all batches have one size, and every rank
    holds the states of all rows: it writes those of its own, and one sum over the ranks joins them. Like Keras's, they
    are no weights, and are not saved.
    """

    stateful: bool

    @property
    def states(self) -> list[Variable]:
        """The states of all rows of a batch; none, unless the layer is stateful and built."""
        states: list[Variable] = vars(self).get("_states", [])
        return states

    @property
    def fixes_rows(self) -> bool:  # type: ignore[override]
        """Whether the layer is built for one size of batches."""
        return self.stateful

    def make_states(self, rows: int | None, shapes: Iterable[Shape]) -> None:
        """Make the states of ``rows`` rows, all 0.

        Raises:
            ShapeError: the number of rows is not known.
        """
        if rows is None:
            raise ShapeError(
                f"{self.name}: stateful=True: expected batches of a known size. Give it first: Input(batch_shape="
                "(rows, steps, features)), or batch_input_shape=... of a model's first layer."
            )
        values = [np.zeros([rows, *(n or 0 for n in shape)], self.dtype) for shape in shapes]
        self._states = [Variable("rnn_state", f"{self.name}/rnn_state", value, trainable=False) for value in values]

    def kept_states(self, rows: int, ctx: ForwardContext) -> list[Array]:
        """The states that the ``rows`` at hand begin with; none, if the layer is not stateful.

        Raises:
            ShapeError: the batch is not of the size that the layer was built for.
        """
        if are_assignments_held():
            return [np.zeros((rows, *state.shape[1:]), self.dtype) for state in self.states]
        for state in self.states:
            if ctx.global_rows != len(state):
                raise ShapeError(
                    f"{self.name}: stateful=True: was built for batches of {len(state)} rows, received one of "
                    f"{ctx.global_rows}. Give as many rows as fill whole batches, and batch_size={len(state)}."
                )
        return [state.value[ctx.first_row : ctx.first_row + rows] for state in self.states]

    def keep_states(self, last: Sequence[Array], ctx: ForwardContext) -> None:
        """Keep the ``last`` states of the rows at hand; those of the other rows come from the other ranks."""
        if not self.states or are_assignments_held():
            return
        sizes = [state.size for state in self.states]
        joined = np.zeros(sum(sizes), self.dtype)
        parts = np.split(joined, np.cumsum(sizes)[:-1])
        for state, part, own in zip(self.states, parts, last, strict=True):
            of_rows = part.reshape(state.shape)[ctx.first_row : ctx.first_row + len(own)]
            of_rows[...] = own.reshape(of_rows.shape)
        ctx.sum_over_ranks(joined)
        for state, part in zip(self.states, parts, strict=True):
            state.assign(part.reshape(state.shape))

    def reset_state(self) -> None:
        """Set the states to 0.

        Source: ``keras.layers.RNN.reset_state``.
        """
        for state in self.states:
            state.assign(np.zeros_like(state.value))

    def reset_states(self, states: Sequence[ArrayLike] | None = None) -> None:
        """Set the states to 0, or to those given: an array, or a list of one for each.

        Raises:
            ShapeError: another number of arrays, or another shape.

        Source: ``RNN.reset_states`` of Keras 2.
        """
        if states is None:
            self.reset_state()
        else:
            assign_all(self.name, self.states, [states] if isinstance(states, np.ndarray) else list(states))


class HasLayers(Protocol):
    """A model, or a layer that may have others within."""

    def inner_layers(self) -> Iterable[tuple[str, Layer]]: ...


def stateful_layers(owner: HasLayers) -> Iterator[KeepsStates]:
    """The layers within that keep states."""
    for _, layer in owner.inner_layers():
        if isinstance(layer, KeepsStates) and layer.stateful:
            yield layer
        yield from stateful_layers(layer)
