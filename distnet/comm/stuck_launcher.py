"""After ``MPI_Abort``: a launcher that cannot reach its own processes on another machine is ended, too.

Open MPI's ``mpirun`` and its daemons wait for each other's answers; cut from each other, they notice it after eight
minutes (``oob_tcp_keepalive_time``, 300 s, and nine probes), while no rank is left. So a forked process, which uses
nothing but ``/proc``, stays behind for some seconds. Hydra ends by itself; a scheduler's launcher is not ours to end.
"""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress

from distnet.launcher import detect
from distnet.process_tree import ancestors, below_launcher, has_name, is_alive

_PATIENCE_S = 4.0
"""How long a launcher that reaches all its processes may take: a second, for ranks that ignore SIGTERM."""
_LOOKS_EVERY_S = 0.1
_OF_OPEN_MPI = ("prterun", "prted", "orterun", "orted")


def end_launcher_if_stuck(environ: Mapping[str, str]) -> None:
    """Leave a process behind that ends this rank's launcher, if it is Open MPI's and still there after 4 s."""
    launcher = detect(environ)
    below = None if launcher is None else below_launcher(launcher.variable)
    if below is None or not has_name(below[0], _OF_OPEN_MPI):
        return
    stuck = [below[0], *(each for each in ancestors(below[0]) if has_name(each, _OF_OPEN_MPI))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, none of which the forked process needs
        left_behind = os.fork()
    if left_behind == 0:
        try:
            os.setsid()  # or it would be ended with the rank
            os.closerange(0, 1024)  # the launcher waits for the end of what the rank says
            _wait_and_end(stuck)
        finally:
            os._exit(0)


def _wait_and_end(launchers: list[int]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if not any(map(is_alive, launchers)):
            return
        time.sleep(_LOOKS_EVERY_S)
    for launcher in launchers:
        with suppress(OSError):
            os.kill(launcher, signal.SIGKILL)
