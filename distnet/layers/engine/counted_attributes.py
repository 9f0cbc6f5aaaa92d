"""Attributes of layers, whose setting is counted: plans, and what walks through layers told, hold until then."""

from __future__ import annotations

from typing import Any, ClassVar

from distnet.assignments import PLAIN, UNSET, count_move, count_part, count_setting, is_noting, note_attribute
from distnet.variables import Variable


class CountsAttributes:
    """A dataclass that counts what is set in it: its fields, and what may hold a layer, a variable or a metric."""

    set_by_training: ClassVar[frozenset[str]] = frozenset()
    """Attributes that training sets, and that hold nothing of the layer's own."""

    def __setattr__(self, name: str, value: Any) -> None:
        before = vars(self).get(name, UNSET)
        super().__setattr__(name, value)
        if name in type(self).__dataclass_fields__:  # type: ignore[attr-defined]
            count_setting()
        if (type(value) not in PLAIN or type(before) not in PLAIN) and name not in self.set_by_training:
            count_part()
            if isinstance(before, Variable):
                count_move()  # plans have the memory of the one before
        if is_noting():
            note_attribute(self, name, before)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        count_part()
