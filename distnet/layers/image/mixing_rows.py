"""Images of a batch mixed with each other at random in training, and their labels with them.

The partner of an image may be any of the global batch, on whichever rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet import ops
from distnet.arguments import POSITIVE, number, whole_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import register_layer
from distnet.layers.engine.context import ForwardContext
from distnet.layers.engine.derived import exchanged
from distnet.layers.image.derived_change import DerivedChange
from distnet.layers.image.erasing import Rectangles, in_layer_order, with_channels_last
from distnet.layers.image.factors import limits, pair
from distnet.layers.image.image_layer import Transformation
from distnet.layers.image.image_parts import OF_BOXES
from distnet.layers.image.row_numbers import RowNumbers
from distnet.ops.tensor import Tensor
from distnet.registry import LEFT_OUT
from distnet.types import Array, Shape

_LEAST_ALPHA = 1e-6


class _Mixing(DerivedChange):
    """Mixes each row with another one."""

    couples_rows: ClassVar[bool] = True
    moves_pixels: ClassVar[bool] = True

    def change_labels(self, labels: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        if transformation is None:
            return labels
        mixed: Tensor = _mixed_labels(Tensor(np.asarray(labels, self.dtype)), transformation, ctx)
        return mixed.value

    def change_labels_back(self, dy: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        weight = _weight_of(transformation, dy)
        order = np.argsort(np.asarray(transformation["permutation_order"]))
        return np.asarray(weight * dy + exchanged((1 - weight) * dy, order, ctx))


@register_layer()
@dataclass(eq=False)
class MixUp(_Mixing):
    """Means of two images each in training, and of their labels: ``w a + (1 - w) b``.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        alpha: both parameters of the beta distribution of w.
        seed: takes the place of the global seed.

    Source: H. Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization"; ``keras.layers.MixUp``.
    """

    alpha: float = number(0.2, POSITIVE)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)
    seed: int | None = whole_number(None, 0)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        return {"mix_weight": numbers.beta(self.alpha), "permutation_order": numbers.permutation()}

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        weight = np.asarray(transformation["mix_weight"], x.dtype).reshape(-1, 1, 1, 1)
        return weight * x + (1 - weight) * exchanged(x, np.asarray(transformation["permutation_order"]), ctx)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        order = np.asarray(transformation["permutation_order"])
        return {key: np.concatenate([part, exchanged(part, order, ctx)], axis=1) for key, part in boxes.items()}

    def shape_of_part(self, name: str, shape: Shape) -> Shape:
        return (shape[0], None if shape[1] is None else 2 * shape[1], *shape[2:]) if name in OF_BOXES else shape


@register_layer()
@dataclass(eq=False)
class CutMix(_Mixing):
    """Puts a rectangle of another image into each in training, and mixes their labels by its area.

    Shapes:
        (N, H, W, C) -> the same.

    Args:
        factor: smallest and largest parameter of the beta distribution of the part that is kept, in [0, 1], which
            is drawn for the batch; or the largest.
        seed: takes the place of the global seed.

    Source: S. Yun et al. (2019), "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable
    Features"; ``keras.layers.CutMix``.
    """

    factor: float | Sequence[float] = 1.0
    seed: int | None = whole_number(None, 0)
    data_format: str | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        super().validate()
        self.factor = limits(self, self.factor, "factor", 0, 1)

    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        alpha = float(numbers.of_batch(1, pair(self.factor))[0]) + _LEAST_ALPHA
        side = np.sqrt(1.0 - numbers.beta(alpha))
        cut = Rectangles.placed(shape, side, side, numbers.uniform(2))
        weight = 1.0 - cut.areas / (shape[1] * shape[2])
        return {
            "permutation_order": numbers.permutation(),
            "batch_masks": in_layer_order(self, cut.mask(shape)),
            "mix_weight": weight[:, None, None, None],
        }

    def changed(self, x: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
        mask = with_channels_last(self, transformation["batch_masks"])[..., :1]
        return ops.where(mask, exchanged(x, np.asarray(transformation["permutation_order"]), ctx), x)

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> dict[str, Array]:
        """Refused.

        Raises:
            ArgumentError: always, as in Keras.
        """
        raise ArgumentError(f"{self.name}: cannot cut bounding boxes. Use MixUp, or leave them out.")


def _mixed_labels(labels: Any, transformation: Transformation, ctx: ForwardContext) -> Any:
    weight = _weight_of(transformation, labels)
    return weight * labels + (1 - weight) * exchanged(labels, np.asarray(transformation["permutation_order"]), ctx)


def _weight_of(transformation: Transformation, labels: Any) -> Array:
    """How much of its own label each row keeps, for labels of any number of axes."""
    return np.asarray(transformation["mix_weight"], labels.dtype).reshape(-1, *[1] * (labels.ndim - 1))
