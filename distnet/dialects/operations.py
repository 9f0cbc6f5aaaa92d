"""Operations on tensors, as files of functional models hold them.

``a + b`` is no layer in Keras: Keras 3 notes the operation ``Add``, TensorFlow's Keras a ``TFOpLambda``. Here it
is an operation again, as ``a + b`` between placeholders makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from distnet.dialects.keras_2_operations import OPERATION
from distnet.dialects.tensorflow_operations import operation_of_tensorflow
from distnet.errors import ArgumentError
from distnet.layers.operations import applied, options_of
from distnet.ops.operators import PRIMITIVES
from distnet.registry import beside

Operation = Callable[..., Any]
"""Called as a layer is."""


def present_entry(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The operation beside a layer that computes the same, or the entry as it is."""
    operation = beside(entry).get(OPERATION)
    return operation if isinstance(operation, Mapping) else entry


def operation_of(entry: Mapping[str, Any]) -> Operation | None:
    """The operation that an entry among a model's layers stands for; None for a layer.

    Raises:
        ArgumentError: an operation that is none of distnet's.
    """
    config = entry.get("config")
    if not isinstance(config, Mapping):
        return None
    kind, name = str(entry.get("class_name")), str(entry.get("name") or config.get("name"))
    if kind in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        return operation_of_tensorflow(kind, name, config)
    module = str(entry.get("module"))
    is_operation = module.startswith(("keras.src.ops.", "keras.src.activations.")) or (
        kind in PRIMITIVES and "trainable" not in config and not module.startswith("keras.layers")
    )
    return _of_keras_3(kind, name, config) if is_operation else None


def _of_keras_3(kind: str, name: str, config: Mapping[str, Any]) -> Operation:
    if kind not in PRIMITIVES:
        raise ArgumentError(f"{name}: Keras's operation {kind} is none of distnet's: {sorted(PRIMITIVES)}.")
    known = options_of(kind)
    given = {key: value for key, value in config.items() if key not in ("name", "dtype", "trainable") or key in known}
    unknown = sorted(key for key, value in given.items() if key not in known and value not in (None, False))
    if unknown:
        raise ArgumentError(f"{name}: {kind}: unknown arguments {unknown}. Expected some of {sorted(known)}.")
    options = {key: value for key, value in given.items() if key in known}

    def operation(*args: Any, **kwargs: Any) -> Any:
        if kind == "GetItem" and isinstance(args[1], list):
            args = (args[0], tuple(args[1]))
        return applied(kind, *args, *kwargs.values(), name=name, **options)

    return operation
