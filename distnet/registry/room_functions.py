"""``get``, ``serialize`` and ``deserialize``, for every family."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from distnet.registry.configurable import Configurable, to_json
from distnet.registry.custom_objects import custom_object_scope
from distnet.registry.family import Registry
from distnet.types import Json

T = TypeVar("T")


def functions_of(
    family: Registry[Any], module: str, meaning: Callable[[object], T], config: str = "config"
) -> tuple[Callable[..., T], Callable[..., Json], Callable[..., T]]:
    """A family's ``get``, ``serialize`` and ``deserialize``, with Keras's names of arguments.

    Args:
        family: what a member is called in messages, it is called here too.
        module: the room, or its module, that has the functions.
        meaning: resolves a name, class or configuration, mostly ``family.optional``: None stays None.
        config: Keras's name for the argument of ``deserialize``.
    """

    def get(identifier: object) -> T:
        """The object given by a name, an object, a class or a configuration; in most families also by a function.

        Raises:
            UnknownNameError: nothing has this name.
            ArgumentError: ``identifier`` is none of these.

        Source: Keras's function of this name.
        """
        return meaning(identifier)

    def serialize(member: object) -> Json:
        """Keras's ``{"class_name", "config"}``, or the name of an object known by name; a name stays as it is.

        Raises:
            UnknownNameError: nothing has this name.

        Source: Keras's function of this name.
        """
        known = member if isinstance(member, Configurable) else meaning(member)
        return member if isinstance(member, str) else to_json(known)

    def deserialize(config: object, custom_objects: Mapping[str, Any] | None = None) -> T:
        """The object from what ``serialize`` wrote, here or in Keras.

        Args:
            config: its JSON, or a name.
            custom_objects: the user's own classes and functions by name.

        Source: Keras's function of this name.
        """
        with custom_object_scope(custom_objects):
            return meaning(config)

    functions = get, _taking(serialize, family.kind.replace(" ", "_")), _taking(deserialize, config)
    for function in functions:
        function.__module__, function.__qualname__ = module, function.__name__
    return functions


def _taking(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function with its first argument called ``name``."""
    signature = inspect.signature(function)
    first, *others = signature.parameters.values()
    renamed = signature.replace(parameters=[first.replace(name=name), *others])

    @functools.wraps(function)
    def taking(*args: Any, **kwargs: Any) -> Any:
        return function(*renamed.bind(*args, **kwargs).args)

    vars(taking)["__signature__"] = renamed
    return taking
