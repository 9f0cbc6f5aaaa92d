"""What a launcher's exit code is worth."""

import os

import pytest

from distnet.commands.job_supervision import Job, Supervision
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
