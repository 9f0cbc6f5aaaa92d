"""A file that all ranks are about to read is hashed and examined by one of each node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from distnet.comm import Communicator
from distnet.errors import CheckpointError
from distnet.saving.keras_archive import is_archive
from distnet.saving.opening import errors_of, examine_whole
from distnet.saving.vetting import Identity, identity, trusting


@contextmanager
def examined_together(path: str, ranks: Communicator) -> Iterator[None]:
    """Within the block no rank examines the file that another one has examined; all ranks call it.

    A rank that sees another file under this name examines that one itself. So does each where the file is not well,
    and raises the error that says why.

    Args:
        path: of the file.
        ranks: that read it.
    """
    well: Identity | None = None
    if ranks.size > 1 and ranks.local_rank == 0:
        with suppress(CheckpointError), errors_of(path):
            before = identity(path)
            if not is_archive(path):  # whose weights are examined in a file of their own
                examine_whole(path)
                well = before
    known = [each for each in ranks.allgather_object(well) if each is not None]
    with trusting(known):
        yield
