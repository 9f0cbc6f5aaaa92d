"""A dense layer along any axes, which an equation names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.activations import ACTIVATIONS, Activation
from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers.scaling import ScaledInitializer, VarianceScaling
from distnet.layers.activation import bias_activation
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.field_blocks import OfKernelAndBias
from distnet.registry import Resolved
from distnet.types import Array, Shape
from distnet.variables import Variable

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")
_ELIDED = "".join(map(chr, range(0x100, 0x120)))
"""Letters for the axes that ``...`` stands for: ones that no equation may have."""


@dataclass(frozen=True)
class Equation:
    """The axes of inputs, kernel and outputs, a letter each."""

    x: str
    kernel: str
    y: str

    def einsum(self, a: Array, of_a: str, b: Array, of_b: str, made: str) -> Array:
        """The sum of products of ``a`` and ``b`` with the axes ``made``; letters that neither has become axes of 1."""
        number = {letter: i for i, letter in enumerate(dict.fromkeys(of_a + of_b + made))}
        known = [letter for letter in made if letter in of_a or letter in of_b]
        axes = [[number[letter] for letter in letters] for letters in (of_a, of_b, known)]
        product: Array = np.einsum(a, axes[0], b, axes[1], axes[2], optimize=["einsum_path", (0, 1)])
        return product.reshape([dict(zip(known, product.shape, strict=True)).get(letter, 1) for letter in made])


@dataclass(eq=False)
class Summed:
    """What an ``EinsumDense`` sums, and what becomes of it."""

    equation: str
    output_shape: int | Sequence[int | None] = cast(Any, None)  # shadows a property of layers
    activation: Resolved[Activation] = ACTIVATIONS.field("linear")
    bias_axes: str | None = None


@register_layer()
@dataclass(eq=False)
class EinsumDense(OfKernelAndBias, Summed, Activated):
    """Products summed along the axes that an equation names, then an activation: ``y = f(einsum(x, W) + b)``.

    >>> EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d").compute_output_shape((None, 32, 128))
    (None, 32, 64)

    Shapes:
        x (N, ...) -> (N, ...), as the equation says; the first letter of inputs and outputs is the batch axis.

    Args:
        equation: ``"ab,bc->ac"``, ``"...x,xy->...y"`` or ``"ab...,bc->ac..."``: axes of inputs, kernel, outputs.
        output_shape: the extents of the outputs' axes that are named, but for the batch axis; None for one that the
            input tells.
        bias_axes: letters of the outputs' axes that the bias has; None for no bias.

    Source: ``keras.layers.EinsumDense``.
    """

    leaves_logits: ClassVar[bool] = True
    taken_by_name: ClassVar[tuple[str, ...]] = ("activity_regularizer",)

    def validate(self) -> None:
        super().validate()
        where = f"{self.name}: output_shape"
        given = self.output_shape if isinstance(self.output_shape, Sequence) else (self.output_shape,)
        if any(n is not None and (not is_integer(n) or n < 1) for n in given) or given == (None,):
            raise ArgumentError(f"{where}: expected positive integers, and None, received {self.output_shape!r}.")
        self.output_shape = tuple(given)
        if not _FORM.fullmatch(self.equation):
            raise ArgumentError(
                f'{self.name}: equation: expected "x,w->y", "...x,w->...y" or "x...,w->y...", letters for the axes '
                f"of inputs, kernel and outputs; received {self.equation!r}."
            )

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        axes = self.axes(shape)
        extents = {**dict(zip(axes.x, shape, strict=True)), **self._output_extents(axes, shape)}
        unknown = [letter for letter in axes.kernel if extents.get(letter) is None]
        if unknown:
            raise ShapeError(
                f"{self.name}: the kernel's axes {unknown} have no known extent. Give it in output_shape, received "
                f"{self.output_shape}, or in the input's shape, received {shape}."
            )
        initializer = self.kernel_initializer
        if isinstance(initializer, VarianceScaling | ScaledInitializer) and initializer.input_axes is None:
            ends = tuple(i for i, letter in enumerate(axes.kernel) if letter in axes.y)
            starts = tuple(i for i, letter in enumerate(axes.kernel) if letter not in axes.y)
            initializer = dataclasses.replace(initializer, input_axes=starts, output_axes=ends)
        of_kernel = tuple(int(extents[letter] or 0) for letter in axes.kernel)
        penalty, projection = self.kernel_regularizer, self.kernel_constraint
        self.kernel = ctx.variable("kernel", of_kernel, initializer, penalty, projection)
        self.bias: Variable | None = None
        if self.bias_axes:
            self.bias = ctx.weight(self, "bias", self._bias_shape(axes, extents))

    def axes(self, shape: Shape) -> Equation:
        """The equation for inputs of ``shape``, with a letter for each axis that ``...`` stands for.

        Raises:
            ShapeError: the inputs have another number of axes.
            ArgumentError: letters that mean no sum of products of rows.
        """
        parts = cast("re.Match[str]", _FORM.fullmatch(self.equation)).groups()
        left, x, right, kernel, left_of_y, y, right_of_y = parts
        count = len(shape) - len(x)
        if (count != 0 and not left and not right) or count < 0:
            raise ShapeError(f"{self.name}: expected inputs with the axes {self.equation!r} names, received {shape}.")
        elided = _ELIDED[:count]
        of_x = (elided if left else "") + x + (elided if right else "")
        of_y = (elided if left_of_y else "") + y + (elided if right_of_y else "")
        is_sum = bool(left) == bool(left_of_y) and bool(right) == bool(right_of_y) and not (left and right)
        is_known = set(of_y) <= set(of_x + kernel) and set(kernel) <= set(of_x + of_y)
        is_once = all(len(set(letters)) == len(letters) for letters in (of_x, kernel, of_y))
        if not (is_sum and is_known and is_once and of_x[0] == of_y[0] and of_x[0] not in kernel):
            raise ArgumentError(
                f"{self.name}: equation: expected each letter of the outputs in inputs or kernel, each of the kernel "
                f"in inputs or outputs, none twice in one of them, and the batch axis first in inputs and outputs "
                f"alone; received {self.equation!r}."
            )
        return Equation(of_x, kernel, of_y)

    def _output_extents(self, axes: Equation, shape: Shape) -> dict[str, int | None]:
        """The extent of each axis of the outputs."""
        own = cast("tuple[int | None, ...]", self.output_shape)
        of_inputs = dict(zip(axes.x, shape, strict=True))
        named = [letter for letter in axes.y[1:] if letter not in _ELIDED]
        if axes.y[0] in _ELIDED:
            named = [letter for letter in axes.y if letter not in _ELIDED]
        if len(named) != len(own):
            raise ArgumentError(
                f"{self.name}: output_shape: expected {len(named)} extents, one for each of {named}, received {own}."
            )
        extents = {letter: of_inputs.get(letter) for letter in axes.y}
        for letter, extent in zip(named, own, strict=True):
            if None not in (extent, extents[letter]) and extent != extents[letter]:
                raise ShapeError(
                    f"{self.name}: axis {letter!r} has an extent of {extents[letter]} in the inputs and of {extent} "
                    "in output_shape."
                )
            extents[letter] = extent if extents[letter] is None else extents[letter]
        return extents

    def _bias_shape(self, axes: Equation, extents: dict[str, int | None]) -> tuple[int, ...]:
        asked = str(self.bias_axes)
        if not set(asked) <= set(axes.y) or any(extents[letter] is None for letter in asked):
            raise ArgumentError(
                f"{self.name}: bias_axes: expected letters of the outputs {axes.y!r} whose extents are known, received "
                f"{asked!r}."
            )
        first = min(axes.y.index(letter) for letter in asked)
        return tuple(int(extents[letter] or 0) if letter in asked else 1 for letter in axes.y[first:])

    def check_shape(self, shape: Shape) -> None:
        axes = self.axes(shape)
        extents = {**dict(zip(axes.x, shape, strict=True)), **self._output_extents(axes, shape)}
        if tuple(extents[letter] for letter in axes.kernel) != self.kernel.shape:
            super().check_shape(shape)

    def compute_output_shape(self, shape: Shape) -> Shape:
        axes = self.axes(shape)
        extents = self._output_extents(axes, shape)
        return tuple(extents[letter] for letter in axes.y)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, tuple[Array, Kept]]:
        axes = self.axes(x.shape)
        z = np.ascontiguousarray(axes.einsum(x, axes.x, self.kernel.value, axes.kernel, axes.y))
        if self.bias is not None:
            z += self.bias.value
        y, kept = bias_activation.forward(z, None, self.activation, ctx)
        return y, (x, kept)

    def backward(self, dy: Array, saved: tuple[Array, Kept], ctx: BackwardContext) -> Array | None:
        x, kept = saved
        axes = self.axes(x.shape)
        dz = bias_activation.backward(dy, kept, None, self.activation, ctx)
        if self.kernel.is_trained:
            ctx.add(self.kernel, axes.einsum(x, axes.x, dz, axes.y, axes.kernel))
        if self.bias is not None and self.bias.is_trained:
            ctx.add(self.bias, _summed(dz, self.bias.shape))
        if not ctx.needs_input_gradient:
            return None
        dx = axes.einsum(dz, axes.y, self.kernel.value, axes.kernel, axes.x)
        return np.ascontiguousarray(np.broadcast_to(dx, x.shape))


def _summed(dy: Array, shape: tuple[int, ...]) -> Array:
    """``dy`` summed to the ``shape`` that was broadcast to its own."""
    missing = dy.ndim - len(shape)
    axes = (*range(missing), *(missing + i for i, extent in enumerate(shape) if extent == 1))
    summed: Array = dy.sum(axis=axes).reshape(shape)
    return summed
