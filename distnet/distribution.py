"""Which rank this process is, and how ranks share their work.

>>> from distnet import distribution
>>> distribution.set_distribution(distribution.DataParallel(compression="bfloat16"))
>>> distribution.distribution()
DataParallel(compression='bfloat16')
>>> distribution.set_distribution(None)
"""

from __future__ import annotations

from dataclasses import dataclass

from distnet import comm
from distnet.comm import scope
from distnet.errors import ArgumentError
from distnet.types import DType

_COMPRESSIONS = (None, "float16", "bfloat16")


def rank() -> int:
    """This process's number, 0 to ``size() - 1``; 0 when started alone."""
    return comm.world().rank


def size() -> int:
    """Number of processes of the job; 1 when started alone."""
    return comm.world().size


def is_chief() -> bool:
    """Whether this is rank 0, the one that prints and writes files."""
    return comm.world().rank == 0


@scope.on_all_ranks()
def barrier() -> None:
    """Wait until every rank is here; every rank must call it. In a callback, run by rank 0 alone, it does nothing."""
    scope.communicator().barrier()


@dataclass(frozen=True)
class DataParallel:
    """Each rank trains the same model on its rows of every batch, as it does without this object; and its options.

    Args:
        compression: ``"float16"`` or ``"bfloat16"``: nodes send each other gradients in 16 bits, and add them in
            float32. A gradient's entry is then off by at most 2^-11 (float16) or 2^-8 (bfloat16) of the sum of its
            nodes' magnitudes, and as much of the sum again; the result depends on the number of nodes. Ranks of one
            node send each other nothing that would be shortened. It pays on slow links alone: packing takes time. Loss
            and metrics are exact. For models of float32 that are trained by ``fit`` and ``train_on_batch`` without a
            ``train_step`` of their own.

    Raises:
        ArgumentError: there is no such compression.

    Source: ``keras.distribution.DataParallel``; the option as in Horovod's ``Compression``.
    """

    compression: str | None = None

    def __post_init__(self) -> None:
        if self.compression not in _COMPRESSIONS:
            raise ArgumentError(
                f"DataParallel.compression: expected None, 'float16' or 'bfloat16', received {self.compression!r}."
            )


_present: list[DataParallel | None] = [None]


def distribution() -> DataParallel | None:
    """What ``set_distribution`` was last given."""
    return _present[0]


def set_distribution(value: DataParallel | None) -> None:
    """From the next ``fit`` on share the work so; every rank must call it alike. None: as by default.

    Raises:
        ArgumentError: it is no ``DataParallel``.
    """
    if value is not None and not isinstance(value, DataParallel):
        raise ArgumentError(
            f"set_distribution: expected a DataParallel or None, received {value!r}. distnet shares rows, not weights."
        )
    _present[0] = value


def compression_for(name: str, dtype: DType | None) -> str | None:
    """How gradients of a model are to be shortened on their way.

    Args:
        name: of the model.
        dtype: of its weights; None if it is trained by steps of its own.

    Raises:
        ArgumentError: these cannot be.
    """
    present = distribution()
    if present is None or present.compression is None or dtype == "float32":
        return None if present is None else present.compression
    what = "a train_step of its own" if dtype is None else f"weights of {dtype}"
    raise ArgumentError(
        f"{name}: DataParallel(compression={present.compression!r}) shortens float32 gradients that fit sums itself; "
        f"this model has {what}. Leave compression out."
    )
