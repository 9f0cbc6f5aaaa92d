"""Texts -> sequences of the indices of their words, or vectors that say which words occur."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

import numpy as np

from distnet.arguments import check_integer, check_option, is_integer, whole_number
from distnet.comm.scope import communicator
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import Layer, register_layer
from distnet.layers.engine.described_functions import described_function, function_of_config
from distnet.layers.preprocessing import category_vectors, text_splitting
from distnet.layers.preprocessing.adapting import check_tokens, on_every_rank, take_all
from distnet.layers.preprocessing.array_layer import ArrayLayer
from distnet.layers.preprocessing.byte_strings import as_bytes, as_strings, as_texts
from distnet.layers.preprocessing.index_lookup import Keys
from distnet.layers.preprocessing.kept_vocabulary import arguments_in
from distnet.layers.preprocessing.string_lookup import StringLookup
from distnet.types import STRING, Array, ArrayLike, DType, Json, Shape

_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


@register_layer()
@dataclass(eq=False)
class TextVectorization(ArrayLayer):
    """Texts -> the indices of their words, one row a text, filled up with 0; or vectors of counts.

    A text is standardized, split, its tokens joined to n-grams, and those looked up in a vocabulary.

    >>> import distnet
    >>> vectorize = distnet.layers.TextVectorization()
    >>> vectorize.adapt(["The cat sat.", "The dog!"])
    >>> vectorize.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'dog', 'cat']
    >>> vectorize(["the bird sat", "dog"]).tolist()
    [[2, 1, 3], [4, 0, 0]]

    Shapes:
        (N,) or (N, 1) texts -> (N, longest) or (N, output_sequence_length) for ``"int"``, else (N, tokens).

    Args:
        max_tokens: most tokens of the vocabulary, with the special ones; None for no limit.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``, ``"strip_punctuation"`` (all of ASCII alone, as in
            TensorFlow), None, or a function of an array of texts.
        split: ``"whitespace"``, ``"character"``, None, or a function of an array of texts that gives a list of tokens
            for each.
        ngrams: up to how many neighbouring tokens are joined; a tuple of numbers for these alone.
        output_mode: ``"int"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"``.
        output_sequence_length: of each row for ``"int"``: longer ones are cut.
        pad_to_max_tokens: whether vectors have ``max_tokens`` entries however many tokens there are.
        vocabulary: tokens, each once; or the path of a file with one a line. Without it call ``adapt``.
        idf_weights: the inverse document frequency of each, for ``"tf_idf"``.
        sparse, ragged: Keras's on TensorFlow; here arrays are dense.
        encoding: of texts that are bytes, for functions of the user's and ``get_vocabulary``.

    Source: ``keras.layers.TextVectorization``.
    """

    takes_strings: ClassVar[bool] = True
    takes_numbers: ClassVar[bool] = False
    keeps_own_arrays: ClassVar[bool] = True
    keeps_assets: ClassVar[bool] = True

    max_tokens: int | None = whole_number(None, 2)
    standardize: str | Callable[[Array], ArrayLike] | None = "lower_and_strip_punctuation"
    split: str | Callable[[Array], ArrayLike] | None = "whitespace"
    ngrams: int | tuple[int, ...] | None = None
    output_mode: str = "int"
    output_sequence_length: int | None = whole_number(None, 0)
    pad_to_max_tokens: bool = False
    vocabulary: ArrayLike | None = None
    idf_weights: ArrayLike | None = None
    sparse: bool = False
    ragged: bool = False
    encoding: str = "utf-8"

    def validate(self) -> None:
        self.output_mode = _OLD_MODES.get(self.output_mode, self.output_mode)
        check_option(f"{self.name}: output_mode", self.output_mode, ("int", "tf_idf", *category_vectors.MODES))
        if not callable(self.standardize):
            check_option(f"{self.name}: standardize", self.standardize, (None, *text_splitting.STANDARDIZED))
        if not callable(self.split):
            check_option(f"{self.name}: split", self.split, (None, *text_splitting.SPLITS))
        self._widths = self._checked_widths()
        if self.output_mode != "int" and self.output_sequence_length is not None:
            raise ArgumentError(
                f"{self.name}: output_sequence_length needs output_mode='int', received {self.output_mode!r}."
            )
        if self.ragged:
            raise ArgumentError(f"{self.name}: ragged=True: expected False, for distnet's arrays are dense.")
        given, self.vocabulary = self.vocabulary, None
        self.lookup = StringLookup(
            self.max_tokens, mask_token="", vocabulary=given, idf_weights=self.idf_weights, name=self.name,
            output_mode=self.output_mode, pad_to_max_tokens=self.pad_to_max_tokens, sparse=self.sparse,
            encoding=self.encoding, dtype=self.dtype,
        )  # fmt: skip
        self.idf_weights = None
        self.lookup.calls = self.calls  # a model that has the layer has the lookup

    def _checked_widths(self) -> tuple[int, ...] | None:
        if self.ngrams is None:
            return None
        if is_integer(self.ngrams):
            return tuple(range(1, check_integer(f"{self.name}: ngrams", self.ngrams, 1) + 1))
        if not isinstance(self.ngrams, tuple):
            raise ArgumentError(
                f"{self.name}: ngrams: expected an integer or a tuple of them, received {self.ngrams!r}."
            )
        return tuple(check_integer(f"{self.name}: ngrams", width, 1) for width in self.ngrams)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens, each at its index; ``""``, which fills rows up, and ``"[UNK]"`` come first.

        Source: ``keras.layers.TextVectorization.get_vocabulary``.
        """
        return self.lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Number of tokens, with the special ones."""
        return self.lookup.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary: see ``StringLookup.set_vocabulary``."""
        self.lookup.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary of texts: the most frequent tokens come first; every rank must pass the same texts.

        Args:
            data: an array or list of texts, or batches of them: a ``PyDataset``, a generator, an iterable.
            batch_size: has no effect, as in Keras.
            steps: most batches to take; None for all.

        Raises:
            ArgumentError: the layer was created with a vocabulary, or there are no data.
            ReplicaError: the ranks' texts differ.

        Source: ``keras.layers.TextVectorization.adapt``.
        """
        on_every_rank(self.name, lambda: take_all(self, data, steps))
        self.finalize_state()
        check_tokens(self.name, self.get_vocabulary(), self.lookup.frequencies)

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        self.lookup.count_keys(self.tokens(self.as_array(data), is_batch=True))

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self.lookup.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted, not the vocabulary."""
        self.lookup.reset_state()

    @property
    def input_dtype(self) -> str:
        """Strings."""
        return STRING

    @property
    def depends_on_batch(self) -> bool:
        """Whether rows are as long as the longest text of the batch."""
        return self.varies_in_shape

    @property
    def output_dtype(self) -> str:
        """Of its placeholders: integers for indices."""
        return "int64" if self.output_mode == "int" else self.dtype

    @property
    def varies_in_shape(self) -> bool:  # type: ignore[override]
        """Whether rows are as long as the longest text."""
        return self.output_mode == "int" and self.split is not None and self.output_sequence_length is None

    def compute_output_shape(self, shape: Shape) -> Shape:
        texts = shape[:-1] if self.split is not None and len(shape) > 1 else shape
        if self.output_mode == "int":
            length = self.output_sequence_length
            if self.split is None:
                whole = self._widths is None and length is None
                return texts if whole else (*texts[:-1], length)
            return (*texts, length)
        if self.split is not None:
            return (*texts, self._depth())
        return self.lookup.compute_output_shape(texts)

    def tokens(self, array: Array, is_batch: bool = False) -> Keys:
        """The tokens of texts.

        Args:
            array: of texts.
            is_batch: whether a single axis of tokens, where they are not split, is one document.
        """
        texts = self._standardized(array)
        if self.split is None:
            return self._unsplit(texts, array.shape, is_batch)
        shape = array.shape
        if len(shape) > 1:
            if shape[-1] != 1:
                raise ShapeError(
                    f"{self.name}: expected texts of shape (N,) or (N, 1), which it splits; received {shape}. For "
                    "tokens use split=None."
                )
            shape = shape[:-1]
        rows = self._split(texts)
        if len(rows) != len(texts):
            raise ShapeError(
                f"{self.name}: split: expected tokens of each of {len(texts)} texts, received {len(rows)}."
            )
        rows = rows if self._widths is None else text_splitting.ngrams(rows, self._widths)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        return Keys([token for row in rows for token in row], None, lengths)

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        return self._vectors(arrays[0], dtype, False)

    def of_batch(self, arrays: list[Array], dtype: DType, is_spread: bool) -> Array:
        return self._vectors(arrays[0], dtype, is_spread)

    def _vectors(self, array: Array, dtype: DType | None, is_spread: bool) -> Array:
        keys = self.tokens(array)
        indices = self.lookup.indices(keys)
        if self.output_mode != "int":
            return self._counted(indices, keys, array.shape, dtype)
        if keys.shape is not None:
            return _fitted(indices.reshape(keys.shape), self.output_sequence_length)
        outer = array.shape[:-1] if array.ndim > 1 else array.shape
        longest = int(keys.lengths.max()) if len(keys.lengths) else 0
        if is_spread and self.output_sequence_length is None:
            longest = max(communicator().allgather_object(longest))
        width = longest if self.output_sequence_length is None else self.output_sequence_length
        padded = _padded(indices, keys.lengths, width)
        return padded.reshape(*outer, width)

    def _counted(self, indices: Array, keys: Keys, shape: tuple[int, ...], dtype: DType | None) -> Array:
        kind, depth = self.lookup.counts_dtype(dtype), cast(int, self.lookup.depth)
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        if keys.shape is not None:
            return self.lookup.weighted(category_vectors.vectors(indices.reshape(keys.shape), mode, depth, kind))
        if mode == "one_hot":
            if shape:
                raise ArgumentError(
                    f"{self.name}: output_mode='one_hot' makes a vector of each token, of which texts have different "
                    "numbers. Use 'multi_hot', or 'int' and CategoryEncoding."
                )
            return category_vectors.vectors(indices, mode, depth, kind)
        make = category_vectors.counted if mode == "count" else category_vectors.marked
        made = self.lookup.weighted(make(indices, keys.lengths, depth, kind))
        return made.reshape(*(shape[:-1] if len(shape) > 1 else shape), depth)

    def _standardized(self, array: Array) -> list[bytes]:
        texts = as_bytes(array)
        if self.standardize is None:
            return texts
        if not callable(self.standardize):
            return text_splitting.standardized(texts, self.standardize)
        given = np.array(as_texts(texts, self.encoding), dtype=str).reshape(array.shape)
        made = as_strings(f"{self.name}: standardize", self.standardize(given))
        if made.shape != array.shape:
            raise ShapeError(f"{self.name}: standardize: expected texts of shape {array.shape}, received {made.shape}.")
        return as_bytes(made)

    def _split(self, texts: list[bytes]) -> list[list[bytes]]:
        if not callable(self.split):
            return text_splitting.SPLITS[cast(str, self.split)](texts)
        rows: Any = self.split(np.array(as_texts(texts, self.encoding), dtype=str))
        return [as_bytes(as_strings(f"{self.name}: split", list(row))) for row in rows]

    def _unsplit(self, texts: list[bytes], shape: tuple[int, ...], is_batch: bool) -> Keys:
        """Tokens that come as an array."""
        if self._widths is not None:
            if not shape:
                raise ShapeError(f"{self.name}: ngrams: expected tokens along an axis, received one token.")
            width = shape[-1]
            rows = [texts[i : i + width] for i in range(0, len(texts), width)] if width else []
            rows = text_splitting.ngrams(rows, self._widths)
            texts = [token for row in rows for token in row]
            shape = (*shape[:-1], len(rows[0]) if rows else 0)
        documents = 1 if not shape or (is_batch and len(shape) == 1) else shape[0]
        return Keys(texts, shape, np.full(documents, len(texts) // max(1, documents)))

    def _depth(self) -> int | None:
        return self.lookup.compute_output_shape((None, None))[-1]

    def get_config(self) -> dict[str, Json]:
        config = super().get_config()
        own = self.lookup.get_config()
        config.update({key: own[key] for key in ("vocabulary", "idf_weights", "vocabulary_size")})
        for key, value in (("standardize", self.standardize), ("split", self.split)):
            config[key] = described_function(value) if callable(value) else value
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the layer that ``get_config`` described."""
        known = arguments_in(config)
        for key in ("standardize", "split"):
            if known.get(key) is not None and not _is_built_in(known[key]):
                known[key] = function_of_config(known[key], str(config.get("name")))
        if isinstance(known.get("ngrams"), list):
            known["ngrams"] = tuple(known["ngrams"])
        made = super().from_config(known)
        made.lookup.expect_size(config.get("vocabulary_size"))
        return made

    def inner_layers(self) -> list[tuple[str, Layer]]:
        """The lookup, which Keras's files have by this name."""
        return [("_lookup_layer", self.lookup)]

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        self.lookup.save_weights(store)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        self.lookup.load_own_variables(store)

    def save_assets(self, inner_path: str) -> None:
        self.lookup.save_assets(inner_path)

    def load_assets(self, inner_path: str) -> None:
        self.lookup.load_assets(inner_path)


def _padded(indices: Array, lengths: Array, width: int) -> Array:
    """Rows of one width, of rows that lie one after the other: cut, or filled up with 0."""
    made = np.zeros((len(lengths), width), np.int64)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = np.arange(len(indices)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    inside = columns < width
    made[rows[inside], columns[inside]] = indices[inside]
    return made


def _fitted(indices: Array, length: int | None) -> Array:
    """The last axis cut or filled up with 0 to ``length``."""
    if length is None:
        return indices
    cut = indices[..., :length]
    return np.pad(cut, [(0, 0)] * (cut.ndim - 1) + [(0, length - cut.shape[-1])])


def _is_built_in(kind: Any) -> bool:
    """Whether it names a way to standardize or to split that the layer knows."""
    return isinstance(kind, str) and kind in (*text_splitting.STANDARDIZED, *text_splitting.SPLITS)
