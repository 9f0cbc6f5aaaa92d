"""Losses of several outputs at once: a user's function of lists or dicts of targets and predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from distnet.data.batch import Batch
from distnet.layers.engine.structures import leaves, packed
from distnet.losses import Loss
from distnet.losses.differentiated import as_values, naming_the_loss
from distnet.losses.of_tensors import reduced
from distnet.ops.tape import following, gradients, watched
from distnet.ops.tensor import Rows, TapeNode, Tensor
from distnet.types import Array


def value_and_gradients(
    loss: Loss, form: Any, batch: Batch, y_pred: Sequence[Array], rows: Rows | None
) -> tuple[float, dict[int, Array]]:
    """This rank's part of the loss, and its gradients with respect to the outputs, by their numbers.

    Args:
        loss: its ``call`` is handed the targets, then the predictions, in this form.
        form: the numbers of the outputs in lists, tuples and dicts.
        batch: this rank's rows of a batch; the first of the outputs has the weights of all.
        y_pred: every output of the model.
        rows: which rows of the global batch these are; None if they are all of it.

    Source: ``keras.src.trainers.compile_utils.CompileLoss.call``.
    """
    numbers = list(leaves(form))
    outputs = [watched(Tensor(y_pred[i], rows=rows)) for i in numbers]
    targets = [Tensor(np.asarray(batch.y[i], y_pred[i].dtype), rows=rows) for i in numbers]
    weight = batch.weight[numbers[0]]
    with following(), naming_the_loss(loss.name):
        returned = loss.call(packed(form, targets), packed(form, outputs))
        values = as_values(loss.name, returned, outputs[0])
        given = None if weight is None else Tensor(weight, rows=rows)
        value = reduced(loss.name, values, given, None, loss.reduction)
    sources = [(cast(TapeNode, leaf.node), 0) for leaf in outputs]
    made = gradients([(value, np.ones(value.shape, value.dtype))], sources).shared
    slopes = {i: made.get(source) for i, source in zip(numbers, sources, strict=True)}
    share = 1.0 if rows is None else rows.count / rows.total
    return float(value) * share, {
        i: np.zeros_like(y_pred[i]) if g is None else cast(Array, g) for i, g in slopes.items()
    }
