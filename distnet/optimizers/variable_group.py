"""Some of a model's variables, for an optimizer of only these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from distnet.types import DType
from distnet.variables import FlatVariables, Span


class VariableGroup:
    """Some of a store's trained variables, contiguous in separate memory, for an optimizer of only these.

    Between ``gather`` and ``scatter`` the optimizer uses it like a store.

    Args:
        store: whose variables they are.
        spans: where they lie there.
    """

    def __init__(self, store: FlatVariables, spans: Sequence[Span]) -> None:
        self.store, self._sources = store, spans
        self.dtype: DType = store.dtype
        ends = np.cumsum([0, *(span.variable.size for span in spans)]).tolist()
        bounds = zip(spans, ends[:-1], ends[1:], strict=True)
        self.spans = [Span(span.variable, start, stop) for span, start, stop in bounds]
        self.size: int = ends[-1]
        self.weights, self.gradients = np.zeros(self.size, self.dtype), np.zeros(self.size, self.dtype)
        self.gather()

    @property
    def part(self) -> slice:
        """Which of the weights these are: all of the group."""
        return slice(0, self.size)

    def trainable(self) -> Iterator[Span]:
        """The variables and where they lie here."""
        return iter(self.spans)

    def gather(self) -> None:
        """Take weights and gradients from the store."""
        for source, here in zip(self._sources, self.spans, strict=True):
            self.weights[here.start : here.stop] = self.store.weights[source.start : source.stop]
            self.gradients[here.start : here.stop] = self.store.gradients[source.start : source.stop]

    def scatter(self) -> None:
        """Give the weights back to the store."""
        for source, here in zip(self._sources, self.spans, strict=True):
            self.store.weights[source.start : source.stop] = self.weights[here.start : here.stop]
