"""How ranks end their programs together, in a number of messages that grows with the logarithm of theirs.

Where all come at about the same time, they meet, and none tells the others one by one. A rank that others do not come
to tells each of them that it has ended: one may wait for it elsewhere. Before any leaves MPI, all of them count the
notices that were sent to each, and each takes as many: some MPIs (UCX) complain of messages that nobody has taken.

Source: Hoefler, Siebert and Lumsdaine, "Scalable communication protocols for dynamic sparse data exchange", 2010, on
the count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from distnet.comm.notices import Ended
from distnet.comm.watch import Watch

_TELLS_AFTER_S = 1.0
"""For so long nobody learns that this rank has ended; those that wait for others look twice a second."""
_SLEEPS, _LONGEST_SLEEP_S = 0.02, 0.01
"""Of the time waited so far, and at most."""


def depart(watch: Watch, ended: Ended) -> None:
    """Return when all ranks have ended, for which MPI would wait, too, and this one has taken all notices.

    For these it waits no longer than ``timeout_s`` of its patience.

    Args:
        watch: of this rank.
        ended: tells the others of its end.
    """
    have_come = watch.channel.Ibarrier()
    if not _awaited(watch, have_come.Test, _TELLS_AFTER_S):
        watch.tell(ended)
        _awaited(watch, have_come.Test)
    expected, most_s = np.zeros(1, np.int64), watch.patience.timeout_s or math.inf
    is_counted = watch.channel.Ireduce_scatter_block(watch.sent_to, expected)
    if _awaited(watch, is_counted.Test, most_s):
        _awaited(watch, lambda: watch.received == expected[0] and watch.have_gone(), most_s)


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
