"""The input shape of a Sequential whose layers do not state it: the model was built when it first saw data.

Source: ``build_input_shape`` and ``build_config`` of Sequential in tf_keras 2.21 and Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distnet.layers import Layer
from distnet.layers.wrappers.base import Wrapper
from distnet.types import Shape

_OF_KERNEL: Mapping[str, tuple[int, int]] = {
    "Dense": (1, 0),
    "BatchNormalization": (1, 0),
    "LayerNormalization": (1, 0),
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), (2, 0)),
    **dict.fromkeys(("Conv1D", "SeparableConv1D", "DepthwiseConv1D"), (2, 1)),
    **dict.fromkeys(("Conv2D", "SeparableConv2D", "DepthwiseConv2D"), (3, 2)),
    "Conv3D": (4, 3),
    "Conv2DTranspose": (3, 3),
}
"""The axes of a row, and the axis of the first weights that has the extent of the last of them."""


def declared(config: Mapping[str, Any]) -> Shape | None:
    """The input shape stated next to the layers of a configuration; None if there is none."""
    inner, build = config.get("config"), config.get("build_config")
    said = inner.get("build_input_shape") if isinstance(inner, Mapping) else None
    if said is None and isinstance(build, Mapping):
        said = build.get("input_shape")
    return tuple(said) if isinstance(said, list) else None


def deduced(layers: Sequence[Layer], weights: tuple[int, ...]) -> Shape | None:
    """The input shape implied by the first weights in the file; None if they do not tell.

    Args:
        layers: of the model, not built.
        weights: the shape of the first array in the file.
    """
    for i, layer in enumerate(layers):
        name = type(_innermost(layer)).__name__
        if name == "Embedding" and len(weights) == 2 and i == 0:
            return (None, None)
        if name in _OF_KERNEL:
            axes, axis = _OF_KERNEL[name]
            if axis >= len(weights) or getattr(layer, "data_format", "channels_last") == "channels_first":
                return None
            shape = (*[None] * axes, weights[axis])
            return shape if all(before.compute_output_shape(shape) == shape for before in layers[:i]) else None
        if name == "Flatten" or layer.inner_layers():
            return None
    return None


def _innermost(layer: Layer) -> Layer:
    return layer.sublayers[0] if isinstance(layer, Wrapper) and hasattr(layer, "backward_layer") else layer
