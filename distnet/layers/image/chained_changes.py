"""Changes of images made of several others, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.image.image_layer import ImageLayer, Transformation
from distnet.layers.image.row_numbers import RowNumbers
from distnet.types import Array

Chain: TypeAlias = Sequence[tuple[str, Transformation]]
"""Names of changes, in order, and what was drawn for each."""


@dataclass(frozen=True)
class Link:
    """One change of a chain, done.

    Args:
        part: the layer.
        transformation: what was drawn for it.
        saved: what it needs to go back.
    """

    part: ImageLayer
    transformation: Transformation
    saved: Any


class ChainedChanges(ImageLayer):
    """Changes images by layers of images within it, each of which has random numbers of its own."""

    _parts: Mapping[str, ImageLayer]
    """The layers within, by name."""

    def draw_part(self, name: str, shape: tuple[int, ...], numbers: RowNumbers, place: int) -> Transformation:
        """What is random about one of the layers within.

        Args:
            place: its number among all that are drawn, from 0.
        """
        part = self._parts[name]
        return part.draw(shape, numbers.within(place, type(part).__name__))

    def along(self, chain: Chain, x: Array, ctx: ForwardContext) -> tuple[Array, list[Link]]:
        """The images after all changes of the chain, and what is needed to go back."""
        links: list[Link] = []
        for name, transformation in chain:
            part = self._parts[name]
            x, saved = part.change(x, transformation, ctx.within(len(links)))
            links.append(Link(part, transformation, saved))
        return x, links

    @staticmethod
    def back_along(dy: Array, links: Sequence[Link], ctx: BackwardContext) -> Array:
        """The gradient of the images before the chain."""
        for i in reversed(range(len(links))):
            dy = links[i].part.change_back(dy, links[i].saved, ctx.within(i))
        return dy

    def masks_along(self, chain: Chain, masks: Array, ctx: ForwardContext) -> Array:
        """Masks after all changes of the chain."""
        for i, (name, transformation) in enumerate(chain):
            part = self._parts[name]
            if part.moves_pixels:
                masks = part.change_masks(masks, transformation, ctx.within(i))
        return masks

    def boxes_along(self, chain: Chain, boxes: Mapping[str, Array], ctx: ForwardContext) -> Mapping[str, Array]:
        """Boxes after all changes of the chain."""
        for i, (name, transformation) in enumerate(chain):
            part = self._parts[name]
            if part.moves_pixels:
                boxes = {**boxes, **part.change_boxes(boxes, transformation, ctx.within(i))}
        return boxes
