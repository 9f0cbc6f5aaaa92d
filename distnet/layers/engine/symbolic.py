"""Layers called on placeholders: how the functional API notes which layer is called on what."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.operators import Arithmetic
from distnet.layers.engine.structures import leaves
from distnet.types import Shape

if TYPE_CHECKING:
    from distnet.layers.engine.base import Layer


class TensorShape(tuple[int | None, ...]):
    """A shape, which TensorFlow's users turn into a list.

    >>> TensorShape((None, 4, 2))[1:].as_list()
    [4, 2]
    """

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return TensorShape(found) if isinstance(index, slice) else found

    @property
    def rank(self) -> int:
        """Number of axes.

        Source: ``tensorflow.TensorShape.rank``; ``ndims`` is its older name.
        """
        return len(self)

    ndims = rank

    def as_list(self) -> list[int | None]:
        """The extents as a list.

        Source: ``tensorflow.TensorShape.as_list``.
        """
        return list(self)


@dataclass(frozen=True)
class GivenMask:
    """Masks given to a call by hand, which follow its inputs among the tensors.

    Args:
        inputs: how many of the tensors are inputs.
        places: for each input the number of its mask among the tensors, or None.
    """

    inputs: int
    places: tuple[int | None, ...]

    @classmethod
    def among(cls, layer: Layer, tensors: list[Any], given: Any) -> GivenMask:
        """Append the mask of the first input, or a list of one or None for each, to the tensors; says where they are.

        Raises:
            ArgumentError: a mask that is no placeholder.
            ShapeError: one that is not of the shape of its input's first axes.
        """
        inputs, places = len(tensors), []
        masks = list(given) if isinstance(given, list | tuple) else [given]
        for tensor, mask in zip(tensors[:inputs], masks, strict=False):
            places.append(None if mask is None else len(tensors))
            if mask is not None:
                _check_mask(layer, tensor, mask)
                tensors.append(mask)
        return cls(inputs, (*places, *[None] * (inputs - len(places))))


@dataclass(eq=False)
class Call:
    """One call of a layer on placeholders.

    Args:
        layer: what was called.
        number: which call of this layer it is, from 0.
        inputs: the placeholders that forward gets, in order.
        options: what forward finds in ``ctx.options``.
        args, kwargs: the call as it was written, for the model's configuration.
    """

    layer: Layer
    number: int
    inputs: tuple[KerasTensor, ...]
    options: Mapping[str, Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[KerasTensor, ...] = field(default=())
    is_masked: bool = False
    """Whether what it makes may have a mask."""


@dataclass(eq=False)
class KerasTensor(Arithmetic):
    """A placeholder for an array of a model: its shape, and the call that makes it.

    Args:
        shape: with the batch axis.
        dtype: name of the dtype.
        call: makes it.
        index: which output of the call it is.
    """

    shape: Shape
    dtype: str
    call: Call
    index: int = 0

    def __post_init__(self) -> None:
        self.shape = TensorShape(self.shape)

    def __array__(self, *args: object, **kwargs: object) -> NoReturn:
        """NumPy's functions cannot be called on it.

        Raises:
            ArgumentError: always.
        """
        raise ArgumentError(
            f"{self.name}: a placeholder holds no numbers, so that NumPy cannot compute with it. Call layers on it, "
            "such as Activation, Rescaling or a layer of your own."
        )

    @property
    def may_be_masked(self) -> bool:
        """Whether a mask may come with it: a layer that makes masks lies before it."""
        return self.call.is_masked

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def get_shape(self) -> Shape:
        """The shape.

        Source: ``tensorflow.Tensor.get_shape``.
        """
        return self.shape

    @property
    def _keras_shape(self) -> Shape:
        """The shape, by its name in Keras 1 and 2."""
        return self.shape

    @property
    def name(self) -> str:
        """Name of the layer that makes it."""
        return self.call.layer.name

    def __repr__(self) -> str:
        return f"<KerasTensor {self.name}, shape={self.shape}, dtype={self.dtype}>"


def _check_mask(layer: Layer, tensor: KerasTensor, mask: Any) -> None:
    if not isinstance(mask, KerasTensor):
        raise ArgumentError(
            f"{layer.name}: expected as mask a placeholder, for it is called on placeholders; received "
            f"{reprlib.repr(mask)}."
        )
    axes = layer.masked_axes(tensor.shape)
    fits = all(m is None or n is None or m == n for m, n in zip(mask.shape, axes, strict=False))
    if not fits or mask.ndim > len(axes):
        raise ShapeError(
            f"{layer.name}: expected a mask of the shape of the input's first axes, {axes}, received {mask.shape}."
        )


def placeholders(structure: Any) -> Iterator[KerasTensor]:
    """The placeholders in nested lists, tuples and dicts, in order."""
    return (leaf for leaf in leaves(structure) if isinstance(leaf, KerasTensor))
