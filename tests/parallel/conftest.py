"""What tests of ranks share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def errors_of_ranks(ranks, tmp_path_factory):
    """What each of three ranks met in each case of a program, of which all run in one job."""

    def of(program, cases, **env):
        folder = tmp_path_factory.mktemp(program)
        path = PROGRAMS / f"{program}.py"
        ranks(3).run(PROGRAMS / "each_caught.py", path, folder, *cases, env=env).succeeded()
        return [json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")) for rank in range(3)]

    return of
