"""What callbacks keep, a script reads after ``fit`` on every rank as it does alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "kept_by_callbacks.py"


def kept(job, folder):
    folder.mkdir()
    job.run(PROGRAM, folder, timeout=100).succeeded()
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())]


def test_every_rank_has_what_callbacks_keep(ranks, alone, tmp_path):
    [expected] = kept(alone, tmp_path / "alone")
    of_ranks = kept(ranks(3), tmp_path / "three")
    assert len(of_ranks) == 3
    for rank, there in enumerate(of_ranks):
        assert there["seen"] == of_ranks[0]["seen"]
        assert there["own"] == [rank]
        for part, values in expected["seen"].items():
            assert numbers(there["seen"][part]) == pytest.approx(numbers(values), rel=1e-5), part


def numbers(value):
    """All numbers of nested lists and dicts, in order."""
    if isinstance(value, dict):
        value = list(value.values())
    return [number for part in value for number in numbers(part)] if isinstance(value, list) else [value]
