"""Constructors of a user's model classes: their arguments are the configuration.

Source: ``keras.src.ops.operation.Operation.__new__`` and ``functional_like_constructor``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from distnet.errors import ArgumentError
from distnet.registry.configurable import to_json
from distnet.types import Json


def is_like(cls: type, base: type) -> bool:
    """Whether ``cls`` is made with the arguments of ``base``, or hands on whatever it is made with."""
    own = inspect.signature(cls).parameters.values()
    kinds = {parameter.kind for parameter in own}
    takes_all = kinds >= {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    names = [parameter.name for parameter in inspect.signature(base).parameters.values()]
    return takes_all or [parameter.name for parameter in own][: len(names)] == names


def constructor_arguments(made: object, given: tuple[tuple[Any, ...], Mapping[str, Any]]) -> dict[str, Json]:
    """The arguments by name.

    Args:
        made: the object.
        given: what its constructor was called with.

    Raises:
        ArgumentError: one has no JSON form.
    """
    signature = inspect.signature(type(made))
    arguments = signature.bind(*given[0], **given[1]).arguments
    by_name: dict[str, Any] = {}
    for name, value in arguments.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            by_name.update(value)
        elif kind is not inspect.Parameter.VAR_POSITIONAL:
            by_name[name] = value
    try:
        return {name: to_json(value) for name, value in by_name.items()}
    except ArgumentError as error:
        raise ArgumentError(f"{type(made).__name__}: {error} Or give the model a get_config method.") from None


def taken(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the constructor takes of a configuration."""
    parameters = inspect.signature(cls).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return dict(config)
    return {p.name: config[p.name] for p in parameters if p.name in config}
