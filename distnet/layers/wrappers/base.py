"""Layers around layers: whose variables, penalties and flags are those of the layers within."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.base import LAYERS, Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.registry import to_json
from distnet.types import Array, Json
from distnet.variables import Variable, trainable_first


@dataclass
class Inner:
    """What a layer within a layer leaves for backward.

    Args:
        saved: what its forward returned besides the output.
        outputs: its outputs, if it has an activity regularizer.
        scale: what its activity penalty is multiplied by.
        penalty: what it adds to the loss.
        ctx: what it was run with.
    """

    saved: Any
    outputs: list[Array]
    scale: float
    penalty: float
    ctx: ForwardContext


@dataclass
class WrapperRun:
    """What a wrapper's forward leaves: its layers' runs, and what it needs of its own."""

    inner: list[Inner]
    own: Any


class Holder(Layer, ABC):
    """A layer that holds others, its ``sublayers``; their variables follow its own."""

    @property
    @abstractmethod
    def sublayers(self) -> list[Layer]:
        """The layers within, in the order of their variables."""

    @property
    def trainable(self) -> bool:
        """Whether training updates it; setting it later sets that of the layers within, as in Keras."""
        return self._is_trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if "built_shape" not in vars(self):  # the constructor sets it before there are layers, and checks it as a field
            self._is_trainable = value
            return
        self._is_trainable = bool(value)
        for layer in self.sublayers:
            layer.trainable = bool(value)

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of the layers within."""
        return [*self._variables, *(v for layer in self.sublayers for v in layer.variables)]

    def all_weights(self) -> list[Variable]:
        """Its own variables, the trainable ones first, then the weights of the layers within."""
        return [*trainable_first(self._variables), *(v for layer in self.sublayers for v in layer.weights)]

    @property
    def unfrozen_weights(self) -> list[Variable]:
        """Its own, unless it is frozen, and those of the layers within."""
        own = [v for v in self._variables if v.trainable and self.trainable]
        return [*own, *(v for layer in self.sublayers for v in layer.unfrozen_weights)]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def has_penalty(self) -> bool:
        """Whether a layer within has an activity regularizer."""
        return any(layer.activity_regularizer is not None or layer.has_penalty for layer in self.sublayers)

    def check_dtypes(self) -> None:
        """Fail unless the layers within compute in this layer's dtype.

        Raises:
            ArgumentError: one does not.
        """
        for layer in self.sublayers:
            if layer.dtype != self.dtype:
                raise ArgumentError(
                    f"{self.name}: has dtype {self.dtype}, but the layer {layer.name} within it has {layer.dtype}. "
                    "Give both the same dtype=..."
                )


class Wrapper(Holder, ABC):
    """A layer that computes by calling others, its ``sublayers``."""

    attributes: ClassVar[tuple[str, ...]]
    """Those that hold the ``sublayers``, by Keras's names."""

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The layers within, by attribute."""
        return [(attribute, getattr(self, attribute)) for attribute in self.attributes]

    def penalty(self, saved: WrapperRun) -> float:
        """The activity penalties of the layers within."""
        return sum(inner.penalty for inner in saved.inner)

    def get_config(self) -> dict[str, Json]:
        """The arguments; a layer within with its module, without which Keras 3 does not find it."""
        config = super().get_config()
        layers = {key: value for key, value in vars(self).items() if isinstance(value, Layer) and key in config}
        return {**config, **{key: LAYERS.with_module(to_json(layer)) for key, layer in layers.items()}}

    def validate(self) -> None:
        self.check_dtypes()


def forward(layer: Layer, x: Any, ctx: ForwardContext, rows: int) -> tuple[Any, Inner]:
    """Run a layer within a layer, for ``rows`` in the global batch."""
    y, saved = layer.forward(x, ctx)
    regularizer, outputs, penalty = layer.activity_regularizer, [], layer.penalty(saved)
    scale = layer.activity_scale(rows)
    if regularizer is not None:
        outputs = y if isinstance(y, list) else [y]
        own = [regularizer.value_of_rows(part, ctx.rows(len(part))) * scale for part in outputs]
        penalty += sum(own)
        if ctx.turn is not None:
            ctx.turn.penalties += [(layer, value) for value in own]
    return y, Inner(saved, outputs, scale, penalty, ctx)


def backward(layer: Layer, dy: Any, inner: Inner, ctx: BackwardContext) -> Any:
    """Run it backward; the activity penalty's gradient is added to ``dy``."""
    regularizer = layer.activity_regularizer
    if regularizer is not None:
        parts = dy if isinstance(dy, list) else [dy]
        summed = [
            np.add(part, regularizer.gradient_of_rows(y, inner.ctx.rows(len(y))) * inner.scale)
            for part, y in zip(parts, inner.outputs, strict=True)
        ]
        dy = summed if isinstance(dy, list) else summed[0]
    return layer.backward(dy, inner.saved, ctx)
