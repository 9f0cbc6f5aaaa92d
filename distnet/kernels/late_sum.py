"""A sum of gradients that is taken where it is used: the update of weights then goes over memory once, not twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from distnet.types import Array


class LateSum:
    """Arrays that lie in one memory, to be added up in their order.

    Args:
        memory: contiguous, with one axis.
        starts: where each begins; at least two.
        out: (P,) where the sum goes, if anybody asks for it.
    """

    def __init__(self, memory: Array, starts: Sequence[int], out: Array) -> None:
        self.memory, self.out = memory, out
        self.starts = np.array(starts, np.intp)
        self.is_taken = False

    def total(self) -> Array:
        """The sum, which is taken once; what overflows is left to whoever uses it."""
        if not self.is_taken:
            self.is_taken = True
            self.add_up(slice(0, self.out.size), self.out)
        return self.out

    def add_up(self, part: slice, out: Array) -> None:
        """Overwrite ``out`` with a part of the sum."""
        first, second, *others = [self.memory[start + part.start : start + part.stop] for start in self.starts.tolist()]
        with np.errstate(over="ignore", invalid="ignore"):
            np.add(first, second, out=out)
            for other in others:
                out += other
