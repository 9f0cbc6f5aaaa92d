"""A layer whose weights are divided by their largest singular value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet import config
from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.initializers import TruncatedNormal
from distnet.kernels.matrix_products import matmul
from distnet.layers.engine.base import LAYERS, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.wrappers import base as wrapper
from distnet.layers.wrappers.base import Wrapper, WrapperRun
from distnet.registry import Resolved
from distnet.types import Array, Shape
from distnet.variables import Variable


@dataclass
class Normalized:
    """What training leaves for backward.

    Args:
        kernel: stands in for the layer's, ``W / sigma``.
        v, u: (1, R) and (1, C), the singular vectors, which have no gradient.
        sigma: the singular value.
    """

    kernel: Variable
    v: Array
    u: Array
    sigma: Array


@register_layer()
@dataclass(eq=False)
class SpectralNormalization(Wrapper):
    """Trains a layer with ``W / sigma``, where sigma is the largest singular value of its kernel W, as a matrix (R, C).

    Each training step goes on with the power method, ``v = n(u W^T)``, ``u = n(v W)``, ``sigma = v W u^T``, where n
    divides by the length. Inference takes W as it is, as in Keras 3 on JAX.

    Shapes:
        those of the layer.

    Args:
        layer: has a ``kernel`` or ``embeddings``.
        power_iterations: steps of the power method in each training step.

    Source: Miyato et al., 2018 (arXiv:1802.05957); ``keras.layers.SpectralNormalization``.
    """

    attributes: ClassVar[tuple[str, ...]] = ("layer",)

    layer: Resolved[Layer] = LAYERS.field(None)
    power_iterations: int = whole_number(1, 1)

    @property
    def sublayers(self) -> list[Layer]:
        """The one layer."""
        return [self.layer]

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the layer takes integers."""
        return self.layer.takes_integers

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        self.layer.build_once(shape, ctx.within(self.layer.name))
        self.attribute = next((name for name in ("kernel", "embeddings") if hasattr(self.layer, name)), "")
        if not self.attribute:
            raise ArgumentError(
                f"{self.name}: expected a layer with a kernel or embeddings, such as Dense or Conv2D, received "
                f"{self.layer.name}."
            )
        width = self._kernel.shape[-1]
        self.vector_u = ctx.variable("vector_u", (1, width), TruncatedNormal(stddev=0.02), trainable=False)

    @property
    def _kernel(self) -> Variable:
        return cast(Variable, getattr(self.layer, self.attribute))

    @property
    def variables(self) -> list[Variable]:
        """The kernel, the singular vector, and the layer's others: Keras's wrapper has the kernel, too."""
        if not self.built:
            return super().variables
        others = [v for v in self.layer.variables if v is not self._kernel]
        return [self._kernel, self.vector_u, *others]

    def all_weights(self) -> list[Variable]:
        """All variables, in Keras's order."""
        return self.variables

    @property
    def stored_twice(self) -> list[Variable]:
        """The kernel."""
        return [self._kernel] if self.built else []

    def check_shape(self, shape: Shape) -> None:
        self.layer.build_once(shape)

    def compute_output_shape(self, shape: Shape) -> Any:
        return self.layer.compute_output_shape(shape)

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """That of the layer."""
        return self.layer.compute_mask(x, mask)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Any, WrapperRun]:
        normalized = self._normalized() if ctx.training and self._kernel.value.any() else None
        with self._standing_in(normalized):
            y, run = wrapper.forward(self.layer, x, ctx.within(0, ctx.mask), ctx.global_rows)
        return y, WrapperRun([run], normalized)

    def backward(self, dy: Any, saved: WrapperRun, ctx: BackwardContext) -> Any:
        normalized: Normalized | None = saved.own
        kernel = self._kernel
        with self._standing_in(normalized):
            dx = wrapper.backward(self.layer, dy, saved.inner[0], ctx.within(0))
        if normalized is not None and kernel.is_trained:
            ctx.add(kernel, self._kernel_gradient(normalized))
            ctx.written.discard(id(normalized.kernel))  # which other variables of this step may get
        return dx

    def _normalized(self) -> Normalized:
        """One training step of the power method; the kernel divided."""
        kernel = self._kernel
        matrix, u = kernel.value.reshape(-1, kernel.shape[-1]), self.vector_u.value
        for _ in range(self.power_iterations):
            v = _unit(matmul(u, matrix.T))
            u = _unit(matmul(v, matrix))
        self.vector_u.assign(u)
        sigma = matmul(matmul(v, matrix), u.T)
        own = Variable(kernel.name, kernel.path, kernel.value / sigma[0, 0], kernel.trainable, kernel.frozen)
        if not kernel.is_trained:
            kernel.assign(own.value)  # a frozen kernel is a state, which Keras 3 on JAX writes back
        return Normalized(own, v, u, sigma)

    @contextmanager
    def _standing_in(self, normalized: Normalized | None) -> Iterator[None]:
        """Within the block the layer has the divided kernel."""
        kernel = self._kernel
        if normalized is not None:
            setattr(self.layer, self.attribute, normalized.kernel)
        try:
            yield
        finally:
            setattr(self.layer, self.attribute, kernel)

    def _kernel_gradient(self, normalized: Normalized) -> Array:
        """``(G - <G, W / sigma> v^T u) / sigma``, where G is the gradient of the divided kernel."""
        kernel = normalized.kernel
        along = np.vdot(kernel.grad, kernel.value)
        direction = matmul(normalized.v.T, normalized.u).reshape(kernel.shape)
        return np.asarray((kernel.grad - along * direction) / normalized.sigma[0, 0])


def _unit(x: Array) -> Array:
    """``x`` divided by its length, or by epsilon if that is more.

    Source: ``keras.ops.normalize``.
    """
    return np.asarray(x / max(np.sqrt(np.square(x).sum()), x.dtype.type(config.epsilon())))
