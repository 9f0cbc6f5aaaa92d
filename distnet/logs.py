"""Logs and histories whose values can also be read by the names that other versions of Keras have for them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Generic, Self, TypeVar

V = TypeVar("V")

_SAME = (
    ("accuracy", "acc"),
    ("learning_rate", "lr"),
    ("mean_absolute_error", "mae"),
    ("mean_squared_error", "mse"),
    ("mean_absolute_percentage_error", "mape"),
    ("mean_squared_logarithmic_error", "msle"),
    ("kl_divergence", "kullback_leibler_divergence", "kld"),
    ("cosine_similarity", "cosine_proximity", "cosine"),
    ("log_cosh", "logcosh"),
)
"""Names of one value, in Keras 1, 2 and 3."""


def other_names(key: str) -> Iterator[str]:
    """The other names of a key of the logs, with the same prefix, such as ``val_``, and the same number.

    >>> list(other_names("val_acc")), list(other_names("left_mse"))
    (['val_accuracy'], ['left_mean_squared_error'])
    """
    stem, number = key, ""
    head, _, tail = key.rpartition("_")
    if tail.isdecimal():
        stem, number = head, f"_{tail}"
    for names in _SAME:
        for name in names:
            if stem == name or stem.endswith(f"_{name}"):
                before = stem[: -len(name)]
                yield from (f"{before}{other}{number}" for other in names if other != name)


class NamedLogs(dict[str, V], Generic[V]):
    """A dict of logs that also answers to other versions' names, with one warning for each.

    When iterated, compared, written or pickled it is a plain dict.

    >>> NamedLogs({"accuracy": 0.5}) == {"accuracy": 0.5}
    True

    Args:
        values: values by their present names.
        told: names already warned about; shared by the logs of one training and by copies.
    """

    def __init__(self, values: Mapping[str, V] | None = None, told: set[str] | None = None) -> None:
        super().__init__(values or {})
        self._told: set[str] = getattr(values, "_told", set()) if told is None else told

    def __missing__(self, key: str) -> V:
        known = self.known_name(key)
        if known is None:
            raise KeyError(key)
        self._warn(key, known)
        return self[known]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key or of another of its names."""
        if key in self:
            return self[key]
        known = self.known_name(key)
        if known is None:
            return default
        self._warn(key, known)
        return self[known]

    def known_name(self, key: str) -> str | None:
        """The key that another name means; None if there is none."""
        names = other_names(key) if isinstance(key, str) else ()
        return next((name for name in names if name in self), None)

    def __or__(self, other: Any) -> Self:  # type: ignore[override]
        return type(self)({**self, **other}, self._told)

    def __reduce__(self) -> tuple[type[dict[str, V]], tuple[dict[str, V]]]:
        return dict, (dict(self),)

    def in_order(self) -> Self:
        """The same values by the order of their keys in the alphabet."""
        return type(self)({key: self[key] for key in sorted(self)}, self._told)

    def copy(self) -> Self:
        """The same values in another object."""
        return type(self)(self, self._told)

    def _warn(self, key: str, known: str) -> None:
        if key not in self._told:
            self._told.add(key)
            warnings.warn(f"the logs have {known!r}, which other versions of Keras call {key!r}.", stacklevel=3)
