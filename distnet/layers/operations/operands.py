"""Which arguments of a function Keras's operation of that name is called with; the others make its configuration."""

from __future__ import annotations

from collections.abc import Mapping

from distnet.ops.primitive import Primitive

_ALSO_CALLED_WITH: Mapping[str, tuple[str, ...]] = {
    "Average": ("weights",),
    "Isclose": ("rtol", "atol"),
    "Pad": ("constant_values",),
    "DotProductAttention": ("scale",),
    "ScaleAndTranslate": ("output_shape", "scale", "translation"),
    "Full": ("fill_value",),
}
"""Arguments that are no tensors here."""


def called_with(function: Primitive) -> tuple[str, ...]:
    """The names of the arguments that an operation is called with, in order."""
    also = _ALSO_CALLED_WITH.get(function.kind, ())
    return (*function.names[: function.operands], *also)


def keras_module(function: Primitive) -> str:
    """Where Keras 3 has the operation's class."""
    is_activation = function.module == "keras.src.ops.activations"
    return "keras.src.activations.activations" if is_activation else function.module


def left_to_call(function: Primitive) -> tuple[str, ...]:
    """The names of the others: the arguments of Keras's class."""
    if function.takes_any:
        return tuple(name for name in function.names if name in function.defaults or name == "subscripts")
    taken = called_with(function)
    return tuple(name for name in function.names if name not in taken)
