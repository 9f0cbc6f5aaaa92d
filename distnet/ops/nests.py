"""Nests of tensors: lists, tuples and dicts within each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(nest: Any) -> list[Any]:
    """The entries of a nest, in order, without None."""
    if isinstance(nest, list | tuple):
        return [leaf for item in nest for leaf in leaves(item)]
    if isinstance(nest, dict):
        return [leaf for item in nest.values() for leaf in leaves(item)]
    return [] if nest is None else [nest]


def packed(nest: Any, values: Iterator[Any]) -> Any:
    """A nest like the given one, with other entries."""
    if isinstance(nest, list | tuple):
        items = [packed(item, values) for item in nest]
        return type(nest)(*items) if hasattr(nest, "_fields") else type(nest)(items)
    if isinstance(nest, dict):
        return {key: packed(item, values) for key, item in nest.items()}
    return None if nest is None else next(values)
