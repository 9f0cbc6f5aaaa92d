"""Texts -> word numbers, by Keras 2's names."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array, Json

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")
_COUNTERS = ("word_counts", "word_docs", "index_docs", "word_index", "index_word")


def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    >>> text_to_word_sequence("The film: was it good?")
    ['the', 'film', 'was', 'it', 'good']

    Args:
        text: the text.
        filters: characters replaced by ``split``.
        lower: whether to convert to lower case.
        split: what separates words.

    Source: ``keras.preprocessing.text.text_to_word_sequence`` of Keras 2.
    """
    text = text.lower() if lower else text
    separators: dict[str, str | int | None] = dict.fromkeys(filters, split)
    words = text.translate(str.maketrans(separators)).split(split)
    return [word for word in words if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """A number in [1, n) for each word of a text; two words may share one.

    Args:
        text: the text.
        n: size of the vocabulary.
        hash_function: maps a word to an integer; by default MD5, since Python's ``hash`` differs from process to
            process.
        filters, lower, split: see ``text_to_word_sequence``.
        analyzer: splits a text into words instead.

    Source: ``keras.preprocessing.text.hashing_trick`` of Keras 2.
    """
    number = hash_function if callable(hash_function) else _md5
    words = analyzer(text) if analyzer is not None else text_to_word_sequence(text, filters, lower, split)
    return [number(word) % (n - 1) + 1 for word in words]


def one_hot(
    text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """``hashing_trick`` by its other name: the same numbers on every rank.

    Source: ``keras.preprocessing.text.one_hot`` of Keras 2.
    """
    return hashing_trick(text, n, None, filters, lower, split, analyzer)


@dataclass(eq=False)
class Tokenizer:
    """Numbers words by frequency, the most frequent with 1; 0 is no word's number.

    Args:
        num_words: only words with numbers below it are used.
        filters, lower, split: see ``text_to_word_sequence``.
        char_level: whether characters are words.
        oov_token: replaces, as number 1, words that are unknown or not used; None drops them.
        analyzer: splits a text into words, instead of ``text_to_word_sequence``.
        document_count: texts seen so far.

    Source: ``keras.preprocessing.text.Tokenizer`` of Keras 2.
    """

    num_words: int | None = None
    filters: str = FILTERS
    lower: bool = True
    split: str = " "
    char_level: bool = False
    oov_token: str | None = None
    analyzer: Callable[[str], Iterable[str]] | None = None
    document_count: int = 0
    word_counts: Counter[str] = field(default_factory=Counter, init=False)
    word_docs: Counter[str] = field(default_factory=Counter, init=False)
    index_docs: Counter[int] = field(default_factory=Counter, init=False)
    word_index: dict[str, int] = field(default_factory=dict, init=False)
    index_word: dict[int, str] = field(default_factory=dict, init=False)

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Count the words of texts, or of lists of words, and number all words again."""
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(dict.fromkeys(words, 1))
        first = [] if self.oov_token is None else [self.oov_token]
        by_count = sorted(self.word_counts.items(), key=lambda item: item[1], reverse=True)
        numbered = [*first, *(word for word, _ in by_count)]
        self.word_index = {word: i + 1 for i, word in enumerate(numbered)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        for word, documents in self.word_docs.items():
            self.index_docs[self.word_index[word]] = documents

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count in how many sequences each number occurs, for ``sequences_to_matrix``."""
        self.document_count += len(sequences)
        for sequence in sequences:
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """``texts_to_sequences``, one after the other."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            numbers = (self._used(self.word_index.get(word), unknown) for word in self._words(text))
            yield [i for i in numbers if i is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of each sequence of numbers, separated by spaces."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """``sequences_to_texts``, one after the other."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for sequence in sequences:
            numbers = (self._used(i if i in self.index_word else None, unknown) for i in sequence)
            yield " ".join(self.index_word[i] for i in numbers if i is not None)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> Array:
        """A row for each text: see ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> Array:
        """A row for each sequence, a column for each number.

        Shapes:
            N sequences -> (N, num_words)

        Args:
            sequences: sequences of numbers; numbers from ``num_words`` on are left out.
            mode: an entry is 1 if the number occurs (``"binary"``), how often it occurs (``"count"``), that divided by
                the
                length of the sequence (``"freq"``), or weighted by how rare the number is (``"tfidf"``).

        Raises:
            ArgumentError: the mode is unknown; there are neither ``num_words`` nor words; or ``"tfidf"`` comes before
                ``fit``.
        """
        columns = self.num_words or (len(self.word_index) + 1 if self.word_index else 0)
        if mode not in _MODES or not columns or (mode == "tfidf" and not self.document_count):
            raise ArgumentError(
                f"Tokenizer: expected a mode of {list(_MODES)} and num_words or texts to have been fitted, received "
                f"mode {mode!r} and num_words={self.num_words} after {self.document_count} texts."
            )
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in enumerate(sequences):
            for i, count in Counter(i for i in sequence if i < columns).items():
                matrix[row, i] = self._entry(mode, i, count, len(sequence))
        return matrix

    def get_config(self) -> dict[str, Json]:
        """The arguments and the counts, as Keras 2 writes them."""
        counted: dict[str, Json] = {name: json.dumps(getattr(self, name)) for name in _COUNTERS}
        return {
            "num_words": self.num_words, "filters": self.filters, "lower": self.lower, "split": self.split,
            "char_level": self.char_level, "oov_token": self.oov_token, "document_count": self.document_count,
            **counted,
        }  # fmt: skip

    def to_json(self, **options: Any) -> str:
        """JSON that ``tokenizer_from_json`` reads, here and in Keras 2."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **options)

    def _words(self, text: str | list[str]) -> list[str]:
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return list(text.lower() if self.lower else text)
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _used(self, number: int | None, unknown: int | None) -> int | None:
        is_used = number is not None and (not self.num_words or number < self.num_words)
        return number if is_used else unknown

    def _entry(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "tfidf":
            return float((1 + np.log(count)) * np.log(1 + self.document_count / (1 + self.index_docs[number])))
        return {"binary": 1.0, "count": float(count), "freq": count / length}[mode]


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that ``to_json`` described, here or in Keras 2.

    Source: ``keras.preprocessing.text.tokenizer_from_json`` of Keras 2.
    """
    config = json.loads(json_string)["config"]
    counted = {name: json.loads(config.pop(name)) for name in _COUNTERS}
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts, tokenizer.word_docs = Counter(counted["word_counts"]), Counter(counted["word_docs"])
    tokenizer.index_docs = Counter({int(i): n for i, n in counted["index_docs"].items()})
    tokenizer.word_index = counted["word_index"]
    tokenizer.index_word = {int(i): word for i, word in counted["index_word"].items()}
    return tokenizer


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)
