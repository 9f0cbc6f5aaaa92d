"""Arithmetic on placeholders: ``a + b``, ``2 * a``, ``1 - a`` are merging and rescaling layers."""

from __future__ import annotations

import importlib
from numbers import Real
from typing import Any, ClassVar, NoReturn

from distnet.errors import ArgumentError


class Arithmetic:
    """Python's operators between placeholders, and between one and a number.

    They make layers that Keras 2 and Keras 3 read from a file: ``Add``, ``Subtract``, ``Multiply``, and ``Rescaling``
    where one side is a number. Masks pass as through these layers.

    Raises:
        ArgumentError: any other operand, and the operators that no such layer computes.

    Source: ``keras.KerasTensor``.
    """

    __array_ufunc__: ClassVar[None] = None
    """NumPy leaves ``array + placeholder`` to the placeholder."""

    def __add__(self, other: Any) -> Any:
        return self._rescaled(1.0, other) if isinstance(other, Real) else self._merged("Add", "+", other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._rescaled(1.0, -other) if isinstance(other, Real) else self._merged("Subtract", "-", other)

    def __rsub__(self, other: Any) -> Any:
        return self._rescaled(-1.0, other) if isinstance(other, Real) else self._refuse("-", other)

    def __mul__(self, other: Any) -> Any:
        return self._rescaled(other, 0.0) if isinstance(other, Real) else self._merged("Multiply", "*", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._rescaled(1.0 / float(other), 0.0) if isinstance(other, Real) else self._refuse("/", other)

    def __pow__(self, exponent: Any) -> Any:
        return self._merged("Multiply", "**", self) if exponent == 2 else self._refuse("**", exponent)

    def __neg__(self) -> Any:
        return self._rescaled(-1.0, 0.0)

    def __rtruediv__(self, other: Any) -> NoReturn:
        self._refuse("/", other)

    def __matmul__(self, other: Any) -> NoReturn:
        self._refuse("@", other)

    def __getitem__(self, key: Any) -> NoReturn:
        self._refuse("[...]", key)

    def _merged(self, layer: str, operator: str, other: Any) -> Any:
        if not isinstance(other, Arithmetic):
            self._refuse(operator, other)
        return _layers()[layer]()([self, other])

    def _rescaled(self, scale: Any, offset: Any) -> Any:
        return _layers()["Rescaling"](float(scale), float(offset))(self)

    def _refuse(self, operator: str, other: Any) -> NoReturn:
        raise ArgumentError(
            f"the placeholder {self!r} cannot be computed with by {operator} and {type(other).__name__}: no layer that "
            "Keras saves does that. Use a layer, such as Dot or Cropping1D, or one of your own with backward()."
        )


def _layers() -> dict[str, Any]:
    """The layers by name; they are made of placeholders, so that this module cannot import them."""
    return vars(importlib.import_module("distnet.layers"))
