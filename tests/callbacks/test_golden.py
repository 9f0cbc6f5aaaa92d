"""The scripts of ``tests/golden/callback_cases.py``, whose module ``keras`` is distnet, against what Keras did."""

import json
from pathlib import Path

import pytest

import callback_cases
import distnet

GOLDEN = Path(__file__).parents[1] / "golden"

EXPECTED = json.loads((GOLDEN / "callbacks.json").read_text())["cases"]


@pytest.mark.parametrize("case", callback_cases.CASES, ids=lambda case: case.__name__)
def test_callbacks_do_what_keras_does(case):
    assert json.loads(json.dumps(case(distnet))) == EXPECTED[case.__name__]
