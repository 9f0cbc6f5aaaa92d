"""Activations that make a probability distribution of each vector, or its logarithm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from distnet.activations.base import Activation, register
from distnet.arguments import is_integer
from distnet.errors import ArgumentError
from distnet.kernels.readying import Call, readied_by
from distnet.ops.nn import simplex
from distnet.ops.tensor import Tensor
from distnet.types import Array


def as_axes(where: str, axis: object) -> int | tuple[int, ...] | None:
    """One axis, several, or None for all.

    Raises:
        ArgumentError: ``axis`` is none of these.
    """
    if axis is None or is_integer(axis):
        return None if axis is None else int(cast(int, axis))
    axes = tuple(axis) if isinstance(axis, list | tuple) else ()
    if not axes or not all(is_integer(each) for each in axes):
        raise ArgumentError(f"{where}: axis: expected an integer, several of these or None, received {axis!r}.")
    return tuple(int(each) for each in axes)


@register("softmax")
@dataclass(frozen=True)
class Softmax(Activation):
    """``y_i = exp(z_i) / sum_j exp(z_j)`` along an axis.

    Args:
        axis: along which y sums to 1; a tuple for several axes, None for all.
    """

    axis: int | tuple[int, ...] | None = -1

    def __post_init__(self) -> None:
        object.__setattr__(self, "axis", as_axes(type(self).__name__, self.axis))

    def _ready_forward(self, z: Array, out: Array) -> Call | None:
        return simplex.ready_softmax(z, out, self.axis)

    @readied_by(_ready_forward)
    def forward(self, z: Array, out: Array) -> None:
        simplex.write_softmax(z, out, self.axis)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        simplex.write_softmax_gradient(dy, saved, out, self.axis)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, simplex.softmax(x, self.axis))


softmax = Softmax()


@register("log_softmax")
@dataclass(frozen=True)
class LogSoftmax(Activation):
    """Logarithm of softmax: ``y_i = z_i - log(sum_j exp(z_j))`` along an axis.

    Args:
        axis: along which exp(y) sums to 1; a tuple for several axes, None for all.
    """

    axis: int | tuple[int, ...] | None = -1

    def __post_init__(self) -> None:
        object.__setattr__(self, "axis", as_axes(type(self).__name__, self.axis))

    def forward(self, z: Array, out: Array) -> None:
        simplex.write_log_softmax(z, out, self.axis)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        simplex.write_log_softmax_gradient(dy, saved, out, self.axis)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, simplex.log_softmax(x, self.axis))


log_softmax = LogSoftmax()


@register("sparsemax")
@dataclass(frozen=True)
class Sparsemax(Activation):
    """The distribution nearest to z, mostly 0: ``y_i = max(z_i - tau, 0)``, with tau such that y sums to 1.

    Args:
        axis: along which y sums to 1.

    Source: Martins and Astudillo, 2016 (arXiv:1602.02068), algorithm 1 and equation 14. Keras 3.15 adds up all
    cumulative sums instead of taking the last, so its y does not sum to 1 if two entries are positive.
    """

    axis: int = -1

    def forward(self, z: Array, out: Array) -> None:
        simplex.write_sparsemax(z, out, self.axis)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        simplex.write_sparsemax_gradient(dy, saved, out, self.axis)

    def of_tensor(self, x: Tensor) -> Tensor:
        return cast(Tensor, simplex.sparsemax(x, self.axis))


sparsemax = Sparsemax()
