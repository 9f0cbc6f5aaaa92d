"""What a dataset consists of: arrays, in tuples and dicts, without a batch axis or with one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from distnet.errors import DataError, ShapeError
from distnet.tree import flatten, is_nested, map_structure
from distnet.types import Array

Element: TypeAlias = Any
"""An array, or a tuple or dict of elements."""

_OF_PYTHON = {bool: np.bool_, int: np.int32, float: np.float32}
"""The dtypes of Python's numbers, as in TensorFlow."""


def as_element(value: Any) -> Element:
    """The arrays of what a user's function returned: lists are arrays, Python's numbers have 32 bits.

    Raises:
        DataError: it holds None, or rows of different lengths.
    """
    if isinstance(value, tuple) and is_nested(value):
        parts = [as_element(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, dict):
        return {key: as_element(part) for key, part in value.items()}
    return _as_leaf(value)


def _as_leaf(value: Any) -> Array:
    if value is None:
        raise DataError("dataset: expected arrays, tuples and dicts, received None.")
    if isinstance(value, list):
        value = [_as_leaf(entry) for entry in value]
        if len({entry.shape for entry in value}) > 1:
            raise DataError(f"dataset: expected a list of equal shapes, received {[entry.shape for entry in value]}.")
    return np.asarray(value, _OF_PYTHON.get(type(value)))


def read_only(leaf: Array) -> Array:
    """A view that cannot be written to: elements may be used again, as in ``tf.data``."""
    view = leaf.view()
    view.flags.writeable = False
    return view


def sliced(element: Element, rows: slice) -> Element:
    """Some rows of a batch."""
    return map_structure(lambda leaf: leaf[rows], element)


def count_rows(element: Element, what: str = "dataset") -> int:
    """How many rows a batch has.

    Raises:
        ShapeError: it has no rows, or its arrays have different numbers of them.
    """
    shapes = [leaf.shape for leaf in flatten(element)]
    if not all(shapes) or len({shape[0] for shape in shapes}) != 1:
        raise ShapeError(f"{what}: expected arrays of equally many rows, received the shapes {shapes}. Use batch(n).")
    return int(shapes[0][0])


def stacked(elements: Sequence[Element], first: int = 0) -> Element:
    """A batch of elements.

    Args:
        first: number of the first element, for messages.

    Raises:
        DataError: they differ in structure or shape.
    """
    shapes = [[leaf.shape for leaf in flatten(element)] for element in elements]
    different = next((i for i, other in enumerate(shapes) if other != shapes[0]), None)
    if different is not None:
        raise DataError(
            f"dataset: expected elements of the shapes {shapes[0]}, as element {first} has, received "
            f"{shapes[different]} in element {first + different}. Give all the same shape, with map, before batch."
        )
    return map_structure(lambda *leaves: np.stack(leaves), *elements)


def padded(elements: Sequence[Element]) -> Element:
    """A batch of elements whose leaves are filled up with 0, or "", to the largest extents among them."""
    return map_structure(lambda *leaves: _padded_leaves(leaves), *elements)


def _padded_leaves(leaves: Sequence[Array]) -> Array:
    extents = np.max([leaf.shape for leaf in leaves], axis=0).astype(np.intp)
    batch = np.zeros((len(leaves), *extents), np.result_type(*leaves))
    for i, leaf in enumerate(leaves):
        batch[i : i + 1][(slice(None), *(slice(0, extent) for extent in leaf.shape))] = leaf
    return batch


def joined(batches: Sequence[Element]) -> Element:
    """One batch of the rows of several."""
    return map_structure(lambda *leaves: np.concatenate(leaves), *batches)
