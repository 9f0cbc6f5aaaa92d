"""Layers one after the other, as one layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from distnet.errors import ArgumentError
from distnet.layers.engine import user_call  # noqa: F401 - gives Pipeline what follows from call
from distnet.layers.engine.base import LAYERS, Layer, register_layer
from distnet.layers.engine.call_arguments import takes_masks
from distnet.types import Json


@register_layer()
class Pipeline(Layer):
    """Calls layers one after the other, in training mode unless told otherwise: for changes of images above all.

    >>> import distnet
    >>> double = distnet.layers.Rescaling(2.0)
    >>> distnet.layers.Pipeline([double, double])([[2.0, 3.0]]).tolist()
    [[8.0, 12.0]]

    Its floating point inputs and outputs have the dtype of the layers.

    Args:
        layers: at least one; each is called on what the one before returned.

    Source: ``keras.layers.Pipeline``.
    """

    def __init__(self, layers: Iterable[Any], name: str | None = None, **kwargs: Any) -> None:
        given = list(layers) if isinstance(layers, Iterable) and not isinstance(layers, str | dict) else []
        self.layers = [LAYERS.get(layer) for layer in given]
        dtypes = list(dict.fromkeys(layer.dtype for layer in self.layers if layer.dtype in self.dtypes))
        super().__init__(name=cast(str, name), **{"dtype": dtypes[0] if dtypes else None, **kwargs})
        if not self.layers:
            raise ArgumentError(f"{self.name}: layers: expected a list of layers, received {layers!r:.100}.")
        if dtypes and dtypes != [self.dtype]:
            raise ArgumentError(
                f"{self.name}: expected layers of dtype {self.dtype}, received some of {dtypes}. Give all the same "
                "dtype=..."
            )

    def call(self, inputs: Any, training: bool | None = True, mask: Any = None) -> Any:
        first, *others = self.layers
        is_taken = mask is not None and (takes_masks(first) if first.is_by_call else "mask" in first.call_arguments)
        y = first(inputs, mask=mask) if is_taken else first(inputs)
        for layer in others:
            y = layer(y)
        return y

    def get_config(self) -> dict[str, Json]:
        """The layers with their modules, without which Keras 3 does not find them, and the name alone, as there."""
        layers: Sequence[Layer] = self.layers
        return {"name": self.name, "layers": [LAYERS.with_module(layer.as_json()) for layer in layers]}
