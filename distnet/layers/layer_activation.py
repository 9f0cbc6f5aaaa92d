"""Layers as activations of layers: ``Dense(8, activation=LeakyReLU())``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

from distnet.activations import ACTIVATIONS, Activation
from distnet.errors import ArgumentError
from distnet.layers.base import LAYERS, Layer
from distnet.types import Array, Json, Shape


@runtime_checkable
class Elementary(Protocol):
    """A layer that does no more than apply a function to its input."""

    @property
    def elementary(self) -> Activation:
        """The function."""


@dataclass(frozen=True)
class LayerActivation(Activation):
    """The function that a layer without weights applies; the layer is kept, and saved in its place.

    Args:
        layer: it.

    Raises:
        ArgumentError: the layer has weights, a state, or more to it than a function.
    """

    layer: Layer

    def __post_init__(self) -> None:
        if not isinstance(self.layer, Elementary) or self.layer.activity_regularizer is not None:
            raise ArgumentError(
                f"activation: expected a function or a layer that is one, without weights and activity_regularizer, "
                f"received {type(self.layer).__name__}. Leave the activation out, and put this layer behind."
            )

    @property
    def function(self) -> Activation:
        """What the layer applies."""
        return cast(Elementary, self.layer).elementary

    @property
    def saves_input(self) -> bool:
        """Whether backward needs the input."""
        return self.function.saves_input

    def forward(self, z: Array, out: Array) -> None:
        self.function.forward(z, out)

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        self.function.backward(dy, saved, out)

    def output_shape(self, shape: Shape) -> Shape:
        return self.function.output_shape(shape)

    def as_json(self) -> Json:
        """The layer, with the module where Keras 3 finds it."""
        return LAYERS.with_module(self.layer.as_json())


def _of_layer(spec: object) -> Activation | None:
    """The activation that a layer, or the configuration of one, stands for; None for anything else."""
    if isinstance(spec, Mapping):
        config, module = spec.get("config"), str(spec.get("module"))
        # A layer's configuration has a name, a function's has none.
        if module.startswith("keras.layers") or (isinstance(config, Mapping) and "name" in config):
            spec = LAYERS.get(spec)
    return LayerActivation(spec) if isinstance(spec, Layer) else None


ACTIVATIONS.others.append(_of_layer)
