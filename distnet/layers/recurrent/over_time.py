"""What all layers share that run over the time steps of sequences: how they are called, masks, kept states."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.structures import leaves
from distnet.layers.recurrent.kept_states import KeepsStates
from distnet.types import Array, Shape


class OverTime(KeepsStates, ABC):
    """A layer that is called on sequences (N, T, ...), and on initial states where these are given."""

    supports_masking: ClassVar[bool] = True
    call_arguments: ClassVar[tuple[str, ...]] = ("sequences", "initial_state", "mask", "training")
    state_count: ClassVar[int] = 1
    """Number of states; the first is the output."""

    return_sequences: bool
    return_state: bool
    go_backwards: bool
    zero_output_for_mask: bool

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Besides the sequences: ``initial_state``, ``mask`` and ``training``."""
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        states = named.pop("initial_state", None)
        given = [] if states is None else list(leaves(states))
        tensors, options = super().bind(inputs, **named)
        tensors += given
        if len(tensors) not in (1, 1 + self.state_count):
            raise ArgumentError(
                f"{self.name}: expected an initial_state of {self.state_count} arrays, received {len(tensors) - 1}."
            )
        return tensors, options

    def compute_mask(self, x: Any, mask: Any) -> Any:
        of_steps = (mask[0] if isinstance(mask, list) else mask) if self.return_sequences else None
        return [of_steps, *[None] * self.state_count] if self.return_state else of_steps

    def in_order(self, x: Array) -> Array:
        """(N, T, I) as (T, N, I) in the order of the steps: a view."""
        in_time = x.swapaxes(0, 1)
        return in_time[::-1] if self.go_backwards else in_time

    def skipped_steps(self, mask: Any, sequences: Array) -> Array | None:
        """(T, N, 1) bool, true where the mask skips a step of a row; None if it skips none.

        Args:
            mask: (N, T), or (1, T) for all rows alike; a list whose first is that of the sequences; or None.
            sequences: (N, T, ...).

        Raises:
            ShapeError: it has not one entry for each step.
        """
        mask = mask[0] if isinstance(mask, list) else mask
        if mask is None:
            return None
        rows, steps = sequences.shape[:2]
        if mask.ndim != 2 or mask.shape[1] != steps or len(mask) not in (1, rows):
            raise ShapeError(
                f"{self.name}: expected a mask with one entry a step, of shape (N, T) = {rows, steps}, received "
                f"{mask.shape}. Of a mask with more axes, choose what counts for a whole step: mask.any(axis=-1)."
            )
        if mask.all():
            return None
        return np.ascontiguousarray(~self.in_order(np.broadcast_to(mask, (rows, steps))[:, :, None]))


def sequences_of(shape: Any) -> Shape:
    """Shape of the sequences, among those of all inputs."""
    return tuple(shape[0]) if isinstance(shape, list) else tuple(shape)
