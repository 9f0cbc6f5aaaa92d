"""Where the rows of a training's batches are gathered, and whether a thread of their own may do it."""

from __future__ import annotations

from distnet.comm.threads import OF_THIS_PROCESS, available_cores
from distnet.data.feeding import Feeding
from distnet.training.step import TrainingSteps
from distnet.types import Array, DType


def feeding_of(steps: TrainingSteps) -> Feeding | None:
    """Memory that the plans of the steps read; None where blocks of rows, or user's code that may keep them, get them.

    A thread may gather where this process may run on more cores than the ranks of its node have threads.
    """
    if any(part is not steps for part in steps.parts) or not steps.runs.may_plan:
        return None

    def room(i: int, number: int, shape: tuple[int, ...], dtype: DType) -> Array:
        return steps.workspaces.get((i,), f"fed {number}", shape, dtype)

    threads_of_node = OF_THIS_PROCESS.count() * steps.communicator.local_size
    return Feeding(room, len(available_cores()) > threads_of_node)
