"""Losses that compare each row with all others."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from distnet.arguments import ANY, number
from distnet.errors import ShapeError
from distnet.kernels.matrix_products import matmul
from distnet.losses.base import Pullback
from distnet.losses.kinds import LOSSES
from distnet.losses.loss_function import BuiltInLoss, LossFunction
from distnet.registry import LEFT_OUT
from distnet.types import Array, ArrayLike


@LOSSES.register()
@dataclass(eq=False)
class Circle(BuiltInLoss):
    """``log(1 + sum_p exp(z_p) sum_n exp(z_n))`` over a row's neighbours p of its label and n of other labels.

    With cosine distances d: ``z_p = gamma (d + margin)(d - margin)``, ``z_n = gamma (1 + margin - d)(1 - margin - d)``.
    The neighbours are all rows of the global batch. A row without neighbours of both kinds gives 0 and does not count.

    Shapes:
        y_true (N,), y_pred (N, D) of length 1 -> (N,).

    Args:
        gamma: scale.
        margin: tolerance of distances from 0 and 1.
        remove_diagonal: whether a row is not its own neighbour.
        ref_labels, ref_embeddings: options of the function only: other neighbours, (M,) and (M, D).

    Source: Sun et al. (2020), arXiv:2002.10857, equation 4 with distances for similarities, as in Keras.
    """

    gamma: float = number(80.0, ANY)
    margin: float = number(0.4, ANY)
    remove_diagonal: bool = True
    ref_labels: Array | None = field(default=None, init=False, repr=False, metadata=LEFT_OUT)
    ref_embeddings: Array | None = field(default=None, init=False, repr=False, metadata=LEFT_OUT)

    def align(self, y_true: ArrayLike, y_pred: Array) -> tuple[Array, Array]:
        labels = np.asarray(y_true)
        if y_pred.ndim != 2 or labels.shape not in ((len(y_pred),), (len(y_pred), 1)):
            raise ShapeError(
                f"{self.function.__name__}: expected labels (N,) and embeddings (N, D), "
                f"received {labels.shape} and {y_pred.shape}."
            )
        return labels.reshape(-1).astype(np.int64), y_pred

    def formula(self, y_true: Array, y_pred: Array) -> tuple[Array, Pullback]:
        gamma, margin = self.gamma, self.margin
        others = y_pred if self.ref_embeddings is None else np.asarray(self.ref_embeddings, y_pred.dtype)
        labels = y_true if self.ref_labels is None else np.asarray(self.ref_labels).reshape(-1)
        cosine = matmul(y_pred, others.T)
        distance = np.maximum(1.0 - cosine, 0.0)
        is_alike = y_true[:, None] == labels
        is_other = ~is_alike
        if self.remove_diagonal:
            np.fill_diagonal(is_alike, False)
        near, far = np.maximum(distance + margin, 0.0), np.maximum(1.0 + margin - distance, 0.0)
        alike, of_alike = _soft_max(gamma * near * (distance - margin), is_alike)
        other, of_other = _soft_max(gamma * far * (1.0 - margin - distance), is_other)

        def pullback(dv: Array | float) -> Array:
            slope_alike = of_alike * (2.0 * distance * (near > 0))
            slope_other = of_other * (2.0 * (distance - 1.0) * (far > 0))
            opened = np.exp(-np.logaddexp(0.0, -(alike + other)))
            by_cosine = -gamma * opened[:, None] * (slope_alike + slope_other) * (cosine < 1.0) * dv
            by_row = matmul(by_cosine, others)
            return by_row if self.ref_embeddings is not None else by_row + matmul(by_cosine.T, y_pred)

        return np.logaddexp(0.0, alike + other).astype(y_pred.dtype), pullback

    @property
    def couples_rows(self) -> bool:
        """Always."""
        return True

    def valid(self, y_true: Array, values: Array) -> Array | None:
        return np.asarray(values > 0)


circle = LossFunction(Circle, order="ref_labels ref_embeddings remove_diagonal gamma margin")


def _soft_max(z: Array, counts: Array) -> tuple[Array, Array]:
    """(N,) ``log(sum(exp(z)))`` of the entries that count, and its slopes (N, M); minus infinity if none counts."""
    top = np.max(z, axis=1, initial=-np.inf, where=counts)
    held = np.where(np.isfinite(top), top, 0.0)
    shares = np.where(counts, np.exp(np.minimum(z - held[:, None], 0.0)), 0.0)
    total = shares.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_sum = np.log(total) + held
    return log_sum, shares / np.where(total > 0, total, 1.0)[:, None]
