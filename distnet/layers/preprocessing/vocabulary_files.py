"""Vocabularies in text files: one token a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from distnet.errors import ArgumentError

NAME = "vocabulary.txt"
"""The file that Keras keeps a vocabulary in, among a model's assets."""


def read(where: str, path: str | os.PathLike[str]) -> list[str]:
    """The lines of a file.

    Raises:
        ArgumentError: there is none, or it holds no text.
    """
    try:
        lines = Path(path).read_bytes().replace(b"\r", b"").decode().split("\n")
    except OSError as error:
        raise ArgumentError(f"{where}: vocabulary: expected a file of tokens, received {path!r}: {error}.") from None
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{where}: vocabulary: expected text in UTF-8 in {path!r}: {error}.") from None
    return lines[:-1] if lines[-1] == "" else lines


def can_hold(tokens: Sequence[str]) -> bool:
    """Whether a file of these tokens is read as it was written, also by Keras, which splits at any kind of line end."""
    return not tokens or (tokens[-1] != "" and all(token == "" or token.splitlines() == [token] for token in tokens))
