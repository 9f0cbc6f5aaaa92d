"""Losses of tensors, within code that is differentiated: a loss is one node, whose gradient is its pullback.

On several ranks tensors hold a rank's rows, and losses are those of the global batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.losses.alignment import as_floating
from distnet.losses.differentiated import as_values
from distnet.losses.weighting import over_values
from distnet.ops.operators import PRIMITIVES
from distnet.ops.recording import is_recording
from distnet.ops.spread import gathered, own_rows, summed
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.results import ResultArray
from distnet.types import Array


class OfTensors(Protocol):
    """A loss, as it is taken of tensors."""

    name: str
    reduction: str | None

    def _weights(self, y_true: Array, values: Array, sample_weight: Any, mask: Any) -> Array | None: ...

    def _count(self, y_true: Array, values: Array, weighted: Array, sample_weight: Any, mask: Any) -> float: ...


def followed(value: Any) -> Any:
    """The tensor that a result stands for while a tape watches it; anything else as it is."""
    return value.followed if isinstance(value, ResultArray) and value.followed is not None else value


def are_tensors(*values: Any) -> bool:
    """Whether one of the values is a tensor, or stands for one."""
    return any(isinstance(followed(value), Tensor) for value in values)


def values_of_tensors(name: str, loss: Any, y_true: Any, y_pred: Any) -> Tensor:
    """One value per sample, of tensors or arrays.

    Args:
        name: of the loss, for messages.
        loss: has ``values_and_pullback``; or ``values`` alone, which then have no gradient.
    """
    if getattr(loss, "is_differentiated", False):
        return as_values(name, loss.call(followed(y_true), followed(y_pred)), followed(y_pred))
    y_true, y_pred, rows = _in_rows(y_true, y_pred, getattr(loss, "couples_rows", False))
    t, p = _value(y_true), as_floating(_value(y_pred))
    if not hasattr(loss, "values_and_pullback"):
        return _of_rows(Tensor(np.asarray(loss.values(t, p))), rows)
    values, pullback = loss.values_and_pullback(t, p)
    parents = [tensor for tensor in (y_pred, y_true) if isinstance(tensor, Tensor) and tensor.dtype.kind == "f"]
    if not is_recording() or all(parent.node is None for parent in parents):
        return _of_rows(Tensor(values), rows)
    of_targets = _refusing(name, y_true)

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> Sequence[Any]:
        if is_followed:
            raise ArgumentError(f"{name}: has no second derivatives here. Write the loss over distnet.ops.")
        dy = np.asarray(dys[0], values.dtype)
        by_pred = pullback(dy).reshape(p.shape).astype(p.dtype, copy=False)
        return by_pred, None if of_targets is None else np.zeros_like(t)

    node = TapeNode((y_pred if isinstance(y_pred, Tensor) else None, of_targets), pull)
    return _of_rows(Tensor(values, node), rows)


def reduced(loss: OfTensors, values: Tensor, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> Tensor:
    """What a loss of tensors comes to, reduced over the rows of all ranks."""
    rows = values.rows
    y_true, weights, mask = (_part(followed(value), rows) for value in (y_true, sample_weight, mask))
    weight = loss._weights(y_true, values.value, weights, mask)
    weighted = values
    if weight is not None:
        factor = np.asarray(over_values(weight, values.ndim), values.dtype)
        spread = rows if factor.ndim and factor.shape[0] == values.value.shape[0] else None
        weighted = PRIMITIVES["Multiply"](values, _of_rows(Tensor(factor), spread))
    if loss.reduction in ("none", None):
        return weighted
    total = PRIMITIVES["Sum"](weighted)
    if loss.reduction != "sum":
        count = np.array([loss._count(y_true, values.value, weighted.value, weights, mask)])
        divisor = float((count if rows is None else summed(count))[0])
        total = total / divisor if divisor else total * 0.0
    return cast(Tensor, total)


def _in_rows(y_true: Any, y_pred: Any, couples_rows: bool) -> tuple[Any, Any, Rows | None]:
    """Both as this rank's rows, if one of them is; or both whole."""
    y_true, y_pred = followed(y_true), followed(y_pred)
    if couples_rows:
        return gathered(y_true), gathered(y_pred), None
    rows = next((t.rows for t in (y_pred, y_true) if isinstance(t, Tensor) and t.rows is not None), None)
    return *(_tensor_part(value, rows) for value in (y_true, y_pred)), rows


def _tensor_part(value: Any, rows: Rows | None) -> Any:
    if rows is None or (isinstance(value, Tensor) and value.rows is not None):
        return value
    array = value if isinstance(value, Tensor) else np.asarray(value)
    return own_rows(array, rows) if array.ndim and array.shape[0] == rows.total else array


def _part(value: Any, rows: Rows | None) -> Any:
    """The array of this rank's rows; None for None."""
    return None if value is None else _value(_tensor_part(value, rows))


def _value(value: Any) -> Array:
    return value.value if isinstance(value, Tensor) else np.asarray(value)


def _of_rows(tensor: Tensor, rows: Rows | None) -> Tensor:
    return tensor if rows is None or not tensor.ndim else Tensor(tensor.value, tensor.node, tensor.index, rows)


def _refusing(name: str, y_true: Any) -> Tensor | None:
    """The targets, of which gradients are refused: built-in losses have those by the predictions."""
    if not isinstance(y_true, Tensor) or y_true.node is None:
        return None

    def refuse(node: TapeNode, dys: list[Any], is_followed: bool) -> Sequence[Any]:
        raise ArgumentError(
            f"{name}: has no gradient with respect to y_true. Pass ops.stop_gradient(y_true), or write the loss over "
            "distnet.ops."
        )

    return Tensor(y_true.value, TapeNode((y_true,), refuse))
