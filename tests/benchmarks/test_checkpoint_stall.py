from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKPOINT_STALL = Path(__file__).parents[2] / "benchmarks" / "checkpoint_stall.py"


@pytest.mark.slow
def test_it_prints_a_line_for_each_way_and_leaves_no_file(tmp_path):
    command = [sys.executable, str(CHECKPOINT_STALL), "--megabytes", "0.5", "--steps", "4", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("checkpoint of 0.5 MB, 4 steps, 1 rounds, ")
    assert [line.split()[0] for line in lines[2:5]] == ["ms", "foreground", "background"]
    assert lines[-1].startswith("foreground / background: ")
    assert list(tmp_path.iterdir()) == []
