"""The kind of classification, by the shapes of targets and predictions."""

from __future__ import annotations

from distnet.types import Shape


def task_of(y_true_shape: Shape, y_pred_shape: Shape) -> str:
    """``"binary"``, ``"categorical"`` or ``"sparse_categorical"``.

    >>> task_of((None,), (None, 10))
    'sparse_categorical'

    Args:
        y_true_shape: shape of the targets, with the batch axis.
        y_pred_shape: shape of the predictions, with the batch axis.

    Source: how Keras resolves the metric ``"accuracy"`` and the loss ``"crossentropy"``.
    """
    if y_pred_shape[-1] == 1:
        return "binary"
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return "sparse_categorical"
    return "categorical"
