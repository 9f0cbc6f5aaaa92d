"""Writing to the console: what callbacks and the progress display have to say."""

from __future__ import annotations

import logging
import sys
from functools import cache

from distnet import config

_LOGGER = logging.getLogger("distnet")


def say(text: str, end: str = "\n") -> None:
    """Write ``text`` to standard output at once, if there is one, or to the logger if config says so."""
    if not config.is_interactive_logging_enabled():
        _LOGGER.info(text.strip())
    elif sys.stdout is not None:
        sys.stdout.write(text + end)
        sys.stdout.flush()


@cache
def announce(size: int, blas_threads: int | None) -> None:
    """Say how many ranks there are, once in a job, however often a model is fitted."""
    say(f"distnet: {size} ranks, {blas_threads} BLAS thread{'' if blas_threads == 1 else 's'} each")
