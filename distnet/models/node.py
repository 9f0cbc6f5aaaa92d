"""One layer's call in a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from distnet.layers.engine.base import GivenMask, Layer
from distnet.layers.engine.plan import Planned
from distnet.types import Array


@dataclass(frozen=True)
class Node:
    """One call of a layer.

    Args:
        layer: what is called.
        inputs: numbers of the tensors it takes; more than one are handed over as a list.
        outputs: numbers of the tensors it makes.
        options: arguments of the call besides the tensors; for ``"training"`` see ``Graph``.
    """

    layer: Layer
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def given_mask(self) -> GivenMask | None:
        """The masks passed by hand."""
        given = self.options.get("mask")
        return given if isinstance(given, GivenMask) else None

    @cached_property
    def computed_from(self) -> tuple[int, ...]:
        """Numbers of the tensors that forward receives: all but masks passed by hand."""
        return self.inputs if self.given_mask is None else self.inputs[: self.given_mask.inputs]

    @cached_property
    def no_masks(self) -> Any:
        """Forward's masks if no input has one."""
        return one_or_list([None] * len(self.computed_from))

    def masks(self, tensors: Mapping[int, Array], known: Mapping[int, Array | None], ctx: Planned) -> tuple[Any, Any]:
        """The masks for forward, passed by hand or carried by the tensors; and the masks to pass on."""
        given = self.given_mask
        if given is None and not known:
            return self.no_masks, self.no_masks
        own = [known.get(t) for t in self.computed_from]
        if given is None:
            return one_or_list(own), one_or_list(own)
        masks = [None if i is None else _as_mask(tensors[self.inputs[i]], f"given mask {i}", ctx) for i in given.places]
        if self.layer.passes_given_masks:
            return one_or_list(masks), one_or_list(masks)
        return one_or_list([a if b is None else b for a, b in zip(own, masks, strict=True)]), one_or_list(own)


@dataclass(frozen=True, slots=True)
class Behind:
    """What comes behind a call, and nowhere else.

    Args:
        activation: number of the node whose layer is an activation; None if there is none.
        add: number of the node before it that adds another tensor.
        place: the call's among what that adds.
        other: the tensor that is added.
        taker: number of the node that can apply this call's bias and activation; there is nothing else then.
    """

    activation: int | None
    add: int | None = None
    place: int = 0
    other: int | None = None
    taker: int | None = None


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The facts about a layer's call that every step uses.

    Args:
        node: the call.
        number: of the node.
        path: what tells this call from all others of the model.
        has_penalty: whether the layer's activity, or that of a layer within, is penalized.
        training: the mode in which forward is called; None leaves it to the layer.
        logits: which outputs' logits are kept, for forward.
        wanted: the inputs whose gradient something trained depends on: their places, or, for backward, the tensors.
        behind: what comes behind the call, where the layer can do that itself.
    """

    node: Node
    number: int
    path: tuple[int, ...]
    has_penalty: bool
    training: bool | None = None
    logits: frozenset[int] = frozenset()
    wanted: frozenset[int] = frozenset()
    behind: Behind | None = None

    @property
    def added(self) -> tuple[int, ...]:
        """The tensor that the layer may add to what it makes."""
        return () if self.behind is None or self.behind.other is None else (self.behind.other,)


def one_or_list(tensors: list[Any]) -> Any:
    """A single one by itself, several as a list: the form in which a layer gets its inputs."""
    return tensors[0] if len(tensors) == 1 else tensors


def is_any(masks: Any) -> bool:
    """Whether one of the masks that a layer gets is there."""
    return any(mask is not None for mask in masks) if isinstance(masks, list) else masks is not None


def _as_mask(a: Array, name: str, ctx: Planned) -> Array:
    if a.dtype == bool:
        return a
    mask = ctx.workspace(name, a.shape, np.dtype(bool))
    ctx.do(np.copyto, mask, a, casting="unsafe")
    return mask
