"""Writing to the console: what callbacks and the progress display have to say."""

from __future__ import annotations

import sys


def say(text: str, end: str = "\n") -> None:
    """Write ``text`` to standard output at once, where there is one."""
    if sys.stdout is not None:
        sys.stdout.write(text + end)
        sys.stdout.flush()
