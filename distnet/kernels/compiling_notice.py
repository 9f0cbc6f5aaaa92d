"""Who wants to know that loops are being compiled, which takes seconds the first time on a machine."""

from __future__ import annotations

from collections.abc import Callable


class _Notice:
    listener: Callable[[], None] | None = None


_notice = _Notice()


def listen(listener: Callable[[], None] | None) -> None:
    """From now on this function is called before each loop that is compiled, or awaited from another process."""
    _notice.listener = listener


def tell() -> None:
    """Say that a loop is being compiled."""
    if _notice.listener is not None:
        _notice.listener()
