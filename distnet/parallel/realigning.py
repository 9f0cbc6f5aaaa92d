"""Models that an error left in different states on different ranks: all take that of the rank that met it first."""

from __future__ import annotations

from distnet.comm import Communicator
from distnet.errors import ReplicaError
from distnet.optimizers.changed_settings import changes
from distnet.parallel.replica_slots import HeldSlots, ReplicatedModel, optimizers_of, slots_of
from distnet.parallel.replicas import broadcast_weights, compare


def realign(communicator: Communicator, model: ReplicatedModel) -> None:
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
    _realign_optimizers(communicator, model, root)


def _realign_optimizers(communicator: Communicator, model: ReplicatedModel, root: int) -> None:
    held, numbers = communicator.broadcast_object(
        (HeldSlots.of(model), [(optimizer.scalars, optimizer.settings()) for optimizer in optimizers_of(model)]), root
    )
    received = [slot.copy() for slot in slots_of(model)] if communicator.rank == root else held.empty()
    for slot in received:
        communicator.broadcast(slot, root)
    failure: ReplicaError | None = None
    try:
        held.take(model, received)
    except ReplicaError as error:
        failure = error
    failures = communicator.allgather_object(None if failure is None else str(failure))
    told = next((each for each in failures if each is not None), None)
    if told is not None:
        raise ReplicaError(f"after an error: {told}") from failure
    for optimizer, (scalars, settings) in zip(optimizers_of(model), numbers, strict=True):
        optimizer.scalars = dict(scalars)
        optimizer.configure(changes(optimizer.settings(), settings))
