"""The page on one's own layers, models and loops is a program: alone and on three ranks it gives the same numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs/your_own.md"
PRINTED = ("rows seen: 480", "loaded: True", "last loss: ")


def blocks() -> list[str]:
    """The page's programs, in order."""
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def numbers(text: str) -> list[float]:
    """The values in lines of epochs, without their times, and in what the page prints."""
    lines = [line for line in text.splitlines() if not line.startswith("distnet:")]
    lines = [re.sub(r"\d+/\d+ - \d+s - \d+\w+/step", "", line) for line in lines]
    return [float(number) for line in lines for number in re.findall(r"(?<=: )-?\d[\d.e+-]*", line)]


@pytest.mark.slow
def test_every_block_runs_alone_and_on_three_ranks_to_the_same_numbers(alone, ranks, tmp_path):
    assert len(blocks()) >= 9
    program = tmp_path / "your_own.py"
    program.write_text("\n".join(blocks()), encoding="utf-8")
    one, three = (starter.run(program).succeeded().stdout for starter in (alone, ranks(3)))
    for line in PRINTED:
        assert line in one
        assert line in three
    assert len(numbers(one)) > 14
    np.testing.assert_allclose(numbers(three), numbers(one), atol=2e-4)
