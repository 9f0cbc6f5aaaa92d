"""``distnet doctor``: what is well, what is not, and what to do about it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from distnet.__main__ import main
from distnet.commands import health_checks
from distnet.commands.health_checks import CHECKS, Health


@pytest.fixture
def open_mpis(tmp_path, monkeypatch):
    """An mpirun that says it is Open MPI's, and starts nothing."""
    path = tmp_path / "mpirun"
    path.write_text("#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'mpirun (Open MPI) 5.0.6'; else exit 1; fi\n")
    path.chmod(0o755)
    monkeypatch.setenv("MPIRUN", str(path))
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("mpirun")
def test_a_machine_that_is_well_has_no_faults(capsys):
    assert main(["doctor", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["subject"] for line in lines] == list(CHECKS)
    told = {line["subject"]: line for line in lines}
    assert told["two ranks"]["told"] == "two ranks add up numbers and share memory"
    assert all(line["health"] in ("ok", "note") for line in lines)


def answers(code, said):
    return lambda command, **settings: (code, said)


@pytest.mark.usefixtures("mpirun")
def test_an_mpirun_of_another_mpi_is_a_fault(open_mpis, monkeypatch):
    monkeypatch.setattr(health_checks, "_answer", answers(0, "MPICH\nMPICH Version: 5.0.2"))
    finding = health_checks.one_mpi()
    assert finding.health is Health.FAULT
    assert finding.told == "mpirun is Open MPI's, mpi4py runs on MPICH"
    assert finding.remedy


@pytest.mark.usefixtures("mpirun")
def test_a_job_that_does_not_start_is_a_fault(open_mpis):
    finding = health_checks.a_job()
    assert finding.health is Health.FAULT
    assert str(open_mpis) in finding.remedy


def test_what_is_missing_is_said_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("MPIRUN", str(tmp_path / "none"))
    assert "was not found" in health_checks.mpi_launcher().told
    assert "pip install mpich" in health_checks.mpi_launcher().remedy
    assert health_checks.a_job().health is health_checks.one_mpi().health is Health.NOTE
    monkeypatch.setattr(health_checks, "_answer", answers(1, "Traceback\nImportError: libmpi.so.12"))
    assert health_checks.mpi_library().told == "mpi4py does not start: ImportError: libmpi.so.12"
    assert "h5py does not work" in health_checks.hdf5().told
    monkeypatch.setattr(health_checks, "_answer", answers(1, "BlockingIOError: unable to lock file"))
    assert health_checks.hdf5().remedy == "export HDF5_USE_FILE_LOCKING=FALSE"


def test_little_shared_memory_is_a_fault_and_what_dead_jobs_left_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(health_checks, "_SHARED", tmp_path)
    monkeypatch.setattr(health_checks.shutil, "disk_usage", lambda path: SimpleNamespace(free=1, total=64_000_000))
    assert "--shm-size" in health_checks.shared_memory().remedy
    (tmp_path / "mpich_shm_1").touch()
    finding = health_checks.shared_memory()
    assert finding.health is Health.FAULT
    assert str(tmp_path / "mpich_shm_1") in finding.remedy


def test_more_threads_than_cores_and_a_quota_are_noted(monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "999")
    assert health_checks.threads().health is Health.NOTE
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    monkeypatch.setattr(health_checks, "_QUOTA", quota)
    assert health_checks.cores().told.endswith("no more than 0.5 at a time, by a quota")


def test_faults_give_exit_code_1(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(health_checks, "CHECKS", {})
    monkeypatch.setattr("distnet.commands.doctor.CHECKS", {"mpirun": health_checks.mpi_launcher})
    monkeypatch.setenv("MPIRUN", str(Path(tmp_path, "none")))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("FAULT  mpirun ")
    assert "-> pip install mpich" in said
    assert said.endswith("1 fault.\n")
    assert os.path.exists(sys.executable)
