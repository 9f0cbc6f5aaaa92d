"""Whether ranks that are called batch by batch are given the same, and have changed the same in between."""

from __future__ import annotations

import zlib

from distnet import config
from distnet.assignments import assignments, settings
from distnet.comm import Communicator
from distnet.data.arrays import ArrayData
from distnet.optimizers import Optimizer
from distnet.parallel import replicas
from distnet.parallel.data_checksums import compare_data
from distnet.parallel.step_checks import of_numbers, of_weights
from distnet.training.agreement import data_facts, model_facts, states_of
from distnet.training.trained_model import TrainedModel

_CALLS = 64
"""After so many calls all weights and settings are compared."""


class BatchChecks:
    """What one rank knows of a model at its last call on a batch."""

    def __init__(self) -> None:
        self._calls = 0
        self._seen = settings(), assignments()

    def compare(self, ranks: Communicator, model: TrainedModel, data: ArrayData) -> None:
        """Fail unless every rank was given the same batch, and has the model that it had; one small message.

        Raises:
            ReplicaError: it has not; the message names what differs, and the ranks.
        """
        if ranks.size == 1:
            return
        seen = settings(), assignments()
        since = [now - before for now, before in zip(seen, self._seen, strict=True)]
        self._seen = seen
        self._calls += 1
        looked_at = [f"{array.shape} {array.dtype}" for _, array in data.named()], data.checksums(), since
        told = zlib.crc32(repr(looked_at).encode()) << 31 ^ _of_model(model, self._calls)
        if self._calls % _CALLS and replicas.are_equal(ranks, told):
            return
        replicas.compare(ranks, lambda: {**data_facts(data), **model_facts(model)})
        compare_data(ranks, data.named())
        if model.store is not None and config.checks_replicas():
            replicas.compare_weights(ranks, model.store, states_of(model))


def _of_model(model: TrainedModel, calls: int) -> int:
    """A checksum of a model's learning rate, and of some of its weights, others in each call."""
    told = of_numbers(model.optimizer.scalars)[1] if isinstance(model.optimizer, Optimizer) else 0
    return told ^ (0 if model.store is None else of_weights(model.store.weights, calls)[1] << 1)
