"""One training, killed over and over by ``soak_kills.py``; by hand that script takes 200 kills."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "tools" / "soak_kills.py"


@pytest.mark.usefixtures("mpirun")
@pytest.mark.parametrize("options", [("--kills", "3"), ("--kills", "2", "--ranks", "2")], ids=" ".join)
def test_a_training_killed_over_and_over_ends_as_one_that_nothing_stopped(options):
    done = subprocess.run(
        [sys.executable, str(SOAK), *options], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    kills, last = int(options[1]), done.stdout.splitlines()[-1]
    # the last kill may find the training at its end: then no start follows it
    assert re.search(rf"^{kills} kills, \d+ of them .*, ({kills}|{kills + 1}) starts", last), last
    assert done.stdout.endswith("the same end\n")
