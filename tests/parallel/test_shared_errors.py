"""An error that one rank meets is an error of all; a rank that does not come is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).parent / "programs"

TOLD = {
    "a row of rank 1's": "DataError | rank 1: x: row 40 holds nan",
    "to validate, a row of rank 2's": "DataError | rank 2: validation_data: x: row 80 holds nan",
    "another shape on rank 1": "ShapeError | rank 1: sequential",
    "another argument on rank 2": "ArgumentError | rank 2: epochs",
    "evaluated": "DataError | rank 1: x: row 40 holds nan",
    "predicted": "ShapeError | rank 1: sequential",
    "one batch": "DataError | rank 1: x: row 40 holds nan",
    "a batch of a generator": "DataError | batch 2 of the generator: x: row 3 holds nan",
    "its first batch": "DataError | batch 0 of the generator: x: row 3 holds nan",
    "no file, on any rank": "CheckpointError | nowhere.h5: there is no such file",
}

HOOKS = ("on_train_begin", "on_train_batch_begin", "on_test_end", "on_epoch_end")

STUCK = """
import sys, time
import numpy as np, distnet as keras
class Stuck(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(float(sys.argv[1]))
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[Stuck()])
"""

STUCK_BEFORE = """
import os, time
import distnet as keras
if os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK")) == "1":
    time.sleep(30)
keras.distribution.barrier()
"""


@pytest.fixture(scope="module")
def said(ranks):
    """What each rank says in each case, in order of rank."""
    stdout = ranks(3).run(PROGRAMS / "shared_errors.py").succeeded().stdout
    said = {}
    for line in sorted(stdout.splitlines()):
        _, case, told = line.split(" | ", 2)
        said.setdefault(case, []).append(told)
    return said


@pytest.mark.slow
def test_an_error_of_one_rank_meets_all_and_they_may_go_on(said):
    assert all(len(told) == 3 for told in said.values())
    for case, expected in TOLD.items():
        assert all(told.startswith(expected) for told in said[case]), said[case]
    wanted = said["a callback that wants another metric"]
    assert [told.split(" | ")[0] for told in wanted] == ["ArgumentError"] * 3
    for hook in HOOKS:
        assert said[f"in {hook}"] == ["LookupError | lost"] * 3
    assert said["an interrupt"] == ["KeyboardInterrupt | "] * 3
    assert said["an exit"] == ["SystemExit | 3"] * 3
    unsent = said["an attribute that cannot be sent"]
    assert all(told.startswith("ArgumentError | ") and "a callback set activation to" in told for told in unsent)
    unsent = said["an entry that cannot be sent"]
    assert all(
        told.startswith("ArgumentError | ") and "a callback changed, in place, kept to" in told for told in unsent
    )
    assert len(set(said["then"])) == 1


@pytest.mark.slow
def test_a_sweep_goes_on_after_trials_that_fail_on_one_rank_or_on_all(said, alone):
    lines = alone.run(PROGRAMS / "shared_errors.py", "sweep").succeeded().stdout.splitlines()
    expected = dict(line.split(" | ", 2)[1:] for line in lines)
    assert len(expected) == 54
    for case, told in expected.items():
        if "|" in told:
            assert said[case] == [told] * 3, case
            continue
        losses = np.array([[float(loss) for loss in each.split()] for each in said[case]])
        np.testing.assert_allclose(losses, [[float(loss) for loss in told.split()]] * 3, atol=1e-9, err_msg=case)


def test_a_rank_that_does_not_come_is_named_while_the_others_wait(ranks):
    job = ranks(3).run(STUCK, 5, env={"DISTNET_STALL_S": "1"}).succeeded()
    assert "distnet: rank 1 has waited" in job.stderr
    assert "s in broadcast for rank 0." in job.stderr
    assert "rank 2 has waited" not in job.stderr


def test_a_rank_that_does_not_come_ends_the_job_and_all_show_where_they_are(ranks):
    job = ranks(3).run(STUCK, 50, env={"DISTNET_TIMEOUT_S": "2"})
    job.failed("CommunicationError", "s in broadcast for rank 0: DISTNET_TIMEOUT_S is over", within=30)
    for rank in (1, 2):
        assert f"distnet: rank {rank} waits in broadcast; last: fit. Its stack:" in job.stderr
    assert "does not come; last: on_epoch_end. Its stack:" in job.stderr
    assert "in on_epoch_end" in job.stderr.partition("does not come")[2]


def test_a_rank_that_is_stopped_is_named(ranks):
    program = STUCK.replace("time.sleep(float(sys.argv[1]))", "os.kill(os.getpid(), signal.SIGSTOP)")
    job = ranks(2).run("import os, signal\n" + program, env={"DISTNET_TIMEOUT_S": "2"})
    job.failed("distnet: rank 0 (process", "is stopped, as by SIGSTOP; last: on_epoch_end", within=30)


EVALUATES = """
import time
import numpy as np, distnet as keras
class Slow(keras.callbacks.Callback):
    def on_test_batch_end(self, batch, logs=None):
        time.sleep(1.5)
class Evaluates(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.evaluate(np.ones((6, 2)), np.ones((6, 1)), batch_size=1, verbose=0, callbacks=[Slow()])
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[Evaluates()])
"""


def test_a_callback_that_goes_on_is_waited_for(ranks):
    """It takes nine seconds, of which none of its batches takes two."""
    ranks(2).run(EVALUATES, env={"DISTNET_TIMEOUT_S": "6"}).succeeded()


def test_a_rank_that_does_not_join_ends_the_job_where_that_is_wanted(ranks):
    job = ranks(2).run(STUCK_BEFORE, env={"DISTNET_TIMEOUT_S": "2", "DISTNET_STALL_S": "1"})
    job.failed("in _initialize", within=30)


@pytest.mark.parametrize("name", ["DISTNET_TIMEOUT_S", "DISTNET_STALL_S"])
def test_a_time_that_is_none_is_refused(ranks, name):
    ranks(2).run(STUCK, 0, env={name: "soon"}).failed(f"ArgumentError: {name}: expected a number of seconds", "'soon'")
