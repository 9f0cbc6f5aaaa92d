"""Python's operators between tensors: ``a + b``, ``2 * a``, ``a[:, 0]`` are calls of functions of ``distnet.ops``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

PRIMITIVES: dict[str, Callable[..., Any]] = {}
"""Every function of tensors, by the name of Keras's class of it: ``Add``, ``GetItem``."""


def _operator(kind: str) -> Callable[[Any, Any], Any]:
    def operator(self: Operators, other: Any) -> Any:
        self.check_operand(kind, other)
        return PRIMITIVES[kind](self, other)

    return operator


def _reflected(kind: str) -> Callable[[Any, Any], Any]:
    def operator(self: Operators, other: Any) -> Any:
        self.check_operand(kind, other)
        return PRIMITIVES[kind](other, self)

    return operator


def _of_one(kind: str) -> Callable[[Any], Any]:
    return lambda self: PRIMITIVES[kind](self)


class Operators:
    """Python's operators, as calls of functions of tensors.

    Source: ``keras.KerasTensor``.
    """

    __slots__: ClassVar[tuple[str, ...]] = ()

    __add__, __radd__ = _operator("Add"), _reflected("Add")
    __sub__, __rsub__ = _operator("Subtract"), _reflected("Subtract")
    __mul__, __rmul__ = _operator("Multiply"), _reflected("Multiply")
    __truediv__, __rtruediv__ = _operator("TrueDivide"), _reflected("TrueDivide")
    __floordiv__, __rfloordiv__ = _operator("FloorDivide"), _reflected("FloorDivide")
    __mod__, __rmod__ = _operator("Mod"), _reflected("Mod")
    __pow__, __rpow__ = _operator("Power"), _reflected("Power")
    __matmul__, __rmatmul__ = _operator("Matmul"), _reflected("Matmul")
    __lt__, __le__ = _operator("Less"), _operator("LessEqual")
    __gt__, __ge__ = _operator("Greater"), _operator("GreaterEqual")
    __and__, __rand__ = _operator("LogicalAnd"), _reflected("LogicalAnd")
    __or__, __ror__ = _operator("LogicalOr"), _reflected("LogicalOr")
    __xor__, __rxor__ = _operator("LogicalXor"), _reflected("LogicalXor")
    __neg__, __abs__, __invert__ = _of_one("Negative"), _of_one("Absolute"), _of_one("LogicalNot")

    def check_operand(self, kind: str, other: Any) -> None:
        """Fail unless ``other`` can be the second operand of an operator."""

    def __ne__(self, other: object) -> Any:
        """Where the entries differ."""
        return PRIMITIVES["NotEqual"](self, other)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Any:
        return PRIMITIVES["GetItem"](self, key if isinstance(key, tuple) else (key,))

    def __round__(self, ndigits: int | None = None) -> Any:
        return PRIMITIVES["Round"](self, decimals=ndigits or 0)

    def reshape(self, newshape: Any) -> Any:
        """``ops.reshape(x, newshape)``."""
        return PRIMITIVES["Reshape"](self, newshape=newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """``ops.squeeze(x, axis)``."""
        return PRIMITIVES["Squeeze"](self, axis=axis)
