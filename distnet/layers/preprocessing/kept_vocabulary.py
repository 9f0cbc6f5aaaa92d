"""Where a lookup's vocabulary is kept: in its configuration, in Keras's text file, or among a model's arrays."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from distnet import config as settings
from distnet.checksums import checksum
from distnet.errors import ArgumentError, CheckpointError
from distnet.layers.preprocessing import vocabulary_files
from distnet.layers.preprocessing.array_layer import ArrayLayer
from distnet.layers.preprocessing.vocabulary_tables import Table
from distnet.registry import is_describing
from distnet.registry.code import is_code_allowed
from distnet.types import Array, Json

_TOKENS, _ENDS, _WEIGHTS = "vocabulary", "vocabulary_ends", "idf_weights"


class KeepsVocabulary(ArrayLayer):
    """What ``IndexLookup`` keeps besides its arguments.

    A vocabulary given to the constructor is part of the configuration. One that was learned is a file of the archive,
    as in Keras; and an array beside the weights, which Keras passes over, so that files of weights have it, too.
    """

    keeps_own_arrays: ClassVar[bool] = True
    keeps_assets: ClassVar[bool] = True

    vocabulary: Any
    """What was given to the constructor, as a list; None for a file or what was learned."""
    idf_weights: Any
    output_mode: str
    _table: Table | None
    _idf: Array | None
    _size: int | None

    @property
    @abstractmethod
    def tokens_start(self) -> int:
        """The index of the first token that is not special."""

    @abstractmethod
    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens."""

    @abstractmethod
    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Replace the vocabulary."""

    @abstractmethod
    def _take(self, keys: list[Any]) -> None:
        """Let these be the tokens."""

    @abstractmethod
    def _keep_given(self) -> None:
        """Let configurations have the vocabulary."""

    def get_config(self) -> dict[str, Json]:
        config = super().get_config()
        config["vocabulary_size"] = self._size
        if self._table is None:
            return config
        if is_describing():
            config["vocabulary"] = self._digest()
        elif self.vocabulary is None and not vocabulary_files.can_hold([str(t) for t in self.get_vocabulary()]):
            kept = self.vocabulary, self.idf_weights
            self._keep_given()
            config["vocabulary"], config["idf_weights"] = self.vocabulary, self.idf_weights
            self.vocabulary, self.idf_weights = kept
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the layer that ``get_config`` described."""
        made = super().from_config(arguments_in(config))
        made.expect_size(config.get("vocabulary_size"))
        return made

    def expect_size(self, size: int | None) -> None:
        """Know the size of a vocabulary that a file will bring."""
        if self._size is None:
            self._size = size

    def save_weights(self, store: MutableMapping[str, Any]) -> None:
        """Put into ``store`` what Keras has there."""
        if self._idf is not None and self.output_mode == "tf_idf":
            store[_WEIGHTS] = self._idf

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        self.save_weights(store)
        if self._table is None or self.vocabulary is not None:
            return
        if not self.takes_strings:
            store[_TOKENS] = np.array(self._table.tokens, np.int64)
            return
        store[_TOKENS] = np.frombuffer(b"".join(self._table.tokens), np.uint8)
        store[_ENDS] = np.cumsum([len(token) for token in self._table.tokens], dtype=np.int64)

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        if _TOKENS in store:
            self._take(self._tokens_in(np.asarray(store[_TOKENS]), store.get(_ENDS)))
        if _WEIGHTS in store and self.output_mode == "tf_idf":
            self._idf = np.asarray(store[_WEIGHTS]).astype(self.dtype)

    def save_assets(self, inner_path: str) -> None:
        if self._table is None or self.vocabulary is not None:
            return
        tokens = [str(token) for token in self.get_vocabulary()]
        if vocabulary_files.can_hold(tokens):
            Path(inner_path, vocabulary_files.NAME).write_bytes("\n".join(tokens).encode())

    def load_assets(self, inner_path: str) -> None:
        path = Path(inner_path, vocabulary_files.NAME)
        if self.vocabulary is not None or not path.is_file():
            return
        lines = path.read_bytes().replace(b"\r\n", b"\n").decode().split("\n")
        while lines and lines[-1] == "":  # as a last token Keras loses it, too
            lines.pop()
        tokens = lines if self.takes_strings else [int(line) for line in lines]
        if len(tokens) > self.tokens_start:
            self.set_vocabulary(tokens, None if self._idf is None else self._idf[: len(tokens)])
        else:
            self._take([])

    def _tokens_in(self, array: Any, ends: Any) -> list[Any]:
        if not self.takes_strings:
            return list(array.astype(np.int64).tolist())
        bounds = [0, *np.asarray(ends if ends is not None else [], np.int64).tolist()]
        text = array.astype(np.uint8).tobytes()
        if bounds != sorted(bounds) or bounds[-1] != len(text):
            raise CheckpointError(f"{self.name}: expected a vocabulary of {len(text)} bytes, found ends {bounds[-1]}.")
        return [text[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]

    def _digest(self) -> str:
        """What tells this vocabulary from others, for ranks to compare."""
        described = json.dumps([str(token) for token in self.get_vocabulary()]).encode()
        count = 0 if self._table is None else len(self._table)
        return f"{count} tokens, checksum {checksum(np.frombuffer(described, np.uint8))}"


def arguments_in(config: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments in a configuration of a layer with a vocabulary.

    Raises:
        ArgumentError: it names a file to read outside of the model's, which is done with ``safe_mode=False`` only.
    """
    if isinstance(config.get("vocabulary"), str) and not (is_code_allowed() or settings.runs_code()):
        raise ArgumentError(
            f"{config.get('name')}: the configuration names the file {config['vocabulary']!r} as vocabulary. It is "
            "read only with safe_mode=False."
        )
    return {key: value for key, value in config.items() if key not in ("vocabulary_size", "has_input_vocabulary")}
