"""A recurrent layer run in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.base import LAYERS, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.wrappers import base as wrapper
from distnet.layers.wrappers.base import Wrapper, WrapperRun
from distnet.registry import Resolved
from distnet.types import Array, Json

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


@register_layer()
@dataclass(eq=False)
class Bidirectional(Wrapper):
    """Runs a copy of a recurrent layer forward in time and another backward, and merges their outputs.

    Shapes:
        (N, T, I) -> (N, 2 U) or, with the layer's ``return_sequences``, (N, T, 2 U) for ``"concat"``; (N, U) or
        (N, T, U) for the other modes; two of these for None. The states of both follow, if it returns them.

    Args:
        layer: to copy; the copies are called ``forward_...`` and ``backward_...``.
        merge_mode: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``, or None to return both outputs.
        backward_layer: runs backward in place of the second copy; it has ``go_backwards=True``.

    Where it returns sequences, masked steps give 0.

    Source: ``keras.layers.Bidirectional``.
    """

    supports_masking: ClassVar[bool] = True
    attributes: ClassVar[tuple[str, ...]] = ("forward_layer", "backward_layer")
    call_arguments: ClassVar[tuple[str, ...]] = ("sequences", "initial_state", "mask", "training")

    layer: Resolved[Layer] = LAYERS.field(None)
    merge_mode: str | None = "concat"
    backward_layer: Resolved[Layer | None] = LAYERS.optional_field()

    @property
    def forward_layer(self) -> Layer:
        """The copy that runs forward in time."""
        return self.layer

    @property
    def sublayers(self) -> list[Layer]:
        """Forward, then backward."""
        return [self.layer, cast(Layer, self.backward_layer)]

    @property
    def return_sequences(self) -> bool:
        """Whether the layers give the outputs of all steps."""
        return bool(cast(Any, self.layer).return_sequences)

    @property
    def return_state(self) -> bool:
        """Whether the layers give their last states too."""
        return bool(cast(Any, self.layer).return_state)

    def validate(self) -> None:
        if self.merge_mode not in MERGE_MODES:
            raise ArgumentError(f"{self.name}: merge_mode must be one of {MERGE_MODES}, received {self.merge_mode!r}.")
        if not all(hasattr(self.layer, key) for key in ("go_backwards", "return_sequences", "return_state")):
            raise ArgumentError(f"{self.name}: expected a recurrent layer such as LSTM, received {self.layer!r}.")
        given = self.layer
        self.layer = _copy(given, name=_prefixed("forward_", given.name))
        if self.backward_layer is None:
            self.backward_layer = _copy(given, name=_prefixed("backward_", given.name), go_backwards=True)
        one, other = cast("list[Any]", self.sublayers)
        if one.go_backwards == other.go_backwards:
            raise ArgumentError(
                f"{self.name}: one layer must go forward and one backward, received go_backwards={one.go_backwards} "
                "for both."
            )
        for key in ("return_sequences", "return_state"):
            if getattr(one, key) != getattr(other, key):
                raise ArgumentError(
                    f"{self.name}: both layers need the same {key}, received {getattr(one, key)} and "
                    f"{getattr(other, key)}."
                )
        for layer in (one, other):
            layer.zero_output_for_mask = self.return_sequences
        super().validate()

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Besides the sequences: ``initial_state`` (the forward layer's, then the other's), ``mask``, ``training``."""
        named = {**dict(zip(self.call_arguments[1:], args, strict=False)), **kwargs}
        given = list(named.pop("initial_state", None) or ())
        tensors, options = super().bind(inputs, **named)
        tensors += given
        if len(tensors) % 2 == 0:
            raise ArgumentError(
                f"{self.name}: expected an initial_state for each of two layers, received {len(tensors) - 1} arrays."
            )
        for layer, part in zip(self.sublayers, _shares(tensors), strict=True):
            layer.bind(part)  # checks the number of states
        return tensors, options

    def build(self, shape: Any, ctx: BuildContext) -> None:
        for layer, part in zip(self.sublayers, _shares(shape), strict=True):
            layer.build_once(part, ctx.within(layer.name))

    def check_shape(self, shape: Any) -> None:
        for layer, part in zip(self.sublayers, _shares(shape), strict=True):
            layer.build_once(part)

    def compute_output_shape(self, shape: Any) -> Any:
        shapes = zip(self.sublayers, _shares(shape), strict=True)
        (one, *states), (other, *others) = (_as_list(layer.compute_output_shape(part)) for layer, part in shapes)
        if self.merge_mode is None:
            return [one, other, *states, *others]
        if self.merge_mode == "concat":
            one = (*one[:-1], one[-1] + other[-1])
        return [one, *states, *others] if self.return_state else one

    def compute_mask(self, x: Any, mask: Any) -> Any:
        of_steps, *of_states = _as_list(self.layer.compute_mask(x, mask))
        if self.merge_mode is None:
            return [of_steps, of_steps, *of_states, *of_states]
        return [of_steps, *of_states, *of_states] if self.return_state else of_steps

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, WrapperRun]:
        mask = ctx.mask[0] if isinstance(ctx.mask, list) else ctx.mask
        outputs, states, inner = [], [], []
        for i, (layer, part) in enumerate(zip(self.sublayers, _shares(x), strict=True)):
            masks = [mask, *[None] * (len(part) - 1)] if isinstance(part, list) else mask
            made, run = wrapper.forward(layer, part, ctx.within(i, masks), ctx.global_rows)
            y, *rest = _as_list(made)
            outputs.append(self._in_time(y, i))
            states += rest
            inner.append(run)
        merged = self._merged(outputs[0], outputs[1], ctx)
        run_of_both = WrapperRun(inner, outputs)
        return [*merged, *states] if len(merged) + len(states) > 1 else merged[0], run_of_both

    def backward(self, dy: Any, saved: WrapperRun, ctx: BackwardContext) -> Any:
        given = _as_list(dy)
        count = 2 if self.merge_mode is None else 1
        states = given[count:]
        half = len(states) // 2
        gradients: list[list[Any]] = []
        for i, (layer, part) in enumerate(zip(self.sublayers, self._split(given[:count], saved.own), strict=True)):
            parts = [self._in_time(part, i), *states[i * half : (i + 1) * half]]
            dx = wrapper.backward(layer, parts if half else parts[0], saved.inner[i], ctx.within(i))
            gradients.append(_as_list(dx))
        (one, *of_states), (other, *of_others) = gradients
        if not ctx.needs_input_gradient:
            return [None] * (1 + len(of_states) + len(of_others)) if of_states else None
        dx = np.add(one, other, out=ctx.workspace("dx", one.shape, one.dtype))
        return [dx, *of_states, *of_others] if of_states else dx

    def _in_time(self, y: Array, number: int) -> Array:
        """An output of layer ``number``, or its gradient, turned round if it runs backward through sequences."""
        return y[:, ::-1] if self.return_sequences and cast(Any, self.sublayers[number]).go_backwards else y

    def _merged(self, one: Array, other: Array, ctx: ForwardContext) -> list[Array]:
        if self.merge_mode is None:
            return [np.ascontiguousarray(one), np.ascontiguousarray(other)]
        width = one.shape[-1] + (other.shape[-1] if self.merge_mode == "concat" else 0)
        y = ctx.workspace("y", (*one.shape[:-1], width), one.dtype)
        if self.merge_mode == "concat":
            return [np.concatenate((one, other), axis=-1, out=y)]
        if self.merge_mode == "mul":
            return [np.multiply(one, other, out=y)]
        np.add(one, other, out=y)
        if self.merge_mode == "ave":
            y *= 0.5
        return [y]

    def _split(self, dy: list[Array], outputs: list[Array]) -> list[Array]:
        """The gradients of both outputs, given those of what they were merged into."""
        one, other = outputs
        if self.merge_mode is None:
            return dy
        if self.merge_mode == "concat":
            return [dy[0][..., : one.shape[-1]], dy[0][..., one.shape[-1] :]]
        if self.merge_mode == "mul":
            return [dy[0] * other, dy[0] * one]
        return [dy[0] * 0.5] * 2 if self.merge_mode == "ave" else dy * 2

    def get_config(self) -> dict[str, Json]:
        """The layer as it was given; the backward layer only if it is not just its copy."""
        config = super().get_config()
        name = self.layer.name.removeprefix("forward_")
        given = LAYERS.with_module(_copy(self.layer, name=name).as_json())
        cast("dict[str, dict[str, Json]]", given)["config"].pop("zero_output_for_mask", None)  # this wrapper's doing
        config["layer"] = given
        copy = _copy(self.layer, name=_prefixed("backward_", name), go_backwards=True)
        if cast(Layer, self.backward_layer).get_config() == copy.get_config():
            del config["backward_layer"]
        return config


def _copy(layer: Layer, **changes: Json) -> Layer:
    """A layer of the same configuration, but for ``changes``."""
    return type(layer).from_config({**layer.get_config(), **changes})


def _prefixed(prefix: str, name: str) -> str:
    return prefix + name.removeprefix(prefix)


def _shares(inputs: Any) -> list[Any]:
    """What each of the two layers gets of the sequences and the initial states, or of their shapes."""
    if not isinstance(inputs, list):
        return [inputs, inputs]
    sequences, *states = inputs
    half = len(states) // 2
    return [[sequences, *part] if part else sequences for part in (states[:half], states[half:])]


def _as_list(items: Any) -> list[Any]:
    return items if isinstance(items, list) else [items]
