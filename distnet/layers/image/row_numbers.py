"""The random numbers that change images: each image has its own, and some belong to the whole batch.

Both are addressed by the step, and by the row of the global batch: they are the same on any number of ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from distnet.layers.engine.context import ForwardContext
from distnet.types import Array

_WORDS = 2.0**32


@dataclass
class RowNumbers:
    """Draws numbers for the rows at hand; each array that it draws has an address of its own.

    Args:
        purpose: what they are for: the name of the layer's class.
        rows: how many rows are at hand.
        ctx: says which rows of the global batch these are.
        seed: takes the place of the global seed.
    """

    purpose: str
    rows: int
    ctx: ForwardContext
    seed: int | None = None
    draws: int = field(default=0, init=False)

    def uniform(self, width: int, limits: Sequence[float] = (0.0, 1.0)) -> Array:
        """(width, rows) numbers between the limits."""
        low, high = limits
        return np.asarray(low + self.ctx.row_bits(self._next(), self.rows, width, self.seed).T / _WORDS * (high - low))

    def normal(self, width: int) -> Array:
        """(rows, width) normal numbers of mean 0 and deviation 1."""
        return self.ctx.row_normals(self._next(), self.rows, width, self.seed)

    def happens(self, factor: Sequence[float]) -> Array:
        """(rows,) bool: whether something happens, whose probability lies between the limits, anew for each row."""
        probability, threshold = self.uniform(2)
        return np.asarray(threshold < factor[0] + probability * (factor[1] - factor[0]))

    def beta(self, alpha: float) -> Array:
        """(rows,) numbers of the beta distribution with both of its parameters ``alpha``."""
        key, first = self._key_of_batch(), self.ctx.first_row
        rows = (np.random.Philox(key=key, counter=[0, first + i, 0, 1]) for i in range(self.rows))
        return np.array([np.random.Generator(row).beta(alpha, alpha) for row in rows], dtype=np.float64)

    def of_batch(self, width: int, limits: Sequence[float] = (0.0, 1.0)) -> Array:
        """(width,) numbers between the limits, the same for all rows of the batch."""
        low, high = limits
        return np.asarray(low + self.ctx.batch_bits(self._next(), width, self.seed)[0] / _WORDS * (high - low))

    def generator_of_batch(self) -> np.random.Generator:
        """A generator of numbers that all rows of the batch share."""
        return np.random.Generator(np.random.Philox(key=self._key_of_batch()))

    def permutation(self) -> Array:
        """(rows of the global batch,) an order of them."""
        return self.generator_of_batch().permutation(self.ctx.global_rows)

    def within(self, number: int, purpose: str) -> Self:
        """The numbers of layer ``number`` within the layer."""
        return replace(self, purpose=purpose, ctx=self.ctx.within(number))

    def _key_of_batch(self) -> int:
        words = self.ctx.batch_bits(self._next(), 4, self.seed)[0]
        return int.from_bytes(words.astype("<u4").tobytes(), "little")

    def _next(self) -> str:
        self.draws += 1
        return self.purpose if self.draws == 1 else f"{self.purpose} {self.draws}"
