"""How much of a rank's memory a model's arrays take: weights, gradients, slots, and what its steps hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from distnet.callbacks.memory_use import MemoryUse
from distnet.layers.engine.buffers import buffers_within
from distnet.optimizers import Optimizer
from distnet.training.forward_steps import Steps
from distnet.training.kept_inference import KeptInference
from distnet.training.kept_steps import KeptSteps
from distnet.types import Array
from distnet.variables import Variable, VariableStore


def memory_use_of(model: Any) -> MemoryUse:
    """What a model holds now: see ``Model.memory_use``."""
    every = model.fit_steps, model.batch_steps, model.kept_inference.look()
    return memory_use_of_steps(model, [kept.steps for kept in every if _has_steps(kept)])


def memory_use_of_steps(model: Any, held: Sequence[Any]) -> MemoryUse:
    """What a model with these steps holds."""
    training = [steps for steps in held if hasattr(steps, "exchange")]
    held = list({id(one): one for steps in held for one in (steps, *getattr(steps, "parts", ()))}.values())
    memory = _of_weights(model, model.store, model.optimizer, training)
    used_in_turn = _by_identity([block for steps in held for block in steps.workspaces.short_lived.blocks])
    buffers = [whole for steps in held for whole in steps.workspaces.wholes]
    buffers += [buffer for steps in held for runs in steps.plans for buffer in runs.buffers()]
    others = {*used_in_turn, *_by_identity(_of_store(model.store))}
    kept = {key: buffer for key, buffer in _by_identity(buffers).items() if key not in others}
    passed = sum(block.nbytes for block in used_in_turn.values())
    return replace(memory, activations=sum(buffer.nbytes for buffer in kept.values()), between_layers=passed)


def _by_identity(arrays: Sequence[Array]) -> dict[int, Array]:
    return {id(array): array for array in arrays}


def _of_store(store: VariableStore | None) -> list[Array]:
    return [] if store is None else buffers_within([store.weights, store.frozen, store.message])


def _has_steps(kept: object) -> bool:
    return isinstance(kept, KeptInference | KeptSteps) and isinstance(kept.steps, Steps)


def _of_weights(
    model: Any, store: VariableStore | None, optimizer: Optimizer | None, training: Sequence[Any]
) -> MemoryUse:
    if store is None or not store.is_current:
        return MemoryUse(weights=_bytes_of(model.variables))
    slots = 0
    if optimizer is not None and optimizer.built_for is not None:
        part = training[0].exchange.slots_updated if training else store.part
        for one, _ in optimizer.within(store):
            own = part if one is optimizer else slice(None)
            slots += sum(slot[own].nbytes for slot in one.slots.values())
            slots += one.scratch_bytes + _bytes_of([own_one.variable for own_one in one.own_variables])
    exchange = sum(steps.exchange.nbytes for steps in training)
    weights = store.weights.nbytes + store.frozen.nbytes
    return MemoryUse(weights, store.message.nbytes, slots, exchange=exchange)


def _bytes_of(variables: Sequence[Variable]) -> int:
    return sum(variable.value.nbytes for variable in variables)
