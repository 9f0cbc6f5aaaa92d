"""Objects as Keras's dicts of module, class and configuration, and back: ``keras.saving.serialize_keras_object``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from distnet import dtype_policies
from distnet.activations import ACTIVATIONS
from distnet.config import runs_code
from distnet.constraints import CONSTRAINTS
from distnet.errors import ArgumentError
from distnet.initializers import INITIALIZERS
from distnet.layers import LAYERS
from distnet.losses import LOSSES
from distnet.losses.distillation_losses import DISTILLATION_LOSSES
from distnet.metrics import METRICS
from distnet.optimizers import OPTIMIZERS
from distnet.optimizers.schedules import SCHEDULES
from distnet.random import SeedGenerator
from distnet.registry import Registry, custom_object_scope, known_custom_objects, registered_name, to_json
from distnet.registry.code import code_allowed, is_code_allowed
from distnet.regularizers import REGULARIZERS
from distnet.types import Json

_FAMILIES: tuple[Registry[Any], ...] = (
    LAYERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    SCHEDULES,
    INITIALIZERS,
    REGULARIZERS,
    CONSTRAINTS,
    ACTIVATIONS,
    DISTILLATION_LOSSES,
)
_POLICIES = ("DTypePolicy", "FloatDTypePolicy")
_TUPLE, _ARRAY, _TENSOR = "__tuple__", "__numpy__", "__tensor__"
_BYTES, _SLICE, _ELLIPSIS, _LAMBDA = "__bytes__", "__slice__", "__ellipsis__", "__lambda__"
_ENDS = ("start", "stop", "step")


def serialize_keras_object(obj: Any) -> Json:
    """An object as ``{"module", "class_name", "config", "registered_name"}``; numbers, texts, lists and dicts as such.

    Raises:
        ArgumentError: it has no JSON form.

    Source: ``keras.saving.serialize_keras_object``.
    """
    if obj is None or isinstance(obj, str | bool | int | float):
        return obj
    if isinstance(obj, Mapping):
        return {str(key): serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, tuple):  # a tuple, which JSON makes a list of
        return cast(Json, tuple(serialize_keras_object(value) for value in obj))
    if isinstance(obj, list):
        return [serialize_keras_object(value) for value in obj]
    if isinstance(obj, bytes):
        return {"class_name": _BYTES, "config": {"value": obj.decode()}}
    if isinstance(obj, slice):
        return {"class_name": _SLICE, "config": {end: serialize_keras_object(getattr(obj, end)) for end in _ENDS}}
    if obj is Ellipsis:
        return {"class_name": _ELLIPSIS, "config": {}}
    if isinstance(obj, np.ndarray) and obj.ndim and obj.dtype.kind in "biufc":
        return {"class_name": _ARRAY, "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and not obj.ndim):
        return to_json(obj)
    if isinstance(obj, dtype_policies.DTypePolicy):
        return dtype_policies.serialize(obj)
    if isinstance(obj, SeedGenerator):
        described: dict[str, Json] = {"module": "keras.random", "class_name": "SeedGenerator"}
        return {**described, "config": obj.get_config(), "registered_name": None}
    family = next((family for family in _FAMILIES if isinstance(obj, family.base)), None)
    if family is not None and not isinstance(obj, type):
        return family.with_module(to_json(obj))
    if callable(obj) and hasattr(obj, "__name__"):
        name = registered_name(obj)
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    return to_json(obj)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object that ``serialize_keras_object`` described, here or in Keras.

    Args:
        custom_objects: classes and functions of your own, by name.
        safe_mode: False runs the code of ``Lambda`` layers.

    Raises:
        UnknownNameError, ArgumentError: a name that is not known, or a configuration that describes nothing.

    Source: ``keras.saving.deserialize_keras_object``.
    """
    with code_allowed(not safe_mode or is_code_allowed() or runs_code()), custom_object_scope(custom_objects):
        return _deserialized(config)


def _deserialized(config: Any) -> Any:
    if isinstance(config, list | tuple):
        return [_deserialized(value) for value in config]
    if not isinstance(config, Mapping):
        return config
    name = config.get("class_name")
    if name is None or "config" not in config:
        return {key: _deserialized(value) for key, value in config.items()}
    if name == _TUPLE:
        return tuple(_deserialized(value) for value in config["config"]["value"])
    if name in (_ARRAY, _TENSOR):
        return np.array(config["config"]["value"], config["config"]["dtype"])
    if name == _BYTES:
        return str(config["config"]["value"]).encode()
    if name == _SLICE:
        return slice(*(_deserialized(config["config"][end]) for end in _ENDS))
    if name == _ELLIPSIS:
        return Ellipsis
    if name == _LAMBDA:
        raise ArgumentError(
            "deserialize_keras_object: holds the code of a lambda, not run. Make the function one with a name, "
            "registered with register_keras_serializable."
        )
    if name == "function":
        return _function(str(config["config"]))
    if str(config.get("module")) in ("keras", "keras.dtype_policies") and name in _POLICIES:
        return dtype_policies.deserialize(config)
    if str(config.get("module")) == "keras.random" and name == "SeedGenerator":
        return SeedGenerator.from_config(config["config"])
    return _family(config).get(config)


def _family(config: Mapping[str, Any]) -> Registry[Any]:
    """The family of a described object: by its module, or else the first that knows its name."""
    name, module = str(config.get("registered_name") or config["class_name"]), str(config.get("module"))
    own = get_registered_object(name)
    if isinstance(own, type):
        known = [family for family in _FAMILIES if issubclass(own, family.base)]
    else:
        known = [family for family in _FAMILIES if family.knows(name.rpartition(">")[2])]
    by_module = [family for family in known if module.startswith(family.module)]
    if not known:
        raise ArgumentError(
            f"deserialize_keras_object: nothing is called {name!r}. Give your own classes as custom_objects."
        )
    return (by_module or known)[0]


def _function(name: str) -> Any:
    own = get_registered_object(name)
    if own is not None:
        return own
    for family in (ACTIVATIONS, LOSSES, METRICS):
        if family.knows(name):
            return family.get(name)
    raise ArgumentError(f"deserialize_keras_object: no function is called {name!r}. Give it as a custom object.")


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function is found in files: ``package>name``, or its own.

    Source: ``keras.saving.get_registered_name``.
    """
    return registered_name(obj)


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """The class or function of the user's with this name; None where there is none.

    Args:
        custom_objects: looked at before what is registered.
        module_objects: looked at after it.

    Source: ``keras.saving.get_registered_object``.
    """
    for known in (custom_objects, known_custom_objects(), module_objects):
        if known and name in known:
            return known[name]
    return None
