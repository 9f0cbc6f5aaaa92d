"""What a metric of the user's adds up in: an array of sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from distnet.errors import ShapeError
from distnet.types import Array, ArrayLike


class StateVariable(NDArrayOperatorsMixin):
    """An array of float64 that a metric adds to, and computes with as with any array.

    Args:
        name: for messages.
        initial: its value before the first row.

    Source: ``keras.Variable``, as ``Metric.add_variable`` gives it.
    """

    def __init__(self, name: str, initial: Array) -> None:
        self.name = name
        self.initial = initial
        self.value = initial.copy()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def state(self) -> Array:
        """(size,) what was added to the initial value."""
        return (self.value - self.initial).ravel()

    @state.setter
    def state(self, added: Array | None) -> None:
        self.value[...] = self.initial if added is None else self.initial + added.reshape(self.shape)

    def assign(self, value: ArrayLike) -> None:
        """Overwrite the value.

        Raises:
            ShapeError: the shape is another one.
        """
        array = np.asarray(value, np.float64)
        if array.shape != self.shape:
            raise ShapeError(
                f"the variable {self.name}: expected a value of shape {self.shape}, received {array.shape}."
            )
        self.value[...] = array

    def assign_add(self, value: ArrayLike) -> None:
        """Add to the value; a value of more entries raises ``ShapeError``."""
        self.assign(self.value + np.asarray(value))

    def assign_sub(self, value: ArrayLike) -> None:
        """Subtract from the value; a value of more entries raises ``ShapeError``."""
        self.assign(self.value - np.asarray(value))

    def numpy(self) -> Array:
        """A copy of the value."""
        return self.value.copy()

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out: Sequence[Any] = options.pop("out", ())
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        if not out:
            return result
        out[0].assign(result) if isinstance(out[0], StateVariable) else np.copyto(out[0], result)
        return out[0]

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __repr__(self) -> str:
        return f"<StateVariable {self.name} {self.value}>"


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StateVariable) else value
