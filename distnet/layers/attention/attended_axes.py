"""Attention along some axes of an array; the other axes are kept apart, like heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from distnet.errors import ShapeError
from distnet.kernels.matrix_products import by_blas
from distnet.layers.engine.plan import Planned
from distnet.types import Array


@dataclass(frozen=True)
class AttendedAxes:
    """Folds arrays (N, ..., H, K) of several heads into (N, G, T, K), and scores (N, G, T, S) out of them.

    T is the product of the attended axes; G that of all others but the first and the last, in their order. The
    rows stay the first axis, so that random numbers keep the address of their row.

    Args:
        where: the layer's name.
        attended: the attended axes, in the order of the scores.
        rank: of the arrays.
    """

    where: str
    attended: tuple[int, ...]
    rank: int

    @property
    def apart(self) -> tuple[int, ...]:
        """The axes of G."""
        return tuple(axis for axis in range(1, self.rank - 1) if axis not in self.attended)

    def fold(self, x: Array, name: str, ctx: Planned) -> Array:
        """(N, ..., H, K) as (N, G, T, K): a view if the attended axes lie side by side, else a copy called ``name``."""
        ordered = self._ordered(x)
        folded = self._folded(ordered)
        if np.may_share_memory(folded, x):
            return folded
        copied = ctx.workspace(f"{name} folded", ordered.shape, x.dtype)
        ctx.do(np.copyto, copied, ordered)
        return self._folded(copied)

    def product(self, a: Array, b: Array, out: Array, ctx: Planned) -> None:
        """The matrix product (N, G, T, S) (N, G, S, K), written into ``out`` (N, ..., H, K)."""
        ordered = self._ordered(out)
        folded = self._folded(ordered)
        ctx.do(by_blas, a, b, out=folded)
        if not np.may_share_memory(folded, out):
            ctx.do(np.copyto, ordered, folded.reshape(ordered.shape))

    def scores_shape(self, query: Sequence[int | None], key: Sequence[int | None]) -> tuple[int | None, ...]:
        """(N, the axes of G, the query's attended axes, the key's), for query and key (N, ..., H, K)."""
        of_query = [query[axis] for axis in (0, *self.apart, *self.attended)]
        return (*of_query, *(key[axis] for axis in self.attended))

    def folded_mask(self, mask: Array, shape: tuple[int, ...], has_rows: bool) -> Array:
        """A mask of scores of ``shape``, reshaped to (N, G, T, S), with 1 for N or G where it is broadcast.

        Args:
            mask: its last axes are the scores' attended axes, or 1; it may begin with N and other axes.
            shape: of the scores.
            has_rows: whether its first axis is N.

        Raises:
            ShapeError: the mask does not fit.
        """
        count = len(self.attended)
        missing = len(shape) - mask.ndim
        if mask.ndim >= 2 * count + has_rows and missing >= 0:
            split = mask.ndim - 2 * count
            whole = mask.reshape(*mask.shape[:split], *[1] * missing, *mask.shape[split:])
            if all(m in (1, n) for m, n in zip(whole.shape, shape, strict=True)):
                return self._as_folded(whole, shape)
        raise ShapeError(
            f"{self.where}: expected a mask of the shape of the scores, {shape}, possibly without axes behind the "
            f"first, received {mask.shape}."
        )

    def _as_folded(self, mask: Array, shape: tuple[int, ...]) -> Array:
        count, lead = len(self.attended), mask.shape[0]
        is_same_apart = all(n == 1 for n in mask.shape[1 : -2 * count])
        apart = (1,) * (len(shape) - 1 - 2 * count) if is_same_apart else shape[1 : -2 * count]
        whole = np.broadcast_to(mask, (lead, *apart, *shape[-2 * count :]))
        return whole.reshape(lead, math.prod(apart), math.prod(shape[-2 * count : -count]), math.prod(shape[-count:]))

    def _ordered(self, x: Array) -> Array:
        return x.transpose(0, *self.apart, *self.attended, self.rank - 1)

    def _folded(self, ordered: Array) -> Array:
        split = 1 + len(self.apart)
        apart, attended = ordered.shape[1:split], ordered.shape[split:-1]
        return ordered.reshape(len(ordered), math.prod(apart), math.prod(attended), ordered.shape[-1])


def resolved_axes(where: str, axes: tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """The attended axes of arrays (N, ..., H, K) of ``rank``; by default all but rows, heads and features.

    Negative numbers count back from the features, as in Keras: -1 are the heads.

    Raises:
        ShapeError: an axis occurs twice, does not exist, or is that of the rows.
    """
    if axes is None:
        return tuple(range(1, rank - 2))
    resolved = tuple(axis if axis >= 0 else rank - 1 + axis for axis in axes)
    if len(set(resolved)) < len(resolved) or not all(0 < axis < rank - 1 for axis in resolved):
        raise ShapeError(
            f"{where}: attention_axes: expected different axes of the inputs of rank {rank - 1}, neither that of the "
            f"rows nor that of the features, received {axes}."
        )
    return resolved


def agree(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    """Whether extents are the same, wherever both are known."""
    return all(a is None or b is None or a == b for a, b in zip(one, other, strict=True))
