"""Processes that cannot be one job say so; a process alone needs no MPI."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

NAMESPACE = ("--pid", "--fork", "--mount-proc")

TRAIN = """
import sys
import numpy as np
import distnet as keras
model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
model.compile("sgd", "mse")
model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
model.predict(np.ones((4, 2)), verbose=0)
model.save(sys.argv[1])
keras.models.load_model(sys.argv[1]).fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
keras.distribution.barrier()
print("trained", keras.distribution.rank(), keras.distribution.size(), "mpi4py" in sys.modules, flush=True)
"""


@pytest.fixture
def broken(tmp_path):
    """An environment whose mpi4py cannot be imported, as where it was built for an MPI that is gone."""
    folder = tmp_path / "broken" / "mpi4py"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('libmpi.so.12: cannot open shared object file')\n")
    return {"PYTHONPATH": str(folder.parent)}


def test_a_process_alone_never_imports_mpi4py(alone, tmp_path):
    assert alone.run(TRAIN, tmp_path / "m.h5").succeeded().stdout == "trained 0 1 False\n"


def test_one_rank_under_mpiexec_never_imports_mpi4py(ranks, tmp_path):
    assert ranks(1).run(TRAIN, tmp_path / "m.h5").succeeded().stdout == "trained 0 1 False\n"


def test_several_ranks_train_once(ranks, tmp_path):
    job = ranks(3).run(TRAIN, tmp_path / "m.h5").succeeded()
    assert sorted(job.stdout.splitlines()) == [f"trained {rank} 3 True" for rank in range(3)]


def can_unshare():
    return subprocess.run(["unshare", *NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("unshare") is None or not can_unshare(), reason="needs namespaces of processes")
def test_ranks_in_namespaces_of_their_own_train_as_one(ranks, alone):
    """Where the number of another rank's process is that of another process here, as in containers."""
    program = (
        "import numpy as np, distnet as keras\n"
        "keras.utils.set_random_seed(1)\n"
        "x = np.random.default_rng(0).random((64, 20))\n"
        "model = keras.Sequential([keras.layers.Dense(50, input_shape=(20,)), keras.layers.Dense(1)])\n"
        "model.compile('adam', 'mse')\n"
        "print(model.fit(x, x.sum(1, keepdims=True), verbose=0, epochs=2).history['loss'][-1], flush=True)\n"
    )
    within = replace(ranks(2), launcher=(*ranks(2).launcher, "unshare", *NAMESPACE))
    losses = [float(line) for line in within.run(program).succeeded().stdout.split()]
    expected = float(alone.run(program).succeeded().stdout)
    np.testing.assert_allclose(losses, [expected] * 2, rtol=1e-5)


def test_a_process_alone_trains_where_mpi4py_is_broken(alone, broken, tmp_path):
    assert alone.run(TRAIN, tmp_path / "m.h5", env=broken).succeeded().stdout == "trained 0 1 False\n"


def test_several_ranks_refuse_to_train_where_mpi4py_is_broken(ranks, broken, tmp_path):
    job = ranks(3).run(TRAIN, tmp_path / "m.h5", env=broken)
    job.failed("distnet.errors.LaunchError", "of 3", "mpi4py cannot be imported: libmpi.so.12: cannot open")
    assert "trained" not in job.stdout
    assert not (tmp_path / "m.h5").exists()


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "2"}, "Open MPI's mpirun"),
        ({"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2"}, "Slurm's srun"),
    ],
)
def test_a_rank_whose_mpi_sees_other_ranks_than_its_launcher_started_refuses_to_train(
    alone, environment, name, tmp_path
):
    job = alone.run(TRAIN, tmp_path / "m.h5", env=environment)
    job.failed("distnet.errors.LaunchError", name, "rank 2 of")
    assert "trained" not in job.stdout


def test_a_user_may_import_mpi4py_first(ranks, tmp_path):
    job = ranks(2).run("from mpi4py import MPI\n" + TRAIN, tmp_path / "m.h5").succeeded()
    assert sorted(job.stdout.splitlines()) == [f"trained {rank} 2 True" for rank in range(2)]


def test_a_rank_whose_launcher_does_not_say_how_many_it_started_does_not_train_alone(alone, tmp_path):
    """MPICH itself ends a process whose launcher it cannot talk to, in words of its own."""
    job = alone.run(TRAIN, tmp_path / "m.h5", env={"PMIX_RANK": "2"}).failed()
    assert "trained" not in job.stdout
