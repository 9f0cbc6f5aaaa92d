"""A sum of gradients that is taken where it is used: the update of weights then goes over memory once, not twice."""

from __future__ import annotations

import numpy as np

from distnet.types import Array


class LateSum:
    """Arrays that lie in one memory, to be added up in their order.

    Args:
        memory: contiguous, with one axis.
        starts: (A,) of intp, where each of the A arrays begins; at least two.
        out: (P,) where the sum goes, if anybody asks for it.
    """

    def __init__(self, memory: Array, starts: Array, out: Array) -> None:
        self.memory, self.starts, self.out = memory, starts, out
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
