"""How long a rank waits for others: ``DISTNET_STALL_S`` and ``DISTNET_TIMEOUT_S``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from distnet.errors import ArgumentError

WARNING, TIMEOUT = "DISTNET_STALL_S", "DISTNET_TIMEOUT_S"
_WARNING_S, _TIMEOUT_S = 60.0, 600.0
_ASKS_AFTER_S = 5.0


@dataclass(frozen=True)
class Patience:
    """How long a rank waits for others.

    Args:
        warning_s: until it logs whom it waits for; 0 for never.
        timeout_s: without progress of any rank, until it ends the job; 0 for never.
    """

    warning_s: float = _WARNING_S
    timeout_s: float = _TIMEOUT_S

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Patience:
        """The settings in ``DISTNET_STALL_S`` and ``DISTNET_TIMEOUT_S``.

        Raises:
            ArgumentError: one of them is not a number of seconds.
        """
        return cls(_seconds(environ, WARNING, _WARNING_S), _seconds(environ, TIMEOUT, _TIMEOUT_S))

    @property
    def asks_after_s(self) -> float:
        """When to ask the others, so that they have answered before anything is reported."""
        return min([_ASKS_AFTER_S, *(s / 2 for s in (self.warning_s, self.timeout_s) if s)])


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentError(f"{name}: expected a number of seconds, or 0 for never, received {text!r}.")
    return seconds
