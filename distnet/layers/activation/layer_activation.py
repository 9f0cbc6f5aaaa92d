"""Layers as activations of layers: ``Dense(8, activation=LeakyReLU())``, ``Dense(8, activation=PReLU())``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, cast, runtime_checkable

from distnet.activations import ACTIVATIONS, Activation
from distnet.errors import ArgumentError
from distnet.layers.engine.base import LAYERS, Layer
from distnet.registry import to_json
from distnet.types import Array, Json, Shape


@runtime_checkable
class Elementary(Protocol):
    """A layer that only applies a function to its input."""

    @property
    def elementary(self) -> Activation:
        """The function."""


@dataclass(frozen=True)
class LayerActivation(Activation):
    """A layer used as an activation; it is kept, and saved as such.

    Args:
        layer: the layer.
    """

    layer: Layer

    def as_json(self) -> Json:
        """The layer, with the module where Keras 3 finds it."""
        return LAYERS.with_module(to_json(self.layer))


@dataclass(frozen=True)
class FunctionOfLayer(LayerActivation):
    """The function of a layer without weights."""

    @property
    def function(self) -> Activation:
        """The function that the layer applies."""
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


@dataclass(frozen=True)
class WholeLayer(LayerActivation):
    """A layer with weights, a state, random numbers or a penalty, built and called by the layer that it activates.

    Its attributes are the layer's: ``Dense(8, activation=PReLU()).activation.alpha``.
    """

    @property
    def is_layer(self) -> bool:
        """True: it is more than a function."""
        return True

    def as_json(self) -> Json:
        """The layer, with the shape by which Keras 3 builds it before it fills its weights."""
        made = cast("dict[str, Json]", super().as_json())
        shape = self.layer.built_shape
        return made if shape is None else {**made, "build_config": {"input_shape": list(shape)}}

    def __call__(self, x: Any, *values: Any, **options: Any) -> Any:
        """The layer's output for ``x``."""
        return self.layer(x, *values, **options)

    def __str__(self) -> str:
        return f"the layer {type(self.layer).__name__}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "layer":
            raise AttributeError(name)
        return getattr(self.layer, name)

    def forward(self, z: Array, out: Array) -> None:
        self._refuse()

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ArgumentError(
            f"activation: expected a function, received the layer {self.layer.name}, which is more. A forward "
            "of your own calls it by distnet.layers.activation.bias_activation, or leaves it to a layer behind."
        )


def _of_layer(spec: object) -> Activation | None:
    """The activation that a layer, or the configuration of one, stands for; None for anything else."""
    if isinstance(spec, Mapping):
        config, module = spec.get("config"), str(spec.get("module"))
        # A layer's configuration has a name, a function's has none.
        if module.startswith("keras.layers") or (isinstance(config, Mapping) and "name" in config):
            spec = LAYERS.get(spec)
    if not isinstance(spec, Layer):
        return None
    is_function = isinstance(spec, Elementary) and not spec.elementary.is_layer and spec.activity_regularizer is None
    return FunctionOfLayer(spec) if is_function else WholeLayer(spec)


ACTIVATIONS.others.append(_of_layer)
