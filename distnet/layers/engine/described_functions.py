"""Functions of the user's in the configurations of layers."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet import ops
from distnet.errors import ArgumentError
from distnet.registry import is_describing, known_custom_objects, registered_name, to_json
from distnet.registry.code import LAMBDA, as_code, of_code
from distnet.types import Json


def described_function(function: Any) -> Json:
    """A function as Keras 3 writes it: by its name, or, of a lambda, as code; anything else as JSON.

    Raises:
        ArgumentError: it cannot be written.
    """
    if not callable(function) or is_describing():
        return to_json(function)
    if getattr(function, "__name__", None) == "<lambda>":
        return as_code(function)
    name = registered_name(function)
    module = getattr(function, "module", function.__module__)  # Keras's, of a function of ops
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def function_of_config(value: Any, where: str) -> Any:
    """The function that a configuration describes, by this Keras or an older one; a shape as it is.

    Raises:
        ArgumentError: nothing has its name.
    """
    if isinstance(value, Mapping) and value.get("class_name") == LAMBDA:
        return of_code(value["config"], _names())
    if isinstance(value, Sequence) and not isinstance(value, str) and value and isinstance(value[0], str):
        code, defaults, closure = value
        return of_code({"code": code, "defaults": defaults, "closure": closure}, _names())
    if not isinstance(value, str | Mapping):
        return tuple(value) if isinstance(value, list) else value
    name = value if isinstance(value, str) else value.get("registered_name") or value.get("config")
    custom = known_custom_objects()
    for key in (name, value.get("config") if isinstance(value, Mapping) else None):
        if key in custom:
            return custom[key]
    if isinstance(value, Mapping) and str(value.get("module")).startswith("keras.") and hasattr(ops, str(name)):
        return getattr(ops, str(name))
    raise ArgumentError(
        f"{where}: its function {name!r} is not known. Pass custom_objects={{{name!r}: ...}}, or register it with "
        "register_keras_serializable."
    )


def _names() -> dict[str, Any]:
    """What code finds as global names, besides what is registered or among the custom objects."""
    return {"__builtins__": builtins, "np": np, "ops": ops, **known_custom_objects()}
