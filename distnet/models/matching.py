"""Inputs or targets as a caller passes them -> one value for each tensor of the model.

Source: ``keras.Functional._standardize_inputs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distnet.errors import DataError, ShapeError
from distnet.layers.engine.structures import holds_tensors, is_nested, items, leaves, mapped


def matched(where: str, wanted: Any, given: Any) -> list[Any]:
    """The values of ``given``, one for each leaf of ``wanted``, in the order of ``wanted``'s leaves.

    Args:
        where: the model's name.
        wanted: placeholders, in nested lists, tuples and dicts.
        given: values in the same lists and dicts, in one list, or in a dict by the placeholders' names.

    Raises:
        ShapeError: more or fewer values.
        DataError: a dict lacks some of the names, or a list is given for a dict whose keys have two orders.
    """
    if isinstance(given, Mapping) and not isinstance(wanted, Mapping):
        names = [placeholder.name for placeholder in leaves(wanted)]
        _check_keys(where, names, given)
        return [given[name] for name in names]
    if not is_nested(wanted):
        return [_only(where, given)]
    expected = len(list(leaves(wanted)))
    if isinstance(wanted, Mapping):
        if isinstance(given, Mapping):
            _check_keys(where, [key for key, _ in items(wanted)], given)
            return [value for key, part in items(wanted) for value in matched(where, part, given[key])]
        if expected > 1 and [key for key, _ in items(wanted)] != list(wanted):
            raise DataError(
                f"{where}: expected a dict with the keys {list(wanted)}, received a list. The order of its items, by "
                "key or as written, is ambiguous: pass a dict."
            )
    elif isinstance(given, list | tuple) and len(given) == len(wanted):
        return [value for part, own in zip(wanted, given, strict=True) for value in matched(where, part, own)]
    flat = list(leaves(given, holds_tensors))
    if len(flat) != expected:
        form = mapped(lambda placeholder: placeholder.name, wanted)
        raise ShapeError(f"{where}: expected {expected} inputs in the form {form}, received {len(flat)}.")
    return flat


def _only(where: str, given: Any) -> Any:
    flat = list(leaves(given, holds_tensors))
    if len(flat) != 1:
        raise ShapeError(f"{where}: expected 1 input array, received {len(flat)}.")
    return flat[0]


def _check_keys(where: str, wanted: list[Any], given: Mapping[Any, Any]) -> None:
    if not set(wanted) <= set(given):
        raise DataError(f"{where}: expected a dict with the keys {wanted}, received {list(given)}.")
