"""A layer applied to every time step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import LAYERS, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.wrappers import base as wrapper
from distnet.layers.wrappers.base import Inner, Wrapper, WrapperRun
from distnet.registry import BESIDE, Resolved
from distnet.types import Array, Shape


@register_layer()
@dataclass(eq=False)
class TimeDistributed(Wrapper):
    """Applies a layer to every time step, with the same weights.

    Where it computes with statistics of the batch, and where a layer has a ``call`` of yours, it takes the steps one
    after the other, as in Keras 3; else all N T rows at once, which is the same.

    Shapes:
        (N, T, ...) -> (N, T, ...), where the layer maps (N, ...) -> (N, ...).

    Args:
        layer: with one input and one output.
        as_in_keras_2: whether batch statistics within it are those of all steps together, as there.

    Source: ``keras.layers.TimeDistributed``.
    """

    supports_masking: ClassVar[bool] = True
    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "training", "mask")
    attributes: ClassVar[tuple[str, ...]] = ("layer",)

    layer: Resolved[Layer] = LAYERS.field(None)
    as_in_keras_2: bool = field(default=False, kw_only=True, metadata=BESIDE)

    @property
    def sublayers(self) -> list[Layer]:
        """The one layer."""
        return [self.layer]

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the layer takes integers."""
        return self.layer.takes_integers

    def validate(self) -> None:
        super().validate()
        if self.layer.has_penalty and not _runs_call(self.layer):
            raise ArgumentError(
                f"{self.name}: activity regularizers deep within {self.layer.name} are not supported, for their "
                "penalty would be divided by rows times steps. Put the regularizer on the layer itself."
            )

    def build(self, shape: Shape, ctx: BuildContext) -> None:
        self.layer.build_once(self._of_one_step(shape), ctx.within(self.layer.name))

    def check_shape(self, shape: Shape) -> None:
        self.layer.build_once(self._of_one_step(shape))

    def compute_output_shape(self, shape: Shape) -> Shape:
        rows, *extents = self.layer.compute_output_shape(self._of_one_step(shape))
        return (rows, shape[1], *extents)

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, WrapperRun]:
        rows, count = x.shape[:2]
        turns = count if self._takes_turns(bool(ctx.training)) else 1
        masks = [None] * turns if ctx.mask is None else np.split(ctx.mask, turns, axis=1)
        parts = zip(np.split(x, turns, axis=1), masks, strict=True)
        runs = [self._run(part, mask, ctx, i) for i, (part, mask) in enumerate(parts)]
        outputs = [y.reshape(rows, count // turns, *y.shape[1:]) for y, _ in runs]
        y = outputs[0] if turns == 1 else np.concatenate(outputs, axis=1)
        return y, WrapperRun([inner for _, inner in runs], x.shape)

    def backward(self, dy: Array, saved: WrapperRun, ctx: BackwardContext) -> Array | None:
        (rows, count, *extents), turns = saved.own, len(saved.inner)
        parts = np.split(dy, turns, axis=1)
        gradients = [
            wrapper.backward(self.layer, _as_rows(part), inner, ctx.within(i))
            for i, (part, inner) in enumerate(zip(parts, saved.inner, strict=True))
        ]
        if not ctx.needs_input_gradient or any(dx is None for dx in gradients):
            return None
        steps = [dx.reshape(rows, count // turns, *extents) for dx in gradients]
        return steps[0] if turns == 1 else np.concatenate(steps, axis=1)

    def _takes_turns(self, training: bool) -> bool:
        """Whether the steps are taken one after the other."""
        return _runs_call(self.layer) or (training and _couples_rows(self.layer) and not self.as_in_keras_2)

    def _run(self, part: Array, mask: Array | None, ctx: ForwardContext, number: int) -> tuple[Array, Inner]:
        """Call the layer on some of the steps."""
        count = part.shape[1]
        within = ctx.within(number, self._mask_of_steps(part, mask))
        within.training = bool(ctx.training)  # in a call by hand Keras augments no single steps unless asked to
        within.first_row, within.global_rows = ctx.first_row * count, ctx.global_rows * count
        return wrapper.forward(self.layer, _as_rows(part), within, ctx.global_rows)

    def _of_one_step(self, shape: Shape) -> Shape:
        if len(shape) < 3:
            raise ShapeError(f"{self.name}: expected inputs of at least 3 axes, (N, T, ...), received {shape}.")
        return (shape[0], *shape[2:])

    @staticmethod
    def _mask_of_steps(part: Array, mask: Any) -> Array | None:
        """What a mask says of the rows of the layer within; one of whole steps says nothing of sequences or images."""
        is_of_rows = mask is not None and (mask.ndim > 2 or part.ndim == 3)
        return mask.reshape(-1, *mask.shape[2:]) if is_of_rows else None


def _as_rows(x: Array) -> Array:
    """(N, T, ...) as (N T, ...)."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _couples_rows(layer: Layer) -> bool:
    """Whether what a row becomes depends on the others, by the layer itself or by one within it."""
    return layer.couples_rows or any(_couples_rows(part) for _, part in layer.inner_layers())


def _runs_call(layer: Layer) -> bool:
    """Whether the layer, or one within it, has a ``call`` of the user's, which may do anything with the rows."""
    return layer.is_by_call or any(_runs_call(part) for _, part in layer.inner_layers())
