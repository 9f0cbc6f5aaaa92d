"""How many layer calls a described model may make."""

from __future__ import annotations

from distnet.errors import ArgumentError

MOST_CALLS = 10_000
"""Of layers in a model that a file or a text describes: a few hundred bytes can describe a million."""


def check_calls(name: str, count: int) -> None:
    """Fail if a described model makes too many layer calls to follow.

    Raises:
        ArgumentError: it makes too many.
    """
    if count > MOST_CALLS:
        raise ArgumentError(
            f"{name}: makes {count} layer calls, including those within its models; expected at most {MOST_CALLS} in "
            "a configuration."
        )
