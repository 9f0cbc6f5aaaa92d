"""Two or more features -> the bin of their combination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import check_integer, check_option
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import register_layer
from distnet.layers.preprocessing.byte_strings import as_bytes
from distnet.layers.preprocessing.category_vectors import vectors, vectors_shape
from distnet.layers.preprocessing.farm_hash import fingerprints, joint_fingerprints
from distnet.layers.preprocessing.integer_results import IntegerResults
from distnet.types import Array, DType, Shape

_START = 0xDECAFCAFFE
"""TensorFlow's default key of ``tf.sparse.cross_hashed``."""


@register_layer()
@dataclass(eq=False)
class HashedCrossing(IntegerResults):
    """The bin of a combination of categories, by a hash, the same as in TensorFlow.

    >>> import distnet
    >>> distnet.layers.HashedCrossing(num_bins=5)((["A", "B", "A"], [101, 101, 102])).tolist()
    [1, 4, 3]

    Shapes:
        two or more inputs of one shape, (N,) or (N, 1) -> the same of integers; or (N, num_bins) for ``"one_hot"``.

    Args:
        num_bins: number of bins.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: Keras's on TensorFlow; here arrays are dense.

    Source: ``keras.layers.HashedCrossing``.
    """

    takes_strings: ClassVar[bool] = True

    num_bins: int
    output_mode: str = "int"
    sparse: bool = False

    def validate(self) -> None:
        check_option(f"{self.name}: output_mode", self.output_mode, ("int", "one_hot"))
        self.num_bins = check_integer(f"{self.name}: num_bins", self.num_bins, 1)
        if self.sparse:
            raise ArgumentError(f"{self.name}: sparse=True: expected False, for distnet's arrays are dense.")

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        if not isinstance(inputs, list | tuple) or len(inputs) < 2:
            raise ArgumentError(f"{self.name}: expected a list of two or more inputs, received {inputs!r:.100}.")
        _, options = super().bind(inputs[0], *args, **kwargs)
        return list(inputs), options

    def compute_output_shape(self, shape: Sequence[Shape]) -> Shape:
        first = tuple(shape[0])
        if any(tuple(other)[1:] != first[1:] for other in shape):
            raise ShapeError(f"{self.name}: expected inputs of one shape, received {list(shape)}.")
        self._check_shape(first)
        return first if self.output_mode == "int" else vectors_shape(first, "one_hot", self.num_bins)

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        shape = arrays[0].shape
        if any(array.shape != shape for array in arrays):
            raise ShapeError(f"{self.name}: expected inputs of one shape, received {[a.shape for a in arrays]}.")
        self._check_shape(shape)
        joint = np.full(arrays[0].size, _START, np.uint64)
        for array in arrays:
            joint = joint_fingerprints(joint, self._numbers(array))
        bins = self.as_bins(joint % np.uint64(self.num_bins)).reshape(shape)
        if self.output_mode == "int":
            return bins
        return vectors(bins, "one_hot", self.num_bins, np.dtype(self.dtype))

    def _numbers(self, array: Array) -> Array:
        """The fingerprints of strings; integers as they are."""
        if array.dtype.kind == "O":
            return fingerprints(as_bytes(array))
        if array.dtype.kind not in "iu":
            raise ArgumentError(f"{self.name}: expected integers or strings, received an array of {array.dtype}.")
        return array.reshape(-1).astype(np.int64).view(np.uint64)

    def _check_shape(self, shape: Shape) -> None:
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ShapeError(f"{self.name}: expected inputs of shape (N,) or (N, 1), received {shape}.")
