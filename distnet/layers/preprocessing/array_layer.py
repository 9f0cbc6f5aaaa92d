"""Layers that turn numbers or strings of any shape into numbers: without weights that are trained, or gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor, Layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.preprocessing.byte_strings import as_strings
from distnet.ops.recording import is_recording
from distnet.ops.tensor import Tensor
from distnet.results import as_result
from distnet.types import STRING, Array, DType

_MOST_TENSORS = 64
"""A longer list that a layer is called on holds data, no tensors."""


class ArrayLayer(Layer):
    """A layer that computes from arrays of numbers or strings what needs no gradient.

    Called on arrays, on lists or on one value it computes at once, whatever the shape; called on placeholders it is a
    node of a model.
    """

    takes_integers: ClassVar[bool] = True
    takes_views: ClassVar[bool] = True
    takes_strings: ClassVar[bool] = False
    """Whether an input may hold strings."""
    takes_numbers: ClassVar[bool] = True
    """Whether it may hold numbers."""

    @abstractmethod
    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        """What the layer makes of its inputs.

        Args:
            arrays: of integers, floating point numbers, or objects that are strings.
            dtype: of what is made where that is floating point in a model; None leaves it to the layer.
        """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer on placeholders, for a model, or on arrays or lists, for what it makes of them.

        Raises:
            ArgumentError: inputs that the layer does not take.
        """
        given = [*args, *kwargs.values()]
        if not given or is_recording() or any(map(_is_symbolic, given)):
            return super().__call__(*args, **kwargs)
        tensors, _ = self.bind(*args, **kwargs)
        arrays = [self.as_array(tensor) for tensor in tensors]
        if self.built_shape is None and arrays[0].ndim:
            shapes = [(None, *a.shape[1:]) for a in arrays]
            self.build_once(shapes if len(shapes) > 1 else shapes[0])
        return as_result(self.encoded(arrays, None))

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        """The one tensor: also a list is one, unless it holds a placeholder."""
        is_data = isinstance(inputs, list | tuple) and not _is_symbolic(inputs)
        return super().bind([inputs] if is_data else inputs, *args, **kwargs)

    def as_array(self, value: Any) -> Array:
        """An input as an array of numbers, or of objects that are strings.

        Raises:
            ArgumentError: it holds something else.
        """
        array = _plain(value)
        if array.dtype.kind in "biuf" and (self.takes_numbers or not array.size):
            return array if self.takes_numbers else array.astype(object)
        if not self.takes_strings:
            raise ArgumentError(f"{self.name}: expected numbers, received {array.dtype} {value!r:.100}.")
        return as_strings(self.name, array)

    def forward(self, x: Any, ctx: ForwardContext) -> tuple[Array, None]:
        arrays = [self.as_array(a) for a in x] if isinstance(x, list) else [self.as_array(x)]
        return self.of_batch(arrays, np.dtype(self.dtype), ctx.is_spread), None

    def of_batch(self, arrays: list[Array], dtype: DType, is_spread: bool) -> Array:
        """As ``encoded``, for rows of a batch, of which other ranks may hold others."""
        return self.encoded(arrays, dtype)

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> None:
        return None

    def on_tensors(self, tensors: Sequence[Tensor], options: Mapping[str, Any]) -> list[Tensor]:
        """What it makes of tensors, as constants: nothing has a gradient through it."""
        rows = next((t.rows for t in tensors if t.rows is not None), None)
        made = self.of_batch([self.as_array(t.value) for t in tensors], np.dtype(self.dtype), rows is not None)
        return [Tensor(made, rows=rows)]


def _is_symbolic(value: Any) -> bool:
    parts = value if isinstance(value, list | tuple) and len(value) <= _MOST_TENSORS else (value,)
    return any(isinstance(part, KerasTensor | Tensor) for part in parts)


def _plain(value: Any) -> Array:
    """An array; of a list of strings one of objects, which does not pad every string to the longest."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if not isinstance(value, list | tuple):
        return np.asarray(value)
    first: Any = value
    while isinstance(first, list | tuple) and first:
        first = first[0]
    return np.asarray(value, object if isinstance(first, str | bytes) else None)


def is_of_strings(tensor: KerasTensor) -> bool:
    """Whether a placeholder stands for strings."""
    return tensor.dtype == STRING
