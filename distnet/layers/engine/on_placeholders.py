"""Python's operators on placeholders: ``a + b``, ``2 * a``, ``a[:, 0]`` are operations of the graph."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, NoReturn

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.operators import Operators
from distnet.ops.tensor import Tensor
from distnet.variables import Variable

_activated: list[Callable[[Any, Any], Any]] = []


def take_activations(function: Callable[[Any, Any], Any]) -> None:
    """Say what an activation makes of a placeholder: an operation, which lies above."""
    _activated.append(function)


class Arithmetic(Operators):
    """Python's operators between placeholders, and between one and a number or an array.

    They drop masks, as in Keras 3.

    Raises:
        ArgumentError: any other operand.

    Source: ``keras.KerasTensor``.
    """

    __array_ufunc__: ClassVar[None] = None
    """NumPy leaves ``array + placeholder`` to the placeholder."""

    def check_operand(self, kind: str, other: Any) -> None:
        """Fail unless ``other`` can be the second operand of an operator.

        Raises:
            ArgumentError: it is no placeholder, number or array.
        """
        if not isinstance(other, Real | np.ndarray | np.generic | Arithmetic | Tensor | Variable | list | tuple):
            raise ArgumentError(
                f"the placeholder {self!r}: {kind} expects another placeholder, a number or an array, received "
                f"{reprlib.repr(other)}."
            )

    def __iter__(self) -> NoReturn:
        raise ArgumentError(f"the placeholder {self!r} holds no numbers: it cannot be iterated over. Use ops.split.")

    def __bool__(self) -> NoReturn:
        raise ArgumentError(f"the placeholder {self!r} holds no numbers: it is neither true nor false. Use ops.where.")

    def activated(self, activation: Any) -> Any:
        """The activation of each entry: what calling an ``Activation`` on a placeholder gives."""
        return _activated[0](activation, self)
