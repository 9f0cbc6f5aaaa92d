"""A part of a model's weights, which an optimizer updates alone."""

from __future__ import annotations

from dataclasses import dataclass

from distnet.kernels import LateSum
from distnet.optimizers.clipping import AddOverParts
from distnet.types import Array, DType


@dataclass(frozen=True)
class StorePart:
    """Some of a store's trainable weights, and their gradients, which may lie elsewhere.

    Args:
        weights: a view into the store's.
        summands: the gradients, of the same length; or what they are the sum of.
        part: where among the store's weights they lie.
        add_over_parts: adds up an array over all parts of the weights, in place; each part's owner calls it.
    """

    weights: Array
    summands: Array | LateSum
    part: slice
    add_over_parts: AddOverParts

    @property
    def gradients(self) -> Array:
        """The gradients, whose sum is taken now if it was not before."""
        return self.summands.total() if isinstance(self.summands, LateSum) else self.summands

    @property
    def late_sum(self) -> LateSum | None:
        """What the gradients are the sum of, while nobody has asked for them."""
        return self.summands if isinstance(self.summands, LateSum) and not self.summands.is_taken else None

    @property
    def dtype(self) -> DType:
        return self.weights.dtype
