"""Losses and metrics of placeholders, as Keras's functions of placeholders: nodes of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.losses.of_tensors import Composed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import are_placeholders
from distnet.types import Array

_SOME = 2
"""An extent that stands for one that is unknown."""


def values_of(
    name: str, check: Callable[[Array, Array], object], composed: Composed | None, y_true: Any, y_pred: Any
) -> Any:
    """The placeholder of the values of a loss or metric of which an argument is a placeholder.

    Args:
        name: of the function, for messages.
        check: raises what is raised for arrays of wrong shapes.
        composed: gives the values by functions of ``distnet.ops``, where there are functions for it.

    Raises:
        ArgumentError: it is composed of no such functions.
        ShapeError: the shapes do not fit each other.
    """
    if composed is None:
        raise ArgumentError(
            f"{name}: expected arrays, for Keras has no operations for it, received a placeholder. Call it in the call "
            "of a layer or loss of your own."
        )
    ends = [end if hasattr(end, "dtype") else np.asarray(end) for end in (y_true, y_pred)]
    t, p = _filled([end.shape for end in ends])
    with np.errstate(all="ignore"):
        check(np.zeros(t), np.full(p, 0.5))
    return composed(*ends)


def _filled(shapes: Sequence[Sequence[int | None]]) -> list[list[int]]:
    """The shapes with extents instead of None: those of the other shape, where it knows them."""
    known = [next((n for n in extents if n is not None), _SOME) for extents in zip(*shapes, strict=False)]
    return [[(known[i : i + 1] or [_SOME])[0] if n is None else n for i, n in enumerate(shape)] for shape in shapes]


def count_alike(y_pred: Any, sample_weight: Any, mask: Any) -> bool:
    """Whether there are no weights, and can be no mask."""
    return sample_weight is None and mask is None and not getattr(y_pred, "may_be_masked", False)


def reduced(name: str, values: Any, reduction: str | None, is_plain: bool) -> Any:
    """The values of placeholders as one number, or as they are.

    Args:
        name: of the loss, for messages.
        reduction: of the loss.
        is_plain: whether all values count alike.

    Raises:
        ArgumentError: they do not.
    """
    if reduction in ("none", None):
        return values
    if not is_plain:
        raise ArgumentError(
            f"{name}: expected placeholders without weights and masks, of which every value counts. Reduce by hand: "
            "call it with reduction='none', or its function, and use ops.sum and ops.mean."
        )
    return PRIMITIVES["Sum" if reduction == "sum" else "Mean"](values) if are_placeholders(values) else values
