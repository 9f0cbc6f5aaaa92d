"""Targets and predictions brought to matching shapes, or a message that says why they do not match."""

from __future__ import annotations

import math

import numpy as np

from distnet import config
from distnet.errors import DataError, ShapeError
from distnet.types import Array, ArrayLike


def as_floating(y_pred: ArrayLike) -> Array:
    """An array; of its own dtype if that is floating, else of ``floatx``."""
    array = np.asarray(y_pred)
    return array if array.dtype.kind == "f" else array.astype(config.floatx())


def same_rank(a: Array, b: Array) -> tuple[Array, Array]:
    """(N,) beside (N, 1) becomes (N, 1); a last axis of 1 that only the higher rank has is dropped.

    Source: Keras's ``squeeze_or_expand_to_same_rank``.
    """
    if a.ndim == b.ndim + 1:
        b, a = same_rank(b, a)
    elif b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        if a.ndim == 1:
            a = a[:, None]
        else:
            b = b[..., 0]
    return a, b


def same_shape(name: str, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
    """Both in one shape, and in the dtype of ``y_pred``.

    Raises:
        ShapeError: the shapes differ by more than a last axis of 1. Nothing is broadcast: a column beside a matrix is
            nearly always a mistake.
    """
    targets, outputs = same_rank(np.asarray(y_true, dtype=y_pred.dtype), y_pred)
    if targets.shape != outputs.shape:
        raise ShapeError(
            f"{name}: expected y_true of the shape of y_pred {y_pred.shape}, received {np.shape(y_true)}. "
            + _remedy(name, targets, outputs)
        )
    return targets, outputs


def are_alike(y_true: Array, y_pred: Array) -> bool:
    """Whether ``same_shape`` gives targets the shape of predictions of two axes or more, whatever else it checks."""
    is_column = y_true.ndim == 1 and y_pred.shape == (len(y_true), 1)
    return y_pred.ndim > 1 and (y_true.shape == y_pred.shape or is_column)


def _remedy(name: str, y_true: Array, y_pred: Array) -> str:
    rows_agree = y_true.shape[:1] == y_pred.shape[:1]
    if not rows_agree:
        return "Give one target for each prediction."
    if y_true.ndim < y_pred.ndim or (y_true.shape[-1:] == (1,) and y_pred.shape[-1] > 1):
        sparse = f"sparse_{name}"
        use = f"Use {sparse} for class numbers" if sparse == "sparse_categorical_crossentropy" else "For class numbers"
        return f"{use}, or one-hot encode them with utils.to_categorical."
    return "Make the model's output and the targets equally wide."


def class_numbers(
    name: str, y_true: ArrayLike, y_pred: Array, axis: int = -1, ignored: int | None = None
) -> tuple[Array, Array]:
    """``y_true`` as integers in the shape of ``y_pred`` without the class axis.

    Args:
        name: name of the function, for messages.
        y_true: whole numbers, with or without a class axis of 1.
        y_pred: scores of the classes.
        axis: the class axis.
        ignored: a label that is not a class.

    Raises:
        ShapeError: the shapes do not fit.
        DataError: a label is not a whole number, or not a class.
    """
    if not isinstance(axis, int) or isinstance(axis, bool) or not -y_pred.ndim <= axis < y_pred.ndim:
        raise ShapeError(f"{name}: expected an axis of y_pred {y_pred.shape}, received axis={axis!r}.")
    labels = np.asarray(y_true)
    if labels.ndim == y_pred.ndim and labels.shape[axis] == 1:
        labels = np.squeeze(labels, axis=axis)
    at = axis % y_pred.ndim
    expected = y_pred.shape[:at] + y_pred.shape[at + 1 :]
    if labels.shape != expected:
        one_hot = labels.shape == y_pred.shape and name.startswith("sparse_")
        remedy = f"Use {name.removeprefix('sparse_')} for one-hot labels." if one_hot else "Give one class number each."
        raise ShapeError(
            f"{name}: expected y_true of shape {expected} for y_pred {y_pred.shape}, "
            f"received {np.shape(y_true)}. {remedy}"
        )
    return _checked_labels(name, labels, y_pred.shape[axis], ignored), y_pred


def _checked_labels(name: str, given: Array, classes: int, ignored: int | None) -> Array:
    with np.errstate(invalid="ignore"):
        labels = given.astype(np.intp, copy=False)
    wrong = None if labels is given or given.dtype.kind in "iub" else labels != given
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        out_of_range = (labels < 0) | (labels >= classes)
        wrong = out_of_range if wrong is None else wrong | out_of_range
    if wrong is None:
        return labels
    if ignored is not None:
        wrong &= given != ignored
    if not wrong.any():
        return labels
    where = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    raise DataError(
        f"{name}: expected class numbers from 0 to {classes - 1} for {classes} classes, "
        f"received {given[where]} in row {int(where[0])}. Number the classes from 0, or widen the output.",
        int(where[0]),
    )


def in_columns(y_pred: Array) -> Array:
    """Predictions of one number for each row, as a column."""
    return y_pred[:, None] if y_pred.ndim == 1 else y_pred


def per_row(values: Array) -> int:
    """Number of values in a row; 0 if the whole batch has one."""
    return math.prod(values.shape[1:]) if values.ndim else 0
