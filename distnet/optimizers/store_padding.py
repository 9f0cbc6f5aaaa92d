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
        self._of_parts: dict[tuple[int, int], list[int]] = {}

    def clear(self, weights: Array, part: slice, are_alike: bool) -> None:
        """Let the entries be 0.

        Args:
            weights: a part of the buffer.
            part: which that is.
            are_alike: whether all of them are now what one is, because they were treated alike: then one is looked at,
                for they rarely changed.
        """
        bounds = part.start, part.stop
        places = self._of_parts.get(bounds)
        if places is None:
            first, last = np.searchsorted(self._places, bounds)
            places = self._of_parts[bounds] = (self._places[first:last] - part.start).tolist()
        if places and (not are_alike or weights.item(places[0]) != 0):
            weights[places] = 0
