"""Texts as lists of word numbers: which words are kept, and which texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.errors import ArgumentError, DatasetError
from distnet.types import Array

Texts: TypeAlias = list[list[int]]


def shuffled(texts: Array, labels: Array, seed: int) -> tuple[Array, Array]:
    """Both in Keras's order: that of NumPy's legacy generator."""
    order = np.arange(len(texts))
    np.random.RandomState(seed).shuffle(order)
    return texts[order], labels[order]


def started(texts: Array, start_char: int | None, index_from: int | None) -> Texts:
    """Each text with ``index_from`` added to its word numbers and ``start_char`` in front, each unless None."""
    first = [] if start_char is None else [start_char]
    shift = index_from or 0
    return [first + [word + shift for word in text] for text in texts]


def shorter(texts: Texts, labels: Array, maxlen: int | None) -> tuple[Texts, Array]:
    """The texts of fewer than ``maxlen`` words, and their labels; all texts if it is None.

    Raises:
        ArgumentError: there are no such texts.
    """
    if not maxlen:
        return texts, labels
    is_kept = np.array([len(text) < maxlen for text in texts], bool)
    if not is_kept.any():
        raise ArgumentError(f"maxlen: expected more words than the shortest text has, received {maxlen}.")
    return [text for text, kept in zip(texts, is_kept, strict=True) if kept], labels[is_kept]


def limited(texts: Texts, num_words: int | None, skip_top: int, oov_char: int | None) -> Texts:
    """The texts with every word outside ``skip_top <= word < num_words`` replaced by ``oov_char``, or left out.

    Without ``num_words`` the limit is the largest number in the texts, which is thus left out, as in Keras.
    """
    end = num_words or max((max(text, default=0) for text in texts), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < end] for text in texts]
    return [[word if skip_top <= word < end else oov_char for word in text] for text in texts]


def as_objects(texts: Sequence[list[int]]) -> Array:
    """An array of the lists, one list an entry, whatever their lengths."""
    array = np.empty(len(texts), object)
    array[:] = texts
    return array


def word_index(remote: RemoteFile, path: str) -> dict[str, int]:
    """The number of each word, from a JSON file; every rank must call this.

    Raises:
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.
    """
    return on_one_rank_only(lambda: _read_index(locate(remote, path)))


def _read_index(path: Path) -> dict[str, int]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: expected JSON: {error}. Delete it, then copy or download it again.") from error
    if not isinstance(index, dict) or not all(type(number) is int for number in index.values()):
        raise DatasetError(f"{path}: expected words and their numbers. Delete it, then copy or download it again.")
    return index
