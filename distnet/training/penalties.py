"""The last changes to a step's gradients: those of the regularized weights' penalties, and the loss scale."""

from __future__ import annotations

import numpy as np

from distnet.comm import Communicator
from distnet.optimizers import Optimizer
from distnet.variables import Variable, VariableStore


class Penalties:
    """What regularizers add to a step's loss and gradients.

    Args:
        store: the trained weights.
        optimizer: has the loss scale.
        communicator: the ranks, of which one adds the gradient of a weight.
    """

    def __init__(self, store: VariableStore, optimizer: Optimizer, communicator: Communicator) -> None:
        self.store, self.optimizer, self.communicator = store, optimizer, communicator
        self._regularized: list[tuple[int, Variable]] = []
        """Numbers and variables of spans, as they were when the step began."""

    def begin_step(self) -> float:
        """The sum of all penalties, which every rank computes."""
        total = 0.0
        self._regularized = [
            (i, span.variable) for i, span in enumerate(self.store.spans) if span.variable.regularizer is not None
        ]
        for _, variable in self._regularized:
            if variable.regularizer is not None:
                total += float(variable.regularizer.value(variable.value))
        return total

    def finish(self, numbers: range, part: slice) -> None:
        """Add the penalties' gradients, that of each weight on one rank, and multiply by the loss scale.

        What overflows is for the optimizer to see.

        Args:
            numbers: of some of the store's spans.
            part: of the store's message, which has these spans.
        """
        for i, variable in self._regularized:
            if i in numbers and i % self.communicator.size == self.communicator.rank and variable.regularizer:
                variable.grad += variable.regularizer.gradient(variable.value)
        factor = self.optimizer.loss_scale
        if factor is not None:
            scaled = self.store.gradients[part]
            with np.errstate(over="ignore", invalid="ignore"):
                scaled *= self.store.dtype.type(factor)
