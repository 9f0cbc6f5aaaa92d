"""Layers whose activation may be a layer with weights: ``Dense(8, activation=PReLU())``."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar

from distnet.activations import Activation
from distnet.errors import ArgumentError
from distnet.layers.activation.layer_activation import WholeLayer
from distnet.layers.engine.base import Layer
from distnet.layers.engine.context import BuildContext
from distnet.layers.wrappers.base import Holder, Inner


class Activated(Holder, ABC):
    """A layer that ends with its ``activation``. If that is a layer, its weights follow the layer's own, as in Keras.

    ``forward`` must save what that layer's forward saved, by itself or in a tuple.
    """

    takes_layers: ClassVar[bool] = True

    activation: Any  # ``Resolved[Activation]`` of every subclass, whose place among the fields differs

    @property
    def sublayers(self) -> list[Layer]:
        """The activation, if it is more than a function."""
        activation: Activation = self.activation
        return [activation.layer] if isinstance(activation, WholeLayer) else []

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The activation, if it is more than a function, by its attribute."""
        return [("activation", layer) for layer in self.sublayers]

    def penalty(self, saved: Any) -> float:
        """The activity penalty of the activation."""
        parts = saved if isinstance(saved, tuple) else (saved,)
        return sum(part.penalty for part in parts if isinstance(part, Inner))

    def build_activation(self, shape: Any, ctx: BuildContext) -> None:
        self.check_dtypes()
        made = self.compute_output_shape(shape)
        for layer in self.sublayers:
            layer.build_once(made, ctx.within(layer.name))
            kept = layer.compute_output_shape(made)
            if kept != made:
                raise ArgumentError(
                    f"{self.name}: activation: expected a layer that keeps the shape, received {layer.name}, which "
                    f"makes {kept} of {made}. Put it behind."
                )

    def build_once(self, shape: Any, ctx: BuildContext | None = None) -> None:
        """Like every layer's; inputs of another shape must fit the activation's weights, too."""
        super().build_once(shape, ctx)
        for layer in self.sublayers:
            layer.build_once(self.compute_output_shape(shape))
