"""Values, gradients and dtypes of functions of ``distnet.ops``, against real Keras 3 in a process of its own."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from op_cases import every_case, ids, value_and_gradients

IN_KERAS = Path(__file__).parents[1] / "tools" / "ops_in_keras.py"
"""What asks Keras, never imported here: it imports Keras."""
CASES = every_case()
NAMES = ids(CASES)
ASKED = [number for number, case in enumerate(CASES) if case.in_keras]


@pytest.fixture(scope="session")
def asked(tmp_path_factory, beside, keras_3):
    """The process that asks Keras about every case, and its folder."""
    folder = tmp_path_factory.mktemp("ops")
    calls = [(CASES[number].name, CASES[number].args, CASES[number].options) for number in ASKED]
    (folder / "cases.pickle").write_bytes(pickle.dumps(calls))
    return beside([keras_3, str(IN_KERAS), str(folder)], env={**os.environ, "KERAS_BACKEND": "jax"}), folder


@pytest.fixture(scope="session")
def answers(asked):
    """Keras's answers, by case."""
    process, folder = asked
    assert process.wait() == 0
    theirs = pickle.loads((folder / "answers.pickle").read_bytes())
    return dict(zip(ASKED, theirs, strict=True))


@pytest.mark.starts_first
def test_cases_have_functions(asked):
    assert all(callable(case.function) for case in CASES)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", ASKED, ids=[NAMES[number] for number in ASKED])
def test_values_and_gradients_are_those_of_keras(answers, number):
    case, theirs = CASES[number], answers[number]
    assert not isinstance(theirs, str), theirs
    parts, slopes = value_and_gradients(case, case.floats)
    assert len(parts) == len(theirs[0])
    for ours, expected in zip(parts, theirs[0], strict=True):
        assert ours.shape == expected.shape
        if case.as_dtype:
            assert ours.dtype == expected.dtype
        np.testing.assert_allclose(np.asarray(ours), expected, rtol=case.tolerance, atol=case.tolerance)
    for x, ours, expected in zip(case.floats, slopes, theirs[1] or slopes, strict=True):
        assert ours.shape == x.shape
        np.testing.assert_allclose(np.asarray(ours), expected, rtol=case.tolerance, atol=case.tolerance)
