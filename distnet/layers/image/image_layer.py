"""The base of the layers that change images: what belongs to an image changes with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from distnet import addresses
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.by_hand import as_list
from distnet.layers.engine.channels import Channelled, to_first, to_last
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext, Turn, Workspaces
from distnet.layers.image.box_formats import format_named
from distnet.layers.image.box_moves import moved
from distnet.layers.image.image_parts import PARTS, dense_boxes, named_parts, nested, with_rows, without_rows
from distnet.layers.image.row_numbers import RowNumbers
from distnet.ops.tensor import Tensor
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

    def validate(self) -> None:
        super().validate()
        if self.bounding_box_format is not None:
            self._boxes_as()

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

    def change_labels(self, labels: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        """The labels (N, ...) of changed images; by default the same."""
        return labels

    def change_labels_back(self, dy: Array, transformation: Transformation, ctx: ForwardContext) -> Array:
        """The gradient of the labels."""
        return dy

    def change_boxes(
        self, boxes: Mapping[str, Array], transformation: Transformation, ctx: ForwardContext
    ) -> Mapping[str, Array]:
        """The ``"boxes"`` (N, B, 4) and ``"labels"`` (N, B) of images whose pixels moved.

        Raises:
            ArgumentError: by default, for it is not known where they went.
        """
        raise ArgumentError(
            f"{self.name}: received 'bounding_boxes', which it cannot move with the images. Change the boxes by hand, "
            "with what get_random_transformation gives."
        )

    def moved_boxes(
        self,
        boxes: Mapping[str, Array],
        move: Callable[[Array], Array],
        before: tuple[int | None, int | None],
        after: tuple[int, int],
    ) -> dict[str, Any]:
        """Boxes of which ``move`` says where their corners go, in pixels, cut off where the image ends.

        Args:
            boxes: ``"boxes"`` (N, B, 4) and ``"labels"`` (N, B).
            move: (N, B, 4), left, top, right and bottom -> the same elsewhere.
            before: height and width of the images.
            after: height and width of the changed images.
        """
        return moved(boxes, self._boxes_as(), move, before, after)

    def _boxes_as(self) -> str:
        return format_named(f"{self.name}: bounding_box_format", self.bounding_box_format)

    def extent_of(self, shape: Sequence[int]) -> tuple[int, int]:
        """Height and width of images of this shape, with the channels where the layer has them."""
        height, width = shape[-2:] if self.is_channels_first else shape[-3:-1]
        return int(height), int(width)

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
        if not isinstance(given, Mapping):
            made = super().__call__(*args, **kwargs)
            return self._in_type_of(given, made) if isinstance(given, np.ndarray) else made
        parts = named_parts(self.name, given)
        if "bounding_boxes" in given and not self.bounding_box_format:
            raise ArgumentError(
                f"{self.name}: received 'bounding_boxes', but no bounding_box_format. Make the layer with it, for "
                "example bounding_box_format='xyxy'."
            )
        if any(isinstance(part, KerasTensor | Tensor) for part in parts.values()):
            made = super().__call__(*args, **kwargs)
            return nested(dict(zip(parts, as_list(made), strict=True)), given)
        training = args[1] if len(args) > 1 else kwargs.get("training")
        return self._of_arrays(given, training is None or bool(training))

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """Of a dict also the names of its parts."""
        if not isinstance(inputs, Mapping):
            return super().bind(inputs, *args, **kwargs)
        parts = named_parts(self.name, inputs)
        _, options = super().bind(parts["images"], *args, **kwargs)
        return list(parts.values()), {**options, "parts": tuple(parts)}

    def compute_call_shape(self, shape: Any, options: Mapping[str, Any]) -> Any:
        """Of a dict the shapes of its parts."""
        if "parts" not in options:
            return super().compute_call_shape(shape, options)
        shapes = dict(zip(options["parts"], as_list(shape), strict=True))
        pixels = {"images", "segmentation_masks"} if self.moves_pixels else {"images"}
        return [
            self.compute_output_shape(s) if name in pixels else self.shape_of_part(name, s)
            for name, s in shapes.items()
        ]

    def shape_of_part(self, name: str, shape: Shape) -> Shape:
        """The shape of what belongs to the images, apart from masks, given by its name."""
        return shape

    def build(self, shape: Any, ctx: BuildContext) -> None:
        super().build(shape[0] if isinstance(shape, list) else shape, ctx)

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Any, Any]:
        names = ctx.options.get("parts")
        if names is None:
            return super().forward(x, ctx)
        arrays = dict(zip(names, as_list(x), strict=True))
        if not self.changes(ctx):
            return list(arrays.values()), None
        images = self._with_channels_last(arrays["images"])
        drawn = self.draw(images.shape, self._numbers(len(images), ctx))
        y, saved = self.change(images, drawn, ctx)
        made = {**arrays, "images": to_first(y) if self.is_channels_first else y}
        made |= self._beside(arrays, drawn, ctx)
        return [np.asarray(part, self.dtype) for part in made.values()], (saved, drawn, ctx)

    def backward(self, dy: Any, saved: Any, ctx: BackwardContext) -> Any:
        names = ctx.options.get("parts")
        if names is None or saved is None:
            return super().backward(dy, saved, ctx) if names is None else dy
        dys = dict(zip(names, as_list(dy), strict=True))
        of_images, drawn, before = saved
        dx = self.change_back(self._with_channels_last(dys["images"]), of_images, ctx)
        moved = {"bounding_boxes/boxes", "bounding_boxes/labels", "segmentation_masks"} if self.moves_pixels else ()
        made = {name: None if name in moved else d for name, d in dys.items()}
        made["images"] = to_first(dx) if self.is_channels_first else dx
        if "labels" in dys and drawn is not None:
            made["labels"] = self.change_labels_back(dys["labels"], drawn, before)
        return list(made.values())

    def _beside(self, arrays: Mapping[str, Array], drawn: Transformation, ctx: ForwardContext) -> dict[str, Array]:
        """What belongs to changed images, where it changes with them."""
        made: dict[str, Array] = {}
        if drawn is None:
            return made
        if "labels" in arrays:
            made["labels"] = self.change_labels(arrays["labels"], drawn, ctx)
        if self.moves_pixels and "segmentation_masks" in arrays:
            masks = self.change_masks(self._with_channels_last(arrays["segmentation_masks"]), drawn, ctx)
            made["segmentation_masks"] = to_first(masks) if self.is_channels_first else masks
        if self.moves_pixels and "bounding_boxes/boxes" in arrays:
            boxes = {key: arrays[f"bounding_boxes/{key}"] for key in ("boxes", "labels")}
            made |= {f"bounding_boxes/{key}": part for key, part in self.change_boxes(boxes, drawn, ctx).items()}
        return made

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
        if not (training or self.changes_always) or transformation is None:
            return labels
        made = self.change_labels(np.asarray(labels), transformation, self._by_hand(len(labels), training))
        return labels if made is labels else as_result(made)

    def transform_bounding_boxes(
        self, bounding_boxes: Mapping[str, Any], transformation: Transformation, training: bool = True
    ) -> dict[str, Any]:
        """The boxes of the images, changed with them; changes of colours leave them.

        Raises:
            ArgumentError: it is no dict of ``"boxes"`` and ``"labels"``.
        """
        given = dense_boxes(self.name, bounding_boxes)
        if self.moves_pixels and (training or self.changes_always) and transformation is not None:
            ctx = self._by_hand(len(given["boxes"]), training)
            given = {**given, **self.change_boxes(given, transformation, ctx)}
        return {key: as_result(part) for key, part in given.items()}

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

    def transform_single_label(self, label: Any, transformation: Transformation, training: bool = True) -> Any:
        """As ``transform_labels``, of the label of one image."""
        return self.transform_labels(np.asarray(label)[np.newaxis], transformation, training)[0]

    def transform_single_bounding_box(
        self, bounding_box: Mapping[str, Any], transformation: Transformation, training: bool = True
    ) -> dict[str, Any]:
        """As ``transform_bounding_boxes``, of the boxes of one image."""
        return without_rows(self.transform_bounding_boxes(with_rows(bounding_box), transformation, training))

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Transformation, training: bool = True
    ) -> Any:
        """As ``transform_segmentation_masks``, of the mask of one image."""
        return self.transform_segmentation_masks(np.asarray(segmentation_mask)[np.newaxis], transformation, training)[0]

    def _of_arrays(self, given: Mapping[str, Any], is_training: bool) -> dict[str, Any]:
        """A dict of arrays changed, by hand."""
        is_one = np.ndim(given["images"]) == self.row_rank
        parts = with_rows(given) if is_one else dict(given)
        drawn = self.get_random_transformation(parts, is_training)
        for key in PARTS:
            if key in parts:
                parts[key] = getattr(self, f"transform_{key}")(parts[key], drawn, is_training)
        return without_rows(parts) if is_one else parts

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
