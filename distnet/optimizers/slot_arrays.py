"""An optimizer's slots: how they begin, and views of their parts that stay the same from step to step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array, DType


def filled(entries: int, value: float, dtype: DType) -> Array:
    """A slot; zeros take no memory until they are written."""
    return np.full(entries, value, dtype) if value else np.zeros(entries, dtype)


def those_named(where: str, slots: Mapping[str, Array], names: Iterable[str]) -> dict[str, Array]:
    """Some of an optimizer's slots.

    Raises:
        ArgumentError: there is no slot of a name; the message says ``where``.
    """
    try:
        return {name: slots[name] for name in names}
    except KeyError as error:
        raise ArgumentError(
            f"{where}: its options now need the slot {error}, which they did not when training began. Set them "
            "before the first step, or make a new optimizer."
        ) from None


def slot_named(where: str, slots: Mapping[str, Array], name: str) -> Array:
    """One of them; see ``those_named``."""
    return those_named(where, slots, (name,))[name]


class SlotViews:
    """Parts of slots, as the same views at each step: loops in a plan are ready for these."""

    def __init__(self) -> None:
        self._views: dict[tuple[str, int, int], tuple[Array, Array]] = {}

    def of(self, name: str, slot: Array, part: slice) -> Array:
        """The entries of a slot for a part of the weights."""
        key = (name, part.start, part.stop)
        of, view = self._views.get(key, (None, slot))
        if of is not slot or view.base is not (slot if slot.base is None else slot.base):  # of a copy it is no view
            view = slot[part]
            self._views[key] = slot, view
        return view
