"""The arguments that convolutions and poolings share, and the windows that they give for an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, cast

import numpy as np

from distnet.arguments import is_integer
from distnet.errors import ArgumentError, ShapeError
from distnet.kernels.windows import Axis, Windows, reach, slide, spread
from distnet.types import Shape

Extents: TypeAlias = int | Sequence[int]
"""One number for all axes, or one for each, as Keras's constructors take them."""


@dataclass(frozen=True)
class Sliding:
    """How a layer's windows slide over sequences (one axis), images (two) or volumes (three).

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
    dilation: tuple[int, ...] = (1, 1, 1)
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
            ShapeError: a window does not fit into it.
        """
        return tuple(None if n is None else self._axis(i, n, shape).windows for i, n in enumerate(shape[1:-1]))

    def spread_extents(self, shape: Shape, extra: tuple[int, ...] | None) -> Shape:
        """The extents that a transposed convolution makes of an input of ``shape``."""
        return tuple(None if n is None else self._spread(i, n, extra).extent for i, n in enumerate(shape[1:-1]))

    def windows(self, shape: tuple[int, ...]) -> Windows:
        """The windows over an input of ``shape``.

        Raises:
            ShapeError: a window does not fit into it.
        """
        return Windows.over(*(self._axis(i, n, shape) for i, n in enumerate(shape[1:-1])))

    def spread(self, shape: tuple[int, ...], extra: tuple[int, ...] | None) -> Windows:
        """The windows over the output of a transposed convolution whose input has ``shape``."""
        return Windows.over(*(self._spread(i, n, extra) for i, n in enumerate(shape[1:-1])))

    def _axis(self, i: int, extent: int, shape: Shape) -> Axis:
        axis = slide(extent, self.taps[i], self.strides[i], self.dilation[i], self.padding)
        if not axis.windows:
            spans = tuple(map(reach, self.taps, self.dilation))
            raise ShapeError(
                f"{self.name}: {self.what} {spans} exceeds the input {shape[1:-1]}. "
                f'Use padding="same" or a smaller {self.what}.'
            )
        return axis

    def _spread(self, i: int, windows: int, extra: tuple[int, ...] | None) -> Axis:
        more = None if extra is None else extra[i]
        return spread(windows, self.taps[i], self.strides[i], self.dilation[i], self.padding, more)


class WindowArguments(Protocol):
    """What a layer of kernels that slide has."""

    name: str
    rank: ClassVar[int]
    kernel_size: Extents
    strides: Extents
    padding: str
    dilation_rate: Extents


def checked_sliding(layer: WindowArguments, paddings: Sequence[str]) -> Sliding:
    """How a layer's kernels slide; its arguments are put into the form of configurations.

    Raises:
        ArgumentError: names the argument.
    """
    layer.kernel_size = taps = extents(layer.kernel_size, layer.rank, f"{layer.name}: kernel_size")
    layer.strides = strides = extents(layer.strides, layer.rank, f"{layer.name}: strides")
    layer.dilation_rate = dilation = extents(layer.dilation_rate, layer.rank, f"{layer.name}: dilation_rate")
    layer.padding = padding_name(layer.padding, layer.name, paddings)
    return Sliding(layer.name, taps, strides, layer.padding, dilation)


def input_channels(name: str, shape: Shape) -> int:
    """The last extent of an input.

    Raises:
        ShapeError: it is unknown.
    """
    if shape[-1] is None:
        raise ShapeError(f"{name}: expected an input whose number of channels is known, received {shape}.")
    return shape[-1]


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


def padding_name(value: object, where: str, allowed: Sequence[str] = ("valid", "same")) -> str:
    """One of the ``allowed``, in lower case.

    Raises:
        ArgumentError: another value.
    """
    name = value.lower() if isinstance(value, str) else value
    if name not in allowed:
        raise ArgumentError(f"{where}: expected padding out of {tuple(allowed)}, received {value!r}.")
    return str(name)
