"""What ``StringLookup`` and ``IntegerLookup`` have in common: tokens -> their places in a vocabulary."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from distnet import config as settings
from distnet.arguments import check_option
from distnet.errors import ArgumentError, NotBuiltError
from distnet.layers.preprocessing import category_vectors, vocabulary_files
from distnet.layers.preprocessing.adapting import check_tokens, on_every_rank, take_all
from distnet.layers.preprocessing.farm_hash import fingerprints
from distnet.layers.preprocessing.given_vocabulary import checked_tokens, padded_weights
from distnet.layers.preprocessing.hash_keys import as_key
from distnet.layers.preprocessing.kept_vocabulary import KeepsVocabulary
from distnet.layers.preprocessing.sip_hash import keyed_hashes
from distnet.layers.preprocessing.token_counts import TokenCounts
from distnet.layers.preprocessing.vocabulary_tables import Table
from distnet.types import Array, DType, Shape

_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_NO_MATCH = -1
"""The index of what is in no vocabulary, and of masked tokens where those count nothing."""


@dataclass(frozen=True)
class Keys:
    """Tokens as the vocabulary has them.

    Args:
        values: one after the other: bytes in a list, or an array of integers.
        shape: of the array that held them; None where rows have different lengths.
        lengths: of the rows.
    """

    values: Any
    shape: tuple[int, ...] | None
    lengths: Array


class IndexLookup(KeepsVocabulary):
    """Tokens -> indices, or vectors that say which tokens occur.

    Source: ``keras.src.layers.preprocessing.index_lookup``.
    """

    max_tokens: int | None
    num_oov_indices: int
    invert: bool
    pad_to_max_tokens: bool
    sparse: bool
    oov_method: str
    salt: Any
    mask_token: Any
    oov_token: Any

    def validate(self) -> None:
        self.output_mode = _OLD_MODES.get(self.output_mode, self.output_mode)
        self._check_arguments()
        self._idf: Array | None = None
        self._table: Table | None = None
        self._size: int | None = None
        self._counts = TokenCounts(self.output_mode == "tf_idf")
        given, self.vocabulary = self.vocabulary, None
        self.has_given_vocabulary = given is not None
        weights = None if self.idf_weights is None else np.asarray(self.idf_weights, np.float64)
        self.idf_weights = None
        if given is not None:
            self.set_vocabulary(given, weights)

    def _check_arguments(self) -> None:
        where = self.name
        check_option(f"{where}: output_mode", self.output_mode, ("int", "tf_idf", *category_vectors.MODES))
        check_option(f"{where}: oov_method", self.oov_method, ("floormod", "farmhash"))
        if self.sparse:
            raise ArgumentError(f"{where}: sparse=True: expected False, for distnet's arrays are dense.")
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ArgumentError(f"{where}: pad_to_max_tokens needs max_tokens, received None.")
        if self.invert and self.output_mode != "int":
            raise ArgumentError(f"{where}: invert needs output_mode='int', received {self.output_mode!r}.")
        if self.idf_weights is not None and self.output_mode != "tf_idf":
            raise ArgumentError(f"{where}: idf_weights needs output_mode='tf_idf', received {self.output_mode!r}.")
        self.salt = None if self.salt is None else as_key(where, self.salt)
        if self.salt is not None and self.oov_method != "farmhash" and not self.takes_strings:
            raise ArgumentError(f"{where}: salt needs oov_method='farmhash', received {self.oov_method!r}.")
        if self.vocabulary is not None and self.idf_weights is None and self.output_mode == "tf_idf":
            raise ArgumentError(f"{where}: a vocabulary needs idf_weights, too, where output_mode='tf_idf'.")

    @abstractmethod
    def as_keys(self, array: Array) -> Keys:
        """The tokens that an array holds."""

    @abstractmethod
    def key_of(self, token: Any) -> Any:
        """A token of the user's as the vocabulary has it."""

    @abstractmethod
    def tokens_of(self, keys: Sequence[Any]) -> list[Any]:
        """The tokens as users have them."""

    @abstractmethod
    def _table_of(self, keys: list[Any], start: int) -> Table:
        """A table of these."""

    @abstractmethod
    def _as_hashed(self, keys: Any) -> list[bytes]:
        """What is hashed of keys."""

    @abstractmethod
    def _in_order(self, key: Any) -> Any:
        """What equally frequent tokens are sorted by."""

    @property
    def tokens_start(self) -> int:
        """The index of the first token that is not special."""
        return self._oov_start + self.num_oov_indices

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens, each at the index that calls give; those for masked and unknown ones come first.

        Source: ``keras.layers.StringLookup.get_vocabulary``.
        """
        tokens = self.tokens_of(self._table.tokens) if self._table is not None else []
        return [*(self._special if include_special_tokens else ()), *tokens]

    def vocabulary_size(self) -> int:
        """Number of tokens, with the special ones."""
        return (len(self._table) if self._table is not None else 0) + self.tokens_start

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary.

        Args:
            vocabulary: an array or list of tokens, each once, with the special tokens at its start or without them;
                or the path of a text file with one token a line, without special ones.
            idf_weights: one for each, where ``output_mode="tf_idf"``.

        Raises:
            ArgumentError: it does not fit the layer's arguments.

        Source: ``keras.layers.StringLookup.set_vocabulary``.
        """
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise ArgumentError(f"{self.name}: expected idf_weights where output_mode='tf_idf', and there alone.")
        is_file = isinstance(vocabulary, str | os.PathLike)
        if is_file and self.output_mode == "tf_idf":
            raise ArgumentError(f"{self.name}: a file of tokens has no idf_weights. Pass the tokens as a list.")
        given = [self.key_of(t) for t in vocabulary_files.read(self.name, vocabulary)] if is_file else None
        if given is None:
            given = self._keys_given(vocabulary)
        has_special, keys = checked_tokens(self, given, [self._key_or_none(t) for t in self._special], is_file)
        self._take(keys)
        if idf_weights is not None:
            width = self.max_tokens if self.pad_to_max_tokens else None
            front = 0 if has_special else self.tokens_start
            self._idf = padded_weights(self.name, idf_weights, len(given), front, width).astype(self.dtype)
        if self.has_given_vocabulary and not is_file:
            self._keep_given()

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn the vocabulary of data: the most frequent tokens come first; every rank must pass the same data.

        Args:
            data: an array or list; of one axis, each token is a document of its own. Or batches: a ``PyDataset``, a
                generator, an iterable.
            steps: most batches to take; None for all.

        Raises:
            ArgumentError: the layer was created with a vocabulary, or there are no data.
            ReplicaError: the ranks' data differ.

        Source: ``keras.layers.StringLookup.adapt``.
        """
        on_every_rank(self.name, lambda: take_all(self, data, steps))
        self.finalize_state()
        check_tokens(self.name, self._table.tokens if self._table is not None else (), self._idf)

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch; a batch of one axis is one document.

        Source: ``keras.layers.StringLookup.update_state``.
        """
        array = self.as_array(data)
        self.count_keys(self.as_keys(array.reshape(1, -1) if array.ndim < 2 else array))

    def count_keys(self, keys: Keys) -> None:
        """Count tokens."""
        if self.has_given_vocabulary:
            raise ArgumentError(
                f"{self.name}: adapt: expected a layer without a vocabulary, received one created with it. Leave out "
                "vocabulary, or adapt another layer."
            )
        self._counts.add(keys.values, keys.lengths)

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted.

        Source: ``keras.layers.StringLookup.finalize_state``.
        """
        if self.has_given_vocabulary:
            return
        special = [self.key_of(t) for t in (self.mask_token, self.oov_token) if t is not None]
        most = None if self.max_tokens is None else self.max_tokens - self.tokens_start
        keys = self._counts.most_frequent(special, most, self._in_order)
        self._take(keys)
        if self.output_mode == "tf_idf":
            learned = self._counts.inverse_frequencies(keys).astype(settings.floatx())
            mean = learned.mean() if len(learned) else 0
            weights = np.pad(learned, (self.tokens_start, 0), constant_values=mean)
            back = cast(int, self.max_tokens) - len(weights) if self.pad_to_max_tokens else 0
            self._idf = np.pad(weights, (0, back)).astype(self.dtype)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was counted, not the vocabulary."""
        self._counts = TokenCounts(self.output_mode == "tf_idf")

    @property
    def frequencies(self) -> Array | None:
        """The inverse document frequencies, where ``output_mode="tf_idf"``."""
        return self._idf

    @property
    def depth(self) -> int | None:
        """Entries of a vector; None where the vocabulary is not known."""
        return self.max_tokens if self.pad_to_max_tokens else self._size

    @property
    def output_dtype(self) -> str:
        """Of its placeholders: integers for indices, strings where it inverts them."""
        return self.dtype if self.output_mode != "int" else self._inverted_dtype if self.invert else "int64"

    _inverted_dtype = "int64"

    def compute_output_shape(self, shape: Shape) -> Shape:
        if self.output_mode == "int":
            return shape
        mode = "one_hot" if self.output_mode == "one_hot" else "count"
        if self.depth is None:
            self._known()
        return category_vectors.vectors_shape(tuple(shape), mode, self.depth)

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        array = arrays[0]
        if self.invert:
            return self._inverted(array)
        keys = self.as_keys(array)
        indices = self.indices(keys).reshape(array.shape)
        if self.output_mode == "int":
            return indices
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        made = category_vectors.vectors(indices, mode, cast(int, self.depth), self.counts_dtype(dtype))
        return self.weighted(made)

    def counts_dtype(self, dtype: DType | None) -> DType:
        """Of vectors: integers, as Keras gives them, or a model's, ``dtype``."""
        return np.dtype(self.dtype) if self.output_mode == "tf_idf" else dtype or np.dtype(np.int64)

    def weighted(self, counts: Array) -> Array:
        """The counts, multiplied by the inverse frequencies where the layer has such."""
        return counts if self._idf is None or self.output_mode != "tf_idf" else counts * self._idf

    def indices(self, keys: Keys) -> Array:
        """The index of each token; -1 for masked ones where vectors are made."""
        table, start = self._known(), self._oov_start
        places = table.places(keys.values, start if self.num_oov_indices == 1 else _NO_MATCH)
        masked = None
        if self.mask_token is not None:
            masked = table.where_equal(keys.values, self.key_of(self.mask_token))
            places[masked] = 0 if self.output_mode == "int" else _NO_MATCH
        if self.num_oov_indices == 1:
            return places
        unknown = np.flatnonzero(places == _NO_MATCH if masked is None else (places == _NO_MATCH) & ~masked)
        if len(unknown):
            strange = [keys.values[i] for i in unknown.tolist()]
            self._check_unknown(strange)
            places[unknown] = self._bins(strange) + start
        return places

    def _bins(self, strange: list[Any]) -> Array:
        """Which of several indices each unknown token has."""
        if not self.takes_strings and self.oov_method == "floormod":
            return np.array(strange, np.int64) % self.num_oov_indices
        hashed = self._as_hashed(strange)
        numbers = fingerprints(hashed) if self.salt is None else keyed_hashes(hashed, tuple(self.salt))
        return (numbers % np.uint64(self.num_oov_indices)).astype(np.int64)

    def _check_unknown(self, strange: list[Any]) -> None:
        if not self.num_oov_indices:
            raise ArgumentError(
                f"{self.name}: expected tokens of the vocabulary, received {self.tokens_of(strange[:5])}. Use "
                "num_oov_indices=1 for others."
            )

    def _inverted(self, array: Array) -> Array:
        """The tokens of indices."""
        table = self._known()
        known = np.array([*self.get_vocabulary(), self.oov_token], object if self.takes_strings else np.int64)
        if array.dtype.kind not in "biuf":
            raise ArgumentError(
                f"{self.name}: expected indices, for it inverts them, received {array.tolist()!r:.100}."
            )
        places = array.astype(np.int64)
        inside = (places >= 0) & (places < len(table) + self.tokens_start)
        return known[np.where(inside, places, len(known) - 1)]

    def _known(self) -> Table:
        if self._table is None:
            raise NotBuiltError(f"{self.name}: has no vocabulary yet. Call adapt(data), or pass vocabulary=[...].")
        return self._table

    def _take(self, keys: list[Any]) -> None:
        """Let these be the tokens."""
        size = len(keys) + self.tokens_start
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens and bool(self.calls)
        if fixed and self._size is not None and self._size != size:
            raise ArgumentError(
                f"{self.name}: expected a vocabulary of {self._size} tokens, as the model around was made with, "
                f"received {size}. Make the model after adapt, or use pad_to_max_tokens."
            )
        self._table, self._size = self._table_of(keys, self.tokens_start), size

    def _keys_given(self, vocabulary: Any) -> list[Any]:
        array = self.as_array(vocabulary)
        if array.ndim != 1 or not array.size:
            raise ArgumentError(f"{self.name}: vocabulary: expected tokens, received an array of shape {array.shape}.")
        return list(self.as_keys(array.reshape(1, -1)).values)

    def _key_or_none(self, token: Any) -> Any:
        return None if token is None else self.key_of(token)

    def _keep_given(self) -> None:
        """Let configurations have what was given."""
        full = self.output_mode == "tf_idf" and None not in self._special
        self.vocabulary = self.get_vocabulary(include_special_tokens=full)
        own = None if self._idf is None else self._idf[0 if full else self.tokens_start :]
        self.idf_weights = None if own is None else own[: len(self.vocabulary)].tolist()
