"""An update that is made ready once, for arrays that stay where they are from step to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distnet import kernels
from distnet.kernels import Formula
from distnet.types import Array
from distnet.variables import VariableStore


class BoundUpdate:
    """A formula with the weights, gradients and slots that it updates. Copies and pickles of its owner are without it.

    Args:
        formula: the optimizer's rule.
        store: has weights and gradients.
        slots: those that the formula takes, by name.
        count: of its scalars.
    """

    def __init__(self, formula: Formula, store: VariableStore, slots: Mapping[str, Array], count: int) -> None:
        self._formula, self._weights, self._message, self._count = formula, store.weights, store.message, count
        self._slots = dict(slots)
        arrays = store.weights, store.gradients, list(slots.values())
        self._update = kernels.current().ready_update(formula, *arrays, count)

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        """None."""
        return type(None), ()

    def suits(self, formula: Formula, store: VariableStore, slots: Mapping[str, Array], count: int) -> bool:
        """Whether this is the update of the same arrays by the same formula."""
        if formula is not self._formula or store.weights is not self._weights or store.message is not self._message:
            return False
        for name, slot in self._slots.items():
            if slots.get(name) is not slot:
                return False
        return count == self._count

    def make(self, scalars: Sequence[float]) -> None:
        """Update, by these scalars of the formula."""
        self._update(scalars)
