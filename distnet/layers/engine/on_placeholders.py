"""Python's operators on placeholders: ``a + b``, ``2 * a``, ``a[:, 0]`` are operations of the graph."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar, NoReturn, TypeVar

import numpy as np

from distnet.errors import ArgumentError

M = TypeVar("M", bound=Callable[..., Any])

_MAKERS: dict[str, Callable[..., Any]] = {}


def makes_operations(function: M) -> M:
    """Register the function that makes operations. These are layers: their module imports this one."""
    _MAKERS[function.__name__] = function
    return function


def _operator(kind: str, is_reflected: bool = False) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if not isinstance(other, Real | np.ndarray | np.generic | Arithmetic):
            raise ArgumentError(
                f"the placeholder {self!r}: {kind} expects another placeholder, a number or an array, received "
                f"{reprlib.repr(other)}."
            )
        return _applied(kind, *((other, self) if is_reflected else (self, other)))

    return operator


def _of_one(kind: str) -> Callable[[Any], Any]:
    return lambda self: _applied(kind, self)


class Arithmetic:
    """Python's operators between placeholders, and between one and a number or an array.

    They drop masks, as in Keras 3.

    Raises:
        ArgumentError: any other operand, and what would mix the rows of the batch.

    Source: ``keras.KerasTensor``.
    """

    __array_ufunc__: ClassVar[None] = None
    """NumPy leaves ``array + placeholder`` to the placeholder."""

    __add__, __radd__ = _operator("Add"), _operator("Add", True)
    __sub__, __rsub__ = _operator("Subtract"), _operator("Subtract", True)
    __mul__, __rmul__ = _operator("Multiply"), _operator("Multiply", True)
    __truediv__, __rtruediv__ = _operator("TrueDivide"), _operator("TrueDivide", True)
    __floordiv__, __rfloordiv__ = _operator("FloorDivide"), _operator("FloorDivide", True)
    __mod__, __rmod__ = _operator("Mod"), _operator("Mod", True)
    __pow__, __rpow__ = _operator("Power"), _operator("Power", True)
    __matmul__, __rmatmul__ = _operator("Matmul"), _operator("Matmul", True)
    __lt__, __le__ = _operator("Less"), _operator("LessEqual")
    __gt__, __ge__ = _operator("Greater"), _operator("GreaterEqual")
    __and__, __rand__ = _operator("LogicalAnd"), _operator("LogicalAnd", True)
    __or__, __ror__ = _operator("LogicalOr"), _operator("LogicalOr", True)
    __xor__, __rxor__ = _operator("LogicalXor"), _operator("LogicalXor", True)
    __neg__, __abs__, __invert__ = _of_one("Negative"), _of_one("Absolute"), _of_one("LogicalNot")

    def __ne__(self, other: object) -> Any:
        """Where the entries differ; ``==`` says whether it is the same placeholder, as in Keras."""
        return _operator("NotEqual")(self, other)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Any:
        return _applied("GetItem", self, key if isinstance(key, tuple) else (key,))

    def __round__(self, ndigits: int | None = None) -> Any:
        return _applied("Round", self, decimals=ndigits or 0)

    def __iter__(self) -> NoReturn:
        raise ArgumentError(f"the placeholder {self!r} holds no numbers: it cannot be iterated over. Use ops.split.")

    def __bool__(self) -> NoReturn:
        raise ArgumentError(f"the placeholder {self!r} holds no numbers: it is neither true nor false. Use ops.where.")

    def activated(self, activation: Any) -> Any:
        """The activation of each entry: what calling an ``Activation`` on a placeholder gives."""
        return _MAKERS["activated"](activation, self)

    def reshape(self, newshape: Any) -> Any:
        """``ops.reshape(x, newshape)``."""
        return _applied("Reshape", self, newshape=newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """``ops.squeeze(x, axis)``."""
        return _applied("Squeeze", self, axis=axis)


def _applied(kind: str, *operands: Any, **arguments: Any) -> Any:
    return _MAKERS["applied"](kind, *operands, **arguments)
