"""Losses called on tensors, as users' own losses and training steps call them.

A loss of this package is one node of the tape, with the gradient that its class states. Where more is wanted of it (the
gradient of its gradient, or that of the targets) it is composed of functions of ``distnet.ops`` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.losses.alignment import as_floating
from distnet.losses.differentiated import Pullback
from distnet.losses.weighting import sample_weights
from distnet.ops.opaque import followed
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import local, of_rows
from distnet.ops.recording import is_recording
from distnet.ops.spread import gathered, own_rows
from distnet.ops.tape import gradients
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.types import Array

Stated: TypeAlias = Callable[[Array, Array], tuple[Array, Pullback]]
"""Values of ``(y_true, y_pred)``, and their pullback."""

Composed: TypeAlias = Callable[[Any, Any], Any]
"""The same values by functions of ``distnet.ops``."""


def are_tensors(*values: Any) -> bool:
    """Whether some of these are tensors, or stand for tensors while something is recorded."""
    return any(followed(value) is not None for value in values)


def as_tensor(value: Any) -> Tensor:
    """The tensor that the value is, or stands for; an array as a constant."""
    tensor = followed(value)
    return Tensor(np.asarray(value)) if tensor is None else tensor


def values_of(
    name: str, stated: Stated, composed: Composed | None, couples_rows: bool, y_true: Any, y_pred: Any
) -> Tensor:
    """The values of a loss that states its gradient, for tensors.

    Args:
        name: of the loss, for messages.
        stated: gives values and their pullback.
        composed: gives the values alone, where there are functions for it.
        couples_rows: whether a value depends on several rows.
    """
    t, p = as_tensor(y_true), as_tensor(y_pred)
    if t.node is not None and is_recording() and composed is not None:
        return cast(Tensor, composed(t, p))
    t, p, rows = _placed(t, p, couples_rows)
    values, pullback = stated(t.value, as_floating(p.value))
    if not is_recording() or (p.node is None and t.node is None):
        return Tensor(np.asarray(values), rows=rows)

    def pull(node: TapeNode, dys: list[Any], is_followed: bool) -> list[Any]:
        by_targets = None if t.node is None else np.zeros_like(t.value)
        if not is_followed:
            return [pullback(dys[0]), by_targets]
        if composed is None:
            raise _written_by_hand(name, "second derivative")
        source = cast(TapeNode, p.node), p.index
        return [gradients([(composed(t, p), dys[0])], [source]).shared.get(source), by_targets]

    return Tensor(np.asarray(values), TapeNode((p, _refusing(name, t)), pull), 0, rows)


def _refusing(name: str, y_true: Tensor) -> Tensor | None:
    """The targets, of which gradients are refused where they are wanted."""
    if y_true.node is None:
        return None

    def refuse(node: TapeNode, dys: list[Any], is_followed: bool) -> NoReturn:
        raise _written_by_hand(name, "gradient with respect to y_true")

    return Tensor(y_true.value, TapeNode((y_true,), refuse))


def _written_by_hand(name: str, what: str) -> ArgumentError:
    return ArgumentError(
        f"{name}: has no {what}, for its gradient is written by hand. Write it with the functions of distnet.ops, or "
        "pass ops.stop_gradient(y_true)."
    )


def _placed(t: Tensor, p: Tensor, couples_rows: bool) -> tuple[Tensor, Tensor, Rows | None]:
    """Targets and predictions of the same rows, as tensors of their own, and which rows these are."""
    rows = p.rows or t.rows
    if rows is None:
        return t, p, None
    if couples_rows or p.ndim < 2:  # of vectors, the last axis is that of the rows
        return gathered(t), gathered(p), None
    return *(local(part if part.rows else _part(part, rows)) for part in (t, p)), rows


def _part(whole: Tensor, rows: Rows) -> Tensor:
    return of_rows(own_rows(whole, rows), rows)  # type: ignore[no-any-return]


def in_one_dtype(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Targets in the dtype of the predictions, as Keras hands them to a loss."""
    dtype = np.dtype(y_pred.dtype)
    if y_true.dtype != dtype and dtype.kind == "f":
        y_true = PRIMITIVES["Cast"](y_true, dtype.name)
    return y_true, y_pred


def in_one_rank(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) beside (N, 1) becomes (N, 1); a last axis of 1 that only one has is dropped.

    Source: Keras's ``squeeze_or_expand_to_same_rank``.
    """
    if y_true.ndim == y_pred.ndim + 1:
        y_pred, y_true = in_one_rank(y_pred, y_true)
    elif y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        if y_true.ndim == 1:
            y_true = y_true[:, None]
        else:
            y_pred = y_pred[..., 0]
    return y_true, y_pred


def both(name: str, values: Tensor, mask: Any, valid: Array) -> Tensor:
    """A mask, and where values count."""
    return cast(Tensor, _over(name, values, mask) * Tensor(valid.astype(values.dtype), rows=values.rows))


def reduced(name: str, values: Tensor, sample_weight: Any, mask: Any, reduction: str | None) -> Tensor:
    """The values weighted and reduced.

    Shapes:
        values (N, ...), weights and mask (N,), (N, 1) or the leading part of the values' shape.

    Raises:
        ShapeError: there is not one weight for each row.

    Source: ``keras.src.losses.loss.reduce_weighted_values``.
    """
    weight = None if sample_weight is None else _over(name, values, sample_weight)
    if mask is not None:
        kept = _over(name, values, mask)
        if reduction in ("mean", "sum_over_batch_size"):
            valid = float(PRIMITIVES["Sum"](kept))
            kept = kept * (kept.size / valid if valid else 0.0)
        weight = kept if weight is None else weight * kept
    if weight is not None:
        values = values * weight
    if reduction in ("none", None) or not values.ndim:
        return values
    if reduction == "sum":
        return cast(Tensor, PRIMITIVES["Sum"](values))
    if reduction == "mean_with_sample_weight" and weight is not None:
        total = PRIMITIVES["Sum"](PRIMITIVES["BroadcastTo"](weight, values.shape) if weight.size == 1 else weight)
        return cast(Tensor, PRIMITIVES["Sum"](values) / total)
    return cast(Tensor, PRIMITIVES["Mean"](values))


def _over(name: str, values: Tensor, given: Any) -> Tensor:
    """Weights or a mask in the dtype of the values, with axes of 1 behind their own.

    Raises:
        ShapeError: there is not one for each row.
    """
    weight = as_tensor(given)
    if weight.ndim and values.ndim:
        sample_weights(name, np.broadcast_to(values.dtype.type(1), values.shape), np.broadcast_to(0, weight.shape))
    if weight.dtype != values.dtype:
        weight = PRIMITIVES["Cast"](weight, values.dtype.name)
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    for _ in range(values.ndim - weight.ndim if weight.ndim else 0):
        weight = weight[..., None]
    return weight
