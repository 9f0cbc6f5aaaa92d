"""Files damaged in many ways are read, or refused with CheckpointError: see ``fuzz.py``, which tries 10,000."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "tools" / "fuzz.py"


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_and_nothing_else():
    command = [sys.executable, str(FUZZ), "--count", "110", "--seed", "22000", "--ranks", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("110 files: ")
    assert ", 0 faults" in done.stdout
