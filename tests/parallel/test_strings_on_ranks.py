"""Models of strings are on three ranks what they are on one; ranks that adapt to other data are told so."""

import json
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "models_of_strings.py"


def near(given, expected, where=""):
    if isinstance(expected, dict):
        for key in expected:
            near(given[key], expected[key], f"{where} {key}")
    elif isinstance(expected, list) and expected and isinstance(expected[0], dict | list):
        for i, (ours, theirs) in enumerate(zip(given, expected, strict=True)):
            near(ours, theirs, f"{where} {i}")
    elif isinstance(expected, list | float) and not any(isinstance(one, str) for one in np.ravel(expected)):
        np.testing.assert_allclose(given, expected, rtol=1e-5 if "two" in where else 1e-10, err_msg=where)
    else:
        assert given == expected, where


@pytest.mark.slow
def test_models_of_strings_are_on_three_ranks_what_they_are_on_one(ranks, alone, tmp_path):
    said = {}
    for count, start in ((1, alone), (3, ranks(3))):
        folder = tmp_path / str(count)
        folder.mkdir()
        said[count] = json.loads(start.run(PROGRAM, folder).succeeded().stdout.splitlines()[-1])
    messages = said[3].pop("differing")
    assert said[1].pop("differing") == []
    assert said[3]["same bits"] == said[1]["same bits"]
    near(said[3], said[1])
    assert said[1]["columns"][1]
    assert said[1]["fixed read"]
    assert said[1]["strings"] == [["a", "é"], ["[UNK]", "a"], ["é", "é"]]
    assert len(messages) == 3
    assert all("the ranks saw different data" in message for message in messages)
