"""A number that an optimizer holds, as Keras's users take it: a number, and a variable."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

Owner = TypeVar("Owner")
N = TypeVar("N", int, float)


class OwnedNumber(Generic[Owner, N]):
    """What a subclass of ``int`` or ``float`` has of Keras's variable; it sets its number in what owns it."""

    owner: Owner
    plain: ClassVar[type[Any]]
    """``int`` or ``float``."""

    def __new__(cls, value: N, owner: Owner) -> Self:
        """Remember whose number it is."""
        number: Self = super().__new__(cls, value)  # type: ignore[call-arg]
        number.owner = owner
        return number

    def __reduce__(self) -> tuple[type[Any], tuple[N]]:
        """Copies and pickles are plain numbers, without the optimizer."""
        return self.plain, (self.value,)

    @property
    def value(self) -> N:
        number: N = self.plain(self)
        return number

    def numpy(self) -> np.generic:
        """The number as a NumPy scalar."""
        number: np.generic = np.dtype(self.plain).type(self.value)
        return number
