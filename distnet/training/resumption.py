"""Going on from a backup that a callback keeps, on all ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from distnet.comm.scope import communicator
from distnet.errors import CheckpointError
from distnet.network import Network
from distnet.saving import restore_training


def restore_backup(model: Network, callbacks: Sequence[Any]) -> bool:
    """Restore the first readable backup that rank 0's callbacks name; tell whether there is one.

    A callback names its backups, the best first, with a method ``resume_paths``.

    Raises:
        CheckpointError: there are backups, but no one that every rank can read.
    """
    ranks = communicator()
    named = [c.resume_paths() for c in callbacks if hasattr(c, "resume_paths")] if ranks.rank == 0 else []
    failures: list[str] = []
    for path in ranks.broadcast_object([path for paths in named for path in paths]):
        failure = None
        try:
            restore_training(model, path)
        except CheckpointError as error:
            failure = str(error)
        failed = [told for told in ranks.allgather_object(failure) if told is not None]
        if not failed:
            return True
        failures += failed[:1]
    if failures:
        raise CheckpointError(f"no backup can be resumed from: {' '.join(failures)} Delete it to train afresh.")
    return False
