"""How often tokens occur in data that come in batches, and in how many documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from distnet.types import Array


@dataclass
class TokenCounts:
    """The counts so far.

    Args:
        counts_documents: whether to know in how many documents each token is.
    """

    counts_documents: bool
    tokens: Counter[Any] = field(default_factory=Counter)
    documents_with: Counter[Any] = field(default_factory=Counter)
    documents: int = 0

    def add(self, keys: Sequence[Hashable] | Array, lengths: Array) -> None:
        """Count the tokens of some documents, which have these lengths and lie one after the other."""
        if isinstance(keys, np.ndarray):
            each, counts = np.unique(keys, return_counts=True)
            self.tokens.update(dict(zip(each.tolist(), counts.tolist(), strict=True)))
        else:
            self.tokens.update(keys)
        if self.counts_documents:
            listed = keys.tolist() if isinstance(keys, np.ndarray) else keys
            ends = np.cumsum(lengths).tolist()
            for start, end in zip([0, *ends], ends, strict=False):
                self.documents_with.update(set(listed[start:end]))
        self.documents += len(lengths)

    def most_frequent(self, special: Iterable[Any], most: int | None, order: Callable[[Any], Any]) -> list[Any]:
        """The tokens, the most frequent first; of equally frequent ones the last in ``order`` comes first.

        Args:
            special: tokens to leave out.
            most: how many; None for all.
        """
        left_out = set(special)
        tokens = [token for token in self.tokens if token not in left_out]
        tokens.sort(key=lambda token: (self.tokens[token], order(token)), reverse=True)
        return tokens[: None if most is None else max(0, most)]

    def inverse_frequencies(self, tokens: Sequence[Any]) -> Array:
        """``log(1 + documents / (1 + documents with the token))``, as ``float64``."""
        having = np.array([self.documents_with[token] for token in tokens], np.float64)
        return np.log(1 + self.documents / (1 + having))
