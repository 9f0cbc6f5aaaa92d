"""One rank's part of one global batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from distnet.types import Array

Places: TypeAlias = Sequence[int] | Array | None
"""Where rows lie in the data; None if that is unknown."""


@dataclass(slots=True)
class Batch:
    """The rows of one optimizer step that this rank computes, and what it must know of the whole step.

    Args:
        x: one array for each input of the model, each with this rank's rows.
        y: one array for each output; empty when there are no targets.
        weight: one array of sample weights for each output, or None if all rows weigh 1.
        first_row: index in the global batch of this rank's first row.
        global_rows: rows of the global batch.
        places: where this rank's rows lie in the data, for messages; None if that is unknown.
        checksums: of what every rank knows of the whole batch, for ``StepChecks``.
        form: one object for all batches that are known to be alike but for what their rows hold: in shapes, dtypes and
            rows, and in lying in one place, or in memory of their own each; None where that is not known.
    """

    x: tuple[Array, ...]
    y: tuple[Array, ...]
    weight: tuple[Array | None, ...]
    first_row: int
    global_rows: int
    places: Places = None
    checksums: tuple[tuple[str, int], ...] = ()
    form: object = None
