"""Arithmetic between tensors, as files of functional models hold it.

``a + b`` is no layer in Keras: Keras 3 notes the operation ``Add``, TensorFlow's Keras a ``TFOpLambda``. Here it
becomes a layer, as ``a + b`` between placeholders does.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from distnet.errors import ArgumentError
from distnet.layers.symbolic import KerasTensor

_OF_KERAS_3: Mapping[str, Callable[..., Any]] = {
    "Add": operator.add,
    "Subtract": operator.sub,
    "Multiply": operator.mul,
    "Divide": operator.truediv,
    "TrueDivide": operator.truediv,
    "Negative": operator.neg,
}
_OF_TENSORFLOW: Mapping[str, Callable[..., Any]] = {
    "__operators__.add": operator.add,
    "math.add": operator.add,
    "math.subtract": operator.sub,
    "math.multiply": operator.mul,
    "math.truediv": operator.truediv,
    "math.divide": operator.truediv,
    "math.negative": operator.neg,
}


@dataclass(frozen=True)
class Operation:
    """An operation of a file, to be called as a layer is.

    Args:
        name: of its entry, which the layer that it becomes takes over.
        function: of Python.
    """

    name: str
    function: Callable[..., Any]

    def __call__(self, *args: Any, y: Any = None, name: object = None) -> KerasTensor:
        """The placeholder of the result.

        Raises:
            ArgumentError: operands of other kinds.
        """
        operands = args if y is None else (*args, y)
        made = self.function(*operands)
        if not isinstance(made, KerasTensor):
            raise ArgumentError(f"{self.name}: expected tensors of the model, received {operands!r}.")
        made.call.layer.name = self.name
        return made


def operation_of(entry: Mapping[str, Any]) -> Operation | None:
    """The operation that an entry among a model's layers stands for; None for a layer.

    Raises:
        ArgumentError: an operation of TensorFlow that has no layer here.
    """
    config = entry.get("config")
    if not isinstance(config, Mapping):
        return None
    kind, name = entry.get("class_name"), str(entry.get("name") or config.get("name"))
    if kind == "TFOpLambda":
        function = _OF_TENSORFLOW.get(str(config.get("function")))
        if function is None:
            raise ArgumentError(f"{name}: TensorFlow's operation {config.get('function')!r} is no layer of distnet.")
        return Operation(name, function)
    is_layer = "trainable" in config or str(entry.get("module")).startswith("keras.layers")
    found = None if is_layer else _OF_KERAS_3.get(str(kind))
    return None if found is None else Operation(name, found)
