"""Writing to the console: what callbacks and the progress display have to say."""

from __future__ import annotations

import logging
import sys
from functools import cache

from distnet import config

_LOGGER = logging.getLogger("distnet")


def say(text: str, end: str = "\n", use_stderr: bool = False) -> None:
    """Write ``text`` to standard output or error at once, if there is one, or to the logger if config says so."""
    stream = sys.stderr if use_stderr else sys.stdout
    if not config.is_interactive_logging_enabled():
        _LOGGER.info(text.strip())
    elif stream is not None:
        stream.write(text + end)
        stream.flush()


@cache
def announce_compiling() -> None:
    """Say why the first step takes long, once in a process; beside what is read from standard output."""
    say("distnet: compiling kernels, once for this machine ...", use_stderr=True)


@cache
def announce(size: int, blas_threads: int | None) -> None:
    """Say how many ranks there are, once in a job, however often a model is fitted."""
    say(f"distnet: {size} ranks, {blas_threads} BLAS thread{'' if blas_threads == 1 else 's'} each")
