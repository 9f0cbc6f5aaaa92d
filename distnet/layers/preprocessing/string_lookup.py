"""Strings -> their places in a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import whole_number
from distnet.layers.engine.base import register_layer
from distnet.layers.preprocessing.byte_strings import as_bytes, as_texts
from distnet.layers.preprocessing.index_lookup import IndexLookup, Keys
from distnet.layers.preprocessing.vocabulary_tables import StringTable
from distnet.registry import IF_SET
from distnet.types import STRING, Array, ArrayLike


@register_layer()
@dataclass(eq=False)
class StringLookup(IndexLookup):
    """The index of each string in a vocabulary, or vectors that say which strings occur.

    >>> import distnet
    >>> lookup = distnet.layers.StringLookup(vocabulary=["a", "b"])
    >>> lookup(["b", "a", "z"]).tolist()
    [2, 1, 0]

    Shapes:
        any shape of strings -> the same of integers; for ``"one_hot"`` (..., 1) or (...) -> (..., tokens); else
        (N, T) -> (N, tokens).

    Args:
        max_tokens: most tokens of the vocabulary, with the special ones; None for no limit.
        num_oov_indices: indices for strings that the vocabulary lacks; with several, a hash tells which. With 0 such
            strings are an error.
        mask_token: stands for what does not count: index 0, or in no vector. None for no such string.
        oov_token: what ``invert`` gives for an index of no string.
        vocabulary: strings, each once; or the path of a file with one a line. Without it call ``adapt``.
        idf_weights: the inverse document frequency of each, for ``output_mode="tf_idf"``.
        invert: indices -> strings instead.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"``.
        pad_to_max_tokens: whether vectors have ``max_tokens`` entries however many tokens there are.
        sparse: Keras's on TensorFlow; here arrays are dense.
        encoding: of the strings that ``get_vocabulary`` gives, where they were bytes.
        salt: an integer, or two: the key of the hash for several ``num_oov_indices``.
        oov_method: has no effect on strings.

    Source: ``keras.layers.StringLookup``.
    """

    takes_strings: ClassVar[bool] = True
    _inverted_dtype = STRING

    max_tokens: int | None = whole_number(None, 2)
    num_oov_indices: int = whole_number(1, 0)
    mask_token: str | None = None
    oov_token: str | None = "[UNK]"
    vocabulary: ArrayLike | None = None
    idf_weights: ArrayLike | None = None
    invert: bool = False
    output_mode: str = "int"
    pad_to_max_tokens: bool = False
    sparse: bool = False
    encoding: str = "utf-8"
    salt: int | Sequence[int] | None = field(default=None, metadata=IF_SET)
    oov_method: str = field(default="floormod", kw_only=True, metadata=IF_SET)

    @property
    def input_dtype(self) -> str:
        """Strings; integers where it inverts them."""
        return "int64" if self.invert else STRING

    def as_keys(self, array: Array) -> Keys:
        rows = array.shape[0] if array.ndim else 1
        return Keys(as_bytes(array), array.shape, np.full(rows, array.size // max(1, rows)))

    def key_of(self, token: Any) -> bytes:
        return token if isinstance(token, bytes) else str(token).encode()

    def tokens_of(self, keys: Sequence[bytes]) -> list[str]:
        return as_texts(keys, self.encoding)

    def _table_of(self, keys: list[bytes], start: int) -> StringTable:
        return StringTable(keys, start)

    def _as_hashed(self, keys: list[bytes]) -> list[bytes]:
        return keys

    def _in_order(self, key: bytes) -> bytes:
        return key

    @property
    def takes_numbers(self) -> bool:  # type: ignore[override]
        """Only indices, where it inverts them."""
        return self.invert
