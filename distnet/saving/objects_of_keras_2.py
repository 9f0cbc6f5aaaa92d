"""Objects as Keras 2 described them, without their modules: ``keras.legacy.saving``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from distnet.errors import ArgumentError, UnknownNameError
from distnet.registry import custom_object_scope, registered_name
from distnet.saving.objects import get_registered_object

_WITHIN = "__passive_serialization__"
"""Says that a description within another one is of an object, which is to be made, too."""


def serialize_keras_object(instance: Any) -> Any:
    """An object as ``{"class_name", "config"}``, a function or class as its name; None stays None.

    Raises:
        ArgumentError: it has neither a configuration nor a name.

    Source: ``keras.legacy.saving.serialize_keras_object``.
    """
    instance = inspect.unwrap(instance) if callable(instance) else instance
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        config = {key: _within(value) for key, value in instance.get_config().items()}
        return {"class_name": registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return registered_name(instance)
    raise ArgumentError(f"serialize_keras_object: expected an object with get_config(), received {instance!r:.200}.")


def _within(value: Any) -> Any:
    """A value of a configuration: objects and functions are described, anything else stays."""
    if hasattr(value, "get_config"):
        return {**serialize_keras_object(value), _WITHIN: True}
    return serialize_keras_object(value) if hasattr(value, "__name__") else value


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that was described; of a class's name an object made without arguments.

    Args:
        identifier: what ``serialize_keras_object`` gave, or a function, which stays as it is; None stays None.
        module_objects: name -> class or function, such as ``vars(distnet.layers)``.
        custom_objects: the same, looked at first.
        printable_module_name: what is looked for, in messages.

    Raises:
        UnknownNameError: nothing has that name.
        ArgumentError: the identifier describes nothing.

    Source: ``keras.legacy.saving.deserialize_keras_object``.
    """
    if identifier is None or inspect.isfunction(identifier):
        return identifier
    if isinstance(identifier, str):
        named = _named(identifier, module_objects, custom_objects, printable_module_name)
        return named() if inspect.isclass(named) else named
    if not isinstance(identifier, Mapping) or not identifier.keys() >= {"class_name", "config"}:
        raise ArgumentError(
            f"deserialize_keras_object: {printable_module_name}: expected a name, a function or a dict with class_name "
            f"and config, received {identifier!r:.200}."
        )
    made = _named(str(identifier["class_name"]), module_objects, custom_objects, printable_module_name)
    config = identifier["config"]
    if isinstance(config, Mapping):
        config = {key: _revived(key, value, module_objects, custom_objects) for key, value in config.items()}
    with custom_object_scope(custom_objects):
        return made.from_config(config) if hasattr(made, "from_config") else made(**config)


def _revived(
    key: str, value: Any, module_objects: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None
) -> Any:
    """A value of a configuration: an object that is described in it, or a function that is named."""
    if isinstance(value, Mapping) and _WITHIN in value:
        return deserialize_keras_object(value, module_objects, custom_objects, "config_item")
    if isinstance(value, str) and key != "name":
        named = get_registered_object(value, custom_objects, module_objects)
        return named if inspect.isfunction(named) else value
    return value


def _named(
    name: str, module_objects: Mapping[str, Any] | None, custom_objects: Mapping[str, Any] | None, kind: str
) -> Any:
    named = get_registered_object(name, custom_objects, module_objects)
    if named is None:
        raise UnknownNameError(
            f"deserialize_keras_object: unknown {kind} {name!r}. Give what has that name as custom_objects, or as "
            "module_objects, such as vars(distnet.layers)."
        )
    return named
