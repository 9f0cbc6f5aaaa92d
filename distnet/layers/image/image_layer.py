"""The base of the layers that change images: what belongs to an image changes with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from distnet import addresses
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.channels import Channelled, to_first, to_last
from distnet.layers.engine.context import BackwardContext, ForwardContext, Turn, Workspaces
from distnet.layers.image.row_numbers import RowNumbers
from distnet.registry import IF_SET
from distnet.results import as_result
from distnet.types import Array, Shape

Transformation: TypeAlias = Any
"""What is drawn at random for a batch of images: by Keras's names, in its shapes."""


@dataclass(eq=False)
class ImageLayer(Channelled):
    """Changes images, in training or always; called on a dict it also changes what else belongs to them.

    Such a dict has ``"images"`` (N, H, W, C), and may have ``"labels"``, ``"bounding_boxes"`` (a dict of ``"boxes"``
    (N, B, 4) and ``"labels"`` (N, B)) and ``"segmentation_masks"`` (N, H, W, M); or the same of one image.

    Args:
        bounding_box_format: how boxes are written, such as ``"xyxy"``.

    Source: ``keras.layers``, image preprocessing layers.
    """

    rank: ClassVar[int] = 2
    row_rank: ClassVar[int] = 3
    changes_always: ClassVar[bool] = False
    """Whether images are changed outside of training, too."""
    integers_by: ClassVar[Callable[[Array], Array] | None] = None
    """How a call by hand on integers makes its numbers integers of that type; None where it gives them as they are."""

    moves_pixels: ClassVar[bool] = False
    """Whether masks and boxes change with the images."""
    keeps_mask_type: ClassVar[bool] = False
    """Whether masks stay of their type."""

    _: KW_ONLY
    bounding_box_format: str | None = field(default=None, metadata=IF_SET)

    @abstractmethod
    def draw(self, shape: tuple[int, ...], numbers: RowNumbers) -> Transformation:
        """What is random about the change of images of ``shape`` (N, H, W, C)."""

    @abstractmethod
    def change(self, x: Array, transformation: Transformation, ctx: ForwardContext) -> tuple[Array, Any]:
        """The images ``x`` (N, H, W, C) changed, and what ``change_back`` needs."""

    @abstractmethod
    def change_back(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        """The gradient of the images."""

    def change_masks(self, masks: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        """Masks (N, H, W, M) changed with their images, where the change ``moves_pixels``; by default like these."""
        return self.change(masks, transformation, ctx)[0]

    def shape_last(self, shape: Shape) -> Shape:
        return shape

    def changes(self, ctx: ForwardContext) -> bool:
        """Whether images are to be changed."""
        return self.changes_always or ctx.augments

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        if not self.changes(ctx):
            return x, None
        return self.change(x, self.draw(x.shape, self._numbers(len(x), ctx)), ctx)

    def backward_last(self, dy: Array, saved: Any, ctx: BackwardContext) -> Array:
        return dy if saved is None else self.change_back(dy, saved, ctx)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer on images, or on a dict of images and what belongs to them.

        Raises:
            ArgumentError: a dict without images, or boxes whose format is unknown.
        """
        given = args[0] if args else kwargs.get("inputs")
        if isinstance(given, Mapping):
            rest = args[1:] if args else ()
            return self._of_dict(given, *rest, **{key: v for key, v in kwargs.items() if key != "inputs"})
        made = super().__call__(*args, **kwargs)
        return self._in_type_of(given, made) if isinstance(given, np.ndarray) else made

    def get_random_transformation(self, data: Any, training: bool = True, seed: int | None = None) -> Transformation:
        """What is random about the change of these images, to be handed to the methods ``transform_...``.

        Args:
            data: images (N, H, W, C), one image, or a dict of images and what belongs to them.
            training: where it is False, None is drawn.
            seed: takes the place of the layer's.
        """
        images = data["images"] if isinstance(data, Mapping) else data
        shape = self._shape_of(images)
        if not training and not self.changes_always:
            return None
        ctx = self._by_hand(shape[0], training)
        numbers = self._numbers(shape[0], ctx)
        return self.draw(shape, numbers if seed is None else replace(numbers, seed=int(seed)))

    def transform_images(self, images: Any, transformation: Transformation = None, training: bool = True) -> Any:
        """Images, changed as ``get_random_transformation`` has drawn it."""
        x = self._with_channels_last(np.asarray(images))
        if training or self.changes_always:
            x, _ = self.change(x, transformation, self._by_hand(len(x), training))
        return self._in_type_of(images, as_result(to_first(x) if self.is_channels_first else x))

    def transform_labels(self, labels: Any, transformation: Transformation, training: bool = True) -> Any:
        """The labels of the images, changed with them; most changes leave them."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Mapping[str, Any], transformation: Transformation, training: bool = True
    ) -> Any:
        """The boxes of the images, changed with them; changes of colours leave them."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation, training: bool = True
    ) -> Any:
        """The masks of the images, changed with them; changes of colours leave them."""
        is_changed = self.moves_pixels and (training or self.changes_always) and transformation is not None
        if not is_changed:
            return segmentation_masks
        masks = np.asarray(segmentation_masks)
        x = self._with_channels_last(masks)
        y = self.change_masks(x, transformation, self._by_hand(len(x), training))
        y = y.astype(masks.dtype) if self.keeps_mask_type else y
        return as_result(to_first(y) if self.is_channels_first else y)

    def transform_single_image(self, image: Any, transformation: Transformation, training: bool = True) -> Any:
        """As ``transform_images``, of one image."""
        return self.transform_images(np.asarray(image)[np.newaxis], transformation, training)[0]

    def _of_dict(self, given: Mapping[str, Any], training: bool | None = None) -> dict[str, Any]:
        if "images" not in given:
            raise ArgumentError(f"{self.name}: expected a dict with the key 'images', received {sorted(given)}.")
        is_training = training is None or bool(training)
        made = {key: dict(value) if isinstance(value, Mapping) else value for key, value in given.items()}
        is_one = np.ndim(given["images"]) == self.row_rank
        parts = _with_rows(made) if is_one else made
        drawn = self.get_random_transformation(parts, is_training)
        for key in self.known_keys(parts):
            method = getattr(self, f"transform_{key}")
            parts[key] = method(parts[key], drawn, is_training)
        return _without_rows(parts) if is_one else parts

    def known_keys(self, data: Mapping[str, Any]) -> list[str]:
        """What of a dict changes with the images, with these.

        Raises:
            ArgumentError: there are boxes, whose format is unknown.
        """
        if "bounding_boxes" in data and not self.bounding_box_format:
            raise ArgumentError(
                f"{self.name}: received 'bounding_boxes', but no bounding_box_format. Make the layer with it, for "
                "example bounding_box_format='xyxy'."
            )
        return [key for key in ("images", "bounding_boxes", "labels", "segmentation_masks") if key in data]

    def _shape_of(self, images: Any) -> tuple[int, ...]:
        """The shape of images or of one image, with the channels last."""
        shape = tuple(np.shape(images))
        shape = (1, *shape) if len(shape) == self.row_rank else shape
        if len(shape) != self.rank + 2:
            raise ShapeError(
                f"{self.name}: expected images (N, H, W, C) or one (H, W, C), received {np.shape(images)}."
            )
        return (shape[0], *shape[2:], shape[1]) if self.is_channels_first else shape

    def _with_channels_last(self, images: Array) -> Array:
        """Images in the layer's dtype, contiguous (N, H, W, C)."""
        self.check_rank(images.shape)
        last = to_last(images) if self.is_channels_first else images
        return np.array(last, dtype=self.dtype, order="C")

    def _in_type_of(self, images: Any, made: Any) -> Any:
        """What was made of images, in their type where that is one of integers, and the layer keeps these."""
        kind, whole = np.asarray(images).dtype, type(self).integers_by
        if whole is None or kind.kind not in "iu":
            return made
        limits = np.iinfo(kind)
        return as_result(np.clip(whole(np.asarray(made)), limits.min, limits.max).astype(kind))

    def in_own_order(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """``shape`` (N, H, W, C) with the channels where the layer has them."""
        return (shape[0], shape[3], *shape[1:3]) if self.is_channels_first else tuple(shape)

    def _numbers(self, rows: int, ctx: ForwardContext) -> RowNumbers:
        return RowNumbers(type(self).__name__, rows, ctx, getattr(self, "seed", None))

    @staticmethod
    def _by_hand(rows: int, training: bool) -> ForwardContext:
        seed = addresses.job_seed()
        return ForwardContext(training, seed, 0, 0, rows, Workspaces(), turn=Turn(), is_recorded=False)


def _with_rows(data: Mapping[str, Any]) -> dict[str, Any]:
    """What belongs to one image as a batch of one."""
    return {
        key: _with_rows(value) if isinstance(value, Mapping) else np.asarray(value)[np.newaxis]
        for key, value in data.items()
    }


def _without_rows(data: Mapping[str, Any]) -> dict[str, Any]:
    """A batch of one as what belongs to one image."""
    return {key: _without_rows(value) if isinstance(value, Mapping) else value[0] for key, value in data.items()}
