"""What goes wrong ends the job soon, and says what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"

WRONG_INPUT = {
    "columns": ("ShapeError", "(4,)", "(3,)"),
    "rows": ("ShapeError", "x has 40", "y has 39"),
    "targets": ("ShapeError", "(40, 4)", "3"),
    "loss": ("UnknownNameError", "unknown loss 'categorical_crosentropy'", "Did you mean"),
    "optimizer": ("UnknownNameError", "unknown optimizer 'adamm'"),
    "metric": ("UnknownNameError", "unknown metric 'acuracy'"),
    "layer": ("UnknownNameError", "unknown layer 'Densee'", "'Dense'"),
    "nan": ("DataError", "x: row 33 holds nan"),
    "infinity": ("DataError", "x: row 0 holds inf"),
    "nan target": ("DataError", "y: row 33 holds nan"),
    "nan weight": ("DataError", "sample_weight: row 33 holds nan"),
    "nan validation": ("DataError", "validation_data: x: row 33 holds nan"),
    "nan in evaluate": ("DataError", "x: row 33 holds nan"),
    "label": ("DataError", "3"),
    "negative label": ("DataError", "-1"),
    "validation label": ("DataError", "7"),
    "batch size": ("ArgumentError", "batch_size", "-8"),
    "no batch size": ("ArgumentError", "batch_size", "received 0"),
    "epochs": ("ArgumentError", "epochs", "-1"),
    "uncompiled": ("NotCompiledError", "compile()"),
    "uncompiled evaluation": ("NotCompiledError", "compile()"),
    "uncompiled batch": ("NotCompiledError", "compile()"),
    "empty": ("DataError", "x: expected at least one row"),
    "empty list": ("DataError", "x: expected at least one row"),
    "no rows to validate": ("DataError", "validation_split=1e-17 of 40 rows"),
    "no rows to train": ("DataError", "validation_split=0.5 of 1 rows"),
    "split": ("ArgumentError", "validation_split", "1.5"),
    "text": ("DataError", "x: expected an array of numbers"),
    "no targets": ("DataError", "expected targets y"),
    "weights": ("ShapeError", "sample_weight: expected 40 rows"),
    "resume": ("CheckpointError", "nowhere.h5", "no such file"),
}


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("case", WRONG_INPUT)
def test_wrong_input_is_named_and_ends_the_job(ranks, case, n):
    kind, *parts = WRONG_INPUT[case]
    job = ranks(n).run(PROGRAMS / "wrong_input.py", case).failed(f"distnet.errors.{kind}: ", *parts)
    assert "it worked" not in job.stdout
