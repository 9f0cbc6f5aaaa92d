"""The entries that a rank draws: all of an array, or its rows where the first axis is the batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from distnet import addresses, config
from distnet.arguments import is_integer
from distnet.errors import ArgumentError
from distnet.ops.present import Address, present
from distnet.ops.tensor import Rows, Tensor
from distnet.random.seed_generator import address_of
from distnet.results import as_result
from distnet.types import Array
from distnet.variables import Variable

_CANDIDATES = 8
"""Normal numbers drawn for one that is truncated: all lie outside once in 4e10."""


@dataclass(frozen=True)
class Entries:
    """The entries of an array of random numbers that are drawn here.

    Args:
        name: of the function, for messages.
        shape: of the whole array.
        address: where its numbers are.
        rows: which rows are drawn here; None for all.
    """

    name: str
    shape: tuple[int, ...]
    address: Address
    rows: Rows | None

    @classmethod
    def of(cls, name: str, shape: Any, seed: Any) -> Self:
        """Those of one draw; within a step of several ranks, an array with as many rows as the batch is shared.

        Raises:
            ArgumentError: an extent is unknown, or no whole number of 0 or more.
        """
        extents = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
        if any(n is None or hasattr(n, "call") for n in extents):
            raise ArgumentError(
                f"random.{name}: expected a shape whose extents are all known, received {shape}. Draw within a layer's "
                "call, where the batch is at hand."
            )
        if not all(is_integer(n) or isinstance(n, Tensor | Variable | np.ndarray) for n in extents):
            raise ArgumentError(f"random.{name}: expected a shape of whole numbers, received {shape}.")
        known = tuple(int(n) for n in extents)
        if any(n < 0 for n in known):
            raise ArgumentError(f"random.{name}: expected a shape of extents of 0 or more, received {known}.")
        run = present()
        rows = None if run is None else run.rows
        is_shared = rows is not None and known[:1] == (rows.total,)
        return cls(name, known, address_of(seed), rows if is_shared else None)

    @property
    def own_shape(self) -> tuple[int, ...]:
        """The shape of what is drawn here."""
        return self.shape if self.rows is None else (self.rows.count, *self.shape[1:])

    def bits(self, words: int = 1) -> Array:
        """(words, *own_shape) uint32 random bits."""
        width = math.prod(self.shape[1:])
        first, count = (self.rows.first, self.rows.count) if self.rows else (0, self.shape[0] if self.shape else 1)
        made = addresses.row_bits(self.address, 0, first, count, words * width)
        return np.moveaxis(made.reshape(count, words, width), 1, 0).reshape(words, *self.own_shape)

    def uniforms(self) -> Array:
        """float64 numbers in [0, 1), of 53 random bits."""
        high, low = self.bits(2)
        return np.asarray((high.astype(np.float64) * 2.0**21 + (low >> 11)) * 2.0**-53)

    def normals(self, is_truncated: bool = False) -> Array:
        """float64 standard normal numbers.

        Args:
            is_truncated: whether they are to lie within 2 of 0.

        Source: Box and Muller, 1958.
        """
        bits = self.bits(2 * _CANDIDATES if is_truncated else 2)
        radius = np.sqrt(-2.0 * np.log((bits[::2] + 1.0) / 2.0**32))
        made = np.asarray(radius * np.cos(bits[1::2] * (2.0 * np.pi / 2.0**32)))
        if not is_truncated:
            return np.asarray(made[0])
        first = np.argmax(np.abs(made) < 2, axis=0)
        return np.asarray(np.clip(np.take_along_axis(made, first[None], axis=0)[0], -2, 2))

    def by_row(self, draw: Callable[..., Array], *parameters: Any) -> Array:
        """What ``draw(rng, *parameters)`` gives for each row, by a generator of its own.

        Args:
            parameters: numbers, arrays or tensors that are broadcast to the shape.

        Raises:
            ArgumentError: there is no such distribution.
        """
        own = [self._own(parameter) for parameter in parameters]
        first = 0 if self.rows is None else self.rows.first
        try:
            if not self.shape:
                return draw(self._generator(0), *own)
            made = np.empty(self.own_shape)
            for i in range(len(made)):
                made[i] = draw(self._generator(first + i), *(part[i] for part in own))
        except ValueError as error:
            raise ArgumentError(f"random.{self.name}: there is no such distribution: {error}.") from None
        return made

    def numbers(self, values: Array, dtype: Any) -> Any:
        """The numbers as ``result`` gives them, of a floating dtype.

        Raises:
            ArgumentError: the dtype is another one, in which they would be cut off.
        """
        if dtype is not None and np.dtype(dtype).kind != "f":
            raise ArgumentError(f"random.{self.name}: expected a floating dtype, received {dtype!r}.")
        return self.result(values, dtype)

    def result(self, values: Array, dtype: Any) -> Any:
        """The numbers as the user gets them: within a step a tensor, else an array."""
        values = np.asarray(values, dtype or config.floatx())
        return as_result(values) if present() is None else Tensor(values, rows=self.rows)

    def _own(self, parameter: Any) -> Array:
        value = parameter.value if isinstance(parameter, Tensor | Variable) else np.asarray(parameter)
        if isinstance(parameter, Tensor) and parameter.rows is not None:
            return np.broadcast_to(value, self.own_shape)
        whole = np.broadcast_to(value, self.shape)
        return whole if self.rows is None else whole[self.rows.first : self.rows.first + self.rows.count]

    def _generator(self, row: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=addresses.key(*self.address), counter=[0, row, 0, 1]))


def scaled(numbers: Any, scale: Any, shift: Any) -> Any:
    """``numbers scale + shift``, through which gradients of scale and shift flow."""
    if isinstance(scale, float | int) and isinstance(shift, float | int) and isinstance(numbers, np.ndarray):
        return as_result(np.asarray(numbers * numbers.dtype.type(scale) + numbers.dtype.type(shift)))
    if not isinstance(scale, float | int) or scale != 1:
        numbers = numbers * scale
    return numbers + shift if not isinstance(shift, float | int) or shift != 0 else numbers
