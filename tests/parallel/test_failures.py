"""What goes wrong ends the job soon, and says what it was."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

from distnet import errors

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


@pytest.fixture(scope="module")
def wrong_inputs():
    return runpy.run_path(str(PROGRAMS / "wrong_input.py"))["CASES"]


@pytest.mark.parametrize("case", WRONG_INPUT)
def test_wrong_input_is_named(wrong_inputs, case):
    kind, *parts = WRONG_INPUT[case]
    with pytest.raises(getattr(errors, kind)) as caught:
        wrong_inputs[case]()
    assert type(caught.value).__name__ == kind
    assert all(part in str(caught.value) for part in parts), caught.value


def test_wrong_input_is_named_on_every_rank_also_by_the_one_that_alone_meets_it(errors_of_ranks):
    for met in errors_of_ranks("wrong_input", WRONG_INPUT):
        for case, (kind, *parts) in WRONG_INPUT.items():
            assert met[case].startswith(f"{kind}: "), (case, met[case])
            assert all(part in met[case] for part in parts), (case, met[case])


@pytest.mark.parametrize("case", ["columns", "nan"])
def test_wrong_input_ends_the_job_whether_all_ranks_meet_it_or_one(ranks, case):
    kind, *parts = WRONG_INPUT[case]
    job = ranks(3).run(PROGRAMS / "wrong_input.py", case).failed(f"distnet.errors.{kind}: ", *parts)
    assert "it worked" not in job.stdout


def test_wrong_input_ends_a_process_alone(alone):
    alone.run(PROGRAMS / "wrong_input.py", "nan").failed("distnet.errors.DataError: x: row 33 holds nan")


PARTING = {
    "raises": ("rank 1 of 3 failed", "in forward", "RuntimeError: boom"),
    "exits": ("CommunicationError", "the program of rank 1 has ended"),
    "exits well": ("CommunicationError", "the program of rank 1 has ended"),
    "vanishes": ("CommunicationError", "the program of rank 1 has ended"),
    "is killed": ("rank 1 of 3 (process", "was ended by SIGKILL") if hasattr(os, "pidfd_open") else (),
    "is interrupted": ("rank 1 of 3 failed", "KeyboardInterrupt"),
    "raises in a callback": ("rank 0 of 3 failed", "in boom", "RuntimeError: boom"),
    "is caught alone": ("LookupError: lost", "Rank 1 met this error; distnet raises it on every rank."),
    "is caught alone, outside of distnet": ("CommunicationError", "is at evaluate, but rank 1 at fit"),
    "fits alone": ("CommunicationError", "rank 0 waits in fit", "for every rank, not for rank 0 alone"),
    "evaluates alone": ("CommunicationError", "rank 0 waits in evaluate", "has ended"),
    "saves before others fit": ("CommunicationError", "at save", "at fit"),
    "evaluates before others predict": ("CommunicationError", "at evaluate", "at predict"),
    "predicts before others train": ("CommunicationError", "at predict", "at train_on_batch"),
    "leaves early": ("CommunicationError", "the program of rank 1 has ended"),
    "other data": ("ReplicaError", "the training data, x[0, 0], is", "on rank 0"),
}
UNLIKE = {
    "other data": ("the training data, x[0, 0], is", "on rank 0"),
    "its part of the data": ("the training data, x: shape[0], is 34 on rank 0 and 33 on ranks 1, 2",),
    "other labels": ("the training data, y[0, 0], is",),
    "other validation": ("the validation data, y[0, 0], is",),
    "other seed": ("the seed is", "0 on rank 0"),
    "other layers": ("the architecture, layer 1: config: units, is 10 on rank 2", "8 on rank 0"),
    "another operation": ("the wiring, calls[2]: layer, is", '"2, Multiply" on rank 0'),
    "another constant": ("the wiring, calls[1]: computes", "2.0 on rank 0"),
    "another wiring": ("the wiring, calls[2]: inputs[0], is",),
    "other optimizer": ("the optimizer, config: learning_rate, is", "0.1 on rank 0"),
    "other loss": ('the compile settings, loss, is "mean_absolute_error" on rank 1',),
    "other batch size": ("the fit arguments, batch_size, is", "10 on rank 0"),
    "other epochs": ("the fit arguments, epochs, is", "1 on rank 0"),
    "other data to predict": ("the data, x: shape[0], is 34 on rank 0",),
    "other data to evaluate": ("the data, x[0, 0], is",),
    "other layers to train on a batch": ("the architecture, layer 1: config: units, is",),
    "changes weights in place": ("the weights of rank 1 differ from rank 0's",),
}


@pytest.mark.parametrize("case", PARTING)
def test_ranks_that_part_ways_end_the_job(ranks, case):
    job = ranks(3).run(PROGRAMS / "parting_ranks.py", case).failed(*PARTING[case])
    assert ("of 3 (process" in job.stderr) == ("(process" in "".join(PARTING[case]))  # of what a rank tells itself


def test_who_asks_one_rank_alone_for_a_tensor_is_told_where(ranks):
    job = ranks(3).run(PROGRAMS / "parting_ranks.py", "asks alone for a tensor", env={"DISTNET_STALL_S": "1"})
    job.failed("in allgather (tensor.numpy() at parting_ranks.py:", "on every rank, then let one print")


def test_every_rank_is_told_in_what_they_are_unlike(errors_of_ranks):
    for met in errors_of_ranks("parting_ranks", UNLIKE):
        for case, parts in UNLIKE.items():
            assert met[case].startswith("ReplicaError: "), (case, met[case])
            assert all(part in met[case] for part in parts), (case, met[case])


def test_a_barrier_in_a_callback_waits_for_nobody(ranks):
    ranks(2).run(
        "import numpy as np, distnet as keras\n"
        "model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])\n"
        "model.compile('sgd', 'mse')\n"
        "barrier = lambda *_: keras.distribution.barrier()\n"
        "callback = keras.callbacks.LambdaCallback(on_epoch_end=barrier, on_train_batch_end=barrier)\n"
        "model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[callback])\n"
    ).succeeded()
