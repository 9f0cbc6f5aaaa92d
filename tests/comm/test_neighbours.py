"""What a rank notes can be read by others."""

import os

from distnet.comm.neighbours import Neighbours
from stuck_jobs import phase_of


def test_tools_show_what_a_stuck_rank_noted():
    Neighbours(0, lambda address: [address]).note("fit")
    assert phase_of(os.getpid()) == "fit"
