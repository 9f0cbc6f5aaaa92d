"""How a layer's definition is said, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distnet import ops
from distnet.activations import Activation
from distnet.layers.engine.followed_node import DEFINITIONS
from distnet.ops.tensor import Tensor
from distnet.types import Array


def defines(*classes: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate the definition of layers: ``definition(layer, inputs, ctx, saved) -> outputs``, of tensors.

    ``saved`` is what the layer's ``forward`` left: random numbers and states are taken from it, not made anew.
    """

    def decorate(definition: Callable[..., Any]) -> Callable[..., Any]:
        DEFINITIONS.update(dict.fromkeys(classes, definition))
        return definition

    return decorate


def activated(layer: Any, z: Any) -> Any:
    """The layer's activation of ``z``."""
    activation: Activation = getattr(layer, "elementary", None) or layer.activation
    return activation(z)


def with_bias(layer: Any, z: Any) -> Any:
    """``z`` and the layer's bias, if it has one."""
    if not layer.use_bias:
        return z
    if getattr(layer, "is_channels_first", False):
        return z + ops.reshape(layer.bias, (-1, *[1] * (z.ndim - 2)))
    return z + layer.bias


def beside(x: Tensor, array: Array) -> Tensor:
    """An array of this rank's rows, as a constant with the rows of ``x``."""
    return Tensor(array, rows=x.rows)
