"""How ranks end their programs together, in a number of messages that grows with the logarithm of theirs.

Where all come at about the same time, they meet, and none tells the others one by one. A rank that others do not come
to tells each of them that it has ended: one may wait for it elsewhere. Before any leaves MPI, all of them count the
notices that were sent to each, and each takes as many: some MPIs (UCX) complain of messages that nobody has taken.

Source: Hoefler, Siebert and Lumsdaine, "Scalable communication protocols for dynamic sparse data exchange", 2010, on
the count.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from distnet.comm.notices import Ended
from distnet.comm.watch import Watch, listed_ranks

_TELLS_AFTER_S = 1.0
"""For so long nobody learns that this rank has ended; those that wait for others look twice a second."""
_SLEEPS, _LONGEST_SLEEP_S = 0.02, 0.01
"""Of the time waited so far, and at most."""


def depart(watch: Watch, ended: Ended, show: Callable[[Sequence[int]], None]) -> None:
    """Return when all ranks have ended, for which MPI would wait, too, and this one has taken all notices.

    For these it waits no longer than ``timeout_s`` of its patience; for ranks it waits on, however long they work
    behind their last call, and says after ``warning_s`` which they are.

    Args:
        watch: of this rank.
        ended: tells the others of its end.
        show: shows where ranks are.
    """
    have_come, warning_s = watch.channel.Ibarrier(), watch.patience.warning_s
    if not _awaited(watch, have_come.Test, _TELLS_AFTER_S):
        watch.tell(ended)
        if warning_s and not _awaited(watch, have_come.Test, max(warning_s, _TELLS_AFTER_S)):
            _warn_of_late_ranks(watch, show)
        _awaited(watch, have_come.Test)
    expected, most_s = np.zeros(1, np.int64), watch.patience.timeout_s or math.inf
    is_counted = watch.channel.Ireduce_scatter_block(watch.sent_to, expected)
    if _awaited(watch, is_counted.Test, most_s):
        _awaited(watch, lambda: watch.received == expected[0] and watch.have_gone(), most_s)


def _warn_of_late_ranks(watch: Watch, show: Callable[[Sequence[int]], None]) -> None:
    """Let the first of those that wait say whom they wait for."""
    late = watch.not_ended()
    if late and watch.rank == min(set(range(watch.size)).difference(late)):
        logging.getLogger("distnet").warning(
            "distnet: the program of rank %d has ended, and waits for that of %s: all ranks leave MPI together. It may "
            "be in a function of atexit, in a thread that is no daemon, or at work without distnet; waiting on.",
            watch.rank,
            listed_ranks(late),
        )
        show(late)


def _awaited(watch: Watch, is_so: Callable[[], bool], most_s: float = math.inf) -> bool:
    """Whether it has come to be so, in so many seconds at most."""
    began = time.monotonic()
    while not is_so():
        watch.hear()
        waited_s = time.monotonic() - began
        if waited_s >= most_s:
            return False
        time.sleep(min(_SLEEPS * waited_s, _LONGEST_SLEEP_S))
    return True
