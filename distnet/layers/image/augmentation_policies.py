"""Images changed by several layers, chosen at random for each batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import POSITIVE, number, whole_number
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.augmentation import RandomBrightness, RandomContrast
from distnet.layers.image.blurring import RandomSharpness
from distnet.layers.image.chained_changes import Chain, ChainedChanges, Link
from distnet.layers.image.colour_changes import RandomColorDegeneration
from distnet.layers.image.factors import limits, pair, range_of_values
from distnet.layers.image.histogram_equalization import Equalization
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.layers.image.tone_changes import AutoContrast, RandomPosterization, Solarization
from distnet.layers.image.warping import RandomRotation, RandomShear, RandomTranslation
from distnet.registry import LEFT_OUT
from distnet.types import Array


class _Policy(ChainedChanges):
    """Changes images by some of the layers that ``names`` lists."""

    couples_rows: ClassVar[bool] = True
    moves_pixels: ClassVar[bool] = True
    names: ClassVar[tuple[str, ...]]

    value_range: Sequence[float]
    factor: float | Sequence[float]
    interpolation: str

    def validate(self) -> None:
        super().validate()
        self.value_range = range_of_values(self, self.value_range)
        self.factor = limits(self, self.factor, "factor", 0, 1)
        made = self._made()
        self._parts = {name: made[name] for name in self.names}

    def _made(self) -> Mapping[str, ImageLayer]:
        factor = pair(self.factor)
        values: dict[str, Any] = {"value_range": self.value_range}
        shared: dict[str, Any] = {
            "data_format": self.data_format,
            "dtype": self.dtype,
            "bounding_box_format": self.bounding_box_format,
        }
        pixels: dict[str, Any] = {"interpolation": self.interpolation, **shared}
        bits = max(1, int(8 * factor[1]))
        return {
            "random_shear": RandomShear(factor, factor, **pixels),
            "random_translation": RandomTranslation(factor, factor, **pixels),
            "random_rotation": RandomRotation(factor, **pixels),
            "random_brightness": RandomBrightness(factor, **values, **shared),
            "random_color_degeneration": RandomColorDegeneration(factor, **values, **shared),
            "random_contrast": RandomContrast(factor, **values, **shared),
            "random_sharpness": RandomSharpness(factor, **values, **shared),
            "random_posterization": RandomPosterization(bits, **values, **shared),
            "solarization": Solarization(factor, factor, **values, **shared),
            "auto_contrast": AutoContrast(**values, **shared),
            "equalization": Equalization(**values, **shared),
        }


_SHAPES = ("random_shear", "random_translation", "random_rotation")
_COLOURS = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")
_TONES = ("random_posterization", "solarization", "auto_contrast", "equalization")


@register_layer()
@dataclass(eq=False)
class RandAugment(_Policy):
    """Changes images in training by some of eleven layers, chosen at random for each batch.

    They are ``RandomShear``, ``RandomTranslation``, ``RandomRotation``, ``RandomBrightness``,
    ``RandomColorDegeneration``, ``RandomContrast``, ``RandomSharpness``, ``RandomPosterization``, ``Solarization``,
    ``AutoContrast`` and ``Equalization``.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        value_range: the range of values.
        num_ops: how many are applied.
        factor: smallest and largest factor of each, in [0, 1]; or the largest.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: takes the place of the global seed.

    Source: E. Cubuk et al. (2020), "RandAugment: Practical automated data augmentation with a reduced search space";
    ``keras.layers.RandAugment``.
    """

    names: ClassVar[tuple[str, ...]] = (*_SHAPES, *_COLOURS, *_TONES)

    value_range: Sequence[float] = (0, 255)
    num_ops: int = whole_number(2, 0)
    factor: float | Sequence[float] = 0.5
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        chosen = np.floor(numbers.of_batch(self.num_ops, (0, len(self.names)))).astype("int32")
        drawn = {name: self.draw_part(name, shape, numbers, i) for i, name in enumerate(self.names)}
        return {"transforms": drawn, "layer_idxes": chosen}

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Any]:
        return self.along(self._chain(transformation), x, ctx)

    def change_back(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        return self.back_along(dy, saved, ctx)

    def change_masks(self, masks: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        return self.masks_along(self._chain(transformation), masks, ctx)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> Mapping[str, Array]:
        return self.boxes_along(self._chain(transformation), boxes, ctx)

    def _chain(self, transformation: Transformation) -> Chain:
        chosen = [self.names[int(i)] for i in np.asarray(transformation["layer_idxes"])]
        return [(name, transformation["transforms"][name]) for name in chosen]


@register_layer()
@dataclass(eq=False)
class AugMix(_Policy):
    """Mixes images in training with the mean of some chains of changes of them, chosen at random for each batch.

    ``w x + (1 - w) (w1 chain1(x) + w2 chain2(x) + ...)``, clipped; the weights of the chains sum to 1.

    Shapes:
        (N, H, W, 3) -> the same.

    Args:
        value_range: the range of values.
        num_chains: number of chains.
        chain_depth: how many changes each has, of which some may be none.
        factor: smallest and largest factor of each change, in [0, 1]; or the largest.
        alpha: parameter of the Dirichlet distribution of the chains' weights, and of the beta distribution of w.
        all_ops: whether also brightness, grey, contrast and sharpness are changed.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        seed: takes the place of the global seed.

    Source: D. Hendrycks et al. (2020), "AugMix: A Simple Data Processing Method to Improve Robustness and
    Uncertainty"; ``keras.layers.AugMix``.
    """

    value_range: Sequence[float] = (0, 255)
    num_chains: int = whole_number(3, 1)
    chain_depth: int = whole_number(3, 0)
    factor: float | Sequence[float] = 0.3
    alpha: float = number(1.0, POSITIVE)
    all_ops: bool = True
    interpolation: str = "bilinear"
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    names: ClassVar[tuple[str, ...]] = (*_SHAPES, *_TONES, *_COLOURS)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        rng = numbers.generator_of_batch()
        names = [name for name in self.names if self.all_ops or name not in _COLOURS]
        chains: list[list[dict[str, Any]]] = [[] for _ in range(self.num_chains)]
        for place in range(self.num_chains * self.chain_depth):
            chosen = int(rng.integers(len(names) + 1))
            if chosen < len(names):  # one more stands for no change
                drawn = self.draw_part(names[chosen], shape, numbers, place)
                chains[place // self.chain_depth].append({"layer_name": names[chosen], "transformation": drawn})
        weights = rng.dirichlet([self.alpha] * self.num_chains)
        return {
            "chain_mixing_weights": weights,
            "weight_sample": np.asarray(rng.beta(self.alpha, self.alpha)),
            "chain_transforms": chains,
        }

    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Any]:
        own, weights = _weights(transformation, x)
        links: list[list[Link]] = []
        mixed = np.zeros_like(x)
        for i, chain in enumerate(_chains(transformation)):
            changed, of_chain = self.along(chain, x, ctx.within(i))
            mixed += changed * weights[i]
            links.append(of_chain)
        y = own * x + (1 - own) * mixed
        low, high = pair(self.value_range)
        return np.clip(y, low, high), (own, weights, links, (y >= low) & (y <= high))

    def change_back(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        own, weights, links, is_within = saved
        dy = dy * is_within
        dx = own * dy
        for i, of_chain in enumerate(links):
            dx = dx + self.back_along((1 - own) * weights[i] * dy, of_chain, ctx.within(i))
        return np.asarray(dx)

    def change_masks(self, masks: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        own, weights = _weights(transformation, masks)
        each = (self.masks_along(chain, masks, ctx.within(i)) for i, chain in enumerate(_chains(transformation)))
        mixed = sum(weight * changed for weight, changed in zip(weights, each, strict=True))
        return np.asarray(own * masks + (1 - own) * mixed)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> Mapping[str, Array]:
        return boxes


def _weights(transformation: Transformation, x: Array) -> tuple[Array, Array]:
    """How much of the image is kept, and the weights of the chains, in the dtype of ``x``."""
    own = np.asarray(transformation["weight_sample"], x.dtype)
    return own, np.asarray(transformation["chain_mixing_weights"], x.dtype)


def _chains(transformation: Transformation) -> list[Chain]:
    return [
        [(step["layer_name"], step["transformation"]) for step in chain] for chain in transformation["chain_transforms"]
    ]
