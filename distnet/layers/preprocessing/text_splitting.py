"""Texts -> tokens, byte by byte as TensorFlow splits them: only ASCII has cases, punctuation and white space."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from itertools import chain

from distnet.layers.preprocessing.byte_strings import as_texts

PUNCTUATION = string.punctuation.encode()
"""What Keras strips: ``!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'``."""

_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
STANDARDIZED: dict[str, tuple[bytes | None, bytes]] = {
    "lower": (_LOWER, b""),
    "strip_punctuation": (None, PUNCTUATION),
    "lower_and_strip_punctuation": (_LOWER, PUNCTUATION),
}
"""What ``bytes.translate`` is given for each kind of standardization."""


def standardized(texts: Sequence[bytes], kind: str) -> list[bytes]:
    """The texts in lower case, without punctuation, or both: see ``STANDARDIZED``."""
    table, left_out = STANDARDIZED[kind]
    return [text.translate(table, left_out) for text in texts]


def words(texts: Sequence[bytes]) -> list[list[bytes]]:
    """What lies between white space.

    Source: ``tensorflow.strings.split``.
    """
    return [text.split() for text in texts]


def characters(texts: Sequence[bytes]) -> list[list[bytes]]:
    """The characters; U+FFFD for bytes that are no UTF-8.

    Source: ``tensorflow.strings.unicode_split``.
    """
    return [list(map(str.encode, text.decode(errors="replace"))) for text in texts]


def ngrams(rows: Sequence[list[bytes]], widths: Sequence[int]) -> list[list[bytes]]:
    """The neighbours in each row, joined by blanks: for each width in order, from left to right.

    Source: ``tensorflow.strings.ngrams``.
    """
    return [list(chain.from_iterable(_of_width(row, width) for width in widths)) for row in rows]


def given_texts(texts: Sequence[bytes], encoding: str) -> list[str]:
    """The texts for a function of the user's, as Python's."""
    return as_texts(texts, encoding)


def _of_width(row: list[bytes], width: int) -> list[bytes]:
    if width == 1:
        return row
    return [b" ".join(row[i : i + width]) for i in range(len(row) - width + 1)]


Split = Callable[[Sequence[bytes]], list[list[bytes]]]
SPLITS: dict[str, Split] = {"whitespace": words, "character": characters}
"""The ways to split, by Keras's names."""
