"""A vocabulary that a user gives: checked, and without its special tokens."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array


class HasSpecialTokens(Protocol):
    """A lookup, as what checks its vocabulary sees it."""

    name: str
    max_tokens: int | None
    pad_to_max_tokens: bool
    invert: bool
    mask_token: Any
    oov_token: Any

    def key_of(self, token: Any) -> Any: ...


def checked_tokens(
    lookup: HasSpecialTokens, given: list[Any], special: list[Any], is_file: bool
) -> tuple[bool, list[Any]]:
    """Whether the tokens begin with the special ones, and the others.

    Args:
        given, special: as the vocabulary has them.
        is_file: whether they are lines of a file, which holds no special tokens and, as in Keras, may be longer than
            ``max_tokens``.

    Raises:
        ArgumentError: a token occurs twice, or is special; or there are too many.
    """
    has_special = not is_file and given[: len(special)] == special
    keys = given[len(special) :] if has_special else given
    repeated = [token for token, count in Counter(keys).items() if count > 1] if len(set(keys)) < len(keys) else []
    if repeated:
        raise ArgumentError(f"{lookup.name}: vocabulary: expected each token once, received {repeated[:5]} again.")
    reserved = [("mask_token", lookup.mask_token), *([("oov_token", lookup.oov_token)] if lookup.invert else [])]
    known = set() if is_file else set(keys)
    for name, token in reserved:
        if token is not None and lookup.key_of(token) in known:
            raise ArgumentError(
                f"{lookup.name}: vocabulary: expected the {name} {token!r} nowhere but at the start, behind it all "
                f"special tokens in this order: {special}. Received it among the others."
            )
    size, most = len(keys) + len(special), lookup.max_tokens
    if most is not None and size > most and (not is_file or lookup.pad_to_max_tokens):
        raise ArgumentError(f"{lookup.name}: vocabulary: expected at most max_tokens={most} tokens, received {size}.")
    return has_special, keys


def padded_weights(where: str, given: Any, tokens: int, front: int, width: int | None) -> Array:
    """The weights of all tokens, in order: special tokens that have none get the mean, places behind the last 0.

    Args:
        given: one weight for each token given.
        tokens: number of tokens given.
        front: special tokens that were not given.
        width: number of weights to make; None for those of the tokens.

    Raises:
        ArgumentError: there are more or fewer weights than tokens.
    """
    weights = np.asarray(given, np.float64)
    if weights.shape != (tokens,):
        raise ArgumentError(f"{where}: idf_weights: expected {tokens} weights, one a token, received {weights.shape}.")
    padded = np.pad(weights, (front, 0), constant_values=weights.mean())
    return padded if width is None else np.pad(padded, (0, width - len(padded)))
