"""Stalls of ranks that have not joined yet, while MPI starts and blocks Python."""

from __future__ import annotations

import faulthandler
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from distnet.comm.patience import Patience
from distnet.launcher import Launcher

_LATER_S = 6.0


@contextmanager
def showing_where_it_waits(launcher: Launcher, patience: Patience) -> Iterator[None]:
    """Within the block, which blocks Python, stalls still have consequences.

    The first two ranks show their stacks after ``warning_s``. An alarm ends a job that ``watched_siblings``, which
    says whom it waits for, did not end after ``timeout_s``: where it cannot watch.
    """
    error = sys.__stderr__
    if patience.warning_s and launcher.rank in (0, 1) and error is not None and not error.closed:
        faulthandler.dump_traceback_later(patience.warning_s, exit=False, file=error)
    has_alarm = bool(patience.timeout_s) and signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    if has_alarm:
        signal.setitimer(signal.ITIMER_REAL, patience.timeout_s + _LATER_S)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if has_alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
