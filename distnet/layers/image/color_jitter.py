"""Brightness, contrast, saturation and hue of images, all changed at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from distnet.arguments import whole_number
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.augmentation import RandomBrightness, RandomContrast
from distnet.layers.image.chained_changes import ChainedChanges
from distnet.layers.image.colour_changes import RandomHue, RandomSaturation
from distnet.layers.image.factors import range_of_values
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import LEFT_OUT
from distnet.types import Array


@register_layer()
@dataclass(eq=False)
class RandomColorJitter(ChainedChanges):
    """Changes brightness, contrast, saturation and hue of images at random in training, in this order.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        value_range: the range of values.
        brightness_factor: as ``factor`` of ``RandomBrightness``; None for no change.
        contrast_factor: likewise of ``RandomContrast``.
        saturation_factor: likewise of ``RandomSaturation``.
        hue_factor: likewise of ``RandomHue``.
        seed: takes the place of the global seed.

    Source: ``keras.layers.RandomColorJitter``.
    """

    kinds: ClassVar[Mapping[str, Callable[..., ImageLayer]]] = {
        "brightness": RandomBrightness,
        "contrast": RandomContrast,
        "saturation": RandomSaturation,
        "hue": RandomHue,
    }

    value_range: Sequence[float] = (0, 255)
    brightness_factor: float | Sequence[float] | None = None
    contrast_factor: float | Sequence[float] | None = None
    saturation_factor: float | Sequence[float] | None = None
    hue_factor: float | Sequence[float] | None = None
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.value_range = range_of_values(self, self.value_range)
        shared = {"value_range": self.value_range, "data_format": self.data_format, "dtype": self.dtype}
        factors = {name: getattr(self, f"{name}_factor") for name in self.kinds}
        self._parts = {
            name: self.kinds[name](factor, name=f"{self.name}_{name}", **shared)
            for name, factor in factors.items()
            if factor is not None
        }

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return [(name, self.draw_part(name, shape, numbers, i)) for i, name in enumerate(self._parts)]

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Any]:
        return self.along(transformation, x, ctx)

    def change_back(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        return self.back_along(dy, saved, ctx)
