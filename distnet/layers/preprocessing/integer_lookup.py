"""Integers -> their places in a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.arguments import as_numbers, check_option, whole_number
from distnet.layers.engine.base import register_layer
from distnet.layers.preprocessing.index_lookup import IndexLookup, Keys
from distnet.layers.preprocessing.vocabulary_tables import IntegerTable
from distnet.registry import IF_SET
from distnet.types import Array, ArrayLike


@register_layer()
@dataclass(eq=False)
class IntegerLookup(IndexLookup):
    """The index of each integer in a vocabulary, or vectors that say which integers occur.

    >>> import distnet
    >>> lookup = distnet.layers.IntegerLookup()
    >>> lookup.adapt([[12, 36], [36, 7]])
    >>> lookup.get_vocabulary()
    [-1, 36, 12, 7]

    Shapes:
        as ``StringLookup``.

    Args:
        max_tokens, num_oov_indices, vocabulary, idf_weights, invert, output_mode, sparse, pad_to_max_tokens: as for
            ``StringLookup``.
        mask_token: stands for what does not count; None for no such integer.
        oov_token: what ``invert`` gives for an index of no integer.
        vocabulary_dtype: ``"int64"``.
        oov_method: how several ``num_oov_indices`` are shared: ``"floormod"``, the remainder, or ``"farmhash"``.
        salt: an integer, or two: the key of the hash.

    Source: ``keras.layers.IntegerLookup``.
    """

    max_tokens: int | None = whole_number(None, 2)
    num_oov_indices: int = whole_number(1, 0)
    mask_token: int | None = None
    oov_token: int | None = -1
    vocabulary: ArrayLike | None = None
    vocabulary_dtype: str = "int64"
    idf_weights: ArrayLike | None = None
    invert: bool = False
    output_mode: str = "int"
    sparse: bool = False
    pad_to_max_tokens: bool = False
    oov_method: str = field(default="floormod", metadata=IF_SET)
    salt: int | Sequence[int] | None = field(default=None, metadata=IF_SET)

    def validate(self) -> None:
        check_option(f"{self.name}: vocabulary_dtype", self.vocabulary_dtype, ("int64",))
        super().validate()

    @property
    def input_dtype(self) -> str:
        """Integers."""
        return "int64"

    def as_keys(self, array: Array) -> Keys:
        rows = array.shape[0] if array.ndim else 1
        values = array.astype(np.int64, copy=False).reshape(-1)
        return Keys(values, array.shape, np.full(rows, array.size // max(1, rows)))

    def key_of(self, token: Any) -> int:
        return int(as_numbers(f"{self.name}: a token", token, np.int64))

    def tokens_of(self, keys: Sequence[int]) -> list[int]:
        return [int(key) for key in keys]

    def _table_of(self, keys: list[int], start: int) -> IntegerTable:
        return IntegerTable(keys, start)

    def _as_hashed(self, keys: Sequence[int]) -> list[bytes]:
        return [str(key).encode() for key in keys]

    def _in_order(self, key: int) -> int:
        return key
