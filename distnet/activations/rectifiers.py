"""Activations that pass positive numbers on and bend the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from distnet import kernels
from distnet.activations.base import ACTIVATIONS, Activation, OfOps, register
from distnet.arguments import NOT_NEGATIVE, number
from distnet.ops.nn import rectifying
from distnet.ops.nn.entry_function import EntryFunction
from distnet.ops.tensor import Tensor
from distnet.types import Array


@register("linear")
@dataclass(frozen=True)
class Linear(Activation):
    """The identity: ``y = z``."""

    def forward(self, z: Array, out: Array) -> None:
        if out is not z:
            out[...] = z

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        if out is not dy:
            out[...] = dy

    def of_tensor(self, x: Tensor) -> Tensor:
        return x


linear = Linear()


@register("relu")
@dataclass(frozen=True)
class ReLU(Activation):
    """Rectified linear unit: ``y = min(z, max_value)`` above the threshold, ``negative_slope (z - threshold)`` below.

    Args:
        negative_slope: slope below the threshold, at least 0.
        max_value: the largest value of y; None for no limit.
        threshold: where z begins to pass.

    Source: ``keras.activations.relu`` on JAX, whose slope is 0 at 0 and one half at ``max_value``, but 0 at 6.
    """

    negative_slope: float = number(0.0, NOT_NEGATIVE)
    max_value: float | None = number(None, NOT_NEGATIVE)
    threshold: float = 0.0

    @property
    def saves_input(self) -> bool:
        return self.max_value is not None or self.threshold != 0

    def forward(self, z: Array, out: Array) -> None:
        function, options = self._function
        if function is rectifying.relu and _are_for_kernels(z, out):
            kernels.current().bias_activation(z, None, "relu", out)
        else:
            function.write(z, out, **options)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        function, options = self._function
        if function is rectifying.relu and _are_for_kernels(dy, saved, out):
            kernels.current().activation_gradient(dy, saved, "relu", out)
        else:
            function.write_gradient(dy, saved, out, **options)

    def of_tensor(self, x: Tensor) -> Tensor:
        function, options = self._function
        return cast(Tensor, function(x, **options))

    @property
    def _function(self) -> tuple[EntryFunction, dict[str, Any]]:
        """The shortest that does it, and its options."""
        if self.saves_input:
            return rectifying.bounded_relu, self.__dict__
        if self.negative_slope:
            return rectifying.leaky_relu, {"negative_slope": self.negative_slope}
        return rectifying.relu, {}


relu = ReLU()


def _are_for_kernels(*arrays: Array) -> bool:
    """Whether kernels take them: contiguous, in single or double precision."""
    return arrays[0].dtype.char in "fd" and all(a.flags.c_contiguous and a.dtype == arrays[0].dtype for a in arrays)


relu6 = ReLU(max_value=rectifying.RELU6_MAX)
ACTIVATIONS.add("relu6", relu6)


@register("leaky_relu")
@dataclass(frozen=True)
class LeakyReLU(OfOps):
    """Leaky rectified linear unit: ``y = z`` from 0 on, ``negative_slope z`` below.

    Args:
        negative_slope: slope below 0, at least 0.

    Source: ``keras.activations.leaky_relu``.
    """

    function: ClassVar = rectifying.leaky_relu
    negative_slope: float = number(0.2, NOT_NEGATIVE)

    @property
    def saves_input(self) -> bool:
        return self.negative_slope == 0


leaky_relu = LeakyReLU()
