"""The probability of a sequence of labels, over all sequences of steps that mean it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.errors import DataError, ShapeError
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import BuiltInLoss, LossFunction
from distnet.losses.slopes import log_softmax
from distnet.ops.nn.alignments import Alignments
from distnet.types import Array, ArrayLike


@LOSSES.register()
@dataclass(eq=False)
class CTC(BuiltInLoss):
    """``-log p(labels | logits)``: each time step emits a label or a blank, and equal neighbours count once.

    Shapes:
        y_true (N, L), class numbers from 1, then zeros; y_pred (N, T, C), logits, class 0 the blank -> (N,).

    Source: Graves et al. (2006), doi:10.1145/1143844.1143891, section 4; ``keras.losses.CTC``.
    """

    def align(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        name, labels = self.function.__name__, np.asarray(y_true)
        if labels.ndim != 2 or y_pred.ndim != 3 or len(labels) != len(y_pred):
            raise ShapeError(
                f"{name}: expected labels (N, L) and logits (N, T, C), received {labels.shape} and {y_pred.shape}."
            )
        wrong = (labels < 0) | (labels >= y_pred.shape[2]) | (labels != np.floor(labels))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(
                f"{name}: expected class numbers from 1 to {y_pred.shape[2] - 1}, then zeros, received "
                f"{labels[row, column]} in row {row}.",
                int(row),
            )
        return labels.astype(np.intp), y_pred

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        chain = Alignments(y_true, log_softmax(y_pred, axis=2), np.count_nonzero(y_true, axis=1))
        ahead = chain.forward()
        log_p = chain.total(ahead[-1])
        return -log_p, lambda dv: chain.gradient(ahead, log_p) * dv


ctc = LossFunction(CTC)
