"""Strings or integers -> bins, by a hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np

from distnet.arguments import check_integer, check_option
from distnet.errors import ArgumentError
from distnet.layers.engine.base import register_layer
from distnet.layers.preprocessing.byte_strings import as_bytes
from distnet.layers.preprocessing.category_vectors import MODES, vectors, vectors_shape
from distnet.layers.preprocessing.farm_hash import fingerprints
from distnet.layers.preprocessing.hash_keys import as_key
from distnet.layers.preprocessing.integer_results import IntegerResults
from distnet.layers.preprocessing.sip_hash import keyed_hashes
from distnet.types import Array, DType, Shape


@register_layer()
@dataclass(eq=False)
class Hashing(IntegerResults):
    """The bin of each string or integer: its hash modulo ``num_bins``, the same as in TensorFlow.

    >>> import distnet
    >>> distnet.layers.Hashing(num_bins=3)(["A", "B", ""]).tolist()
    [1, 0, 2]

    Shapes:
        any shape -> the same of integers; for ``"one_hot"`` (N, 1) or (N,) -> (N, num_bins), (N, T) ->
        (N, T, num_bins); else (N, T) -> (N, num_bins).

    Args:
        num_bins: number of bins.
        mask_value: has bin 0 for itself; None for no such value.
        salt: an integer, or two: the key of SipHash, which then takes FarmHash's place.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: Keras's on TensorFlow; here arrays are dense.

    Source: ``keras.layers.Hashing``.
    """

    takes_strings: ClassVar[bool] = True

    num_bins: int
    mask_value: str | int | None = None
    salt: int | Sequence[int] | None = None
    output_mode: str = "int"
    sparse: bool = False

    def validate(self) -> None:
        check_option(f"{self.name}: output_mode", self.output_mode, ("int", *MODES))
        self.num_bins = check_integer(f"{self.name}: num_bins", self.num_bins, 1)
        if self.sparse:
            raise ArgumentError(f"{self.name}: sparse=True: expected False, for distnet's arrays are dense.")
        self.salt = None if self.salt is None else as_key(self.name, self.salt)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape if self.output_mode == "int" else vectors_shape(tuple(shape), self.output_mode, self.num_bins)

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        bins = self._bins(arrays[0])
        if self.output_mode == "int":
            return bins
        return vectors(bins, self.output_mode, self.num_bins, np.dtype(self.dtype))

    def _bins(self, array: Array) -> Array:
        masks = self.mask_value is not None and self.num_bins > 1
        hashed = as_hashed(array)
        numbers = fingerprints(hashed) if self.salt is None else keyed_hashes(hashed, tuple(cast(Any, self.salt)))
        bins = self.as_bins(numbers % np.uint64(self.num_bins - masks)).reshape(array.shape)
        if masks:
            bins += 1
            bins[self._masked(array)] = 0
        return bins

    def _masked(self, array: Array) -> Array:
        if array.dtype.kind != "O":
            return np.asarray(array == self.mask_value)
        token = self.mask_value if isinstance(self.mask_value, bytes) else str(self.mask_value).encode()
        return np.array([one == token for one in as_bytes(array)], bool).reshape(array.shape)


def as_hashed(array: Array) -> list[bytes]:
    """What is hashed of strings, or of numbers: integers in decimal; of others the part before the point."""
    if array.dtype.kind == "O":
        return as_bytes(array)
    if array.dtype.kind == "b":
        return [b"true" if one else b"false" for one in array.ravel().tolist()]
    each, places = np.unique(array.astype(np.int64) if array.dtype.kind == "f" else array, return_inverse=True)
    written = np.array([str(one).encode() for one in each.tolist()], object)
    return cast("list[bytes]", written[places.ravel()].tolist())
