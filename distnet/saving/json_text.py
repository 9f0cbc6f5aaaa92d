"""The JSON texts of a file: bounded, and without code."""

from __future__ import annotations

import json
from typing import Any

from distnet.errors import CheckpointError
from distnet.registry import is_custom
from distnet.registry.code import LAMBDA, is_code_allowed

_MOST_BYTES = 1 << 24
_MOST_VALUES = 1 << 18
_MOST_OBJECTS = 50_000
_MOST_DEPTH = 128


def parsed(text: object, where: str) -> dict[str, Any]:
    """The object that a text from a file describes.

    Args:
        where: file and attribute, for messages.

    Raises:
        CheckpointError: it is not a JSON object, is too long or too deep, or holds code.
    """
    if not isinstance(text, str | bytes):
        raise CheckpointError(f"{where}: expected a text, found {text!r:.100}.")
    if len(text) > _MOST_BYTES:
        raise CheckpointError(f"{where}: has {len(text)} bytes; expected at most {_MOST_BYTES}.")
    parsed_object = values(text, where, _MOST_VALUES)
    if not isinstance(parsed_object, dict):
        raise CheckpointError(f"{where} is not a JSON object.")
    _check(parsed_object, where)
    return parsed_object


def values(text: str | bytes, where: str, most: int) -> Any:
    """The value of a JSON text, code or not.

    A value of two letters takes a hundred bytes of memory, so these are counted before any is made.

    Args:
        where: file and place, for messages.
        most: number of values that it may hold.

    Raises:
        CheckpointError: it is not JSON, holds too many values, or an object has a key twice.
    """
    content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    count = sum(map(content.count, (b",", b"[", b"{")))
    if count > most:
        raise CheckpointError(f"{where}: holds up to {count} values; expected at most {most}.")
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{where} is not JSON: {error}.") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the key {twice!r:.100} more than once")
    return entries


def _check(parsed_value: Any, where: str) -> None:
    """Check level by level: deep nesting would overflow a recursive walk."""
    level, objects = [parsed_value], 0
    for _ in range(_MOST_DEPTH):
        named = [value for value in level if isinstance(value, dict) and "class_name" in value]
        objects += len(named)
        if objects > _MOST_OBJECTS:
            raise CheckpointError(f"{where}: describes more than {_MOST_OBJECTS} objects.")
        for value in named:
            if _holds_code(value):
                _refuse_code(value, where)
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise CheckpointError(f"{where}: is nested deeper than {_MOST_DEPTH} levels.")


def _holds_code(value: dict[str, Any]) -> bool:
    """Whether it is a function written as code, or a ``Lambda`` whose function is no name."""
    if value["class_name"] == LAMBDA:
        return True
    config = value.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    is_named = isinstance(function, str) or (isinstance(function, dict) and function.get("class_name") != LAMBDA)
    return bool(value["class_name"] == "Lambda") and not is_named


def _refuse_code(value: dict[str, Any], where: str) -> None:
    if is_code_allowed() or is_custom(value["class_name"]):
        return
    config = value.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    raise CheckpointError(
        f"{where}: {name or 'a function'} is a {value['class_name']}, which holds code; code from a file is not run. "
        "Pass safe_mode=False if you trust the file, or save a function with a name, registered with "
        "register_keras_serializable."
    )
