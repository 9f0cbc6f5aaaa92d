"""The entries of flat buffers that lie between variables, and belong to none."""

from __future__ import annotations

import numpy as np

from distnet.types import Array
from distnet.variables import Variables


class Padding:
    """Where a store's buffers hold no variable's entries.

    Args:
        store: None for one without entries.
    """

    def __init__(self, store: Variables | None = None) -> None:
        spans = [] if store is None else store.spans
        ends = [*(span.start for span in spans[1:]), 0 if store is None else store.size]
        between = [np.arange(span.stop, end) for span, end in zip(spans, ends, strict=False)]
        self._places = np.concatenate([np.zeros(0, np.int64), *between])
        self._of_parts: dict[tuple[int, int], Array] = {}

    def of(self, part: slice) -> Array:
        """The entries within a part of the buffers, counted from where it begins."""
        bounds = part.start, part.stop
        places = self._of_parts.get(bounds)
        if places is None:
            first, last = np.searchsorted(self._places, bounds)
            places = self._of_parts[bounds] = self._places[first:last] - part.start
        return places
