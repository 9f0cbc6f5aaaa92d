"""Models that an error left in different states on different ranks: all take that of the rank that met it first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.optimizers import Optimizer
from distnet.optimizers.changed_settings import changes
from distnet.parallel.replicas import broadcast_weights, compare
from distnet.training_state import TrainingState
from distnet.variables import VariableStore


class AlignedModel(Protocol):
    """A model, as its realigning sees it."""

    name: str
    optimizer: Optimizer | None
    training_state: TrainingState
    store: VariableStore | None

    @property
    def variables(self) -> list[Any]: ...


def realign(communicator: Communicator, model: AlignedModel) -> None:
    """Give every rank the model as it is on the rank that met the last error, if it was used before, and not since.

    A rank that fails in a step stands where a process alone would; others may have gone on to the next sum.

    Raises:
        ReplicaError: the ranks' models cannot be made alike.
    """
    if communicator.size == 1:
        return
    state = model.training_state
    known, state.errors = state.errors, communicator.errors
    if known is None or known == communicator.errors:
        return
    root = communicator.met_by
    compare(communicator, lambda: {"the shapes of the weights": [variable.shape for variable in model.variables]})
    broadcast_weights(communicator, model.variables, root)
    for name in ("step", "fits", "epochs", "history"):
        setattr(state, name, communicator.broadcast_object(getattr(state, name), root))
    for optimizer in optimizers_of(model):
        _realign_optimizer(communicator, model.name, optimizer, root)


def optimizers_of(model: AlignedModel) -> Iterator[Optimizer]:
    """Those of the model, and those within them."""
    given = [model.optimizer, *(value for value in vars(model).values() if value is not model.optimizer)]
    for optimizer in given:
        if isinstance(optimizer, Optimizer):
            yield from [optimizer] if model.store is None else (inner for inner, _ in optimizer.within(model.store))


def _realign_optimizer(communicator: Communicator, name: str, optimizer: Optimizer, root: int) -> None:
    sizes = {slot: array.size for slot, array in optimizer.slots.items()} if optimizer.built else None
    expected, scalars, settings = communicator.broadcast_object((sizes, optimizer.scalars, optimizer.settings()), root)
    failed = communicator.allgather_object(expected is not None and expected != sizes)
    if any(failed):
        raise ReplicaError(
            f"{name}: an error left its optimizer {optimizer.name!r} in different states on different ranks. Make a "
            "new model and a new optimizer after such an error."
        )
    if expected is None:
        optimizer.forget()
    optimizer.scalars = dict(scalars)
    optimizer.configure(changes(optimizer.settings(), settings))
    for slot in sorted(expected or ()):
        received = np.array(optimizer.slots[slot])
        communicator.broadcast(received, root)
        if not np.array_equal(received, optimizer.slots[slot], equal_nan=True):  # ranks may share its memory
            optimizer.slots[slot][...] = received
