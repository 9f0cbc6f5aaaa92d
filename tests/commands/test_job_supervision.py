"""What a launcher's exit code is worth, and what becomes of one that does not end."""

import os
import subprocess
import sys

import pytest

from distnet.commands.job_supervision import Job, Supervision
from distnet.commands.launcher_end import wait_for
from distnet.commands.mpi_launchers import MPILauncher


@pytest.mark.parametrize(
    ("noted", "code"), [("began-0 began-1", 1), ("began-0 began-1 ended-1", 0), ("began-0 ended-0", 0), ("", 0)]
)
def test_a_launcher_that_ends_well_though_no_rank_did_has_failed(tmp_path, capfd, noted, code):
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\nfor name in {noted}; do touch "$DISTNET_RUN_ENDS/$name"; done\n')
    launcher.chmod(0o755)
    job = Job(MPILauncher(str(launcher), True, "5"), 2, (), ("program",), {}, dict(os.environ))
    assert Supervision(0).run(job) == code
    assert ("no rank here had ended its program" in capfd.readouterr().err) == bool(code)


NOTE = 'for i in {ranks}; do echo "$({process}) $(readlink /proc/self/ns/{namespace})" > {notes}/began-$i; done\n'


@pytest.mark.skipif(sys.platform != "linux", reason="what has become of a process is read from /proc")
@pytest.mark.parametrize(
    ("process", "namespace", "ranks", "is_ended"),
    [
        ("sh -c 'echo $$'", "pid", "0 1", True),
        ("echo $$", "pid", "0 1", False),
        ("sh -c 'echo $$'", "pid", "0", False),
        ("sh -c 'echo $$'", "net", "0 1", False),
    ],
)
def test_a_launcher_that_stays_is_ended_once_all_its_ranks_are_gone(tmp_path, process, namespace, ranks, is_ended):
    """Not while one of them is there, or where ranks are on other machines, or their processes cannot be seen."""
    script = NOTE.format(process=process, namespace=namespace, ranks=ranks, notes=tmp_path) + "sleep 3\nexit 5\n"
    launcher = subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True)
    code, was_ended = wait_for(launcher, 2, tmp_path, stays_s=0.0)
    assert (code, was_ended) == ((-9, True) if is_ended else (5, False))
