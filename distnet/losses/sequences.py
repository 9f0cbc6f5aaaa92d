"""The probability of a sequence of labels, over all sequences of steps that mean it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from distnet.errors import DataError, ShapeError
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import BuiltInLoss, LossFunction
from distnet.losses.slopes import log_softmax
from distnet.types import Array, ArrayLike

BLANK = 0
_IMPOSSIBLE = -1e5
"""The log probability of what cannot be, as in Keras: the loss is about 1e5 where there are too few steps."""


class _Chain:
    """The states of an alignment: a blank, the first label, a blank, the second label ... a blank.

    Each time step stays, or moves by one state, or by two if that skips the blank between different labels.
    """

    def __init__(self, labels: Array, logits: Array) -> None:
        rows, length = labels.shape
        self.log_share = log_softmax(logits, axis=2)
        self.states = np.full((rows, 2 * length + 1), BLANK)
        self.states[:, 1::2] = labels
        self.last = 2 * np.count_nonzero(labels, axis=1)
        self.emitted = np.take_along_axis(self.log_share, self.states[:, None, :], axis=2)
        self.skip = np.full(self.states.shape, _IMPOSSIBLE, logits.dtype)
        self.skip[:, 3::2] = np.where(labels[:, 1:] != labels[:, :-1], 0.0, _IMPOSSIBLE)

    def forward(self) -> Array:
        """(T + 1, N, S): the log probability of the first t time steps and of being in a state after them."""
        rows, steps, states = self.emitted.shape
        ahead = np.full((steps + 1, rows, states), _IMPOSSIBLE, self.emitted.dtype)
        ahead[0, :, 0] = 0.0
        for t in range(steps):
            ahead[t + 1] = self.emitted[:, t] + _sum(ahead[t], _moved(ahead[t], 1), _moved(ahead[t], 2) + self.skip)
        return ahead

    def total(self, at_end: Array) -> Array:
        """(N,): the log probability of ending at the last label or the blank after it."""
        rows = np.arange(len(at_end))
        before = np.where(self.last > 0, at_end[rows, self.last - 1], -np.inf)
        return np.asarray(np.logaddexp(at_end[rows, self.last], before))

    def gradient(self, ahead: Array, log_p: Array) -> Array:
        """(N, T, C) of ``-log_p`` by the logits: what the steps say, minus what they should say."""
        rows, steps, states = self.emitted.shape
        behind = np.full((rows, states), -np.inf, self.emitted.dtype)
        each = np.arange(rows)
        behind[each, self.last] = 0.0
        behind[each, np.maximum(self.last - 1, 0)] = 0.0
        said = np.zeros_like(self.log_share)
        at = (each[:, None], self.states)
        for t in reversed(range(steps)):
            np.add.at(said[:, t], at, np.exp(ahead[t + 1] + behind - log_p[:, None]))
            reached = self.emitted[:, t] + behind
            behind = _sum(reached, _moved(reached, -1), _moved(reached + self.skip, -2))
        return np.asarray(np.exp(self.log_share) - said)


def _moved(x: Array, by: int) -> Array:
    """``x`` shifted along its last axis; new entries have no probability."""
    moved = np.full_like(x, -np.inf)
    if by > 0:
        moved[:, by:] = x[:, :-by]
    else:
        moved[:, :by] = x[:, -by:]
    return moved


def _sum(a: Array, b: Array, c: Array) -> Array:
    return np.asarray(np.logaddexp(np.logaddexp(a, b), c))


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
        chain = _Chain(y_true, y_pred)
        ahead = chain.forward()
        log_p = chain.total(ahead[-1])
        return -log_p, lambda dv: chain.gradient(ahead, log_p) * dv


ctc = LossFunction(CTC)
