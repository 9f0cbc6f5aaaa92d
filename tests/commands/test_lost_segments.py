"""What killed ranks leave in shared memory is removed; what anybody uses is not."""

from __future__ import annotations

import mmap
import time

from distnet.commands import lost_segments


def test_only_what_nobody_has_mapped_and_the_job_made_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(lost_segments, "_FOLDER", tmp_path)
    monkeypatch.setattr(lost_segments, "_LEAST_AGE_S", 0.0)
    lost, used, other = (tmp_path / name for name in ("mpich_shm_1_0", "sm_segment.host.0.1", "psm_1"))
    for path in (lost, used, other):
        path.write_bytes(bytes(4096))
    with used.open("r+b") as file, mmap.mmap(file.fileno(), 4096):
        lost_segments.remove_lost_segments(time.time() + 60)
        assert lost.exists()
        lost_segments.remove_lost_segments(0.0)
    assert (lost.exists(), used.exists(), other.exists()) == (False, True, True)
