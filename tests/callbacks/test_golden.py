"""The scripts of ``tests/golden/callback_cases.py``, whose module ``keras`` is distnet, against what Keras did."""

import json
import sys
from pathlib import Path

import pytest

import distnet

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
import callback_cases  # noqa: E402

EXPECTED = json.loads((GOLDEN / "callbacks.json").read_text())["cases"]


@pytest.mark.parametrize("case", callback_cases.CASES, ids=lambda case: case.__name__)
def test_callbacks_do_what_keras_does(case):
    assert json.loads(json.dumps(case(distnet))) == EXPECTED[case.__name__]
