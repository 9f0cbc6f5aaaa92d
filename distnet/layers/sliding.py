"""The arguments that convolutions and poolings share, and the windows that they mean for an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.windows import Axis, Windows, reach, slide, spread
from distnet.types import Array, Json, Shape

Extents: TypeAlias = int | Sequence[int]
"""One number for all axes, or one for each, as Keras's constructors take them."""


@dataclass(frozen=True)
class Sliding:
    """How a layer's windows slide over sequences (one axis) or images (two).

    Args:
        name: the layer's.
        taps: entries that a window touches, along each axis.
        strides: entries from one window to the next.
        padding: ``"valid"``, ``"same"`` or ``"causal"``; see ``kernels.windows.slide``.
        dilation: entries from one tap to the next.
        what: the name of a window in messages.

    Raises:
        ArgumentError: strides and dilation both above 1.
    """

    name: str
    taps: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation: tuple[int, ...] = (1, 1)
    what: str = "kernel"

    def __post_init__(self) -> None:
        if max(self.strides) > 1 and max(self.dilation) > 1:
            raise ArgumentError(
                f"{self.name}: expected strides or dilation_rate of 1, received strides {self.strides} and "
                f"dilation_rate {self.dilation}. Keras has no layer with both."
            )

    @property
    def rank(self) -> int:
        """Number of axes that the windows slide along."""
        return len(self.taps)

    def output_extents(self, shape: Shape) -> Shape:
        """Number of windows along each axis of an input of ``shape``; None where it is unknown.

        Raises:
            ShapeError: the input has another number of axes, or a window does not fit into it.
        """
        self._check_rank(shape)
        return tuple(None if n is None else self._axis(i, n, shape).windows for i, n in enumerate(shape[1:-1]))

    def spread_extents(self, shape: Shape, extra: tuple[int, ...] | None) -> Shape:
        """The extents that a transposed convolution makes of an input of ``shape``."""
        self._check_rank(shape)
        return tuple(None if n is None else self._spread(i, n, extra).extent for i, n in enumerate(shape[1:-1]))

    def windows(self, shape: tuple[int, ...]) -> Windows:
        """The windows over an input of ``shape``.

        Raises:
            ShapeError: the input has another number of axes, or a window does not fit into it.
        """
        self._check_rank(shape)
        return Windows(*(self._axis(i, n, shape) for i, n in enumerate(shape[1:-1])))

    def spread(self, shape: tuple[int, ...], extra: tuple[int, ...] | None) -> Windows:
        """The windows over the output of a transposed convolution whose input has ``shape``."""
        self._check_rank(shape)
        return Windows(*(self._spread(i, n, extra) for i, n in enumerate(shape[1:-1])))

    def _axis(self, i: int, extent: int, shape: Shape) -> Axis:
        found = slide(extent, self.taps[i], self.strides[i], self.dilation[i], self.padding)
        if not found.windows:
            spans = tuple(map(reach, self.taps, self.dilation))
            raise ShapeError(
                f"{self.name}: {self.what} {spans} exceeds the input {shape[1:-1]}. "
                f'Use padding="same" or a smaller {self.what}.'
            )
        return found

    def _spread(self, i: int, windows: int, extra: tuple[int, ...] | None) -> Axis:
        more = None if extra is None else extra[i]
        return spread(windows, self.taps[i], self.strides[i], self.dilation[i], self.padding, more)

    def _check_rank(self, shape: Shape) -> None:
        axes = ("steps",) if self.rank == 1 else ("height", "width")
        check_rank(self.name, shape, axes)


def check_rank(name: str, shape: Shape, axes: tuple[str, ...]) -> None:
    """Fail unless ``shape`` is (batch, *axes, channels).

    Raises:
        ShapeError: it has another number of axes.
    """
    if len(shape) != len(axes) + 2:
        raise ShapeError(
            f"{name}: expected an input of shape (batch, {', '.join(axes)}, channels), received {tuple(shape)}. "
            "Add the missing axes with Reshape."
        )


def input_channels(name: str, shape: Shape) -> int:
    """The last extent of an input.

    Raises:
        ShapeError: it is unknown.
    """
    if shape[-1] is None:
        raise ShapeError(f"{name}: expected an input whose number of channels is known, received {shape}.")
    return shape[-1]


def as_images(x: Array) -> Array:
    """(N, T, C) as images of width 1, (N, T, 1, C); images as they are; contiguous."""
    return np.ascontiguousarray(x if x.ndim == 4 else x[:, :, np.newaxis])


def extents(value: object, rank: int | None, what: str, least: int = 1) -> tuple[int, ...]:
    """``value`` as ``rank`` integers, or as any number of them; one number stands for all.

    Raises:
        ArgumentError: it is neither, or a number is below ``least``.
    """
    is_list = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    given: tuple[Any, ...] = tuple(cast(Any, value)) if is_list else (value,) * (rank or 1)
    for n in given:
        if not is_integer(n) or n < least:
            raise ArgumentError(f"{what}: expected integers of at least {least}, received {value!r}.")
    if rank is not None and len(given) != rank:
        raise ArgumentError(f"{what}: expected {'1' if rank == 1 else f'1 or {rank}'} integers, received {value!r}.")
    return tuple(int(n) for n in given)


def padding_name(value: object, where: str, *more: str) -> str:
    """``"valid"``, ``"same"`` or one of ``more``, in lower case.

    Raises:
        ArgumentError: another value.
    """
    allowed = ("valid", "same", *more)
    name = value.lower() if isinstance(value, str) else value
    if name not in allowed:
        raise ArgumentError(f"{where}: expected padding out of {allowed}, received {value!r}.")
    return str(name)


def channels_last(value: object, where: str) -> str:
    """The one data format there is.

    Raises:
        ArgumentError: another one is asked for.
    """
    if value not in (None, "channels_last"):
        raise ArgumentError(
            f"{where}: expected data_format 'channels_last', received {value!r}. Move the channels to the last axis."
        )
    return "channels_last"


def without_keys(config: Mapping[str, Json], *keys: str) -> dict[str, Json]:
    """``config`` without what older Kerases write for a layer that does not use it."""
    return {key: value for key, value in config.items() if key not in keys}
